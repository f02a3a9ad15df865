package batch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime/debug"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"carbongraph/internal/fault"
	"carbongraph/store"
)

// chunk is so many lines on their way from the reader over a worker and a writer to the tally.
type chunk struct {
	first  int   // the place of its first line
	weight int64 // what it takes of linesHeld
	lines  []*line
	read   int64        // bytes of the file that end with it, where it is a piece of one
	kept   *store.Piece // what an earlier attempt has stored of it: all
	ahead  ahead
	run    bool          // the run is stored
	ready  chan struct{} // closed when they are calculated
	done   chan struct{} // closed when they are stored or given up
	stored bool
}

// linesHeld is how many lines are on their way at a time, at 2 to 4 kB each with what they are read and written with. A chunk may be larger.
const linesHeld = 20_000

// pipeline reads lines, calculates them chunk by chunk on every core, stores several chunks at a time, and has those that are stored tallied in their order.
// Few chunks are on their way at any time, so memory does not grow with the number of lines, and a slow writer slows the reader.
//
// What ends the reading early is returned after what came before it is stored. After a chunk that cannot be stored no other is begun, but those beside
// it are finished: the tally has just the lines that the database has. Only the end of ctx stops these too.
func (r *run) pipeline(ctx context.Context, next func() (*line, error), tally func([]*line) error) error {
	outer, stop := context.WithCancel(ctx)
	defer stop()
	g, going := errgroup.WithContext(outer)
	work, order := make(chan *chunk), make(chan *chunk, r.workers+1)
	writes, handed := make(chan *chunk), make(chan *chunk, r.writers)
	var end error
	held := semaphore.NewWeighted(linesHeld)
	g.Go(guarded(func() error {
		defer close(order)
		defer close(work)
		end = r.cut(going, next, held, order, work)
		return nil
	}))
	for range r.workers {
		g.Go(guarded(func() error {
			for c := range work {
				if err := r.ready(going, c); err != nil {
					return err
				}
				close(c.ready)
			}
			return nil
		}))
	}
	g.Go(guarded(func() error {
		defer close(handed)
		defer close(writes)
		return r.handOut(ctx, going, order, writes, handed)
	}))
	for range r.writers {
		g.Go(guarded(func() error {
			for c := range writes {
				began := time.Now()
				if err := r.keep(ctx, going, c); err != nil {
					return err
				}
				if r.yields.rest(going, time.Since(began)) {
					r.sizer.pause()
				}
			}
			return nil
		}))
	}
	failed := tallied(handed, held, tally, stop)
	err := g.Wait()
	switch {
	case failed != nil:
		return failed
	case err != nil:
		return err
	case errors.Is(end, io.EOF):
		return nil
	}
	return end
}

// cut makes chunks of lines until they end, and tells why they did.
func (r *run) cut(ctx context.Context, next func() (*line, error), held *semaphore.Weighted, to ...chan<- *chunk) error {
	stored, at := r.stored, r.at
	defer func() { r.at = at }()
	for {
		n, kept := r.rows(), (*store.Piece)(nil)
		if len(stored) > 0 {
			n = min(n, stored[0].First-at)
			if n == 0 {
				kept, n, stored = &stored[0], stored[0].Items, stored[1:]
			}
		}
		weight := int64(min(n, linesHeld))
		if err := held.Acquire(ctx, weight); err != nil {
			return err
		}
		most := math.MaxInt
		if kept == nil && r.sizer != nil {
			most = chunkBytes
		}
		lines, end := take(next, n, most)
		if r.flags.Mode == store.ModeAtomic {
			if end = whole(lines, end); end != nil && !errors.Is(end, io.EOF) {
				return end
			}
		}
		if len(lines) > 0 {
			c := &chunk{first: at, weight: weight, lines: lines, kept: kept, read: r.position(), ready: make(chan struct{}), done: make(chan struct{})}
			at += len(lines)
			for _, to := range to {
				if !send(ctx, to, c) {
					return ctx.Err()
				}
			}
		}
		if end != nil {
			return end
		}
	}
}

// handOut prepares chunks in their order, and gives each to a writer and then to the tally.
func (r *run) handOut(ctx, going context.Context, order <-chan *chunk, writes, handed chan<- *chunk) error {
	for c := range order {
		select {
		case <-c.ready:
		case <-going.Done():
			return going.Err()
		}
		if c.kept == nil {
			if err := r.patiently(ctx, func() error { return r.prepare(ctx, c) }); err != nil {
				return err
			}
			if err := r.introduce(ctx, c); err != nil {
				return err
			}
			c.run = r.started
		}
		if !send(going, writes, c) {
			return going.Err()
		}
		handed <- c // the tally takes all that there are
	}
	return nil
}

// keep stores a chunk, unless the import has failed meanwhile.
func (r *run) keep(ctx, going context.Context, c *chunk) error {
	defer close(c.done)
	if going.Err() != nil {
		return nil
	}
	if c.kept != nil {
		c.stored = r.recall != nil
		return nil
	}
	err := r.write(ctx, c)
	c.stored = err == nil
	r.sizer.add(len(c.lines))
	return err
}

// whole makes sure that lines which are kept or lost together are all there.
func whole(lines []*line, end error) error {
	if end == nil && len(lines) >= maxAtomicRows {
		return fault.New(fault.BadUserInput, "ATOMIC keeps or loses at most %d records together; the file has more. Import it with CHUNK or ITEM, or in parts.", maxAtomicRows-1)
	}
	return end
}

// position is how much of the file is read.
func (r *run) position() int64 {
	if r.read == nil {
		return 0
	}
	return r.read()
}

// ready has a chunk calculated, or recalled where it is stored already.
func (r *run) ready(ctx context.Context, c *chunk) error {
	switch {
	case c.kept == nil:
		return r.patiently(ctx, func() error { return r.calculate(ctx, c.lines) })
	case r.recall != nil:
		return r.recall(ctx, c)
	}
	return nil
}

// rows is how many lines the next chunk has.
func (r *run) rows() int {
	if r.sizer == nil {
		return r.chunk
	}
	return r.sizer.rows()
}

// tallied waits for each chunk that was handed out and tallies those that are stored. A tally that fails stops the import; what is stored until it has
// come to its end is tallied all the same.
func tallied(handed <-chan *chunk, held *semaphore.Weighted, tally func([]*line) error, stop func()) (failed error) {
	for c := range handed {
		<-c.done
		held.Release(c.weight)
		if !c.stored {
			continue
		}
		err := guarded(func() error { return tally(c.lines) })()
		if err != nil && failed == nil {
			failed = err
			stop()
		}
	}
	return failed
}

// guarded turns a panic into an error. A worker runs beside the request that it works for: nothing above it would catch one, and the process would end.
func guarded(f func() error) func() error {
	return func() (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("batch: panic: %v\n%s", p, debug.Stack())
			}
		}()
		return f()
	}
}

// chunkBytes is how much of a file makes a chunk, however few lines that is: lines of a ledger are short, but a file may hold others, and several chunks are in memory.
const chunkBytes = 8 << 20

// take reads so many lines, or fewer where they come to so many bytes.
func take(next func() (*line, error), n, most int) ([]*line, error) {
	lines := make([]*line, 0, n)
	for size := 0; len(lines) < n && size < most; {
		l, err := next()
		if err != nil {
			return lines, err
		}
		lines = append(lines, l)
		for _, field := range l.record {
			size += len(field)
		}
	}
	return lines, nil
}

func send(ctx context.Context, to chan<- *chunk, c *chunk) bool {
	select {
	case to <- c:
		return true
	case <-ctx.Done():
		return false
	}
}
