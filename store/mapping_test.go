package store_test

import (
	"context"
	"strings"
	"testing"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

func TestPutMappings(t *testing.T) {
	storetest.Each(t, "replaces those for the same lines and leaves the others", func(t *testing.T, st *store.Store) {
		acme := storetest.Organization(t, st, "Acme")
		_, factors := storetest.Dataset(t, st, "test", "1")
		put := func(rows ...*store.FactorMapping) error {
			return acme.Write(t.Context(), func(ctx context.Context, w *store.Writer) error { return w.PutMappings(ctx, rows) })
		}
		byCode := &store.FactorMapping{AccountCode: new("6000"), FactorID: &factors[0].ID, CategoryNumber: new(int32(1)), DecidedBy: "RULE"}
		byBoth := &store.FactorMapping{AccountCode: new("6000"), Country: new("GB"), FactorID: &factors[1].ID, DecidedBy: "RULE"}
		byText := &store.FactorMapping{Description: new("6000"), Exclude: true, Reason: new("Tax."), DecidedBy: "RULE"}
		if err := put(byCode, byBoth, byText); err != nil {
			t.Fatal(err)
		}
		again := &store.FactorMapping{AccountCode: new("6000"), FactorID: &factors[2].ID, DecidedBy: "PERSON", Reviewed: true}
		if err := put(again); err != nil {
			t.Fatal(err)
		}
		if again.ID != byCode.ID {
			t.Error("the mapping that replaces another has an id of its own")
		}
		rows, err := acme.Mappings(t.Context())
		if err != nil || len(rows) != 3 {
			t.Fatalf("%d mappings, %v; want 3", len(rows), err)
		}
		for _, m := range rows {
			switch m.ID {
			case byCode.ID:
				if *m.FactorID != factors[2].ID || m.CategoryNumber != nil || m.DecidedBy != "PERSON" || !m.Reviewed {
					t.Errorf("replaced mapping is %+v", m)
				}
			case byText.ID:
				if !m.Exclude || *m.Reason != "Tax." || m.FactorID != nil {
					t.Errorf("other mapping is %+v", m)
				}
			}
		}
		if err := put(byCode, again); fault.CodeOf(err) != fault.BadUserInput {
			t.Errorf("two for the same lines: %v", err)
		}
	})
}

// mapped gives an organization mappings of every sort, and their ids in the order in which they were made.
func mapped(t *testing.T, st *store.Store, tenant *store.Tenant, source string) (ids []store.ID) {
	t.Helper()
	_, factors := storetest.Dataset(t, st, source, "1")
	text := func(s string) *store.FactorMapping {
		return &store.FactorMapping{AccountCode: new("60" + s), Description: &s, FactorID: &factors[0].ID, DecidedBy: store.ByTextMatch}
	}
	var rows []*store.FactorMapping
	for i, s := range []string{"Stationery", "stationery, OFFICE", "Über 100 % Rabatt", "rates_and\\taxes", "Paper", "Taxi"} {
		m := text(s)
		m.Confidence, m.Reviewed = exact.NewDecimal(int64(50+10*i), -2), i%2 == 0
		rows = append(rows, m)
	}
	rows[4].Confidence, rows[5].Description, rows[5].Country = exact.NewDecimal(1, 0), nil, new("GB")
	storetest.Write(t, tenant, func(ctx context.Context, w *store.Writer) error { return w.PutMappings(ctx, rows) })
	for _, m := range rows {
		ids = append(ids, m.ID)
	}
	return ids
}

func TestFactorMappings(t *testing.T) {
	storetest.Each(t, "are filtered and counted", func(t *testing.T, st *store.Store) {
		acme := storetest.Organization(t, st, "Acme")
		ids := mapped(t, st, acme, "test")
		mapped(t, st, storetest.Organization(t, st, "Other"), "other")
		for name, tc := range map[string]struct {
			filter *store.FactorMappingFilter
			want   []int
		}{
			"without a filter":                    {nil, []int{0, 1, 2, 3, 4, 5}},
			"of an empty filter":                  {&store.FactorMappingFilter{Search: new("  ")}, []int{0, 1, 2, 3, 4, 5}},
			"reviewed":                            {&store.FactorMappingFilter{Reviewed: new(true)}, []int{0, 2, 4}},
			"not reviewed":                        {&store.FactorMappingFilter{Reviewed: new(false)}, []int{1, 3, 5}},
			"at most so confident":                {&store.FactorMappingFilter{MaxConfidence: new(exact.MustDecimal("0.60"))}, []int{0, 1}},
			"of any confidence":                   {&store.FactorMappingFilter{MaxConfidence: new(exact.MustDecimal("1"))}, []int{0, 1, 2, 3, 4, 5}},
			"of none":                             {&store.FactorMappingFilter{MaxConfidence: new(exact.MustDecimal("0"))}, nil},
			"with words, in any case":             {&store.FactorMappingFilter{Search: new("office STATION")}, []int{1}},
			"with a code":                         {&store.FactorMappingFilter{Search: new("60t")}, []int{5}},
			"with another letter as it stands":    {&store.FactorMappingFilter{Search: new("Über")}, []int{2}},
			"with signs that mean something else": {&store.FactorMappingFilter{Search: new("100 %")}, []int{2}},
			"with more of those":                  {&store.FactorMappingFilter{Search: new("_and\\")}, []int{3}},
			"of all together":                     {&store.FactorMappingFilter{Search: new("a"), Reviewed: new(true), MaxConfidence: new(exact.MustDecimal("0.5"))}, []int{0}},
		} {
			c, err := acme.FactorMappings(t.Context(), tc.filter, store.Page{})
			n, countErr := acme.CountFactorMappings(t.Context(), tc.filter)
			if err != nil || countErr != nil || n != len(tc.want) || len(c.Nodes) != len(tc.want) {
				t.Errorf("%s: %d rows, counted %d, %v, %v; want %d", name, len(c.Nodes), n, err, countErr, len(tc.want))
				continue
			}
			for i, at := range tc.want {
				if c.Nodes[i].ID != ids[at] {
					t.Errorf("%s: row %d is %+v, want the one made as number %d", name, i, c.Nodes[i], at)
				}
			}
		}
		for name, f := range map[string]store.FactorMappingFilter{
			"a confidence above 1":    {MaxConfidence: new(exact.MustDecimal("1.01"))},
			"a confidence below 0":    {MaxConfidence: new(exact.MustDecimal("-0.1"))},
			"a text of no ledger":     {Search: new("\x00")},
			"a search without an end": {Search: new(strings.Repeat("word ", 100))},
		} {
			_, err := acme.FactorMappings(t.Context(), &f, store.Page{})
			_, countErr := acme.CountFactorMappings(t.Context(), &f)
			if fault.CodeOf(err) != fault.BadUserInput || fault.CodeOf(countErr) != fault.BadUserInput {
				t.Errorf("%s: %v, %v; want BAD_USER_INPUT", name, err, countErr)
			}
		}
	})
	storetest.Each(t, "are walked both ways, each once", func(t *testing.T, st *store.Store) {
		acme := storetest.Organization(t, st, "Acme")
		ids := mapped(t, st, acme, "test")
		l := listing{"mappings", ids, func(ctx context.Context, p store.Page) (shown, error) {
			c, err := acme.FactorMappings(ctx, nil, p)
			return show(c, err, func(m *store.FactorMapping) store.ID { return m.ID })
		}}
		for _, size := range []int32{1, 2, 5, 6, 500} {
			walkStill(t, l, size)
		}
		first, err := acme.FactorMappings(t.Context(), nil, store.Page{First: new(int32(1))})
		if err != nil {
			t.Fatal(err)
		}
		same := &store.FactorMappingFilter{MaxConfidence: new(exact.MustDecimal("0.5"))}
		again := &store.FactorMappingFilter{MaxConfidence: new(exact.MustDecimal("0.500"))}
		of, err := acme.FactorMappings(t.Context(), same, store.Page{First: new(int32(1))})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := acme.FactorMappings(t.Context(), again, store.Page{After: of.PageInfo.EndCursor}); err != nil {
			t.Errorf("the cursor of the same question, written in another way: %v", err)
		}
		if _, err := acme.FactorMappings(t.Context(), same, store.Page{After: first.PageInfo.EndCursor}); fault.CodeOf(err) != fault.InvalidCursor {
			t.Errorf("a cursor of another filter: %v", err)
		}
	})
}
