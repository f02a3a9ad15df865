package graphtest

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// variable is a variable of the document: every operation that uses it declares it alike.
type variable struct {
	name     string
	typ      *ast.Type
	fallback *ast.Value
	value    any
	given    bool
	means    any // what the server sees
}

// express writes a value, by chance as a variable or with variables in it. Fallback is the default of the place, if it has one.
func (m *maker) express(v any, t *ast.Type, fallback *ast.Value, like string, p float64) *ast.Value {
	m.written++
	if v == nil && t.NonNull { // written out, it would not be valid; a variable may carry it where the place has a default
		p = 1
	}
	if m.chance(p) {
		if x := m.known(v, t, fallback != nil); x != nil {
			return reference(x)
		}
		return reference(m.declare(v, t, fallback != nil, like))
	}
	return m.literal(v, t, func(v any, t *ast.Type, fallback *ast.Value, like string) *ast.Value {
		return m.express(v, t, fallback, like, p/2)
	})
}

func reference(x *variable) *ast.Value { return &ast.Value{Kind: ast.Variable, Raw: x.name} }

// constant writes a value without variables; nil where only a variable can carry it.
func (m *maker) constant(v any, t *ast.Type) *ast.Value {
	if !m.writable(v, t) {
		return nil
	}
	return m.literal(v, t, func(v any, t *ast.Type, _ *ast.Value, _ string) *ast.Value { return m.constant(v, t) })
}

// writable tells whether no null stands where validation allows none.
func (m *maker) writable(v any, t *ast.Type) bool {
	switch v := v.(type) {
	case nil:
		return !t.NonNull
	case []any:
		return !slices.ContainsFunc(v, func(item any) bool { return !m.writable(item, t.Elem) })
	case map[string]any:
		for name, value := range v {
			if !m.writable(value, m.schema.Types[t.NamedType].Fields.ForName(name).Type) {
				return false
			}
		}
	}
	return true
}

// literal writes a value; what is inside it is written by part.
func (m *maker) literal(v any, t *ast.Type, part func(v any, t *ast.Type, fallback *ast.Value, like string) *ast.Value) *ast.Value {
	if v == nil {
		return &ast.Value{Kind: ast.NullValue, Raw: "null"}
	}
	if t.Elem != nil {
		list, ok := v.([]any)
		if !ok {
			return m.literal(v, t.Elem, part)
		}
		if len(list) == 1 && list[0] != nil && m.chance(0.2) {
			return m.literal(list[0], t.Elem, part)
		}
		out := &ast.Value{Kind: ast.ListValue}
		for _, item := range list {
			out.Children = append(out.Children, &ast.ChildValue{Value: part(item, t.Elem, nil, "item")})
		}
		return out
	}
	switch v := v.(type) {
	case map[string]any:
		return m.object(v, m.schema.Types[t.NamedType], part)
	case int:
		return &ast.Value{Kind: ast.IntValue, Raw: strconv.Itoa(v)}
	case bool:
		return &ast.Value{Kind: ast.BooleanValue, Raw: strconv.FormatBool(v)}
	}
	text := v.(string)
	switch {
	case m.schema.Types[t.NamedType].Kind == ast.Enum:
		return &ast.Value{Kind: ast.EnumValue, Raw: text}
	case strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" && text != "" && m.chance(0.1):
		return &ast.Value{Kind: ast.BlockValue, Raw: text}
	}
	return &ast.Value{Kind: ast.StringValue, Raw: text}
}

func (m *maker) object(v map[string]any, def *ast.Definition, part func(v any, t *ast.Type, fallback *ast.Value, like string) *ast.Value) *ast.Value {
	out := &ast.Value{Kind: ast.ObjectValue}
	fields := slices.Clone(def.Fields)
	if m.chance(0.3) {
		m.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	}
	for _, f := range fields {
		if value, ok := v[f.Name]; ok {
			out.Children = append(out.Children, &ast.ChildValue{Name: f.Name, Value: part(value, f.Type, f.DefaultValue, f.Name)})
		}
	}
	return out
}

