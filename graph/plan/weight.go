package plan

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// largestPage is what counts where more is asked for: the field refuses that, in its own words.
const largestPage = 500

// weighing is what the schema says of a field's cost, by @cost and @listSize.
type weighing struct {
	weight  int             // its own, and that of its arguments where no variable decides on them
	weighty []*ast.Argument // the others
	list    bool            // of objects
	sized   bool            // the field above says how many values it has
	sizing  *sizing         // nil: nothing says how many
	each    int             // what one value costs; -1: variables decide on it
}

// sizing is how many values a list has at most: the field's own, or those that it names below it.
type sizing struct {
	below  bool
	size   int        // where no variable decides on it, or nothing is given
	varies bool       // variables decide on it
	paths  [][]string // of the arguments that say so
}

// weigh reads the schema's directives. A weight that is no number counts nothing: CheckCosts refuses such a schema.
func (f *Field) weigh() {
	f.weight = weightOf(f.Definition.Directives, 0)
	d := f.schema.Types[f.Type()]
	f.list = f.Definition.Type.Elem != nil && !d.IsLeafType()
	if d.IsLeafType() {
		f.weight = plus(f.weight, weightOf(d.Directives, 0))
	}
	for _, a := range f.Selection.Arguments {
		switch d := f.Definition.Arguments.ForName(a.Name); {
		case d == nil || !weighs(f.schema, d.Directives, d.Type, nil):
		case mentionsVariable(a.Value):
			f.weighty = append(f.weighty, a)
		default:
			f.weight = plus(f.weight, f.argument(a, nil))
		}
	}
	f.sized = f.list && f.Parent != nil && slices.Contains(sizedBy(f.Parent.Definition), f.Name())
	if own := f.Definition.Directives.ForName("listSize"); own != nil {
		f.measure(own)
	}
}

// measure reads @listSize.
func (f *Field) measure(own *ast.Directive) {
	s := &sizing{below: len(sizedBy(f.Definition)) > 0, size: 1}
	for _, path := range texts(own, "slicingArguments") {
		steps := strings.Split(path, ".")
		s.paths = append(s.paths, steps)
		if a := f.Selection.Arguments.ForName(steps[0]); a != nil {
			s.varies = s.varies || mentionsVariable(a.Value)
		}
	}
	if a := own.Arguments.ForName("assumedSize"); a != nil {
		s.size, _ = strconv.Atoi(a.Value.Raw)
	}
	f.sizing = s
	if !s.varies {
		s.size = f.sliced(nil)
	}
}

// Weight is what the field costs by itself, whatever it shows: its own weight, and that of the arguments that are given.
func (f *Field) Weight(variables map[string]any) int {
	cost := f.weight
	for _, a := range f.weighty {
		cost = plus(cost, f.argument(a, variables))
	}
	return cost
}

// Weighed tells that the field costs the same by itself in every request.
func (f *Field) Weighed() bool { return len(f.weighty) == 0 }

// ObjectWeight is what a value of the field costs that is of this type, beside what is selected on it.
func (f *Field) ObjectWeight(object string) int {
	if g := f.children[object]; g != nil {
		return g.weight
	}
	return 0
}

// Size is how many values the field has at most or, where it says that for lists below it, how many those have. A list that nothing sizes is part of a row, and
// counts once.
func (f *Field) Size(variables map[string]any) int {
	switch {
	case f.sizing == nil:
		return 1
	case f.sizing.varies:
		return f.sliced(variables)
	}
	return f.sizing.size
}

// Sized tells that the field above says how many values this one has.
func (f *Field) Sized() bool { return f.sized }

// pages tells that the field says how many values lists below it have.
func (f *Field) pages() bool { return f != nil && f.sizing != nil && f.sizing.below }

// sliced is the largest of the slicing arguments that are given.
func (f *Field) sliced(variables map[string]any) int {
	most, any := 0, false
	for _, path := range f.sizing.paths {
		d := f.Definition.Arguments.ForName(path[0])
		if d == nil {
			continue
		}
		var given *ast.Value
		if a := f.Selection.Arguments.ForName(path[0]); a != nil {
			given = a.Value
		}
		if n, ok := f.count(given, d.DefaultValue, d.Type, path[1:], variables); ok {
			most, any = max(most, n), true
		}
	}
	if !any {
		return f.sizing.size
	}
	return most
}

