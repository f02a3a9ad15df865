package calc_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"carbongraph/internal/calc"
	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/internal/formula"
)

// anyCase draws a line that can be calculated, its factor and settings: quantities of every family, money of every currency.
func anyCase(t *rapid.T) (calc.Line, *calc.Factor, calc.Settings) {
	value := exact.Micros(rapid.Int64Range(-1e12, 1e12).Draw(t, "value") * rapid.SampledFrom([]int64{1, 10_000, 1_000_000}).Draw(t, "unit"))
	per := exact.NewDecimal(rapid.Int64Range(-1e6, 1e6).Draw(t, "per"), -rapid.Int32Range(0, 12).Draw(t, "factor places"))
	line := calc.Line{OccurredOn: exact.NewDate(rapid.IntRange(2022, 2026).Draw(t, "year"), time.Month(rapid.IntRange(1, 12).Draw(t, "month")), 3)}
	settings := calc.Settings{GwpSet: rapid.SampledFrom([]string{"", "AR5", "AR6"}).Draw(t, "set"), DeflateFirst: rapid.Bool().Draw(t, "deflate first")}
	var f *calc.Factor
	if rapid.Bool().Draw(t, "money") {
		line.Money = calc.Amount{Value: value, Unit: rapid.SampledFrom([]string{"GBP", "USD"}).Draw(t, "currency")}
		f = perDollar("0")
		f.Unit = rapid.SampledFrom([]string{"GBP", "USD"}).Draw(t, "per currency")
		f.PriceYear = rapid.SampledFrom([]int{0, 2021, 2022, 2023, 2024, 2025}).Draw(t, "price year")
	} else {
		family := rapid.SampledFrom(families).Draw(t, "family")
		line.Quantity = calc.Amount{Value: value, Unit: rapid.SampledFrom(family).Draw(t, "unit")}
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
		r, err := emissions(e, line, f, settings)
		if err != nil {
			return // a mass that is too large
		}
		repeat(t, r.Steps)
		if last := r.Steps[len(r.Steps)-1].Output; last.Cmp(r.CO2e.Decimal()) != 0 {
			t.Fatalf("the last step gives %s, the result %s", last, r.CO2e.Decimal())
		}
		chain := []step{r.Steps[0]}
		for _, s := range r.Steps[1:] {
			if s.Step.Step == "gwp" || s.OutputUnit == "kg biogenic CO2" {
				continue // beside the chain
			}
			chain = append(chain, s)
			if before := chain[len(chain)-2]; before.Output.Cmp(s.Input) != 0 || before.OutputUnit != s.InputUnit {
				t.Fatalf("%s begins with %s %s, the step before ended with %s %s", s.Step.Step, s.Input, s.InputUnit, before.Output, before.OutputUnit)
			}
		}
	})
}

func TestOppositeAmountsGiveOppositeEmissions(t *testing.T) {
	e := engine(t, options())
	rapid.Check(t, func(t *rapid.T) {
		line, f, settings := anyCase(t)
		r, err := emissions(e, line, f, settings)
		opposite := line
		if line.Money.Unit != "" {
			opposite.Money = calc.Amount{Value: -line.Money.Value, Unit: line.Money.Unit}
		} else {
			opposite.Quantity = calc.Amount{Value: -line.Quantity.Value, Unit: line.Quantity.Unit}
		}
		o, oppositeErr := emissions(e, opposite, f, settings)
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
	rapid.Check(t, func(t *rapid.T) {
		line, f, settings := anyCase(t)
		made, err := e.Formula(&line, f, settings)
		if err != nil {
			t.Fatal(err)
		}
		x := formula.Plain(exact.Micros(rapid.Int64().Draw(t, "amount")))
		k := exact.NewDecimal(rapid.Int64Range(1, 1000).Draw(t, "k"), 0)
		before := func(x exact.Decimal) exact.Decimal { return made.Formula.Replay(x)[made.Formula.CO2e].Input }
		if once, many := before(x), before(x.Mul(k)); !agree(many, once.Mul(k)) {
			t.Fatalf("%s times %s is %s, not %s", k, once, once.Mul(k), many)
		}
	})
}

func TestConvert(t *testing.T) {
	c := engine(t, options()).Calculator(calc.Settings{})
	for name, tc := range map[string]struct {
		value, from, into string
		on                exact.Date
		want              string
		code              fault.Code
	}{
		"into dollars":            {"80", "GBP", "USD", day(2024, 2), "100", ""},
		"from dollars":            {"100", "USD", "GBP", day(2024, 2), "80", ""},
		"by the month's own rate": {"91", "EUR", "USD", day(2022, 2), "100", ""},
		"across":                  {"-9000000", "CHF", "GBP", day(2024, 2), "-8000000.000001", ""},
		"half to even":            {"0.000002", "USD", "GBP", day(2024, 2), "0.000002", ""},
		"a gap of months":         {"90", "CHF", "USD", day(2021, 7), "100", ""},
		"within one currency":     {"5", "ZMW", "ZMW", day(1950, 1), "5", ""},
		"no such currency":        {"5", "ZMW", "USD", day(2024, 1), "", fault.NoExchangeRate},
		"into no such currency":   {"5", "USD", "ZMW", day(2024, 1), "", fault.NoExchangeRate},
		"before the rates":        {"5", "EUR", "USD", day(2021, 12), "", fault.NoExchangeRate},
		"long after the rates":    {"5", "EUR", "USD", day(2025, 7), "", fault.NoExchangeRate},
		"just within the grace":   {"92", "EUR", "USD", day(2025, 6), "100", ""},
		"more than can be kept":   {"9000000000000", "GBP", "USD", day(2024, 2), "", fault.BadUserInput},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 { // the second time from memory
				got, err := c.Convert(amount(tc.value, tc.from), tc.on, tc.into)
				if fault.CodeOf(err) != tc.code {
					t.Fatalf("error %v, want %q", err, tc.code)
				}
				if err == nil && got.String() != tc.want {
					t.Errorf("%s; want %s", got, tc.want)
				}
			}
		})
	}
}
