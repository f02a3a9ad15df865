//go:build !race

package batch_test

import (
	"database/sql"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"carbongraph/internal/batch"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// TestExportsAreFlat writes 250,000 lines to files, and holds none of them in memory for longer than a page of them takes.
func TestExportsAreFlat(t *testing.T) {
	const rows = 250_000
	for database, open := range map[string]func(testing.TB, ...storetest.Option) *store.Store{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		t.Run(database, func(t *testing.T) {
			var where store.Options
			w := newWorld(t, open(t, func(o *store.Options) { where = *o }))
			w.importAll(t, calculate, w.input("L", func(l *store.ActivityInput) { l.SupplierExternalID, l.SupplierName = new("S"), new("Alum") }))
			driver, address, id, numbers := "pgx", where.DatabaseURL, "gen_random_uuid()", "SELECT n FROM generate_series(2, $1::int) AS n"
			if where.DatabaseURL == "" {
				driver, address, id = "sqlite", filepath.Join(where.DataDir, "carbongraph.db"), "lower(printf('%08x-%s-7%s-8%s-%s', n, hex(randomblob(2)), substr(hex(randomblob(2)), 2), substr(hex(randomblob(2)), 2), hex(randomblob(6))))"
				numbers = "WITH RECURSIVE up(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM up WHERE n < $1) SELECT n FROM up"
			}
			db, err := sql.Open(driver, address)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.ExecContext(t.Context(), `INSERT INTO activities (org_id, id, external_id, supplier_id, category_number, description, search_key, occurred_on, money_micros, currency, calculated, content_hash, created_at, updated_at)
				SELECT a.org_id, `+id+`, a.external_id || n.n, a.supplier_id, a.category_number, a.description || n.n, a.search_key, a.occurred_on, a.money_micros + n.n, a.currency, FALSE, a.content_hash, a.created_at, a.updated_at
				FROM activities AS a CROSS JOIN (`+numbers+`) AS n`, rows); err != nil {
				t.Fatal(err)
			}
			for _, format := range formats() {
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				before, most := m.HeapInuse, m.HeapInuse
				b := w.startExport(t, batch.Export{What: store.ExportActivities, Format: format})
				done := make(chan error, 1)
				began := time.Now()
				go func() { done <- w.background().Drain(t.Context()) }()
				for ended := false; !ended; {
					select {
					case err := <-done:
						if ended = true; err != nil {
							t.Fatal(err)
						}
					case <-time.After(20 * time.Millisecond):
						runtime.ReadMemStats(&m)
						most = max(most, m.HeapInuse)
					}
				}
				took := time.Since(began)
				end := w.batch(t, b.ID)
				if end.Status != store.RunSucceeded || end.Processed != rows {
					t.Fatalf("%+v %+v", end, end.Problem)
				}
				t.Logf("%s: %d rows in %s, %.0f a second, %d MB beside the %d MB before; %d parts of a file of %d MB", format, rows, took.Round(time.Millisecond), rows/took.Seconds(),
					(most-before)>>20, before>>20, parts(t, w, b), *end.Size>>20)
				if most-before > 128<<20 {
					t.Errorf("%s takes %d MB", format, (most-before)>>20)
				}
			}
		})
	}
}
