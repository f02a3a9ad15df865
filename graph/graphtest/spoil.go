package graphtest

import (
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// spoil makes one argument of a field into something that is refused, or may be; the document stays valid.
func (m *maker) spoil(f *ast.FieldDefinition, plain map[string]any) {
	var ways []func()
	set := func(name string, values ...any) {
		if f.Arguments.ForName(name) != nil {
			ways = append(ways, func() { plain[name] = pick(m, values) })
		}
	}
	set("first", 0, -1, 501, 2147483647, -2147483648)
	set("last", 0, -1, 501, 2)
	set("after", m.foreignCursor(), "", "nope", "AQ", strings.Repeat("A", 9000), "\x00", "é")
	set("before", m.foreignCursor(), "garbage")
	set("id", "", "nope", "0", 5, "CQAAAAAAAAAAAAAAAAAAAAA", "AgAAAAAAAAAAAAAAAAAAAAAA")
	set("ids", []any{"nope"}, []any{m.id("", true), "", "x"})
	set("externalId", nil, "\x00", "")
	set("unit", nil)
	if by := f.Arguments.ForName("groupBy"); by != nil && by.Type.Elem != nil {
		set("groupBy", []any{"MONTH", "YEAR"}, []any{"METHOD", "METHOD"}, []any{"METHOD", "CATEGORY", "DATASET", "FACTOR"}, []any{"MONTH", "COUNTRY", "QUARTER"})
	}
	switch f.Name {
	case "supplier":
		ways = append(ways, func() { plain["id"], plain["externalId"] = m.id("Supplier", false), m.word("externalIds") }, func() { clear(plain) })
	case "nodes":
		id := m.id("", true)
		ways = append(ways, func() { plain["ids"] = m.list(101, func() any { return id }) })
	}
	if a := f.Arguments.ForName("orderBy"); a != nil {
		by := m.schema.Types[a.Type.Name()].Fields.ForName("field")
		ways = append(ways, func() { plain["orderBy"] = map[string]any{"field": m.value("field", by.Type, false), "direction": nil} },
			func() { plain["orderBy"] = map[string]any{"field": m.value("field", by.Type, false)} })
	}
	if a := f.Arguments.ForName("filter"); a != nil {
		for range 3 {
			ways = append(ways, func() { plain["filter"] = m.spoiled(m.schema.Types[a.Type.Name()]) })
		}
	}
	if len(ways) > 0 {
		pick(m, ways)()
	}
}

// spoiled makes a filter one part of which is refused, or asks for nothing.
func (m *maker) spoiled(def *ast.Definition) map[string]any {
	var bad []any
	f := pick(m, def.Fields)
	switch f.Type.Name() {
	case "ID":
		bad = []any{"", "nope", m.id("", true)}
	case "Int":
		bad = []any{0, 16, -1, 2147483647}
	case "CountryCode":
		bad = []any{"gb", "GBR", "", "Ä"}
	case "Date":
		bad = []any{"2024-02-30", "1899-12-31", "yesterday", "", "20240101"}
	case "String":
		bad = []any{strings.Repeat("a", 201), strings.Repeat("a ", 17), "\x00", " ", "%", `\`, "'"}
	}
	if f.Name == "occurredFrom" && m.chance(0.3) {
		return map[string]any{"occurredFrom": "2025-02-01", "occurredTo": "2025-01-31"}
	}
	if bad == nil {
		return map[string]any{f.Name: nil}
	}
	if f.Type.Elem != nil {
		return map[string]any{f.Name: []any{pick(m, bad)}}
	}
	return map[string]any{f.Name: pick(m, bad)}
}

// foreignCursor gives a cursor of whatever question.
func (m *maker) foreignCursor() string {
	var all []*question
	for _, at := range slices.Sorted(maps.Keys(m.pool.cursors)) {
		all = append(all, m.pool.cursors[at]...)
	}
	if len(all) == 0 {
		return "AQIAAAAAAAAAAAY"
	}
	return pick(m, pick(m, all).cursors)
}
