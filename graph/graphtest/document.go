package graphtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Document is one document as a client sends it, and where it comes from.
type Document struct {
	Seed  uint64
	Index int
	// Rash: something in it may have been made to be refused.
	Rash bool

	Text          string
	OperationName string
	Variables     map[string]any

	query     *ast.QueryDocument
	operation *ast.OperationDefinition // the one that is run
	style     int
}

// String shows what a person needs to send the document again.
func (d *Document) String() string {
	variables, err := json.Marshal(d.Variables)
	if err != nil {
		variables = []byte(err.Error())
	}
	return fmt.Sprintf("seed %d, index %d, operation %q\n%s\nvariables %s", d.Seed, d.Index, d.OperationName, d.Text, variables)
}

// finish writes the text, and drops what nobody uses: fragments, variables, values of variables.
func (d *Document) finish() {
	reached := map[string]bool{}
	wanted := map[string]bool{"nobodyAsked": true}
	for _, op := range d.query.Operations {
		used := d.used(op)
		op.VariableDefinitions = slices.DeleteFunc(slices.Clone(op.VariableDefinitions), func(v *ast.VariableDefinition) bool { return !slices.Contains(used, v.Variable) })
		for _, name := range used {
			wanted[name] = true
		}
		d.reach(op.SelectionSet, reached)
	}
	d.query.Fragments = slices.DeleteFunc(slices.Clone(d.query.Fragments), func(f *ast.FragmentDefinition) bool { return !reached[f.Name] })
	d.Variables = maps.Clone(d.Variables)
	maps.DeleteFunc(d.Variables, func(name string, _ any) bool { return !wanted[name] })
	d.Text = written(d.query, d.style)
}

// reach gathers the fragments that a selection spreads, and those that they spread.
func (d *Document) reach(set ast.SelectionSet, reached map[string]bool) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			d.reach(s.SelectionSet, reached)
		case *ast.InlineFragment:
			d.reach(s.SelectionSet, reached)
		case *ast.FragmentSpread:
			if f := d.query.Fragments.ForName(s.Name); f != nil && !reached[s.Name] {
				reached[s.Name] = true
				d.reach(f.SelectionSet, reached)
			}
		}
	}
}

// used gives the variables that an operation uses, its fragments included, in alphabetical order.
func (d *Document) used(op *ast.OperationDefinition) []string {
	names := map[string]bool{}
	reached := map[string]bool{}
	d.reach(op.SelectionSet, reached)
	mention(op.SelectionSet, names)
	for _, f := range d.query.Fragments {
		if reached[f.Name] {
			mention(f.SelectionSet, names)
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// mention gathers the variables in a selection; fragments that it spreads are left to the caller.
func mention(set ast.SelectionSet, names map[string]bool) {
	directives := func(list ast.DirectiveList) {
		for _, d := range list {
			for _, a := range d.Arguments {
				mentionValue(a.Value, names)
			}
		}
	}
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			for _, a := range s.Arguments {
				mentionValue(a.Value, names)
			}
			directives(s.Directives)
			mention(s.SelectionSet, names)
		case *ast.InlineFragment:
			directives(s.Directives)
			mention(s.SelectionSet, names)
		case *ast.FragmentSpread:
			directives(s.Directives)
		}
	}
}

func mentionValue(v *ast.Value, names map[string]bool) {
	if v.Kind == ast.Variable {
		names[v.Raw] = true
	}
	for _, c := range v.Children {
		mentionValue(c.Value, names)
	}
}

func compare(a, b string) int { return strings.Compare(a, b) }
