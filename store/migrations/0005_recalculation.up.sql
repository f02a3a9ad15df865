-- The factor and the category that a line names itself; NULL where rules find them. Of lines that were stored before, the category is taken for the line's own.
ALTER TABLE activities ADD COLUMN factor_id {{.uuid}};
ALTER TABLE activities ADD COLUMN given_category {{.int}};
UPDATE activities SET given_category = category_number;

-- Work in the background. Whoever is at a batch holds it by a token until its lease ends; position is the last activity that is done with.
CREATE TABLE batches (
    org_id          {{.uuid}} NOT NULL REFERENCES organizations (id),
    id              {{.uuid}} NOT NULL,
    kind            {{.text}} NOT NULL,
    status          {{.text}} NOT NULL,
    run_id          {{.uuid}},
    spec            {{.text}} NOT NULL,
    actor           {{.text}} NOT NULL,
    total           {{.int}},
    processed       {{.int}} NOT NULL,
    failed          {{.int}} NOT NULL,
    position        {{.uuid}},
    takes           {{.int}} NOT NULL,
    cancelled       {{.bool}} NOT NULL,
    tidied          {{.bool}} NOT NULL,
    holder          {{.uuid}},
    lease_until     {{.instant}},
    problem_code    {{.text}},
    problem_message {{.text}},
    created_at      {{.instant}} NOT NULL,
    started_at      {{.instant}},
    updated_at      {{.instant}},
    finished_at     {{.instant}},
    PRIMARY KEY (org_id, id)
);
-- What is still to be done, or to be cleared away.
CREATE INDEX batches_open ON batches (org_id, id) WHERE NOT tidied;

-- What a recalculation makes of each line that it changes, until it is published. It names what stood before, how the figure changed and why.
CREATE TABLE run_lines (
    org_id           {{.uuid}} NOT NULL,
    run_id           {{.uuid}} NOT NULL,
    activity_id      {{.uuid}} NOT NULL,
    previous_id      {{.uuid}},
    emission_id      {{.uuid}},
    supplier_id      {{.uuid}},
    factor_before    {{.uuid}},
    factor_after     {{.uuid}},
    dataset_before   {{.uuid}},
    dataset_after    {{.uuid}},
    before_mg        {{.bigint}} NOT NULL,
    after_mg         {{.bigint}} NOT NULL,
    data_mg          {{.bigint}} NOT NULL,
    version_mg       {{.bigint}} NOT NULL,
    gwp_mg           {{.bigint}} NOT NULL,
    rate_mg          {{.bigint}} NOT NULL,
    mapping_mg       {{.bigint}} NOT NULL,
    occurred_on      {{.date}} NOT NULL,
    category_before  {{.int}},
    category_after   {{.int}},
    category_number  {{.int}} NOT NULL,
    moved            {{.text}} NOT NULL,
    method_before    {{.text}},
    method_after     {{.text}},
    country          {{.text}},
    account_code     {{.text}},
    touches_activity {{.bool}} NOT NULL,
    content_before   {{.bytes}} NOT NULL,
    content_after    {{.bytes}} NOT NULL,
    problem_code     {{.text}},
    problem_message  {{.text}},
    PRIMARY KEY (org_id, run_id, activity_id)
);

-- How a recalculation changed the groups of each dimension, and why: the five causes add up to after_mg less before_mg, of which size_mg is the amount.
CREATE TABLE run_differences (
    org_id     {{.uuid}} NOT NULL,
    id         {{.uuid}} NOT NULL,
    run_id     {{.uuid}} NOT NULL,
    dimension  {{.text}} NOT NULL,
    group_key  {{.text}} NOT NULL,
    size_mg    {{.bigint}} NOT NULL,
    before_mg  {{.bigint}} NOT NULL,
    after_mg   {{.bigint}} NOT NULL,
    data_mg    {{.bigint}} NOT NULL,
    version_mg {{.bigint}} NOT NULL,
    gwp_mg     {{.bigint}} NOT NULL,
    rate_mg    {{.bigint}} NOT NULL,
    mapping_mg {{.bigint}} NOT NULL,
    PRIMARY KEY (org_id, id)
);
-- The largest change first.
CREATE INDEX run_differences_size ON run_differences (org_id, run_id, dimension, size_mg, id);
