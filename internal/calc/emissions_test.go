package calc_test

import (
	"strings"
	"testing"

	"carbongraph/internal/calc"
	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

// said writes steps in short: step operator operand → output unit.
func said(steps []step) string {
	var b strings.Builder
	for _, s := range steps {
		b.WriteString(s.Step.Step + " " + s.Operator + " " + s.Operand.Canonical() + " = " + s.Output.Canonical() + " " + s.OutputUnit + "; ")
	}
	return strings.TrimSuffix(b.String(), "; ")
}

func TestEmissionsOfAQuantity(t *testing.T) {
	e := engine(t, options())
	for name, tc := range map[string]struct {
		quantity calc.Amount
		factor   *calc.Factor
		want     exact.Milligrams
		steps    string
	}{
		"in the factor's own unit": {amount("1000", "kWh"), perUnit("0.01853", "kWh"), 18_530_000,
			"quantity multiply 1 = 1000 kWh; factor multiply 0.01853 = 18.53 kg CO2e; round round 0.000001 = 18.53 kg CO2e"},
		"in a larger unit": {amount("2", "MWh"), perUnit("0.5", "kWh"), 1_000_000_000,
			"quantity multiply 1 = 2 MWh; unit multiply 1000 = 2000 kWh; factor multiply 0.5 = 1000 kg CO2e; round round 0.000001 = 1000 kg CO2e"},
		"in a unit whose ratio ends one way only": {amount("16.09344", "km"), perUnit("0.4", "mile"), 4_000_000,
			"quantity multiply 1 = 16.09344 km; unit divide 1.609344 = 10 mile; factor multiply 0.4 = 4 kg CO2e; round round 0.000001 = 4 kg CO2e"},
		"in a unit whose ratio ends neither way": {amount("527527.92631", "kWh"), perUnit("1", "mmBtu"), 1_800_000_000,
			"quantity multiply 1 = 527527.92631 kWh; unit multiply 3.6 = 1899100.534716 MJ; unit divide 1055.05585262 = 1800 mmBtu; factor multiply 1 = 1800 kg CO2e; round round 0.000001 = 1800 kg CO2e"},
		"in the spelling of a data set": {amount("3", "tonnes"), perUnit("0.5", "KG"), 1_500_000_000,
			"quantity multiply 1 = 3 tonne; unit multiply 1000 = 3000 kg; factor multiply 0.5 = 1500 kg CO2e; round round 0.000001 = 1500 kg CO2e"},
		"a credit keeps its sign":             {amount("-10", "kg"), perUnit("0.25", "kg"), -2_500_000, "quantity multiply 1 = -10 kg; factor multiply 0.25 = -2.5 kg CO2e; round round 0.000001 = -2.5 kg CO2e"},
		"half a milligram rounds to even":     {amount("0.5", "kg"), perUnit("0.000001", "kg"), 0, "quantity multiply 1 = 0.5 kg; factor multiply 0.000001 = 0.0000005 kg CO2e; round round 0.000001 = 0 kg CO2e"},
		"one and a half milligrams round up":  {amount("1.5", "kg"), perUnit("0.000001", "kg"), 2, "quantity multiply 1 = 1.5 kg; factor multiply 0.000001 = 0.0000015 kg CO2e; round round 0.000001 = 0.000002 kg CO2e"},
		"nothing emits nothing":               {amount("0", "kg"), perUnit("2", "kg"), 0, "quantity multiply 1 = 0 kg; factor multiply 2 = 0 kg CO2e; round round 0.000001 = 0 kg CO2e"},
		"a factor of zero is a factor":        {amount("7", "km"), perUnit("0", "km"), 0, "quantity multiply 1 = 7 km; factor multiply 0 = 0 kg CO2e; round round 0.000001 = 0 kg CO2e"},
		"a sink has a factor below zero":      {amount("2", "kg"), perUnit("-1.5", "kg"), -3_000_000, "quantity multiply 1 = 2 kg; factor multiply -1.5 = -3 kg CO2e; round round 0.000001 = -3 kg CO2e"},
		"the largest mass that fits":          {amount("9223372036854.775807", "kg"), perUnit("1", "kg"), 1<<63 - 1, "quantity multiply 1 = 9223372036854.775807 kg; factor multiply 1 = 9223372036854.775807 kg CO2e; round round 0.000001 = 9223372036854.775807 kg CO2e"},
		"the smallest mass that fits":         {amount("-9223372036854.775808", "kg"), perUnit("1", "kg"), -1 << 63, "quantity multiply 1 = -9223372036854.775808 kg; factor multiply 1 = -9223372036854.775808 kg CO2e; round round 0.000001 = -9223372036854.775808 kg CO2e"},
		"by gross calorific value to another": {amount("1", "MWh (Gross CV)"), perUnit("0.2", "kWh (Gross CV)"), 200_000_000, "quantity multiply 1 = 1 MWh (Gross CV); unit multiply 1000 = 1000 kWh (Gross CV); factor multiply 0.2 = 200 kg CO2e; round round 0.000001 = 200 kg CO2e"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := emissions(e, calc.Line{Quantity: tc.quantity, OccurredOn: day(2024, 3)}, tc.factor, calc.Settings{GwpSet: "AR6"})
			if err != nil {
				t.Fatal(err)
			}
			if got := said(r.Steps); got != tc.steps {
				t.Errorf("steps\n got %s\nwant %s", got, tc.steps)
			}
			if r.CO2e != tc.want || r.Method != calc.AverageData || r.GwpSet != "AR5" || len(r.Gases) != 0 {
				t.Errorf("%d mg by %s, %s, gases %v; want %d mg by AVERAGE_DATA, AR5, no gases", r.CO2e, r.Method, r.GwpSet, r.Gases, tc.want)
			}
			repeat(t, r.Steps)
		})
	}
}

