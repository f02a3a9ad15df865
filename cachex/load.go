package cachex

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/google/uuid"
)

// ErrAbsent is what a load gives where there is nothing, and what Load gives then. It is remembered as its strategy says.
var ErrAbsent = errors.New("there is nothing of that name")

// rest is how long an entry that could not be loaded anew is served before that is tried again.
const rest = time.Second

// flight is a load that is under way, and those who wait for it.
type flight struct {
	chain    *Chain
	strategy *Strategy
	key      key
	load     func(context.Context) (*Entry, error)
	since    uint64        // where the fence stood when it began
	renewal  bool          // of an entry that is served meanwhile
	ahead    time.Duration // for how long an entry has to stay fresh that makes a renewal needless
	quiet    bool          // nobody asked for the entry: its look-ups are not counted

	token string // of the lease; empty: there is none
	hold  func() // ends the holding of the lease, which goes on until what was loaded is written

	ctx     context.Context
	cancel  context.CancelFunc
	waiting int // those who would miss it; a renewal counts itself

	done  chan struct{}
	entry *Entry // once done is closed
	out   Outcome
	err   error
}

// Load gives an entry from the first layer that has it, or loads it. Callers in this process that ask for the same wait for one load, and so do, as long as
// it goes well, those of all servers. The load does not end with the context of whoever came first, but when everybody has left. An entry past its freshness
// is given at once and loaded anew beside it. A load that fails is not kept; one that gives ErrAbsent is remembered in this process.
func (c *Chain) Load(ctx context.Context, s *Strategy, name string, load func(context.Context) (*Entry, error)) (*Entry, Outcome, error) {
	k, t := key{s.Name, name}, c.tallies.named(s.Name)
	e, err := c.here(ctx, k)
	switch {
	case err == nil && e.fresh(c.o.Now()):
		t.l1.hits.Add(1)
		return e, Outcome{Layer: L1, Result: Hit}, nil
	case err == nil:
		t.l1.stale.Add(1)
		c.renew(ctx, s, k, load)
		return e, Outcome{Layer: L1, Result: Stale}, nil
	case errors.Is(err, ErrAbsent):
		t.l1.negative.Add(1)
		return nil, Outcome{Layer: L1, Result: Negative}, ErrAbsent
	}
	t.l1.misses.Add(1)
	if err := ctx.Err(); err != nil {
		return nil, Outcome{Result: Miss}, err
	}
	f, shared := c.board(ctx, s, k, load)
	select {
	case <-f.done:
	case <-ctx.Done():
		c.leave(f)
		return nil, Outcome{Result: Miss, Shared: shared}, ctx.Err()
	}
	return f.entry, Outcome{f.out.Layer, f.out.Result, shared}, f.err
}

// board joins the flight of a key, or begins it.
func (c *Chain) board(ctx context.Context, s *Strategy, k key, load func(context.Context) (*Entry, error)) (*flight, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.flights[k]
	if f != nil {
		f.waiting++
		return f, true
	}
	// Looked for once more while nothing of the kind flies: what lands is kept before it flies no more.
	e, err := c.here(ctx, k)
	switch {
	case err == nil && e.fresh(c.o.Now()):
		return landed(e, Outcome{Layer: L1, Result: Hit}, nil), false
	case errors.Is(err, ErrAbsent):
		return landed(nil, Outcome{Layer: L1, Result: Negative}, ErrAbsent), false
	}
	return c.begin(ctx, &flight{strategy: s, key: k, load: load}), false
}

// landed is a flight that is over.
func landed(e *Entry, out Outcome, err error) *flight {
	f := &flight{entry: e, out: out, err: err, done: make(chan struct{}), cancel: func() {}, waiting: 1}
	close(f.done)
	return f
}

// renew begins to load an entry anew, unless somebody does or it failed just now.
func (c *Chain) renew(ctx context.Context, s *Strategy, k key, load func(context.Context) (*Entry, error)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flights[k] == nil && !c.o.Now().Before(c.resting[k]) {
		c.begin(ctx, &flight{strategy: s, key: k, load: load, renewal: true})
	}
}

func (c *Chain) begin(ctx context.Context, f *flight) *flight {
	f.chain, f.since, f.waiting, f.done = c, c.fences.at(f.key), 1, make(chan struct{})
	f.ctx, f.cancel = context.WithTimeout(context.WithoutCancel(ctx), c.o.LoadTimeout)
	c.flights[f.key] = f
	delete(c.resting, f.key)
	c.flying.Go(f.fly)
	return f
}

// leave is of a caller who does not wait any longer. The last one ends the load.
func (c *Chain) leave(f *flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.waiting--; f.waiting == 0 {
		f.cancel()
		c.drop(f)
	}
}

// drop ends a flight's being there to join, unless another took its place.
func (c *Chain) drop(f *flight) {
	if c.flights[f.key] == f {
		delete(c.flights, f.key)
	}
}

// rested forgets rests that are over.
func (c *Chain) rested() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.o.Now()
	for k, until := range c.resting {
		if !now.Before(until) {
			delete(c.resting, k)
		}
	}
}

// fly loads, and lands whatever happens.
func (f *flight) fly() {
	stop := context.AfterFunc(f.chain.life, f.cancel)
	defer stop()
	defer f.cancel()
	f.out, f.err = Outcome{Result: Miss}, errEnded
	defer f.land(time.Now())
	f.entry, f.out, f.err = f.fill()
}