// known finds a variable that means the value and may stand where the type is asked for.
func (m *maker) known(v any, t *ast.Type, hasDefault bool) *variable {
	if !m.chance(0.6) {
		return nil
	}
	for _, x := range m.variables {
		tmp := *t
		if hasDefault || x.fallback != nil && x.fallback.Kind != ast.NullValue {
			tmp.NonNull = false
		}
		if x.typ.IsCompatible(&tmp) && reflect.DeepEqual(x.means, v) {
			return x
		}
	}
	return nil
}

// declare makes a variable that means the value: of the type that is asked for or a stricter one, with a default or without, given or left to its default.
func (m *maker) declare(v any, t *ast.Type, hasDefault bool, like string) *variable {
	typ := *t
	x := &variable{name: m.name(like), typ: &typ, value: v, given: true, means: v}
	switch {
	case v == nil:
		typ.NonNull = false
	case !t.NonNull && m.chance(0.3):
		typ.NonNull = true
	case t.NonNull && hasDefault && m.chance(0.5):
		typ.NonNull = false
	case t.NonNull && m.constant(v, t) != nil && m.chance(0.3):
		typ.NonNull = false
		x.fallback = m.constant(v, t)
	}
	if x.fallback == nil && m.chance(0.3) {
		x.fallback = m.constant(v, t)
	}
	if x.fallback != nil {
		x.given = m.chance(0.4)
	} else if !typ.NonNull && v != nil && m.chance(0.1) {
		x.fallback = &ast.Value{Kind: ast.NullValue, Raw: "null"} // given all the same
	}
	if list, ok := v.([]any); ok && len(list) == 1 && list[0] != nil && m.chance(0.2) {
		x.value = list[0]
	}
	m.variables = append(m.variables, x)
	return x
}

// absent makes a variable that is not given, which is as if its argument were not there; nil where such a variable may not stand.
func (m *maker) absent(t *ast.Type, hasDefault bool, like string) *ast.Value {
	if t.NonNull && !hasDefault {
		return nil
	}
	typ := *t
	typ.NonNull = false
	x := &variable{name: m.name(like), typ: &typ, means: missing{}}
	m.variables = append(m.variables, x)
	return reference(x)
}

// missing is what a variable means that is not given.
type missing struct{}

// arguments makes the arguments of a field, and tells how many rows it gives; false where there is no room for a row.
func (m *maker) arguments(on *ast.Definition, f *ast.FieldDefinition, rows float64) (list ast.ArgumentList, n float64, ok bool) {
	if len(f.Arguments) == 0 {
		return nil, 1, true
	}
	plain := map[string]any{}
	n = 1
	room := (m.at.maxRows - m.at.rows) / rows
	switch {
	case f.Arguments.ForName("after") != nil:
		if n, ok = m.page(on.Name+"."+f.Name, f, plain, room); !ok {
			return nil, 0, false
		}
	case f.Name == "nodes":
		m.kinds = nil
		next := func() any { return m.id("", true) }
		if kinds := slices.Sorted(maps.Keys(m.pool.ids)); len(kinds) > 0 && m.chance(0.4) { // many of one kind, and strangers among them
			kind := pick(m, kinds)
			next = func() any { return m.idOf(kind, 0.4) }
		}
		ids := m.list(m.IntN(8), next)
		plain["ids"], n = ids, float64(max(1, len(ids)))
	case f.Name == "supplier":
		if m.chance(0.6) {
			plain["id"] = m.id("Supplier", false)
		} else {
			plain["externalId"] = m.word("externalIds")
		}
	default:
		m.kinds = nil
		for _, a := range f.Arguments {
			if a.Type.NonNull && a.DefaultValue == nil || m.chance(0.5) {
				plain[a.Name] = m.value(a.Name, a.Type, f.Name == "node")
			}
		}
		if inputs, ok := plain["inputs"].([]any); ok {
			n = float64(max(1, len(inputs)))
		}
	}
	if m.rash && m.chance(0.3) {
		m.spoil(f, plain)
	}
	return m.expressed(f.Arguments, plain), n, true
}

