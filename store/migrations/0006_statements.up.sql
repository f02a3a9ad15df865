-- What a factor and a line state about themselves. Factors of before state nothing: those of public bodies count as verified by their source.
ALTER TABLE emission_factors ADD COLUMN supplier_share {{.text}};
ALTER TABLE emission_factors ADD COLUMN verified {{.bool}};
ALTER TABLE emission_factors ADD COLUMN conversion_property {{.text}};
ALTER TABLE activities ADD COLUMN conversion_property {{.text}};
ALTER TABLE activities ADD COLUMN uncertainty_micros {{.bigint}};
-- Whether a factor is refused for a day that it does not hold for.
ALTER TABLE organizations ADD COLUMN strict_validity {{.bool}} NOT NULL DEFAULT FALSE;
