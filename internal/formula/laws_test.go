package formula_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carbongraph/internal/exact"
	"carbongraph/internal/formula"
)

// anyOperand draws numbers as the ledger's world has them, and at the edges of what can be written.
func anyOperand() *rapid.Generator[exact.Decimal] {
	return rapid.OneOf(
		rapid.Custom(func(t *rapid.T) exact.Decimal { // factors, ratios, rates
			return exact.NewDecimal(rapid.Int64Range(-999_999, 999_999).Draw(t, "n"), -rapid.Int32Range(0, 9).Draw(t, "places"))
		}),
		rapid.Custom(func(t *rapid.T) exact.Decimal { // more digits than the short way takes
			return exact.NewDecimal(rapid.Int64().Draw(t, "n"), -rapid.Int32Range(0, 40).Draw(t, "places"))
		}),
		rapid.Custom(func(t *rapid.T) exact.Decimal { // a quotient that does not end
			return exact.NewDecimal(rapid.Int64Range(1, 1000).Draw(t, "n"), 0).Quo(exact.NewDecimal(rapid.Int64Range(1, 1000).Draw(t, "d"), 0))
		}),
		rapid.Custom(func(t *rapid.T) exact.Decimal { // tiny and huge
			return exact.NewDecimal(rapid.Int64Range(1, 99).Draw(t, "n"), rapid.Int32Range(-60, 60).Draw(t, "exponent"))
		}),
		rapid.Map(rapid.SampledFrom([]string{"0", "1", "-1", "0.5", "0.05", "2", "1000", "0.001", "0.0000005", "1e15", "3.6", "0.45359237"}), exact.MustDecimal),
	)
}

func anyAmount() *rapid.Generator[exact.Micros] {
	return rapid.Map(rapid.OneOf(
		rapid.Int64(),
		rapid.Int64Range(-1e12, 1e12),
		rapid.Map(rapid.Int64Range(-1e9, 1e9), func(n int64) int64 { return n * 10_000 }), // two places, as money has
		rapid.SampledFrom([]int64{0, 1, -1, math.MaxInt64, math.MinInt64, math.MinInt64 + 1, 500_000, 1_500_000}),
	), func(n int64) exact.Micros { return exact.Micros(n) })
}

// anyFormula draws a chain of one to six steps, with rounding and given numbers now and then, and perhaps biogenic CO2 and gases beside it.
func anyFormula() *rapid.Generator[*formula.Formula] {
	return rapid.Custom(func(t *rapid.T) *formula.Formula {
		f := &formula.Formula{Biogenic: formula.None}
		n := rapid.IntRange(1, 6).Draw(t, "steps")
		for i := range n {
			s := formula.Step{Step: "unit", Of: i - 1, InputUnit: "u", OutputUnit: "u", Source: rapid.StringN(0, 8, 20).Draw(t, "source"), Operand: anyOperand().Draw(t, "operand")}
			s.Operator = rapid.SampledFrom([]string{formula.Multiply, formula.Multiply, formula.Divide}).Draw(t, "operator")
			if s.Operand.Sign() == 0 {
				s.Operator = formula.Multiply
			}
			switch rapid.IntRange(0, 30).Draw(t, "oddity") {
			case 0:
				s.Operator, s.Operand = formula.Round, exact.NewDecimal(1, rapid.Int32Range(-8, 3).Draw(t, "power"))
			case 1:
				s.Of, s.Input = formula.Given, new(anyOperand().Draw(t, "input"))
			case 2:
				s.Of = rapid.IntRange(-1, i-1).Draw(t, "of")
			}
			s.FromFactor = rapid.Bool().Draw(t, "from factor")
			f.Steps = append(f.Steps, s)
		}
		f.Converted = n - 1
		if rapid.Bool().Draw(t, "biogenic") {
			f.Biogenic = round(f, rapid.IntRange(0, n-1).Draw(t, "biogenic of"))
		}
		for range rapid.IntRange(0, 3).Draw(t, "gases") {
			g := formula.Gas{Gas: rapid.SampledFrom([]string{"CO2", "CH4", "SF₆ \"x\""}).Draw(t, "gas"), CO2e: anyOperand().Draw(t, "co2e")}
			if rapid.Bool().Draw(t, "mass") {
				g.Mass = new(anyOperand().Draw(t, "of gas"))
			}
			f.Gases = append(f.Gases, g)
		}
		f.CO2e = round(f, n-1)
		if err := f.Check(); err != nil {
			t.Fatal(err)
		}
		return f
	})
}

