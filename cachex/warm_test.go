package cachex_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"carbongraph/cachex"
)

// What is warmed is loaded where it would be too old, once for all servers, and counts as nobody's look-up.
func TestWarm(t *testing.T) {
	t.Parallel()
	at := newClock()
	a, b := pair(t, cachex.Options{Now: at.now})
	s, loads := strategy(), atomic.Int64{}
	load := func(context.Context) (*cachex.Entry, error) {
		loads.Add(1)
		e := body("made")
		return &e, nil
	}
	warm := func(c *cachex.Chain, ahead time.Duration, want bool) {
		t.Helper()
		if loaded, err := c.Warm(t.Context(), s, "x", ahead, load); err != nil || loaded != want {
			t.Fatalf("loaded: %t, %v; want %t", loaded, err, want)
		}
	}
	warm(a, 0, true)
	warm(a, 3*time.Minute, false)
	written(t, a, s, "x")
	warm(b, 3*time.Minute, false) // it comes from Redis
	if _, from, ok := b.Get(t.Context(), s, "x"); !ok || from != cachex.L1 {
		t.Errorf("what was warmed is at %q", from)
	}
	at.pass(2 * time.Minute) // fresh for 2 minutes more
	warm(a, time.Minute, false)
	warm(a, 3*time.Minute, true)
	eventually(t, "the newer one is in Redis", func() bool {
		_, l2 := a.Stores()
		e, err := l2.Get(context.Background(), cachex.Key(s.Name, "x"))
		return err == nil && e.(*cachex.Entry).Soft.After(at.now().Add(3*time.Minute))
	})
	warm(b, 3*time.Minute, false) // from Redis again, though the process had an older one
	if n := loads.Load(); n != 2 {
		t.Errorf("%d loads; want 2", n)
	}
	for _, c := range []*cachex.Chain{a, b} {
		for _, layer := range []cachex.Layer{cachex.L1, cachex.L2} {
			if got := statsOf(c, layer, s.Name); got.Misses > 0 || got.Hits > 0 && layer == cachex.L2 {
				t.Errorf("%s counts %+v", layer, got)
			}
		}
	}
}

// A load that fails leaves what is there, one that nobody waits for ends, and who asks meanwhile gets what is being made.
func TestWarmingThatFails(t *testing.T) {
	t.Parallel()
	c, s := newChain(t, cachex.Options{}), strategy()
	c.Put(t.Context(), s, "x", body("old"))
	broken := errors.New("broken")
	if loaded, err := c.Warm(t.Context(), s, "x", time.Hour, func(context.Context) (*cachex.Entry, error) { return nil, broken }); loaded || !errors.Is(err, broken) {
		t.Errorf("loaded: %t, %v", loaded, err)
	}
	if e, _, ok := c.Get(t.Context(), s, "x"); !ok || string(e.Body) != "old" {
		t.Error("what was there is gone")
	}
	ended, begun := make(chan error, 1), make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-begun; cancel() }()
	_, err := c.Warm(ctx, s, "y", 0, func(ctx context.Context) (*cachex.Entry, error) {
		close(begun)
		<-ctx.Done()
		ended <- ctx.Err()
		return nil, ctx.Err()
	})
	if !errors.Is(err, context.Canceled) || <-ended == nil {
		t.Errorf("a warming that was given up: %v", err)
	}
	release, making := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		_, _ = c.Warm(t.Context(), s, "z", 0, func(context.Context) (*cachex.Entry, error) {
			close(making)
			<-release
			e := body("made")
			return &e, nil
		})
	})
	<-making
	all.Go(func() {
		e, how, err := c.Load(t.Context(), s, "z", func(context.Context) (*cachex.Entry, error) { return nil, broken })
		if err != nil || string(e.Body) != "made" || !how.Shared {
			t.Errorf("who asked meanwhile: %v %v %v", e, how, err)
		}
	})
	eventually(t, "both wait", func() bool { return c.Waiting(s.Name, "z") == 2 })
	close(release)
	all.Wait()
}
