package cachex_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"carbongraph/cachex"
	"carbongraph/internal/servertest"
)

// giving is a load that gives a text, and counts.
func giving(n *atomic.Int64, text string) func(context.Context) (*cachex.Entry, error) {
	return func(context.Context) (*cachex.Entry, error) {
		n.Add(1)
		e := body(text)
		return &e, nil
	}
}

func TestALoadIsKept(t *testing.T) {
	t.Parallel()
	a, b := pair(t, cachex.Options{})
	s := strategy()
	var loads atomic.Int64
	for i, step := range []struct {
		c    *cachex.Chain
		want cachex.Outcome
	}{
		{a, cachex.Outcome{Result: cachex.Miss}},
		{a, cachex.Outcome{Layer: cachex.L1, Result: cachex.Hit}},
		{b, cachex.Outcome{Layer: cachex.L2, Result: cachex.Hit}},
		{b, cachex.Outcome{Layer: cachex.L1, Result: cachex.Hit}},
	} {
		e, out, err := step.c.Load(t.Context(), s, "x", giving(&loads, "1"))
		if err != nil || string(e.Body) != "1" || out != step.want {
			t.Errorf("step %d: %v, %+v, %v; want %+v", i, e, out, err, step.want)
		}
	}
	if loads.Load() != 1 {
		t.Errorf("loaded %d times", loads.Load())
	}
}

func TestAThousandCallersLoadOnce(t *testing.T) {
	t.Parallel()
	for name, redis := range map[string]bool{"alone": false, "with Redis": true} {
		o := cachex.Options{}
		if redis {
			o.Redis, o.Prefix = servertest.Shared(t), unique()
		}
		c, s := newChain(t, o), strategy()
		var loads, shared atomic.Int64
		var all sync.WaitGroup
		open := make(chan struct{})
		for range 1000 {
			all.Go(func() {
				e, out, err := c.Load(t.Context(), s, "x", func(context.Context) (*cachex.Entry, error) {
					loads.Add(1)
					<-open
					e := body("x")
					return &e, nil
				})
				if err != nil || string(e.Body) != "x" {
					t.Errorf("%s: %v, %v", name, e, err)
				}
				if out.Shared {
					shared.Add(1)
				}
			})
		}
		eventually(t, "all wait", func() bool { return c.Waiting(s.Name, "x") == 1000 })
		close(open)
		all.Wait()
		if loads.Load() != 1 || shared.Load() != 999 {
			t.Errorf("%s: %d loads, %d shared", name, loads.Load(), shared.Load())
		}
		if got := statsOf(c, cachex.L2, s.Name).Misses; redis && got != 1 {
			t.Errorf("%s: Redis was asked %d times", name, got)
		}
	}
}

func TestTwoServersLoadOnce(t *testing.T) {
	t.Parallel()
	a, b := pair(t, cachex.Options{Lease: time.Second})
	s := strategy()
	var loads atomic.Int64
	slow := func(context.Context) (*cachex.Entry, error) {
		loads.Add(1)
		time.Sleep(2 * time.Second) // longer than the lease: its holder renews it
		e := body("x")
		return &e, nil
	}
	var all sync.WaitGroup
	var misses, hits atomic.Int64
	for _, c := range []*cachex.Chain{a, b} {
		for range 50 {
			all.Go(func() {
				e, out, err := c.Load(t.Context(), s, "x", slow)
				if err != nil || string(e.Body) != "x" {
					t.Errorf("%v, %v", e, err)
				}
				switch out.Layer {
				case cachex.None:
					misses.Add(1)
				case cachex.L2:
					hits.Add(1)
				}
			})
		}
	}
	all.Wait()
	if loads.Load() != 1 || misses.Load() != 50 || hits.Load() != 50 {
		t.Errorf("%d loads; %d waited for it, %d found it in Redis", loads.Load(), misses.Load(), hits.Load())
	}
}

