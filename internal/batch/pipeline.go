package batch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"golang.org/x/sync/errgroup"
)

// chunk is so many lines on their way from the reader over a worker to the writer.
type chunk struct {
	lines []*line
	ready chan struct{} // closed when they are calculated
}

// pipeline reads lines, calculates them chunk by chunk on every core, and hands the chunks over in their order. Few chunks are on their way at any time,
// so memory does not grow with the number of lines, and a slow writer slows the reader. What ends the reading early is returned after what came before
// it has been handed over.
func (r *run) pipeline(ctx context.Context, next func() (*line, error), write func(context.Context, []*line) error) error {
	var end error
	work, order := make(chan *chunk), make(chan *chunk, r.workers+1)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(guarded(func() error {
		defer close(order)
		defer close(work)
		for {
			c := &chunk{ready: make(chan struct{})}
			c.lines, end = take(next, r.chunk)
			if len(c.lines) > 0 {
				if !send(ctx, order, c) || !send(ctx, work, c) {
					return ctx.Err()
				}
			}
			if end != nil {
				return nil
			}
		}
	}))
	for range r.workers {
		g.Go(guarded(func() error {
			for c := range work {
				if err := r.calculate(ctx, c.lines); err != nil {
					return err
				}
				close(c.ready)
			}
			return nil
		}))
	}
	g.Go(guarded(func() error {
		for c := range order {
			select {
			case <-c.ready:
			case <-ctx.Done():
				return ctx.Err()
			}
			if err := write(ctx, c.lines); err != nil {
				return err
			}
		}
		return nil
	}))
	if err := g.Wait(); err != nil {
		return err
	}
	if errors.Is(end, io.EOF) {
		return nil
	}
	return end
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

func take(next func() (*line, error), n int) ([]*line, error) {
	lines := make([]*line, 0, n)
	for len(lines) < n {
		l, err := next()
		if err != nil {
			return lines, err
		}
		lines = append(lines, l)
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
