package broker_test

import (
	"slices"
	"testing"
	"time"

	"carbongraph/internal/broker"
	"carbongraph/internal/exact"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// A factor that a supplier gave for its product goes before everybody's for that supplier's lines, and is no factor for anybody else's.
func TestFactorsOfTheSupplier(t *testing.T) {
	storetest.Each(t, "suppliers", func(t *testing.T, st *store.Store) {
		rows := stock(t, st, "acme-labs", "1")
		own := func(key, code, name, unit, supplier string) *store.EmissionFactor {
			f := &store.EmissionFactor{Code: code, Name: name, Region: "GB", Unit: unit, Value: new(exact.MustDecimal("0.3")), SupplierName: &supplier}
			rows[key] = f
			return f
		}
		old := own("last year's", "Q-3", "Ink, blue", "litre", "Quill & Co")
		old.ValidFrom, old.ValidTo = new(exact.NewDate(2024, time.January, 1)), new(exact.NewDate(2024, time.December, 31))
		given := []*store.EmissionFactor{own("quill paper", "Q-1", "Paper", "tonne", "Quill & Co"), own("quill card", "Q-2", "Card", "tonne", "Quill & Co"),
			own("ream paper", "R-1", "Recycled paper", "tonne", "Ream Ltd"), old}
		d := &store.FactorDataset{Source: "suppliers-of-acme", Version: "1", Name: "Suppliers", Licence: "ours", Attribution: "them", GwpSet: store.AR5, Digest: "suppliers"}
		if _, _, err := st.PutDataset(t.Context(), d, given); err != nil {
			t.Fatal(err)
		}
		index := broker.NewIndex(st)
		b := open(t, broker.Options{Edition: index.Edition, Sources: []broker.Guarded{{Source: broker.NewDatasets(index), Policy: broker.Local()},
			{Source: broker.NewSuppliers(index), Policy: broker.Local()}}})
		for name, tc := range map[string]struct {
			q    broker.Question
			want []string
			tier broker.Tier
			sure string
		}{
			"of the product, before others of the supplier and before everybody's": {broker.Question{Description: "paper", SupplierName: "quill &  co", Country: "GB", Unit: "kg"},
				[]string{"quill paper", "quill card"}, broker.SupplierSpecific, "0.95"},
			"by the product's code": {broker.Question{Code: "q-2", SupplierName: "Quill & Co", Unit: "tonne"}, []string{"quill card", "quill paper"}, broker.SupplierSpecific, "0.95"},
			"one of several":        {broker.Question{Description: "Stationery", SupplierName: "Quill & Co", Unit: "tonne"}, []string{"quill paper", "quill card"}, broker.SupplierSpecific, "0.6"},
			"the only one":          {broker.Question{Description: "Stationery", SupplierName: "Ream Ltd", Unit: "tonne"}, []string{"ream paper"}, broker.SupplierSpecific, "0.9"},
			"of another year":       {broker.Question{Description: "Blue", SupplierName: "Quill & Co", Unit: "litre", On: exact.NewDate(2025, time.May, 1)}, []string{"last year's"}, broker.Proxy, "0.9"},
			"of another supplier":   {broker.Question{Description: "Recycled paper", SupplierName: "Quire plc", Country: "GB", Unit: "tonne"}, nil, 0, ""},
			"of no supplier":        {broker.Question{Description: "Recycled paper", Country: "GB", Unit: "tonne"}, nil, 0, ""},
			"in another unit":       {broker.Question{Description: "Recycled paper", SupplierName: "Ream Ltd", Unit: "kWh"}, nil, 0, ""},
		} {
			t.Run(name, func(t *testing.T) {
				o := ask(t, b, tc.q)
				var want []store.ID
				for _, key := range tc.want {
					want = append(want, rows[key].ID)
				}
				got := factorIDs(o)
				if len(got) < len(want) || !slices.Equal(got[:len(want)], want) || len(want) == 0 && len(got) > 0 { // what everybody has comes after, where it was waited for
					t.Fatalf("answers = %+v; want %v", o.Answers, tc.want)
				}
				if tc.sure != "" && (o.Answers[0].Tier != tc.tier || o.Answers[0].Confidence.Canonical() != tc.sure || o.Answers[0].Source != "supplier") {
					t.Errorf("the first is %+v", o.Answers[0])
				}
			})
		}
	})
}

// A source outside may name any stored factor, but not one supplier's for another's line.
func TestAnotherSuppliersFactorIsNone(t *testing.T) {
	st := storetest.SQLite(t)
	f := &store.EmissionFactor{Code: "Q-1", Name: "Paper", Region: "GB", Unit: "tonne", Value: new(exact.MustDecimal("0.3")), SupplierName: new("Quill & Co")}
	d := &store.FactorDataset{Source: "suppliers", Version: "1", Name: "Suppliers", Licence: "ours", Attribution: "them", GwpSet: store.AR5, Digest: "suppliers"}
	if _, _, err := st.PutDataset(t.Context(), d, []*store.EmissionFactor{f}); err != nil {
		t.Fatal(err)
	}
	s := serve(t, writes(`{"answers":[[{"source":"suppliers","version":"1","code":"Q-1","region":"GB","unit":"tonne","confidence":1}]]}`))
	b := of(t, quick(), broker.NewHTTP(broker.HTTPOptions{URL: s.URL, Index: broker.NewIndex(st)}))
	for supplier, want := range map[string]int{"Quill & co": 1, "Ream Ltd": 0, "": 0} {
		if o := ask(t, b, broker.Question{Description: "Paper", SupplierName: supplier, Country: "GB", Unit: "kg"}); len(o.Answers) != want {
			t.Errorf("of %q: %+v; want %d answers", supplier, o, want)
		}
	}
}
