package store_test

import (
	"strings"
	"testing"

	"carbongraph/internal/exact"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// A footprint of all emissions that looks at each row takes over a second of 50,000: what it sums and groups by stands in an index.
func TestFootprintOnSQLiteReadsACoveringIndex(t *testing.T) {
	l := storetest.NewLedger(t, storetest.SQLite(t), "Acme", 30, nil)
	year := &store.EmissionFilter{OccurredFrom: new(exact.NewDate(2025, 1, 1)), OccurredTo: new(exact.NewDate(2025, 12, 31))}
	for _, by := range [][]store.FootprintDimension{{}, {store.ByCategory}, {store.BySupplier}, {store.ByCategory, store.BySupplier}, {store.ByMonth}, {store.ByCountry},
		{store.ByMethod, store.ByDataset, store.ByFactor}, {store.ByAccountCode}} {
		for name, f := range map[string]*store.EmissionFilter{"all": nil, "a year": year} {
			plan, err := l.Tenant.FootprintPlan(t.Context(), f, by...)
			if err != nil {
				t.Fatal(err)
			}
			reads := 0
			for _, step := range plan {
				if !strings.HasPrefix(step, "SEARCH e ") && !strings.HasPrefix(step, "SCAN e ") {
					continue
				}
				if reads++; !strings.Contains(step, "COVERING INDEX") {
					t.Errorf("footprint of %s by %v looks at the rows: %s", name, by, step)
				}
			}
			if reads != 1 {
				t.Errorf("footprint of %s by %v reads emissions %d times, want once:\n%s", name, by, reads, strings.Join(plan, "\n"))
			}
		}
	}
}