func (f *flight) land(began time.Time) {
	c := f.chain
	c.mu.Lock()
	if f.renewal && f.err != nil && c.flights[f.key] == f {
		c.resting[f.key] = c.o.Now().Add(rest)
	}
	c.drop(f)
	c.mu.Unlock()
	close(f.done)
	if f.out.Layer == None {
		c.o.Metrics.Loaded(c.tallies.named(f.key.strategy).name, time.Since(began))
	}
	if f.out.Layer == L2 && f.out.Result == Stale {
		c.renew(f.ctx, f.strategy, f.key, f.load)
	}
}

// fill looks in Redis, and has loaded what is not there.
func (f *flight) fill() (*Entry, Outcome, error) {
	c := f.chain
	if c.l2 == nil || f.strategy.Alone {
		return f.make()
	}
	if e := c.there(f.ctx, f.strategy, f.key, f.tally()); f.serves(e) {
		return f.found(e)
	}
	e, token, err := f.claim()
	if err != nil {
		return nil, Outcome{Result: Miss}, err
	}
	if e != nil {
		return f.found(e)
	}
	if f.token = token; token != "" {
		f.hold = c.l2.hold(c.life, f.key, token, c.o.LoadTimeout+parting)
	}
	return f.make()
}

// serves tells whether an entry of Redis ends the flight.
func (f *flight) serves(e *Entry) bool {
	return e != nil && (!f.renewal || e.fresh(f.chain.o.Now().Add(f.ahead)))
}

// tally is where the flight's look-ups count.
func (f *flight) tally() *tally {
	if f.quiet {
		return &tally{}
	}
	return f.chain.tallies.named(f.key.strategy)
}

func (f *flight) found(e *Entry) (*Entry, Outcome, error) {
	f.chain.promote(f.strategy, f.key, e, f.since)
	out := Outcome{Layer: L2, Result: Hit}
	if !e.fresh(f.chain.o.Now()) {
		out.Result = Stale
	}
	return e, out, nil
}

// mostSilent is how many questions in a row Redis may leave without an answer while another server is known to load: it is slow where a crowd waits for the cores.
const mostSilent = 3

// claim gets the lease, or the entry that another server has loaded meanwhile. It gives neither where Redis is away or the wait was too long: then it is loaded here
// all the same, and not stored there.
func (f *flight) claim() (*Entry, string, error) {
	c, token := f.chain, uuid.NewString()
	wait := f.strategy.Wait
	if wait <= 0 {
		wait = usualWait
	}
	until := time.Now().Add(wait)
	silent := mostSilent // until somebody else is known to load
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		// Asked for to the end: a lease that nobody knows he holds would keep others waiting.
		e, mine, err := c.l2.claim(context.WithoutCancel(f.ctx), f.key, token)
		if e != nil && !(f.strategy.received(e, c.o.Now()) && f.serves(e)) {
			e = nil
		}
		if err != nil {
			silent++
		} else {
			silent = 0
		}
		switch ended := f.ctx.Err(); {
		case mine && (e != nil || ended != nil):
			f.token = token
			f.giveBack(false)
			return e, "", ended
		case ended != nil:
			return nil, "", ended
		case e != nil:
			return e, "", nil
		case mine: // however late it is: others would wait for a lease that nobody uses
			return nil, token, nil
		case silent > mostSilent || time.Now().Add(pause).After(until):
			return nil, "", nil
		}
		select {
		case <-time.After(pause):
		case <-f.ctx.Done():
			return nil, "", f.ctx.Err()
		}
	}
}

// giveBack lets others load.
func (f *flight) giveBack(gone bool) { f.write(nil, gone) }

// write has the entry written under the lease, which it gives back. Without a lease nothing is written.
func (f *flight) write(e *Entry, gone bool) {
	if f.token != "" {
		f.chain.desk.take(deed{key: f.key, entry: e, gone: gone, compress: f.strategy.Compress, token: f.token, hold: f.hold, since: f.since})
		f.token = ""
	}
}

// make loads, and keeps what came: here, and in Redis under the lease.
func (f *flight) make() (*Entry, Outcome, error) {
	c, out := f.chain, Outcome{Result: Miss}
	defer f.giveBack(false) // also where the load ends its goroutine; nothing, where something is written
	e, err := f.call()
	if errors.Is(err, ErrAbsent) {
		out.Result = Negative
		c.fences.pass(f.key, f.since, func() {
			_ = c.l1.Delete(f.ctx, f.key)
			c.l1.put(f.key, kept{life: f.strategy.Negative})
		})
		f.giveBack(true)
		return nil, out, ErrAbsent
	}
	if err != nil {
		return nil, out, err
	}
	now := c.o.Now()
	if e = f.strategy.dated(*e, now, c.o.Chance()); e.Hard.After(now) {
		c.promote(f.strategy, f.key, e, f.since)
		f.write(e, false)
	}
	return e, out, nil
}

var (
	errEnded   = errors.New("the load ended its goroutine")
	errNothing = errors.New("the load gave neither an entry nor an error")
)

// call runs the load. What panics is an error for all who wait, not the end of the program.
func (f *flight) call() (e *Entry, err error) {
	defer func() {
		if p := recover(); p != nil {
			f.chain.o.Log.ErrorContext(f.ctx, "a load panicked", "strategy", f.strategy.Name, "panic", p, "stack", string(debug.Stack()))
			e, err = nil, fmt.Errorf("the load panicked: %v", p)
		}
	}()
	if e, err = f.load(f.ctx); e == nil && err == nil {
		err = errNothing
	}
	return e, err
}
