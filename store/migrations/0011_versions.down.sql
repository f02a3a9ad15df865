{{if .triggers}}
DROP FUNCTION raise_versions() CASCADE; -- with the triggers that call it
{{end}}
DROP TABLE versions;
