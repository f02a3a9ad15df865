// Package formula tells how an amount of the ledger becomes a mass: exact steps, written down once, repeated for any amount.
//
// All lines of one kind share a formula. What a line emits is therefore a formula and an amount: the steps between
// are replayed from the two whenever somebody asks, with the same digits each time.
package formula

import (
	"fmt"
	"strings"

	"carbongraph/internal/exact"
)

// Where a step has its input from, if not from a step before it.
const (
	Amount = -1 // the amount of the ledger's line
	Given  = -2 // a number of its own: Input
)

// None stands for a step that a formula does not have.
const None = -1

// Operators of a step.
const (
	Multiply = "multiply"
	Divide   = "divide"
	Round    = "round" // half to even, to a multiple of the operand, which is a power of ten
)

// Step is one operation: its output is its input, Operator, Operand, with 34 digits, half to even.
type Step struct {
	Step       string // quantity, unit, density, deflate, convert, gwp, factor, round
	Of         int    // the step whose output goes in, Amount or Given
	Input      *exact.Decimal
	InputUnit  string
	Operator   string
	Operand    exact.Decimal
	OutputUnit string
	Source     string // series, dataset and version, in words
	FromFactor bool   // the operand is the factor's
}

// Gas is one gas of a factor, in kilograms for each unit of the converted amount.
type Gas struct {
	Gas  string
	Mass *exact.Decimal // nil where the factor states CO2e alone
	CO2e exact.Decimal
}

// Formula is the way from an amount to a mass. It is immutable once it is in use.
type Formula struct {
	Steps     []Step
	Gases     []Gas
	Converted int // the step whose output is in the factor's unit
	Biogenic  int // the step that rounds biogenic CO2 to the milligram, or None
	CO2e      int // the step that rounds CO2e to the milligram
}

// Value is what goes into a step and what comes out.
type Value struct{ Input, Output exact.Decimal }

// GasAmount is one gas of a result, in kilograms: masses to 12 places, CO2e to 6.
type GasAmount struct {
	Gas  string
	Mass *exact.Decimal
	CO2e exact.Decimal
}

// Bounds of a formula. Within them no number that Replay comes upon leaves the range of decimal128's exponents.
const (
	maxSteps  = 256
	maxDepth  = 50 // steps one after the other
	maxGases  = 256
	maxPlaces = 100 // of a number, on either side of the point
)

// Plain is an amount of the ledger as people write it: 504, not 504.000000, since every step would carry the zeros on.
func Plain(m exact.Micros) exact.Decimal {
	n, exponent := int64(m), int32(-6)
	for exponent < 0 && n%10 == 0 {
		n, exponent = n/10, exponent+1
	}
	return exact.NewDecimal(n, exponent)
}

// Replay works out every step for an amount.
func (f *Formula) Replay(amount exact.Decimal) []Value {
	values := make([]Value, len(f.Steps))
	for i := range f.Steps {
		s := &f.Steps[i]
		switch {
		case s.Of == Amount:
			values[i].Input = amount
		case s.Of == Given:
			values[i].Input = *s.Input
		default:
			values[i].Input = values[s.Of].Output
		}
		values[i].Output = s.apply(values[i].Input)
	}
	return values
}

func (s *Step) apply(input exact.Decimal) exact.Decimal {
	switch s.Operator {
	case Multiply:
		return input.Mul(s.Operand)
	case Divide:
		return input.Quo(s.Operand)
	}
	places, _ := powerOfTen(s.Operand)
	return input.Round(places)
}

// at is what a step gives for an amount; only the steps that lead there are taken.
func (f *Formula) at(step int, amount exact.Decimal) exact.Decimal {
	s := &f.Steps[step]
	switch s.Of {
	case Amount:
		return s.apply(amount)
	case Given:
		return s.apply(*s.Input)
	}
	return s.apply(f.at(s.Of, amount))
}