func TestEmissionsOfMoney(t *testing.T) {
	e := engine(t, options())
	noYear, basic, perPound := perDollar("0.5"), perDollar("1"), perDollar("0.5")
	noYear.PriceYear = 0
	basic.PriceYear = 2024
	perPound.Unit = "GBP"
	for name, tc := range map[string]struct {
		money        calc.Amount
		on           exact.Date
		factor       *calc.Factor
		deflateFirst bool
		steps        string
		says         string // in the source of some step
	}{
		"deflate in its own country, then convert": {amount("1102.1", "GBP"), day(2024, 3), perDollar("0.5"), true,
			"quantity multiply 1 = 1102.1 GBP; deflate divide 1.1021 = 1000 GBP; convert divide 0.8 = 1250 USD; factor multiply 0.5 = 625 kg CO2e; round round 0.000001 = 625 kg CO2e",
			"CPI of GB, index ratio of 2022 to 2024"},
		"convert, then deflate in the factor's country": {amount("856.96", "GBP"), day(2024, 3), perDollar("0.5"), false,
			"quantity multiply 1 = 856.96 GBP; convert divide 0.8 = 1071.2 USD; deflate divide 1.0712 = 1000 USD; factor multiply 0.5 = 500 kg CO2e; round round 0.000001 = 500 kg CO2e",
			"CPI of US, index ratio of 2022 to 2024"},
		"spend before the price year is raised": {amount("100", "USD"), day(2022, 1), basic, true,
			"quantity multiply 1 = 100 USD; deflate multiply 1.0712 = 107.12 USD; factor multiply 1 = 107.12 kg CO2e; round round 0.000001 = 107.12 kg CO2e", "prices of 2022 to 2024"},
		"spend of the price year is only converted": {amount("80", "GBP"), day(2022, 5), perDollar("0.5"), true,
			"quantity multiply 1 = 80 GBP; convert divide 0.8 = 100 USD; factor multiply 0.5 = 50 kg CO2e; round round 0.000001 = 50 kg CO2e", "average of 12 monthly exchange rates of 2022, GBP per USD"},
		"spend in the factor's currency and year needs neither": {amount("80", "USD"), day(2022, 5), perDollar("0.5"), true,
			"quantity multiply 1 = 80 USD; factor multiply 0.5 = 40 kg CO2e; round round 0.000001 = 40 kg CO2e", "per USD of 2022 in purchaser prices"},
		"dollars into the factor's currency are multiplied": {amount("100", "USD"), day(2022, 5), perPound, true,
			"quantity multiply 1 = 100 USD; convert multiply 0.8 = 80 GBP; factor multiply 0.5 = 40 kg CO2e; round round 0.000001 = 40 kg CO2e", ""},
		"the average of the months that are known": {amount("92", "EUR"), day(2022, 5), perDollar("0.5"), true,
			"quantity multiply 1 = 92 EUR; convert divide 0.92 = 100 USD; factor multiply 0.5 = 50 kg CO2e; round round 0.000001 = 50 kg CO2e", "average of 3 monthly exchange rates of 2022"},
		"two currencies cross by way of the dollar": {amount("90", "CHF"), day(2022, 5), perPound, true,
			"quantity multiply 1 = 90 CHF; convert multiply 0.888888888889 = 80.00000000001 GBP; factor multiply 0.5 = 40.000000000005 kg CO2e; round round 0.000001 = 40 kg CO2e", "to 12 digits"},
		"without a price year nothing is deflated": {amount("80", "GBP"), day(2024, 5), noYear, true,
			"quantity multiply 1 = 80 GBP; convert divide 0.8 = 100 USD; factor multiply 0.5 = 50 kg CO2e; round round 0.000001 = 50 kg CO2e", "exchange rate of 2024-05"},
		"the step says that the price year is not stated": {amount("80", "USD"), day(2024, 5), noYear, true,
			"quantity multiply 1 = 80 USD; factor multiply 0.5 = 40 kg CO2e; round round 0.000001 = 40 kg CO2e", "a year that is not stated, so prices are not adjusted"},
		"two years after the series its last year stands in": {amount("1102.1", "GBP"), day(2026, 3), perDollar("0.5"), true,
			"quantity multiply 1 = 1102.1 GBP; deflate divide 1.1021 = 1000 GBP; convert divide 0.8 = 1250 USD; factor multiply 0.5 = 625 kg CO2e; round round 0.000001 = 625 kg CO2e",
			"the series ends in 2024, whose prices stand in"},
		"within two years of the rates the latest month stands in": {amount("8", "GBP"), day(2026, 12), noYear, false,
			"quantity multiply 1 = 8 GBP; convert divide 0.8 = 10 USD; factor multiply 0.5 = 5 kg CO2e; round round 0.000001 = 5 kg CO2e", "the latest known: there is none for 2026-12 yet"},
		"euros follow the prices of the euro area": {amount("96.6", "EUR"), day(2023, 6), perDollar("0.5"), true,
			"quantity multiply 1 = 96.6 EUR; deflate divide 1.05 = 92 EUR; convert divide 0.92 = 100 USD; factor multiply 0.5 = 50 kg CO2e; round round 0.000001 = 50 kg CO2e", "CPI of XC"},
		"a credit note": {amount("-80", "GBP"), day(2022, 5), perDollar("0.5"), true,
			"quantity multiply 1 = -80 GBP; convert divide 0.8 = -100 USD; factor multiply 0.5 = -50 kg CO2e; round round 0.000001 = -50 kg CO2e", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := emissions(e, calc.Line{Money: tc.money, OccurredOn: tc.on}, tc.factor, calc.Settings{GwpSet: "AR5", DeflateFirst: tc.deflateFirst})
			if err != nil {
				t.Fatal(err)
			}
			if got := said(r.Steps); got != tc.steps {
				t.Errorf("steps\n got %s\nwant %s", got, tc.steps)
			}
			var sources strings.Builder
			for _, s := range r.Steps {
				sources.WriteString(s.Source + "\n")
			}
			if !strings.Contains(sources.String(), tc.says) {
				t.Errorf("no source says %q:\n%s", tc.says, sources.String())
			}
			if r.Method != calc.SpendBased {
				t.Errorf("method %s, want SPEND_BASED", r.Method)
			}
			repeat(t, r.Steps)
		})
	}
}

