package batch

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// Work in the background rests as long as its transaction took, and only where somebody asked meanwhile.
func TestWorkRestsWhileSomebodyAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked uint64 = 7
		y := newYielding(func() uint64 { return asked })
		for _, step := range []struct {
			asks       uint64
			took, rest time.Duration
		}{
			{0, time.Second, 0}, // what was asked before it began
			{1, 80 * time.Millisecond, 80 * time.Millisecond},
			{0, 80 * time.Millisecond, 0},
			{300, 90 * time.Millisecond, 90 * time.Millisecond},
			{1, time.Minute, longestRest},
		} {
			asked += step.asks
			began := time.Now()
			if rested := y.rest(t.Context(), step.took); rested != (step.rest > 0) || time.Since(began) != step.rest {
				t.Errorf("%d asked during %v: rested %t, for %v; want %v", step.asks, step.took, rested, time.Since(began), step.rest)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		asked++
		began := time.Now()
		if y.rest(ctx, time.Second); time.Since(began) != 0 {
			t.Errorf("work that has ended rests for %v", time.Since(began))
		}
	})
	if (*yielding)(nil).rest(t.Context(), time.Hour) || newYielding(nil) != nil {
		t.Error("where nobody can ask, work rests")
	}
}