// GasesOf splits the mass by gas, as far as the factor states gases, from 18 digits of the converted amount: beyond what is shown
// of any gas, and quick to multiply. It is information beside the total, which comes from the factor's value:
// published factors are rounded otherwise than their gases.
func (f *Formula) GasesOf(amount exact.Decimal) []GasAmount {
	if len(f.Gases) == 0 {
		return nil
	}
	converted := f.at(f.Converted, amount).Significant(18)
	list := make([]GasAmount, len(f.Gases))
	masses := make([]exact.Decimal, len(f.Gases))
	for i, g := range f.Gases {
		list[i] = GasAmount{Gas: g.Gas, CO2e: converted.MulTo(g.CO2e, 6)}
		if g.Mass != nil {
			masses[i] = converted.MulTo(*g.Mass, 12)
			list[i].Mass = &masses[i]
		}
	}
	return list
}

// Check tells what Replay could not do, or what leads to no milligrams. Parse gives only formulas that pass; one that was
// put together by hand has to be checked before it is used.
func (f *Formula) Check() error {
	if len(f.Steps) > maxSteps || len(f.Gases) > maxGases {
		return fmt.Errorf("formula: %d steps and %d gases; at most %d and %d are possible", len(f.Steps), len(f.Gases), maxSteps, maxGases)
	}
	depth := make([]int, len(f.Steps))
	for i := range f.Steps {
		s := &f.Steps[i]
		if s.Of < Given || s.Of >= i {
			return fmt.Errorf("formula: step %d takes the output of %d, which does not go before it", i, s.Of)
		}
		if depth[i] = 1; s.Of >= 0 {
			depth[i] += depth[s.Of]
		}
		if depth[i] > maxDepth {
			return fmt.Errorf("formula: step %d is the %dth of a chain; at most %d are possible", i, depth[i], maxDepth)
		}
		if err := s.check(); err != nil {
			return fmt.Errorf("formula: step %d: %w", i, err)
		}
	}
	for _, g := range f.Gases {
		if !bounded(g.CO2e) || g.Mass != nil && !bounded(*g.Mass) {
			return fmt.Errorf("formula: the gas %.40q has a number out of range", g.Gas)
		}
	}
	if f.Converted < 0 || f.Converted >= len(f.Steps) {
		return fmt.Errorf("formula: step %d, whose output is the converted amount, does not exist", f.Converted)
	}
	if !f.roundsToMilligram(f.CO2e) || f.Biogenic != None && !f.roundsToMilligram(f.Biogenic) {
		return fmt.Errorf("formula: steps %d and %d are to round to the milligram", f.CO2e, f.Biogenic)
	}
	return nil
}

func (s *Step) check() error {
	if (s.Input != nil) != (s.Of == Given) {
		return fmt.Errorf("an input stands where it is given, and there alone")
	}
	if !bounded(s.Operand) || s.Input != nil && !bounded(*s.Input) {
		return fmt.Errorf("a number is out of range: at most %d places on either side of the point", maxPlaces)
	}
	switch s.Operator {
	case Multiply:
		return nil
	case Divide:
		if s.Operand.Sign() == 0 {
			return fmt.Errorf("division by zero")
		}
		return nil
	case Round:
		if _, ok := powerOfTen(s.Operand); !ok {
			return fmt.Errorf("rounding to multiples of %s, which is no power of ten", s.Operand)
		}
		return nil
	}
	return fmt.Errorf("%.20q is no operator", s.Operator)
}

func (f *Formula) roundsToMilligram(step int) bool {
	if step < 0 || step >= len(f.Steps) || f.Steps[step].Operator != Round {
		return false
	}
	places, _ := powerOfTen(f.Steps[step].Operand)
	return places == milligrams
}

// milligrams are the places of a kilogram that a mass is rounded to.
const milligrams = 6

func bounded(x exact.Decimal) bool {
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(x.String(), "-"), ".")
	return len(whole) <= maxPlaces && len(fraction) <= maxPlaces
}

// powerOfTen gives the places after the point that a power of ten stands for: 6 for 0.000001, −3 for 1000.
func powerOfTen(x exact.Decimal) (places int32, ok bool) {
	s := x.Canonical()
	if zeros, is := strings.CutPrefix(s, "1"); is {
		return -int32(len(zeros)), strings.Trim(zeros, "0") == ""
	}
	fraction, is := strings.CutPrefix(s, "0.")
	return int32(len(fraction)), is && strings.TrimLeft(fraction, "0") == "1"
}
