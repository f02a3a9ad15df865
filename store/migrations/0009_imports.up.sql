-- What an import did of its lines, and how far it has read its file.
ALTER TABLE batches ADD COLUMN created {{.int}} NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN updated {{.int}} NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN unchanged {{.int}} NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN calculated {{.int}} NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN excluded {{.int}} NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN size_bytes {{.bigint}};
ALTER TABLE batches ADD COLUMN read_bytes {{.bigint}} NOT NULL DEFAULT 0;

-- The pieces of work that are stored, each in the transaction of its rows, by the place of their first item: work that begins again passes them over.
-- The work is a batch, or what a client named by an idempotency key; the outcome is what became of each item, for whoever sends the key again.
CREATE TABLE work_pieces (
    org_id    {{.uuid}} NOT NULL,
    work_id   {{.uuid}} NOT NULL,
    first_at  {{.int}} NOT NULL,
    items     {{.int}} NOT NULL,
    outcome   {{.bytes}},
    PRIMARY KEY (org_id, work_id, first_at)
);

-- Work that a client named, so that sending it again does nothing twice. Whoever is at it holds it by a token until the lease ends.
CREATE TABLE idempotency_keys (
    org_id      {{.uuid}} NOT NULL,
    name        {{.text}} NOT NULL,
    operation   {{.text}} NOT NULL,
    digest      {{.bytes}} NOT NULL,
    work_id     {{.uuid}} NOT NULL,
    holder      {{.uuid}} NOT NULL,
    lease_until {{.instant}},
    created_at  {{.instant}} NOT NULL,
    finished_at {{.instant}},
    PRIMARY KEY (org_id, name)
);
-- The keys that are old enough to be swept.
CREATE INDEX idempotency_keys_age ON idempotency_keys (org_id, created_at);

-- Records of files that failed, as they came. The place counts the records of a batch, the line those of its file.
CREATE TABLE batch_failures (
    org_id      {{.uuid}} NOT NULL,
    batch_id    {{.uuid}} NOT NULL,
    id          {{.uuid}} NOT NULL,
    place       {{.int}} NOT NULL,
    line        {{.int}} NOT NULL,
    external_id {{.text}},
    code        {{.text}} NOT NULL,
    message     {{.text}} NOT NULL,
    path        {{.text}} NOT NULL,
    record      {{.text}} NOT NULL,
    PRIMARY KEY (org_id, batch_id, place)
);

-- Files on their way in or out, compressed, in parts of bounded size.
CREATE TABLE batch_parts (
    org_id     {{.uuid}} NOT NULL,
    batch_id   {{.uuid}} NOT NULL,
    direction  {{.text}} NOT NULL,
    part       {{.int}} NOT NULL,
    content    {{.bytes}} NOT NULL,
    PRIMARY KEY (org_id, batch_id, direction, part)
);

-- Columns files that are kept under a name.
CREATE TABLE column_files (
    org_id     {{.uuid}} NOT NULL REFERENCES organizations (id),
    name       {{.text}} NOT NULL,
    content    {{.text}} NOT NULL,
    updated_at {{.instant}} NOT NULL,
    PRIMARY KEY (org_id, name)
);
