package calc_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"carbongraph/internal/calc"
	"carbongraph/internal/exact"
)

// anyCase draws a line that can be calculated, its factor and settings: quantities of every family, money of every currency.
func anyCase(t *rapid.T) (calc.Line, *calc.Factor, calc.Settings) {
	value := exact.NewDecimal(rapid.Int64Range(-1e12, 1e12).Draw(t, "value"), -rapid.Int32Range(0, 6).Draw(t, "places"))
	per := exact.NewDecimal(rapid.Int64Range(-1e6, 1e6).Draw(t, "per"), -rapid.Int32Range(0, 12).Draw(t, "factor places"))
	line := calc.Line{OccurredOn: exact.NewDate(rapid.IntRange(2022, 2026).Draw(t, "year"), time.Month(rapid.IntRange(1, 12).Draw(t, "month")), 3)}
	settings := calc.Settings{GwpSet: rapid.SampledFrom([]string{"", "AR5", "AR6"}).Draw(t, "set"), DeflateFirst: rapid.Bool().Draw(t, "deflate first")}
	var f *calc.Factor
	if rapid.Bool().Draw(t, "money") {
		line.Money = &calc.Amount{Value: value, Unit: rapid.SampledFrom([]string{"GBP", "USD"}).Draw(t, "currency")}
		f = perDollar("0")
		f.Unit = rapid.SampledFrom([]string{"GBP", "USD"}).Draw(t, "per currency")
		f.PriceYear = rapid.SampledFrom([]int{0, 2021, 2022, 2023, 2024, 2025}).Draw(t, "price year")
	} else {
		family := rapid.SampledFrom(families).Draw(t, "family")
		line.Quantity = &calc.Amount{Value: value, Unit: rapid.SampledFrom(family).Draw(t, "unit")}
		f = perUnit("0", rapid.SampledFrom(family).Draw(t, "per unit"))
	}
	f.Value = &per
	if rapid.Bool().Draw(t, "gases") {
		f.Gases = []calc.Gas{{Gas: "CO2", Amount: per.Mul(m("0.9"))}, {Gas: "CH4", Amount: per.Mul(m("0.1")).Quo(m("28"))}}
	}
	if rapid.Bool().Draw(t, "biogenic") {
		f.Biogenic = ptr("0.25")
	}
	return line, f, settings
}

func TestEveryStepCanBeRepeatedByHand(t *testing.T) {
	e := engine(t, options())
	rapid.Check(t, func(t *rapid.T) {
		line, f, settings := anyCase(t)
		r, err := e.Emissions(line, f, settings)
		if err != nil {
			return // a mass that is too large
		}
		repeat(t, r.Steps)
		if last := r.Steps[len(r.Steps)-1].Output; last.Cmp(r.CO2e.Decimal()) != 0 {
			t.Fatalf("the last step gives %s, the result %s", last, r.CO2e.Decimal())
		}
		chain := []calc.Step{r.Steps[0]}
		for _, s := range r.Steps[1:] {
			if s.Step == "gwp" || s.OutputUnit == "kg biogenic CO2" {
				continue // beside the chain
			}
			chain = append(chain, s)
			if before := chain[len(chain)-2]; before.Output.Cmp(*s.Input) != 0 || before.OutputUnit != s.InputUnit {
				t.Fatalf("%s begins with %s %s, the step before ended with %s %s", s.Step, s.Input, s.InputUnit, before.Output, before.OutputUnit)
			}
		}
	})
}