func TestFaultsOfALine(t *testing.T) {
	e := engine(t, options())
	money := func(value, currency string, year int) calc.Line {
		return calc.Line{Money: amount(value, currency), OccurredOn: day(year, 3)}
	}
	quantity := func(value, unit string) calc.Line {
		return calc.Line{Quantity: amount(value, unit), OccurredOn: day(2024, 3)}
	}
	with := func(f *calc.Factor, change func(*calc.Factor)) *calc.Factor { change(f); return f }
	for name, tc := range map[string]struct {
		line         calc.Line
		factor       *calc.Factor
		deflateFirst bool
		code         fault.Code
		says         []string
		path         string
	}{
		"no factor":                             {quantity("1", "kg"), nil, true, fault.NoFactor, nil, ""},
		"a factor that publishes no value":      {quantity("1", "kg"), with(perUnit("1", "kg"), func(f *calc.Factor) { f.Value = nil }), true, fault.NoFactor, []string{"desnz 2025 x", "no value"}, ""},
		"neither quantity nor money":            {calc.Line{OccurredOn: day(2024, 1)}, perUnit("1", "kg"), true, fault.BadUserInput, nil, ""},
		"an unknown unit":                       {quantity("1", "kwhh"), perUnit("1", "kWh"), true, fault.UnknownUnit, []string{`"kwhh"`, `Did you mean "kWh"?`}, "quantity.unit"},
		"an unknown unit of the factor":         {quantity("1", "kWh"), perUnit("1", "wheelbarrow"), true, fault.UnknownUnit, []string{`"wheelbarrow"`, "desnz x"}, ""},
		"a unit that may mean several":          {quantity("1", "ton"), perUnit("1", "kg"), true, fault.UnknownUnit, []string{"tonne, short ton or long ton"}, "quantity.unit"},
		"an empty unit":                         {quantity("1", " "), perUnit("1", "kg"), true, fault.UnknownUnit, []string{"empty"}, "quantity.unit"},
		"a unit of another dimension":           {quantity("1", "km"), perUnit("1", "kWh"), true, fault.UnitMismatch, []string{`km (distance)`, "kWh (energy)"}, "quantity.unit"},
		"net and gross calorific value":         {quantity("1", "kWh (Net CV)"), perUnit("1", "kWh (Gross CV)"), true, fault.UnitMismatch, []string{"net calorific", "gross calorific"}, "quantity.unit"},
		"kilometres of a vehicle":               {quantity("1", "km"), perUnit("1", "vehicle-mile"), true, fault.UnitMismatch, []string{"vehicle distance"}, "quantity.unit"},
		"money as a quantity":                   {quantity("1", "USD"), perUnit("1", "kg"), true, fault.UnitMismatch, []string{`USD (money)`}, "quantity.unit"},
		"money where the factor is physical":    {money("1", "GBP", 2022), perUnit("1", "kg"), true, fault.UnitMismatch, []string{"GBP", "kg (mass)"}, "quantity"},
		"a quantity where the factor is money":  {quantity("1", "kg"), perDollar("1"), true, fault.UnitMismatch, []string{"kg", "USD (money)"}, "money"},
		"a currency without a rate":             {money("1", "ZMW", 2022), perDollar("1"), true, fault.NoExchangeRate, []string{`"ZMW"`}, "money"},
		"a currency without a series":           {money("1", "ZMW", 2024), perDollar("1"), true, fault.NoExchangeRate, []string{"ZMW"}, "money"},
		"text that is no currency":              {money("1", "pounds", 2024), perDollar("1"), true, fault.NoExchangeRate, []string{"pounds"}, "money"},
		"more than two years after the series":  {money("1", "GBP", 2027), perDollar("1"), true, fault.NoExchangeRate, []string{"CPI of GB ends in 2024"}, "money"},
		"before the series":                     {money("1", "GBP", 2020), perDollar("1"), true, fault.NoExchangeRate, []string{"CPI of GB begins in 2022"}, "money"},
		"a gap in the series":                   {money("1", "CHF", 2024), perDollar("1"), true, fault.NoExchangeRate, []string{"CPI of CH has a gap"}, "money"},
		"more than 24 months after the rates":   {money("1", "GBP", 2027), perDollar("1"), false, fault.NoExchangeRate, []string{"2027-03", "ends in 2024-12"}, "money"},
		"a month before the rates":              {money("1", "GBP", 2019), perDollar("1"), false, fault.NoExchangeRate, []string{"2019-03", "begins in 2020-01"}, "money"},
		"a price year before the rates":         {money("1", "GBP", 2021), with(perDollar("1"), func(f *calc.Factor) { f.Unit, f.PriceYear = "CHF", 2010 }), true, fault.NoExchangeRate, nil, "money"},
		"a price year long after the rates":     {money("1", "EUR", 2026), with(perDollar("1"), func(f *calc.Factor) { f.PriceYear = 2026 }), true, fault.NoExchangeRate, []string{"2026", "ends in 2023-06"}, "money"},
		"a mass too large for the ledger":       {quantity("9223372036854.775807", "kg"), perUnit("1.0000000000000000001", "kg"), true, fault.BadUserInput, []string{"more than the ledger can hold"}, ""},
		"a mass beyond any number":              {quantity("9e12", "kt"), perUnit("9e40", "kg"), true, fault.BadUserInput, []string{"more than the ledger can hold"}, ""},
		"biogenic CO2 too large for the ledger": {quantity("1e12", "kg"), with(perUnit("1", "kg"), func(f *calc.Factor) { f.Biogenic = ptr("100") }), true, fault.BadUserInput, []string{"biogenic"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := emissions(e, tc.line, tc.factor, calc.Settings{GwpSet: "AR5", DeflateFirst: tc.deflateFirst})
			if r != nil || fault.CodeOf(err) != tc.code {
				t.Fatalf("result %v, error %v; want %s", r, err, tc.code)
			}
			f := fault.Of(err)
			for _, part := range tc.says {
				if !strings.Contains(f.Message, part) {
					t.Errorf("message %q does not say %q", f.Message, part)
				}
			}
			if path := strings.Join(f.Path, "."); path != tc.path {
				t.Errorf("path %q, want %q", path, tc.path)
			}
		})
	}
}

