package batch

import (
	"context"
	"sync/atomic"
	"time"
)

// longestRest is how long work in the background rests at a time, however slow the database is.
const longestRest = 2 * time.Second

// yielding has work that nobody waits for leave the database, and a core, to those who ask: while somebody does, it rests after each transaction for as long as that
// took. A nil yielding never rests.
type yielding struct {
	asked func() uint64 // operations that somebody waits for, so far
	seen  atomic.Uint64
}

func newYielding(asked func() uint64) *yielding {
	if asked == nil {
		return nil
	}
	y := &yielding{asked: asked}
	y.seen.Store(asked())
	return y
}

// rest rests after a transaction that took so long, if somebody asked since the one before, and tells whether it did. The end of ctx ends the rest.
func (y *yielding) rest(ctx context.Context, took time.Duration) bool {
	if y == nil {
		return false
	}
	asked := y.asked()
	if y.seen.Swap(asked) == asked {
		return false
	}
	select {
	case <-time.After(min(took, longestRest)):
	case <-ctx.Done():
	}
	return true
}
