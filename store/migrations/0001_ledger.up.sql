-- One text for both databases. The names in braces are the column types of the dialect (dialect_postgres.go, dialect_sqlite.go).
-- Text is compared by bytes on both. Tenant tables lead every key and index with org_id; docs of the indexes stand beside each.

CREATE TABLE settings (
    name  {{.text}} NOT NULL PRIMARY KEY,
    value {{.bytes}} NOT NULL
);

CREATE TABLE organizations (
    id          {{.uuid}} NOT NULL PRIMARY KEY,
    name        {{.text}} NOT NULL UNIQUE,
    country     {{.text}},
    currency    {{.text}} NOT NULL,
    gwp_set     {{.text}} NOT NULL,
    money_order {{.text}} NOT NULL,
    created_at  {{.instant}} NOT NULL
);

-- Authentication finds a key by its prefix before it knows the organization: the one unique index that does not lead with it.
CREATE TABLE api_keys (
    org_id       {{.uuid}} NOT NULL REFERENCES organizations (id),
    id           {{.uuid}} NOT NULL,
    prefix       {{.text}} NOT NULL UNIQUE,
    secret_hash  {{.bytes}} NOT NULL,
    name         {{.text}} NOT NULL,
    role         {{.text}} NOT NULL,
    created_at   {{.instant}} NOT NULL,
    last_used_at {{.instant}},
    expires_at   {{.instant}},
    PRIMARY KEY (org_id, id)
);

CREATE TABLE categories (
    number    {{.int}} NOT NULL PRIMARY KEY,
    name      {{.text}} NOT NULL,
    direction {{.text}} NOT NULL
);

INSERT INTO categories (number, name, direction) VALUES
    (1, 'Purchased goods and services', 'UPSTREAM'),
    (2, 'Capital goods', 'UPSTREAM'),
    (3, 'Fuel- and energy-related activities', 'UPSTREAM'),
    (4, 'Upstream transportation and distribution', 'UPSTREAM'),
    (5, 'Waste generated in operations', 'UPSTREAM'),
    (6, 'Business travel', 'UPSTREAM'),
    (7, 'Employee commuting', 'UPSTREAM'),
    (8, 'Upstream leased assets', 'UPSTREAM'),
    (9, 'Downstream transportation and distribution', 'DOWNSTREAM'),
    (10, 'Processing of sold products', 'DOWNSTREAM'),
    (11, 'Use of sold products', 'DOWNSTREAM'),
    (12, 'End-of-life treatment of sold products', 'DOWNSTREAM'),
    (13, 'Downstream leased assets', 'DOWNSTREAM'),
    (14, 'Franchises', 'DOWNSTREAM'),
    (15, 'Investments', 'DOWNSTREAM');

-- Reference data, shared by all organizations.
CREATE TABLE factor_datasets (
    id            {{.uuid}} NOT NULL PRIMARY KEY,
    source        {{.text}} NOT NULL,
    version       {{.text}} NOT NULL,
    name          {{.text}} NOT NULL,
    licence       {{.text}} NOT NULL,
    attribution   {{.text}} NOT NULL,
    gwp_set       {{.text}} NOT NULL,
    factor_count  {{.int}} NOT NULL,
    imported_at   {{.instant}} NOT NULL,
    supersedes_id {{.uuid}} REFERENCES factor_datasets (id),
    digest        {{.text}} NOT NULL,
    UNIQUE (source, version)
);

CREATE TABLE emission_factors (
    id                  {{.uuid}} NOT NULL PRIMARY KEY,
    dataset_id          {{.uuid}} NOT NULL REFERENCES factor_datasets (id),
    code                {{.text}} NOT NULL,
    name                {{.text}} NOT NULL,
    name_key            {{.text}} NOT NULL,
    region              {{.text}} NOT NULL,
    unit                {{.text}} NOT NULL,
    value               {{.text}},
    value_ar4           {{.text}},
    value_ar5           {{.text}},
    value_ar6           {{.text}},
    value_key           {{.float}},
    biogenic_co2        {{.text}},
    price_year          {{.int}},
    price_basis         {{.text}},
    life_cycle_boundary {{.text}},
    year                {{.int}},
    valid_from          {{.date}},
    valid_to            {{.date}},
    uncertainty_percent {{.text}},
    category_number     {{.int}},
    gases               {{.text}} NOT NULL
);
-- The factors of a dataset; the factor of the same code, region and unit in a later one.
CREATE INDEX emission_factors_key ON emission_factors (dataset_id, code, region, unit);
-- Orders NAME, CODE and VALUE (nulls last in both directions).
CREATE INDEX emission_factors_name ON emission_factors (name_key, id);
CREATE INDEX emission_factors_code ON emission_factors (code, id);
CREATE INDEX emission_factors_value_asc ON emission_factors ((COALESCE(value_key, 1e308)), id);
CREATE INDEX emission_factors_value_desc ON emission_factors ((COALESCE(value_key, -1e308)), id);

CREATE TABLE suppliers (
    org_id      {{.uuid}} NOT NULL,
    id          {{.uuid}} NOT NULL,
    external_id {{.text}},
    name        {{.text}} NOT NULL,
    name_key    {{.text}} NOT NULL,
    country     {{.text}},
    naics_code  {{.text}},
    duns        {{.text}},
    lei         {{.text}},
    tier        {{.int}},
    co2e_mg     {{.bigint}} NOT NULL DEFAULT 0,
    created_at  {{.instant}} NOT NULL,
    updated_at  {{.instant}} NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, external_id)
);
-- The five orders of suppliers. Countries are upper case: '~' stands after and '' before all of them.
CREATE INDEX suppliers_name ON suppliers (org_id, name_key, id);
CREATE INDEX suppliers_country_asc ON suppliers (org_id, (COALESCE(country, '~')), id);
CREATE INDEX suppliers_country_desc ON suppliers (org_id, (COALESCE(country, '')), id);
CREATE INDEX suppliers_created ON suppliers (org_id, created_at, id);
CREATE INDEX suppliers_updated ON suppliers (org_id, updated_at, id);
CREATE INDEX suppliers_co2e ON suppliers (org_id, co2e_mg, id);