func TestOppositeAmountsGiveOppositeEmissions(t *testing.T) {
	e := engine(t, options())
	rapid.Check(t, func(t *rapid.T) {
		line, f, settings := anyCase(t)
		r, err := e.Emissions(line, f, settings)
		opposite := line
		if line.Money != nil {
			opposite.Money = &calc.Amount{Value: line.Money.Value.Neg(), Unit: line.Money.Unit}
		} else {
			opposite.Quantity = &calc.Amount{Value: line.Quantity.Value.Neg(), Unit: line.Quantity.Unit}
		}
		o, oppositeErr := e.Emissions(opposite, f, settings)
		if (err == nil) != (oppositeErr == nil) {
			t.Fatalf("%v against %v", err, oppositeErr)
		}
		if err != nil {
			return
		}
		if r.CO2e != -o.CO2e || r.Biogenic != -o.Biogenic || r.GwpSet != o.GwpSet || len(r.Gases) != len(o.Gases) {
			t.Fatalf("%d and %d mg, biogenic %d and %d", r.CO2e, o.CO2e, r.Biogenic, o.Biogenic)
		}
		for i, g := range r.Gases {
			if g.CO2e.Neg().Cmp(o.Gases[i].CO2e) != 0 {
				t.Fatalf("%s: %s and %s", g.Gas, g.CO2e, o.Gases[i].CO2e)
			}
		}
	})
}

func TestEmissionsAreLinearBeforeRounding(t *testing.T) {
	e := engine(t, options())
	before := func(t *rapid.T, line calc.Line, f *calc.Factor, s calc.Settings) (exact.Decimal, bool) {
		r, err := e.Emissions(line, f, s)
		if err != nil {
			return exact.Decimal{}, false
		}
		return *r.Steps[len(r.Steps)-1].Input, true
	}
	rapid.Check(t, func(t *rapid.T) {
		line, f, settings := anyCase(t)
		k := exact.NewDecimal(rapid.Int64Range(1, 1000).Draw(t, "k"), 0)
		times := line
		if line.Money != nil {
			times.Money = &calc.Amount{Value: line.Money.Value.Mul(k), Unit: line.Money.Unit}
		} else {
			times.Quantity = &calc.Amount{Value: line.Quantity.Value.Mul(k), Unit: line.Quantity.Unit}
		}
		once, ok := before(t, line, f, settings)
		many, okMany := before(t, times, f, settings)
		if ok && okMany && !agree(many, once.Mul(k)) {
			t.Fatalf("%s times %s is %s, not %s", k, once, once.Mul(k), many)
		}
	})
}

func TestConvert(t *testing.T) {
	e := engine(t, options())
	for name, tc := range map[string]struct {
		value, from, into string
		on                exact.Date
		want, operator    string
		fails             bool
	}{
		"into dollars":            {"80", "GBP", "USD", day(2024, 2), "100", calc.Divide, false},
		"from dollars":            {"100", "USD", "GBP", day(2024, 2), "80", calc.Multiply, false},
		"by the month's own rate": {"91", "EUR", "USD", day(2022, 2), "100", calc.Divide, false},
		"across":                  {"-90", "CHF", "GBP", day(2024, 2), "-80.00000000001", calc.Multiply, false},
		"a gap of months":         {"90", "CHF", "USD", day(2021, 7), "100", calc.Divide, false},
		"within one currency":     {"5", "ZMW", "ZMW", day(1950, 1), "5", "", false},
		"no such currency":        {"5", "ZMW", "USD", day(2024, 1), "", "", true},
		"into no such currency":   {"5", "USD", "ZMW", day(2024, 1), "", "", true},
		"before the rates":        {"5", "EUR", "USD", day(2021, 12), "", "", true},
		"long after the rates":    {"5", "EUR", "USD", day(2025, 7), "", "", true},
		"just within the grace":   {"92", "EUR", "USD", day(2025, 6), "100", calc.Divide, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, step, err := e.Convert(m(tc.value), tc.from, tc.on, tc.into)
			if (err != nil) != tc.fails {
				t.Fatalf("error %v, want one: %t", err, tc.fails)
			}
			if tc.fails {
				return
			}
			if got.Canonical() != tc.want || (step == nil) != (tc.operator == "") {
				t.Fatalf("%s, step %+v; want %s by %q", got, step, tc.want, tc.operator)
			}
			if step != nil {
				if step.Operator != tc.operator || step.InputUnit != tc.from || step.OutputUnit != tc.into {
					t.Errorf("step %+v; want %s from %s into %s", step, tc.operator, tc.from, tc.into)
				}
				repeat(t, []calc.Step{*step})
			}
		})
	}
}