// A Redis that is slow for a moment, since the crowd that waits wants the cores too, does not make everybody load. A lease that was got meanwhile, without hearing so, is
// found to be one's own.
func TestASlowMomentDoesNotMakeAllLoad(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]bool{"another server loads": false, "and fails": true} {
		t.Run(name, func(t *testing.T) {
			r := servertest.NewRedis(t)
			p := servertest.NewProxy(t, r.URL())
			const answered = 300 * time.Millisecond
			o := cachex.Options{Redis: servertest.Connect(t, r.URL()), Prefix: unique(), Lease: time.Minute}
			a, s := newChain(t, o), strategy()
			s.Wait = time.Minute
			o.Redis, o.Timeout = servertest.Connect(t, p.URL()), answered
			b := newChain(t, o)
			var loads atomic.Int64
			begun, finish := make(chan struct{}), make(chan error)
			var all sync.WaitGroup
			all.Go(func() {
				_, _, err := a.Load(t.Context(), s, "x", func(context.Context) (*cachex.Entry, error) {
					loads.Add(1)
					close(begun)
					e := body("x")
					return &e, <-finish
				})
				if (err != nil) != fails {
					t.Error(err)
				}
			})
			<-begun
			began := time.Now()
			all.Go(func() {
				if e, _, err := b.Load(t.Context(), s, "x", giving(&loads, "x")); err != nil || string(e.Body) != "x" {
					t.Errorf("%v, %v", e, err)
				}
			})
			time.Sleep(answered) // it has heard that another loads
			p.Stall()
			if fails {
				finish <- errors.New("no")
			}
			time.Sleep(3 * answered / 2)
			p.Heal()
			if !fails {
				finish <- nil
			}
			all.Wait()
			want := int64(1)
			if fails {
				want = 2
			}
			if took := time.Since(began); loads.Load() != want || took > 20*time.Second {
				t.Errorf("%d loads in %v, want %d", loads.Load(), took, want)
			}
			_, l2 := b.Stores()
			eventually(t, "it is in Redis", func() bool { _, err := l2.Get(t.Context(), cachex.Key(s.Name, "x")); return err == nil })
		})
	}
}

// Whoever holds the lease died: others load when it is over, and not before.
func TestADeadHolderBlocksNoLongerThanItsLease(t *testing.T) {
	t.Parallel()
	c, s := newChain(t, cachex.Options{Redis: servertest.Shared(t), Prefix: unique()}), strategy()
	const lease = 300 * time.Millisecond
	began := time.Now()
	if err := c.Claim(t.Context(), s.Name, "x", "of the dead", lease); err != nil {
		t.Fatal(err)
	}
	var loads atomic.Int64
	if _, out, err := c.Load(t.Context(), s, "x", giving(&loads, "x")); err != nil || out.Result != cachex.Miss {
		t.Fatal(out, err)
	}
	if took := time.Since(began); took < lease-10*time.Millisecond || took > lease+2*time.Second {
		t.Errorf("it took %v", took)
	}
	written(t, c, s, "x")
}

// The holder lives and takes long: others wait as long as they may, and load for themselves.
func TestTheWaitForAnotherServerEnds(t *testing.T) {
	t.Parallel()
	c, s := newChain(t, cachex.Options{Redis: servertest.Shared(t), Prefix: unique()}), strategy()
	s.Wait = 100 * time.Millisecond
	if err := c.Claim(t.Context(), s.Name, "x", "of another", time.Minute); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	var loads atomic.Int64
	if e, _, err := c.Load(t.Context(), s, "x", giving(&loads, "x")); err != nil || string(e.Body) != "x" {
		t.Fatal(e, err)
	}
	if took := time.Since(began); took < s.Wait/4 || took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	if _, from, ok := c.Get(t.Context(), s, "x"); !ok || from != cachex.L1 {
		t.Error("it is not kept here")
	}
	_, l2 := c.Stores()
	if _, err := l2.Get(t.Context(), cachex.Key(s.Name, "x")); err == nil {
		t.Error("it was written over the head of the lease's holder")
	}
}

// A lease that comes when the wait is over is used, and given back.
func TestALeaseThatComesLateIsUsed(t *testing.T) {
	t.Parallel()
	redis := servertest.Shared(t)
	c, s := newChain(t, cachex.Options{Redis: redis, Prefix: unique(), Lease: time.Minute}), strategy()
	s.Wait = time.Nanosecond
	var loads atomic.Int64
	if _, _, err := c.Load(t.Context(), s, "x", giving(&loads, "x")); err != nil {
		t.Fatal(err)
	}
	_, l2 := c.Stores()
	eventually(t, "it is in Redis", func() bool { _, err := l2.Get(t.Context(), cachex.Key(s.Name, "x")); return err == nil })
	eventually(t, "the lease is given back", func() bool { return redis.Exists(t.Context(), c.Lease(s.Name, "x")).Val() == 0 })
}

