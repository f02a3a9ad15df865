package resolvers_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
)

// door is a place of the schema where a client names a row: an argument, or a field of an input below one, that takes an id or a cursor.
type door struct {
	parent *ast.Definition
	field  *ast.FieldDefinition
	arg    *ast.ArgumentDefinition
	path   []string // from the argument down to the part that takes the id; empty where the argument does
	cursor bool
}

func (d door) String() string {
	return d.parent.Name + "." + d.field.Name + "(" + strings.Join(append([]string{d.arg.Name}, d.path...), ".") + ")"
}

// global tells whether the door takes global ids, and not the keys of another system.
func (d door) global(s *ast.Schema) bool {
	t := d.arg.Type
	for _, name := range d.path {
		t = s.Types[t.Name()].Fields.ForName(name).Type
	}
	return t.Name() == "ID"
}

// named tells what part names a row by its name: an id, or the key of another system.
var named = regexp.MustCompile(`(?i)ids?$`)

// doors finds every door of the schema.
func doors(s *ast.Schema) (out []door) {
	for _, parent := range fieldTypes(s) {
		for _, f := range parent.Fields {
			for _, a := range f.Arguments {
				d := door{parent: parent, field: f, arg: a}
				if a.Name == "after" || a.Name == "before" {
					d.cursor = true
					out = append(out, d)
					continue
				}
				below(s, a.Name, a.Type, nil, func(path []string) {
					d.path = path
					out = append(out, d)
				})
			}
		}
	}
	return out
}

// below finds the parts of an input that name rows.
func below(s *ast.Schema, name string, t *ast.Type, path []string, found func([]string)) {
	def := s.Types[t.Name()]
	switch {
	case def.Kind == ast.Scalar && (def.Name == "ID" || named.MatchString(name)):
		found(slices.Clone(path))
	case def.Kind == ast.InputObject && len(path) < 8:
		for _, f := range def.Fields {
			below(s, f.Name, f.Type, append(path, f.Name), found)
		}
	}
}

// fieldTypes are the types whose fields a document can ask: those of queries first, so that what they read is there yet.
func fieldTypes(s *ast.Schema) (out []*ast.Definition) {
	for _, name := range slices.Sorted(maps.Keys(s.Types)) {
		def := s.Types[name]
		if def.Kind == ast.Object && !strings.HasPrefix(name, "__") && def != s.Mutation {
			out = append(out, def)
		}
	}
	return append(out, s.Mutation)
}

// document asks the field as its type allows: from the root, or from the row that own gives for the type.
func document(t *testing.T, s *ast.Schema, parent *ast.Definition, f *ast.FieldDefinition, declare, args, selection string, own map[string]string) string {
	t.Helper()
	if args != "" {
		args = "(" + args + ")"
	}
	if declare != "" {
		declare = "(" + declare + ")"
	}
	asked := f.Name + args + " " + selection
	switch parent {
	case s.Query:
		return "query" + declare + " { " + asked + " }"
	case s.Mutation:
		return "mutation" + declare + " { " + asked + " }"
	case s.Subscription:
		return "subscription" + declare + " { " + asked + " }"
	}
	id, ok := own[parent.Name]
	if !ok {
		t.Fatalf("%s.%s takes an id or a cursor, and no row of the type is there to ask it on: add one", parent.Name, f.Name)
	}
	return "query" + declare + ` { node(id: "` + id + `") { ... on ` + parent.Name + " { " + asked + " } } }"
}

// selection takes every field of the type that needs no argument, down to a depth, but for connections below a row.
func selection(s *ast.Schema, t *ast.Type, depth int) string {
	def := s.Types[t.Name()]
	if def.IsLeafType() {
		return ""
	}
	switch def.Kind {
	case ast.Interface:
		return "{ __typename id }"
	case ast.Union:
		parts := []string{"__typename"}
		for _, name := range def.Types {
			parts = append(parts, "... on "+name+" "+selection(s, ast.NamedType(name, nil), depth))
		}
		return "{ " + strings.Join(parts, " ") + " }"
	}
	parts := []string{"__typename"}
	for _, f := range def.Fields {
		required := slices.ContainsFunc(f.Arguments, func(a *ast.ArgumentDefinition) bool { return a.Type.NonNull && a.DefaultValue == nil })
		if strings.HasPrefix(f.Name, "__") || required || f.Arguments.ForName("after") != nil {
			continue
		}
		if s.Types[f.Type.Name()].IsLeafType() {
			parts = append(parts, f.Name)
		} else if depth > 0 {
			parts = append(parts, f.Name+selection(s, f.Type, depth-1))
		}
	}
	return "{ " + strings.Join(parts, " ") + " }"
}

// value makes an input of the type that holds leaf at the path, beside what the types on the way need.
func value(s *ast.Schema, t *ast.Type, path []string, leaf any, needs map[string]map[string]any) any {
	if t.Elem != nil {
		return []any{value(s, t.Elem, path, leaf, needs)}
	}
	if len(path) == 0 {
		return leaf
	}
	out := map[string]any{}
	maps.Copy(out, needs[t.Name()])
	out[path[0]] = value(s, s.Types[t.Name()].Fields.ForName(path[0]).Type, path[1:], leaf, needs)
	return out
}
