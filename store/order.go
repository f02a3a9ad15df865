package store

import "carbongraph/internal/fault"

// order is one way for rows to stand: by an expression that is never NULL (a comparison with NULL is never true, and rows would be
// lost), then by id in the same direction, so that one comparison of two values tells where a page begins.
type order struct {
	name string
	expr string
	kind keyKind
	desc bool
}

func (o order) direction() OrderDirection {
	if o.desc {
		return Desc
	}
	return Asc
}

// newOrder is an order by an expression that is never NULL. No direction means the contract's default.
func newOrder[F ~string](field F, direction, preset OrderDirection, kind keyKind, expr string) (order, error) {
	if direction == "" {
		direction = preset
	}
	if direction != Asc && direction != Desc {
		return order{}, fault.New(fault.BadUserInput, "There is no direction %q; write ASC or DESC.", direction).At("orderBy", "direction")
	}
	return order{string(field), expr, kind, direction == Desc}, nil
}

// newNullableOrder is an order in which NULLs stand last in both directions: after all values when they ascend, before all of them,
// counted from the low end, when they descend. Each direction has its own index.
func newNullableOrder[F ~string](field F, direction, preset OrderDirection, kind keyKind, column, high, low string) (order, error) {
	o, err := newOrder(field, direction, preset, kind, "COALESCE("+column+", "+high+")")
	if o.desc {
		o.expr = "COALESCE(" + column + ", " + low + ")"
	}
	return o, err
}

// unknownOrder refuses an order field that the contract does not have.
func unknownOrder[F ~string](field F) error {
	return fault.New(fault.BadUserInput, "There is no order %q.", field).At("orderBy", "field")
}
