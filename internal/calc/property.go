package calc

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/internal/formula"
)

// Property is a density or a heat content: one From is Value × To, of what Name says. It is the only way from one dimension to another,
// and is used only where the line or its factor names it: what is burnt cannot be guessed from a unit.
type Property struct {
	Name     string // whose table, and of what: "epa:natural-gas"
	From, To string // units of two dimensions
	Value    exact.Decimal
	Source   string
}

type propertyKey struct {
	name     string
	from, to Dimension
}

type property struct {
	from, to *Unit
	operator string
	value    exact.Decimal
	source   string
}

// propertiesOf indexes the table both ways. Rows of one name have to agree: a litre's kilograms times a kilogram's energy is a litre's energy.
func (e *Engine) propertiesOf(rows []Property) (map[propertyKey]*property, error) {
	table := make(map[propertyKey]*property, 2*len(rows))
	dimensions := map[string][]Dimension{}
	for _, r := range rows {
		from, to := e.find(r.From), e.find(r.To)
		switch {
		case r.Name == "" || r.Source == "":
			return nil, fmt.Errorf("the property %q from %s to %s needs a name and a source", r.Name, r.From, r.To)
		case from == nil || to == nil:
			return nil, fmt.Errorf("the property %q leads from %q to %q, one of which is unknown", r.Name, r.From, r.To)
		case from.Dimension == to.Dimension:
			return nil, fmt.Errorf("the property %q leads from %s to %s, both of %s; that is no property", r.Name, r.From, r.To, from.Dimension)
		case r.Value.Sign() <= 0:
			return nil, fmt.Errorf("the property %q is %s %s per %s; it must be more than nothing", r.Name, r.Value, r.To, r.From)
		}
		key := propertyKey{r.Name, from.Dimension, to.Dimension}
		if before := table[key]; before != nil {
			return nil, fmt.Errorf("the property %q leads from %s to %s twice", r.Name, key.from, key.to)
		}
		source := r.Source + ": " + r.Value.Canonical() + " " + to.Symbol + " per " + from.Symbol + " (" + r.Name + ")"
		table[key] = &property{from, to, formula.Multiply, r.Value, source}
		table[propertyKey{r.Name, to.Dimension, from.Dimension}] = &property{to, from, formula.Divide, r.Value, source}
		for _, d := range []Dimension{from.Dimension, to.Dimension} {
			if !slices.Contains(dimensions[r.Name], d) {
				dimensions[r.Name] = append(dimensions[r.Name], d)
			}
		}
	}
	for name, of := range dimensions {
		if err := agree(table, name, of); err != nil {
			return nil, err
		}
	}
	return table, nil
}

func namesOf(table map[propertyKey]*property) []string {
	names := make([]string, 0, len(table))
	for key := range table {
		names = append(names, key.name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// CheckProperty is a BAD_USER_INPUT fault where no property has the name. It says which may have been meant.
func (e *Engine) CheckProperty(name string) error {
	if _, known := slices.BinarySearch(e.named, name); known {
		return nil
	}
	if near := e.nearProperties(name); len(near) > 0 {
		return fault.New(fault.BadUserInput, "No density or heat content is called %.60q; write %s where that is meant.", name, strings.Join(near, " or "))
	}
	return fault.New(fault.BadUserInput, "No density or heat content is called %.60q; write the name of one, such as epa:natural-gas or desnz:diesel-average-biofuel-blend.", name)
}

// nearProperties gives the known names that take the fewest edits, with their table's name or without; none where all are far.
func (e *Engine) nearProperties(name string) (near []string) {
	key := fold(name)
	if key == "" || len(key) > maxSpelling {
		return nil
	}
	best := max(1, len(key)/3)
	for _, known := range e.named {
		_, fuel, _ := strings.Cut(known, ":")
		d := min(edits(key, fold(known), best), edits(key, fold(fuel), best))
		if d < best {
			best, near = d, nil
		}
		if d == best && len(near) < 3 {
			near = append(near, strconv.Quote(known))
		}
	}
	return near
}

// agree compares every way of two properties with the direct one. Published values are rounded, so one percent is let pass.
func agree(table map[propertyKey]*property, name string, of []Dimension) error {
	for _, a := range of {
		for _, b := range of {
			for _, c := range of {
				ab, bc, ac := table[propertyKey{name, a, b}], table[propertyKey{name, b, c}], table[propertyKey{name, a, c}]
				if ab == nil || bc == nil || ac == nil {
					continue
				}
				if q := ab.inBase() * bc.inBase() / ac.inBase(); q < 0.99 || q > 1.01 {
					return fmt.Errorf("the property %q contradicts itself: from %s to %s directly, and by way of %s, differ by more than one percent", name, a, c, b)
				}
			}
		}
	}
	return nil
}

// inBase is the ratio between the bases of the two dimensions, near enough to compare.
func (p *property) inBase() float64 {
	v := p.value.Float64()
	if p.operator == formula.Divide {
		v = 1 / v
	}
	return v * p.to.ratio.Float64() / p.from.ratio.Float64()
}

// step is what the property does, and its name: a density between mass and volume, a heat content where energy is on one side.
func (p *property) step() formula.Step {
	s := formula.Step{Step: "property", InputUnit: p.from.Symbol, Operator: p.operator, Operand: p.value, OutputUnit: p.to.Symbol, Source: p.source}
	switch {
	case p.from.Dimension.energy() || p.to.Dimension.energy():
		s.Step = "heat content"
	case p.from.Dimension == Mass && p.to.Dimension == Volume || p.from.Dimension == Volume && p.to.Dimension == Mass:
		s.Step = "density"
	}
	return s
}

func (d Dimension) energy() bool { return d == Energy || d == EnergyNet || d == EnergyGross }

// across finds the named property between two units of different dimensions.
func (e *Engine) across(name, written string, from, to *Unit) (*property, error) {
	if name == "" {
		return nil, mismatch(written, from.Dimension, to.Symbol, to.Dimension)
	}
	if p := e.properties[propertyKey{name, from.Dimension, to.Dimension}]; p != nil {
		return p, nil
	}
	return nil, fault.New(fault.UnitMismatch, "The line is in %.40s (%s); the factor is per %s (%s), and %.60q has no density or heat content between the two. Give the amount in a unit of %s.",
		written, from.Dimension, to.Symbol, to.Dimension, name, to.Dimension).At("quantity", "unit")
}
