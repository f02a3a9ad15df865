package loaders

import (
	"context"
	"encoding/json"
	"reflect"
	"strconv"

	"github.com/graph-gophers/dataloader/v7"

	"carbongraph/graph/exec"
	"carbongraph/store"
)

// Ledger is what bulk reads read from.
type Ledger = exec.Ledger

// Read is a bulk read: what a loader batches. Results stand in the order of the keys; what is not there is the zero value, not an error.
type Read[K comparable, V any] struct {
	Name string
	Bulk func(ctx context.Context, from Ledger, keys []K) []*dataloader.Result[V]
}

// Load reads one value, together with whatever else the operation asks for now.
func (r *Read[K, V]) Load(ctx context.Context, key K) (V, error) {
	return loaderOf(From(ctx), r).Load(ctx, key)()
}

// ByID is a read of rows by an id, for both engines: the loader keeps the rows, the short way does not.
type ByID[V any] struct {
	Read[store.ID, *V]
	Keyed *exec.Keyed[V]
}

// byID makes both reads of one declaration.
func byID[V any](k exec.Keyed[V]) *ByID[V] {
	return &ByID[V]{Keyed: &k, Read: Read[store.ID, *V]{k.Name, func(ctx context.Context, from Ledger, ids []store.ID) []*dataloader.Result[*V] {
		found, err := rowsOf(ctx, from, &k, ids)
		out := failed[*V](len(ids), err)
		for i, id := range ids {
			if err == nil {
				out[i].Data = found[id]
			}
		}
		return out
	}}}
}

// rowsOf reads rows to keep, by the id that each answers. Of several for one id the first is meant.
func rowsOf[V any](ctx context.Context, from Ledger, k *exec.Keyed[V], ids []store.ID) (map[store.ID]*V, error) {
	found := make(map[store.ID]*V, len(ids))
	if k.Held != nil {
		var missing []store.ID
		for _, id := range ids {
			if row := k.Held(from, id); row != nil {
				found[id] = row
			} else {
				missing = append(missing, id)
			}
		}
		ids = missing
	}
	if k.Query == nil || len(ids) == 0 {
		return found, nil
	}
	q := k.Query(from, ids, 0)
	keep := func(id store.ID, row *V) {
		if found[id] == nil {
			found[id] = row
		}
	}
	if k.Key == nil {
		return found, q.Hanging(ctx, keep)
	}
	rows, err := q.All(ctx)
	for _, row := range rows {
		keep(k.Key(row), row)
	}
	return found, err
}

// Pages is a read of what hangs on parents of one kind with the same arguments, a page for each, for both engines.
type Pages[A, V any] struct {
	*Read[Child[A], *store.Connection[V]]
	query func(from Ledger, kind store.Kind, parents []store.ID, a *A, some store.Columns) (*store.Select[V], error)
}

func pages[A, V any](name string, query func(from Ledger, kind store.Kind, parents []store.ID, a *A, some store.Columns) (*store.Select[V], error)) *Pages[A, V] {
	return &Pages[A, V]{query: query, Read: byParent(name, func(ctx context.Context, from Ledger, kind store.Kind, parents []store.ID, a *A) ([]*store.Connection[V], error) {
		q, err := query(from, kind, parents, a, 0)
		if err != nil {
			return nil, err
		}
		return q.Connections(ctx)
	})}
}

// Sums is a read of what hangs on parents of one kind, summed or counted with the same arguments, for both engines. Parents without any have the zero value.
type Sums[A, V any] struct {
	*Read[Child[A], *V]
	query func(from Ledger, kind store.Kind, parents []store.ID, a *A) (*store.Select[V], error)
}

func sums[A, V any](name string, query func(from Ledger, kind store.Kind, parents []store.ID, a *A) (*store.Select[V], error)) *Sums[A, V] {
	return &Sums[A, V]{query: query, Read: byParent(name, func(ctx context.Context, from Ledger, kind store.Kind, parents []store.ID, a *A) ([]*V, error) {
		q, err := query(from, kind, parents, a)
		if err != nil {
			return nil, err
		}
		found := make(map[store.ID]*V, len(parents))
		if err := q.Hanging(ctx, func(parent store.ID, row *V) { found[parent] = row }); err != nil {
			return nil, err
		}
		out := make([]*V, len(parents))
		for i, parent := range parents {
			if out[i] = found[parent]; out[i] == nil {
				out[i] = new(V)
			}
		}
		return out, nil
	})}
}

