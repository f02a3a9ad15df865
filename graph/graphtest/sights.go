package graphtest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Sights are what answers were seen to hold: whether the data behind them are worth asking for. The zero value has seen nothing.
type Sights struct{ seen map[string]bool }

// See looks at what a document was answered.
func (s *Sights) See(g *Generator, d *Document, data json.RawMessage) { read(g, d, data, nil, s) }

func (s *Sights) see(field string, value any) {
	if s.seen == nil {
		s.seen = map[string]bool{}
	}
	switch v := value.(type) {
	case nil:
		s.seen[field+" = null"] = true
		return
	case []any:
		if len(v) == 0 {
			s.seen[field+" = []"] = true
			return
		}
	case string:
		s.seen[field+" = "+v] = len(v) < 30 && strings.ToUpper(v) == v
	case bool:
		s.seen[fmt.Sprint(field, " = ", v)] = true
	}
	s.seen[field] = true
}

// Unseen lists what a query can be answered and never was: fields, nulls where there may be one, both booleans, each value of an enum, empty lists.
func (s *Sights) Unseen(g *Generator) (missing []string) {
	want := func(what string) {
		if !s.seen[what] {
			missing = append(missing, what)
		}
	}
	seen := map[string]bool{}
	var visit func(def *ast.Definition)
	visit = func(def *ast.Definition) {
		if seen[def.Name] {
			return
		}
		seen[def.Name] = true
		for _, f := range def.Fields {
			field, t := def.Name+"."+f.Name, g.schema.Types[f.Type.Name()]
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			want(field)
			if !f.Type.NonNull {
				want(field + " = null")
			}
			if f.Type.Elem != nil {
				want(field + " = []")
			}
			if t.Name == "Boolean" {
				want(field + " = true")
				want(field + " = false")
			}
			for _, v := range t.EnumValues {
				want(field + " = " + v.Name)
			}
			visit(t)
		}
		for _, t := range g.schema.GetPossibleTypes(def) {
			visit(t)
		}
	}
	visit(g.schema.Query)
	slices.Sort(missing)
	return missing
}
