package broker

import (
	"context"
	"errors"
	"sync"
	"time"
)

// key is everything that a source sees of a question, and the state of the stored factors that it is answered from.
type key struct {
	state    string
	question Question
}

// got is how a look-up ended.
type got struct {
	found  Found
	status Status
	detail string
	kept   bool // it was answered before
}

// gotOf tells what was found in a word.
func gotOf(f Found) got {
	switch {
	case len(f.Answers) > 0:
		return got{found: f, status: Answered}
	case f.Hallucinated > 0:
		return got{found: f, status: Hallucinated, detail: "every factor that it named does not exist"}
	case f.Unfit > 0:
		return got{found: f, status: Nothing, detail: "what it has is of another unit, or of another supplier"}
	}
	return got{found: f, status: Nothing}
}

// desk takes the look-ups of one source: what is kept is answered at once, equal ones share a call.
type desk struct {
	guard *guard
	kept  *keeper
	name  string
	batch int
	sees  func(Question) Question

	mu     sync.Mutex
	flying map[key]*flight
	calls  sync.WaitGroup
}

// flight is a look-up that is under way. A call carries one, or of a Batcher several.
type flight struct {
	key     key
	name    string // under which its answer is kept
	call    *call
	waiting int
	done    chan struct{}
	got     got // once done is closed
}

// call goes on for as long as anybody waits for one of its flights: who asked first may leave without taking it from the others.
type call struct {
	ctx     context.Context
	cancel  context.CancelFunc
	flights []*flight
	waiting int // for those that have not landed
}

// ticket is one asker's place at a desk.
type ticket struct {
	flight *flight // nil: got is the kept answer
	got    got
	since  time.Time
}

func newDesk(g *guard, kept *keeper) *desk {
	d := &desk{guard: g, kept: kept, name: g.source.Name(), batch: 1, sees: func(q Question) Question { return q }, flying: map[key]*flight{}}
	if _, ok := g.source.(Batcher); ok {
		d.batch = max(1, g.policy.Batch)
	}
	if n, ok := g.source.(Narrower); ok {
		d.sees = n.Sees
	}
	return d
}

// ask starts the look-ups of questions and gives a ticket for each. It does not wait: what Redis has comes by a flight as well.
func (d *desk) ask(ctx context.Context, state string, qs []Question) []ticket {
	tickets := make([]ticket, len(qs))
	now := time.Now()
	keys, names := make([]key, len(qs)), make([]string, len(qs))
	missing := make([]int, 0, len(qs))
	for i, q := range qs {
		seen := d.sees(q)
		seen.Organization = q.Organization // no answer goes from one organization to another, not even by how fast it comes
		keys[i] = key{state, seen}
		names[i] = d.kept.name(keys[i])
		tickets[i].since = now
		var kept bool
		if tickets[i].got, kept = d.kept.here(names[i]); !kept {
			missing = append(missing, i)
		}
	}
	if len(missing) == 0 {
		return tickets
	}
	var calls []*call
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, i := range missing {
		f := d.flying[keys[i]]
		if f == nil {
			// Looked for once more while nothing of the kind flies: what lands is kept before it flies no more.
			var kept bool
			if tickets[i].got, kept = d.kept.here(names[i]); kept {
				continue
			}
			if len(calls) == 0 || len(calls[len(calls)-1].flights) == d.batch {
				calls = append(calls, d.open(ctx))
			}
			c := calls[len(calls)-1]
			f = &flight{key: keys[i], name: names[i], call: c, done: make(chan struct{})}
			c.flights = append(c.flights, f)
			d.flying[f.key] = f
		}
		f.waiting++
		f.call.waiting++
		tickets[i].flight = f
	}
	for _, c := range calls {
		d.calls.Go(func() { d.fly(c) })
	}
	return tickets
}

func (d *desk) open(ctx context.Context) *call {
	c := &call{}
	c.ctx, c.cancel = context.WithTimeout(context.WithoutCancel(ctx), d.guard.policy.Deadline)
	return c
}

// fly makes the call, and lands its flights: those whose answers another server has put into Redis before the others.
func (d *desk) fly(c *call) {
	defer c.cancel()
	asking := d.recall(c)
	if len(asking) == 0 {
		return
	}
	qs := make([]Question, len(asking))
	for i, f := range asking {
		qs[i] = f.key.question
	}
	found, failure := d.guard.look(c.ctx, qs)
	gots := make([]got, len(asking))
	for i, f := range asking {
		if failure != nil {
			gots[i] = got{status: failure.Status, detail: failure.Detail}
			continue
		}
		gots[i] = gotOf(found[i])
		d.kept.put(f.name, gots[i])
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, f := range asking {
		d.land(f, gots[i])
	}
}

// recall looks for all answers of a call at once, lands the flights that have one, and gives the others.
func (d *desk) recall(c *call) (asking []*flight) {
	gots, kept := make([]got, len(c.flights)), make([]bool, len(c.flights))
	var looking sync.WaitGroup
	for i, f := range c.flights {
		if f.name != "" {
			looking.Go(func() { gots[i], kept[i] = d.kept.anywhere(c.ctx, f.name) })
		}
	}
	looking.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, f := range c.flights {
		if kept[i] {
			d.land(f, gots[i])
		} else {
			asking = append(asking, f)
		}
	}
	return asking
}

// land ends a flight. Where nobody waits for the rest of its call, that ends too.
func (d *desk) land(f *flight, g got) {
	f.got = g
	d.drop(f)
	close(f.done)
	f.call.waiting -= f.waiting
	d.abandon(f.call)
}

// abandon ends a call that nobody waits for. Nobody joins its flights any more.
func (d *desk) abandon(c *call) {
	if c.waiting > 0 {
		return
	}
	c.cancel()
	for _, f := range c.flights {
		d.drop(f)
	}
}

// drop ends a flight's being there to join, unless it left long ago and another took its place.
func (d *desk) drop(f *flight) {
	if d.flying[f.key] == f {
		delete(d.flying, f.key)
	}
}

// leave gives a ticket back, unless its flight has landed. The last to leave ends the call.
func (d *desk) leave(t ticket) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if t.ready() {
		return
	}
	t.flight.waiting--
	t.flight.call.waiting--
	d.abandon(t.flight.call)
}

// ready tells whether the ticket's look-up has ended.
func (t ticket) ready() bool {
	if t.flight == nil {
		return true
	}
	select {
	case <-t.flight.done:
		return true
	default:
		return false
	}
}

// wait gives how the ticket's look-up ended, or that the asker had to go.
func (d *desk) wait(ctx context.Context, t ticket) got {
	if t.flight == nil {
		return t.got
	}
	select {
	case <-t.flight.done:
		return t.flight.got
	case <-ctx.Done():
	}
	if t.ready() {
		return t.flight.got
	}
	d.leave(t)
	// The cause tells: a context made from one that ends by a cause of its own says of itself that it was cancelled.
	if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return got{status: TimedOut, detail: "no answer within the time of the question"}
	}
	return got{status: Cancelled, detail: "who asked has gone"}
}
