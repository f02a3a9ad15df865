-- What is decided of a calendar year, from the first decision on. The sums from co2e on are named as those of a footprint (totals.go), so that one list of
-- names serves both: they are what the year came to when it was locked last, and mean nothing where locked_at is NULL.
CREATE TABLE reporting_years (
    org_id            {{.uuid}} NOT NULL REFERENCES organizations (id),
    year              {{.int}} NOT NULL,
    locked            {{.bool}} NOT NULL,
    base              {{.bool}} NOT NULL,
    locked_at         {{.instant}},
    threshold_percent {{.text}} NOT NULL,
    reason            {{.text}} NOT NULL,
    co2e              {{.bigint}} NOT NULL DEFAULT 0,
    biogenic          {{.bigint}} NOT NULL DEFAULT 0,
    activities        {{.int}} NOT NULL DEFAULT 0,
    emissions         {{.int}} NOT NULL DEFAULT 0,
    spend             {{.bigint}} NOT NULL DEFAULT 0,
    has_spend         {{.bool}} NOT NULL DEFAULT FALSE,
    spend_co2e        {{.bigint}} NOT NULL DEFAULT 0,
    low               {{.bigint}} NOT NULL DEFAULT 0,
    high              {{.bigint}} NOT NULL DEFAULT 0,
    has_interval      {{.bool}} NOT NULL DEFAULT FALSE,
    weight            {{.bigint}} NOT NULL DEFAULT 0,
    quality           {{.bigint}} NOT NULL DEFAULT 0,
    PRIMARY KEY (org_id, year)
);
-- An organization has one base year at most.
CREATE UNIQUE INDEX reporting_years_base ON reporting_years (org_id, base) WHERE base;

-- Every decision, as it was made: rows are added and never changed. co2e_mg is what the year came to then.
CREATE TABLE reporting_year_events (
    org_id            {{.uuid}} NOT NULL REFERENCES organizations (id),
    year              {{.int}} NOT NULL,
    id                {{.uuid}} NOT NULL,
    decided_at        {{.instant}} NOT NULL,
    actor             {{.text}} NOT NULL,
    locked            {{.bool}} NOT NULL,
    base              {{.bool}} NOT NULL,
    threshold_percent {{.text}} NOT NULL,
    reason            {{.text}} NOT NULL,
    co2e_mg           {{.bigint}} NOT NULL,
    PRIMARY KEY (org_id, year, id)
);

-- What is said of a category in a year's report. A category of which nothing is said is included.
CREATE TABLE category_statements (
    org_id          {{.uuid}} NOT NULL REFERENCES organizations (id),
    year            {{.int}} NOT NULL,
    category_number {{.int}} NOT NULL,
    included        {{.bool}} NOT NULL,
    reason          {{.text}},
    method_text     {{.text}},
    PRIMARY KEY (org_id, year, category_number)
);