func TestWaitersLeaveByThemselves(t *testing.T) {
	t.Parallel()
	c, s := newChain(t, cachex.Options{}), strategy()
	var loads atomic.Int64
	ended := make(chan struct{})
	load := func(ctx context.Context) (*cachex.Entry, error) {
		loads.Add(1)
		<-ctx.Done()
		close(ended)
		return nil, ctx.Err()
	}
	first, leaveFirst := context.WithCancel(t.Context())
	second, leaveSecond := context.WithCancel(t.Context())
	errs := make(chan error, 2)
	go func() { _, _, err := c.Load(first, s, "x", load); errs <- err }()
	eventually(t, "the first waits", func() bool { return c.Waiting(s.Name, "x") == 1 })
	go func() { _, _, err := c.Load(second, s, "x", load); errs <- err }()
	eventually(t, "both wait", func() bool { return c.Waiting(s.Name, "x") == 2 })
	leaveFirst()
	if err := <-errs; !errors.Is(err, context.Canceled) {
		t.Errorf("the first left with %v", err)
	}
	select {
	case <-ended:
		t.Fatal("the load ended with who came first")
	case <-time.After(50 * time.Millisecond):
	}
	leaveSecond()
	if err := <-errs; !errors.Is(err, context.Canceled) {
		t.Errorf("the second left with %v", err)
	}
	<-ended
	// Who comes now begins anew.
	var anew atomic.Int64
	if e, _, err := c.Load(t.Context(), s, "x", giving(&anew, "anew")); err != nil || string(e.Body) != "anew" {
		t.Errorf("got %v, %v", e, err)
	}
	if loads.Load() != 1 {
		t.Errorf("%d loads", loads.Load())
	}
}

type place struct{}

