package calc_test

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"carbongraph/internal/calc"
	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/internal/formula"
)

// factorsOfAllKinds differ in everything that a formula can depend on.
func factorsOfAllKinds() []*calc.Factor {
	with := func(f *calc.Factor, change func(*calc.Factor)) *calc.Factor { change(f); return f }
	return []*calc.Factor{
		perUnit("0.2", "kWh"), perUnit("0.2", "MWh"), perUnit("1.5", "kg"), fuel(), perDollar("0.5"),
		with(perDollar("0.5"), func(f *calc.Factor) { f.PriceYear = 0 }),
		with(perDollar("0.5"), func(f *calc.Factor) { f.Unit = "GBP" }),
		with(perUnit("0.2", "kWh"), func(f *calc.Factor) { f.ValidFrom, f.ValidTo = day(2023, 1), day(2023, 6) }),
		with(perUnit("0.2", "kWh (Gross CV)"), func(f *calc.Factor) { f.UncertaintyPercent = ptr("10") }),
		with(perUnit("0.2", "kWh (Gross CV)"), func(f *calc.Factor) { f.Property = "desnz:natural-gas" }),
		with(perUnit("1", "kg"), func(f *calc.Factor) { f.Value = nil }),
		with(perUnit("1", "kg"), func(f *calc.Factor) { f.SupplierShare, f.Verified, f.Boundary = m("0.5"), true, "cradle to gate" }),
		perUnit("1", "wheelbarrow"),
	}
}

// redraw changes a part of a line, or none: to what is right or wrong in every way that a kind can be.
func redraw(t *rapid.T, l *calc.Line, part int) {
	switch part {
	case 0:
		l.OccurredOn = exact.NewDate(rapid.IntRange(2019, 2027).Draw(t, "year"), l.OccurredOn.Month(), 15)
	case 1:
		l.OccurredOn = exact.NewDate(max(l.OccurredOn.Year(), 2019), time.Month(rapid.IntRange(1, 12).Draw(t, "month")), rapid.IntRange(1, 28).Draw(t, "day"))
	case 2:
		l.Country = rapid.SampledFrom([]string{"", "GB", "US", "BR"}).Draw(t, "country")
	case 3:
		l.Match = rapid.SampledFrom([]calc.Match{calc.Unmatched, calc.Named, calc.ByRule, calc.ByText, calc.ByLikeness, calc.Proxy}).Draw(t, "match")
	case 4:
		l.Property = rapid.SampledFrom([]string{"", "desnz:natural-gas", "nonsense"}).Draw(t, "property")
	case 5:
		l.Uncertainty = rapid.SampledFrom([]exact.Micros{0, 5_000_000, 6_000_000, -1}).Draw(t, "uncertainty")
	case 6:
		l.Quantity = calc.Amount{Value: exact.Micros(rapid.Int64().Draw(t, "value")), Unit: rapid.SampledFrom([]string{"", "kWh", "kwh", "GWh", "kg", "m3", "gallon", "USD", "GBP", "smidgen"}).Draw(t, "unit")}
	case 7:
		l.Money = calc.Amount{Value: exact.Micros(rapid.Int64Range(-1e12, 1e12).Draw(t, "amount")), Unit: rapid.SampledFrom([]string{"", "GBP", "USD", "EUR", "CHF", "ZMW", "kWh"}).Draw(t, "currency")}
	}
}

// TestACalculatorRemembersNothingThatMatters is the proof of the key: whatever was calculated before, a line gets what it would have got alone.
// Lines come one after the other, each another in one part, so that two kinds hardly differ.
func TestACalculatorRemembersNothingThatMatters(t *testing.T) {
	e := engine(t, options())
	all := factorsOfAllKinds()
	for _, s := range []calc.Settings{{}, {GwpSet: "AR6", DeflateFirst: true}, {GwpSet: "AR5", StrictValidity: true}} {
		rapid.Check(t, func(t *rapid.T) {
			busy := e.Calculator(s)
			var l calc.Line
			for part := range 8 {
				redraw(t, &l, part)
			}
			f := rapid.SampledFrom(all).Draw(t, "factor")
			for range 20 {
				likeAlone(t, e, s, busy, l, f)
				if part := rapid.IntRange(0, 8).Draw(t, "part"); part < 8 {
					redraw(t, &l, part)
				} else {
					f = rapid.SampledFrom(all).Draw(t, "factor")
				}
			}
		})
	}
}

