package calc

import (
	"fmt"
	"strings"

	"carbongraph/internal/exact"
)

// UnitDefinition is a unit of an organization's own: one Symbol is Value × Of, which is a unit that is known or defined as well.
type UnitDefinition struct {
	Symbol string
	Value  exact.Decimal
	Of     string
}

// definedDigits bounds the ratio of a defined unit to its dimension's base: with the digits of our own, conversions stay exact in 34.
const definedDigits = 16

// definitions resolves units that may be defined of one another, in any order.
type definitions struct {
	rows   map[string]*UnitDefinition // by the folded symbol
	done   map[string]*Unit
	path   []string // that is being resolved, to show a circle
	within map[string]bool
}

// define makes a speller of the units; nil where there are none.
func define(rows []UnitDefinition) (*speller, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	d := &definitions{rows: map[string]*UnitDefinition{}, done: map[string]*Unit{}, within: map[string]bool{}}
	for i := range rows {
		if err := d.add(&rows[i]); err != nil {
			return nil, err
		}
	}
	own := &speller{exact: map[string]*Unit{}, folded: map[string]*Unit{}}
	for i := range rows {
		u, err := d.resolve(fold(rows[i].Symbol))
		if err != nil {
			return nil, err
		}
		own.add(u, u.Symbol)
	}
	return own, nil
}

func (d *definitions) add(r *UnitDefinition) error {
	key := fold(r.Symbol)
	switch before := d.rows[key]; {
	case key == "" || len(r.Symbol) > maxSpelling:
		return fmt.Errorf("%.80q is no symbol of a unit; use letters, at most %d bytes", r.Symbol, maxSpelling)
	case spellings.find(r.Symbol) != nil || IsCurrency(r.Symbol):
		return fmt.Errorf("the unit %q is known everywhere and cannot be defined otherwise; choose another symbol", r.Symbol)
	case r.Value.Sign() <= 0:
		return fmt.Errorf("the unit %q is %s %s; it must be more than nothing", r.Symbol, r.Value, r.Of)
	case before != nil:
		return fmt.Errorf("the unit %q is defined twice: as %s %s, and %q as %s %s", before.Symbol, before.Value, before.Of, r.Symbol, r.Value, r.Of)
	}
	d.rows[key] = r
	return nil
}

func (d *definitions) resolve(key string) (*Unit, error) {
	if u := d.done[key]; u != nil {
		return u, nil
	}
	r := d.rows[key]
	if d.path = append(d.path, r.Symbol); d.within[key] {
		return nil, fmt.Errorf("units are defined in a circle: %s", strings.Join(d.path, " → "))
	}
	d.within[key] = true
	of := spellings.find(r.Of)
	if of == nil && d.rows[fold(r.Of)] != nil {
		var err error
		if of, err = d.resolve(fold(r.Of)); err != nil {
			return nil, err
		}
	}
	if of == nil {
		return nil, fmt.Errorf("the unit %q is defined as %s of %q: %s", r.Symbol, r.Value, r.Of, unknownUnit(r.Of).Message)
	}
	ratio := r.Value.Mul(of.ratio)
	if ratio.Significant(definedDigits).Cmp(ratio) != 0 {
		return nil, fmt.Errorf("the unit %q takes more than %d digits in %s; define it by a rounder number", r.Symbol, definedDigits, baseUnits[of.Dimension].Symbol)
	}
	d.done[key] = &Unit{Symbol: r.Symbol, Dimension: of.Dimension, ratio: ratio}
	d.path = d.path[:len(d.path)-1]
	return d.done[key], nil
}

// find gives the unit of a spelling; nil where it is unknown or may mean several.
func (e *Engine) find(symbol string) *Unit {
	if u := spellings.find(symbol); u != nil || e.own == nil {
		return u
	}
	return e.own.find(symbol)
}

// ParseUnit finds a unit as the function ParseUnit does, and among the organization's own.
func (e *Engine) ParseUnit(symbol string) (Unit, error) {
	if u := e.find(symbol); u != nil {
		return *u, nil
	}
	return ParseUnit(symbol)
}
