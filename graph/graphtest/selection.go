package graphtest

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// selection makes what is selected on a type, so many levels of fields deep. Rows is how often that stands in an answer; page, how long the lists of a
// connection are.
func (m *maker) selection(s *scope, on *ast.Definition, depth int, rows, page float64) ast.SelectionSet {
	width := 1 + m.IntN(5)
	if m.chance(0.15) {
		width += m.IntN(12)
	}
	if few := len(on.Fields) + 1; !on.IsAbstractType() && width > few && m.chance(0.9) {
		width = few
	}
	if m.left <= 0 {
		width = 1
	}
	var set ast.SelectionSet
	if m.left > len(on.Fields) && !on.IsAbstractType() && m.chance(0.15) {
		set = m.whole(s, on, depth, rows)
		width = len(set) + m.IntN(3)
	}
	for range 2 * width {
		if len(set) >= width {
			break
		}
		if sel := m.any(s, on, depth, rows, page); sel != nil {
			set = append(set, sel)
		}
	}
	if len(set) == 0 {
		set = append(set, m.typename(s, on, false))
	}
	return set
}

// whole makes every field of the type that nothing is selected below, so that a row is seen as it is, and small parts of it.
func (m *maker) whole(s *scope, on *ast.Definition, depth int, rows float64) (set ast.SelectionSet) {
	for _, def := range on.Fields {
		small := m.leaf(def) || slices.Contains([]string{"GasAmount", "FactorGas", "ProvenanceStep", "Quantity", "Money", "UserError", "FootprintTotals", "PageInfo"}, def.Type.Name())
		if !small || len(def.Arguments) > 1 || !m.leaf(def) && depth+2 > m.at.maxHeight {
			continue
		}
		args, n, _ := m.arguments(on, def, rows)
		if sel := m.named(s, on, &ast.Field{Alias: def.Name, Name: def.Name, Arguments: args}, def, depth, rows, m.length(on, def, n, 1)); sel != nil {
			set = append(set, sel)
		}
	}
	return set
}

// any makes one selection of any kind; nil where what was thought of does not fit.
func (m *maker) any(s *scope, on *ast.Definition, depth int, rows, page float64) ast.Selection {
	if depth == 0 && m.at.top >= m.at.maxTop {
		return nil
	}
	inline, spread := 0.08, 0.12
	if on.IsAbstractType() {
		inline, spread = 0.5, 0.3
	}
	if m.left <= 0 || m.written > maxWritten {
		inline, spread = 0, 0
	}
	switch p := m.Float64() - 0.04; {
	case p < 0:
		return m.typename(s, on, true)
	case p < inline:
		return m.inline(s, on, depth, rows, page)
	case p < inline+spread:
		if sel := m.spread(s, on, depth, rows, page); sel != nil {
			return sel
		}
	case p < inline+spread+0.05:
		if sel := m.again(s, on, depth, rows, page); sel != nil {
			return sel
		}
	}
	return m.anyField(s, on, depth, rows, page)
}

func (m *maker) typename(s *scope, on *ast.Definition, aliased bool) ast.Selection {
	f := &ast.Field{Alias: typename.Name, Name: typename.Name}
	if aliased && m.chance(0.2) {
		if alias := m.alias(s, on, f, typename); alias != "" {
			f.Alias = alias
		}
	}
	if aliased {
		f.Directives = m.directives(0.05)
	}
	return m.place(s, on, f, typename, 0, 1, 1)
}

// anyField makes a field of the type.
func (m *maker) anyField(s *scope, on *ast.Definition, depth int, rows, page float64) ast.Selection {
	if on == m.schema.Query && m.chance(0.004) {
		return m.introspect(s, on, depth)
	}
	deep := depth+2 <= m.at.maxHeight && m.left > 1 && m.written < maxWritten
	var some []*ast.FieldDefinition
	for _, def := range on.Fields {
		if !strings.HasPrefix(def.Name, "__") && (deep || m.leaf(def) || on == m.schema.Query) {
			some = append(some, def)
		}
	}
	if len(some) == 0 {
		return nil
	}
	def := pick(m, some)
	args, n, ok := m.arguments(on, def, rows)
	if !ok {
		return nil
	}
	return m.named(s, on, &ast.Field{Alias: def.Name, Name: def.Name, Arguments: args, Directives: m.directives(0.06)}, def, depth, rows, m.length(on, def, n, page))
}

