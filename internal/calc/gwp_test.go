package calc_test

import (
	"testing"

	"carbongraph/internal/calc"
	"carbongraph/internal/fault"
)

// fuel has its gases by mass; by AR5 they give 2 + 28 × 0.01 + 265 × 0.001 = 2.545.
func fuel() *calc.Factor {
	f := perUnit("2.545", "US gallon")
	f.Gases = []calc.Gas{{Gas: "Carbon dioxide", Amount: m("2")}, {Gas: "Methane", Amount: m("0.01")}, {Gas: "N2O", Amount: m("0.001")}, {Gas: "HFC-134a", Amount: m("0")}}
	return f
}

func TestValueByGwpSet(t *testing.T) {
	e := engine(t, options())
	with := func(change func(*calc.Factor)) *calc.Factor { f := fuel(); change(f); return f }
	for name, tc := range map[string]struct {
		factor *calc.Factor
		set    string
		want   string // empty where there is none
	}{
		"its own set is the published value": {with(func(f *calc.Factor) { f.Value = ptr("2.55") }), "AR5", "2.55"},
		"no set is its own":                  {fuel(), "", "2.545"},
		"another set is the sum of gases":    {fuel(), "AR6", "2.552"},
		"a set that is unknown":              {fuel(), "AR9", ""},
		"gases that stand as CO2e":           {with(func(f *calc.Factor) { f.Gases[1].CO2eBasis = true }), "AR6", ""},
		"CO2e of nothing does no harm":       {with(func(f *calc.Factor) { f.Gases[3].CO2eBasis = true }), "AR6", "2.552"},
		"a gas without a potential":          {with(func(f *calc.Factor) { f.Gases[1].Gas = "unobtainium" }), "AR6", ""},
		"biogenic CO2 is not CO2":            {with(func(f *calc.Factor) { f.Gases[0].Gas = "CO2 (biogenic)" }), "AR6", ""},
		"a part of the gases":                {with(func(f *calc.Factor) { f.Gases = f.Gases[1:] }), "AR6", ""},
		"CO2e that is taken for mass":        {with(func(f *calc.Factor) { f.Gases[1].Amount = m("0.28") }), "AR6", ""},
		"rounding of the published value":    {with(func(f *calc.Factor) { f.Value = ptr("2.6") }), "AR6", "2.552"},
		"a published value below zero":       {with(func(f *calc.Factor) { f.Value, f.Gases = ptr("-2"), []calc.Gas{{Gas: "CO2", Amount: m("-2")}} }), "AR6", "-2"},
		"no gases":                           {perUnit("1", "kg"), "AR6", ""},
		"no published value but gases":       {with(func(f *calc.Factor) { f.Value = nil }), "AR5", "2.545"},
		"no published value but CO2e of gases, own set": {with(func(f *calc.Factor) {
			f.Value, f.Gases = nil, []calc.Gas{{Gas: "CH4", Amount: m("3"), CO2eBasis: true}}
		}), "AR5", "3"},
		"no published value, CO2e of gases, another set": {with(func(f *calc.Factor) {
			f.Value, f.Gases = nil, []calc.Gas{{Gas: "CH4", Amount: m("3"), CO2eBasis: true}}
		}), "AR6", ""},
		"an own set without potentials": {with(func(f *calc.Factor) { f.GwpSet = "SAR" }), "AR6", ""},
	} {
		t.Run(name, func(t *testing.T) {
			v, ok := e.Value(tc.factor, tc.set)
			if ok != (tc.want != "") || ok && v.Canonical() != tc.want {
				t.Errorf("Value = %s, %t; want %q", v, ok, tc.want)
			}
		})
	}
}

func TestGasNamesOfAllSourcesMeet(t *testing.T) {
	o := calc.Options{}
	for gas, value := range map[string]string{"CH4": "25", "N2O": "298", "HFC134a": "1430", "HFC4310mee": "1640", "SF6": "22800", "NF3": "17200", "CF4": "7390",
		"C2F6": "12200", "C3F8": "8830", "cC4F8": "10300", "C4F10": "8860", "C6F14": "9300"} {
		o.GWP = append(o.GWP, calc.GWP{Set: "AR4", Gas: gas, Value: m(value)})
	}
	e := engine(t, o)
	for gas, want := range map[string]string{"CO2": "1", "Carbon dioxide": "1", "carbon  dioxide": "1", "CH4": "25", "Methane": "25", "methane": "25", "CH4 (fossil)": "25", "Fossil methane": "25",
		"Nitrous oxide": "298", "HFC-134a": "1430", "HFC134a": "1430", "hfc 134A": "1430", "HFC-43-10mee": "1640", "Sulfur hexafluoride": "22800", "Sulphur hexafluoride": "22800",
		"Nitrogen trifluoride": "17200", "Carbon tetrafluoride": "7390", "PFC-14": "7390", "CF4": "7390", "Hexafluoroethane": "12200", "Perfluoropropane": "8830", "Perfluorocyclobutane": "10300",
		"c-C4F8": "10300", "Perfluorobutane": "8860", "Perfluorohexane": "9300"} {
		f := &calc.Factor{Unit: "kg", GwpSet: "AR5", Gases: []calc.Gas{{Gas: gas, Amount: m("1")}}}
		if v, ok := e.Value(f, "AR4"); !ok || v.Canonical() != want {
			t.Errorf("GWP of %q = %s, %t; want %s", gas, v, ok, want)
		}
	}
}

