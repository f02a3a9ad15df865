package model

import (
	"carbongraph/internal/calc"
	"carbongraph/store"
)

// EstimateResult is an *Estimate or a *store.Problem.
type EstimateResult any

// Estimate is what an amount would emit: an emission without a line.
type Estimate struct{ *store.Emission }

// fromInput is the source of an estimate's amount, which no line of the ledger has.
const fromInput = "the input"

// Steps gives the conversions from the amount to the mass, in order.
func (e *Estimate) Steps() ([]store.ProvenanceStep, error) {
	steps, err := e.Emission.Steps()
	for i := range steps {
		if steps[i].Source == calc.FromLine {
			steps[i].Source = fromInput
		}
	}
	return steps, err
}
