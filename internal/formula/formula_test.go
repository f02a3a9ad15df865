package formula_test

import (
	"strings"
	"testing"

	"carbongraph/internal/exact"
	"carbongraph/internal/formula"
)

var m = exact.MustDecimal

func ptr(s string) *exact.Decimal { return new(m(s)) }

// times makes a formula that multiplies by each number, or divides where a number begins with "/", and rounds.
func times(operands ...string) *formula.Formula {
	f := &formula.Formula{Biogenic: formula.None}
	for i, o := range operands {
		s := formula.Step{Step: "unit", Of: i - 1, InputUnit: "u", OutputUnit: "u", Source: "a table", Operator: formula.Multiply}
		if rest, ok := strings.CutPrefix(o, "/"); ok {
			o, s.Operator = rest, formula.Divide
		}
		s.Operand = m(o)
		f.Steps = append(f.Steps, s)
	}
	f.Converted = len(operands) - 1
	f.CO2e = round(f, f.Converted)
	return f
}

func round(f *formula.Formula, of int) int {
	f.Steps = append(f.Steps, formula.Step{Step: "round", Of: of, InputUnit: "u", Operator: formula.Round, Operand: m("0.000001"), OutputUnit: "kg CO2e", Source: "to the milligram"})
	return len(f.Steps) - 1
}

// fuel has every part that a formula can have: a potential beside the chain, biogenic CO2, gases with and without mass.
func fuel() *formula.Formula {
	f := &formula.Formula{Steps: []formula.Step{
		{Step: "quantity", Of: formula.Amount, InputUnit: "litres", Operator: formula.Multiply, Operand: m("1"), OutputUnit: "litre", Source: "the ledger's line"},
		{Step: "unit", Of: 0, InputUnit: "litre", Operator: formula.Divide, Operand: m("3.785411784"), OutputUnit: "US gallon", Source: "table of units"},
		{Step: "factor", Of: 1, InputUnit: "US gallon", Operator: formula.Multiply, Operand: m("0.50"), OutputUnit: "kg biogenic CO2", Source: "hub", FromFactor: true},
		{Step: "round", Of: 2, InputUnit: "kg biogenic CO2", Operator: formula.Round, Operand: m("0.000001"), OutputUnit: "kg biogenic CO2", Source: "to the milligram"},
		{Step: "gwp", Of: formula.Given, Input: ptr("0.00041"), InputUnit: "kg CH4 per US gallon", Operator: formula.Multiply, Operand: m("28"), OutputUnit: "kg CO2e per US gallon", Source: "IPCC \"AR5\"\n\\"},
		{Step: "factor", Of: 1, InputUnit: "US gallon", Operator: formula.Multiply, Operand: m("10.22148"), OutputUnit: "kg CO2e", Source: "hub", FromFactor: true},
		{Step: "round", Of: 5, InputUnit: "kg CO2e", Operator: formula.Round, Operand: m("0.000001"), OutputUnit: "kg CO2e", Source: "to the milligram"},
	}, Gases: []formula.Gas{{Gas: "CO2", Mass: ptr("10.21"), CO2e: m("10.21")}, {Gas: "CH4", Mass: ptr("0.00041"), CO2e: m("0.01148")}, {Gas: "mix", CO2e: m("0.5")}},
		Converted: 1, Biogenic: 3, CO2e: 6}
	return f
}

func TestReplayGivesEveryStep(t *testing.T) {
	var got []string
	for _, v := range fuel().Replay(m("1000")) {
		got = append(got, v.Input.String()+" "+v.Output.String())
	}
	want := []string{"1000 1000", "1000 264.1720523581484153798999216091625", "264.1720523581484153798999216091625 132.0860261790742076899499608045812",
		"132.0860261790742076899499608045812 132.086026", "0.00041 0.01148",
		"264.1720523581484153798999216091625 2700.229349737766864837339450729622", "2700.229349737766864837339450729622 2700.229350"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("values\n got %q\nwant %q", got, want)
	}
}

func TestGasesComeFrom18DigitsOfTheConvertedAmount(t *testing.T) {
	var got []string
	for _, g := range fuel().GasesOf(m("1000")) {
		mass := "none"
		if g.Mass != nil {
			mass = g.Mass.String()
		}
		got = append(got, g.Gas+" "+mass+" "+g.CO2e.String())
	}
	// 264.172052358148415 × 10.21, × 0.00041, × 0.01148 and × 0.5
	want := []string{"CO2 2697.196654576695 2697.196655", "CH4 0.108310541467 3.032695", "mix none 132.086026"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("gases\n got %q\nwant %q", got, want)
	}
	if gases := times("1").GasesOf(m("1")); gases != nil {
		t.Errorf("%v; a formula without gases gives none", gases)
	}
}