// expressed writes arguments, in the order of the schema or in another.
func (m *maker) expressed(defs ast.ArgumentDefinitionList, plain map[string]any) (list ast.ArgumentList) {
	defs = slices.Clone(defs)
	if m.chance(0.2) {
		m.Shuffle(len(defs), func(i, j int) { defs[i], defs[j] = defs[j], defs[i] })
	}
	for _, a := range defs {
		var v *ast.Value
		if value, ok := plain[a.Name]; ok {
			v = m.express(value, a.Type, a.DefaultValue, a.Name, 0.3)
		} else if m.chance(0.04) {
			v = m.absent(a.Type, a.DefaultValue != nil, a.Name)
		}
		if v != nil {
			list = append(list, &ast.Argument{Name: a.Name, Value: v})
		}
	}
	return list
}

// page makes the arguments of a connection: those of a question that was answered before, with one of its cursors, or new ones.
func (m *maker) page(at string, f *ast.FieldDefinition, plain map[string]any, room float64) (n float64, ok bool) {
	if room < 1 {
		return 0, false
	}
	backward := f.Arguments.ForName("last") != nil
	if questions := m.pool.cursors[at]; len(questions) > 0 && m.chance(0.4) {
		q := pick(m, questions)
		maps.Copy(plain, q.args)
		where := "after"
		if backward && m.chance(0.4) {
			where = "before"
		}
		plain[where] = pick(m, q.cursors)
		if backward && m.chance(0.1) {
			plain["after"], plain["before"] = pick(m, q.cursors), pick(m, q.cursors)
		}
	} else {
		for _, a := range f.Arguments {
			often := 0.35
			if a.Name == "groupBy" {
				often = 0.8
			}
			if !slices.Contains([]string{"first", "last", "after", "before"}, a.Name) && m.chance(often) {
				plain[a.Name] = m.value(a.Name, a.Type, false)
			} else if m.chance(0.02) && !a.Type.NonNull {
				plain[a.Name] = nil
			}
		}
		settle(plain)
	}
	n = float64(1 + m.IntN(min(4, int(room))))
	switch {
	case room >= 500 && m.chance(0.02):
		n = 500
	case room >= 50 && m.chance(0.05):
		n = 50
	}
	if room >= 50 && m.chance(0.12) {
		if m.chance(0.2) {
			plain["first"] = nil
		}
		return 50, true
	}
	delete(plain, "first")
	size := "first"
	if backward && m.chance(0.3) {
		size = "last"
	}
	plain[size] = int(n)
	return n, true
}

// settle changes what would be refused: spans of days that end before they begin, orders by what is not there.
func settle(plain map[string]any) {
	filter, _ := plain["filter"].(map[string]any)
	from, _ := filter["occurredFrom"].(string)
	if to, _ := filter["occurredTo"].(string); to != "" && from > to {
		filter["occurredFrom"], filter["occurredTo"] = to, from
	}
	order, _ := plain["orderBy"].(map[string]any)
	switch order["field"] {
	case "RELEVANCE":
		if search, _ := filter["search"].(string); strings.TrimSpace(search) == "" {
			order["field"] = "NAME"
		}
	case "PERIOD":
		by, _ := plain["groupBy"].([]any)
		if !slices.Contains(by, any("MONTH")) && !slices.Contains(by, any("QUARTER")) && !slices.Contains(by, any("YEAR")) {
			order["field"] = "SPEND"
		}
	}
}

// value makes a value that the argument or field of this name can be given.
func (m *maker) value(name string, t *ast.Type, anyKind bool) any {
	if !t.NonNull && m.chance(0.04) {
		return nil
	}
	if name == "groupBy" && t.Elem != nil {
		return m.dimensions(t)
	}
	if t.Elem != nil {
		n := 1 + m.IntN(3)
		if m.chance(0.05) {
			n = 0
		}
		return m.list(n, func() any { return m.value(name, t.Elem, anyKind) })
	}
	def := m.schema.Types[t.NamedType]
	switch {
	case def.Kind == ast.InputObject:
		return m.input(def, anyKind)
	case def.Kind == ast.Enum:
		return pick(m, def.EnumValues).Name
	case t.NamedType == "ID":
		return m.id(idKinds[name], anyKind)
	case t.NamedType == "Boolean":
		return m.chance(0.5)
	case name == "year":
		return 2023 + m.IntN(3)
	case t.NamedType == "Int":
		n, err := strconv.Atoi(m.word(name))
		if err != nil {
			return 1 + m.IntN(4)
		}
		return n
	}
	return m.word(name)
}

