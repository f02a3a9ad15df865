package cachex_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"carbongraph/cachex"
	"carbongraph/internal/servertest"
)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Now().Truncate(time.Millisecond)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// patient is how long Redis may take in tests, on a machine that does much else.
const patient = 5 * time.Second

// newChain makes a chain that runs until the test ends. Nothing is left to chance.
func newChain(t testing.TB, o cachex.Options) *cachex.Chain {
	t.Helper()
	if o.Chance == nil {
		o.Chance = func() float64 { return 0 }
	}
	if o.Timeout == 0 {
		o.Timeout = patient
	}
	c := cachex.New(o)
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { c.Run(ctx) })
	t.Cleanup(func() {
		stop()
		running.Wait()
		c.Close()
	})
	return c
}

// pair makes two chains as of two servers, over one Redis.
func pair(t testing.TB, o cachex.Options) (a, b *cachex.Chain) {
	t.Helper()
	o.Redis, o.Prefix = servertest.Shared(t), unique()
	return newChain(t, o), newChain(t, o)
}

// eventually waits until something holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatal("it never came to be that " + what)
}

// written waits until an entry is in Redis.
func written(t testing.TB, c *cachex.Chain, s *cachex.Strategy, name string) {
	t.Helper()
	_, l2 := c.Stores()
	eventually(t, name+" is in Redis", func() bool {
		_, err := l2.Get(context.Background(), cachex.Key(s.Name, name))
		return err == nil
	})
}

func strategy() *cachex.Strategy {
	return &cachex.Strategy{Name: cachex.APIResponses, Lifetime: 5 * time.Minute, Fresh: 4 * time.Minute, Negative: 10 * time.Second, Wait: patient, Compress: true}
}

func body(s string) cachex.Entry { return cachex.Entry{Body: []byte(s), Head: []byte("head of " + s)} }

// statsOf gives the counts of one layer.
func statsOf(c *cachex.Chain, layer cachex.Layer, strategy string) cachex.LayerStats {
	for _, s := range c.Stats() {
		if s.Layer == string(layer) && s.Strategy == strategy {
			return s
		}
	}
	return cachex.LayerStats{}
}

func TestWhatIsPutIsFoundInTheProcess(t *testing.T) {
	t.Parallel()
	c, s := newChain(t, cachex.Options{}), strategy()
	if _, from, ok := c.Get(t.Context(), s, "one"); ok || from != cachex.None {
		t.Fatal("found before it was put")
	}
	c.Put(t.Context(), s, "one", body("1"))
	e, from, ok := c.Get(t.Context(), s, "one")
	if !ok || from != cachex.L1 || string(e.Body) != "1" || string(e.Head) != "head of 1" {
		t.Fatalf("got %v from %q", e, from)
	}
	if again, _, _ := c.Get(t.Context(), s, "one"); again != e {
		t.Error("a hit made a copy")
	}
	if got := statsOf(c, cachex.L1, s.Name); got.Hits != 2 || got.Misses != 1 || got.Entries != 1 || got.Bytes != int64(cachex.Weigh("one", e)) {
		t.Errorf("stats %+v", got)
	}
}

func TestKeysOfStrategiesAreApart(t *testing.T) {
	t.Parallel()
	c := newChain(t, cachex.Options{Redis: servertest.Shared(t), Prefix: unique()})
	a, b := strategy(), strategy()
	b.Name = cachex.LLMResponses
	c.Put(t.Context(), a, "x", body("a"))
	if _, _, ok := c.Get(t.Context(), b, "x"); ok {
		t.Error("one strategy has an entry of another")
	}
}

