package loaders

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"carbongraph/graph/plan"
	"carbongraph/store"
)

// step is rows that were read, the planned fields that show them, and the object type that they are of.
type step struct {
	fields []*plan.Field
	object string
	rows   any // []*T
}

// Page warms everything that the plan asks for below the rows of a root field's connection. Call it in the root resolver, before it answers.
func Page[T any](ctx context.Context, c *store.Connection[T]) {
	l, f := From(ctx), rootField(ctx)
	if f != nil && c != nil {
		l.warm(steps(l.rowFields(f), c.Nodes))
	}
}

// Rows warms everything that the plan asks for below rows that a root field shows: itself, or at a path of fields below it.
func Rows[T any](ctx context.Context, rows []*T, path ...string) {
	l, f := From(ctx), rootField(ctx)
	if f == nil {
		return
	}
	fields := []*plan.Field{f}
	for _, name := range path {
		var below []*plan.Field
		for _, f := range fields {
			below = append(below, l.named(f, f.Type(), name)...)
		}
		fields = below
	}
	l.warm(steps(fields, rows))
}

// Objects warms everything that the plan asks for below those rows of a root field that are of one object type, where the field itself is of a union.
func Objects[T any](ctx context.Context, object string, rows []*T) {
	l, f := From(ctx), rootField(ctx)
	if f != nil && len(rows) > 0 {
		l.warm([]step{{[]*plan.Field{f}, object, rows}})
	}
}

// rootField gives the plan of the root field that is being resolved; nil where there is no plan.
func rootField(ctx context.Context) *plan.Field {
	fc := graphql.GetFieldContext(ctx)
	if p := From(ctx).o.Plan; p != nil && fc != nil && fc.Field.Field != nil {
		return p.Field(fc.Field.Alias)
	}
	return nil
}

// steps is the step from rows that planned fields of one type show, if any does.
func steps[T any](fields []*plan.Field, rows []*T) []step {
	if len(fields) == 0 || len(rows) == 0 {
		return nil
	}
	return []step{{fields, fields[0].Type(), rows}}
}

func (l *Loaders) level() *level { return &level{l: l, asked: map[any]bool{}} }

// warm reads level by level: it asks for all that a level needs, reads it, and goes on with what came. So every relation of a level takes one statement,
// by construction and not by timing, and the fields that are resolved later find what they need.
func (l *Loaders) warm(now []step) {
	for len(now) > 0 && l.ctx.Err() == nil {
		lv := l.level()
		var nexts []func() []step
		for _, s := range now {
			for _, f := range s.fields {
				for _, child := range f.Fields(s.object, l.o.Variables) {
					if r := relations[s.object+"."+child.Name()]; r != nil {
						if next := r.load(lv, child, s.rows); next != nil {
							nexts = append(nexts, next)
						}
					}
				}
			}
		}
		lv.run()
		now = nil
		for _, next := range nexts {
			now = append(now, next()...)
		}
	}
}

// named gives the selected fields of a name, under whatever alias.
func (l *Loaders) named(f *plan.Field, object, name string) []*plan.Field {
	var out []*plan.Field
	for _, child := range f.Fields(object, l.o.Variables) {
		if child.Name() == name {
			out = append(out, child)
		}
	}
	return out
}

// rowFields gives the fields that show the rows of a connection: nodes, and node of edges.
func (l *Loaders) rowFields(f *plan.Field) []*plan.Field {
	out := l.named(f, f.Type(), "nodes")
	for _, edges := range l.named(f, f.Type(), "edges") {
		out = append(out, l.named(edges, edges.Type(), "node")...)
	}
	return out
}

// sums tells whether a connection's count or totals are selected.
func (l *Loaders) sums(f *plan.Field) bool {
	return len(l.named(f, f.Type(), "totalCount"))+len(l.named(f, f.Type(), "totals")) > 0
}