func TestALoadHasTheValuesOfWhoCameFirstAndATimeOfItsOwn(t *testing.T) {
	t.Parallel()
	c, s := newChain(t, cachex.Options{LoadTimeout: 50 * time.Millisecond}), strategy()
	_, _, err := c.Load(context.WithValue(t.Context(), place{}, "here"), s, "x", func(ctx context.Context) (*cachex.Entry, error) {
		if ctx.Value(place{}) != "here" {
			t.Error("the values are lost")
		}
		<-ctx.Done()
		return nil, ctx.Err()
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestWhatFailsIsNotKept(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for name, tc := range map[string]struct {
		load func(context.Context) (*cachex.Entry, error)
		is   error
	}{
		"an error":   {func(context.Context) (*cachex.Entry, error) { return nil, broken }, broken},
		"both":       {func(context.Context) (*cachex.Entry, error) { e := body("x"); return &e, broken }, broken},
		"neither":    {func(context.Context) (*cachex.Entry, error) { return nil, nil }, nil},
		"a panic":    {func(context.Context) (*cachex.Entry, error) { panic("no") }, nil},
		"a nil":      {func(context.Context) (*cachex.Entry, error) { var e *cachex.Entry; e.Body = nil; return e, nil }, nil},
		"a goexit":   {func(context.Context) (*cachex.Entry, error) { runtime.Goexit(); return nil, nil }, nil},
		"in a layer": {func(context.Context) (*cachex.Entry, error) { return nil, fmt.Errorf("wrapped: %w", broken) }, broken},
	} {
		c := newChain(t, cachex.Options{Redis: servertest.Shared(t), Prefix: unique()})
		s := strategy()
		var all sync.WaitGroup
		open := make(chan struct{})
		for range 10 {
			all.Go(func() {
				e, out, err := c.Load(t.Context(), s, "x", func(ctx context.Context) (*cachex.Entry, error) { <-open; return tc.load(ctx) })
				if err == nil || e != nil || out.Result != cachex.Miss || tc.is != nil && !errors.Is(err, tc.is) {
					t.Errorf("%s: %v, %+v, %v", name, e, out, err)
				}
			})
		}
		eventually(t, "all wait", func() bool { return c.Waiting(s.Name, "x") == 10 })
		close(open)
		all.Wait()
		var loads atomic.Int64
		if e, _, err := c.Load(t.Context(), s, "x", giving(&loads, "good")); err != nil || string(e.Body) != "good" {
			t.Errorf("%s: after it: %v, %v", name, e, err)
		}
	}
}

func TestWhatIsAbsentIsRememberedHere(t *testing.T) {
	t.Parallel()
	time0 := newClock()
	a, b := pair(t, cachex.Options{Now: time0.now})
	s := strategy()
	var loads atomic.Int64
	absent := func(context.Context) (*cachex.Entry, error) {
		loads.Add(1)
		return nil, fmt.Errorf("no such factor: %w", cachex.ErrAbsent)
	}
	for i, want := range []cachex.Outcome{{Result: cachex.Negative}, {Layer: cachex.L1, Result: cachex.Negative}} {
		if e, out, err := a.Load(t.Context(), s, "x", absent); e != nil || out != want || !errors.Is(err, cachex.ErrAbsent) {
			t.Errorf("time %d: %v, %+v, %v", i, e, out, err)
		}
	}
	if _, from, ok := a.Get(t.Context(), s, "x"); ok || from != cachex.L1 {
		t.Errorf("Get: %v from %q", ok, from)
	}
	if _, out, _ := b.Load(t.Context(), s, "x", absent); out.Layer != cachex.None || loads.Load() != 2 {
		t.Errorf("another process knows it: %+v", out)
	}
	time0.pass(s.Negative)
	if e, _, err := a.Load(t.Context(), s, "x", giving(&loads, "now")); err != nil || string(e.Body) != "now" {
		t.Errorf("after it: %v, %v", e, err)
	}
	// A strategy that does not remember asks each time.
	s.Negative = 0
	loads.Store(0)
	for range 3 {
		a.Load(t.Context(), s, "y", absent)
	}
	if loads.Load() != 3 {
		t.Errorf("asked %d times", loads.Load())
	}
}

func TestStaleIsServedWhileItIsLoadedAnewOnce(t *testing.T) {
	t.Parallel()
	time0 := newClock()
	a, b := pair(t, cachex.Options{Now: time0.now})
	s := strategy()
	var loads atomic.Int64
	a.Load(t.Context(), s, "x", giving(&loads, "old"))
	written(t, a, s, "x")
	if _, _, ok := b.Get(t.Context(), s, "x"); !ok {
		t.Fatal("not there")
	}
	time0.pass(s.Fresh)
	open := make(chan struct{})
	anew := func(context.Context) (*cachex.Entry, error) {
		loads.Add(1)
		<-open
		e := body("new")
		return &e, nil
	}
	for range 100 {
		for _, c := range []*cachex.Chain{a, b} {
			e, out, err := c.Load(t.Context(), s, "x", anew)
			if err != nil || string(e.Body) != "old" || out != (cachex.Outcome{Layer: cachex.L1, Result: cachex.Stale}) {
				t.Fatalf("got %v, %+v, %v", e, out, err)
			}
		}
	}
	eventually(t, "it is loaded anew", func() bool { return loads.Load() == 2 })
	close(open)
	for _, c := range []*cachex.Chain{a, b} {
		eventually(t, "the new one is there", func() bool {
			e, _, ok := c.Get(t.Context(), s, "x")
			return ok && string(e.Body) == "new"
		})
	}
	if loads.Load() != 2 {
		t.Errorf("loaded %d times", loads.Load())
	}
}

// An entry that is stale in Redis is served too, by a process that has none.
func TestStaleOfRedis(t *testing.T) {
	t.Parallel()
	time0 := newClock()
	a, b := pair(t, cachex.Options{Now: time0.now})
	s := strategy()
	var loads atomic.Int64
	a.Put(t.Context(), s, "x", body("old"))
	written(t, a, s, "x")
	time0.pass(s.Fresh)
	e, out, err := b.Load(t.Context(), s, "x", giving(&loads, "new"))
	if err != nil || string(e.Body) != "old" || out != (cachex.Outcome{Layer: cachex.L2, Result: cachex.Stale}) {
		t.Fatalf("got %v, %+v, %v", e, out, err)
	}
	eventually(t, "the new one is there", func() bool {
		e, _, ok := b.Get(t.Context(), s, "x")
		return ok && string(e.Body) == "new"
	})
}

func TestWhatCannotBeLoadedAnewIsServedToItsEnd(t *testing.T) {
	t.Parallel()
	time0 := newClock()
	c, s := newChain(t, cachex.Options{Now: time0.now}), strategy()
	c.Put(t.Context(), s, "x", body("old"))
	time0.pass(s.Fresh)
	var tries atomic.Int64
	fail := func(context.Context) (*cachex.Entry, error) { tries.Add(1); return nil, errors.New("down") }
	ask := func(want int64) {
		t.Helper()
		for range 20 {
			if e, out, err := c.Load(t.Context(), s, "x", fail); err != nil || out.Result != cachex.Stale || string(e.Body) != "old" {
				t.Fatalf("%v, %+v, %v", e, out, err)
			}
			eventually(t, "it has failed", func() bool { return c.Flights() == 0 })
		}
		if tries.Load() != want {
			t.Errorf("tried %d times; want %d", tries.Load(), want)
		}
	}
	ask(1)
	time0.pass(cachex.Rest)
	ask(2)
	time0.pass(s.Lifetime)
	if _, _, err := c.Load(t.Context(), s, "x", fail); err == nil {
		t.Error("it is served past its end")
	}
}

// What is found to be absent when it is loaded anew is gone for all servers.
func TestStaleThatIsAbsentNowIsGone(t *testing.T) {
	t.Parallel()
	time0 := newClock()
	a, b := pair(t, cachex.Options{Now: time0.now})
	s := strategy()
	a.Put(t.Context(), s, "x", body("old"))
	written(t, a, s, "x")
	time0.pass(s.Fresh)
	a.Load(t.Context(), s, "x", func(context.Context) (*cachex.Entry, error) { return nil, cachex.ErrAbsent })
	eventually(t, "it is gone", func() bool { _, _, ok := b.Get(t.Context(), s, "x"); b.Forget(s.Name, "x"); return !ok })
	if _, out, err := a.Load(t.Context(), s, "x", nil); out.Result != cachex.Negative || !errors.Is(err, cachex.ErrAbsent) {
		t.Errorf("%+v, %v", out, err)
	}
}

// What began to load before a removal is given to who waited, not to who comes later, and is kept nowhere.
func TestARemovalFencesWhatIsBeingLoaded(t *testing.T) {
	t.Parallel()
	for name, remove := range map[string]func(*cachex.Chain, *cachex.Strategy) error{
		"deleted": func(c *cachex.Chain, s *cachex.Strategy) error { return c.Delete(context.Background(), s, "x") },
		"cleared": func(c *cachex.Chain, s *cachex.Strategy) error {
			_, err := c.Clear(context.Background(), s.Name)
			return err
		},
		"all cleared": func(c *cachex.Chain, _ *cachex.Strategy) error {
			_, err := c.Clear(context.Background(), "")
			return err
		},
	} {
		for _, elsewhere := range []bool{false, true} {
			a, b := pair(t, cachex.Options{})
			s := strategy()
			open, began := make(chan struct{}), make(chan struct{})
			var old sync.WaitGroup
			old.Go(func() {
				e, _, err := a.Load(t.Context(), s, "x", func(context.Context) (*cachex.Entry, error) {
					close(began)
					<-open
					e := body("old")
					return &e, nil
				})
				if err != nil || string(e.Body) != "old" {
					t.Errorf("who waited got %v, %v", e, err)
				}
			})
			<-began
			remover := a
			if elsewhere {
				remover = b
			}
			if err := remove(remover, s); err != nil {
				t.Fatal(err)
			}
			if !elsewhere {
				var loads atomic.Int64
				if e, _, err := a.Load(t.Context(), s, "x", giving(&loads, "new")); err != nil || string(e.Body) != "new" {
					t.Errorf("%s: who came after it got %v, %v", name, e, err)
				}
				written(t, a, s, "x")
			}
			close(open)
			old.Wait()
			eventually(t, "the old load is over", func() bool { _, _, _, fenced, _ := a.Dropped(); return fenced == 1 })
			if e, _, ok := a.Get(t.Context(), s, "x"); !elsewhere && (!ok || string(e.Body) != "new") {
				t.Errorf("%s: the process has %v", name, e)
			}
			if e, _, ok := b.Get(t.Context(), s, "x"); ok && string(e.Body) != "new" {
				t.Errorf("%s: Redis has %v", name, e)
			}
		}
	}
}

// A refused write gives its lease back at once: nobody waits for it.
func TestAFailedLoadGivesItsLeaseBack(t *testing.T) {
	t.Parallel()
	a, b := pair(t, cachex.Options{Lease: time.Minute})
	s := strategy()
	s.Wait = time.Minute
	a.Load(t.Context(), s, "x", func(context.Context) (*cachex.Entry, error) { return nil, errors.New("down") })
	began := time.Now()
	var loads atomic.Int64
	if _, _, err := b.Load(t.Context(), s, "x", giving(&loads, "x")); err != nil || time.Since(began) > 20*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}

func TestCloseEndsLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := cachex.New(cachex.Options{Now: time.Now, Chance: func() float64 { return 0 }}), strategy()
		c.Put(t.Context(), s, "x", body("old"))
		time.Sleep(s.Lifetime - 20*time.Second)
		_, out, err := c.Load(t.Context(), s, "x", func(ctx context.Context) (*cachex.Entry, error) { <-ctx.Done(); return nil, ctx.Err() })
		if out.Result != cachex.Stale || err != nil {
			t.Fatal(out, err)
		}
		synctest.Wait()
		c.Close() // or the test never ends
	})
}
