package calc_test

import (
	"regexp"
	"strings"
	"testing"

	"carbongraph/internal/calc"
	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

func TestAcrossDimensionsByANamedProperty(t *testing.T) {
	e := engine(t, calc.Options{Properties: []calc.Property{{Name: "our milk", From: "litre", To: "kg", Value: m("1.03"), Source: "dairy's laboratory"},
		{Name: "our pallets", From: "piece", To: "kg", Value: m("25"), Source: "weighed"}}})
	for name, tc := range map[string]struct {
		quantity calc.Amount
		factor   *calc.Factor
		property string
		steps    string
		source   string
	}{
		"a density": {amount("2", "m3"), perUnit("0.5", "tonne"), "our milk",
			"quantity multiply 1 = 2 m3; unit multiply 1000 = 2000 litre; density multiply 1.03 = 2060 kg; unit multiply 0.001 = 2.06 tonne; factor multiply 0.5 = 1.03 kg CO2e; round round 0.000001 = 1.03 kg CO2e", "dairy's laboratory: 1.03 kg per litre (our milk)"},
		"a density the other way": {amount("10.3", "kg"), perUnit("2", "litre"), "our milk",
			"quantity multiply 1 = 10.3 kg; density divide 1.03 = 10 litre; factor multiply 2 = 20 kg CO2e; round round 0.000001 = 20 kg CO2e", "our milk"},
		"a heat content of the EPA": {amount("3", "short tons"), perUnit("100", "mmBtu"), "epa:anthracite",
			"quantity multiply 1 = 3 short ton; heat content multiply 25.09 = 75.27 mmBtu; factor multiply 100 = 7527 kg CO2e; round round 0.000001 = 7527 kg CO2e", "EPA GHG Emission Factors Hub 2024"},
		"by gross calorific value": {amount("1000", "scf"), perUnit("1", "mmBtu (Gross CV)"), "epa:natural-gas",
			"quantity multiply 1 = 1000 scf; heat content multiply 0.001026 = 1.026 mmBtu (Gross CV); factor multiply 1 = 1.026 kg CO2e; round round 0.000001 = 1.026 kg CO2e", "HHV"},
		"a heat content of the UK": {amount("100", "m3"), perUnit("0.2", "kWh (Gross CV)"), "desnz:natural-gas", // 0.3366 ÷ 0.03021
			"quantity multiply 1 = 100 m3; heat content multiply 11.14 = 1114 kWh (Gross CV); factor multiply 0.2 = 222.8 kg CO2e; round round 0.000001 = 222.8 kg CO2e", "UK DESNZ conversion factors 2025"},
		"net to gross": {amount("1000", "kWh (Net CV)"), perUnit("1", "kWh (Gross CV)"), "desnz:natural-gas", // 0.03347 ÷ 0.03021
			"quantity multiply 1 = 1000 kWh (Net CV); heat content multiply 1.108 = 1108 kWh (Gross CV); factor multiply 1 = 1108 kg CO2e; round round 0.000001 = 1108 kg CO2e", ""},
		"neither density nor heat": {amount("4", "pieces"), perUnit("1", "kg"), "our pallets",
			"quantity multiply 1 = 4 piece; property multiply 25 = 100 kg; factor multiply 1 = 100 kg CO2e; round round 0.000001 = 100 kg CO2e", "weighed"},
		"none is needed": {amount("2", "t"), perUnit("1", "kg"), "our milk",
			"quantity multiply 1 = 2 tonne; unit multiply 1000 = 2000 kg; factor multiply 1 = 2000 kg CO2e; round round 0.000001 = 2000 kg CO2e", ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, by := range []string{"line", "factor"} {
				line, f := calc.Line{Quantity: tc.quantity, OccurredOn: day(2024, 1)}, *tc.factor
				if by == "line" {
					line.Property = tc.property
				} else {
					f.Property = tc.property
				}
				r, err := emissions(e, line, &f, calc.Settings{})
				if err != nil {
					t.Fatal(err)
				}
				if got := said(r.Steps); got != tc.steps {
					t.Errorf("named by the %s\n got %s\nwant %s", by, got, tc.steps)
				}
				repeat(t, r.Steps)
				var sources []string
				for _, s := range r.Steps {
					sources = append(sources, s.Source)
				}
				if !strings.Contains(strings.Join(sources, "\n"), tc.source) {
					t.Errorf("no source says %q: %q", tc.source, sources)
				}
			}
		})
	}
}

