package loaders

import (
	"context"

	"github.com/graph-gophers/dataloader/v7"

	"carbongraph/graph/exec"
	"carbongraph/graph/plan"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

// relation is what warming knows of one: on which field it stands, and how rows of that field's type go on.
type relation interface {
	field() string // "Type.field"
	// short is the same relation for the short way.
	short() exec.Relation
	// load asks for what a field of these rows shows. When the level has run it gives the steps to go on with; nil: there are none.
	load(lv *level, f *plan.Field, rows any) (next func() []step)
}

// One leads from a row to at most one other. Resolvers go through Of; warming and the short way are made from the same declaration.
type One[P, V any] struct {
	exec.Start[P]
	Read *ByID[V]
}

// Of gives the row that p leads to; nil where there is none.
func (r *One[P, V]) Of(ctx context.Context, p *P) (*V, error) {
	k, ok := r.Key(p)
	if !ok {
		return nil, nil
	}
	return r.Read.Load(ctx, k)
}

func (r *One[P, V]) field() string { return r.Type + "." + r.Field }

func (r *One[P, V]) short() exec.Relation { return exec.One[P, V]{Start: r.Start, Read: r.Read.Keyed} }

func (r *One[P, V]) load(lv *level, f *plan.Field, rows any) func() []step {
	seen := map[store.ID]bool{}
	var thunks []dataloader.Thunk[*V]
	for _, p := range rows.([]*P) {
		if k, ok := r.Key(p); ok && !seen[k] {
			seen[k] = true
			thunks = append(thunks, ask(lv, &r.Read.Read, k))
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

// Many leads from a row, with arguments, to a page of others.
type Many[P, A, V any] struct {
	exec.Start[P]
	Kind   store.Kind // of P
	Read   *Pages[A, V]
	Totals *Beside[A, EmissionSum, store.FootprintTotals] // what totals shows, and totalCount; nil: there are no totals
	Count  besides[A, int]                                // what totalCount shows, where there are no totals; nil: there are totals
}

// Beside is what stands beside the pages: sums or counts over all of them.
type Beside[A, B, V any] struct {
	Read *Sums[B, V]
	Of   func(A) B
	Uses []string // the arguments that Of looks at
}

// Of gives the page that hangs on p.
func (r *Many[P, A, V]) Of(ctx context.Context, p *P, args A) (*store.Connection[V], error) {
	return Of(ctx, r.Read.Read, r.parent(p), args)
}

func (r *Many[P, A, V]) parent(p *P) store.GlobalID {
	row, _ := r.Key(p)
	return store.Global(r.Kind, row)
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
			if r.Totals != nil {
				r.Totals.ask(lv, r.parent(p), args)
			}
			if r.Count != nil {
				r.Count.ask(lv, r.parent(p), args)
			}
		}
		thunks = append(thunks, ask(lv, r.Read.Read, Child[A]{r.parent(p), at}))
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

// besides is a Beside, whatever it takes of the arguments.
type besides[A, V any] interface {
	ask(lv *level, parent store.GlobalID, args A)
	short(kind store.Kind) *exec.Aggregate[V]
}

func (b *Beside[A, B, V]) ask(lv *level, parent store.GlobalID, args A) {
	ask(lv, b.Read.Read, Child[B]{parent, keep(lv.l, b.Of(args))})
}

func (r *Many[P, A, V]) short() exec.Relation {
	var count *exec.Aggregate[int]
	if r.Count != nil {
		count = r.Count.short(r.Kind)
	}
	return exec.Many[P, V]{Start: r.Start, Connection: exec.Connection[V]{
		Read: r.Read.Name,
		Pages: decoded(func(a *A) exec.Pages[V] {
			return func(from Ledger, parents []store.ID, some store.Columns) (*store.Select[V], error) {
				return r.Read.query(from, r.Kind, parents, a, some)
			}
		}),
		Totals: r.Totals.short(r.Kind),
		Count:  count,
	}}
}

func (b *Beside[A, B, V]) short(kind store.Kind) *exec.Aggregate[V] {
	if b == nil {
		return nil
	}
	return &exec.Aggregate[V]{Read: b.Read.Name, Uses: b.Uses, Sums: decoded(func(a *A) exec.Sums[V] { return b.Read.short(kind, b.Of(*a)) })}
}

func (s *Sums[A, V]) short(kind store.Kind, args A) exec.Sums[V] {
	return func(from Ledger, parents []store.ID) (*store.Select[V], error) {
		return s.query(from, kind, parents, &args)
	}
}

// decoded makes a read of decoded arguments one of the plan's.
func decoded[A, R any](read func(*A) R) func(map[string]any) (R, error) {
	return func(args map[string]any) (r R, err error) {
		a, err := decode[A](args)
		if err != nil {
			return r, fault.Wrap(err, fault.BadUserInput, "An argument has not the form that the schema asks for.")
		}
		return read(&a), nil
	}
}

// Sum leads from a row, with arguments, to a value that leads no further.
type Sum[P, A any] struct {
	exec.Start[P]
	Kind store.Kind // of P
	Read *Sums[A, store.FootprintTotals]
}

// Of gives the value of p.
func (r *Sum[P, A]) Of(ctx context.Context, p *P, args A) (*store.FootprintTotals, error) {
	return Of(ctx, r.Read.Read, r.parent(p), args)
}

func (r *Sum[P, A]) parent(p *P) store.GlobalID {
	row, _ := r.Key(p)
	return store.Global(r.Kind, row)
}

func (r *Sum[P, A]) field() string { return r.Type + "." + r.Field }

func (r *Sum[P, A]) load(lv *level, f *plan.Field, rows any) func() []step {
	args, err := decode[A](f.Args(lv.l.o.Variables))
	if err != nil {
		return nil
	}
	at := keep(lv.l, args)
	for _, p := range rows.([]*P) {
		ask(lv, r.Read.Read, Child[A]{r.parent(p), at})
	}
	return nil
}

func (r *Sum[P, A]) short() exec.Relation {
	return exec.Sum[P]{Start: r.Start, Aggregate: exec.Aggregate[store.FootprintTotals]{
		Read: r.Read.Name, Uses: []string{"filter"}, Sums: decoded(func(a *A) exec.Sums[store.FootprintTotals] { return r.Read.short(r.Kind, *a) }),
	}}
}
