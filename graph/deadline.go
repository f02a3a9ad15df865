package graph

import (
	"context"
	"sync"
	"time"
)

// deadlines end operations that take too long. All have the same time, so that they are due in the order in which they began, and one timer, for the oldest, serves
// all: a timer for each would cost a short query a hundredth of its time.
type deadlines struct {
	limit time.Duration

	mu    sync.Mutex
	list  deadline // its next is the oldest, its previous the newest, and itself where there is none
	timer *time.Timer
	armed bool
}

// deadline is the context of an operation that has so much time. Like one of package context it ends with DeadlineExceeded.
type deadline struct {
	context.Context
	of         *deadlines
	at         time.Time
	cancel     context.CancelCauseFunc
	prev, next *deadline
}

func newDeadlines(limit time.Duration) *deadlines {
	d := &deadlines{limit: limit}
	d.list.prev, d.list.next = &d.list, &d.list
	return d
}

// begin gives an operation its time. Call end when it is done.
func (d *deadlines) begin(ctx context.Context) *deadline {
	ctx, cancel := context.WithCancelCause(ctx)
	one := &deadline{Context: ctx, of: d, cancel: cancel, at: time.Now().Add(d.limit)}
	d.mu.Lock()
	defer d.mu.Unlock()
	one.prev, one.next = d.list.prev, &d.list
	one.prev.next, d.list.prev = one, one
	switch {
	case d.armed:
	case d.timer == nil:
		d.timer, d.armed = time.AfterFunc(d.limit, d.due), true
	default:
		d.timer.Reset(d.limit)
		d.armed = true
	}
	return one
}

// due ends what is due, and waits for what is due next.
func (d *deadlines) due() {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	for d.list.next != &d.list {
		one := d.list.next
		if wait := one.at.Sub(now); wait > 0 {
			d.timer.Reset(wait)
			return
		}
		one.leave()
		one.cancel(context.DeadlineExceeded)
	}
	d.armed = false
}

// leave takes it out of the list, once.
func (one *deadline) leave() {
	if one.next != nil {
		one.prev.next, one.next.prev = one.next, one.prev
		one.prev, one.next = nil, nil
	}
}

func (one *deadline) end() {
	one.of.mu.Lock()
	one.leave()
	one.of.mu.Unlock()
	one.cancel(nil)
}

// Deadline is when the time is over.
func (one *deadline) Deadline() (time.Time, bool) { return one.at, true }

// Err is DeadlineExceeded where the time was over before the operation.
func (one *deadline) Err() error {
	err := one.Context.Err()
	if err != nil && context.Cause(one.Context) == context.DeadlineExceeded {
		return context.DeadlineExceeded
	}
	return err
}
