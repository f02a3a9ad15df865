-- The supplier whose own product a factor is of; NULL where it is of anybody's.
ALTER TABLE emission_factors ADD COLUMN supplier_name {{.text}};
