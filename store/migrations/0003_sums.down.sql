DROP TABLE emission_sums;