// byKey is a read of rows that say their own key.
func byKey[K comparable, V any](name string, read func(context.Context, Ledger, []K) ([]*V, error), key func(*V) K) *Read[K, *V] {
	return &Read[K, *V]{name, func(ctx context.Context, from Ledger, keys []K) []*dataloader.Result[*V] {
		rows, err := read(ctx, from, keys)
		if err != nil {
			return failed[*V](len(keys), err)
		}
		found := make(map[K]*V, len(rows))
		for _, row := range rows {
			found[key(row)] = row
		}
		out := make([]*dataloader.Result[*V], len(keys))
		for i, k := range keys {
			out[i] = &dataloader.Result[*V]{Data: found[k]}
		}
		return out
	}}
}

// Child is the key of what hangs on a parent with arguments. Equal arguments of an operation are kept in one place, so that keys compare.
type Child[A any] struct {
	Parent store.GlobalID
	Args   *A
}

// Now is Load for a root field, which waits for nobody.
func (r *Read[K, V]) Now(ctx context.Context, key K) (V, error) {
	lv := From(ctx).level()
	thunk := ask(lv, r, key)
	lv.run()
	return thunk()
}

// Of reads what hangs on a parent with these arguments.
func Of[A, V any](ctx context.Context, r *Read[Child[A], V], parent store.GlobalID, args A) (V, error) {
	return r.Load(ctx, Child[A]{parent, keep(From(ctx), args)})
}

// byParent is a read of what hangs on parents, one statement for all that are of one kind and asked with the same arguments. One group's failure leaves the
// others alone: a bad cursor under one alias is that alias's own affair.
func byParent[A, V any](name string, read func(context.Context, Ledger, store.Kind, []store.ID, *A) ([]V, error)) *Read[Child[A], V] {
	type group struct {
		kind store.Kind
		args *A
	}
	return &Read[Child[A], V]{name, func(ctx context.Context, from Ledger, keys []Child[A]) []*dataloader.Result[V] {
		out := make([]*dataloader.Result[V], len(keys))
		members := map[group][]int{}
		var order []group
		for i, k := range keys {
			g := group{k.Parent.Kind, k.Args}
			if members[g] == nil {
				order = append(order, g)
			}
			members[g] = append(members[g], i)
		}
		for _, g := range order {
			parents := make([]store.ID, len(members[g]))
			for i, at := range members[g] {
				parents[i] = keys[at].Parent.Row
			}
			values, err := read(ctx, from, g.kind, parents, g.args)
			results := failed[V](len(parents), err)
			for i, at := range members[g] {
				if out[at] = results[i]; err == nil {
					out[at].Data = values[i]
				}
			}
		}
		return out
	}}
}

// failed gives a result for each key. A failure is not remembered: whoever asks again is answered by the database.
func failed[V any](keys int, err error) []*dataloader.Result[V] {
	if err != nil {
		err = dataloader.NewSkipCacheError(err)
	}
	out := make([]*dataloader.Result[V], keys)
	for i := range out {
		out[i] = &dataloader.Result[V]{Error: err}
	}
	return out
}

// keep gives the one place in the operation where these arguments are kept.
func keep[A any](l *Loaders, args A) *A {
	type text struct {
		_    *A // arguments of different types never meet
		json string
	}
	b, err := json.Marshal(args)
	if err != nil {
		return &args // cannot be; a place of its own is right, if not shared
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	at := text{json: string(b)}
	if kept, ok := l.args[at]; ok {
		return kept.(*A)
	}
	l.args[at] = &args
	return &args
}

// decode reads arguments as the plan gives them into the struct that the resolver's arguments go by.
func decode[A any](args map[string]any) (a A, err error) {
	if v := reflect.ValueOf(&a).Elem(); v.Kind() == reflect.Struct && v.NumField() > 0 {
		if p, ok := v.Field(0).Addr().Interface().(*store.Page); ok && pageAlone(args, p) {
			return a, nil
		}
	}
	var whole A
	b, err := json.Marshal(args)
	if err == nil {
		err = json.Unmarshal(b, &whole)
	}
	return whole, err
}

// pageAlone reads the arguments of a page where no others are given, as nearly always: JSON there and back would cost as much as the statement's text. It is
// false where it cannot tell.
func pageAlone(args map[string]any, p *store.Page) bool {
	for name, v := range args {
		if v == nil {
			continue
		}
		switch name {
		case "first", "last":
			n, ok := v.(json.Number)
			i, err := strconv.ParseInt(string(n), 10, 32)
			if !ok || err != nil {
				return false
			}
			size := int32(i)
			if name == "first" {
				p.First = &size
			} else {
				p.Last = &size
			}
		case "after", "before":
			cursor, ok := v.(string)
			if !ok {
				return false
			}
			if name == "after" {
				p.After = &cursor
			} else {
				p.Before = &cursor
			}
		default:
			return false
		}
	}
	return true
}
