package loaders

import (
	"context"
	"encoding/json"

	"github.com/graph-gophers/dataloader/v7"

	"carbongraph/store"
)

// Ledger is what bulk reads read from: reference data from the store, the organization's own rows through its tenant.
type Ledger struct {
	Store  *store.Store
	Tenant *store.Tenant
}

// Read is a bulk read: what a loader batches. Results stand in the order of the keys; what is not there is the zero value, not an error.
type Read[K comparable, V any] struct {
	Name string
	Bulk func(ctx context.Context, from Ledger, keys []K) []*dataloader.Result[V]
}

// Load reads one value, together with whatever else the operation asks for now.
func (r *Read[K, V]) Load(ctx context.Context, key K) (V, error) {
	return loaderOf(From(ctx), r).Load(ctx, key)()
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
func byParent[A, V any](name string, read func(context.Context, Ledger, []store.GlobalID, *A) ([]V, error)) *Read[Child[A], V] {
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
			parents := make([]store.GlobalID, len(members[g]))
			for i, at := range members[g] {
				parents[i] = keys[at].Parent
			}
			values, err := read(ctx, from, parents, g.args)
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
	b, err := json.Marshal(args)
	if err == nil {
		err = json.Unmarshal(b, &a)
	}
	return a, err
}