func TestALineWithBothUsesWhatTheFactorIsPer(t *testing.T) {
	e := engine(t, options())
	both := calc.Line{Quantity: amount("10", "kg"), Money: amount("80", "GBP"), OccurredOn: day(2022, 3)}
	for factor, want := range map[*calc.Factor]string{perDollar("1"): calc.SpendBased, perUnit("1", "kg"): calc.AverageData} {
		r, err := emissions(e, both, factor, calc.Settings{})
		if err != nil || r.Method != want {
			t.Errorf("per %s: %v, %v; want %s", factor.Unit, r, err, want)
		}
	}
	// An unknown unit of the part that is not used does no harm.
	both.Quantity = amount("10", "smidgen")
	if _, err := emissions(e, both, perDollar("1"), calc.Settings{}); err != nil {
		t.Errorf("spend with an unknown unit beside it: %v", err)
	}
}

func TestBiogenicCO2StandsBesideCO2e(t *testing.T) {
	e := engine(t, options())
	f := perUnit("0.5", "kg")
	f.Biogenic = ptr("1.75")
	r, err := emissions(e, calc.Line{Quantity: amount("2", "kg"), OccurredOn: day(2024, 1)}, f, calc.Settings{})
	if err != nil || r.CO2e != 1_000_000 || r.Biogenic != 3_500_000 {
		t.Fatalf("%+v, %v; want 1 kg CO2e and 3.5 kg of biogenic CO2", r, err)
	}
	if last := r.Steps[len(r.Steps)-1]; last.Step.Step != "round" || last.OutputUnit != "kg CO2e" {
		t.Errorf("last step %+v; want the rounding of CO2e", last)
	}
	repeat(t, r.Steps)
}

func TestAFactorOutsideTheScopesGivesBiogenicCO2Alone(t *testing.T) {
	e := engine(t, options())
	f := perUnit("1", "litres")
	f.Value, f.Biogenic = nil, ptr("1.52")
	r, err := emissions(e, calc.Line{Quantity: amount("10", "litre"), OccurredOn: day(2024, 1)}, f, calc.Settings{GwpSet: "AR6"})
	if err != nil || r.CO2e != 0 || r.Biogenic != 15_200_000 || r.GwpSet != "AR5" {
		t.Fatalf("%+v, %v; want no CO2e and 15.2 kg of biogenic CO2", r, err)
	}
	if s := r.Steps[len(r.Steps)-2]; !strings.Contains(s.Source, "nothing of it counts as CO2e") {
		t.Errorf("source %q does not say why CO2e is zero", s.Source)
	}
	repeat(t, r.Steps)
	if v, ok := e.Value(f, "AR5"); ok {
		t.Errorf("Value = %s; want none, since none was published", v)
	}
}
