package store_test

import (
	"fmt"
	"strings"
	"testing"

	"carbongraph/internal/fault"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

func TestCategoryStatements(t *testing.T) {
	storetest.Each(t, "are 15, included unless said otherwise", func(t *testing.T, st *store.Store) {
		l, theirs := storetest.NewLedger(t, st, "Acme", 0, nil), storetest.Organization(t, st, "Rival")
		said := func(tenant *store.Tenant, year int32) (out []string) {
			all, err := tenant.CategoryStatements(t.Context(), year)
			if err != nil || len(all) != 15 {
				t.Fatalf("%d statements, %v", len(all), err)
			}
			for i, s := range all {
				if s.Year != year || s.Category() != store.CategoryByNumber(int32(i+1)) {
					t.Errorf("statement %d is of %d, category %d", i, s.Year, s.CategoryNumber)
				}
				if !s.Included || s.Reason != nil || s.MethodText != nil {
					out = append(out, fmt.Sprintf("%d %t %v %v", s.CategoryNumber, s.Included, orDash(s.Reason), orDash(s.MethodText)))
				}
			}
			return out
		}
		say := func(in store.SetCategoryStatementInput) error {
			s, err := l.Tenant.SetCategoryStatement(t.Context(), in)
			if err == nil && (s.Included != in.Included || s.CategoryNumber != in.Category) {
				t.Errorf("said %+v, stored %+v", in, s)
			}
			return err
		}
		expect(t, "nothing said", said(l.Tenant, 2024), nil)
		for _, in := range []store.SetCategoryStatementInput{
			{Year: 2024, Category: 15, Reason: new(" No investments. ")}, {Year: 2024, Category: 1, Included: true, MethodText: new("Spend."), Reason: new("  ")},
			{Year: 2024, Category: 8, Reason: new("None leased.")}, {Year: 2024, Category: 8, Included: true},
		} {
			if err := say(in); err != nil {
				t.Fatal(err)
			}
		}
		want := []string{"1 true - Spend.", "15 false No investments. -"}
		expect(t, "said", said(l.Tenant, 2024), want)
		expect(t, "said of another year", said(l.Tenant, 2023), nil)
		expect(t, "said by another organization", said(theirs, 2024), nil)

		lock(t, l.Tenant, 2024, true)
		if err := say(store.SetCategoryStatementInput{Year: 2024, Category: 2, Included: true}); fault.CodeOf(err) != fault.PeriodLocked || !strings.Contains(err.Error(), "2024") {
			t.Errorf("of a locked year: %v", err)
		}
		if err := say(store.SetCategoryStatementInput{Year: 2023, Category: 2, Included: true}); err != nil {
			t.Errorf("of another year: %v", err)
		}
		expect(t, "said of the locked year", said(l.Tenant, 2024), want)
	})
	for name, tc := range map[string]struct {
		in   store.SetCategoryStatementInput
		path string
	}{
		"refuse a category that there is not": {store.SetCategoryStatementInput{Year: 2024, Category: 16, Included: true}, "category"},
		"refuse a year that there is not":     {store.SetCategoryStatementInput{Year: 24, Category: 1, Included: true}, "year"},
		"refuse to leave out in silence":      {store.SetCategoryStatementInput{Year: 2024, Category: 1, Reason: new(" ")}, "reason"},
		"refuse too long a text":              {store.SetCategoryStatementInput{Year: 2024, Category: 1, Included: true, MethodText: new(strings.Repeat("a", 4001))}, "methodText"},
		"refuse what no text can hold":        {store.SetCategoryStatementInput{Year: 2024, Category: 1, Reason: new("\xff")}, "reason"},
	} {
		storetest.Each(t, name, func(t *testing.T, st *store.Store) {
			_, err := storetest.Organization(t, st, "Acme").SetCategoryStatement(t.Context(), tc.in)
			if f := fault.Of(err); f.Code != fault.BadUserInput || strings.Join(f.Path, ".") != tc.path {
				t.Errorf("error %v at %v, want %s at %s", err, f.Path, fault.BadUserInput, tc.path)
			}
		})
	}
	storetest.Each(t, "know what each category comes to", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 20, nil) // in January 2025
		totals, err := l.Tenant.CategoryTotals(t.Context(), 2025)
		if err != nil || len(totals) != 15 || totals[2].CO2e != (1+16)*kg || totals[1].ActivityCount != 1 {
			t.Errorf("totals %v, %v", totals, err)
		}
		if totals, err := l.Tenant.CategoryTotals(t.Context(), 2024); err != nil || len(totals) != 0 {
			t.Errorf("totals of a year without lines %v, %v", totals, err)
		}
		if _, err := l.Tenant.CategoryStatements(t.Context(), 0); fault.CodeOf(err) != fault.BadUserInput {
			t.Errorf("statements of no year: %v", err)
		}
	})
}

func orDash(s *string) string {
	if s == nil {
		return "-"
	}
	return *s
}
