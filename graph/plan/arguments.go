package plan

import (
	"encoding/json"

	"github.com/vektah/gqlparser/v2/ast"
)

// Args gives the field's arguments with these coerced variables: plain values, lists of any, maps of input objects, with every default of the schema
// filled in. An argument that is neither given nor has a default is missing. Nobody may change the result: it can be shared.
func (f *Field) Args(variables map[string]any) map[string]any {
	if !f.variable {
		return f.fixed
	}
	return f.coerce(variables)
}

// Fixed tells whether the arguments are the same in every request.
func (f *Field) Fixed() bool { return !f.variable }

func (f *Field) prepare() {
	for _, a := range f.Selection.Arguments {
		f.variable = f.variable || mentionsVariable(a.Value)
	}
	if !f.variable {
		f.fixed = f.coerce(nil)
	}
	f.weigh()
}

func (f *Field) coerce(variables map[string]any) map[string]any {
	args := make(map[string]any, len(f.Definition.Arguments))
	for _, d := range f.Definition.Arguments {
		var given *ast.Value
		if a := f.Selection.Arguments.ForName(d.Name); a != nil {
			given = a.Value
		}
		if v, ok := f.value(given, d.DefaultValue, d.Type, variables); ok {
			args[d.Name] = v
		}
	}
	return args
}

// value coerces what is given, or the default where nothing is; false where there is neither. A variable without a value gives nothing.
func (f *Field) value(given, def *ast.Value, t *ast.Type, variables map[string]any) (any, bool) {
	if given != nil && given.Kind == ast.Variable {
		if v, ok := variables[given.Raw]; ok {
			return f.complete(v, t), true
		}
		given = nil
	}
	if given == nil {
		given = def
	}
	if given == nil {
		return nil, false
	}
	return f.literal(given, t, variables), true
}

// literal coerces a value that is written in the document.
func (f *Field) literal(v *ast.Value, t *ast.Type, variables map[string]any) any {
	if v.Kind == ast.NullValue {
		return nil
	}
	if t.Elem != nil {
		if v.Kind != ast.ListValue {
			return []any{f.literal(v, t.Elem, variables)}
		}
		list := make([]any, len(v.Children))
		for i, c := range v.Children {
			list[i], _ = f.value(c.Value, nil, t.Elem, variables)
		}
		return list
	}
	if d := f.schema.Types[t.NamedType]; d.Kind == ast.InputObject {
		object := make(map[string]any, len(d.Fields))
		for _, field := range d.Fields {
			if x, ok := f.value(v.Children.ForName(field.Name), field.DefaultValue, field.Type, variables); ok {
				object[field.Name] = x
			}
		}
		return object
	}
	if v.Kind == ast.IntValue {
		return json.Number(v.Raw) // as variables have it, and without a limit of size
	}
	x, err := v.Value(variables)
	if err != nil {
		return v.Raw // a number that Go cannot hold: whoever reads the argument says so
	}
	return x
}

// complete fills the schema's defaults into a value that came with a variable, and makes a list of a single value where one is meant.
func (f *Field) complete(v any, t *ast.Type) any {
	if v == nil {
		return nil
	}
	if t.Elem != nil {
		given, ok := v.([]any)
		if !ok {
			return []any{f.complete(v, t.Elem)}
		}
		list := make([]any, len(given))
		for i := range given {
			list[i] = f.complete(given[i], t.Elem)
		}
		return list
	}
	d := f.schema.Types[t.NamedType]
	given, ok := v.(map[string]any)
	if !ok || d.Kind != ast.InputObject {
		return v
	}
	object := make(map[string]any, len(d.Fields))
	for _, field := range d.Fields {
		if x, ok := given[field.Name]; ok {
			object[field.Name] = f.complete(x, field.Type)
		} else if field.DefaultValue != nil {
			object[field.Name] = f.literal(field.DefaultValue, field.Type, nil)
		}
	}
	return object
}

func mentionsVariable(v *ast.Value) bool {
	if v.Kind == ast.Variable {
		return true
	}
	for _, c := range v.Children {
		if mentionsVariable(c.Value) {
			return true
		}
	}
	return false
}

// note adds the variables that are in a value.
func note(v *ast.Value, into map[string]bool) {
	if v.Kind == ast.Variable {
		into[v.Raw] = true
	}
	for _, c := range v.Children {
		note(c.Value, into)
	}
}