func TestNoPropertyIsGuessed(t *testing.T) {
	e := engine(t, calc.Options{})
	for name, tc := range map[string]struct {
		property string
		quantity calc.Amount
		says     string
	}{
		"none is named":                  {"", amount("1", "litre"), "Give the amount in kWh (Gross CV)"},
		"one that is unknown":            {"desnz:moonshine", amount("1", "litre"), `"desnz:moonshine" has no density or heat content`},
		"one that does not lead there":   {"desnz:natural-gas", amount("1", "km"), "Give the amount in a unit of energy by gross calorific value"},
		"money has none":                 {"desnz:natural-gas", amount("1", "GBP"), "GBP (money)"},
		"a name of thousands of letters": {strings.Repeat("x", 10_000), amount("1", "litre"), "has no density"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := emissions(e, calc.Line{Quantity: tc.quantity, Property: tc.property, OccurredOn: day(2024, 1)}, perUnit("1", "kWh (Gross CV)"), calc.Settings{})
			if f := fault.Of(err); f.Code != fault.UnitMismatch || !strings.Contains(f.Message, tc.says) || len(f.Message) > 400 {
				t.Errorf("%v; want UNIT_MISMATCH that says %q", err, tc.says)
			}
		})
	}
}

func TestPropertiesThatCannotBe(t *testing.T) {
	row := func(name, from, to, value string) calc.Property {
		return calc.Property{Name: name, From: from, To: to, Value: m(value), Source: "somebody"}
	}
	for name, tc := range map[string]struct {
		rows []calc.Property
		says string
	}{
		"without a source":             {[]calc.Property{{Name: "x", From: "litre", To: "kg", Value: m("1")}}, "needs a name and a source"},
		"without a name":               {[]calc.Property{row("", "litre", "kg", "1")}, "needs a name and a source"},
		"of an unknown unit":           {[]calc.Property{row("x", "bucket", "kg", "1")}, `from "bucket"`},
		"into an unknown unit":         {[]calc.Property{row("x", "kg", "bucket", "1")}, `to "bucket"`},
		"within a dimension":           {[]calc.Property{row("x", "kg", "lb", "2")}, "both of mass"},
		"of nothing":                   {[]calc.Property{row("x", "litre", "kg", "0")}, "more than nothing"},
		"twice":                        {[]calc.Property{row("x", "litre", "kg", "1"), row("x", "m3", "tonne", "1")}, "twice"},
		"there and back":               {[]calc.Property{row("x", "litre", "kg", "1"), row("x", "kg", "litre", "1")}, "twice"},
		"otherwise than a built-in":    {[]calc.Property{row("epa:natural-gas", "scf", "mmBtu", "2")}, "twice"},
		"in a circle that gains":       {[]calc.Property{row("x", "litre", "kg", "0.8"), row("x", "kg", "kWh", "10"), row("x", "litre", "kWh", "9")}, "contradicts itself"},
		"in a circle that hardly fits": {[]calc.Property{row("x", "litre", "kg", "0.8"), row("x", "kg", "kWh", "10"), row("x", "litre", "kWh", "7.9")}, "contradicts itself"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := calc.New(calc.Options{Properties: tc.rows}); err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%v; want one that says %q", err, tc.says)
			}
		})
	}
	if _, err := calc.New(calc.Options{Properties: []calc.Property{row("x", "litre", "kg", "0.8"), row("x", "tonne", "MWh", "10"), row("x", "m3", "MWh", "7.95")}}); err != nil {
		t.Errorf("rounded within one percent: %v", err)
	}
}

