package cachex_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"carbongraph/cachex"
	"carbongraph/internal/servertest"
)

// works asks a chain for something new, and again, and tells how long the slowest of it took. No caller may see an error, whatever Redis does.
func works(t testing.TB, c *cachex.Chain, s *cachex.Strategy) (slowest time.Duration) {
	t.Helper()
	name := unique()
	var loads atomic.Int64
	step := func(f func()) {
		began := time.Now()
		f()
		slowest = max(slowest, time.Since(began))
	}
	for range 2 {
		step(func() {
			if e, _, err := c.Load(t.Context(), s, name, giving(&loads, name)); err != nil || string(e.Body) != name {
				t.Errorf("Load gave %v, %v", e, err)
			}
		})
	}
	if loads.Load() != 1 {
		t.Errorf("it was loaded %d times", loads.Load())
	}
	step(func() { c.Put(t.Context(), s, name+"put", body("put")) })
	step(func() {
		if e, _, ok := c.Get(t.Context(), s, name+"put"); !ok || string(e.Body) != "put" {
			t.Errorf("Get gave %v, %v", e, ok)
		}
	})
	step(func() { c.Get(t.Context(), s, name+"none") })
	return slowest
}

// shares tells whether what one chain keeps comes to another.
func shares(t testing.TB, a, b *cachex.Chain, s *cachex.Strategy) {
	t.Helper()
	eventually(t, "one server has of Redis what another wrote", func() bool {
		name := unique()
		a.Put(context.Background(), s, name, body("x"))
		for range 20 {
			if _, from, ok := b.Get(context.Background(), s, name); ok && from == cachex.L2 {
				return true
			}
			time.Sleep(5 * time.Millisecond)
		}
		return false
	})
}

func TestWhateverRedisDoes(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string]struct {
		args              []string
		begin, end        func(*testing.T, *servertest.Redis, *servertest.Proxy)
		noReads, noWrites bool // while it lasts
	}{
		"it is killed and comes back": {
			begin:   func(_ *testing.T, r *servertest.Redis, _ *servertest.Proxy) { r.Kill() },
			end:     func(t *testing.T, r *servertest.Redis, _ *servertest.Proxy) { r.Start(t) },
			noReads: true, noWrites: true,
		},
		"it does not answer": {
			begin:   func(_ *testing.T, _ *servertest.Redis, p *servertest.Proxy) { p.Stall() },
			end:     func(_ *testing.T, _ *servertest.Redis, p *servertest.Proxy) { p.Heal() },
			noReads: true, noWrites: true,
		},
		"it speaks nonsense": {
			begin: func(_ *testing.T, _ *servertest.Redis, p *servertest.Proxy) {
				p.Say("HTTP/1.1 400 Bad Request\r\n\r\n")
			},
			end:     func(_ *testing.T, _ *servertest.Redis, p *servertest.Proxy) { p.Heal() },
			noReads: true, noWrites: true,
		},
		"it loads its file": {
			begin: func(_ *testing.T, _ *servertest.Redis, p *servertest.Proxy) {
				p.Say("-LOADING Redis is loading the dataset in memory\r\n")
			},
			end:     func(_ *testing.T, _ *servertest.Redis, p *servertest.Proxy) { p.Heal() },
			noReads: true, noWrites: true,
		},
		"it is full": {
			args: []string{"--maxmemory-policy", "noeviction"},
			begin: func(t *testing.T, r *servertest.Redis, _ *servertest.Proxy) {
				if err := servertest.Connect(t, r.URL()).ConfigSet(t.Context(), "maxmemory", "1").Err(); err != nil {
					t.Fatal(err)
				}
			},
			end: func(t *testing.T, r *servertest.Redis, _ *servertest.Proxy) {
				if err := servertest.Connect(t, r.URL()).ConfigSet(t.Context(), "maxmemory", "0").Err(); err != nil {
					t.Fatal(err)
				}
			},
			noWrites: true,
		},
		"it is a replica": {
			begin: func(t *testing.T, r *servertest.Redis, _ *servertest.Proxy) {
				c := servertest.Connect(t, r.URL())
				if err := c.ConfigSet(t.Context(), "replica-serve-stale-data", "yes").Err(); err != nil {
					t.Fatal(err)
				}
				if err := c.ReplicaOf(t.Context(), "127.0.0.1", "1").Err(); err != nil {
					t.Fatal(err)
				}
			},
			end: func(t *testing.T, r *servertest.Redis, _ *servertest.Proxy) {
				if err := servertest.Connect(t, r.URL()).ReplicaOf(t.Context(), "NO", "ONE").Err(); err != nil {
					t.Fatal(err)
				}
			},
			noWrites: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := servertest.NewRedis(t, trouble.args...)
			p := servertest.NewProxy(t, r.URL())
			o := cachex.Options{Timeout: 300 * time.Millisecond, Probe: 20 * time.Millisecond}
			o.Redis = servertest.Connect(t, p.URL())
			a := newChain(t, o)
			o.Redis = servertest.Connect(t, p.URL())
			b := newChain(t, o)
			s := strategy()
			shares(t, a, b, s)
			a.Put(t.Context(), s, "before", body("before"))
			written(t, a, s, "before")
			a.Forget(s.Name, "before")

			trouble.begin(t, r, p)
			eventually(t, "the trouble is noticed", func() bool {
				works(t, a, s)
				reads, writes := a.Using()
				return reads != trouble.noReads && writes != trouble.noWrites
			})
			if took := works(t, a, s); trouble.noReads && took > o.Timeout {
				t.Errorf("callers wait %v for a Redis that is known to be away", took)
			}
			if _, from, ok := a.Get(t.Context(), s, "before"); ok != !trouble.noReads || ok && from != cachex.L2 {
				t.Errorf("what was written before is found %v in %q", ok, from)
			}
			if err := a.Delete(t.Context(), s, "before"); err == nil {
				t.Error("it says that it removed what it cannot remove")
			}
			var all sync.WaitGroup
			for range 50 {
				all.Go(func() { works(t, a, s) })
			}
			all.Wait()

			trouble.end(t, r, p)
			shares(t, a, b, s) // by itself
		})
	}
}

