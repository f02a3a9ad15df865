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

func TestSupplierFilters(t *testing.T) {
	storetest.Each(t, "narrow by what they say", func(t *testing.T, st *store.Store) {
		tenant := storetest.Organization(t, st, "Acme")
		storetest.PutSuppliers(t, tenant,
			&store.Supplier{ExternalID: new("V-100"), Name: "North Sea Steel", Country: new("GB"), NaicsCode: new("331110"), Tier: new(int32(1))},
			&store.Supplier{ExternalID: new("V-200"), Name: "Steel & Sons 100%", Country: new("DE"), NaicsCode: new("331221"), Tier: new(int32(2))},
			&store.Supplier{ExternalID: new("x_1"), Name: `Back\slash`, NaicsCode: new("3"), Tier: new(int32(2))},
			&store.Supplier{ExternalID: new("x21"), Name: "Ärzte Büro"})
		for name, tc := range map[string]struct {
			filter *store.SupplierFilter
			want   string
		}{
			"no filter":                          {nil, `Back\slash, North Sea Steel, Steel & Sons 100%, Ärzte Büro`},
			"an empty filter":                    {&store.SupplierFilter{Countries: []string{}, Tiers: []int32{}, ExternalIds: []string{}, Search: new(" "), NaicsPrefix: new("")}, `Back\slash, North Sea Steel, Steel & Sons 100%, Ärzte Büro`},
			"a word in any case":                 {&store.SupplierFilter{Search: new("STEEL")}, "North Sea Steel, Steel & Sons 100%"},
			"every word, in any order":           {&store.SupplierFilter{Search: new("steel  sea")}, "North Sea Steel"},
			"letters beyond ASCII":               {&store.SupplierFilter{Search: new("ÄRZTE")}, "Ärzte Büro"},
			"a per cent sign is itself":          {&store.SupplierFilter{Search: new("100%")}, "Steel & Sons 100%"},
			"an underscore is itself":            {&store.SupplierFilter{Search: new("x_1")}, `Back\slash`},
			"a backslash is itself":              {&store.SupplierFilter{Search: new(`k\s`)}, `Back\slash`},
			"a search finds external ids":        {&store.SupplierFilter{Search: new("v-1")}, "North Sea Steel"},
			"words of name and external id":      {&store.SupplierFilter{Search: new("v-2 sons")}, "Steel & Sons 100%"},
			"a quote is itself":                  {&store.SupplierFilter{Search: new("' OR 1=1 --")}, ""},
			"countries":                          {&store.SupplierFilter{Countries: []string{"GB", "DE"}}, "North Sea Steel, Steel & Sons 100%"},
			"the start of a NAICS code":          {&store.SupplierFilter{NaicsPrefix: new("3312")}, "Steel & Sons 100%"},
			"a NAICS prefix has no wildcards":    {&store.SupplierFilter{NaicsPrefix: new("3%")}, ""},
			"tiers":                              {&store.SupplierFilter{Tiers: []int32{2}}, `Back\slash, Steel & Sons 100%`},
			"external ids, exactly":              {&store.SupplierFilter{ExternalIds: []string{"x_1", "v-100", "V-200"}}, `Back\slash, Steel & Sons 100%`},
			"several parts, all of them at once": {&store.SupplierFilter{Search: new("steel"), Countries: []string{"GB"}, Tiers: []int32{1, 2}}, "North Sea Steel"},
		} {
			c, err := tenant.Suppliers(t.Context(), tc.filter, store.SupplierOrder{}, store.Page{})
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			var names []string
			for _, s := range c.Nodes {
				names = append(names, s.Name)
			}
			if got := strings.Join(names, ", "); got != tc.want {
				t.Errorf("%s: %q; want %q", name, got, tc.want)
			}
			if n, err := tenant.CountSuppliers(t.Context(), tc.filter); err != nil || n != len(names) {
				t.Errorf("%s: count %d, %v; want %d", name, n, err, len(names))
			}
		}
	})
}

