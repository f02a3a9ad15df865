package plan

import (
	"cmp"
	"slices"
)

// literal is a variable of @skip or @include and the value that lets the selection in.
type literal struct {
	variable string
	want     bool
}

// clause is a set of literals that all must hold, sorted by variable. The empty one always holds.
type clause []literal

// and adds a literal. It is false where the clause can never hold.
func (c clause) and(l literal) (clause, bool) {
	i, found := slices.BinarySearchFunc(c, l, func(a, b literal) int { return cmp.Compare(a.variable, b.variable) })
	if found {
		return c, c[i].want == l.want
	}
	return slices.Insert(slices.Clone(c), i, l), true
}

// within tells whether every literal of c is one of d's: then c holds whenever d does.
func (c clause) within(d clause) bool {
	return !slices.ContainsFunc(c, func(l literal) bool { return !slices.Contains(d, l) })
}

func (c clause) holds(variables map[string]any) bool {
	for _, l := range c {
		if v, _ := variables[l.variable].(bool); v != l.want {
			return false
		}
	}
	return true
}
