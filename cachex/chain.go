// Package cachex keeps what was costly to make: in the process, and in Redis for all servers, by strategies that say for how long.
package cachex

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/eko/gocache/lib/v4/store"
	"github.com/redis/go-redis/v9"

	"carbongraph/internal/telemetry"
)

// Options are what a chain is made of.
type Options struct {
	Bytes       int                   // that the process keeps at most; 0: 64 MB
	Redis       redis.UniversalClient // nil: the process alone
	Prefix      string                // of all keys in Redis; empty: carbongraph:cache:
	Timeout     time.Duration         // of one call of Redis; 0: 50 ms
	Probe       time.Duration         // between two tries of a Redis that is away; 0: a second
	Lease       time.Duration         // for which a server that died keeps others from loading the same; 0: 2 s
	LoadTimeout time.Duration         // of one load; 0: a minute
	Strategies  []Strategy            // that are counted by themselves; nil: Strategies()

	Now     func() time.Time // nil: time.Now
	Chance  func() float64   // from 0 to 1; nil: rand.Float64
	Log     *slog.Logger
	Metrics *telemetry.Cache
}

const (
	defaultBytes       = 64 << 20
	defaultPrefix      = "carbongraph:cache:"
	defaultTimeout     = 50 * time.Millisecond
	defaultProbe       = time.Second
	defaultLease       = 2 * time.Second
	defaultLoadTimeout = time.Minute
)

// Chain is the process's layer before that in Redis. It is safe for concurrent use. Whatever becomes of Redis, no caller sees an error of it but of Delete and
// Clear, which would otherwise promise what they cannot.
type Chain struct {
	o       Options
	l1      *memory
	l2      *redisStore // nil without Redis
	desk    *desk       // nil without Redis
	fences  *fences
	tallies *tallies
	unwatch func()

	mu      sync.Mutex
	flights map[key]*flight
	resting map[key]time.Time // until when what could not be loaded anew is not tried again
	life    context.Context   // of the chain
	end     context.CancelFunc
	flying  sync.WaitGroup
}

// New makes a chain. Run it as well, so that something comes to Redis, and Redis is found again; Close it when nobody asks any more.
func New(o Options) *Chain {
	now := o.Now // otter's own clock is cheaper than ours
	o.Bytes, o.Timeout, o.Probe = orDefault(o.Bytes, defaultBytes), orDefault(o.Timeout, defaultTimeout), orDefault(o.Probe, defaultProbe)
	o.Lease, o.LoadTimeout = orDefault(o.Lease, defaultLease), orDefault(o.LoadTimeout, defaultLoadTimeout)
	if o.Prefix == "" {
		o.Prefix = defaultPrefix
	}
	if o.Strategies == nil {
		o.Strategies = Strategies()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Chance == nil {
		o.Chance = rand.Float64
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &Chain{o: o, fences: newFences(), tallies: newTallies(o.Strategies), flights: map[key]*flight{}, resting: map[key]time.Time{}}
	c.life, c.end = context.WithCancel(context.Background())
	c.l1 = newMemory(o.Bytes, now, c.tallies)
	if o.Redis != nil {
		c.l2 = newRedisStore(o)
		c.desk = newDesk(c.l2, c.fences)
	}
	for _, t := range c.tallies.all {
		o.Metrics.Strategy(t.name)
	}
	c.unwatch = o.Metrics.Watch(c.state)
	return c
}

func orDefault[T int | time.Duration](v, fallback T) T {
	if v <= 0 {
		return fallback
	}
	return v
}

// Run writes to Redis what is to be kept there, and finds Redis again after it was away, until the context ends.
func (c *Chain) Run(ctx context.Context) {
	var all sync.WaitGroup
	if c.desk != nil {
		all.Go(func() { c.desk.run(ctx) })
	}
	tick := time.NewTicker(c.o.Probe)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if c.l2 != nil {
				c.l2.find(ctx)
			}
			c.rested()
		case <-ctx.Done():
			all.Wait()
			return
		}
	}
}

// Close ends what is being loaded. Nobody may ask any more.
func (c *Chain) Close() {
	c.end()
	c.flying.Wait()
	c.unwatch()
	c.l1.kept.StopAllGoroutines()
}

// Get gives an entry and the layer that had it. One past its freshness is given as well: see Entry.Soft.
func (c *Chain) Get(ctx context.Context, s *Strategy, name string) (*Entry, Layer, bool) {
	k, t := key{s.Name, name}, c.tallies.named(s.Name)
	if e, err := c.here(ctx, k); err == nil {
		t.l1.found(e, c.o.Now())
		return e, L1, true
	} else if errors.Is(err, ErrAbsent) {
		t.l1.negative.Add(1)
		return nil, L1, false
	}
	t.l1.misses.Add(1)
	if c.l2 == nil || s.Alone {
		return nil, None, false
	}
	since := c.fences.at(k)
	e := c.there(ctx, s, k, t)
	if e == nil {
		return nil, None, false
	}
	c.promote(s, k, e, since)
	return e, L2, true
}

