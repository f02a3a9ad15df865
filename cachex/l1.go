package cachex

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eko/gocache/lib/v4/store"
	"github.com/maypok86/otter/v2"
)

// memory is the layer in the process: gocache's store interface on otter, bounded by bytes.
type memory struct {
	kept    *otter.Cache[key, kept]
	tallies *tallies
	none    error // that there is nothing, made once: a miss allocates nothing
}

var _ store.StoreInterface = (*memory)(nil)

// kept is an entry, or, where entry is nil, the knowledge that there is none.
type kept struct {
	entry *Entry
	life  time.Duration
}

// overhead is about what otter and the entry take beside the bytes.
const overhead = 320

var (
	errKey   = errors.New("not a key of this store")
	errValue = errors.New("not an entry")
	errTags  = errors.New("entries have no tags: put what they depend on into their keys")
)

func newMemory(bytes int, now func() time.Time, t *tallies) *memory {
	m := &memory{tallies: t, none: store.NotFoundWithCause(nil)}
	o := &otter.Options[key, kept]{
		MaximumWeight:    uint64(bytes),
		Weigher:          weigh,
		ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[key, kept]) time.Duration { return e.Value.life }),
		OnAtomicDeletion: m.left,
	}
	if now != nil {
		o.Clock = clock{now}
	}
	m.kept = otter.Must(o)
	return m
}

// clock has otter's time stand still when ours does.
type clock struct{ now func() time.Time }

// NowNano is the time.
func (c clock) NowNano() int64 { return c.now().UnixNano() }

// Tick never comes: what is over is noticed when it is looked at.
func (clock) Tick(time.Duration) <-chan time.Time { return nil }

// weigh is about how many bytes an entry takes.
func weigh(k key, v kept) uint32 {
	n := overhead + len(k.name)
	if v.entry != nil {
		n += v.entry.size()
	}
	return uint32(n)
}

// left counts an entry out, for whatever reason it left.
func (m *memory) left(e otter.DeletionEvent[key, kept]) {
	c := &m.tallies.named(e.Key.strategy).l1
	c.entries.Add(-1)
	c.bytes.Add(-int64(weigh(e.Key, e.Value)))
	if e.Cause == otter.CauseOverflow {
		c.evictions.Add(1)
	}
}

func (m *memory) put(k key, v kept) {
	if v.life <= 0 {
		return
	}
	c := &m.tallies.named(k.strategy).l1
	c.entries.Add(1)
	c.bytes.Add(int64(weigh(k, v)))
	m.kept.Set(k, v)
}

// Get gives an entry. The error is ErrAbsent where it is known that there is none, and store.NotFound where nothing is known.
func (m *memory) Get(_ context.Context, k any) (any, error) {
	id, ok := k.(key)
	if !ok {
		return nil, errKey
	}
	v, ok := m.kept.GetIfPresent(id)
	switch {
	case !ok:
		return nil, m.none
	case v.entry == nil:
		return nil, ErrAbsent
	}
	return v.entry, nil
}

// GetWithTTL gives an entry and for how long it is still kept.
func (m *memory) GetWithTTL(_ context.Context, k any) (any, time.Duration, error) {
	id, ok := k.(key)
	if !ok {
		return nil, 0, errKey
	}
	e, ok := m.kept.GetEntry(id)
	switch {
	case !ok:
		return nil, 0, m.none
	case e.Value.entry == nil:
		return nil, e.ExpiresAfter(), ErrAbsent
	}
	return e.Value.entry, e.ExpiresAfter(), nil
}

// Set keeps an entry for the expiration that is given, which there has to be.
func (m *memory) Set(_ context.Context, k, value any, options ...store.Option) error {
	id, ok := k.(key)
	if !ok {
		return errKey
	}
	e, ok := value.(*Entry)
	if !ok || e == nil {
		return fmt.Errorf("%w: %T", errValue, value)
	}
	o := store.ApplyOptions(options...)
	if len(o.Tags) > 0 {
		return errTags
	}
	m.put(id, kept{e, o.Expiration})
	return nil
}

// Delete removes an entry.
func (m *memory) Delete(_ context.Context, k any) error {
	id, ok := k.(key)
	if !ok {
		return errKey
	}
	m.kept.Invalidate(id)
	return nil
}

// Invalidate refuses: there are no tags.
func (m *memory) Invalidate(context.Context, ...store.InvalidateOption) error { return errTags }

// Clear removes all entries.
func (m *memory) Clear(context.Context) error {
	m.kept.InvalidateAll()
	return nil
}

// GetType is "otter".
func (*memory) GetType() string { return "otter" }

// clear removes the entries of a strategy, or all where it is empty, and tells their keys.
func (m *memory) clear(strategy string) map[key]bool {
	gone := map[key]bool{}
	for k := range m.kept.Keys() {
		if strategy == "" || k.strategy == strategy {
			if v, ok := m.kept.Invalidate(k); ok && v.entry != nil {
				gone[k] = true
			}
		}
	}
	return gone
}
