package broker

import (
	"context"
	"errors"
	"sync"
	"time"
)

// key is everything that a source sees of a question, and the state of the stored factors that it is answered from.
type key struct {
	source   string
	edition  uint64
	question Question
}

// got is how a look-up ended.
type got struct {
	found  Found
	status Status
	detail string
}

// gotOf tells what was found in a word.
func gotOf(f Found) got {
	switch {
	case len(f.Answers) > 0:
		return got{f, Answered, ""}
	case f.Hallucinated > 0:
		return got{f, Hallucinated, "every factor that it named does not exist"}
	case f.Unfit > 0:
		return got{f, Nothing, "what it has is of another unit, or of another supplier"}
	}
	return got{f, Nothing, ""}
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
	key  key
	call *call
	done chan struct{}
	got  got // once done is closed
}

// call goes on for as long as anybody waits for one of its flights: who asked first may leave without taking it from the others.
type call struct {
	ctx     context.Context
	cancel  context.CancelFunc
	flights []*flight
	waiting int
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

// ask starts the look-ups of questions and gives a ticket for each. It does not wait.
func (d *desk) ask(ctx context.Context, at edition, qs []Question) []ticket {
	tickets := make([]ticket, len(qs))
	now := time.Now()
	var calls []*call
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, q := range qs {
		seen := d.sees(q)
		seen.Organization = q.Organization // no answer goes from one organization to another, not even by how fast it comes
		k := key{d.name, at.number, seen}
		f := d.flying[k]
		if f == nil {
			// Looked for while nothing of the kind flies: what lands is kept before it flies no more.
			if kept, ok := d.kept.get(k, at); ok {
				tickets[i] = ticket{got: kept, since: now}
				continue
			}
			if len(calls) == 0 || len(calls[len(calls)-1].flights) == d.batch {
				calls = append(calls, d.open(ctx))
			}
			c := calls[len(calls)-1]
			f = &flight{key: k, call: c, done: make(chan struct{})}
			c.flights = append(c.flights, f)
			d.flying[k] = f
		}
		f.call.waiting++
		tickets[i] = ticket{flight: f, since: now}
	}
	for _, c := range calls {
		d.calls.Go(func() { d.fly(c, at) })
	}
	return tickets
}

func (d *desk) open(ctx context.Context) *call {
	c := &call{}
	c.ctx, c.cancel = context.WithTimeout(context.WithoutCancel(ctx), d.guard.policy.Deadline)
	return c
}

// fly makes the call, and lands its flights.
func (d *desk) fly(c *call, at edition) {
	defer c.cancel()
	qs := make([]Question, len(c.flights))
	for i, f := range c.flights {
		qs[i] = f.key.question
	}
	found, failure := d.guard.look(c.ctx, qs)
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, f := range c.flights {
		if failure != nil {
			f.got = got{status: failure.Status, detail: failure.Detail}
		} else {
			f.got = gotOf(found[i])
			d.kept.put(f.key, at, f.got, d.guard.policy)
		}
		d.drop(f)
		close(f.done)
	}
}

// drop ends a flight's being there to join, unless it left long ago and another took its place.
func (d *desk) drop(f *flight) {
	if d.flying[f.key] == f {
		delete(d.flying, f.key)
	}
}

// leave gives a ticket back. The last to leave ends the call.
func (d *desk) leave(f *flight) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f.call.waiting--; f.call.waiting == 0 {
		f.call.cancel()
		for _, of := range f.call.flights {
			d.drop(of)
		}
	}
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
	d.leave(t.flight)
	// The cause tells: a context made from one that ends by a cause of its own says of itself that it was cancelled.
	if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return got{status: TimedOut, detail: "no answer within the time of the question"}
	}
	return got{status: Cancelled, detail: "who asked has gone"}
}
