package store_test

import (
	"context"
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

// Batches and runs have no index but that of their ids, in which the newest stand last: a page reads it from there, and sorts nothing.
func TestPagesOfWorkOnSQLiteWalkThePrimaryKey(t *testing.T) {
	acme := storetest.Organization(t, storetest.SQLite(t), "Acme")
	worked(t, acme)
	batches, err := acme.Batches(t.Context(), nil, store.Page{First: new(int32(3))})
	if err != nil {
		t.Fatal(err)
	}
	runs, err := acme.CalculationRuns(t.Context(), store.Page{First: new(int32(3))})
	if err != nil {
		t.Fatal(err)
	}
	type planner interface {
		Plan(ctx context.Context) ([]string, error)
	}
	ended := &store.BatchFilter{Statuses: []store.RunStatus{store.RunSucceeded}}
	for name, page := range map[string]func(end *string) store.Page{
		"the first page":       func(*string) store.Page { return store.Page{First: new(int32(20))} },
		"the last page":        func(*string) store.Page { return store.Page{Last: new(int32(20))} },
		"a page after another": func(end *string) store.Page { return store.Page{First: new(int32(20)), After: end} },
		"a page before one":    func(end *string) store.Page { return store.Page{Last: new(int32(20)), Before: end} },
	} {
		for what, read := range map[string]func() (planner, error){
			"batches": func() (planner, error) { return acme.BatchPage(nil, page(batches.PageInfo.EndCursor), 0) },
			"some batches": func() (planner, error) {
				return acme.BatchPage(ended, store.Page{First: page(nil).First, Last: page(nil).Last}, 0)
			},
			"runs": func() (planner, error) { return acme.CalculationRunPage(page(runs.PageInfo.EndCursor), 0) },
		} {
			q, err := read()
			if err != nil {
				t.Fatal(err)
			}
			plan, err := q.Plan(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			text := strings.Join(plan, "\n")
			if !strings.Contains(text, "org_id=?") || strings.Contains(text, "SCAN b") || strings.Contains(text, "SCAN r") || strings.Contains(text, "TEMP B-TREE") {
				t.Errorf("%s, %s, does not walk the primary key:\n%s", what, name, text)
			}
			if cursor := page(batches.PageInfo.EndCursor); what != "some batches" && (cursor.After != nil) && !strings.Contains(text, "id<?") {
				t.Errorf("%s, %s, does not begin at the cursor:\n%s", what, name, text)
			}
		}
	}
}
