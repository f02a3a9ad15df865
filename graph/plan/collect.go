package plan

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// source is a selection set together with the condition under which it counts.
type source struct {
	set  ast.SelectionSet
	cond clause
}

type builder struct {
	plan       *Plan
	schema     *ast.Schema
	doc        *ast.QueryDocument
	switches   map[string]bool
	forms      map[string]bool
	selections int
}

// collect merges selection sets on an object type, as CollectFields of the specification does, but for all values of the variables at once.
func (b *builder) collect(object *ast.Definition, parent *Field, sources []source) group {
	c := &collection{builder: b, object: object, parent: parent, byKey: map[string]*found{}, visited: map[string][]clause{}}
	for _, s := range sources {
		c.add(s.set, s.cond)
	}
	g := group{fields: make([]*Field, len(c.order)), steady: true}
	for i, f := range c.order {
		g.fields[i] = f.Field
		g.steady = g.steady && len(f.when[0].cond) == 0
		b.descend(f)
	}
	return g
}

// collection is the merging of one selection.
type collection struct {
	*builder
	object  *ast.Definition
	parent  *Field
	order   []*found
	byKey   map[string]*found
	visited map[string][]clause // per fragment, the conditions under which its fields are in already
	at      int
}

// found is a field on the way, with what is selected below it.
type found struct {
	*Field
	below []source
}

func (c *collection) add(set ast.SelectionSet, outer clause) {
	for _, s := range set {
		if c.selections++; c.selections > maxSelections {
			return
		}
		switch s := s.(type) {
		case *ast.Field:
			if cond, ok := c.narrow(outer, s.Directives); ok {
				c.field(s, cond)
			}
		case *ast.InlineFragment:
			if cond, ok := c.narrow(outer, s.Directives); ok && c.matches(s.TypeCondition) {
				c.add(s.SelectionSet, cond)
			}
		case *ast.FragmentSpread:
			if cond, ok := c.narrow(outer, s.Directives); ok {
				c.spread(s.Name, cond)
			}
		}
	}
}

// spread adds a fragment, unless it is in already under a condition that holds whenever this one does.
func (c *collection) spread(name string, cond clause) {
	c.selections += len(c.visited[name]) // comparing them is work too
	if slices.ContainsFunc(c.visited[name], func(v clause) bool { return v.within(cond) }) {
		return
	}
	c.visited[name] = append(c.visited[name], cond)
	if f := c.doc.Fragments.ForName(name); f != nil && c.matches(f.TypeCondition) {
		c.add(f.SelectionSet, cond)
	}
}

func (c *collection) field(s *ast.Field, cond clause) {
	f := c.byKey[s.Alias]
	if f == nil {
		f = &found{Field: &Field{
			ID: c.plan.Size, Object: c.object.Name, Key: s.Alias, Definition: c.definition(s), Selection: s, Parent: c.parent, schema: c.schema,
		}}
		f.prepare()
		if len(s.SelectionSet) == 0 {
			for _, a := range s.Arguments {
				note(a.Value, c.forms)
			}
		}
		c.plan.Size++
		c.byKey[s.Alias] = f
		c.order = append(c.order, f)
	}
	f.when = append(f.when, place{cond, c.at})
	c.at++
	if len(s.SelectionSet) > 0 {
		f.below = append(f.below, source{s.SelectionSet, cond})
	}
}

// definition gives the object's own field, which may be narrower than that of the interface it was selected on.
func (c *collection) definition(s *ast.Field) *ast.FieldDefinition {
	if d := c.object.Fields.ForName(s.Name); d != nil {
		return d
	}
	return s.Definition // __typename, __schema, __type
}

// descend plans what is selected below a field, for each object type that it can give.
func (b *builder) descend(f *found) {
	defer f.settle()
	if len(f.below) == 0 {
		return
	}
	f.children = map[string]*group{}
	for _, object := range b.schema.GetPossibleTypes(b.schema.Types[f.Type()]) {
		g := b.collect(object, f.Field, f.below)
		g.weight = weightOf(object.Directives, 1)
		f.children[object.Name] = &g
	}
}

func (c *collection) matches(condition string) bool {
	if condition == "" || condition == c.object.Name {
		return true
	}
	return slices.Contains(c.schema.GetPossibleTypes(c.schema.Types[condition]), c.object)
}

// narrow adds @skip and @include to a condition. It is false where they never let the selection in. A variable decides wherever it is written, also beside what
// decides alone: gqlgen's engine looks at both.
func (b *builder) narrow(outer clause, directives ast.DirectiveList) (clause, bool) {
	cond, in := outer, true
	for _, d := range directives {
		if d.Name != "skip" && d.Name != "include" {
			continue
		}
		want := d.Name == "include"
		v, ok := d.Arguments.ForName("if").Value, true
		if v.Kind == ast.Variable {
			b.switches[v.Raw] = true
			if in {
				cond, ok = cond.and(literal{v.Raw, want})
			}
		} else {
			ok = (v.Raw == "true") == want
		}
		in = in && ok
	}
	return cond, in
}
