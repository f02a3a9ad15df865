package store_test

import (
	"context"
	"strings"
	"testing"

	"carbongraph/internal/exact"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// What sums can tell is read from them, however often it was asked before, alone and in a snapshot; and a line that is written touches its own sums alone.
// The session chooses between plans for the values and plans for any, as it does in production.
func TestSumsAreReadInsteadOfEmissions(t *testing.T) {
	p := planned{storetest.Postgres(t, func(o *store.Options) { o.MaxConns = 1 }), t, map[string]bool{}}
	small, l := storetest.NewLedger(t, p.Store, "Small", 1, nil), storetest.NewLedger(t, p.Store, "Large", 1, nil)
	for tenant, rows := range map[*storetest.Ledger]int{small: 100, l: 20_000} {
		id := tenant.Tenant.ID().String()
		kinds := "category_number, '" + l.Factors[0].ID.String() + "', '" + l.Dataset.ID.String() + "', '" + l.Run.ID.String() + "', occurred_on"
		for i, text := range bulk {
			args := []any{id, rows}
			if err := p.Exec(t.Context(), strings.Replace(text, "category_number, id, id, id, occurred_on", kinds, 1), args[:2-min(i, 1)]...); err != nil {
				t.Fatal(err)
			}
		}
		if err := tenant.Tenant.RepairSums(t.Context(), func(store.WrongSum) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Exec(t.Context(), "VACUUM ANALYZE"); err != nil {
		t.Fatal(err)
	}
	if mode := p.query("SHOW plan_cache_mode"); mode[0] != "auto" {
		t.Fatalf("plan_cache_mode is %s", mode)
	}
	count := p.query("SELECT count(*)::text FROM emission_sums")[0]
	year := &store.EmissionFilter{OccurredFrom: new(exact.NewDate(2024, 1, 1)), OccurredTo: new(exact.NewDate(2024, 12, 31))}
	quarter := &store.EmissionFilter{OccurredFrom: new(exact.NewDate(2024, 4, 1)), OccurredTo: new(exact.NewDate(2024, 6, 30)), Categories: []int32{1, 2}}
	some := []store.ID{l.Suppliers[0].ID, l.Suppliers[1].ID, l.Suppliers[2].ID}
	type dims = []store.FootprintDimension
	for name, tc := range map[string]struct {
		filter *store.EmissionFilter
		by     dims
		most   int // rows and index entries that it may look at
	}{
		"by category":            {nil, dims{store.ByCategory}, 2000},
		"by month of a quarter":  {quarter, dims{store.ByMonth, store.ByMethod}, 2000},
		"by dataset and quarter": {year, dims{store.ByDataset, store.ByQuarter}, 2000},
		"by supplier":            {nil, dims{store.BySupplier}, 2000},
		"by supplier of a year":  {year, dims{store.BySupplier, store.ByCategory}, 12_000},
		"of some suppliers":      {&store.EmissionFilter{SupplierIds: []store.GlobalID{l.Suppliers[0].GlobalID()}}, dims{store.ByYear}, 200},
	} {
		page := func() (*store.Select[store.FootprintRow], error) {
			return l.Tenant.FootprintPage(tc.filter, tc.by, store.FootprintOrder{}, store.Page{First: new(int32(10))})
		}
		for i := range 7 {
			for way, read := range map[string]func() error{
				"alone": func() error {
					q, err := page()
					if err == nil {
						_, err = q.Connections(t.Context())
					}
					return err
				},
				"in a snapshot": func() error {
					q, err := page()
					if err == nil {
						snapshot(t, p.Store, taken(t, q))
					}
					return err
				},
			} {
				if n := p.touched(read); n > tc.most {
					t.Errorf("footprint %s, %s, time %d: %d rows and index entries, of %s sums", name, way, i+1, n, count)
				}
			}
		}
	}
	for i := range 7 {
		if n := p.touched(func() error {
			q, err := l.Tenant.EmissionSums(store.KindSupplier, some, year)
			if err == nil {
				snapshot(t, p.Store, taken(t, q))
			}
			return err
		}); n > 200 {
			t.Errorf("the sums of three suppliers, time %d: %d rows and index entries", i+1, n)
		}
		line := storetest.Calculate(storetest.NewLine("L0001", l.Suppliers[i%3]), l.Factors[1], l.Run, exact.Milligrams(i))
		if n := p.touched(func() error {
			return l.Tenant.Write(t.Context(), func(ctx context.Context, w *store.Writer) error {
				_, err := w.PutLines(ctx, []*store.Line{line})
				return err
			})
		}); n > 500 {
			t.Errorf("a line that is written, time %d: %d rows and index entries", i+1, n)
		}
	}
	if wrong := wrongSums(t, t.Context(), l.Tenant); len(wrong) > 0 {
		t.Errorf("wrong sums: %+v", wrong)
	}
}
