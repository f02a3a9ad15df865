package store_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"carbongraph/store/storetest"
)

// A ledger can be spread over machines by organization only if every key and index of its tables begins with it. Both databases are made from the same text.
func TestIndexesOfALedgerLeadWithTheOrganization(t *testing.T) {
	conn, err := pgx.Connect(t.Context(), storetest.PostgresURL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), `SELECT i.indexname, i.indexdef FROM pg_indexes AS i WHERE i.schemaname = 'public' AND EXISTS (
		SELECT 1 FROM information_schema.columns AS c WHERE c.table_name = i.tablename AND c.column_name = 'org_id')`)
	if err != nil {
		t.Fatal(err)
	}
	var name, definition string
	seen := 0
	if _, err := pgx.ForEachRow(rows, []any{&name, &definition}, func() error {
		seen++
		// A key is found by its prefix before its organization is known, and what was raised since a moment whoever's it is.
		if !strings.Contains(definition, "(org_id,") && !strings.Contains(definition, "(org_id)") && name != "api_keys_prefix_key" && name != "versions_xid" {
			t.Errorf("%s does not lead with org_id: %s", name, definition)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if seen < 20 {
		t.Errorf("saw %d indexes; want those of six tables", seen)
	}
}
