package batch_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"carbongraph/internal/batch"
	"carbongraph/internal/exact"
	"carbongraph/internal/factors"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

const stated = `source,version,gwpSet,code,name,region,unit,value,supplierShare,verified,conversionProperty,validFrom,validTo,uncertaintyPercent
acme-labs,2021,AR5,OWN,Steel of our supplier,GB,kg,2,1,true,,,,
acme-labs,2021,AR5,CLAIM,Steel as they say,GB,kg,2,1,,,,,
acme-labs,2021,AR5,PART,Steel in part,GB,kg,2,0.25,,,,,
acme-labs,2021,AR5,MEAN,Steel,GB,kg,2,0,true,,,,20
acme-labs,2021,AR5,BLANK,Steel of nobody,GB,kg,2,,,,,,
acme-labs,2021,AR5,GAS,Natural gas,GB,mmBtu,50,,,epa:natural-gas,,,
acme-labs,2021,AR5,OLD,Steel until 2021,GB,kg,2,,,,2020-01-01,2021-12-31,
`

// state imports the organization's own factors from a file, and gives their ids by code.
func (w *world) state(t testing.TB) map[string]*store.GlobalID {
	t.Helper()
	file := filepath.Join(t.TempDir(), "own.csv")
	if err := os.WriteFile(file, []byte(stated), 0o600); err != nil {
		t.Fatal(err)
	}
	im, err := factors.ReadDataset(factors.OwnCSV, file)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := im.Put(t.Context(), w.store); err != nil {
		t.Fatal(err)
	}
	out := map[string]*store.GlobalID{}
	for _, f := range im.Factors {
		out[f.Code] = new(f.GlobalID())
	}
	return out
}

// weighed is a line of so much of a unit, by a factor.
func (w *world) weighed(externalID string, factor *store.GlobalID, value, unit string, change ...func(*store.ActivityInput)) store.ActivityInput {
	return w.input(externalID, append([]func(*store.ActivityInput){func(in *store.ActivityInput) {
		in.FactorID, in.Money, in.Country = factor, nil, new("GB")
		in.Quantity = &store.QuantityInput{Value: exact.MustDecimal(value), Unit: unit}
	}}, change...)...)
}

func property(name string) func(*store.ActivityInput) {
	return func(in *store.ActivityInput) { in.ConversionProperty = &name }
}

func uncertain(percent string) func(*store.ActivityInput) {
	return func(in *store.ActivityInput) { in.UncertaintyPercent = new(exact.MustDecimal(percent)) }
}

// interval gives the ends of an emission's interval, to the kilogram.
func interval(e *store.Emission) []exact.Milligrams {
	if e.Low == nil || e.High == nil {
		return nil
	}
	return []exact.Milligrams{(*e.Low + 500_000) / 1_000_000, (*e.High + 500_000) / 1_000_000}
}

func TestWhatAFactorStatesDecidesMethodAndQuality(t *testing.T) {
	storetest.Each(t, "from its file to the emission", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st)
		of := w.state(t)
		for code, want := range map[string]struct {
			method                  store.CalculationMethod
			technology, reliability int32
		}{
			"OWN":   {store.SupplierSpecific, 1, 1},
			"CLAIM": {store.SupplierSpecific, 1, 2},
			"PART":  {store.Hybrid, 2, 3},
			"MEAN":  {store.AverageData, 2, 2},
			"BLANK": {store.AverageData, 2, 3},
		} {
			e := emission(t, w, w.importAll(t, calculate, w.weighed(code, of[code], "100", "kg"))[0].Activity)
			if e.CO2e != 200_000_000 || e.Method != want.method || e.Quality.Technology != want.technology || e.Quality.Reliability != want.reliability {
				t.Errorf("%s: %d mg, %s, quality %+v; want 200 kg and %+v", code, e.CO2e, e.Method, e.Quality, want)
			}
		}
	})
}