// Here is Get of the process alone. What it does not find is no miss yet: Load, which comes after it, counts that.
func (c *Chain) Here(ctx context.Context, s *Strategy, name string) (*Entry, bool) {
	e, err := c.here(ctx, key{s.Name, name})
	if err != nil {
		return nil, false
	}
	c.tallies.named(s.Name).l1.found(e, c.o.Now())
	return e, true
}

// PutHere is Put into the process alone: for what is soon made anew from what Redis has.
func (c *Chain) PutHere(s *Strategy, name string, e Entry) {
	k := key{s.Name, name}
	now := c.o.Now()
	if dated := s.dated(e, now, 0); dated.Hard.After(now) {
		c.promote(s, k, dated, c.fences.at(k))
	}
}

// here looks in the process.
func (c *Chain) here(ctx context.Context, k key) (*Entry, error) {
	e, err := c.l1.Get(ctx, k)
	if err != nil {
		return nil, err
	}
	return e.(*Entry), nil
}

// found counts an entry that was found.
func (c *counts) found(e *Entry, now time.Time) {
	if e.fresh(now) {
		c.hits.Add(1)
	} else {
		c.stale.Add(1)
	}
}

// there looks in Redis. Whatever goes wrong is a miss, and counted.
func (c *Chain) there(ctx context.Context, s *Strategy, k key, t *tally) *Entry {
	got, err := c.l2.Get(ctx, k)
	switch {
	case err == nil:
		e := got.(*Entry)
		if now := c.o.Now(); s.received(e, now) {
			t.l2.found(e, now)
			return e
		}
		t.l2.misses.Add(1)
	case errors.Is(err, errCorrupt):
		t.l2.corrupt.Add(1)
	case isNotFound(err):
		t.l2.misses.Add(1)
	case ctx.Err() == nil:
		t.l2.errors.Add(1)
	}
	return nil
}

func isNotFound(err error) bool {
	var not *store.NotFound
	return errors.As(err, &not)
}

// promote keeps an entry in the process, for what is left of it, unless its key was removed since.
func (c *Chain) promote(s *Strategy, k key, e *Entry, since uint64) {
	if e.size() > largest {
		return
	}
	life := s.local(e, c.o.Now())
	c.fences.pass(k, since, func() { _ = c.l1.Set(context.Background(), k, e, store.WithExpiration(life)) })
}

// Put keeps an entry in the layers of its strategy, for no longer than its strategy and its own instants allow. It does not wait for Redis.
func (c *Chain) Put(_ context.Context, s *Strategy, name string, e Entry) {
	k := key{s.Name, name}
	now := c.o.Now()
	dated := s.dated(e, now, c.o.Chance())
	if !dated.Hard.After(now) {
		return
	}
	since := c.fences.at(k)
	c.promote(s, k, dated, since)
	if c.desk != nil && !s.Alone {
		c.desk.take(deed{key: k, entry: dated, compress: s.Compress, since: since})
	}
}

// Delete removes an entry from both layers. What is being loaded for it now is given to who waits, and not kept. Other processes keep what they have: what
// depends on a state has that state in its key.
func (c *Chain) Delete(ctx context.Context, s *Strategy, name string) error {
	k := key{s.Name, name}
	c.fences.move(k, func() { _ = c.l1.Delete(ctx, k) })
	c.detach(func(of key) bool { return of == k })
	if c.l2 == nil {
		return nil
	}
	return c.l2.Delete(ctx, k)
}

// Clear removes the entries of a strategy, or of all where it is empty, from this process and from Redis, and tells how many those were.
func (c *Chain) Clear(ctx context.Context, strategy string) (int, error) {
	c.fences.moveAll()
	c.detach(func(of key) bool { return strategy == "" || of.strategy == strategy })
	gone := c.l1.clear(strategy)
	if c.l2 == nil {
		return len(gone), nil
	}
	there, err := c.l2.clear(ctx, strategy)
	for k := range there {
		gone[k] = true
	}
	return len(gone), err
}

// detach lets nobody join the loads of keys any more: they began before a removal.
func (c *Chain) detach(of func(key) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k := range c.flights {
		if of(k) {
			delete(c.flights, k)
		}
	}
	for k := range c.resting {
		if of(k) {
			delete(c.resting, k)
		}
	}
}