// replayed is the mass that the steps give, where the ledger can hold it.
func replayed(f *formula.Formula, amount exact.Micros) (co2e, biogenic exact.Milligrams, ok bool) {
	values := f.Replay(formula.Plain(amount))
	n, ok := values[f.CO2e].Output.ScaledExactly(6)
	if f.Biogenic == formula.None {
		return exact.Milligrams(n), 0, ok
	}
	b, fits := values[f.Biogenic].Output.ScaledExactly(6)
	return exact.Milligrams(n), exact.Milligrams(b), ok && fits
}

func agree(t interface{ Fatalf(string, ...any) }, f *formula.Formula, c *formula.Compiled, amount exact.Micros) {
	co2e, biogenic, ok := c.Mass(amount)
	wantCO2e, wantBiogenic, wantOK := replayed(f, amount)
	if ok != wantOK || ok && (co2e != wantCO2e || biogenic != wantBiogenic) {
		t.Fatalf("%d millionths: %d and %d mg, %t; the steps give %d and %d, %t\n%s", amount, co2e, biogenic, ok, wantCO2e, wantBiogenic, wantOK, f.Text())
	}
}

func TestMassIsWhatTheStepsGive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := anyFormula().Draw(t, "formula")
		c := f.Compile()
		for range 8 {
			agree(t, f, c, anyAmount().Draw(t, "amount"))
		}
	})
}

// TestTiesRoundToEven draws factors of which the amount makes exactly half a milligram, by ways long and short.
func TestTiesRoundToEven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		odd := 2*rapid.Int64Range(-1e9, 1e9).Draw(t, "k") + 1 // half milligrams
		amount := exact.Micros(rapid.SampledFrom([]int64{1, 5, 1_000_000, 2_500_000, 8_000_000_000}).Draw(t, "amount"))
		per := exact.NewDecimal(odd, 0).Quo(exact.NewDecimal(2*int64(amount), 0)) // mg per millionth is kg per unit
		spread := rapid.SampledFrom([]string{"1", "8", "0.32", "1.048576", "1099511627776"}).Draw(t, "spread")
		f := times("1", spread, "/"+spread, per.Canonical())
		co2e, _, ok := f.Compile().Mass(amount)
		if !ok || co2e%2 != 0 || co2e != exact.Milligrams((odd-1)/2) && co2e != exact.Milligrams((odd+1)/2) {
			t.Fatalf("%d half milligrams became %d mg, %t\n%s", odd, co2e, ok, f.Text())
		}
		agree(t, f, f.Compile(), amount)
	})
}

// TestNothingWrapsAtTheEdge walks over the largest mass that the ledger holds, by both ways and with both signs.
func TestNothingWrapsAtTheEdge(t *testing.T) {
	for _, operands := range [][]string{{"1"}, {"-1"}, {"3", "/3"}, {"3", "/-3"}, {"7", "/2"}, {"1000"}, {"1e40"}, {"1e19"}, {"1e-19", "1e19"}, {"0.1"}, {"1e-40"},
		{"9.99999999999999e-20"}, {"0.0000000000000000000999999999999999"}, {"0.3333333333333333333333333333333333", "3"}, {"1.000000000000000000000000000000001"}, {"0.9999999999999999999999999999999999"}, {"1.00000000000000000001"}} {
		t.Run(strings.Join(operands, " "), func(t *testing.T) {
			f := times(operands...)
			c := f.Compile()
			for _, from := range []int64{math.MaxInt64, math.MaxInt64 / 1000, math.MaxInt64 / 7 * 2, 1e18, 0} {
				for d := range int64(40) {
					for _, n := range []int64{from - d, d - from, from/2 + d} {
						agree(t, f, c, exact.Micros(n))
					}
				}
			}
			agree(t, f, c, math.MinInt64)
		})
	}
	// 10^15 kWh are 10^21 millionths: no amount of the ledger. What it can hold, 9.2 × 10^12 kWh, times 0.5 kg fits, times 2 kg does not.
	if _, _, ok := times("2").Compile().Mass(math.MaxInt64); ok {
		t.Error("twice the largest amount fits; an integer must have wrapped")
	}
	if co2e, _, ok := times("0.5").Compile().Mass(math.MaxInt64); !ok || co2e != 1<<62 {
		t.Errorf("half the largest amount is %d, %t; want 2^62: half to even", co2e, ok)
	}
}

func TestTextIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := anyFormula().Draw(t, "formula")
		text := f.Text()
		back, err := formula.Parse(text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if back.Text() != text || back.ID() != f.ID() {
			t.Fatalf("read back as\n%s\nwritten as\n%s", back.Text(), text)
		}
		amount := formula.Plain(anyAmount().Draw(t, "amount"))
		if was, is := fmt.Sprint(numbers(f, amount)), fmt.Sprint(numbers(back, amount)); was != is {
			t.Fatalf("replays as %s, was %s", is, was)
		}
	})
}

// numbers is all that a formula says of an amount, by value.
func numbers(f *formula.Formula, amount exact.Decimal) (out []string) {
	for i, v := range f.Replay(amount) {
		out = append(out, v.Input.Canonical(), v.Output.Canonical(), f.Steps[i].InputUnit, f.Steps[i].OutputUnit)
	}
	for _, g := range f.GasesOf(amount) {
		if g.Mass != nil {
			out = append(out, g.Mass.Canonical())
		}
		out = append(out, g.Gas, g.CO2e.Canonical())
	}
	return out
}

func TestFormulasAreOneWhereTheirTextIs(t *testing.T) {
	a, b := fuel(), fuel()
	if a.ID() != b.ID() {
		t.Error("equal formulas have two ids")
	}
	b.Steps[4].Source += "."
	if a.ID() == b.ID() {
		t.Error("formulas that say different things have one id")
	}
}

func TestTextThatWasNotWrittenHereIsRefused(t *testing.T) {
	text := fuel().Text()
	for name, bad := range map[string]string{
		"nothing":                  "",
		"an end too early":         text[:len(text)-1],
		"more behind it":           text + " ",
		"a blank":                  strings.Replace(text, ",", ", ", 1),
		"a sign before a number":   strings.Replace(text, "0.00041", "+0.00041", 1),
		"zeros before a number":    strings.Replace(text, "0.00041", "00.00041", 1),
		"an exponent":              strings.Replace(text, "0.00041", "41e-5", 1),
		"a number of 300 digits":   strings.Replace(text, "0.00041", strings.Repeat("9", 300), 1),
		"a number that is a word":  strings.Replace(text, "0.00041", "NaN", 1),
		"a unit that is repeated":  strings.Replace(text, `"table of units"]`, `"table of units",0,"litre"]`, 1),
		"an escape without a need": strings.Replace(text, `"quantity"`, `"\u0071uantity"`, 1),
		"an escape that is none":   strings.Replace(text, `"quantity"`, `"\quantity"`, 1),
		"a string without an end":  `[[["quantity`,
		"no UTF-8":                 strings.Replace(text, "quantity", "quantit\xff", 1),
		"a flag of two":            strings.Replace(text, `"hub",1`, `"hub",2`, 1),
		"more than any formula":    strings.Repeat("[", 1<<18+1),
	} {
		t.Run(name, func(t *testing.T) {
			if bad == text {
				t.Fatal("nothing was changed")
			}
			if f, err := formula.Parse(bad); err == nil {
				t.Errorf("read as %s", f.Text())
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(fuel().Text())
	f.Add(times("1", "/3").Text())
	f.Add(`[[["",-1,"multiply",1,"",""]],[],0,-1,0]`)
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := formula.Parse(text)
		if err != nil {
			return
		}
		if parsed.Text() != text {
			t.Fatalf("%q is read and written as %q", text, parsed.Text())
		}
		for _, amount := range []exact.Micros{0, 1, -1_500_000, math.MaxInt64, math.MinInt64} {
			parsed.GasesOf(formula.Plain(amount))
			agree(t, parsed, parsed.Compile(), amount)
		}
	})
}
