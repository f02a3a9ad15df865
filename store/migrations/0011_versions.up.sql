-- How often what answers are made of was changed, by organization and subject: a type of the graph, "Activity"; a calendar year of one, "Activity/2023"; or "Activity/*",
-- a change of which nobody told the years. A subject's version is the sum of n over its rows. Rows of the zero UUID are of what is everybody's, so there is no foreign key.
-- On Postgres each transaction adds rows of its own, so that writers do not wait for each other, and a server makes one of many now and then; SQLite, which has one
-- writer, counts up one row, and xid orders the commits.
CREATE TABLE versions (
    org_id  {{.uuid}} NOT NULL,
    subject {{.text}} NOT NULL,
    xid     {{.xid}} NOT NULL,
    n       {{.bigint}} NOT NULL,
    mark    {{.bigint}} NOT NULL, -- by chance: a database that is restored from a backup counts to the same numbers again, and other rows stand behind them
    PRIMARY KEY ({{.raisedBy}})
){{.churned}};
-- What was raised since a moment, whoever's it is.
CREATE INDEX versions_xid ON versions (xid);
{{if .triggers}}
-- What others write, psql or an ETL job, raises versions as well. A transaction of ours says by a setting that it does so by itself. Others need no right on the table, so
-- the function has its owner's, and looks nowhere but in this schema.
DO $make$
BEGIN
    EXECUTE format($function$
CREATE FUNCTION raise_versions() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = %I, pg_temp AS $body$
DECLARE
    -- The type; whose rows they are: own, itself (an organization) or everybody; which part of the type: year, * or none.
    type text := TG_ARGV[0];
    whose text := TG_ARGV[1];
    part text := TG_ARGV[2];
    org uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        INSERT INTO versions (org_id, subject, xid, n, mark) SELECT o.id, s.subject, pg_current_xact_id(), 1, CAST(random() * 2147483647 AS bigint)
            FROM (SELECT org AS id WHERE whose = 'everybody' UNION ALL SELECT organizations.id FROM organizations WHERE whose <> 'everybody') AS o
            CROSS JOIN (SELECT type AS subject UNION ALL SELECT type || '/*' WHERE part <> '') AS s
            ON CONFLICT DO NOTHING;
        RETURN NULL;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        IF whose = 'own' THEN org := OLD.org_id; ELSIF whose = 'itself' THEN org := OLD.id; END IF;
        INSERT INTO versions (org_id, subject, xid, n, mark) VALUES (org, type, pg_current_xact_id(), 1, CAST(random() * 2147483647 AS bigint)) ON CONFLICT DO NOTHING;
        IF TG_ARGV[2] = 'year' THEN part := CAST(EXTRACT(year FROM OLD.occurred_on) AS text); END IF;
        IF part <> '' THEN
            INSERT INTO versions (org_id, subject, xid, n, mark) VALUES (org, type || '/' || part, pg_current_xact_id(), 1, CAST(random() * 2147483647 AS bigint)) ON CONFLICT DO NOTHING;
        END IF;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        IF whose = 'own' THEN org := NEW.org_id; ELSIF whose = 'itself' THEN org := NEW.id; END IF;
        INSERT INTO versions (org_id, subject, xid, n, mark) VALUES (org, type, pg_current_xact_id(), 1, CAST(random() * 2147483647 AS bigint)) ON CONFLICT DO NOTHING;
        IF TG_ARGV[2] = 'year' THEN part := CAST(EXTRACT(year FROM NEW.occurred_on) AS text); END IF;
        IF part <> '' THEN
            INSERT INTO versions (org_id, subject, xid, n, mark) VALUES (org, type || '/' || part, pg_current_xact_id(), 1, CAST(random() * 2147483647 AS bigint)) ON CONFLICT DO NOTHING;
        END IF;
    END IF;
    RETURN NULL;
END
$body$ $function$, current_schema());
END
$make$;

-- A table that is divided is truncated by its parts as well.
DO $make$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT * FROM (VALUES
        ('organizations', 'Organization', 'itself', '', TRUE),
        ('suppliers', 'Supplier', 'own', '', TRUE),
        ('activities', 'Activity', 'own', 'year', TRUE),
        ('emissions', 'Emission', 'own', 'year', TRUE),
        ('emission_sums', 'Emission', 'own', '*', TRUE),
        ('emission_sums_1', 'Emission', 'own', '*', FALSE),
        ('emission_sums_2', 'Emission', 'own', '*', FALSE),
        ('emission_sums_3', 'Emission', 'own', '*', FALSE),
        ('unpublished_runs', 'Emission', 'own', '*', TRUE),
        ('calculation_runs', 'CalculationRun', 'own', '', TRUE),
        ('run_differences', 'RunDifference', 'own', '', TRUE),
        ('factor_mappings', 'FactorMapping', 'own', '', TRUE),
        ('reporting_years', 'ReportingYear', 'own', '', TRUE),
        ('reporting_year_events', 'ReportingYear', 'own', '', TRUE),
        ('category_statements', 'CategoryStatement', 'own', '', TRUE),
        ('categories', 'Category', 'everybody', '', TRUE),
        ('factor_datasets', 'FactorDataset', 'everybody', '', TRUE),
        ('emission_factors', 'EmissionFactor', 'everybody', '', TRUE)
    ) AS v (name, type, whose, part, rows) LOOP
        IF t.rows THEN
            EXECUTE format('CREATE TRIGGER raise_versions AFTER INSERT OR UPDATE OR DELETE ON %I FOR EACH ROW ' ||
                'WHEN (current_setting(''carbongraph.raises'', TRUE) IS DISTINCT FROM ''own'') EXECUTE FUNCTION raise_versions(%L, %L, %L)', t.name, t.type, t.whose, t.part);
        END IF;
        EXECUTE format('CREATE TRIGGER raise_versions_at_once BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION raise_versions(%L, %L, %L)', t.name, t.type, t.whose, t.part);
    END LOOP;
END
$make$;
{{end}}