func TestRedisIsEmptied(t *testing.T) {
	t.Parallel()
	r := servertest.NewRedis(t)
	c := servertest.Connect(t, r.URL())
	a, b := newChain(t, cachex.Options{Redis: c}), newChain(t, cachex.Options{Redis: c})
	s := strategy()
	s.Lifetime = time.Hour
	a.Put(t.Context(), s, "x", body("x"))
	written(t, a, s, "x")
	open := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() { // its lease is lost
		_, _, _ = a.Load(t.Context(), s, "loading", func(context.Context) (*cachex.Entry, error) {
			<-open
			e := body("y")
			return &e, nil
		})
	})
	eventually(t, "it loads", func() bool { return a.Waiting(s.Name, "loading") == 1 })
	if err := c.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	close(open)
	all.Wait()
	if _, _, ok := b.Get(t.Context(), s, "x"); ok {
		t.Error("it is still there")
	}
	works(t, a, s)
	shares(t, a, b, s)
}

// What stands in Redis is not an entry of ours: it is a miss, it is counted, and it is written anew.
func TestWhatIsNoEntryIsAMiss(t *testing.T) {
	t.Parallel()
	redis := servertest.Shared(t)
	good, err := cachex.Encode("elsewhere", &cachex.Entry{Body: []byte("x"), Hard: time.Now().Add(time.Hour), Soft: time.Now().Add(time.Hour), Stored: time.Now()}, false)
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func([]byte) []byte{
		"empty":             func([]byte) []byte { return nil },
		"truncated":         func(b []byte) []byte { return b[:len(b)-1] },
		"truncated early":   func(b []byte) []byte { return b[:10] },
		"longer":            func(b []byte) []byte { return append(b, 0) },
		"a bit of the body": func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"a bit of the time": func(b []byte) []byte { b[12] ^= 1; return b },
		"an older format":   func(b []byte) []byte { b[3]--; return b },
		"a newer format":    func(b []byte) []byte { b[3]++; return b },
		"another's":         func([]byte) []byte { return []byte(`{"json":true}`) },
		"of another key":    func([]byte) []byte { return good },
	} {
		for _, size := range []int{10, 3 * cachex.Large} {
			c := newChain(t, cachex.Options{Redis: redis, Prefix: unique()})
			s := strategy()
			c.Put(t.Context(), s, "x", cachex.Entry{Body: []byte(strings.Repeat("x", size))})
			written(t, c, s, "x")
			at := c.Data(s.Name, "x")
			b, err := redis.Get(t.Context(), at).Bytes()
			if err != nil {
				t.Fatal(err)
			}
			if err := redis.Set(t.Context(), at, spoil(b), time.Minute).Err(); err != nil {
				t.Fatal(err)
			}
			c.Forget(s.Name, "x")
			if e, _, ok := c.Get(t.Context(), s, "x"); ok {
				t.Fatalf("%s: got %v", name, e)
			}
			if got := statsOf(c, cachex.L2, s.Name); got.Corrupt != 1 || got.Errors != 0 {
				t.Errorf("%s: counted as %+v", name, got)
			}
			var loads atomic.Int64
			if e, out, err := c.Load(t.Context(), s, "x", giving(&loads, "anew")); err != nil || string(e.Body) != "anew" || out.Result != cachex.Miss {
				t.Errorf("%s: then %v, %+v, %v", name, e, out, err)
			}
			written(t, c, s, "x")
			if reads, writes := c.Using(); !reads || !writes {
				t.Errorf("%s: Redis is left alone for it", name)
			}
		}
	}
}

