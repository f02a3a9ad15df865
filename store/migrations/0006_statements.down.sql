ALTER TABLE organizations DROP COLUMN strict_validity;
ALTER TABLE activities DROP COLUMN uncertainty_micros;
ALTER TABLE activities DROP COLUMN conversion_property;
ALTER TABLE emission_factors DROP COLUMN conversion_property;
ALTER TABLE emission_factors DROP COLUMN verified;
ALTER TABLE emission_factors DROP COLUMN supplier_share;
