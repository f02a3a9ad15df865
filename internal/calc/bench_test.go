package calc_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"carbongraph/internal/calc"
	"carbongraph/internal/exact"
)

type work struct {
	line   calc.Line
	factor *calc.Factor
}

// lines calculates a ledger of many kinds over and over, each line with another amount.
func lines(b *testing.B, ledger []work, s calc.Settings) {
	c := engine(b, options()).Calculator(s)
	for i := range ledger {
		if _, err := c.Calculate(&ledger[i].line, ledger[i].factor); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		w := &ledger[i%len(ledger)]
		w.line.Quantity.Value += 1_010_000
		w.line.Money.Value += 1_010_000
		if _, err := c.Calculate(&w.line, w.factor); err != nil {
			b.Fatal(err)
		}
		i++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}

// quantities are 50 factors in five units each: 250 kinds.
func quantities() (all []work) {
	for i := range 50 {
		for _, family := range families[:5] {
			f := perUnit(fmt.Sprintf("0.%05d", 1853+i), family[0])
			all = append(all, work{calc.Line{Quantity: amount("1234.56", family[1%len(family)]), OccurredOn: day(2024, 3), Country: "GB", Match: calc.ByRule}, f})
		}
	}
	return all
}

// spends are 25 factors with the 18 gases of the EPA's in twelve months: 300 kinds where money is converted by the month.
func spends() (all []work) {
	for i := range 25 {
		f := perDollar(fmt.Sprintf("0.%03d", 532+i))
		for g := range 18 {
			name := []string{"Carbon dioxide", "Methane", "Nitrous oxide", "HFC-134a"}[g%4]
			f.Gases = append(f.Gases, calc.Gas{Gas: name, Amount: exact.NewDecimal(int64(457+g), -11)})
		}
		for month := time.January; month <= time.December; month++ {
			all = append(all, work{calc.Line{Money: amount("1234.56", "GBP"), OccurredOn: day(2024, month), Country: "GB", Match: calc.ByRule}, f})
		}
	}
	return all
}

func BenchmarkQuantityLines(b *testing.B) { lines(b, quantities(), calc.Settings{GwpSet: "AR5"}) }

func BenchmarkSpendLinesByTheMonth(b *testing.B) { lines(b, spends(), calc.Settings{GwpSet: "AR5"}) }

func BenchmarkSpendLinesByTheYear(b *testing.B) {
	lines(b, spends(), calc.Settings{GwpSet: "AR5", DeflateFirst: true})
}

func BenchmarkLinesWithAnInterval(b *testing.B) {
	all := quantities()
	for i := range all {
		all[i].factor.UncertaintyPercent = ptr("20")
		all[i].line.Uncertainty = 5_000_000
	}
	lines(b, all, calc.Settings{GwpSet: "AR5"})
}

// BenchmarkFormula is the first line of a kind, the dearest: 18 gases and money.
func BenchmarkFormula(b *testing.B) {
	e, w := engine(b, options()), spends()[0]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.Formula(&w.line, w.factor, calc.Settings{GwpSet: "AR5"}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkConvert(b *testing.B) {
	c, spend := engine(b, options()).Calculator(calc.Settings{}), amount("1234.56", "CHF")
	b.ReportAllocs()
	for b.Loop() {
		spend.Value += 10_000
		if _, err := c.Convert(spend, day(2024, 3), "GBP"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSimulate draws one line's mass ten thousand times.
func BenchmarkSimulate(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		calc.Simulate(1, 10_000, 100, 20, 5)
	}
}

func BenchmarkUnknownUnit(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := calc.ParseUnit("wheelbarrow"); err == nil {
			b.Fatal("known")
		}
	}
}

func BenchmarkNew(b *testing.B) {
	o := realOptions(b)
	b.ReportAllocs()
	for b.Loop() {
		engine(b, o)
	}
}

// BenchmarkMemory tells what a kind takes in memory, with 18 gases.
func BenchmarkMemory(b *testing.B) {
	e, all := engine(b, options()), spends()
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		c := e.Calculator(calc.Settings{GwpSet: "AR5"})
		for i := range all {
			if _, err := c.Calculate(&all[i].line, all[i].factor); err != nil {
				b.Fatal(err)
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(c)
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(len(all)), "bytes/kind")
}