// count is the number at the end of a path, or the length of the list there; false where nothing is given. It makes no copy of what may be large.
func (f *Field) count(given, def *ast.Value, t *ast.Type, path []string, variables map[string]any) (int, bool) {
	if given != nil && given.Kind == ast.Variable {
		if v, ok := variables[given.Raw]; ok {
			return f.countPlain(v, t, path)
		}
		given = nil
	}
	if given == nil {
		given = def
	}
	switch {
	case given == nil || given.Kind == ast.NullValue:
		return 0, false
	case len(path) > 0:
		field := f.schema.Types[t.Name()].Fields.ForName(path[0])
		if field == nil {
			return 0, false
		}
		return f.count(given.Children.ForName(path[0]), field.DefaultValue, field.Type, path[1:], variables)
	case t.Elem == nil:
		n, _ := strconv.Atoi(given.Raw) // of a number that is too large the largest
		return page(n), true
	case given.Kind == ast.ListValue:
		return len(given.Children), true
	}
	return 1, true // one value stands for a list of it
}

// countPlain does the same within the value of a variable.
func (f *Field) countPlain(v any, t *ast.Type, path []string) (int, bool) {
	if len(path) > 0 {
		object, ok := v.(map[string]any)
		field := f.schema.Types[t.Name()].Fields.ForName(path[0])
		if !ok || field == nil {
			return 0, false
		}
		if v, ok := object[path[0]]; ok {
			return f.countPlain(v, field.Type, path[1:])
		}
		return f.count(nil, field.DefaultValue, field.Type, path[1:], nil)
	}
	switch v := v.(type) {
	case nil:
		return 0, false
	case []any:
		return len(v), true
	case json.Number:
		n, err := v.Int64()
		return page(int(n)), err == nil
	case int64:
		return page(int(v)), true
	case int:
		return page(v), true
	}
	return 1, t.Elem != nil
}

func page(n int) int { return min(max(n, 0), largestPage) }

// argument is what an argument weighs, with all that it is given.
func (f *Field) argument(a *ast.Argument, variables map[string]any) int {
	d := f.Definition.Arguments.ForName(a.Name)
	v, _ := f.value(a.Value, nil, d.Type, variables)
	return f.given(v, d.Directives, d.Type)
}

// given is what a value weighs: an input field counts where it is given, or has a default. Null asks for nothing.
func (f *Field) given(v any, own ast.DirectiveList, t *ast.Type) int {
	if v == nil {
		return 0
	}
	return plus(weightOf(own, 0), f.within(v, t))
}

func (f *Field) within(v any, t *ast.Type) (cost int) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			if t.Elem != nil {
				cost = plus(cost, f.within(item, t.Elem))
			}
		}
	case map[string]any:
		for _, field := range f.schema.Types[t.Name()].Fields {
			cost = plus(cost, f.given(v[field.Name], field.Directives, field.Type))
		}
	}
	return cost
}

// weighs tells whether an argument, or anything that can be given in it, has a weight.
func weighs(schema *ast.Schema, own ast.DirectiveList, t *ast.Type, seen []string) bool {
	if weightOf(own, 0) > 0 {
		return true
	}
	d := schema.Types[t.Name()]
	if d == nil || d.Kind != ast.InputObject || slices.Contains(seen, d.Name) {
		return false
	}
	seen = append(seen, d.Name)
	return slices.ContainsFunc(d.Fields, func(f *ast.FieldDefinition) bool { return weighs(schema, f.Directives, f.Type, seen) })
}

// weightOf reads @cost; where it is missing the default holds.
func weightOf(list ast.DirectiveList, otherwise int) int {
	d := list.ForName("cost")
	if d == nil {
		return otherwise
	}
	if a := d.Arguments.ForName("weight"); a != nil {
		n, _ := strconv.Atoi(a.Value.Raw)
		return min(max(n, 0), maxCost)
	}
	return 0
}

// sizedBy are the fields below one whose length it says.
func sizedBy(f *ast.FieldDefinition) []string {
	d := f.Directives.ForName("listSize")
	if d == nil {
		return nil
	}
	return texts(d, "sizedFields")
}

// texts reads a directive's argument that is a list of texts.
func texts(d *ast.Directive, argument string) (out []string) {
	a := d.Arguments.ForName(argument)
	switch {
	case a == nil:
	case a.Value.Kind == ast.ListValue:
		for _, c := range a.Value.Children {
			out = append(out, c.Value.Raw)
		}
	case a.Value.Kind != ast.NullValue:
		out = []string{a.Value.Raw}
	}
	return out
}
