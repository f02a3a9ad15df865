package store_test

import (
	"slices"
	"strings"
	"testing"

	"carbongraph/internal/exact"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// A footprint of all emissions that looks at each row takes over a second of 50,000: what it sums and groups by stands in an index, and mostly in sums.
func TestFootprintOnSQLiteReadsSumsOrACoveringIndex(t *testing.T) {
	l := storetest.NewLedger(t, storetest.SQLite(t), "Acme", 30, nil)
	const covering, kept = "SEARCH e USING COVERING INDEX", "SEARCH s USING PRIMARY KEY (org_id=? AND grain=?"
	for name, tc := range map[string]struct {
		filter *store.EmissionFilter
		reads  func(by []store.FootprintDimension) string
	}{
		"all": {nil, func(by []store.FootprintDimension) string {
			if slices.Contains(by, store.ByCountry) || slices.Contains(by, store.ByFactor) || slices.Contains(by, store.ByAccountCode) {
				return covering
			}
			return kept
		}},
		"a year": {&store.EmissionFilter{OccurredFrom: new(exact.NewDate(2025, 1, 1)), OccurredTo: new(exact.NewDate(2025, 12, 31)), Countries: []string{"US"}},
			func([]store.FootprintDimension) string { return covering }},
	} {
		for _, by := range [][]store.FootprintDimension{{}, {store.ByCategory}, {store.BySupplier}, {store.ByCategory, store.BySupplier}, {store.ByMonth}, {store.ByCountry},
			{store.ByMethod, store.ByDataset, store.ByFactor}, {store.ByAccountCode}} {
			plan, err := l.Tenant.FootprintPlan(t.Context(), tc.filter, by...)
			if err != nil {
				t.Fatal(err)
			}
			reads, want := 0, 1
			if tc.reads(by) == kept && len(by) == 1 && by[0] == store.BySupplier {
				want = 2 // each row is a group: once for the whole, once for the page
			}
			for _, step := range plan {
				if !strings.Contains(step, " e ") && !strings.Contains(step, " s ") {
					continue
				}
				if reads++; !strings.HasPrefix(step, tc.reads(by)) {
					t.Errorf("footprint of %s by %v: %s; want %s", name, by, step, tc.reads(by))
				}
			}
			if reads != want {
				t.Errorf("footprint of %s by %v reads %d times, want %d:\n%s", name, by, reads, want, strings.Join(plan, "\n"))
			}
		}
	}
}
