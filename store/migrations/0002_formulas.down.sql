-- What the earlier schema held of an emission cannot be made of its formula here: steps and gases are lost, the figures stay.
ALTER TABLE emissions ADD COLUMN gases {{.text}} NOT NULL DEFAULT '[]';
ALTER TABLE emissions ADD COLUMN provenance {{.text}} NOT NULL DEFAULT '[]';
DROP INDEX emissions_occurred;
ALTER TABLE emissions DROP COLUMN formula_id;
ALTER TABLE emissions DROP COLUMN amount_micros;
ALTER TABLE emissions DROP COLUMN low_mg;
ALTER TABLE emissions DROP COLUMN high_mg;
ALTER TABLE emissions DROP COLUMN quality;
CREATE INDEX emissions_occurred ON emissions (org_id, occurred_on, id{{.include}}
    co2e_mg, biogenic_mg, spend_micros, category_number, supplier_id, country, method, dataset_id, factor_id, account_code, superseded) WHERE NOT superseded;
ALTER TABLE activities ADD COLUMN calc_hash {{.bytes}};
DROP TABLE unpublished_runs;
DROP TABLE formulas;
