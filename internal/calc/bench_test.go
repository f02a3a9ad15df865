package calc_test

import (
	"testing"

	"carbongraph/internal/calc"
	"carbongraph/internal/exact"
)

func bench(b *testing.B, l calc.Line, f *calc.Factor, s calc.Settings) {
	e := engine(b, options())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.Emissions(l, f, s); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkQuantity(b *testing.B) {
	bench(b, calc.Line{Quantity: amount("1234.56", "MWh"), OccurredOn: day(2024, 3)}, perUnit("0.01853", "kWh"), calc.Settings{GwpSet: "AR5"})
}

func BenchmarkQuantityBySumOfGases(b *testing.B) {
	bench(b, calc.Line{Quantity: amount("1234.56", "litres"), OccurredOn: day(2024, 3)}, fuel(), calc.Settings{GwpSet: "AR6"})
}

func BenchmarkMoney(b *testing.B) {
	bench(b, calc.Line{Money: amount("1234.56", "GBP"), OccurredOn: day(2024, 3)}, perDollar("0.532"), calc.Settings{GwpSet: "AR5", DeflateFirst: true})
}

// BenchmarkMoneyWithGases has the 18 gases of EPA's factors: the dearest line of a real import.
func BenchmarkMoneyWithGases(b *testing.B) {
	f := perDollar("0.532")
	for i := range 18 {
		name := []string{"Carbon dioxide", "Methane", "Nitrous oxide", "HFC-134a"}[i%4]
		f.Gases = append(f.Gases, calc.Gas{Gas: name, Amount: exact.NewDecimal(int64(457+i), -11)})
	}
	bench(b, calc.Line{Money: amount("1234.56", "GBP"), OccurredOn: day(2024, 3)}, f, calc.Settings{GwpSet: "AR5", DeflateFirst: true})
}

func BenchmarkConvert(b *testing.B) {
	e := engine(b, options())
	spend, on := m("1234.56"), day(2024, 3)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := e.Convert(spend, "CHF", on, "GBP"); err != nil {
			b.Fatal(err)
		}
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
