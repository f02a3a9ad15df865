package calc_test

import (
	"strings"
	"testing"

	"carbongraph/internal/calc"
	"carbongraph/internal/fault"
)

func TestAnOrganizationsOwnUnits(t *testing.T) {
	e := engine(t, calc.Options{Units: []calc.UnitDefinition{
		{Symbol: "pallet", Value: m("40"), Of: "carton"}, // defined below
		{Symbol: "carton", Value: m("12.5"), Of: "kg"},
		{Symbol: "ton", Value: m("1000"), Of: "kg"}, // refused everywhere else, since it may mean three things
		{Symbol: "site day", Value: m("24"), Of: "hours"},
	}})
	for _, tc := range []struct{ value, from, to, want string }{
		{"2", "pallet", "kg", "1000"}, {"2", "Pallets", "tonne", "1"}, {"1", "tonne", "carton", "80"}, {"3", "ton", "tonne", "3"}, {"5", "site days", "hour", "120"}, {"1", "carton", "pallet", "0.025"},
	} {
		if got := inUnit(t, e, m(tc.value), tc.from, tc.to); got.Canonical() != tc.want {
			t.Errorf("%s %s = %s %s, want %s", tc.value, tc.from, got, tc.to, tc.want)
		}
	}
	if u, err := e.ParseUnit("pallet"); err != nil || u.Dimension != calc.Mass {
		t.Errorf("pallet is %+v, %v; want a unit of mass", u, err)
	}
	if u, err := e.ParseUnit("kwh"); err != nil || u.Symbol != "kWh" {
		t.Errorf("kwh is %+v, %v; own units take nothing away", u, err)
	}
	if _, err := e.ParseUnit("palet"); fault.CodeOf(err) != fault.UnknownUnit {
		t.Errorf("palet: %v; want UNKNOWN_UNIT", err)
	}
	if _, err := calc.ParseUnit("pallet"); err == nil {
		t.Error("the unit of one engine is known to all")
	}
}

func TestUnitsThatCannotBeDefined(t *testing.T) {
	for name, tc := range map[string]struct {
		units []calc.UnitDefinition
		says  string
	}{
		"of itself":                {[]calc.UnitDefinition{{"crate", m("2"), "crate"}}, "in a circle: crate → crate"},
		"in a circle":              {[]calc.UnitDefinition{{"a box", m("2"), "b box"}, {"b box", m("2"), "c box"}, {"c box", m("2"), "a box"}}, "a box → b box → c box → a box"},
		"of nothing that is known": {[]calc.UnitDefinition{{"crate", m("2"), "wheelbarrow"}}, `"wheelbarrow" is unknown`},
		"of what may mean several": {[]calc.UnitDefinition{{"crate", m("2"), "tons"}}, "tonne, short ton or long ton"},
		"of money":                 {[]calc.UnitDefinition{{"crate", m("2"), "USD"}}, `"USD" is unknown`},
		"as nothing":               {[]calc.UnitDefinition{{"crate", m("0"), "kg"}}, "more than nothing"},
		"as less":                  {[]calc.UnitDefinition{{"crate", m("-1"), "kg"}}, "more than nothing"},
		"twice, of two dimensions": {[]calc.UnitDefinition{{"crate", m("2"), "kg"}, {"Crate", m("3"), "litre"}}, `"crate" is defined twice: as 2 kg, and "Crate" as 3 litre`},
		"what is known everywhere": {[]calc.UnitDefinition{{"KG", m("2"), "g"}}, "known everywhere"},
		"a currency":               {[]calc.UnitDefinition{{"USD", m("2"), "kg"}}, "known everywhere"},
		"without a symbol":         {[]calc.UnitDefinition{{" ", m("2"), "kg"}}, "no symbol"},
		"with a symbol too long":   {[]calc.UnitDefinition{{strings.Repeat("x", 61), m("2"), "kg"}}, "no symbol"},
		"by too many digits":       {[]calc.UnitDefinition{{"crate", m("1.23456789012345678"), "kg"}}, "more than 16 digits in kg"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := calc.New(calc.Options{Units: tc.units}); err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%v; want one that says %q", err, tc.says)
			}
		})
	}
}

func TestTablesThatContradictThemselves(t *testing.T) {
	for name, tc := range map[string]struct {
		options calc.Options
		says    string
	}{
		"two rates of a month":     {calc.Options{Rates: []calc.Rate{{Currency: "GBP", Year: 2024, Month: 2, PerUSD: m("0.8")}, {Currency: "GBP", Year: 2024, Month: 2, PerUSD: m("0.9")}}}, "GBP in 2024-02 is given twice: 0.8 and 0.9"},
		"a rate below zero":        {calc.Options{Rates: []calc.Rate{{Currency: "GBP", Year: 2024, Month: 2, PerUSD: m("-0.8")}}}, "must be positive"},
		"a rate of no currency":    {calc.Options{Rates: []calc.Rate{{Currency: "pounds", Year: 2024, Month: 2, PerUSD: m("1")}}}, "three letters"},
		"two inflations of a year": {calc.Options{Inflation: []calc.Inflation{{Country: "GB", Series: "CPI", Year: 2024, Percent: m("3")}, {Country: "GB", Series: "CPI", Year: 2024, Percent: m("4")}}}, "GB in 2024 by CPI is given twice"},
		"two potentials of a gas":  {calc.Options{GWP: []calc.GWP{{Set: "AR5", Gas: "HFC-134a", Value: m("1300")}, {Set: "AR5", Gas: "HFC134a", Value: m("1430")}}}, "given as 1300 and as 1430"},
		"CO2 that is not 1":        {calc.Options{GWP: []calc.GWP{{Set: "AR5", Gas: "CO2", Value: m("2")}}}, "given as 1 and as 2"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := calc.New(tc.options); err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%v; want one that says %q", err, tc.says)
			}
		})
	}
}
