package calc

import (
	"fmt"

	"carbongraph/internal/exact"
)

// Rate is the exchange rate of a month: so many units of the currency for one US dollar.
type Rate struct {
	Currency string
	Year     int
	Month    int
	PerUSD   exact.Decimal
}

// Inflation is by how many percent prices rose in a year over the year before.
type Inflation struct {
	Country string // ISO 3166 alpha-2; the euro area as XC, EMU or EA
	Series  string // for example CPI
	Year    int
	Percent exact.Decimal
}

// GWP is the global warming potential of a gas: kilograms of CO2e per kilogram, over 100 years.
type GWP struct {
	Set, Gas string
	Value    exact.Decimal
	Source   string
}

// Options are the tables that an engine calculates with.
type Options struct {
	Rates      []Rate
	Inflation  []Inflation
	GWP        []GWP
	Units      []UnitDefinition // beside those that are known everywhere
	Properties []Property       // beside the built-in densities and heat contents
}

// Engine calculates emissions. It is immutable and safe for concurrent use.
type Engine struct {
	own        *speller // units of Options
	properties map[propertyKey]*property
	named      []string // the properties, in order
	rates      map[string]*rates
	prices     map[string]*prices
	gwp        map[string]map[string]*gwp // by set, then by the gas's key
}

// New checks the tables and makes an engine. A row that no calculation could use, or that says otherwise than another, is an error
// that names it: a rate that is not positive, a month that is none, an inflation of −100 percent, a unit that is defined by itself.
// A calculation must not come upon it later.
func New(o Options) (*Engine, error) {
	e := &Engine{}
	var err error
	if e.own, err = define(o.Units); err != nil {
		return nil, fmt.Errorf("calc: %w", err)
	}
	if e.properties, err = e.propertiesOf(append(builtinProperties(), o.Properties...)); err != nil {
		return nil, fmt.Errorf("calc: %w", err)
	}
	e.named = namesOf(e.properties)
	if e.rates, err = ratesOf(o.Rates); err != nil {
		return nil, fmt.Errorf("calc: %w", err)
	}
	if e.prices, err = pricesOf(o.Inflation); err != nil {
		return nil, fmt.Errorf("calc: %w", err)
	}
	if e.gwp, err = gwpOf(o.GWP); err != nil {
		return nil, fmt.Errorf("calc: %w", err)
	}
	return e, nil
}
