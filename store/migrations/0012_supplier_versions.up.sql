-- Suppliers, their lines and the emissions of these are counted by parts of the organization's suppliers too: "Activity/@1f", and "Activity/@*", a change of which nobody
-- told the suppliers. A transaction of ours raises them as it raises types and years, and says so by a setting of its own: of a program that knows nothing of them yet, and
-- may still run beside this one, the parts are raised here.
{{if .triggers}}
DO $make$
BEGIN
    EXECUTE format($function$
CREATE FUNCTION raise_supplier_versions() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = %I, pg_temp AS $body$
DECLARE
    -- Whose rows this transaction has raised already: a look at a setting takes less than an INSERT that finds its row there. Where a savepoint is taken back, so is it.
    told text := 'carbongraph.told_' || lower(TG_ARGV[0]);
    org uuid;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        INSERT INTO versions (org_id, subject, xid, n, mark) SELECT o.id, TG_ARGV[0] || '/@*', pg_current_xact_id(), 1, CAST(random() * 2147483647 AS bigint)
            FROM organizations AS o ON CONFLICT DO NOTHING;
        RETURN NULL;
    END IF;
    FOREACH org IN ARRAY CASE TG_OP WHEN 'INSERT' THEN ARRAY[NEW.org_id] WHEN 'DELETE' THEN ARRAY[OLD.org_id] ELSE ARRAY[OLD.org_id, NEW.org_id] END LOOP
        IF current_setting(told, TRUE) IS DISTINCT FROM CAST(org AS text) THEN
            INSERT INTO versions (org_id, subject, xid, n, mark) VALUES (org, TG_ARGV[0] || '/@*', pg_current_xact_id(), 1, CAST(random() * 2147483647 AS bigint))
                ON CONFLICT DO NOTHING;
            PERFORM set_config(told, CAST(org AS text), TRUE);
        END IF;
    END LOOP;
    RETURN NULL;
END
$body$ $function$, current_schema());
END
$make$;

DO $make$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT * FROM (VALUES
        ('suppliers', 'Supplier', TRUE),
        ('activities', 'Activity', TRUE),
        ('emissions', 'Emission', TRUE),
        ('emission_sums', 'Emission', TRUE),
        ('emission_sums_1', 'Emission', FALSE),
        ('emission_sums_2', 'Emission', FALSE),
        ('emission_sums_3', 'Emission', FALSE),
        ('unpublished_runs', 'Emission', TRUE)
    ) AS v (name, type, rows) LOOP
        IF t.rows THEN
            EXECUTE format('CREATE TRIGGER raise_supplier_versions AFTER INSERT OR UPDATE OR DELETE ON %I FOR EACH ROW ' ||
                'WHEN (current_setting(''carbongraph.raises_suppliers'', TRUE) IS DISTINCT FROM ''own'') EXECUTE FUNCTION raise_supplier_versions(%L)', t.name, t.type);
        END IF;
        EXECUTE format('CREATE TRIGGER raise_supplier_versions_at_once BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION raise_supplier_versions(%L)', t.name, t.type);
    END LOOP;
END
$make$;
{{end}}