func TestAnotherServerFindsItInRedisAndKeepsWhatIsLeft(t *testing.T) {
	t.Parallel()
	time0 := newClock()
	a, b := pair(t, cachex.Options{Now: time0.now})
	s := strategy()
	for name, e := range map[string]cachex.Entry{
		"text": body("text"), "empty": {}, "binary": {Body: []byte("\x00\xff\r\n{}*"), Head: []byte{0}}, "large": {Body: bytes.Repeat([]byte("carbon "), 5000)},
		"} a { name \x00\xff": body("odd"),
	} {
		a.Put(t.Context(), s, name, e)
		written(t, a, s, name)
		time0.pass(time.Minute)
		got, from, ok := b.Get(t.Context(), s, name)
		if !ok || from != cachex.L2 || !bytes.Equal(got.Body, e.Body) || !bytes.Equal(got.Head, e.Head) {
			t.Fatalf("%q: got %v from %q", name, got, from)
		}
		first, _, _ := a.Get(t.Context(), s, name)
		if !got.Stored.Equal(first.Stored) || !got.Soft.Equal(first.Soft) || !got.Hard.Equal(first.Hard) {
			t.Errorf("%q: the copy is of %v, %v, %v; want %v, %v, %v", name, got.Stored, got.Soft, got.Hard, first.Stored, first.Soft, first.Hard)
		}
		if again, from, _ := b.Get(t.Context(), s, name); from != cachex.L1 || again != got {
			t.Errorf("%q was not promoted", name)
		}
		time0.pass(s.Lifetime - time.Minute - 1)
		if _, _, ok := b.Get(t.Context(), s, name); !ok {
			t.Errorf("%q is gone before its time", name)
		}
		time0.pass(1)
		if _, _, ok := b.Get(t.Context(), s, name); ok {
			t.Errorf("%q outlives its time", name)
		}
	}
}

func TestLifetimes(t *testing.T) {
	t.Parallel()
	now := newClock().now()
	for name, tc := range map[string]struct {
		chance     float64
		entry      cachex.Entry
		soft, hard time.Duration // after now; hard 0: it is not kept
	}{
		"the strategy's":                 {0, cachex.Entry{}, 4 * time.Minute, 5 * time.Minute},
		"a fifth shorter by chance":      {1, cachex.Entry{}, 192 * time.Second, 240 * time.Second},
		"shorter by its own":             {0, cachex.Entry{Hard: now.Add(time.Minute)}, time.Minute, time.Minute},
		"its own softness":               {0, cachex.Entry{Soft: now.Add(time.Minute)}, time.Minute, 5 * time.Minute},
		"no longer than the strategy's":  {0, cachex.Entry{Soft: now.Add(time.Hour), Hard: now.Add(time.Hour)}, 4 * time.Minute, 5 * time.Minute},
		"over before it began":           {0, cachex.Entry{Hard: now}, 0, 0},
		"made before, counted from here": {0, cachex.Entry{Stored: now.Add(-time.Hour)}, 4 * time.Minute, 5 * time.Minute},
	} {
		c := newChain(t, cachex.Options{Now: func() time.Time { return now }, Chance: func() float64 { return tc.chance }})
		c.Put(t.Context(), strategy(), "x", tc.entry)
		e, _, ok := c.Get(t.Context(), strategy(), "x")
		if ok != (tc.hard > 0) {
			t.Errorf("%s: kept %v", name, ok)
		} else if ok && (e.Soft.Sub(now) != tc.soft || e.Hard.Sub(now) != tc.hard) {
			t.Errorf("%s: fresh for %v, kept for %v; want %v, %v", name, e.Soft.Sub(now), e.Hard.Sub(now), tc.soft, tc.hard)
		}
	}
}

func TestAProcessLooksAgainAfterItsLocalTime(t *testing.T) {
	t.Parallel()
	time0 := newClock()
	a, b := pair(t, cachex.Options{Now: time0.now})
	s := strategy()
	s.Local = time.Minute
	a.Put(t.Context(), s, "x", body("old"))
	written(t, a, s, "x")
	b.Get(t.Context(), s, "x")
	time0.pass(time.Minute)
	if _, from, ok := b.Get(t.Context(), s, "x"); !ok || from != cachex.L2 {
		t.Errorf("found %v in %q; want it from Redis", ok, from)
	}
}

