ALTER TABLE emission_factors DROP COLUMN supplier_name;
