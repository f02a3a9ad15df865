package store_test

import (
	"slices"
	"strings"
	"testing"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// putFactors stores a dataset with factors of these names; the code of each is C and its place.
func putFactors(t *testing.T, st *store.Store, source, version string, factors ...*store.EmissionFactor) *store.FactorDataset {
	t.Helper()
	d, _, err := st.PutDataset(t.Context(), &store.FactorDataset{Source: source, Version: version, Name: source, Licence: "CC0", Attribution: "nobody",
		GwpSet: store.AR5, Digest: source + version}, factors)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func factor(code, name string) *store.EmissionFactor {
	return &store.EmissionFactor{Code: code, Name: name, Region: "GB", Unit: "kg", Value: new(exact.MustDecimal("1"))}
}

func TestFactorSearch(t *testing.T) {
	storetest.Each(t, "finds words in name and code, the best match first", func(t *testing.T, st *store.Store) {
		putFactors(t, st, "a", "1",
			factor("331110", "Iron and Steel Mills"), factor("331221", "Steel"), factor("4239", "Steel merchants of the realm"),
			factor("X9", "Unsteeled goods"), factor("steel", "Metal, other"), factor("7", "Plastics 100%"), factor("8", "Plastics 100 per cent"))
		best := store.EmissionFactorOrder{Field: store.FactorsByRelevance}
		for search, want := range map[string]string{
			"STEEL":       "Metal, other | Steel | Steel merchants of the realm | Iron and Steel Mills | Unsteeled goods",
			"mills  iron": "Iron and Steel Mills",
			"iron and":    "Iron and Steel Mills",
			"3312":        "Steel",
			"100%":        "Plastics 100%",
			"no such":     "",
		} {
			f := &store.EmissionFactorFilter{Search: &search}
			if got := strings.Join(factorNames(t, st, f, best), " | "); got != want {
				t.Errorf("%q: %q; want %q", search, got, want)
			}
			if got := strings.Join(factorNames(t, st, f, store.EmissionFactorOrder{Field: store.FactorsByRelevance, Direction: store.Asc}), " | "); got != want {
				t.Errorf("%q, ascending: %q; want %q", search, got, want)
			}
			worst := factorNames(t, st, f, store.EmissionFactorOrder{Field: store.FactorsByRelevance, Direction: store.Desc})
			slices.Reverse(worst)
			if got := strings.Join(worst, " | "); got != want {
				t.Errorf("%q, worst first, turned: %q; want %q", search, got, want)
			}
		}
		for _, f := range []*store.EmissionFactorFilter{nil, {}, {Search: new("   ")}} {
			if _, err := st.Factors(t.Context(), f, best, store.Page{}); fault.CodeOf(err) != fault.BadUserInput {
				t.Errorf("relevance without a search: %v; want BAD_USER_INPUT", err)
			}
		}
	})
}

// factorNames reads factors one a page.
func factorNames(t *testing.T, st *store.Store, f *store.EmissionFactorFilter, o store.EmissionFactorOrder) (names []string) {
	t.Helper()
	p := store.Page{First: new(int32(1))}
	for {
		c, err := st.Factors(t.Context(), f, o, p)
		if err != nil {
			t.Fatal(err)
		}
		for _, factor := range c.Nodes {
			names = append(names, factor.Name)
		}
		if !c.PageInfo.HasNextPage {
			if n, err := st.CountFactors(t.Context(), f); err != nil || n != len(names) {
				t.Errorf("count = %d, %v; want %d", n, err, len(names))
			}
			return names
		}
		p.After = c.PageInfo.EndCursor
	}
}

func TestFactorFilters(t *testing.T) {
	storetest.Each(t, "narrow by what they say", func(t *testing.T, st *store.Store) {
		kwh := factor("E", "Electricity")
		kwh.Unit, kwh.Region = "kWh", "FR"
		old := putFactors(t, st, "a", "1", factor("A", "Old A"))
		newer := putFactors(t, st, "a", "2", factor("A", "New A"))
		putFactors(t, st, "b", "1", kwh)
		for name, tc := range map[string]struct {
			filter store.EmissionFactorFilter
			want   string
		}{
			"none":                    {store.EmissionFactorFilter{}, "Electricity, New A, Old A"},
			"datasets":                {store.EmissionFactorFilter{DatasetIds: []store.GlobalID{old.GlobalID(), newer.GlobalID()}}, "New A, Old A"},
			"regions":                 {store.EmissionFactorFilter{Regions: []string{"FR"}}, "Electricity"},
			"units":                   {store.EmissionFactorFilter{Units: []string{"kWh", "t"}}, "Electricity"},
			"codes":                   {store.EmissionFactorFilter{Codes: []string{"A"}}, "New A, Old A"},
			"current datasets":        {store.EmissionFactorFilter{Current: new(true)}, "Electricity, New A"},
			"current false is absent": {store.EmissionFactorFilter{Current: new(false)}, "Electricity, New A, Old A"},
			"current ones of a code":  {store.EmissionFactorFilter{Current: new(true), Codes: []string{"A"}}, "New A"},
		} {
			if got := strings.Join(factorNames(t, st, &tc.filter, store.EmissionFactorOrder{}), ", "); got != tc.want {
				t.Errorf("%s: %q; want %q", name, got, tc.want)
			}
		}
	})
}

func TestSupersededBy(t *testing.T) {
	storetest.Each(t, "finds the same activity, region, unit and price basis in the next dataset alone", func(t *testing.T, st *store.Store) {
		basic, purchaser := factor("P", "Price"), factor("P", "Price")
		basic.PriceBasis, purchaser.PriceBasis = new(store.PriceBasic), new(store.PricePurchaser)
		abroad := factor("A", "A abroad")
		abroad.Region = "FR"
		first := []*store.EmissionFactor{factor("A", "A"), factor("GONE", "Gone"), basic}
		putFactors(t, st, "a", "1", first...)
		second := []*store.EmissionFactor{abroad, factor("A", "A again"), purchaser, func() *store.EmissionFactor { f := *basic; f.ID = store.ID{}; f.Name = "Price 2"; return &f }()}
		putFactors(t, st, "a", "2", second...)
		third := []*store.EmissionFactor{factor("A", "A for good")}
		putFactors(t, st, "a", "3", third...)
		putFactors(t, st, "b", "4", factor("A", "A of others"))
		var ids []store.ID
		for _, f := range slices.Concat(first, second, third) {
			ids = append(ids, f.ID)
		}
		got, err := st.SupersededBy(t.Context(), ids)
		if err != nil {
			t.Fatal(err)
		}
		want := map[store.ID]string{first[0].ID: "A again", first[2].ID: "Price 2", second[1].ID: "A for good"}
		for _, id := range ids {
			name := ""
			if f := got[id]; f != nil {
				name = f.Name
			}
			if name != want[id] {
				t.Errorf("%s is superseded by %q; want %q", id, name, want[id])
			}
		}
		if none, err := st.SupersededBy(t.Context(), nil); err != nil || none == nil || len(none) != 0 {
			t.Errorf("of nothing: %v, %v", none, err)
		}
	})
}

func TestReferenceData(t *testing.T) {
	storetest.Each(t, "comes back as it was put", func(t *testing.T, st *store.Store) {
		full := &store.EmissionFactor{Code: "F", Name: "Full", Region: "US", Unit: "USD", Value: new(exact.MustDecimal("0.1234567890123456789")), ValueAR4: new(exact.MustDecimal("4")),
			ValueAR5: new(exact.MustDecimal("5")), ValueAR6: new(exact.MustDecimal("6e-20")), BiogenicCO2: new(exact.MustDecimal("0.5")), PriceYear: new(int32(2022)),
			PriceBasis: new(store.PriceBasic), LifeCycleBoundary: new("cradle to gate"), Year: new(int32(2024)), ValidFrom: new(exact.NewDate(2024, 1, 1)),
			ValidTo: new(exact.NewDate(2024, 12, 31)), UncertaintyPercent: new(exact.MustDecimal("12.5")), CategoryNumber: new(int32(4)),
			SupplierShare: new(exact.MustDecimal("0.25")), Verified: new(true), ConversionProperty: new("epa:propane"), SupplierName: new("Quill & Co"),
			Gases: []store.FactorGas{{Gas: "methane", Amount: exact.MustDecimal("0.001"), Basis: store.BasisMass}}}
		bare := &store.EmissionFactor{Code: "B", Name: "Bare", Region: "", Unit: "kg"}
		d := putFactors(t, st, "b", "1", full, bare)
		later := putFactors(t, st, "a", "1")
		all, err := st.Datasets(t.Context())
		if err != nil || len(all) != 2 || all[0].ID != later.ID || all[1].ID != d.ID || all[1].FactorCount != 2 || all[1].Licence != "CC0" {
			t.Fatalf("datasets = %+v, %v", all, err)
		}
		some, err := st.DatasetsByID(t.Context(), []store.ID{d.ID, {1}})
		if err != nil || len(some) != 1 || *some[0] != *all[1] {
			t.Errorf("datasets by id = %+v, %v", some, err)
		}
		factors, err := st.DatasetFactors(t.Context(), d.ID)
		if err != nil || len(factors) != 2 || factors[0].Name != "Bare" {
			t.Fatalf("factors of the dataset = %+v, %v", factors, err)
		}
		byCode, err := st.FactorsByCode(t.Context(), d.ID, []string{"F", "X", "a\x00b", "\xff", "F"})
		if err != nil || len(byCode) != 1 || byCode[0].Name != "Full" {
			t.Errorf("factors by code = %+v, %v", byCode, err)
		}
		if none, err := st.FactorsByCode(t.Context(), later.ID, []string{"F", "B"}); err != nil || len(none) > 0 {
			t.Errorf("factors by codes of another dataset = %+v, %v", none, err)
		}
		byID, err := st.FactorsByID(t.Context(), []store.ID{full.ID, full.ID})
		if err != nil || len(byID) != 1 {
			t.Fatalf("factors by id = %+v, %v", byID, err)
		}
		if got := byID[0]; got.Value.Canonical() != "0.1234567890123456789" || got.ValueAR6.Cmp(*full.ValueAR6) != 0 || got.BiogenicCO2.Canonical() != "0.5" ||
			*got.PriceYear != 2022 || *got.PriceBasis != store.PriceBasic || *got.LifeCycleBoundary != "cradle to gate" || *got.Year != 2024 ||
			*got.ValidFrom != *full.ValidFrom || *got.ValidTo != *full.ValidTo || got.UncertaintyPercent.Canonical() != "12.5" || *got.CategoryNumber != 4 ||
			got.SupplierShare.Canonical() != "0.25" || !*got.Verified || *got.ConversionProperty != "epa:propane" || *got.SupplierName != "Quill & Co" ||
			len(got.Gases) != 1 || got.Gases[0].Gas != "methane" || got.Gases[0].Basis != store.BasisMass || got.DatasetID != d.ID {
			t.Errorf("the full factor = %+v", got)
		}
		if got := factors[0]; got.Value != nil || got.ValueAR4 != nil || got.PriceYear != nil || got.PriceBasis != nil || got.ValidFrom != nil || got.CategoryNumber != nil || len(got.Gases) != 0 ||
			got.SupplierShare != nil || got.Verified != nil || got.ConversionProperty != nil || got.SupplierName != nil {
			t.Errorf("the bare factor = %+v", got)
		}
	})
}
