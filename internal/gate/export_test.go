package gate

import (
	"context"
	"time"
)

// Patience is how long Redis may take.
const Patience = patience

// Patient lets Redis take so long, as it may on a machine that does much else.
func (r *Rate) Patient(d time.Duration) *Rate {
	r.timeout = d
	return r
}

// Tend does at once what Run does each second.
func (r *Rate) Tend(ctx context.Context) { r.tend(ctx, false) }

// GiveBack gives back all leases, as the end of Run does.
func (r *Rate) GiveBack(ctx context.Context) { r.tend(ctx, true) }

// Bound makes room for so many callers only.
func (r *Rate) Bound(callers int) { r.callers = newCallers(callers) }

// Known tells how many callers take memory now.
func (r *Rate) Known() int {
	n := 0
	for _, s := range r.callers.shard {
		s.mu.Lock()
		n += len(s.callers)
		s.mu.Unlock()
	}
	return n
}

// Move moves a caller's time of arrival in Redis as a return and as the end of an outage do.
func (r *Rate) Move(ctx context.Context, caller string, floor, back int) error {
	return move.Run(ctx, r.o.Redis, []string{key(caller)}, r.seconds(float64(floor)), r.seconds(float64(-back))).Err()
}

// Limit is how many operations may run at once now.
func (a *Admission) Limit() int { return a.limiter.Limit() }

// State tells how many operations run and wait, and for how many organizations.
func (a *Admission) State() (running, waiting, orgs int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	orgs = len(a.running)
	for c := range a.queue.lines {
		orgs += len(a.queue.lines[c])
	}
	return a.limiter.Inflight(), a.queue.len(), orgs
}

// Known tells how many callers take memory now.
func (s *Streams) Known() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}
