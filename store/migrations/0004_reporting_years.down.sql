DROP TABLE category_statements;
DROP TABLE reporting_year_events;
DROP TABLE reporting_years;
