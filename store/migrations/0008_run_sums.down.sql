DROP TABLE run_sums;