// What is of another type in Redis is an error of Redis, and no more.
func TestAKeyOfAnotherType(t *testing.T) {
	t.Parallel()
	redis := servertest.Shared(t)
	c, s := newChain(t, cachex.Options{Redis: redis, Prefix: unique()}), strategy()
	at := c.Data(s.Name, "x")
	if err := redis.LPush(t.Context(), at, "a").Err(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { redis.Del(context.Background(), at) })
	var loads atomic.Int64
	if e, _, err := c.Load(t.Context(), s, "x", giving(&loads, "x")); err != nil || string(e.Body) != "x" {
		t.Errorf("%v, %v", e, err)
	}
	if got := statsOf(c, cachex.L2, s.Name).Errors; got != 1 {
		t.Errorf("%d errors", got)
	}
}

func TestNoMoreIsDecompressedThanAnEntryMayHave(t *testing.T) {
	t.Parallel()
	e := &cachex.Entry{Body: make([]byte, 8<<20), Stored: time.Now(), Soft: time.Now(), Hard: time.Now()}
	b, err := cachex.Encode("k", e, true)
	if err != nil || len(b) > 10_000 {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	if got, err := cachex.Decode("k", b); err != nil || len(got.Body) != 8<<20 {
		t.Fatal("the largest does not come back")
	}
	if _, err := cachex.Encode("k", &cachex.Entry{Body: make([]byte, 8<<20+1)}, true); err == nil {
		t.Error("one that is larger is taken")
	}
	// One that lies about its size, with a checksum that is right.
	for _, size := range []uint32{0, 100, 8<<20 - 1, 1<<32 - 1} {
		lie := cachex.Resum("k", b, func(b []byte) { binary.BigEndian.PutUint32(b[37:], size) })
		if _, err := cachex.Decode("k", lie); err == nil {
			t.Errorf("a body of %d bytes is taken for one of %d", 8<<20, size)
		}
	}
}

func TestTooLargeAnEntryIsGivenAndNotKept(t *testing.T) {
	t.Parallel()
	c, s := newChain(t, cachex.Options{Redis: servertest.Shared(t), Prefix: unique(), Lease: time.Minute}), strategy()
	for i := range 2 { // and its lease is given back
		var loads atomic.Int64
		e, _, err := c.Load(t.Context(), s, "x", func(context.Context) (*cachex.Entry, error) {
			loads.Add(1)
			return &cachex.Entry{Body: make([]byte, 8<<20+1)}, nil
		})
		if err != nil || len(e.Body) != 8<<20+1 || loads.Load() != 1 {
			t.Fatal(i, err)
		}
	}
	if _, _, _, _, large := c.Dropped(); large != 2 {
		t.Errorf("%d were dropped as too large", large)
	}
}

// Nobody waits where more is to be written than Redis takes: it is dropped, and counted.
func TestAFullQueueDrops(t *testing.T) {
	t.Parallel()
	r := servertest.NewRedis(t)
	p := servertest.NewProxy(t, r.URL())
	c, s := newChain(t, cachex.Options{Redis: servertest.Connect(t, p.URL()), Timeout: 2 * patient}), strategy()
	p.Stall()
	began := time.Now()
	for i := range 5000 {
		c.Put(t.Context(), s, fmt.Sprint(i), body("x"))
	}
	if took := time.Since(began); took > patient {
		t.Errorf("5,000 puts took %v", took)
	}
	if full, _, _, _, _ := c.Dropped(); full == 0 {
		t.Error("nothing was dropped")
	}
	p.Heal()
	var more int
	for range 20 {
		c.Put(t.Context(), s, fmt.Sprint("large", more), cachex.Entry{Body: make([]byte, 4<<20)})
		more++
	}
	works(t, c, s)
}

func TestRunEndsWithWhatWaits(t *testing.T) {
	t.Parallel()
	redis := servertest.Shared(t)
	o := cachex.Options{Redis: redis, Prefix: unique(), Timeout: patient}
	c, s := cachex.New(o), strategy()
	for i := range 20 {
		c.Put(t.Context(), s, fmt.Sprint(i), body("x"))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c.Run(ctx)
	c.Close()
	after := newChain(t, o)
	if n, err := after.Clear(t.Context(), ""); n != 20 || err != nil {
		t.Errorf("%d of 20 were written, %v", n, err)
	}
}

// A client that leaves does not speak against Redis.
func TestCallersWhoLeaveDoNotOpenTheBreaker(t *testing.T) {
	t.Parallel()
	c, s := newChain(t, cachex.Options{Redis: servertest.Shared(t), Prefix: unique()}), strategy()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for i := range 100 {
		c.Get(gone, s, fmt.Sprint(i))
	}
	if reads, _ := c.Using(); !reads {
		t.Error("Redis is left alone")
	}
}
