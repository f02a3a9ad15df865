DROP TABLE run_differences;
DROP TABLE run_lines;
DROP TABLE batches;
ALTER TABLE activities DROP COLUMN factor_id;
ALTER TABLE activities DROP COLUMN given_category;
