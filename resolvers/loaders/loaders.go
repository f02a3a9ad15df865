// Package loaders batches the reads of one operation: one statement for each relation of a level, whatever the number of rows.
package loaders

import (
	"context"
	"sync"
	"time"

	"github.com/graph-gophers/dataloader/v7"

	"carbongraph/graph/plan"
	"carbongraph/internal/telemetry"
	"carbongraph/store"
)

const (
	// wait is how long a loader gathers keys that nobody announced. Warming makes sure that it is not on the way of any planned read.
	wait = time.Millisecond
	// capacity bounds the keys of one statement.
	capacity = 1000
)

// Options are what the loaders of an operation are made of.
type Options struct {
	Store     *store.Store
	Tenant    *store.Tenant
	Plan      *plan.Plan     // nil: nothing is warmed, and keys gather by time alone
	Variables map[string]any // coerced
	Metrics   *telemetry.Loader
}

// Loaders are the loaders of one operation. Each is made when it is first asked for, and remembers what it read: a row is read once, and is
// the same wherever the answer shows it.
type Loaders struct {
	// ctx is the operation's. A batch serves many fields, so it must not end with the one that asked first.
	ctx context.Context
	o   Options

	mu   sync.Mutex
	made map[any]any // a *Read to its loader
	args map[any]any // arguments as text to where they are kept
}

type key struct{}

// Begin gives an operation its loaders. The root fields of a mutation each begin anew, so that they read what the one before wrote.
func Begin(ctx context.Context, o Options) context.Context {
	return context.WithValue(ctx, key{}, &Loaders{ctx: ctx, o: o, made: map[any]any{}, args: map[any]any{}})
}

// From gives the loaders of the operation. Without Begin it panics: resolvers run in operations alone.
func From(ctx context.Context) *Loaders { return ctx.Value(key{}).(*Loaders) }

// loaderOf gives the operation's loader for a read.
func loaderOf[K comparable, V any](l *Loaders, r *Read[K, V]) *loader[K, V] {
	l.mu.Lock()
	defer l.mu.Unlock()
	if made, ok := l.made[r]; ok {
		return made.(*loader[K, V])
	}
	made := &loader[K, V]{known: map[K]dataloader.Thunk[V]{}, read: func(keys []K) []*dataloader.Result[V] {
		l.o.Metrics.Batch(r.Name, len(keys))
		return r.Bulk(l.ctx, Ledger{Store: l.o.Store, Tenant: l.o.Tenant}, keys)
	}}
	made.Loader = dataloader.NewBatchedLoader(func(_ context.Context, keys []K) []*dataloader.Result[V] { return made.guarded(keys) },
		dataloader.WithCache[K, V](cache[K, V]{made}), dataloader.WithWait[K, V](wait), dataloader.WithBatchCapacity[K, V](capacity))
	l.made[r] = made
	return made
}