// input makes an input object: of a filter mostly one part alone, as several together seldom leave a row.
func (m *maker) input(def *ast.Definition, anyKind bool) map[string]any {
	object := map[string]any{}
	parts := 1
	for parts < 5 && m.chance(0.3) {
		parts++
	}
	if m.chance(0.04) {
		parts = 0
	}
	for range parts {
		f := pick(m, def.Fields)
		object[f.Name] = m.value(f.Name, f.Type, anyKind)
	}
	if f := def.Fields.ForName("includeSuperseded"); f != nil && m.chance(0.3) {
		object[f.Name] = true
	}
	for _, f := range def.Fields {
		if f.Type.NonNull && f.DefaultValue == nil && object[f.Name] == nil {
			object[f.Name] = m.value(f.Name, f.Type, anyKind)
		}
	}
	if def.Name == "EstimateInput" && m.chance(0.85) {
		m.oneOf(def, object, "factorId", "factorKey")
		m.oneOf(def, object, "quantity", "money")
		object["occurredOn"] = m.value("occurredOn", def.Fields.ForName("occurredOn").Type, false)
	}
	return object
}

// oneOf gives an object one of two parts of which it is to have one.
func (m *maker) oneOf(def *ast.Definition, object map[string]any, a, b string) {
	if m.chance(0.5) {
		a, b = b, a
	}
	delete(object, b)
	if object[a] == nil {
		object[a] = m.value(a, &ast.Type{NamedType: def.Fields.ForName(a).Type.NamedType, NonNull: true}, false)
	}
}

// idKinds tells of which type the ids of an argument are.
var idKinds = map[string]string{"supplierIds": "Supplier", "datasetIds": "FactorDataset", "factorIds": "EmissionFactor", "factorId": "EmissionFactor", "runId": "CalculationRun"}

// wordKinds tells which words an argument is given, where those of its own name are not meant.
var wordKinds = map[string]string{"externalId": "externalIds", "occurredFrom": "days", "occurredTo": "days", "occurredOn": "days", "code": "codes", "region": "regions"}

// word gives a word for the argument.
func (m *maker) word(name string) string {
	if other := wordKinds[name]; other != "" {
		name = other
	}
	if words := m.pool.words[name]; len(words) > 0 {
		return pick(m, words)
	}
	return "x"
}

// id gives an id of the kind, or of any kind; now and then one of another kind or of nobody.
func (m *maker) id(kind string, anyKind bool) string {
	kinds := slices.Sorted(maps.Keys(m.pool.ids))
	if len(kinds) > 0 && (anyKind || m.chance(0.1)) {
		kind = pick(m, kinds)
	}
	return m.idOf(kind, 0.1)
}

// idOf gives an id of the kind, by some chance that of a stranger.
func (m *maker) idOf(kind string, strange float64) string {
	m.kinds = append(m.kinds, kind)
	if ids := m.pool.nobody[kind]; len(ids) > 0 && m.chance(strange) {
		return pick(m, ids)
	}
	if ids := m.pool.ids[kind]; len(ids) > 0 {
		return pick(m, ids)
	}
	return "AgAAAAAAAAAAAAAAAAAAAAA" // of a category that is not there
}

func (m *maker) list(n int, item func() any) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = item()
	}
	return list
}

// dimensions gives at most three dimensions, each once, of time one.
func (m *maker) dimensions(t *ast.Type) any {
	values := slices.Clone(m.schema.Types[t.Name()].EnumValues)
	m.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
	by := []any{}
	timed := false
	for _, v := range values[:m.IntN(4)] {
		span := slices.Contains([]string{"MONTH", "QUARTER", "YEAR"}, v.Name)
		if !span || !timed {
			by = append(by, v.Name)
		}
		timed = timed || span
	}
	return by
}