func TestActivityFilters(t *testing.T) {
	storetest.Each(t, "narrow by what they say", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 30, func(i int, line *store.Line) {
			if i%10 == 0 {
				line.Emission, line.Activity.Problem = nil, &store.Problem{Code: "NO_FACTOR", Message: "none"}
			}
			if i == 7 {
				line.Activity.Description, line.Activity.Country, line.Activity.AccountCode = "Taxi 50% to_town", new("DE"), new("7100")
			}
		})
		for name, tc := range map[string]struct {
			filter store.ActivityFilter
			meets  func(*store.Activity) bool
		}{
			"suppliers":             {store.ActivityFilter{SupplierIds: []store.GlobalID{l.Suppliers[1].GlobalID()}}, func(a *store.Activity) bool { return *a.SupplierID == l.Suppliers[1].ID }},
			"an id of another type": {store.ActivityFilter{SupplierIds: []store.GlobalID{l.Lines[0].Activity.GlobalID()}}, func(*store.Activity) bool { return false }},
			"categories":            {store.ActivityFilter{Categories: []int32{15, 1}}, func(a *store.Activity) bool { return a.CategoryNumber == 1 || a.CategoryNumber == 15 }},
			"from a day on":         {store.ActivityFilter{OccurredFrom: new(exact.NewDate(2025, 1, 20))}, func(a *store.Activity) bool { return a.OccurredOn.Time().Day() >= 20 }},
			"one day, inclusive":    {store.ActivityFilter{OccurredFrom: new(exact.NewDate(2025, 1, 20)), OccurredTo: new(exact.NewDate(2025, 1, 20))}, func(a *store.Activity) bool { return a.OccurredOn.Time().Day() == 20 }},
			"countries":             {store.ActivityFilter{Countries: []string{"DE"}}, func(a *store.Activity) bool { return *a.Country == "DE" }},
			"account codes":         {store.ActivityFilter{AccountCodes: []string{"7100"}}, func(a *store.Activity) bool { return *a.AccountCode == "7100" }},
			"calculated":            {store.ActivityFilter{Calculated: new(true)}, func(a *store.Activity) bool { return a.Problem == nil }},
			"not calculated":        {store.ActivityFilter{Calculated: new(false)}, func(a *store.Activity) bool { return a.Problem != nil }},
			"words of the text":     {store.ActivityFilter{Search: new("TOWN taxi")}, func(a *store.Activity) bool { return a.ExternalID == "L0007" }},
			"the external id":       {store.ActivityFilter{Search: new("l0012")}, func(a *store.Activity) bool { return a.ExternalID == "L0012" }},
			"wildcards of no power": {store.ActivityFilter{Search: new("5_% to%town")}, func(*store.Activity) bool { return false }},
		} {
			c, err := l.Tenant.Activities(t.Context(), &tc.filter, store.ActivityOrder{Direction: store.Asc}, store.Page{})
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			var got, want []string
			for _, a := range c.Nodes {
				got = append(got, a.ExternalID)
			}
			for _, line := range l.Lines {
				if tc.meets(line.Activity) {
					want = append(want, line.Activity.ExternalID)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: %v; want %v", name, got, want)
			}
		}
	})
}

func TestAnEmissionFilterOfRowsThatAreNotThere(t *testing.T) {
	storetest.Each(t, "matches nothing", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 5, nil)
		run, dataset := l.Run.GlobalID(), l.Dataset.GlobalID()
		for name, tc := range map[string]struct {
			filter store.EmissionFilter
			want   int32
		}{
			"the run":               {store.EmissionFilter{RunID: &run}, 5},
			"another run":           {store.EmissionFilter{RunID: new(store.Global(store.KindCalculationRun, store.ID{1}))}, 0},
			"a run of another type": {store.EmissionFilter{RunID: new(store.Global(store.KindSupplier, l.Run.ID))}, 0},
			"the dataset":           {store.EmissionFilter{DatasetIds: []store.GlobalID{dataset}}, 5},
			"a dataset of another":  {store.EmissionFilter{DatasetIds: []store.GlobalID{store.Global(store.KindEmissionFactor, l.Dataset.ID)}}, 0},
			"one of two that is":    {store.EmissionFilter{FactorIds: []store.GlobalID{run, l.Factors[0].GlobalID()}}, 2},
			"a method nobody used":  {store.EmissionFilter{Methods: []store.CalculationMethod{store.SupplierSpecific}}, 0},
		} {
			totals, err := l.Tenant.EmissionTotals(t.Context(), &tc.filter)
			if err != nil || totals.EmissionCount != tc.want {
				t.Errorf("%s: %+v, %v; want %d", name, totals, err, tc.want)
			}
		}
	})
}

