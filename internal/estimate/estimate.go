// Package estimate tells what amounts would emit by factors, as the ledger's lines are calculated, and stores nothing.
package estimate

import (
	"context"
	"crypto/sha256"
	"sync"

	"carbongraph/cachex"
	"carbongraph/internal/calc"
	"carbongraph/internal/factors"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

// Options are what estimates are made with.
type Options struct {
	Store   *store.Store
	Catalog *factors.Catalog
	Engine  *calc.Engine
	Tables  [sha256.Size]byte // a digest of what Engine calculates with
	Cache   *cachex.Chain     // nil: nothing is kept
	Secret  []byte            // that what is kept is named with: the same on every server over one database
}

// Result is what became of an input: one of the two.
type Result struct {
	Emission *store.Emission // what it would be by factor, figures, method and formula; it has no line, and no id
	Problem  *store.Problem  // its path begins at the input
}

// Estimator estimates. It is safe for concurrent use.
type Estimator struct {
	store   *store.Store
	catalog *factors.Catalog
	engine  *calc.Engine
	kept    *keeper

	mu          sync.Mutex
	calculators map[calc.Settings]*calc.Calculator // as many as there are combinations of choices
}

// kinds bounds what each calculator remembers: twice so many kinds of lines, 5 MB with the largest formulas. There are a dozen calculators at most.
const kinds = 512

// New makes an estimator.
func New(o Options) *Estimator {
	return &Estimator{store: o.Store, catalog: o.Catalog, engine: o.Engine, kept: newKeeper(&o), calculators: map[calc.Settings]*calc.Calculator{}}
}

// Estimate gives a result for each input, in their order, by an organization's settings. What is wrong with an input is its result; only what is our own fault is an
// error.
func (e *Estimator) Estimate(ctx context.Context, org *store.Organization, in []*Input) ([]Result, error) {
	a := &asked{how: factors.Settings(org), inputs: make([]checked, len(in))}
	keyed := false
	for i := range in {
		a.inputs[i] = check(in[i])
		keyed = keyed || a.inputs[i].key != nil
	}
	if !keyed {
		out, _, err := e.make(ctx, a)
		return out, err
	}
	// Which factor a key means changes with the datasets.
	var err error
	if a.datasets, err = e.store.Datasets(ctx); err != nil {
		return nil, err
	}
	name := e.kept.name(a)
	if kept, ok := e.kept.get(ctx, name, len(in)); ok {
		return kept, nil
	}
	out, lasting, err := e.make(ctx, a)
	if err == nil && lasting {
		e.kept.put(ctx, name, out)
	}
	return out, err
}

// asked is what estimates hang on, beside what the program itself is made of.
type asked struct {
	how      calc.Settings
	datasets []*store.FactorDataset // where a factor is named by its key
	inputs   []checked
}

// make calculates. It tells whether the results hold for as long as what they were asked with: an id that no factor has today may be one's tomorrow.
func (e *Estimator) make(ctx context.Context, a *asked) (out []Result, lasting bool, err error) {
	if err := e.look(ctx, a); err != nil {
		return nil, false, err
	}
	var ids []store.ID
	for i := range a.inputs {
		if in := &a.inputs[i]; in.wrong == nil {
			ids = append(ids, in.factor)
		}
	}
	found, err := e.catalog.Factors(ctx, ids)
	if err != nil {
		return nil, false, err
	}
	out, lasting = make([]Result, len(a.inputs)), true
	for i := range a.inputs {
		in := &a.inputs[i]
		if in.wrong == nil && found[in.factor] == nil {
			in.wrong, lasting = unknownFactor(), false
		}
		if in.wrong == nil {
			out[i].Emission, in.wrong, err = e.calculate(a.how, in, found[in.factor])
		}
		switch {
		case err != nil:
			return nil, false, err
		case in.wrong != nil:
			out[i].Problem = &store.Problem{Code: string(in.wrong.Code), Message: in.wrong.Message, Path: in.wrong.Path}
		}
	}
	return out, lasting, nil
}

// look finds the factors that are named by their keys.
func (e *Estimator) look(ctx context.Context, a *asked) error {
	var keys []factors.Key
	for i := range a.inputs {
		if in := &a.inputs[i]; in.key != nil {
			keys = append(keys, *in.key)
		}
	}
	if keys == nil {
		return nil
	}
	found, err := factors.Look(ctx, e.store, a.datasets, keys)
	if err != nil {
		return err
	}
	for i := range a.inputs {
		in := &a.inputs[i]
		if in.key == nil {
			continue
		}
		id, err := found.One(*in.key)
		if err != nil {
			in.wrong = fault.Of(err).At("factorKey")
			continue
		}
		in.factor = id
	}
	return nil
}

// calculate gives what an input would emit, or what is wrong with it.
func (e *Estimator) calculate(how calc.Settings, in *checked, f *factors.Entry) (*store.Emission, *fault.Fault, error) {
	if in.gwpSet != "" {
		how.GwpSet = in.gwpSet
	}
	line := in.line
	if line.OccurredOn.IsZero() { // of the factor's own time
		line.OccurredOn = f.Calc.ValidFrom
	}
	if line.OccurredOn.IsZero() {
		line.OccurredOn = f.Calc.ValidTo
	}
	result, err := e.calculator(how).Calculate(&line, f.Calc)
	switch wrong := fault.CodeOf(err); wrong {
	case "":
	case fault.UnknownUnit, fault.UnitMismatch, fault.NoFactor, fault.NoExchangeRate, fault.BadUserInput:
		return nil, fault.Of(err), nil
	default:
		return nil, nil, err
	}
	return &store.Emission{FactorID: f.ID, DatasetID: f.DatasetID, CO2e: result.CO2e, BiogenicCO2: result.Biogenic, Method: store.CalculationMethod(result.Method),
		GwpSet: store.GwpSet(result.GwpSet), Formula: result.Text, Amount: result.Amount}, nil, nil
}

// calculator gives the calculator of the settings, which remembers what it has met.
func (e *Estimator) calculator(how calc.Settings) *calc.Calculator {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.calculators[how]
	if c == nil {
		c = e.engine.CalculatorOf(how, kinds)
		e.calculators[how] = c
	}
	return c
}
