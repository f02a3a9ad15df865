{{if .triggers}}
DROP FUNCTION raise_supplier_versions() CASCADE;
{{end}}
DELETE FROM versions WHERE subject LIKE '%/@%';
