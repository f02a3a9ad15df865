// Package plan tells what an operation of a document asks for: its fields, merged as the GraphQL specification merges them, once for all requests.
package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"carbongraph/internal/fault"
)

// maxSelections bounds the work and the memory that one document can cause: fragments that name each other twice double with each of them.
const maxSelections = 20_000

// Plan is one operation of a document. It is immutable and shared by every request that runs the operation.
type Plan struct {
	Operation *ast.OperationDefinition
	Object    *ast.Definition // the root type
	Switches  []string        // the variables that decide, in @skip and @include, what is selected; sorted
	Forms     []string        // the variables that decide, in arguments of fields without a selection, how a value is shown; sorted
	Size      int             // how many fields there are, on all levels
	Policy    Policy          // what an answer hangs on, and for how long it may be kept
	hanging   *hanging
	root      group
	fixedCost int // where the variables do not matter to it; -1: they do
}

// Field is a field of one object type, merged from everywhere the document selects it under the same response key.
type Field struct {
	ID         int    // dense within the plan, from 0: an index into what an operation keeps for each field
	Object     string // the object type that the field stands on, never an interface
	Key        string // the response key
	Definition *ast.FieldDefinition
	Selection  *ast.Field // the first place that selects it
	Parent     *Field     // nil for root fields

	schema   *ast.Schema
	when     []place
	fixed    map[string]any // the arguments, where no variable is in them
	variable bool
	children map[string]*group
	weighing
}

// place is one place that selects a field: under what condition, and where in the order of the selection.
type place struct {
	cond clause
	at   int
}

// group is a merged selection on one object type.
type group struct {
	fields []*Field
	weight int // of an object of the type
	// steady: whichever fields are selected, they stand in this order. A field whose first place can be skipped may come later.
	steady bool
}

// New plans an operation of a valid document. One that selects unreasonably much, once fragments are written out, is refused.
func New(schema *ast.Schema, doc *ast.QueryDocument, op *ast.OperationDefinition) (*Plan, error) {
	p := &Plan{Operation: op, Object: rootType(schema, op.Operation)}
	b := &builder{plan: p, schema: schema, doc: doc, switches: map[string]bool{}, forms: map[string]bool{}}
	p.root = b.collect(p.Object, nil, []source{{set: op.SelectionSet}})
	if b.selections > maxSelections {
		return nil, fault.New(fault.BadUserInput, "The operation selects more than %d fields once its fragments are written out; ask for less at a time.", maxSelections)
	}
	p.fixedCost = -1
	if p.root.fixed(nil) {
		p.fixedCost = p.Cost(nil)
	}
	p.Policy = b.policy()
	p.Switches, p.Forms = slices.Sorted(maps.Keys(b.switches)), slices.Sorted(maps.Keys(b.forms))
	return p, nil
}

// Variant is equal for variables with which the same is selected, and shown in the same form.
func (p *Plan) Variant(variables map[string]any) string {
	if len(p.Switches)+len(p.Forms) == 0 {
		return ""
	}
	var b strings.Builder
	for _, names := range [][]string{p.Switches, p.Forms} {
		for _, name := range names {
			v, given := variables[name]
			fmt.Fprintf(&b, "%t %v\x00", given, v)
		}
	}
	return b.String()
}

func rootType(schema *ast.Schema, op ast.Operation) *ast.Definition {
	switch op {
	case ast.Mutation:
		return schema.Mutation
	case ast.Subscription:
		return schema.Subscription
	}
	return schema.Query
}

// Fields gives the root fields that are selected with these variables, in the order of the answer.
func (p *Plan) Fields(variables map[string]any) []*Field { return p.root.selected(variables) }

// Field gives the root field with a response key; nil where there is none.
func (p *Plan) Field(key string) *Field { return p.root.field(key) }

// Fields gives the fields that are selected on values of an object type, in the order of the answer.
func (f *Field) Fields(object string, variables map[string]any) []*Field {
	if g := f.children[object]; g != nil {
		return g.selected(variables)
	}
	return nil
}

// Field gives the field with a response key on values of an object type; nil where there is none.
func (f *Field) Field(object, key string) *Field {
	if g := f.children[object]; g != nil {
		return g.field(key)
	}
	return nil
}

// Name gives the field's name in the schema.
func (f *Field) Name() string { return f.Definition.Name }

// Type gives the name of the field's type, without list and non-null.
func (f *Field) Type() string { return f.Definition.Type.Name() }

// Selected tells whether any place that selects the field holds with these variables.
func (f *Field) Selected(variables map[string]any) bool {
	_, ok := f.first(variables)
	return ok
}

// first gives where the first place stands that holds.
func (f *Field) first(variables map[string]any) (at int, ok bool) {
	for _, p := range f.when {
		if p.cond.holds(variables) {
			return p.at, true
		}
	}
	return 0, false
}

func (g *group) field(key string) *Field {
	for _, f := range g.fields {
		if f.Key == key {
			return f
		}
	}
	return nil
}

func (g *group) selected(variables map[string]any) []*Field {
	if g.steady && !slices.ContainsFunc(g.fields, func(f *Field) bool { return !f.Selected(variables) }) {
		return g.fields
	}
	type found struct {
		field *Field
		at    int
	}
	var some []found
	for _, f := range g.fields {
		if at, ok := f.first(variables); ok {
			some = append(some, found{f, at})
		}
	}
	slices.SortFunc(some, func(a, b found) int { return a.at - b.at })
	fields := make([]*Field, len(some))
	for i, s := range some {
		fields[i] = s.field
	}
	return fields
}