// TestThePropertiesAreThePublishedOnes reads both publications again and converts by each row.
func TestThePropertiesAreThePublishedOnes(t *testing.T) {
	e := engine(t, calc.Options{})
	words := regexp.MustCompile(`[a-z0-9]+`)
	slug := func(s string) string { return strings.Join(words.FindAllString(strings.ToLower(s), -1), "-") }
	convert := func(property, from, to string) exact.Decimal {
		made, err := e.Formula(&calc.Line{Quantity: amount("1", from), Property: property, OccurredOn: day(2025, 1)}, perUnit("1", to), calc.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		return made.Formula.Replay(m("1"))[made.Formula.Converted].Output
	}
	hub := 0
	for _, r := range published(t, "epa-ghg-hub-2024/stationary-combustion.csv") {
		if r["Heat Content (HHV)"] == "" {
			continue
		}
		_, from, _ := strings.Cut(r["Heat Content (HHV) Unit"], " per ")
		for _, to := range []string{"mmBtu", "mmBtu (Gross CV)"} {
			if got := convert("epa:"+slug(r["Fuel Type"]), from, to); got.Cmp(m(r["Heat Content (HHV)"])) != 0 {
				t.Errorf("%s: %s %s per %s; the hub says %s", r["Fuel Type"], got, to, from, r["Heat Content (HHV)"])
			}
		}
		hub++
	}
	fuels := map[string]map[string]exact.Decimal{}
	for _, r := range published(t, "desnz-2025/uk_ghg_conversion_factors_2025_scope3_flat.csv") {
		if value := r["GHG Conversion Factor 2025"]; r["Level 1"] == "WTT- fuels" && strings.HasSuffix(r["ID"], "_1") && value != "" {
			name := slug(r["Level 3"])
			if fuels[name] == nil {
				fuels[name] = map[string]exact.Decimal{}
			}
			fuels[name][r["UOM"]] = m(value)
		}
	}
	uk := 0
	for _, name := range []string{"butane", "lpg", "natural-gas", "propane", "aviation-turbine-fuel", "burning-oil", "diesel-average-biofuel-blend", "diesel-100-mineral-diesel",
		"fuel-oil", "gas-oil", "petrol-average-biofuel-blend", "petrol-100-mineral-petrol", "coal-industrial", "coal-domestic"} {
		for _, pair := range [][2]string{{"litres", "tonnes"}, {"litres", "kWh (Gross CV)"}, {"cubic metres", "kWh (Gross CV)"}, {"cubic metres", "kWh (Net CV)"}, {"tonnes", "kWh (Net CV)"}, {"kWh (Net CV)", "kWh (Gross CV)"}} {
			a, okA := fuels[name][pair[0]]
			b, okB := fuels[name][pair[1]]
			if !okA || !okB {
				continue
			}
			if got, want := convert("desnz:"+name, pair[0], pair[1]), a.Quo(b).Significant(4); got.Cmp(want) != 0 {
				t.Errorf("%s: %s %s per %s; the UK's factors stand as %s", name, got, pair[1], pair[0], want)
			}
			uk++
		}
	}
	if hub != 58 || uk < 40 {
		t.Errorf("%d heat contents and %d ratios were compared; want 58, and 40 at least", hub, uk)
	}
}

func TestAPropertyThatNobodyKnows(t *testing.T) {
	e := engine(t, calc.Options{Properties: []calc.Property{{Name: "our milk", From: "litre", To: "kg", Value: m("1.03"), Source: "dairy's laboratory"}}})
	for _, known := range []string{"epa:natural-gas", "desnz:natural-gas", "our milk"} {
		if err := e.CheckProperty(known); err != nil {
			t.Errorf("%s: %v", known, err)
		}
	}
	for name, tc := range map[string]struct{ property, says string }{
		"nothing":                {"", "such as epa:natural-gas"},
		"without its table":      {"Natural Gas", `write "desnz:natural-gas" or "epa:natural-gas"`},
		"a slip of the finger":   {"epa:natural-gass", `write "epa:natural-gas" where`},
		"another spelling":       {"EPA Natural_Gas", `write "epa:natural-gas" where`},
		"one of its own tables":  {"our milc", `write "our milk" where`},
		"far from all":           {"unobtainium", "such as epa:natural-gas"},
		"beyond measure":         {strings.Repeat("epa:natural-gas", 1000), "such as epa:natural-gas"},
		"bytes that are no text": {"\xff\x00", "such as epa:natural-gas"},
	} {
		t.Run(name, func(t *testing.T) {
			err := e.CheckProperty(tc.property)
			if f := fault.Of(err); err == nil || f.Code != fault.BadUserInput || !strings.Contains(f.Message, tc.says) || len(f.Message) > 400 {
				t.Errorf("%v; want BAD_USER_INPUT with %q", err, tc.says)
			}
		})
	}
}
