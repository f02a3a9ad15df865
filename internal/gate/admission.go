package gate

import (
	"context"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/failsafe-go/failsafe-go/adaptivelimiter"

	"carbongraph/internal/fault"
	"carbongraph/internal/telemetry"
)

// AdmissionOptions are the bounds of what runs at once.
type AdmissionOptions struct {
	Most     int           // operations at once at most; 0: no bound, NewAdmission gives nil
	Least    int           // operations at once that no latency goes below; 0: 64, which keep 16 cores and a pool of 20 connections busy, or four for each core
	Waiting  int           // operations that wait at most; 0: 1,024
	Patience time.Duration // how long one waits at most; 0: a second
	Metrics  *telemetry.Gate
	Log      *slog.Logger
}

// Class is who goes first where operations wait.
type Class int

// The classes: somebody looks at a screen, or nobody does.
const (
	Interactive Class = iota
	Background
	classes
)

// Admission bounds how many operations run at once, by how long they take. Where it is full, operations wait; the organization with the fewest running goes next.
// A nil Admission admits everything. docs/decisions/0012-admission.md tells why it is so.
type Admission struct {
	o       AdmissionOptions
	limiter adaptivelimiter.AdaptiveLimiter[any]

	mu      sync.Mutex
	total   int            // that run
	running map[string]int // by organization
	queue   queue
	pace    pace
	free    *place
}

// longest is how long anyone is told to stay away: by then much may have changed.
const longest = 30 * time.Second

// place is held by an operation that runs. It is used again after it: a turn is over once it is left.
type place struct {
	turn   uint64
	permit adaptivelimiter.Permit
	ctx    context.Context
	org    string
	next   *place // free too
}

