package loaders

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/graph-gophers/dataloader/v7"
)

// level gathers what warming needs next, so that each read runs once for all of it. Keys go straight into what the loaders remember: however
// slowly they are gathered, no timer can close a batch too early.
type level struct {
	l     *Loaders
	asked map[any]bool // by *Read
	order []func()
}

// ask gives what a read will have for a key when the level has run. What is remembered already is not read again.
func ask[K comparable, V any](lv *level, r *Read[K, V], k K) dataloader.Thunk[V] {
	own := loaderOf(lv.l, r)
	own.mu.Lock()
	defer own.mu.Unlock()
	thunk, ok := own.known[k]
	if !ok && own.next == nil {
		own.next = &batch[K, V]{done: make(chan struct{})}
	}
	if own.next != nil && !lv.asked[r] { // also where another level gathered the key: whichever runs first reads for both
		lv.asked[r] = true
		lv.order = append(lv.order, own.run)
	}
	if ok {
		return thunk
	}
	thunk = own.next.thunk(lv.l.ctx, len(own.next.keys))
	own.next.keys = append(own.next.keys, k)
	own.known[k] = thunk
	return thunk
}

// run reads everything that was asked for, each read beside the others, and returns when all of it is there.
func (lv *level) run() {
	if len(lv.order) == 0 {
		return
	}
	var others sync.WaitGroup
	for _, run := range lv.order[1:] {
		others.Go(run)
	}
	lv.order[0]()
	others.Wait()
}

// batch is the keys of one level for one loader, and later what was read for them.
type batch[K comparable, V any] struct {
	keys    []K
	results []*dataloader.Result[V]
	done    chan struct{}
}

func (b *batch[K, V]) thunk(ctx context.Context, at int) dataloader.Thunk[V] {
	return func() (v V, err error) {
		select {
		case <-b.done:
			return b.results[at].Data, b.results[at].Error
		case <-ctx.Done():
			return v, ctx.Err()
		}
	}
}

// loader is the loader of one read in one operation. Fields that warming did not foresee go through the dataloader, which gathers keys for a moment;
// both go by the same memory.
type loader[K comparable, V any] struct {
	*dataloader.Loader[K, V]
	read func(keys []K) []*dataloader.Result[V]

	mu    sync.Mutex
	known map[K]dataloader.Thunk[V]
	next  *batch[K, V] // what is gathered; nil where nothing is
}

// run reads what is gathered.
func (o *loader[K, V]) run() {
	o.mu.Lock()
	b := o.next
	o.next = nil
	o.mu.Unlock()
	if b == nil {
		return // somebody else's level took it along
	}
	for keys := range slices.Chunk(b.keys, capacity) {
		b.results = append(b.results, o.guarded(keys)...)
	}
	o.mu.Lock()
	for i, k := range b.keys {
		if b.results[i].Error != nil { // not remembered: whoever asks again is answered by the database
			delete(o.known, k)
		}
	}
	o.mu.Unlock()
	close(b.done)
}

// guarded turns a panic of the read into its failure, because nobody else would end the wait of those who asked.
func (o *loader[K, V]) guarded(keys []K) (out []*dataloader.Result[V]) {
	defer func() {
		if p := recover(); p != nil {
			out = failed[V](len(keys), fmt.Errorf("loaders: panic in a read: %v", p))
		}
	}()
	return o.read(keys)
}

// cache lets the dataloader go by the loader's memory.
type cache[K comparable, V any] struct{ of *loader[K, V] }

// Get gives what is remembered.
func (c cache[K, V]) Get(_ context.Context, k K) (dataloader.Thunk[V], bool) {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	thunk, ok := c.of.known[k]
	return thunk, ok
}

// Set remembers.
func (c cache[K, V]) Set(_ context.Context, k K, thunk dataloader.Thunk[V]) {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.of.known[k] = thunk
}

// Delete forgets one key.
func (c cache[K, V]) Delete(_ context.Context, k K) bool {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	_, ok := c.of.known[k]
	delete(c.of.known, k)
	return ok
}

// Clear forgets everything.
func (c cache[K, V]) Clear() {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	clear(c.of.known)
}