// The clocks of two servers are apart. Nothing is served for longer than it was given from when it was received, and what is in Redis at all is not refused for seconds.
func TestClocksThatAreApart(t *testing.T) {
	t.Parallel()
	for name, ahead := range map[string]time.Duration{"behind by 10 s": -10 * time.Second, "ahead by 10 s": 10 * time.Second, "behind by a day": -24 * time.Hour} {
		prefix, redis := unique(), servertest.Shared(t)
		writer, reader := newClock(), newClock()
		reader.pass(ahead)
		a := newChain(t, cachex.Options{Redis: redis, Prefix: prefix, Now: writer.now})
		b := newChain(t, cachex.Options{Redis: redis, Prefix: prefix, Now: reader.now})
		s := strategy()
		a.Put(t.Context(), s, "x", body("x"))
		written(t, a, s, "x")
		e, _, ok := b.Get(t.Context(), s, "x")
		if !ok {
			t.Errorf("%s: not found", name)
			continue
		}
		if left := e.Hard.Sub(reader.now()); left > s.Lifetime || left < s.Lifetime-10*time.Second {
			t.Errorf("%s: it is kept for %v of %v", name, left, s.Lifetime)
		}
		if fresh := e.Soft.Sub(reader.now()); fresh > s.Fresh {
			t.Errorf("%s: it is fresh for %v of %v", name, fresh, s.Fresh)
		}
	}
}