// NewAdmission makes the bound; nil where Most is 0.
func NewAdmission(o AdmissionOptions) *Admission {
	if o.Most <= 0 {
		return nil
	}
	if o.Least <= 0 {
		o.Least = max(64, 4*runtime.GOMAXPROCS(0))
	}
	o.Least = min(o.Least, o.Most)
	if o.Waiting <= 0 {
		o.Waiting = 1024
	}
	if o.Patience <= 0 {
		o.Patience = time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Metrics.Limit(o.Least)
	return &Admission{o: o, limiter: newLimiter(o), running: map[string]int{}, queue: newQueue()}
}

// newLimiter makes the bound that moves. Operations are of mixed length, so it looks at the median of many, for long: the longest say more of what was asked than of the load.
func newLimiter(o AdmissionOptions) adaptivelimiter.AdaptiveLimiter[any] {
	return adaptivelimiter.NewBuilder[any]().
		WithLimits(uint(o.Least), uint(o.Most), uint(o.Least)).
		WithRecentWindow(time.Second, 10*time.Second, 100).
		WithRecentQuantile(0.5).
		OnLimitChanged(func(e adaptivelimiter.LimitChangedEvent) {
			o.Metrics.Limit(int(e.NewLimit))
			o.Log.Debug("operations at once", "limit", e.NewLimit, "was", e.OldLimit)
		}).
		Build()
}

// Enter lets an operation of an organization run, at once or after it waited. Call leave when it has ended; more than once does no harm.
//
// The error is OVERLOADED, and says when to come again; or it is the context's own, where that ended first.
func (a *Admission) Enter(ctx context.Context, org string, class Class) (leave func(), err error) {
	if a == nil {
		return func() {}, nil
	}
	a.mu.Lock()
	if a.queue.len() == 0 {
		if permit, ok := a.permit(); ok {
			leave = a.admit(ctx, org, permit)
			a.mu.Unlock()
			return leave, nil
		}
	}
	w, err := a.line(ctx, org, class)
	a.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return a.wait(ctx, w)
}

// Busy tells whether operations wait for a place.
func (a *Admission) Busy() bool {
	if a == nil {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.queue.len() > 0
}

// permit asks for a place. While next to nothing runs there is one, and none is asked of the limiter, which would take longer than all the rest: there is no load that it
// could learn from. Permit is nil then.
func (a *Admission) permit() (permit adaptivelimiter.Permit, ok bool) {
	if a.total < a.o.Least/4 {
		return nil, true
	}
	if a.total >= a.limiter.Limit() {
		return nil, false
	}
	return a.limiter.TryAcquirePermit()
}

// admit gives a place to an operation.
func (a *Admission) admit(ctx context.Context, org string, permit adaptivelimiter.Permit) (leave func()) {
	p := a.free
	if p == nil {
		p = &place{}
	} else {
		a.free = p.next
	}
	p.permit, p.ctx, p.org, p.next = permit, ctx, org, nil
	a.running[org]++
	a.total++
	a.o.Metrics.Entered()
	turn := p.turn
	return func() { a.leave(p, turn) }
}

func (a *Admission) leave(p *place, turn uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p.turn != turn {
		return
	}
	switch {
	case p.permit == nil:
	case p.ctx.Err() != nil:
		p.permit.Drop() // it says nothing of the load how long somebody was ready to wait
	default:
		p.permit.Record()
	}
	a.total--
	if a.running[p.org]--; a.running[p.org] == 0 {
		delete(a.running, p.org)
	}
	*p = place{turn: turn + 1, next: a.free}
	a.free = p
	a.o.Metrics.Left()
	if a.queue.len() > 0 {
		now := time.Now()
		a.pace.end(now)
		a.call(now)
	}
}

// call gives free places to those whose turn it is.
func (a *Admission) call(now time.Time) {
	for a.queue.len() > 0 {
		permit, ok := a.permit()
		if !ok {
			break
		}
		w := a.queue.next(a.running)
		a.queue.remove(w)
		a.o.Metrics.Waited(now.Sub(w.since))
		w.leave = a.admit(w.ctx, w.org, permit)
		close(w.decided)
	}
	a.o.Metrics.Waiting(a.queue.len())
}

// line lets an operation stand in line, unless it would wait in vain.
func (a *Admission) line(ctx context.Context, org string, class Class) (*waiter, error) {
	now := time.Now()
	if a.queue.len() == 0 {
		a.pace = pace{over: a.o.Patience.Seconds(), at: now}
	}
	patience := a.o.Patience
	if deadline, ok := ctx.Deadline(); ok {
		patience = min(patience, deadline.Sub(now))
	}
	expected, known := a.pace.wait(a.queue.ahead(org, class)+1, now)
	if known && expected > patience {
		return nil, a.refuse(telemetry.RefusedPace, expected)
	}
	if a.queue.len() >= a.o.Waiting {
		w := a.queue.yields(org, class)
		if w == nil {
			return nil, a.refuse(telemetry.RefusedFull, expected)
		}
		a.turnAway(w, a.refuse(telemetry.RefusedFull, expected))
	}
	w := &waiter{ctx: ctx, org: org, class: class, since: now, decided: make(chan struct{})}
	a.queue.push(w)
	a.o.Metrics.Waiting(a.queue.len())
	return w, nil
}

// wait waits for the decision on one who stands in line.
func (a *Admission) wait(ctx context.Context, w *waiter) (leave func(), err error) {
	timer := time.NewTimer(a.o.Patience)
	defer timer.Stop()
	select {
	case <-w.decided:
	case <-timer.C:
		a.giveUp(w, func() error { return a.refuse(telemetry.RefusedPatience, 0) })
	case <-ctx.Done():
		a.giveUp(w, ctx.Err)
	}
	if w.leave != nil && ctx.Err() != nil { // both came at once
		w.leave()
		return nil, ctx.Err()
	}
	return w.leave, w.err
}

// giveUp ends the wait, unless it was decided in the meantime.
func (a *Admission) giveUp(w *waiter, why func() error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if w.leave == nil && w.err == nil {
		a.turnAway(w, why())
	}
}

func (a *Admission) turnAway(w *waiter, err error) {
	a.queue.remove(w)
	w.err = err
	close(w.decided)
	a.o.Metrics.Waiting(a.queue.len())
}

func (a *Admission) refuse(why telemetry.Refusal, expected time.Duration) error {
	a.o.Metrics.Refused(why)
	return fault.New(fault.Overloaded, "The server has more to do than it can. Ask again when the time in Retry-After has passed.").
		After(min(max(expected, time.Second), longest))
}