func TestFossilMethaneHasItsOwnPotentialWhereTheSetKnowsIt(t *testing.T) {
	e := engine(t, calc.Options{GWP: []calc.GWP{{Set: "X", Gas: "CH4", Value: m("28")}, {Set: "X", Gas: "CH4 (fossil)", Value: m("30")}}})
	for gas, want := range map[string]string{"Fossil methane": "30", "Methane (non-fossil)": "28", "Methane": "28"} {
		if v, _ := e.Value(&calc.Factor{Gases: []calc.Gas{{Gas: gas, Amount: m("1")}}}, "X"); v.Canonical() != want {
			t.Errorf("%s = %s, want %s", gas, v, want)
		}
	}
}

func TestEmissionsByTheOrganizationsSet(t *testing.T) {
	e := engine(t, options())
	line := calc.Line{Quantity: amount("10", "US gallon"), OccurredOn: day(2024, 1)}
	r, err := emissions(e, line, fuel(), calc.Settings{GwpSet: "AR6"})
	if err != nil {
		t.Fatal(err)
	}
	want := "quantity multiply 1 = 10 US gallon; gwp multiply 1 = 2 kg CO2e per US gallon; gwp multiply 27.9 = 0.279 kg CO2e per US gallon; gwp multiply 273 = 0.273 kg CO2e per US gallon; " +
		"factor multiply 2.552 = 25.52 kg CO2e; round round 0.000001 = 25.52 kg CO2e"
	if got := said(r.Steps); got != want || r.GwpSet != "AR6" || r.CO2e != 25_520_000 {
		t.Errorf("%s, %d mg by %s\nwant %s by AR6", got, r.CO2e, r.GwpSet, want)
	}
	repeat(t, r.Steps)
	for i, want := range []struct{ gas, mass, co2e string }{{"Carbon dioxide", "20", "20"}, {"Methane", "0.1", "2.79"}, {"N2O", "0.01", "2.73"}} {
		if g := r.Gases[i]; g.Gas != want.gas || g.Mass.Canonical() != want.mass || g.CO2e.Canonical() != want.co2e {
			t.Errorf("gas %d = %+v, want %v", i, g, want)
		}
	}
	if len(r.Gases) != 3 {
		t.Errorf("%d gases; want the three that are not zero", len(r.Gases))
	}
	for i, s := range r.Steps {
		if s.FromFactor != (s.Step.Step == "factor") {
			t.Errorf("step %d, %s: from the factor %t", i, s.Step.Step, s.FromFactor)
		}
	}
}

func TestGasesThatStandAsCO2eStayAsTheyAre(t *testing.T) {
	e := engine(t, options())
	f := perUnit("0.3", "km")
	f.Gases = []calc.Gas{{Gas: "CO2", Amount: m("0.28"), CO2eBasis: true}, {Gas: "CH4", Amount: m("0.02"), CO2eBasis: true}}
	r, err := emissions(e, calc.Line{Quantity: amount("1000", "km"), OccurredOn: day(2024, 1)}, f, calc.Settings{GwpSet: "AR6"})
	if err != nil || r.GwpSet != "AR5" || r.CO2e != 300_000_000 || len(r.Gases) != 2 {
		t.Fatalf("%+v, %v; want 300 kg by the dataset's AR5", r, err)
	}
	if g := r.Gases[1]; g.Mass != nil || g.CO2e.Canonical() != "20" {
		t.Errorf("methane %+v; want 20 kg CO2e without a mass", g)
	}
}

func TestGasesAreRoundedToWhatTheLedgerShows(t *testing.T) {
	e := engine(t, options())
	f := perUnit("0.0013", "kg")
	f.Gases = []calc.Gas{{Gas: "HFC-134a", Amount: m("0.00000123456789")}, {Gas: "unobtainium", Amount: m("1")}}
	r, err := emissions(e, calc.Line{Quantity: amount("0.333333", "kg"), OccurredOn: day(2024, 1)}, f, calc.Settings{GwpSet: "AR5"})
	if err != nil || len(r.Gases) != 1 {
		t.Fatalf("%+v, %v; want the gas with a potential alone", r, err)
	}
	if g := r.Gases[0]; g.Mass.String() != "0.000000411522" || g.CO2e.String() != "0.000535" {
		t.Errorf("%s kg, %s kg CO2e; want 0.000000411522 and 0.000535", g.Mass, g.CO2e)
	}
}

func TestAValueFromGasesWhereNoneWasPublished(t *testing.T) {
	e := engine(t, options())
	f := fuel()
	f.Value = nil
	for set, want := range map[string]string{"AR6": "AR6", "AR5": "AR5", "": "AR5", "AR9": "AR5"} {
		r, err := emissions(e, calc.Line{Quantity: amount("1", "US gallon"), OccurredOn: day(2024, 1)}, f, calc.Settings{GwpSet: set})
		if err != nil || r.GwpSet != want {
			t.Errorf("by %q: %+v, %v; want %s", set, r, err, want)
		}
	}
	f.GwpSet = "AR9"
	if _, err := emissions(e, calc.Line{Quantity: amount("1", "US gallon")}, f, calc.Settings{}); fault.CodeOf(err) != fault.NoFactor {
		t.Errorf("no value and no potentials: %v; want NO_FACTOR", err)
	}
}

func TestNewRefusesTablesThatCannotBe(t *testing.T) {
	for name, o := range map[string]calc.Options{
		"a month of 13":          {Rates: []calc.Rate{{Currency: "GBP", Year: 2024, Month: 13, PerUSD: m("1")}}},
		"a rate of zero":         {Rates: []calc.Rate{{Currency: "GBP", Year: 2024, Month: 1, PerUSD: m("0")}}},
		"prices that vanish":     {Inflation: []calc.Inflation{{Country: "GB", Series: "CPI", Year: 2024, Percent: m("-100")}}},
		"a potential below zero": {GWP: []calc.GWP{{Set: "AR5", Gas: "CH4", Value: m("-1")}}},
	} {
		if _, err := calc.New(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
