package graph

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
)

// canonical adds the operation's variables in one form, whatever order they came in and whether a default was spelled out or left to the schema.
func (in inputs) canonical(b []byte, p *prepared) []byte {
	for _, def := range p.op.def.VariableDefinitions { // in the document's order
		v, given := p.vars[def.Variable]
		if !given {
			b = append(b, '-')
			continue
		}
		b = append(in.value(append(b, '+'), def.Type, v), ',')
	}
	return b
}

// inputs knows the types of the schema that variables have.
type inputs struct{ schema *ast.Schema }

// value adds a value of a type, as JSON.
func (in inputs) value(b []byte, t *ast.Type, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case []any:
		b = append(b, '[')
		for _, item := range v {
			elem := t
			if t.Elem != nil {
				elem = t.Elem
			}
			b = append(in.value(b, elem, item), ',')
		}
		return append(b, ']')
	case map[string]any:
		return in.object(b, in.schema.Types[t.Name()], v)
	case string:
		return quoted(b, v)
	case bool:
		return strconv.AppendBool(b, v)
	case json.Number:
		return append(b, v...)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case float64:
		return strconv.AppendFloat(b, v, 'g', -1, 64)
	}
	text, err := json.Marshal(v)
	if err != nil { // nothing that a request can hold
		panic(err)
	}
	return append(b, text...)
}

// object adds the fields of an input object in the schema's order, those that are left to their defaults with these. What is no input object is a scalar's own value.
func (in inputs) object(b []byte, def *ast.Definition, v map[string]any) []byte {
	b = append(b, '{')
	if def == nil || def.Kind != ast.InputObject {
		for _, name := range slices.Sorted(maps.Keys(v)) {
			b = append(quoted(b, name), ':')
			b = append(in.value(b, &ast.Type{}, v[name]), ',')
		}
		return append(b, '}')
	}
	for _, f := range def.Fields {
		value, given := v[f.Name]
		if !given && f.DefaultValue != nil {
			var err error
			value, err = f.DefaultValue.Value(nil)
			given = err == nil
		}
		if given {
			b = append(append(b, f.Name...), ':')
			b = append(in.value(b, f.Type, value), ',')
		}
	}
	return append(b, '}')
}

// quoted adds a text so that none can be taken for another, or for what follows it.
func quoted(b []byte, s string) []byte {
	b = strconv.AppendInt(append(b, '"'), int64(len(s)), 10)
	return append(append(b, ':'), s...)
}