func TestRemovals(t *testing.T) {
	t.Parallel()
	a, b := pair(t, cachex.Options{})
	s, other := strategy(), strategy()
	other.Name = cachex.CalculationResults
	for i := range 30 {
		a.Put(t.Context(), s, fmt.Sprint("s", i), body("x"))
		written(t, a, s, fmt.Sprint("s", i))
	}
	a.Put(t.Context(), other, "kept", body("x"))
	written(t, a, other, "kept")
	if err := a.Delete(t.Context(), s, "s0"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*cachex.Chain{a, b} {
		if _, _, ok := c.Get(t.Context(), s, "s0"); ok {
			t.Error("it is there after it was deleted")
		}
	}
	a.Forget(s.Name, "s1") // it is in Redis alone, and counts
	if n, err := a.Clear(t.Context(), s.Name); n != 29 || err != nil {
		t.Errorf("cleared %d, %v; want 29", n, err)
	}
	for _, c := range []*cachex.Chain{a, b} {
		if _, _, ok := c.Get(t.Context(), s, "s1"); ok {
			t.Error("it is there after its strategy was cleared")
		}
		if _, _, ok := c.Get(t.Context(), other, "kept"); !ok {
			t.Error("another strategy was cleared")
		}
	}
	if n, err := a.Clear(t.Context(), ""); n != 1 || err != nil {
		t.Errorf("cleared %d, %v; want 1", n, err)
	}
}

// A prefix may hold what means something in a pattern.
func TestClearTakesNothingOfOthers(t *testing.T) {
	t.Parallel()
	redis, prefix := servertest.Shared(t), unique()
	star := newChain(t, cachex.Options{Redis: redis, Prefix: prefix + "*"})
	other := newChain(t, cachex.Options{Redis: redis, Prefix: prefix + "other"})
	s := strategy()
	other.Put(t.Context(), s, "x", body("x"))
	written(t, other, s, "x")
	if n, err := star.Clear(t.Context(), ""); n != 0 || err != nil {
		t.Errorf("cleared %d, %v", n, err)
	}
	other.Forget(s.Name, "x")
	if _, _, ok := other.Get(t.Context(), s, "x"); !ok {
		t.Error("the entry of another prefix is gone")
	}
}

func TestTheProcessKeepsNoMoreThanItMay(t *testing.T) {
	t.Parallel()
	const bound = 1 << 20
	c, s := newChain(t, cachex.Options{Bytes: bound}), strategy()
	for i := range 2000 {
		c.Put(t.Context(), s, fmt.Sprint(i), cachex.Entry{Body: make([]byte, 10_000)})
	}
	c.Settle()
	got := statsOf(c, cachex.L1, s.Name)
	if got.Bytes > bound || got.Bytes < bound/2 || got.Evictions == 0 || got.Entries != int64(2000-got.Evictions) {
		t.Errorf("it keeps %+v of %d bytes", got, bound)
	}
	c.Put(t.Context(), s, "larger than all", cachex.Entry{Body: make([]byte, 2*bound)})
	c.Settle()
	if got := statsOf(c, cachex.L1, s.Name).Bytes; got > bound {
		t.Errorf("it keeps %d of %d bytes", got, bound)
	}
	if n, err := c.Clear(t.Context(), ""); n == 0 || err != nil {
		t.Fatal(n, err)
	}
	if got := statsOf(c, cachex.L1, s.Name); got.Bytes != 0 || got.Entries != 0 {
		t.Errorf("cleared, and it keeps %+v", got)
	}
}

func TestStrategiesThatNobodyNamedAreCountedTogether(t *testing.T) {
	t.Parallel()
	c := newChain(t, cachex.Options{})
	for i := range 10 {
		s := strategy()
		s.Name = fmt.Sprint("invented", i)
		c.Get(t.Context(), s, "x")
	}
	if got := statsOf(c, cachex.L1, "other").Misses; got != 10 {
		t.Errorf("other misses: %d", got)
	}
	for _, s := range c.Stats() {
		if strings.HasPrefix(s.Strategy, "invented") {
			t.Error("a name became a series")
		}
	}
}

func TestStrategiesAreSound(t *testing.T) {
	for _, s := range cachex.Strategies() {
		if s.Fresh <= 0 || s.Fresh >= s.Lifetime || s.Local > s.Lifetime || s.Negative > time.Minute {
			t.Errorf("%+v", s)
		}
		if got := cachex.Named(s.Name); got == nil || *got != s {
			t.Errorf("Named(%q) = %+v", s.Name, got)
		}
	}
	if cachex.Named("none") != nil {
		t.Error("there is a strategy that is none")
	}
}

// What a strategy keeps in the process alone comes to no Redis, and is not looked for there.
func TestAStrategyOfTheProcessAlone(t *testing.T) {
	t.Parallel()
	a, b := pair(t, cachex.Options{})
	s := strategy()
	s.Alone = true
	a.Put(t.Context(), s, "put", body("1"))
	if _, out, err := a.Load(t.Context(), s, "loaded", func(context.Context) (*cachex.Entry, error) { return &cachex.Entry{Body: []byte("2")}, nil }); err != nil || out.Result != cachex.Miss {
		t.Fatal(out, err)
	}
	shared := strategy()
	a.Put(t.Context(), shared, "put after it", body("3"))
	written(t, a, shared, "put after it")
	for _, name := range []string{"put", "loaded"} {
		if _, from, ok := a.Get(t.Context(), s, name); !ok || from != cachex.L1 {
			t.Errorf("%s is not in the process that has it", name)
		}
		if _, _, ok := b.Get(t.Context(), shared, name); ok {
			t.Errorf("%s is in Redis", name)
		}
	}
	a.Put(t.Context(), shared, "of Redis", body("4"))
	written(t, a, shared, "of Redis")
	before := statsOf(b, cachex.L2, s.Name)
	if _, _, ok := b.Get(t.Context(), s, "of Redis"); ok || statsOf(b, cachex.L2, s.Name) != before {
		t.Error("it was looked for in Redis")
	}
	if e, _, err := b.Load(t.Context(), s, "of Redis", func(context.Context) (*cachex.Entry, error) { return &cachex.Entry{Body: []byte("5")}, nil }); err != nil || string(e.Body) != "5" || statsOf(b, cachex.L2, s.Name) != before {
		t.Error("it was loaded from Redis")
	}
}
