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
	Rates     []Rate
	Inflation []Inflation
	GWP       []GWP
}

// Engine calculates emissions. It is immutable and safe for concurrent use.
type Engine struct {
	conversions map[unitPair]conversion
	rates       map[string]*rates
	prices      map[string]*prices
	gwp         map[string]map[string]*gwp // by set, then by the gas's key
}

// New checks the tables and makes an engine. A rate that is not positive, a month that is none or an inflation
// of −100 percent is an error: a calculation must not come upon it later.
func New(o Options) (*Engine, error) {
	e := &Engine{conversions: conversionsOf(unitTable)}
	var err error
	if e.rates, err = ratesOf(o.Rates); err != nil {
		return nil, fmt.Errorf("calc: %w", err)
	}
	if e.prices, err = pricesOf(o.Inflation); err != nil {
		return nil, fmt.Errorf("calc: %w", err)
	}
	if e.gwp, err = gwpOf(o.GWP); err != nil {
		return nil, fmt.Errorf("calc: %w", err)
	}
	for currency := range e.rates {
		e.pricesFor(currency).remember()
	}
	e.pricesFor("USD").remember()
	return e, nil
}
