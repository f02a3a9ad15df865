package loaders

import (
	"context"

	"github.com/graph-gophers/dataloader/v7"

	"carbongraph/graph/plan"
	"carbongraph/store"
)

// relation is what warming knows of one: on which field it stands, and how rows of that field's type go on.
type relation interface {
	field() string // "Type.field"
	// load asks for what a field of these rows shows. When the level has run it gives the steps to go on with; nil: there are none.
	load(lv *level, f *plan.Field, rows any) (next func() []step)
}

// One leads from a row to at most one other. Resolvers go through Of, warming and other engines through Key and Read: it is declared once for all.
type One[P any, K comparable, V any] struct {
	Type, Field string
	Key         func(*P) (K, bool) // false: there is none
	Read        *Read[K, *V]
	If          func(args map[string]any) bool // nil: always; else whether the field needs the row with these arguments
}

// Of gives the row that p leads to; nil where there is none.
func (r *One[P, K, V]) Of(ctx context.Context, p *P) (*V, error) {
	k, ok := r.Key(p)
	if !ok {
		return nil, nil
	}
	return r.Read.Load(ctx, k)
}

func (r *One[P, K, V]) field() string { return r.Type + "." + r.Field }

func (r *One[P, K, V]) load(lv *level, f *plan.Field, rows any) func() []step {
	if r.If != nil && !r.If(f.Args(lv.l.o.Variables)) {
		return nil
	}
	seen := map[K]bool{}
	var thunks []dataloader.Thunk[*V]
	for _, p := range rows.([]*P) {
		if k, ok := r.Key(p); ok && !seen[k] {
			seen[k] = true
			thunks = append(thunks, ask(lv, r.Read, k))
		}
	}
	return func() []step {
		found := make([]*V, 0, len(thunks))
		for _, thunk := range thunks {
			if v, err := thunk(); err == nil && v != nil { // an error comes up again where the field is resolved, and is told there
				found = append(found, v)
			}
		}
		return []step{{[]*plan.Field{f}, f.Type(), found}}
	}
}

// Direct leads from a row to another that is at hand without a read.
type Direct[P, V any] struct {
	Type, Field string
	Get         func(*P) *V
}

func (r *Direct[P, V]) field() string { return r.Type + "." + r.Field }

func (r *Direct[P, V]) load(_ *level, f *plan.Field, rows any) func() []step {
	seen := map[*V]bool{}
	var found []*V
	for _, p := range rows.([]*P) {
		if v := r.Get(p); v != nil && !seen[v] {
			seen[v] = true
			found = append(found, v)
		}
	}
	return func() []step { return []step{{[]*plan.Field{f}, f.Type(), found}} }
}

// Many leads from a row, with arguments, to a page of others.
type Many[P, A, V any] struct {
	Type, Field string
	Key         func(*P) store.GlobalID
	Read        *Read[Child[A], *store.Connection[V]]
	// Sums asks for what the connection's fields totalCount and totals show.
	Sums func(lv *level, parent store.GlobalID, args A)
}

// Of gives the page that hangs on p.
func (r *Many[P, A, V]) Of(ctx context.Context, p *P, args A) (*store.Connection[V], error) {
	return Of(ctx, r.Read, r.Key(p), args)
}

func (r *Many[P, A, V]) field() string { return r.Type + "." + r.Field }

func (r *Many[P, A, V]) load(lv *level, f *plan.Field, rows any) func() []step {
	args, err := decode[A](f.Args(lv.l.o.Variables))
	if err != nil {
		return nil // the engine refuses them too, and says why
	}
	at, sums, pages := keep(lv.l, args), lv.l.sums(f), lv.l.rowFields(f)
	var thunks []dataloader.Thunk[*store.Connection[V]]
	for _, p := range rows.([]*P) {
		if sums {
			r.Sums(lv, r.Key(p), args)
		}
		thunks = append(thunks, ask(lv, r.Read, Child[A]{r.Key(p), at}))
	}
	return func() []step {
		var found []*V
		for _, thunk := range thunks {
			if c, err := thunk(); err == nil && c != nil {
				found = append(found, c.Nodes...)
			}
		}
		return steps(pages, found)
	}
}

// Sum leads from a row, with arguments, to a value that leads no further.
type Sum[P, A, V any] struct {
	Type, Field string
	Key         func(*P) store.GlobalID
	Read        *Read[Child[A], V]
}

// Of gives the value of p.
func (r *Sum[P, A, V]) Of(ctx context.Context, p *P, args A) (V, error) {
	return Of(ctx, r.Read, r.Key(p), args)
}

func (r *Sum[P, A, V]) field() string { return r.Type + "." + r.Field }

func (r *Sum[P, A, V]) load(lv *level, f *plan.Field, rows any) func() []step {
	args, err := decode[A](f.Args(lv.l.o.Variables))
	if err != nil {
		return nil
	}
	at := keep(lv.l, args)
	for _, p := range rows.([]*P) {
		ask(lv, r.Read, Child[A]{r.Key(p), at})
	}
	return nil
}
