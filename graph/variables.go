package graph

import (
	"encoding/json"
	"math"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"

	"carbongraph/internal/fault"
)

// ScalarCheck tells whether a JSON value is one of a scalar of ours; the fault says why not.
type ScalarCheck func(value any) error

// coercion reads the variables of an operation as the specification says: strictly, with the path of what is wrong, and without a word of Go.
type coercion struct {
	schema  *ast.Schema
	scalars map[string]ScalarCheck
}

// variables gives the operation's variables, each of the type that it declares. What was sent beside them is ignored.
func (c *coercion) variables(op *ast.OperationDefinition, sent map[string]any) (map[string]any, error) {
	out := make(map[string]any, len(op.VariableDefinitions))
	for _, def := range op.VariableDefinitions {
		value, given := sent[def.Variable]
		if !given {
			if def.DefaultValue != nil {
				v, err := def.DefaultValue.Value(nil)
				if err != nil {
					return nil, bad(path{def.Variable}, "has a default that cannot be read")
				}
				out[def.Variable] = v
			} else if def.Type.NonNull {
				return nil, bad(path{def.Variable}, "is a %s and must be given", def.Type)
			}
			continue
		}
		v, err := c.value(def.Type, value, path{def.Variable})
		if err != nil {
			return nil, err
		}
		out[def.Variable] = v
	}
	return out, nil
}

type path []string

func (p path) at(step string) path { return append(p[:len(p):len(p)], step) }

// bad says what is wrong with the value at the path.
func bad(p path, format string, args ...any) *fault.Fault {
	name := "$" + p[0]
	for _, step := range p[1:] {
		if _, err := strconv.Atoi(step); err == nil {
			name += "[" + step + "]"
		} else {
			name += "." + step
		}
	}
	f := fault.New(fault.BadUserInput, format, args...)
	f.Message = "Variable " + name + " " + f.Message + "."
	return f.At(p...)
}

func (c *coercion) value(t *ast.Type, v any, p path) (any, error) {
	if v == nil {
		if t.NonNull {
			return nil, bad(p, "is a %s and must not be null", t)
		}
		return nil, nil
	}
	if t.Elem != nil {
		return c.list(t, v, p)
	}
	def := c.schema.Types[t.NamedType]
	switch def.Kind {
	case ast.InputObject:
		return c.object(def, v, p)
	case ast.Enum:
		s, ok := v.(string)
		if !ok || def.EnumValues.ForName(s) == nil {
			return nil, bad(p, "is a %s; %s is none of its values", def.Name, described(v))
		}
		return s, nil
	}
	return c.scalar(def.Name, v, p)
}

func (c *coercion) list(t *ast.Type, v any, p path) (any, error) {
	items, ok := v.([]any)
	if !ok { // one value stands for a list of it
		items = []any{v}
	}
	out := make([]any, len(items))
	for i, item := range items {
		at := p
		if ok {
			at = p.at(strconv.Itoa(i))
		}
		v, err := c.value(t.Elem, item, at)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

func (c *coercion) object(def *ast.Definition, v any, p path) (any, error) {
	fields, ok := v.(map[string]any)
	if !ok {
		return nil, bad(p, "is a %s, an object; got %s", def.Name, described(v))
	}
	for name := range fields {
		if def.Fields.ForName(name) == nil {
			return nil, bad(p, "is a %s, which has no field %.60q", def.Name, name)
		}
	}
	out := make(map[string]any, len(fields))
	for _, f := range def.Fields {
		given, ok := fields[f.Name]
		if !ok {
			if f.Type.NonNull && f.DefaultValue == nil {
				return nil, bad(p.at(f.Name), "is a %s and must be given", f.Type)
			}
			continue
		}
		v, err := c.value(f.Type, given, p.at(f.Name))
		if err != nil {
			return nil, err
		}
		out[f.Name] = v
	}
	return out, nil
}

func (c *coercion) scalar(name string, v any, p path) (any, error) {
	switch name {
	case "Int":
		if n, ok := whole(v); ok && n >= math.MinInt32 && n <= math.MaxInt32 {
			return n, nil
		}
		return nil, bad(p, "is an Int, a whole number of 32 bits; got %s", described(v))
	case "Float":
		if n, ok := v.(json.Number); ok {
			if f, err := n.Float64(); err == nil {
				return f, nil
			}
		}
		return nil, bad(p, "is a Float; got %s", described(v))
	case "String":
		if s, ok := v.(string); ok {
			return s, nil
		}
		return nil, bad(p, "is a String; got %s", described(v))
	case "Boolean":
		if b, ok := v.(bool); ok {
			return b, nil
		}
		return nil, bad(p, "is a Boolean; got %s", described(v))
	case "ID":
		if s, ok := v.(string); ok {
			return s, nil
		}
		if n, ok := whole(v); ok {
			return strconv.FormatInt(n, 10), nil
		}
		return nil, bad(p, "is an ID; got %s", described(v))
	}
	if check := c.scalars[name]; check != nil {
		if err := check(v); err != nil {
			return nil, bad(p, "is a %s: %s", name, sentence(fault.Of(err).Message))
		}
	}
	return v, nil
}

// sentence takes the full stop off, where another follows.
func sentence(s string) string {
	if n := len(s); n > 0 && s[n-1] == '.' {
		return s[:n-1]
	}
	return s
}

// whole reads a JSON number without a fraction: 3 and 3.0 are the same.
func whole(v any) (int64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	if i, err := n.Int64(); err == nil {
		return i, true
	}
	f, err := n.Float64()
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

// described names a JSON value by its kind; a short number or text is shown.
func described(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		if len(v) > 30 {
			return "a number"
		}
		return v.String()
	case string:
		if len(v) > 30 {
			return "a text"
		}
		return strconv.Quote(v)
	case []any:
		return "a list"
	}
	return "an object"
}