func TestALineNamesThePropertyItConvertsBy(t *testing.T) {
	storetest.Each(t, "or its factor does", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st)
		of := w.state(t)
		for name, tc := range map[string]struct {
			in   store.ActivityInput
			co2e exact.Milligrams
			code string // of the problem, where there is one
		}{
			"the factor's":                      {w.weighed("a", of["GAS"], "1000", "scf"), 51_300_000, ""},
			"the line's goes before it":         {w.weighed("b", of["GAS"], "1000", "scf", property("epa:propane-gas")), 125_800_000, ""},
			"the line's alone":                  {w.weighed("c", of["BLANK"], "1", "litre", property("desnz:propane")), 1_030_400, ""},
			"one that is not needed":            {w.weighed("d", of["BLANK"], "1", "tonne", property("desnz:propane")), 2_000_000_000, ""},
			"none":                              {w.weighed("e", of["BLANK"], "1", "litre"), 0, "UNIT_MISMATCH"},
			"one that does not lead that way":   {w.weighed("f", of["GAS"], "1", "scf", property("desnz:propane")), 0, "UNIT_MISMATCH"},
			"one of another dimension entirely": {w.weighed("g", of["BLANK"], "1", "tonne.km", property("desnz:propane")), 0, "UNIT_MISMATCH"},
		} {
			r := w.importAll(t, calculate, tc.in)[0]
			if tc.code != "" {
				if r.Status != store.Created || r.Problem == nil || r.Problem.Code != tc.code {
					t.Errorf("%s: %s, %+v; want it kept with %s", name, r.Status, r.Problem, tc.code)
				}
				continue
			}
			if e := emission(t, w, r.Activity); e.CO2e != tc.co2e {
				t.Errorf("%s: %d mg; want %d", name, e.CO2e, tc.co2e)
			}
		}
	})
}

func TestALinesUncertaintyReachesItsInterval(t *testing.T) {
	storetest.Each(t, "together with its factor's", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st)
		of := w.state(t)
		for name, tc := range map[string]struct {
			in        store.ActivityInput
			low, high exact.Milligrams // to the kilogram
		}{
			"the line's alone":       {w.weighed("a", of["BLANK"], "100", "kg", uncertain("25")), 160, 250},
			"the factor's alone":     {w.weighed("b", of["MEAN"], "100", "kg"), 167, 240},
			"both":                   {w.weighed("c", of["MEAN"], "100", "kg", uncertain("10")), 163, 246},
			"a line that is certain": {w.weighed("d", of["MEAN"], "100", "kg", uncertain("0")), 167, 240},
			"the most there may be":  {w.weighed("e", of["BLANK"], "100", "kg", uncertain("1000")), 18, 2200},
		} {
			e := emission(t, w, w.importAll(t, calculate, tc.in)[0].Activity)
			if !slices.Equal(interval(e), []exact.Milligrams{tc.low, tc.high}) {
				t.Errorf("%s: interval %v; want about %d to %d kg", name, interval(e), tc.low, tc.high)
			}
		}
		if e := emission(t, w, w.importAll(t, calculate, w.weighed("f", of["BLANK"], "100", "kg"))[0].Activity); interval(e) != nil {
			t.Errorf("interval %v where nothing states an uncertainty", interval(e))
		}
		for _, step := range []struct {
			in   store.ActivityInput
			want store.ItemStatus
		}{
			{w.weighed("f", of["BLANK"], "100", "kg"), store.Unchanged},
			{w.weighed("f", of["BLANK"], "100", "kg", uncertain("0")), store.Updated},
			{w.weighed("f", of["BLANK"], "100", "kg", uncertain("0.000001")), store.Updated},
			{w.weighed("f", of["BLANK"], "100", "kg", uncertain("0.000001"), property("epa:propane")), store.Updated},
			{w.weighed("f", of["BLANK"], "100", "kg", uncertain("1e-6"), property("epa:propane")), store.Unchanged},
		} {
			if r := w.importAll(t, calculate, step.in)[0]; r.Status != step.want {
				t.Errorf("stating %v and %v again is %s; want %s", step.in.UncertaintyPercent, step.in.ConversionProperty, r.Status, step.want)
			}
		}
	})
}

