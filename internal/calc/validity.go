package calc

import (
	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

// validity is where a day lies against the days that a factor holds for.
type validity int8

const (
	before validity = iota - 1
	within          // also where the factor says nothing
	after
)

func (f *Factor) holds(on exact.Date) validity {
	switch {
	case !f.ValidFrom.IsZero() && f.ValidFrom.After(on):
		return before
	case !f.ValidTo.IsZero() && on.After(f.ValidTo):
		return after
	}
	return within
}

func (f *Factor) outside(when validity) error {
	lies := "before"
	if when == after {
		lies = "after"
	}
	from, to := "its beginning", "further notice"
	if !f.ValidFrom.IsZero() {
		from = f.ValidFrom.String()
	}
	if !f.ValidTo.IsZero() {
		to = f.ValidTo.String()
	}
	return fault.New(fault.NoFactor, "The factor %s holds from %s to %s; the line lies %s that. Choose a factor of its time, or allow factors of another.",
		f.name(), from, to, lies).At("occurredOn")
}