func likeAlone(t *rapid.T, e *calc.Engine, s calc.Settings, busy *calc.Calculator, l calc.Line, f *calc.Factor) {
	got, err := busy.Calculate(&l, f)
	made, alone := e.Formula(&l, f, s)
	var want calc.Result
	if alone == nil {
		amount := l.Quantity.Value
		if calc.IsCurrency(f.Unit) {
			amount = l.Money.Value
		}
		want, alone = made.Emit(amount)
	}
	if fmt.Sprint(err) != fmt.Sprint(alone) || fault.CodeOf(err) == fault.Internal {
		t.Fatalf("%v; alone %v", err, alone)
	}
	if err != nil {
		return
	}
	if got.Text != want.Text || got.CO2e != want.CO2e || got.Biogenic != want.Biogenic || got.Low != want.Low || got.High != want.High ||
		got.Quality != want.Quality || got.Method != want.Method || got.GwpSet != want.GwpSet || got.Amount != want.Amount || got.Negative != want.Negative {
		t.Fatalf("%+v %s; alone %+v %s", got, got.Text, want, want.Text)
	}
	// And the quick way is the steps' way.
	values := got.Formula.Replay(formula.Plain(got.Amount))
	if last := values[got.Formula.CO2e].Output; last.Cmp(got.CO2e.Decimal()) != 0 {
		t.Fatalf("%d mg; the steps end in %s kg", got.CO2e, last)
	}
	if back, err := formula.Parse(got.Text); err != nil || back.ID() != got.ID || got.Engine != calc.EngineVersion {
		t.Fatalf("formula %x, engine %s, text %s: %v", got.ID, got.Engine, got.Text, err)
	}
}

