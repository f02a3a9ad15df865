package calc_test

import (
	"testing"
	"time"

	"carbongraph/internal/calc"
	"carbongraph/internal/exact"
	"carbongraph/internal/formula"
)

var m = exact.MustDecimal

func ptr(s string) *exact.Decimal { d := m(s); return &d }

// amount is one that the ledger can hold.
func amount(value, unit string) calc.Amount {
	n, ok := m(value).ScaledExactly(6)
	if !ok {
		panic(value + " is no amount of the ledger")
	}
	return calc.Amount{Value: exact.Micros(n), Unit: unit}
}

func day(year int, month time.Month) exact.Date { return exact.NewDate(year, month, 15) }

// options holds small tables whose figures are easy to check by hand.
func options() calc.Options {
	o := calc.Options{
		Inflation: []calc.Inflation{
			{Country: "GB", Series: "deflator", Year: 2023, Percent: m("99")},
			{Country: "GB", Series: "CPI", Year: 2022, Percent: m("8")}, {Country: "GB", Series: "CPI", Year: 2023, Percent: m("7")},
			{Country: "GB", Series: "CPI", Year: 2024, Percent: m("3")}, {Country: "GB", Series: "deflator", Year: 2024, Percent: m("99")},
			{Country: "US", Series: "CPI", Year: 2022, Percent: m("8")}, {Country: "US", Series: "CPI", Year: 2023, Percent: m("4")},
			{Country: "US", Series: "CPI", Year: 2024, Percent: m("3")}, {Country: "XC", Series: "CPI", Year: 2023, Percent: m("5")},
			{Country: "DE", Series: "CPI", Year: 2023, Percent: m("6")}, {Country: "CH", Series: "CPI", Year: 2022, Percent: m("2")},
			{Country: "CH", Series: "CPI", Year: 2024, Percent: m("1")},
		},
		GWP: []calc.GWP{
			{Set: "AR5", Gas: "CH4", Value: m("28"), Source: "IPCC AR5"}, {Set: "AR5", Gas: "N2O", Value: m("265"), Source: "IPCC AR5"},
			{Set: "AR6", Gas: "CH4", Value: m("27.9"), Source: "IPCC AR6"}, {Set: "AR6", Gas: "N2O", Value: m("273")},
			{Set: "AR5", Gas: "HFC134a", Value: m("1300"), Source: "IPCC AR5"}, {Set: "AR6", Gas: "HFC134a", Value: m("1530")},
		},
	}
	for month := 1; month <= 12; month++ {
		for year := 2020; year <= 2024; year++ {
			o.Rates = append(o.Rates, calc.Rate{Currency: "GBP", Year: year, Month: month, PerUSD: m("0.8")})
			if year != 2021 {
				o.Rates = append(o.Rates, calc.Rate{Currency: "CHF", Year: year, Month: month, PerUSD: m("0.9")})
			}
		}
	}
	o.Rates = append(o.Rates,
		calc.Rate{Currency: "EUR", Year: 2022, Month: 1, PerUSD: m("0.90")}, calc.Rate{Currency: "EUR", Year: 2022, Month: 2, PerUSD: m("0.91")},
		calc.Rate{Currency: "EUR", Year: 2022, Month: 3, PerUSD: m("0.95")}, calc.Rate{Currency: "EUR", Year: 2023, Month: 6, PerUSD: m("0.92")})
	return o
}

func engine(t testing.TB, o calc.Options) *calc.Engine {
	t.Helper()
	e, err := calc.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// perUnit is a published factor without gases.
func perUnit(value, unit string) *calc.Factor {
	return &calc.Factor{Source: "desnz", Version: "2025", Code: "x", Name: "Thing", Region: "GB", Unit: unit, Value: ptr(value), GwpSet: "AR5"}
}

func perDollar(value string) *calc.Factor {
	return &calc.Factor{Source: "epa", Version: "1.3", Code: "541511", Region: "US", Unit: "USD", PriceYear: 2022, PriceBasis: "PURCHASER", Value: ptr(value), GwpSet: "AR5"}
}

// step is a step of a formula with what went in and came out.
type step struct {
	formula.Step
	Input, Output exact.Decimal
}

func stepsOf(f *formula.Formula, amount exact.Decimal) []step {
	out := make([]step, len(f.Steps))
	for i, v := range f.Replay(amount) {
		out[i] = step{f.Steps[i], v.Input, v.Output}
	}
	return out
}

// emission is a result with its steps and gases replayed.
type emission struct {
	calc.Result
	Steps []step
	Gases []formula.GasAmount
}

func emissions(e *calc.Engine, l calc.Line, f *calc.Factor, s calc.Settings) (*emission, error) {
	r, err := e.Calculator(s).Calculate(&l, f)
	if err != nil {
		return nil, err
	}
	amount := formula.Plain(r.Amount)
	return &emission{r, stepsOf(r.Formula, amount), r.Formula.GasesOf(amount)}, nil
}

// repeat does again by hand what a step says, and fails where another digit comes out.
func repeat(t interface {
	Helper()
	Errorf(string, ...any)
}, steps []step) {
	t.Helper()
	for _, s := range steps {
		if s.Source == "" || s.InputUnit == "" || s.OutputUnit == "" {
			t.Errorf("step %s lacks a part: %+v", s.Step.Step, s)
			continue
		}
		var want exact.Decimal
		switch s.Operator {
		case formula.Multiply:
			want = s.Input.Mul(s.Operand)
		case formula.Divide:
			want = s.Input.Quo(s.Operand)
		case formula.Round:
			want = s.Input.Round(6)
			if s.Operand.Canonical() != "0.000001" {
				t.Errorf("rounds to %s, want the milligram", s.Operand)
			}
		default:
			t.Errorf("operator %q", s.Operator)
		}
		if want.Canonical() != s.Output.Canonical() {
			t.Errorf("%s: %s %s %s = %s, the step says %s", s.Step.Step, s.Input, s.Operator, s.Operand, want, s.Output)
		}
	}
}