// length is how many values a field has for each that it stands on: of a connection, how many its lists will have.
func (m *maker) length(on *ast.Definition, def *ast.FieldDefinition, asked, page float64) float64 {
	switch {
	case def.Type.Elem == nil || asked > 1:
		return asked
	case strings.HasSuffix(on.Name, "Connection"):
		return page
	case def.Name == "categories":
		return 15
	}
	return 3
}

// named gives the field an alias where it needs one or by chance, and puts it in; nil where no alias or no repetition can be had.
func (m *maker) named(s *scope, on *ast.Definition, f *ast.Field, def *ast.FieldDefinition, depth int, rows, n float64) ast.Selection {
	if !s.takes(f.Alias, on, f.Name, key(f.Arguments), def, m.leaf(def)) || m.chance(0.08) {
		if f.Alias = m.alias(s, on, f, def); f.Alias == "" {
			return nil
		}
	}
	if s.entries[f.Alias] != nil && m.repeats >= maxRepeats {
		return nil
	}
	m.pages[f] = n
	return m.place(s, on, f, def, depth, rows, n)
}

// alias finds a name that the scope takes for the field; "" where none may be added. Names of other fields are names like others.
func (m *maker) alias(s *scope, on *ast.Definition, f *ast.Field, def *ast.FieldDefinition) string {
	if m.at.aliases >= m.at.maxAliases {
		return ""
	}
	alias, field := "", typename // a union has no fields of its own
	if len(on.Fields) > 0 {
		field = pick(m, on.Fields)
	}
	for _, try := range []string{pick(m, []string{"a", "b", "_", "x1", "id", "node", "type", "on", "query", "fragment", "data", "errors", "null"}), field.Name, m.name("a")} {
		if try != f.Name && !strings.HasPrefix(try, "__") && s.takes(try, on, f.Name, key(f.Arguments), def, m.leaf(def)) {
			alias = try
			break
		}
	}
	m.at.aliases++
	return alias
}

// again selects once more what is selected here already, with more below it.
func (m *maker) again(s *scope, on *ast.Definition, depth int, rows, page float64) ast.Selection {
	if len(s.order) == 0 || m.repeats >= maxRepeats {
		return nil
	}
	for _, u := range s.entries[pick(m, s.order)].uses {
		def := definition(u.on, u.field.Name)
		aliased := u.field.Alias != u.field.Name
		introspects := def != typename && strings.HasPrefix(def.Name, "__")
		if u.on != on || introspects || aliased && m.at.aliases >= m.at.maxAliases || !m.leaf(def) && depth+2 > m.at.maxHeight {
			continue
		}
		if aliased {
			m.at.aliases++
		}
		n := m.pages[u.field]
		f := &ast.Field{Alias: u.field.Alias, Name: u.field.Name, Arguments: u.field.Arguments, Directives: m.directives(0.1)}
		m.pages[f] = n
		return m.place(s, on, f, def, depth, rows, max(n, 1))
	}
	return nil
}

// place puts the field where it stands, and makes what is selected below it.
func (m *maker) place(s *scope, on *ast.Definition, f *ast.Field, def *ast.FieldDefinition, depth int, rows, n float64) ast.Selection {
	m.left--
	m.written += 2
	m.at.height = max(m.at.height, depth+1)
	if depth == 0 {
		m.at.top++
	}
	below, again := s.put(on, f, def)
	if again {
		m.repeats++
	}
	if m.leaf(def) {
		return f
	}
	each := rows
	if def.Type.Elem != nil {
		each *= n
	}
	m.at.rows += each
	f.SelectionSet = m.selection(below, m.schema.Types[def.Type.Name()], depth+1, each, n)
	return f
}

// inline makes an inline fragment, on the type or on another that a value of it can be of.
func (m *maker) inline(s *scope, on *ast.Definition, depth int, rows, page float64) ast.Selection {
	inner := pick(m, m.conditions(on))
	f := &ast.InlineFragment{TypeCondition: inner.Name, Directives: m.directives(0.2)}
	if inner == on && m.chance(0.5) {
		f.TypeCondition = ""
	}
	m.written += 2
	f.SelectionSet = m.selection(s, inner, depth, rows, page)
	return f
}