func TestAFactorThatDoesNotHoldTheDay(t *testing.T) {
	lines := func(w *world, of map[string]*store.GlobalID) []store.ActivityInput {
		day := func(year int) func(*store.ActivityInput) {
			return func(in *store.ActivityInput) { in.OccurredOn = exact.NewDate(year, 3, 1) }
		}
		return []store.ActivityInput{w.weighed("within", of["OLD"], "100", "kg", day(2021)), w.weighed("after", of["OLD"], "100", "kg", day(2022)),
			w.weighed("before", of["OLD"], "100", "kg", day(2019)), w.weighed("no dates", of["BLANK"], "100", "kg", day(2022))}
	}
	storetest.Each(t, "is rated lower", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st)
		for i, r := range w.importAll(t, calculate, lines(w, w.state(t))...) {
			e := emission(t, w, r.Activity)
			if want := []int32{1, 2, 2, 1}[i]; e.CO2e != 200_000_000 || e.Quality.Time != want {
				t.Errorf("%s: %d mg, time %d; want 200 kg and %d", r.ExternalID, e.CO2e, e.Quality.Time, want)
			}
		}
	})
	storetest.Each(t, "is refused by an organization that is strict", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st)
		o := store.Organization{Name: "Strict", Currency: "GBP", GwpSet: store.AR5, StrictValidity: true}
		if err := st.CreateOrganization(t.Context(), &o); err != nil {
			t.Fatal(err)
		}
		w.tenant = st.Tenant(o.ID)
		for i, r := range w.importAll(t, calculate, lines(w, w.state(t))...) {
			if i == 0 || i == 3 {
				if e := emission(t, w, r.Activity); e.Quality.Time != 1 {
					t.Errorf("%s: time %d; want 1", r.ExternalID, e.Quality.Time)
				}
				continue
			}
			p := r.Problem
			if r.Status != store.Created || p == nil || p.Code != "NO_FACTOR" || !slices.Equal(p.Path, []string{"occurredOn"}) ||
				!strings.Contains(p.Message, "holds from 2020-01-01 to 2021-12-31") || !strings.Contains(p.Message, "lies "+r.ExternalID) {
				t.Errorf("%s: %s, %+v; want it kept with NO_FACTOR and the days that the factor holds for", r.ExternalID, r.Status, p)
			}
		}
	})
}

func TestARecalculationKeepsWhatLinesAndFactorsState(t *testing.T) {
	storetest.Each(t, "and finds nothing changed", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, small)
		of := w.state(t)
		w.importAll(t, calculate, w.weighed("a", of["PART"], "1", "litre", property("desnz:propane"), uncertain("12.5")), w.weighed("b", of["MEAN"], "100", "kg", uncertain("10")),
			w.weighed("c", of["GAS"], "1000", "scf"), w.weighed("d", of["OLD"], "1", "litre"))
		before := w.totals(t, nil)
		b := w.recalculate(t, batch.Recalculation{})
		w.differences(t, *b.RunID, store.ByYear, 0)
		if after := w.totals(t, nil); *after != *before || b.Processed != 4 || b.Failed != 0 {
			t.Errorf("totals %+v, were %+v; batch %+v", after, before, b)
		}
	})
}

func TestAFileStatesPropertyAndUncertainty(t *testing.T) {
	storetest.Each(t, "in columns of its own", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st)
		w.state(t)
		file := strings.Join([]string{"externalId,description,occurredOn,quantity,unit,country,factorSource,factorCode,conversionProperty,uncertaintyPercent",
			"a,Gas,2022-03-01,1,litre,GB,acme-labs,BLANK,desnz:propane,25", "b,Steel,2022-03-01,100,kg,GB,acme-labs,BLANK,,",
			"c,Gas,2022-03-01,1,litre,GB,acme-labs,BLANK,desnz:propain,", "d,Steel,2022-03-01,100,kg,GB,acme-labs,BLANK,,-1", "e,Steel,2022-03-01,100,kg,GB,acme-labs,BLANK,,much"}, "\n")
		var failures strings.Builder
		s, err := w.Files(t.Context(), w.tenant, []batch.File{{Name: "a.csv", Content: strings.NewReader(file), Failures: &failures}}, batch.FileOptions{})
		if err != nil || s.Created != 2 || s.Calculated != 2 || s.Failed != 3 {
			t.Fatalf("%+v, %v; want 2 of 5 in\n%s", s, err, failures.String())
		}
		for _, says := range []string{`write ""desnz:propane"" where`, "uncertaintyPercent is -1;", `""much"" is not a decimal number`} {
			if !strings.Contains(failures.String(), says) {
				t.Errorf("%s is not told:\n%s", says, failures.String())
			}
		}
		page, err := w.tenant.Activities(t.Context(), nil, store.ActivityOrder{}, store.Page{})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range page.Nodes {
			e := emission(t, w, a)
			if a.ExternalID == "a" && (*a.ConversionProperty != "desnz:propane" || *a.UncertaintyPercent != 25_000_000 || e.CO2e != 1_030_400 || e.High == nil) {
				t.Errorf("%+v, %+v", a, e)
			}
			if a.ExternalID == "b" && (a.ConversionProperty != nil || a.UncertaintyPercent != nil || e.High != nil) {
				t.Errorf("what says nothing says %+v, %+v", a, e)
			}
		}
	})
}
