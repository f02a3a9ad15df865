package graphtest

import (
	"github.com/vektah/gqlparser/v2/ast"
)

// scope is what stands, fragments spread out, in one place of an answer: validation wants each name there to mean one thing.
type scope struct {
	entries map[string]*entry // by response name
	order   []string
}

// entry is one name of an answer, and where the document asks for it.
type entry struct {
	typ   string
	uses  []use
	below *scope
}

type use struct {
	on    *ast.Definition
	field *ast.Field
	key   string
}

func newScope() *scope { return &scope{entries: map[string]*entry{}} }

// takes tells whether a field can stand here beside what is here already. Fields of different objects never meet, but their types must agree; of lists
// and objects the arguments too, so that whoever reads an answer knows what it reads.
func (s *scope) takes(name string, on *ast.Definition, field, arguments string, def *ast.FieldDefinition, leaf bool) bool {
	e := s.entries[name]
	if e == nil {
		return true
	}
	if e.typ != def.Type.String() {
		return false
	}
	for _, u := range e.uses {
		apart := leaf && u.on != on && u.on.Kind == ast.Object && on.Kind == ast.Object
		if !apart && (u.field.Name != field || u.key != arguments) {
			return false
		}
	}
	return true
}

// put adds a field that the scope takes, and gives the scope of what stands below it.
func (s *scope) put(on *ast.Definition, f *ast.Field, def *ast.FieldDefinition) (below *scope, again bool) {
	e := s.entries[f.Alias]
	if again = e != nil; !again {
		e = &entry{typ: def.Type.String(), below: newScope()}
		s.entries[f.Alias] = e
		s.order = append(s.order, f.Alias)
	}
	e.uses = append(e.uses, use{on, f, key(f.Arguments)})
	return e.below, again
}

// typename is the field that every type has. Its type here is one of its own: gqlparser takes it for a String, the specification for a String!, so that
// its names are shared with no other field.
var typename = &ast.FieldDefinition{Name: "__typename", Type: ast.NonNullNamedType("__typename", nil)}

func definition(on *ast.Definition, name string) *ast.FieldDefinition {
	if name == typename.Name {
		return typename
	}
	return on.Fields.ForName(name)
}

// leaf tells whether nothing can be selected below a field.
func (m *maker) leaf(def *ast.FieldDefinition) bool {
	t := m.schema.Types[def.Type.Name()]
	return t == nil || t.IsLeafType()
}

// fits tells whether a whole selection can stand in a scope.
func (m *maker) fits(s *scope, on *ast.Definition, set ast.SelectionSet) bool {
	return m.merge(set, on, func(on *ast.Definition, f *ast.Field, def *ast.FieldDefinition) bool {
		if !s.takes(f.Alias, on, f.Name, key(f.Arguments), def, m.leaf(def)) {
			return false
		}
		e := s.entries[f.Alias]
		return e == nil || len(f.SelectionSet) == 0 || m.fits(e.below, m.schema.Types[def.Type.Name()], f.SelectionSet)
	})
}

// absorb puts a whole selection that fits into a scope.
func (m *maker) absorb(s *scope, on *ast.Definition, set ast.SelectionSet) {
	m.merge(set, on, func(on *ast.Definition, f *ast.Field, def *ast.FieldDefinition) bool {
		below, again := s.put(on, f, def)
		if again {
			m.repeats++
		}
		if len(f.SelectionSet) > 0 {
			m.absorb(below, m.schema.Types[def.Type.Name()], f.SelectionSet)
		}
		return true
	})
}

// merge visits the fields of a selection, those of its fragments included, until one says no.
func (m *maker) merge(set ast.SelectionSet, on *ast.Definition, visit func(*ast.Definition, *ast.Field, *ast.FieldDefinition) bool) bool {
	for _, sel := range set {
		ok := true
		switch sel := sel.(type) {
		case *ast.Field:
			ok = visit(on, sel, definition(on, sel.Name))
		case *ast.InlineFragment:
			inner := on
			if sel.TypeCondition != "" {
				inner = m.schema.Types[sel.TypeCondition]
			}
			ok = m.merge(sel.SelectionSet, inner, visit)
		case *ast.FragmentSpread:
			f := m.fragment(sel.Name)
			ok = m.merge(f.def.SelectionSet, f.on, visit)
		}
		if !ok {
			return false
		}
	}
	return true
}

func (m *maker) fragment(name string) *fragment {
	for _, f := range m.fragments {
		if f.def.Name == name {
			return f
		}
	}
	return nil
}