func TestPlainAmountsCarryNoZeros(t *testing.T) {
	for amount, want := range map[exact.Micros]string{504_000_000: "504", 504_500_000: "504.5", -1: "-0.000001", 0: "0", 10_000_000: "10"} {
		if got := formula.Plain(amount).String(); got != want {
			t.Errorf("%d millionths are %s, want %s", amount, got, want)
		}
	}
}

func TestFormulasThatCannotBeReplayedAreRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(f *formula.Formula)
		says   string
	}{
		"a step of a later one":           {func(f *formula.Formula) { f.Steps[1].Of = 5 }, "does not go before"},
		"a step of itself":                {func(f *formula.Formula) { f.Steps[1].Of = 1 }, "does not go before"},
		"a step of nothing":               {func(f *formula.Formula) { f.Steps[1].Of = -3 }, "does not go before"},
		"an input that is not given":      {func(f *formula.Formula) { f.Steps[4].Input = nil }, "an input stands"},
		"an input that is not asked for":  {func(f *formula.Formula) { f.Steps[0].Input = ptr("1") }, "an input stands"},
		"an operator that is none":        {func(f *formula.Formula) { f.Steps[1].Operator = "add" }, "no operator"},
		"a division by zero":              {func(f *formula.Formula) { f.Steps[1].Operand = m("0.00") }, "division by zero"},
		"rounding to 0.05":                {func(f *formula.Formula) { f.Steps[6].Operand = m("0.05") }, "power of ten"},
		"rounding to nothing":             {func(f *formula.Formula) { f.Steps[6].Operand = m("0") }, "power of ten"},
		"rounding to a negative power":    {func(f *formula.Formula) { f.Steps[6].Operand = m("-10") }, "power of ten"},
		"rounding to 101":                 {func(f *formula.Formula) { f.Steps[6].Operand = m("101") }, "power of ten"},
		"a mass that is no milligrams":    {func(f *formula.Formula) { f.Steps[6].Operand = m("0.001") }, "milligram"},
		"a mass that is not rounded":      {func(f *formula.Formula) { f.CO2e = 5 }, "milligram"},
		"no mass":                         {func(f *formula.Formula) { f.CO2e = formula.None }, "milligram"},
		"a mass beyond the steps":         {func(f *formula.Formula) { f.CO2e = 7 }, "milligram"},
		"biogenic CO2 beyond the steps":   {func(f *formula.Formula) { f.Biogenic = -2 }, "milligram"},
		"a converted amount beyond them":  {func(f *formula.Formula) { f.Converted = 7 }, "does not exist"},
		"an operand of 101 places":        {func(f *formula.Formula) { f.Steps[1].Operand = long(101) }, "out of range"},
		"an input of 101 places":          {func(f *formula.Formula) { f.Steps[4].Input = new(long(101)) }, "out of range"},
		"a gas of 101 places":             {func(f *formula.Formula) { f.Gases[2].CO2e = long(101) }, "out of range"},
		"a mass of a gas of 101 places":   {func(f *formula.Formula) { f.Gases[1].Mass = new(long(101)) }, "out of range"},
		"more steps than any factor has":  {func(f *formula.Formula) { f.Steps = append(f.Steps, make([]formula.Step, 256)...) }, "at most"},
		"more gases than any factor has":  {func(f *formula.Formula) { f.Gases = make([]formula.Gas, 257) }, "at most"},
		"a chain that is longer than any": {func(f *formula.Formula) { *f = *times(strings.Fields(strings.Repeat("2 ", 50))...) }, "chain"},
		"a formula without a single step": {func(f *formula.Formula) { *f = formula.Formula{} }, "does not exist"},
	} {
		t.Run(name, func(t *testing.T) {
			f := fuel()
			if err := f.Check(); err != nil {
				t.Fatal(err)
			}
			tc.change(f)
			if err := f.Check(); err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("error %v; want one that says %q", err, tc.says)
			}
			if _, err := formula.Parse(f.Text()); err == nil {
				t.Error("Parse lets it pass")
			}
		})
	}
}

// long is a number with so many places.
func long(places int32) exact.Decimal { return exact.NewDecimal(1, -places) }

func BenchmarkMass(b *testing.B) {
	for name, f := range map[string]*formula.Formula{"short": times("1", "1000", "0.01853"), "long": times("1", "/1.1021", "/0.8213", "0.532"), "with biogenic": fuel()} {
		b.Run(name, func(b *testing.B) {
			c, amount := f.Compile(), exact.Micros(1_234_560_000)
			b.ReportAllocs()
			for b.Loop() {
				if _, _, ok := c.Mass(amount); !ok {
					b.Fatal("too large")
				}
				amount += 1_234_567
			}
		})
	}
}

func BenchmarkReplay(b *testing.B) {
	f := fuel()
	b.ReportAllocs()
	for b.Loop() {
		f.Replay(m("1234.56"))
	}
}

func BenchmarkParse(b *testing.B) {
	text := fuel().Text()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := formula.Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}