func TestManyGoroutinesShareACalculator(t *testing.T) {
	c := engine(t, options()).Calculator(calc.Settings{GwpSet: "AR6"})
	factor, rates := fuel(), []string{"US gallon", "litre", "smidgen", "m3", "kWh"}
	var all sync.WaitGroup
	var mu sync.Mutex
	seen := map[string]int{}
	for g := range 8 {
		all.Go(func() {
			for i := range 500 {
				l := calc.Line{Quantity: calc.Amount{Value: 10_000_000, Unit: rates[(g+i)%len(rates)]}, OccurredOn: day(2015+i%10, 1)}
				r, err := c.Calculate(&l, factor)
				if err == nil {
					r.Formula.Replay(formula.Plain(r.Amount))
					r.Formula.GasesOf(formula.Plain(r.Amount))
				}
				if _, err := c.Convert(calc.Amount{Value: 1_000_000, Unit: "GBP"}, day(2024, time.Month(1+i%12)), "USD"); err != nil {
					t.Error(err)
				}
				mu.Lock()
				seen[fmt.Sprint(l.Quantity.Unit, r.CO2e, fault.CodeOf(err))]++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if len(seen) != len(rates) {
		t.Errorf("results %v; want one for each unit", seen)
	}
}

func TestTheMemoryOfACalculatorIsBounded(t *testing.T) {
	c := engine(t, options()).Calculator(calc.Settings{})
	for i := range 20_000 { // more kinds than it remembers: nothing goes wrong, and old ones are made anew
		l := calc.Line{Quantity: calc.Amount{Value: 2_000_000, Unit: "kWh"}, OccurredOn: day(2024, 1), Uncertainty: exact.Micros(i + 1)}
		if r, err := c.Calculate(&l, perUnit("0.5", "kWh")); err != nil || r.CO2e != 1_000_000 {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	l := calc.Line{Quantity: calc.Amount{Value: 1, Unit: strings.Repeat("kWh", 1<<20)}}
	if _, err := c.Calculate(&l, perUnit("1", "kWh")); fault.CodeOf(err) != fault.UnknownUnit {
		t.Errorf("a unit of three megabytes: %v", err)
	}
}

func TestTheFactorDecidesTheMethod(t *testing.T) {
	e := engine(t, options())
	line := calc.Line{Quantity: amount("10", "kg"), Money: amount("10", "USD"), OccurredOn: day(2022, 1)}
	for name, tc := range map[string]struct {
		unit, share, method string
		says                string
	}{
		"an average per money":           {"USD", "0", calc.SpendBased, ""},
		"an average per unit":            {"kg", "0", calc.AverageData, ""},
		"the supplier's own per unit":    {"kg", "1", calc.SupplierSpecific, "100 % of the supplier's own data"},
		"the supplier's own per money":   {"USD", "1.0", calc.SupplierSpecific, "100 %"},
		"in part the supplier's own":     {"kg", "0.625", calc.Hybrid, "62.5 % of the supplier's own data"},
		"in part, per money":             {"USD", "0.1", calc.Hybrid, "10 %"},
		"more than all of it is refused": {"kg", "1.01", "", "between 0 and 1"},
		"less than nothing is refused":   {"kg", "-0.01", "", "between 0 and 1"},
	} {
		t.Run(name, func(t *testing.T) {
			f := perUnit("2", tc.unit)
			f.SupplierShare = m(tc.share)
			r, err := emissions(e, line, f, calc.Settings{})
			if tc.method == "" {
				if fault.CodeOf(err) != fault.NoFactor || !strings.Contains(fault.Of(err).Message, tc.says) {
					t.Errorf("%v; want NO_FACTOR that says %q", err, tc.says)
				}
				return
			}
			if err != nil || r.Method != tc.method || r.CO2e != 20_000_000 || !strings.Contains(r.Steps[1].Source, tc.says) {
				t.Errorf("%+v, %v; want 20 kg by %s", r, err, tc.method)
			}
		})
	}
}

func TestAFactorOfAnotherTime(t *testing.T) {
	e := engine(t, options())
	f := perUnit("2", "kg")
	f.Year = 2023
	for name, tc := range map[string]struct {
		from, to exact.Date
		on       exact.Date
		time     int8
		says     string // by strict settings; empty where it holds
	}{
		"within":                {day(2024, 1), day(2024, 6), day(2024, 3), 1, ""},
		"on its first day":      {day(2024, 1), day(2024, 6), day(2024, 1), 1, ""},
		"on its last day":       {day(2024, 1), day(2024, 6), day(2024, 6), 1, ""},
		"before":                {day(2024, 3), day(2024, 6), day(2024, 1), 2, "holds from 2024-03-15 to 2024-06-15; the line lies before that"},
		"after":                 {day(2024, 1), day(2024, 3), day(2024, 6), 2, "holds from 2024-01-15 to 2024-03-15; the line lies after that"},
		"after, with no begin":  {exact.Date{}, day(2024, 3), day(2024, 6), 2, "from its beginning to 2024-03-15"},
		"before, with no end":   {day(2024, 3), exact.Date{}, day(2024, 1), 2, "from 2024-03-15 to further notice"},
		"without any statement": {exact.Date{}, exact.Date{}, day(2024, 1), 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := *f
			f.ValidFrom, f.ValidTo = tc.from, tc.to
			line := calc.Line{Quantity: amount("1", "kg"), OccurredOn: tc.on}
			r, err := emissions(e, line, &f, calc.Settings{})
			if err != nil || r.CO2e != 2_000_000 || r.Quality.Time != tc.time {
				t.Errorf("%+v, %v; want 2 kg with a time indicator of %d", r, err, tc.time)
			}
			_, err = emissions(e, line, &f, calc.Settings{StrictValidity: true})
			if (err != nil) != (tc.says != "") || err != nil && (fault.CodeOf(err) != fault.NoFactor || !strings.Contains(fault.Of(err).Message, tc.says)) {
				t.Errorf("strictly: %v; want %q", err, tc.says)
			}
		})
	}
}

func TestANegativeFactorIsFlagged(t *testing.T) {
	e := engine(t, options())
	f := perUnit("-1.5", "kg")
	r, err := emissions(e, calc.Line{Quantity: amount("2", "kg"), OccurredOn: day(2024, 1)}, f, calc.Settings{})
	if err != nil || r.CO2e != -3_000_000 || !r.Negative || !strings.Contains(r.Steps[1].Source, "negative in its source: a removal or a credit") {
		t.Errorf("%+v, %v; want −3 kg, flagged", r, err)
	}
	// A credit note is a negative amount, not a negative factor.
	r, err = emissions(e, calc.Line{Quantity: amount("-2", "kg"), OccurredOn: day(2024, 1)}, perUnit("1.5", "kg"), calc.Settings{})
	if err != nil || r.CO2e != -3_000_000 || r.Negative || strings.Contains(r.Steps[1].Source, "removal") {
		t.Errorf("%+v, %v; want −3 kg, not flagged", r, err)
	}
	f.Value, f.Biogenic = ptr("1"), ptr("-0.5")
	if r, err = emissions(e, calc.Line{Quantity: amount("2", "kg"), OccurredOn: day(2024, 1)}, f, calc.Settings{}); err != nil || !r.Negative || r.Biogenic != -1_000_000 {
		t.Errorf("%+v, %v; want −1 kg of biogenic CO2, flagged", r, err)
	}
}

func TestAFactorThatNoFormulaHolds(t *testing.T) {
	e := engine(t, options())
	f := perUnit("1", "kg")
	for i := range 300 {
		f.Gases = append(f.Gases, calc.Gas{Gas: fmt.Sprint("gas ", i), Amount: m("1"), CO2eBasis: true})
	}
	_, err := emissions(e, calc.Line{Quantity: amount("2", "kg"), OccurredOn: day(2024, 1)}, f, calc.Settings{})
	if fault.CodeOf(err) != fault.NoFactor || !strings.Contains(fault.Of(err).Message, "too many gases") {
		t.Errorf("%v; want NO_FACTOR", err)
	}
}

// TestNoAmountWraps goes to the edge of the ledger: 9.2 × 10^12 kWh are the most that it holds, and times 2 kg are too much.
func TestNoAmountWraps(t *testing.T) {
	e := engine(t, options())
	for _, value := range []exact.Micros{math.MaxInt64, math.MinInt64, math.MaxInt64 / 2, math.MinInt64 / 2} {
		for _, per := range []string{"1", "2", "0.5", "0.4999999999999999999999999999999999", "2.000000000000000000000000000000001", "1e40"} {
			line := calc.Line{Quantity: calc.Amount{Value: value, Unit: "kWh"}, OccurredOn: day(2024, 1)}
			r, err := emissions(e, line, perUnit(per, "kWh"), calc.Settings{})
			want := value.Decimal().Mul(m(per))
			n, fits := want.Scaled(6)
			if fits != (err == nil) || err == nil && int64(r.CO2e) != n || err != nil && fault.CodeOf(err) != fault.BadUserInput {
				t.Errorf("%s kWh by %s: %+v, %v; want %s, fits %t", value, per, r, err, want, fits)
			}
		}
	}
}

// TestGasesAddUpToCO2e holds where a factor states all its gases: each is rounded for itself, so the sum may be off by half a milligram for each.
func TestGasesAddUpToCO2e(t *testing.T) {
	e := engine(t, options())
	rapid.Check(t, func(t *rapid.T) {
		f := perUnit("0", "kg")
		f.Value = nil
		for _, gas := range []string{"CO2", "CH4", "N2O", "HFC-134a"} {
			f.Gases = append(f.Gases, calc.Gas{Gas: gas, Amount: exact.NewDecimal(rapid.Int64Range(0, 1e6).Draw(t, gas), -rapid.Int32Range(3, 9).Draw(t, "places")),
				CO2eBasis: gas == "HFC-134a"})
		}
		line := calc.Line{Quantity: calc.Amount{Value: exact.Micros(rapid.Int64Range(-1e12, 1e12).Draw(t, "value")), Unit: "kg"}, OccurredOn: day(2024, 1)}
		r, err := emissions(e, line, f, calc.Settings{})
		if fault.CodeOf(err) == fault.NoFactor {
			return // all gases are zero
		}
		if err != nil {
			t.Fatal(err)
		}
		var sum exact.Decimal
		for _, g := range r.Gases {
			sum = sum.Add(g.CO2e)
		}
		off, _ := sum.Sub(r.CO2e.Decimal()).Scaled(6)
		if max(off, -off) > 2 {
			t.Fatalf("the gases add up to %s, CO2e is %s", sum, r.CO2e.Decimal())
		}
	})
}