func TestAFilterThatCannotBeAsked(t *testing.T) {
	storetest.Each(t, "is refused with where it is wrong", func(t *testing.T, st *store.Store) {
		tenant := storetest.Organization(t, st, "Acme")
		many, long := make([]string, 1001), strings.Repeat("a", 201)
		ids := make([]store.GlobalID, 1001)
		from, to := exact.NewDate(2025, 2, 1), exact.NewDate(2025, 1, 31)
		suppliers := func(f store.SupplierFilter) error {
			return second(tenant.Suppliers(t.Context(), &f, store.SupplierOrder{}, store.Page{}))
		}
		activities := func(f store.ActivityFilter) error {
			return second(tenant.Activities(t.Context(), &f, store.ActivityOrder{}, store.Page{}))
		}
		emissions := func(f store.EmissionFilter) error {
			return second(tenant.Emissions(t.Context(), &f, store.EmissionOrder{}, store.Page{}))
		}
		factors := func(f store.EmissionFactorFilter) error {
			return second(st.Factors(t.Context(), &f, store.EmissionFactorOrder{}, store.Page{}))
		}
		for name, tc := range map[string]struct {
			err  error
			part string
		}{
			"a country in small letters":  {suppliers(store.SupplierFilter{Countries: []string{"gb"}}), "countries"},
			"a country of three letters":  {activities(store.ActivityFilter{Countries: []string{"GBR"}}), "countries"},
			"a country of two bytes":      {emissions(store.EmissionFilter{Countries: []string{"é"}}), "countries"},
			"an empty country":            {emissions(store.EmissionFilter{Countries: []string{""}}), "countries"},
			"category 0":                  {activities(store.ActivityFilter{Categories: []int32{1, 0}}), "categories"},
			"category 16":                 {emissions(store.EmissionFilter{Categories: []int32{16}}), "categories"},
			"days in the wrong order":     {emissions(store.EmissionFilter{OccurredFrom: &from, OccurredTo: &to}), "occurredFrom"},
			"activities of no day at all": {activities(store.ActivityFilter{OccurredFrom: &from, OccurredTo: &to}), "occurredFrom"},
			"1,001 external ids":          {suppliers(store.SupplierFilter{ExternalIds: many}), "externalIds"},
			"1,001 suppliers":             {emissions(store.EmissionFilter{SupplierIds: ids}), "supplierIds"},
			"1,001 suppliers of lines":    {activities(store.ActivityFilter{SupplierIds: ids}), "supplierIds"},
			"1,001 datasets":              {factors(store.EmissionFactorFilter{DatasetIds: ids}), "datasetIds"},
			"1,001 tiers":                 {suppliers(store.SupplierFilter{Tiers: make([]int32, 1001)}), "tiers"},
			"a search of 201 characters":  {suppliers(store.SupplierFilter{Search: &long}), "search"},
			"a search of 17 words":        {factors(store.EmissionFactorFilter{Search: new(strings.Repeat("a ", 17))}), "search"},
			"a zero byte in a search":     {activities(store.ActivityFilter{Search: new("a\x00b")}), "search"},
			"a zero byte in a list":       {suppliers(store.SupplierFilter{ExternalIds: []string{"\x00"}}), "externalIds"},
			"a zero byte in a prefix":     {suppliers(store.SupplierFilter{NaicsPrefix: new("\x00")}), "naicsPrefix"},
			"text that is no UTF-8":       {factors(store.EmissionFactorFilter{Codes: []string{"\xff"}}), "codes"},
		} {
			f := fault.Of(tc.err)
			if tc.err == nil || f.Code != fault.BadUserInput || !slices.Equal(f.Path, []string{"filter", tc.part}) {
				t.Errorf("%s: %v, path %v; want BAD_USER_INPUT at %q", name, tc.err, f.Path, tc.part)
			}
		}
		bad := &store.SupplierFilter{Countries: []string{"?"}}
		wrong, wrongFactors := &store.EmissionFilter{Categories: []int32{99}}, &store.EmissionFactorFilter{Search: &long}
		parents := []store.GlobalID{store.CategoryID(1)}
		_, count := tenant.CountSuppliers(t.Context(), bad)
		_, countLines := tenant.CountActivities(t.Context(), &store.ActivityFilter{Categories: []int32{99}})
		_, countOf := tenant.CountActivitiesOf(t.Context(), parents, &store.ActivityFilter{Categories: []int32{99}})
		_, of := tenant.ActivitiesOf(t.Context(), parents, &store.ActivityFilter{Categories: []int32{99}}, store.ActivityOrder{}, store.Page{})
		_, countFactors := st.CountFactors(t.Context(), wrongFactors)
		_, totals := tenant.EmissionTotals(t.Context(), wrong)
		_, totalsOf := tenant.EmissionTotalsOf(t.Context(), parents, wrong)
		_, emissionsOf := tenant.EmissionsOf(t.Context(), parents, wrong, store.EmissionOrder{}, store.Page{})
		_, footprint := tenant.Footprint(t.Context(), wrong, nil, store.FootprintOrder{}, store.Page{})
		_, groups := tenant.CountFootprint(t.Context(), wrong, nil)
		for i, err := range []error{count, countLines, countOf, of, countFactors, totals, totalsOf, emissionsOf, footprint, groups} {
			if fault.CodeOf(err) != fault.BadUserInput {
				t.Errorf("read %d with a bad filter: %v; want BAD_USER_INPUT", i, err)
			}
		}
	})
}
