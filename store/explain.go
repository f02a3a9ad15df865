package store

import (
	"encoding/json"
	"fmt"
	"strings"

	"carbongraph/internal/exact"
	"carbongraph/internal/formula"
)

// An emission is a formula and an amount. What it shows of its calculation is worked out from the two whenever it is asked for.

// Steps gives the conversions from the ledger's line to the mass, in order.
func (e *Emission) Steps() ([]ProvenanceStep, error) {
	if strings.HasPrefix(e.Formula, asItStands) {
		steps, _, err := e.recorded()
		return steps, err
	}
	f, err := formula.Parse(e.Formula)
	if err != nil {
		return nil, e.unexplained(err)
	}
	values := f.Replay(formula.Plain(e.Amount))
	steps := make([]ProvenanceStep, len(f.Steps))
	for i := range f.Steps {
		s := &f.Steps[i]
		steps[i] = ProvenanceStep{Step: s.Step, Input: &values[i].Input, Operator: s.Operator, Operand: &s.Operand, Output: values[i].Output,
			OutputUnit: s.OutputUnit, Source: s.Source}
		if s.InputUnit != "" {
			steps[i].InputUnit = &s.InputUnit
		}
		if s.FromFactor {
			steps[i].SourceRow = &e.FactorID
		}
	}
	return steps, nil
}

// GasAmounts gives the gases; none where the factor states CO2e alone.
func (e *Emission) GasAmounts() ([]GasAmount, error) {
	if strings.HasPrefix(e.Formula, asItStands) {
		_, gases, err := e.recorded()
		return gases, err
	}
	f, err := formula.Parse(e.Formula)
	if err != nil {
		return nil, e.unexplained(err)
	}
	amounts := f.GasesOf(formula.Plain(e.Amount))
	gases := make([]GasAmount, len(amounts))
	for i, g := range amounts {
		gases[i] = GasAmount{Gas: g.Gas, Mass: g.Mass, CO2e: g.CO2e}
	}
	return gases, nil
}

func (e *Emission) unexplained(err error) error {
	return fmt.Errorf("store: the formula of emission %s: %v", e.ID, err)
}

// asItStands begins the text of what was calculated before there were formulas: [0,steps,gases], where a step is
//
//	[step, operator, operand, output, outputUnit, source, sourceRow, input, inputUnit]
//
// and a gas [gas, mass, co2e]. The last places of a step are left away where they are empty. A step that has not even the place of an input takes the
// output of the step before, in that one's unit.
const asItStands = "[0,"

func (e *Emission) recorded() (steps []ProvenanceStep, gases []GasAmount, err error) {
	var parts []json.RawMessage
	var rows [][]*json.RawMessage
	var amounts []recordedGas
	if err := json.Unmarshal([]byte(e.Formula), &parts); err != nil || len(parts) != 3 {
		return nil, nil, e.unexplained(fmt.Errorf("%.80q is not what was written: %v", e.Formula, err))
	}
	if err := json.Unmarshal(parts[1], &rows); err != nil {
		return nil, nil, e.unexplained(err)
	}
	if err := json.Unmarshal(parts[2], &amounts); err != nil {
		return nil, nil, e.unexplained(err)
	}
	for _, row := range rows {
		s, err := recordedStep(row)
		if err != nil {
			return nil, nil, e.unexplained(err)
		}
		if len(steps) > 0 && len(row) < 8 {
			before := &steps[len(steps)-1]
			s.Input, s.InputUnit = new(before.Output), new(before.OutputUnit)
		}
		steps = append(steps, s)
	}
	for _, g := range amounts {
		gases = append(gases, GasAmount(g))
	}
	return steps, gases, nil
}

// recordedStep reads the places of a step in their order.
func recordedStep(row []*json.RawMessage) (s ProvenanceStep, err error) {
	places := []any{&s.Step, &s.Operator, &s.Operand, &s.Output, &s.OutputUnit, &s.Source, &s.SourceRow, &s.Input, &s.InputUnit}
	if len(row) < 6 || len(row) > len(places) {
		return s, fmt.Errorf("a step of %d places", len(row))
	}
	for i, text := range row {
		if text == nil {
			continue
		}
		if err := json.Unmarshal(*text, places[i]); err != nil {
			return s, err
		}
	}
	return s, nil
}

// recordedGas is read from [gas, mass, co2e].
type recordedGas GasAmount

// UnmarshalJSON reads the three places.
func (g *recordedGas) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, &[]any{&g.Gas, &g.Mass, &g.CO2e})
}

// packed writes the indicators as the digits of one number.
func (q DataQuality) packed() int32 {
	return (((q.Technology*10+q.Time)*10+q.Geography)*10+q.Completeness)*10 + q.Reliability
}

func unpackQuality(n int32) DataQuality {
	return DataQuality{Technology: n / 10000 % 10, Time: n / 1000 % 10, Geography: n / 100 % 10, Completeness: n / 10 % 10, Reliability: n % 10}
}

// valid tells whether each indicator is one.
func (q DataQuality) valid() bool {
	for _, n := range []int32{q.Technology, q.Time, q.Geography, q.Completeness, q.Reliability} {
		if n < 1 || n > 5 {
			return false
		}
	}
	return true
}

// Score is the mean of the indicators.
func (q DataQuality) Score() exact.Decimal {
	return exact.NewDecimal(int64(q.Technology+q.Time+q.Geography+q.Completeness+q.Reliability)*2, -1)
}

// Interval is where a mass lies with a probability of 95 %.
type Interval struct{ Low, High exact.Decimal }

// Uncertainty is the 95 % interval of the CO2e, in kilograms; nil where neither activity nor factor states an uncertainty.
func (e *Emission) Uncertainty() *Interval {
	if e.Low == nil || e.High == nil {
		return nil
	}
	return &Interval{min(*e.Low, *e.High).Decimal(), max(*e.Low, *e.High).Decimal()}
}
