-- An emission is a formula and an amount: lines of one kind share the steps of their calculation, which are repeated for the amount when somebody asks.
-- A formula's id is the digest of its text, so equal formulas are one row. Formulas name public factors and rates alone, and belong to nobody.
CREATE TABLE formulas (
    id   {{.uuid}} NOT NULL PRIMARY KEY,
    text {{.text}} NOT NULL
);

-- Runs whose emissions nobody sees yet: those of a recalculation are published all at once.
CREATE TABLE unpublished_runs (
    org_id {{.uuid}} NOT NULL REFERENCES organizations (id),
    run_id {{.uuid}} NOT NULL,
    PRIMARY KEY (org_id, run_id)
);

-- quality has a digit for each pedigree indicator: technology, time, geography, completeness, reliability, 1 best to 5 worst.
-- low_mg and high_mg are the bounds of the 95 % interval, NULL where nothing states an uncertainty.
CREATE TABLE emissions_by_formula (
    org_id          {{.uuid}} NOT NULL,
    id              {{.uuid}} NOT NULL,
    activity_id     {{.uuid}} NOT NULL,
    supplier_id     {{.uuid}},
    factor_id       {{.uuid}} NOT NULL,
    dataset_id      {{.uuid}} NOT NULL,
    run_id          {{.uuid}} NOT NULL,
    formula_id      {{.uuid}} NOT NULL,
    amount_micros   {{.bigint}} NOT NULL,
    co2e_mg         {{.bigint}} NOT NULL,
    biogenic_mg     {{.bigint}} NOT NULL,
    low_mg          {{.bigint}},
    high_mg         {{.bigint}},
    spend_micros    {{.bigint}},
    calculated_at   {{.instant}} NOT NULL,
    occurred_on     {{.date}} NOT NULL,
    category_number {{.int}} NOT NULL,
    quality         {{.int}} NOT NULL,
    superseded      {{.bool}} NOT NULL,
    country         {{.text}},
    account_code    {{.text}},
    method          {{.text}} NOT NULL,
    gwp_set         {{.text}} NOT NULL,
    PRIMARY KEY (org_id, id)
);

-- What was calculated before keeps its steps and gases as they stand: as a formula of its own that begins with 0. Nothing is known of its quality.
INSERT INTO formulas (id, text) SELECT id, '[0,' || provenance || ',' || gases || ']' FROM emissions;
INSERT INTO emissions_by_formula (org_id, id, activity_id, supplier_id, factor_id, dataset_id, run_id, formula_id, amount_micros, co2e_mg, biogenic_mg,
    spend_micros, calculated_at, occurred_on, category_number, quality, superseded, country, account_code, method, gwp_set)
SELECT org_id, id, activity_id, supplier_id, factor_id, dataset_id, run_id, id, 0, co2e_mg, biogenic_mg,
    spend_micros, calculated_at, occurred_on, category_number, 55555, superseded, country, account_code, method, gwp_set FROM emissions;
DROP TABLE emissions;
ALTER TABLE emissions_by_formula RENAME TO emissions;

-- Whether a calculation says anything new is told by the current emission itself.
ALTER TABLE activities DROP COLUMN calc_hash;

-- OCCURRED_ON, and the footprint of a span of days without a look at the rows themselves. (SQLite looks at the row for a column that the index
-- does not hold, even one that the index's own condition settles: so superseded stands in it too.)
CREATE INDEX emissions_occurred ON emissions (org_id, occurred_on, id{{.include}}
    co2e_mg, biogenic_mg, spend_micros, category_number, supplier_id, country, method, dataset_id, factor_id, account_code, run_id, quality, low_mg, high_mg,
    superseded) WHERE NOT superseded;
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