CREATE TABLE calculation_runs (
    org_id      {{.uuid}} NOT NULL REFERENCES organizations (id),
    id          {{.uuid}} NOT NULL,
    status      {{.text}} NOT NULL,
    preview     {{.bool}} NOT NULL,
    reason      {{.text}} NOT NULL,
    gwp_set     {{.text}} NOT NULL,
    started_at  {{.instant}} NOT NULL,
    finished_at {{.instant}},
    PRIMARY KEY (org_id, id)
);

-- match_key is the JSON array [accountCode, description, country], nulls included: what makes a mapping the same.
CREATE TABLE factor_mappings (
    org_id          {{.uuid}} NOT NULL REFERENCES organizations (id),
    id              {{.uuid}} NOT NULL,
    match_key       {{.text}} NOT NULL,
    account_code    {{.text}},
    description     {{.text}},
    country         {{.text}},
    factor_id       {{.uuid}} REFERENCES emission_factors (id),
    category_number {{.int}},
    exclude         {{.bool}} NOT NULL,
    reason          {{.text}},
    decided_by      {{.text}} NOT NULL,
    confidence      {{.text}} NOT NULL,
    reviewed        {{.bool}} NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, match_key)
);

-- No foreign keys on activities and emissions: each would cost a look-up and a lock on a hot row for every line of an import.
-- The writer alone inserts here, and it makes both ends. content_hash and calc_hash tell whether a line says anything new.
CREATE TABLE activities (
    org_id          {{.uuid}} NOT NULL,
    id              {{.uuid}} NOT NULL,
    external_id     {{.text}} NOT NULL,
    supplier_id     {{.uuid}},
    category_number {{.int}} NOT NULL,
    description     {{.text}} NOT NULL,
    account_code    {{.text}},
    search_key      {{.text}} NOT NULL,
    occurred_on     {{.date}} NOT NULL,
    quantity_micros {{.bigint}},
    quantity_unit   {{.text}},
    money_micros    {{.bigint}},
    currency        {{.text}},
    country         {{.text}},
    calculated      {{.bool}} NOT NULL,
    problem_code    {{.text}},
    problem_message {{.text}},
    content_hash    {{.bytes}} NOT NULL,
    calc_hash       {{.bytes}},
    created_at      {{.instant}} NOT NULL,
    updated_at      {{.instant}} NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, external_id)
);
-- The orders of activities; the last is that of a supplier's activities.
CREATE INDEX activities_occurred ON activities (org_id, occurred_on, id);
CREATE INDEX activities_created ON activities (org_id, created_at, id);
CREATE INDEX activities_money_asc ON activities (org_id, (COALESCE(money_micros, 9223372036854775807)), id);
CREATE INDEX activities_money_desc ON activities (org_id, (COALESCE(money_micros, -9223372036854775807)), id);
CREATE INDEX activities_supplier ON activities (org_id, supplier_id, occurred_on, id);

CREATE TABLE emissions (
    org_id          {{.uuid}} NOT NULL,
    id              {{.uuid}} NOT NULL,
    activity_id     {{.uuid}} NOT NULL,
    supplier_id     {{.uuid}},
    category_number {{.int}} NOT NULL,
    factor_id       {{.uuid}} NOT NULL,
    dataset_id      {{.uuid}} NOT NULL,
    run_id          {{.uuid}} NOT NULL,
    occurred_on     {{.date}} NOT NULL,
    country         {{.text}},
    account_code    {{.text}},
    co2e_mg         {{.bigint}} NOT NULL,
    biogenic_mg     {{.bigint}} NOT NULL,
    spend_micros    {{.bigint}},
    method          {{.text}} NOT NULL,
    gwp_set         {{.text}} NOT NULL,
    gases           {{.text}} NOT NULL,
    provenance      {{.text}} NOT NULL,
    calculated_at   {{.instant}} NOT NULL,
    superseded      {{.bool}} NOT NULL,
    PRIMARY KEY (org_id, id)
);
-- OCCURRED_ON, and the footprint of a span of days without a look at the rows themselves. (SQLite looks at the row for a column that the index
-- does not hold, even one that the index's own condition settles: so superseded stands in it too.)
CREATE INDEX emissions_occurred ON emissions (org_id, occurred_on, id{{.include}}
    co2e_mg, biogenic_mg, spend_micros, category_number, supplier_id, country, method, dataset_id, factor_id, account_code, superseded) WHERE NOT superseded;
-- CO2E and CALCULATED_AT.
CREATE INDEX emissions_co2e ON emissions (org_id, co2e_mg, id) WHERE NOT superseded;
CREATE INDEX emissions_calculated ON emissions (org_id, calculated_at, id) WHERE NOT superseded;
-- The same orders below a supplier and below a category.
CREATE INDEX emissions_supplier ON emissions (org_id, supplier_id, occurred_on, id) WHERE NOT superseded;
CREATE INDEX emissions_supplier_co2e ON emissions (org_id, supplier_id, co2e_mg, id) WHERE NOT superseded;
CREATE INDEX emissions_category ON emissions (org_id, category_number, occurred_on, id) WHERE NOT superseded;
CREATE INDEX emissions_category_co2e ON emissions (org_id, category_number, co2e_mg, id) WHERE NOT superseded;
-- An activity's current emission and its history.
CREATE INDEX emissions_activity ON emissions (org_id, activity_id, calculated_at, id);
