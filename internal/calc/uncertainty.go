package calc

import (
	"fmt"

	"github.com/cockroachdb/apd/v3"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

// Uncertainty. A percent p is half the width of a 95 % interval. Amounts and factors cannot be negative by chance, so they are taken as
// log-normal about their value x, with the interval from x ÷ (1 + p/100) to x × (1 + p/100): ln(1 + p/100) is 1.96 standard deviations of
// ln x. Those of an amount and of its factor are independent; their squares add up, and so do the squares of the logarithms.

// logarithms work with more digits than the twelve that are kept, the same on every machine.
var logarithms = apd.BaseContext.WithPrecision(24)

// interval works out what CO2e is multiplied by for the ends of its interval, to twelve digits.
func (m *Made) interval(factor *exact.Decimal, activity exact.Micros) error {
	if factor == nil && activity == 0 {
		return nil
	}
	if activity < 0 || factor != nil && factor.Sign() < 0 {
		return fault.New(fault.BadUserInput, "An uncertainty is negative; give half the width of the 95 %% interval, in percent.")
	}
	high := ratioOf(activity.Decimal())
	switch {
	case activity == 0:
		high = ratioOf(*factor)
	case factor != nil:
		var err error
		if high, err = combine(ratioOf(*factor), high); err != nil {
			return err
		}
	}
	m.HighRatio = high.Significant(12)
	m.LowRatio, m.HasInterval = one.Quo(m.HighRatio).Significant(12), true
	return nil
}

func ratioOf(percent exact.Decimal) exact.Decimal {
	return one.Add(percent.Mul(exact.NewDecimal(1, -2)))
}

// combine gives exp √(ln² a + ln² b).
func combine(a, b exact.Decimal) (exact.Decimal, error) {
	var sum, root apd.Decimal
	ed := apd.MakeErrDecimal(logarithms)
	for _, ratio := range []exact.Decimal{a, b} {
		x, _, err := apd.NewFromString(ratio.Canonical())
		if err != nil {
			return exact.Decimal{}, fmt.Errorf("calc: uncertainty: %w", err)
		}
		ed.Ln(x, x)
		ed.Mul(x, x, x)
		ed.Add(&sum, &sum, x)
	}
	ed.Sqrt(&root, &sum)
	ed.Exp(&root, &root)
	if err := ed.Err(); err != nil {
		return exact.Decimal{}, fmt.Errorf("calc: uncertainty: %w", err)
	}
	return exact.ParseDecimal(root.Text('f'))
}

// ends gives the interval of a mass, the lower end first whatever the sign.
func (m *Made) ends(co2e exact.Milligrams) (low, high exact.Milligrams, ok bool) {
	x := co2e.Decimal()
	a, okA := x.MulTo(m.LowRatio, 6).Scaled(6)
	b, okB := x.MulTo(m.HighRatio, 6).Scaled(6)
	return exact.Milligrams(min(a, b)), exact.Milligrams(max(a, b)), okA && okB
}
