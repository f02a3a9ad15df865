package cachex

import (
	"context"

	"carbongraph/internal/telemetry"
)

// reading is the reads of one organization's versions: one at a time, and one after it for those who came too late for it. Dropped from Versions.reads it goes on for
// those who wait for it, and nothing of it is kept.
type reading struct {
	running, next *oneRead
}

// oneRead is one read.
type oneRead struct {
	done   chan struct{}
	vector *Vector // once done is closed
	err    error
}

// read reads an organization's versions, for all who ask together: once, and not for the first of them alone, who may leave. While memory is trusted, whoever finds a read
// under way waits for that one: as it was not dropped, nothing is known to have changed since it began. Otherwise it takes one that begins after it came.
func (v *Versions) read(ctx context.Context, org [16]byte, why telemetry.VersionRead) (*Vector, error) {
	f := v.join(org, why)
	select {
	case <-f.done:
		return f.vector, f.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// join gives the read to wait for, and starts it where there is none.
func (v *Versions) join(org [16]byte, why telemetry.VersionRead) *oneRead {
	v.mu.Lock()
	defer v.mu.Unlock()
	r := v.reads[org]
	switch {
	case r == nil:
		r = &reading{running: newRead()}
		v.reads[org] = r
		go v.fly(org, r)
		v.o.Metrics.Read(why)
		return r.running
	case why == telemetry.VersionsAbsent:
		return r.running
	case r.next == nil:
		r.next = newRead()
		v.o.Metrics.Read(why)
	}
	return r.next
}

func newRead() *oneRead { return &oneRead{done: make(chan struct{})} }

// fly reads until nobody waits for another read.
func (v *Versions) fly(org [16]byte, r *reading) {
	for f := r.running; f != nil; f = v.land(org, r) {
		ctx, cancel := context.WithTimeout(context.Background(), patience) // it is no request's
		f.vector, f.err = v.o.Read(ctx, org)
		cancel()
	}
}

// land keeps what was read, unless it was dropped meanwhile, and gives the next read.
func (v *Versions) land(org [16]byte, r *reading) *oneRead {
	v.mu.Lock()
	defer v.mu.Unlock()
	f := r.running
	r.running, r.next = r.next, nil
	if f.err == nil {
		v.last++
		f.vector.number = v.last
	}
	if v.reads[org] == r {
		if f.err == nil {
			v.held.Set(org, f.vector)
		}
		if r.running == nil {
			delete(v.reads, org)
		}
	}
	close(f.done)
	return r.running
}