// spread spreads a fragment that the document has, or a new one.
func (m *maker) spread(s *scope, on *ast.Definition, depth int, rows, page float64) ast.Selection {
	var some []*fragment
	for _, f := range m.fragments {
		if m.overlap(on, f.on) && m.affords(f, depth, rows, page) && m.fits(s, f.on, f.def.SelectionSet) {
			some = append(some, f)
		}
	}
	var f *fragment
	if len(some) > 0 && m.chance(0.6) {
		f = pick(m, some)
	} else {
		f = m.newFragment(on, depth, rows, page)
		if !m.affords(f, depth, rows, page) || !m.fits(s, f.on, f.def.SelectionSet) {
			return nil
		}
	}
	m.absorb(s, f.on, f.def.SelectionSet)
	m.at.aliases += f.aliases
	m.at.rows += rows * f.rows
	m.at.height = max(m.at.height, depth+f.height)
	if depth == 0 {
		m.at.top += f.top
	}
	m.written += 2
	return &ast.FragmentSpread{Name: f.def.Name, Directives: m.directives(0.2)}
}

// affords tells whether the fragment, spread here, keeps what is made within its limits.
func (m *maker) affords(f *fragment, depth int, rows, page float64) bool {
	return m.at.aliases+f.aliases <= m.at.maxAliases && depth+f.height <= m.at.maxHeight && m.at.rows+rows*f.rows <= m.at.maxRows &&
		(depth > 0 || m.at.top+f.top <= m.at.maxTop) && (page <= f.page || !strings.HasSuffix(f.on.Name, "Connection")) && m.repeats+f.top*f.height < maxRepeats
}

// newFragment makes a fragment that could be spread here.
func (m *maker) newFragment(on *ast.Definition, depth int, rows, page float64) *fragment {
	outer, left := m.at, m.left
	f := &fragment{on: pick(m, m.conditions(on)), page: page}
	m.at = &tally{maxAliases: min(6, outer.maxAliases-outer.aliases), maxHeight: outer.maxHeight - depth, maxTop: 6, maxRows: max(1, (outer.maxRows-outer.rows)/rows/2)}
	m.left = min(m.left, 1+m.IntN(smallFields))
	gave := m.left
	f.def = &ast.FragmentDefinition{Name: m.name("F"), TypeCondition: f.on.Name}
	f.def.SelectionSet = m.selection(newScope(), f.on, 0, 1, page)
	f.tally = *m.at
	m.left, m.at = left-(gave-m.left), outer
	m.fragments = append(m.fragments, f)
	return f
}

// introspect asks about the schema itself, which not everybody may.
func (m *maker) introspect(s *scope, on *ast.Definition, depth int) ast.Selection {
	f := &ast.Field{Alias: "__type", Name: "__type", Arguments: ast.ArgumentList{{Name: "name", Value: &ast.Value{Kind: ast.StringValue, Raw: "Supplier"}}}}
	if m.chance(0.5) {
		f = &ast.Field{Alias: "__schema", Name: "__schema"}
	}
	def := on.Fields.ForName(f.Name)
	if depth > 0 || !s.takes(f.Alias, on, f.Name, key(f.Arguments), def, false) || m.at.maxHeight < 3 {
		return nil
	}
	s.put(on, f, def)
	m.at.top++
	m.at.height = max(m.at.height, 3)
	below := &ast.Field{Alias: "fields", Name: "fields", SelectionSet: ast.SelectionSet{&ast.Field{Alias: "name", Name: "name"}}}
	if f.Name == "__schema" {
		below = &ast.Field{Alias: "queryType", Name: "queryType", SelectionSet: ast.SelectionSet{&ast.Field{Alias: "name", Name: "name"}}}
	}
	f.SelectionSet = ast.SelectionSet{below}
	return f
}

// directives leaves a selection out or lets it in, mostly the latter.
func (m *maker) directives(p float64) (list ast.DirectiveList) {
	if !m.chance(p) {
		return nil
	}
	for _, name := range []string{"skip", "include"} {
		if !m.chance(0.6) {
			continue
		}
		keep := m.chance(0.75)
		v := m.express(keep == (name == "include"), ast.NonNullNamedType("Boolean", nil), nil, "when", 0.7)
		list = append(list, &ast.Directive{Name: name, Arguments: ast.ArgumentList{{Name: "if", Value: v}}})
	}
	m.written += 3 * len(list)
	return list
}
