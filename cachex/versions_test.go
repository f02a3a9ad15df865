package cachex_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"carbongraph/cachex"
	"carbongraph/internal/servertest"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// counting is a database of numbers: what an organization's version is, and whose changed.
type counting struct {
	mu      sync.Mutex
	n       map[[16]byte]int64
	changed map[[16]byte]bool
	all     bool
	err     error // of every question

	reads atomic.Int64
	asked atomic.Int64 // questions for changes that were not answered
	gate  func()       // called by each read, between its look and its answer
}

var acme, rival = [16]byte{1}, [16]byte{2}

func newCounting() *counting {
	return &counting{n: map[[16]byte]int64{}, changed: map[[16]byte]bool{}}
}

func (c *counting) commit(org [16]byte) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n[org]++
	c.changed[org] = true
	return c.n[org]
}

func (c *counting) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
}

func (c *counting) read(_ context.Context, org [16]byte) (*cachex.Vector, error) {
	c.reads.Add(1)
	c.mu.Lock()
	v, err, gate := &cachex.Vector{Own: map[string]int64{"Activity": c.n[org]}, Total: c.n[org]}, c.err, c.gate
	c.mu.Unlock()
	if gate != nil {
		gate()
	}
	return v, err
}

func (c *counting) changes(context.Context) (orgs [][16]byte, all bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		c.asked.Add(1)
		return nil, false, c.err
	}
	for org := range c.changed {
		orgs = append(orgs, org)
	}
	clear(c.changed)
	return orgs, c.all, nil
}

// run has a mirror run for as long as the test.
func run(t testing.TB, v *cachex.Versions) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { v.Run(ctx) })
	stop = func() { cancel(); running.Wait() }
	t.Cleanup(stop)
	return stop
}

func total(t testing.TB, v *cachex.Versions, org [16]byte) int64 {
	t.Helper()
	is, err := v.Of(t.Context(), org)
	if err != nil {
		t.Fatal(err)
	}
	return is.Total
}

// becomes waits until something is so.
func becomes(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// trusted waits until memory is trusted: the database is not read any more.
func trusted(t testing.TB, v *cachex.Versions, c *counting) {
	t.Helper()
	becomes(t, "memory is trusted", func() bool {
		total(t, v, acme)
		was := c.reads.Load()
		total(t, v, acme)
		return c.reads.Load() == was
	})
}

func TestMemory(t *testing.T) {
	hour := cachex.VersionsOptions{Every: time.Hour, Trust: time.Hour} // asks once, and trusts for ever
	t.Run("is not trusted before the database was asked for changes", func(t *testing.T) {
		c := newCounting()
		v := cachex.NewVersions(cachex.VersionsOptions{Read: c.read, Changes: c.changes})
		total(t, v, acme)
		total(t, v, acme)
		if n := c.reads.Load(); n != 2 {
			t.Errorf("%d reads, want 2", n)
		}
	})
	t.Run("spares the database", func(t *testing.T) {
		c, o := newCounting(), hour
		o.Read, o.Changes = c.read, c.changes
		v := cachex.NewVersions(o)
		run(t, v)
		trusted(t, v, c)
		was := c.reads.Load()
		for range 100 {
			total(t, v, acme)
		}
		if n := c.reads.Load() - was; n != 0 {
			t.Errorf("%d reads", n)
		}
	})
	t.Run("forgets an organization at its commit, and no other", func(t *testing.T) {
		c, o := newCounting(), hour
		o.Read, o.Changes = c.read, c.changes
		v := cachex.NewVersions(o)
		run(t, v)
		trusted(t, v, c)
		total(t, v, rival)
		n := c.commit(acme)
		c.commit(rival) // nobody tells
		v.Committed(acme)
		if got := total(t, v, acme); got != n {
			t.Errorf("version %d after the commit, want %d", got, n)
		}
		if got := total(t, v, rival); got != 0 {
			t.Errorf("version %d of another organization; it was dropped", got)
		}
		v.Committed([16]byte{})
		if got := total(t, v, rival); got != 1 {
			t.Errorf("version %d after everybody's commit", got)
		}
	})
	t.Run("reads anew for who has seen more", func(t *testing.T) {
		c, o := newCounting(), hour
		o.Read, o.Changes = c.read, c.changes
		v := cachex.NewVersions(o)
		run(t, v)
		trusted(t, v, c)
		n := c.commit(acme)
		if is, err := v.AtLeast(t.Context(), acme, n-1); err != nil || is.Total != n-1 {
			t.Errorf("%+v, %v; want what is in memory", is, err)
		}
		if is, err := v.AtLeast(t.Context(), acme, n); err != nil || is.Total != n {
			t.Errorf("%+v, %v; want %d", is, err, n)
		}
		was := c.reads.Load()
		if is, err := v.AtLeast(t.Context(), acme, n+5); err != nil || is.Total != n || c.reads.Load() != was+1 {
			t.Errorf("%+v, %v, %d reads; want the newest there is, by one read", is, err, c.reads.Load()-was)
		}
	})
	t.Run("keeps no error, and is not trusted while the database does not tell", func(t *testing.T) {
		c := newCounting()
		away := errors.New("away")
		var now atomic.Int64
		v := cachex.NewVersions(cachex.VersionsOptions{Read: c.read, Changes: c.changes, Every: time.Millisecond,
			Now: func() time.Time { return time.Unix(0, now.Load()) }})
		run(t, v)
		trusted(t, v, c)
		total(t, v, rival)
		c.fail(away)
		now.Add(int64(2 * time.Second))
		if _, err := v.Of(t.Context(), acme); !errors.Is(err, away) {
			t.Errorf("error %v", err)
		}
		becomes(t, "the database is asked, and does not tell", func() bool { return c.asked.Load() > 0 })
		n := c.commit(rival) // of another server, which fails then: nobody tells, also when the database is there again
		c.mu.Lock()
		clear(c.changed)
		c.mu.Unlock()
		c.fail(nil)
		trusted(t, v, c)
		if got := total(t, v, rival); got != n {
			t.Errorf("version %d, want %d", got, n)
		}
	})
	t.Run("holds no more organizations than it may", func(t *testing.T) {
		c, o := newCounting(), hour
		o.Read, o.Changes, o.Most = c.read, c.changes, 10
		v := cachex.NewVersions(o)
		run(t, v)
		trusted(t, v, c)
		for i := range 1000 {
			total(t, v, [16]byte{byte(i), byte(i >> 8), 1})
		}
		was := c.reads.Load()
		for i := range 1000 {
			total(t, v, [16]byte{byte(i), byte(i >> 8), 1})
		}
		if n := c.reads.Load() - was; n < 900 {
			t.Errorf("%d of 1000 were read again", n)
		}
	})
}

func TestReads(t *testing.T) {
	// held has every read wait, with what it saw, until it is let go.
	held := func(c *counting) (waiting func(int64), release func()) {
		gate := make(chan struct{})
		c.mu.Lock()
		c.gate = func() { <-gate }
		c.mu.Unlock()
		return func(n int64) { becomes(t, "reads wait", func() bool { return c.reads.Load() >= n }) }, func() {
			c.mu.Lock()
			c.gate = nil
			c.mu.Unlock()
			close(gate)
		}
	}
	mirror := func(t *testing.T, c *counting) *cachex.Versions {
		v := cachex.NewVersions(cachex.VersionsOptions{Read: c.read, Changes: c.changes, Every: time.Hour, Trust: time.Hour})
		run(t, v)
		trusted(t, v, c)
		return v
	}
	type answer struct {
		total int64
		err   error
	}
	ask := func(ctx context.Context, v *cachex.Versions) chan answer {
		out := make(chan answer, 1)
		go func() {
			is, err := v.Of(ctx, acme)
			if err != nil {
				out <- answer{0, err}
				return
			}
			out <- answer{is.Total, nil}
		}()
		return out
	}
	t.Run("that a commit overtakes are for those alone who came before, and are not kept", func(t *testing.T) {
		c := newCounting()
		v := mirror(t, c)
		c.commit(acme)
		v.Committed(acme)
		waiting, release := held(c)
		was := c.reads.Load()
		before := ask(t.Context(), v)
		waiting(was + 1)
		c.commit(acme)
		v.Committed(acme)
		after := ask(t.Context(), v)
		waiting(was + 2) // it does not join the first
		release()
		if got := <-before; got.err != nil || got.total < 1 {
			t.Errorf("who came before: %+v", got)
		}
		if got := <-after; got.err != nil || got.total != 2 {
			t.Errorf("who came after: %+v, want 2", got)
		}
		if got := total(t, v, acme); got != 2 {
			t.Errorf("kept: %d, want 2", got)
		}
	})
	t.Run("are shared, and go on without who asked first", func(t *testing.T) {
		c := newCounting()
		v := mirror(t, c)
		v.Committed(acme)
		waiting, release := held(c)
		was := c.reads.Load()
		ctx, leave := context.WithCancel(t.Context())
		first := ask(ctx, v)
		waiting(was + 1)
		var others []chan answer
		for range 20 {
			others = append(others, ask(t.Context(), v))
		}
		leave()
		if got := <-first; !errors.Is(got.err, context.Canceled) {
			t.Errorf("who left: %+v", got)
		}
		time.Sleep(20 * time.Millisecond) // the others are there by then, most likely
		release()
		for _, other := range others {
			if got := <-other; got.err != nil {
				t.Error(got.err)
			}
		}
		if n := c.reads.Load() - was; n > 2 {
			t.Errorf("%d reads for 21 who asked", n)
		}
	})
	t.Run("of who does not trust memory begin after he came", func(t *testing.T) {
		c := newCounting()
		v := cachex.NewVersions(cachex.VersionsOptions{Read: c.read, Changes: c.changes})
		waiting, release := held(c)
		first := ask(t.Context(), v)
		waiting(1)
		c.commit(acme)
		var others []chan answer
		for range 20 {
			others = append(others, ask(t.Context(), v))
		}
		time.Sleep(20 * time.Millisecond)
		release()
		if got := <-first; got.total != 0 || got.err != nil {
			t.Errorf("the first: %+v", got)
		}
		for _, other := range others {
			if got := <-other; got.total != 1 || got.err != nil {
				t.Errorf("who came after the commit: %+v, want 1", got)
			}
		}
		if n := c.reads.Load(); n > 3 {
			t.Errorf("%d reads for 21 who asked", n)
		}
	})
}

func TestWord(t *testing.T) {
	// two mirrors of one database, which is asked for changes once and never again.
	two := func(t *testing.T, s *servertest.Redis, c *counting) (here, there *cachex.Versions) {
		o := cachex.VersionsOptions{Read: c.read, Changes: c.changes, Every: time.Hour, Trust: time.Hour}
		o.Redis = withoutRetries(t, s)
		here = cachex.NewVersions(o)
		o.Redis = withoutRetries(t, s)
		there = cachex.NewVersions(o)
		for _, v := range []*cachex.Versions{here, there} {
			run(t, v)
			trusted(t, v, c)
		}
		both := withoutRetries(t, s)
		becomes(t, "both listen", func() bool {
			n, err := both.PubSubNumSub(t.Context(), "{carbongraph:versions}:commits").Result()
			return err == nil && n["{carbongraph:versions}:commits"] == 2
		})
		return here, there
	}
	s := servertest.NewRedis(t)
	t.Run("of a commit comes to others", func(t *testing.T) {
		c := newCounting()
		here, there := two(t, s, c)
		for range 50 {
			n := c.commit(acme)
			here.Committed(acme)
			if got := total(t, here, acme); got != n {
				t.Fatalf("here: %d, want %d", got, n)
			}
			becomes(t, "there too", func() bool { return total(t, there, acme) == n })
		}
		c.commit(rival)
		total(t, there, rival)
		n := c.commit(rival)
		here.Committed([16]byte{})
		becomes(t, "everybody's", func() bool { return total(t, there, rival) == n })
	})
	t.Run("that was missed is noticed by its number", func(t *testing.T) {
		c := newCounting()
		here, there := two(t, s, c)
		c.commit(acme)
		here.Committed(acme) // gives both a number to go by
		becomes(t, "there too", func() bool { return total(t, there, acme) == 1 })
		n := c.commit(acme)
		if err := withoutRetries(t, s).Incr(t.Context(), "{carbongraph:versions}:number").Err(); err != nil { // as if a message had been lost
			t.Fatal(err)
		}
		c.commit(rival)
		here.Committed(rival)
		becomes(t, "all is dropped there", func() bool { return total(t, there, acme) == n })
	})
	for _, message := range []string{"", "x", "1", "9 other zz", "9 other 00", "-", fmt.Sprintf("9 other %064d", 0)} {
		t.Run(fmt.Sprintf("%q makes no sense and drops all", message), func(t *testing.T) {
			c := newCounting()
			_, there := two(t, s, c)
			total(t, there, acme)
			n := c.commit(acme)
			if err := withoutRetries(t, s).Publish(t.Context(), "{carbongraph:versions}:commits", message).Err(); err != nil {
				t.Fatal(err)
			}
			becomes(t, "all is dropped there", func() bool { return total(t, there, acme) == n })
		})
	}
	t.Run("that is lost with the connection is made up for", func(t *testing.T) {
		c := newCounting()
		here, there := two(t, s, c)
		n := c.commit(acme)
		s.Kill()
		began := time.Now()
		for range 3000 { // more than may wait
			here.Committed([16]byte{byte(rand.Int()), byte(rand.Int()), 9})
		}
		here.Committed(acme)
		if took := time.Since(began); took > 200*time.Millisecond {
			t.Errorf("3,001 writers waited %v for Redis", took)
		}
		s.Start(t)
		becomes(t, "there too", func() bool { return total(t, there, acme) == n })
	})
}

// ofStore reads versions from a store, as the server does.
func ofStore(st *store.Store, client redis.UniversalClient) *cachex.Versions {
	var mark store.Mark
	return cachex.NewVersions(cachex.VersionsOptions{
		Redis: client,
		Read: func(ctx context.Context, org [16]byte) (*cachex.Vector, error) {
			v, err := st.Versions(ctx, org)
			if err != nil {
				return nil, err
			}
			return &cachex.Vector{Own: v.Own, All: v.All, Total: v.Total}, nil
		},
		Changes: func(ctx context.Context) (orgs [][16]byte, all bool, err error) {
			changed, next, err := st.VersionChanges(ctx, mark)
			if err != nil {
				return nil, false, err
			}
			mark = next
			for _, org := range changed {
				all = all || org.IsZero()
				orgs = append(orgs, org)
			}
			return orgs, all, nil
		},
	})
}

// The law: no vector is older than the last commit in the process that committed, and none is older than a second in another, whatever becomes of Redis.
func TestNoVersionsAreOlderThanTheyMayBe(t *testing.T) {
	for name, open := range map[string]func(t *testing.T, committed func(store.ID)) (here, there *store.Store){
		"sqlite": func(t *testing.T, committed func(store.ID)) (here, there *store.Store) {
			dir := t.TempDir()
			at := func(o *store.Options) { o.DataDir, o.Committed = dir, committed }
			return storetest.SQLite(t, at), storetest.SQLite(t, func(o *store.Options) { o.DataDir = dir })
		},
		"postgres": func(t *testing.T, committed func(store.ID)) (here, there *store.Store) {
			address := storetest.PostgresURL(t)
			return storetest.Postgres(t, func(o *store.Options) { o.DatabaseURL, o.Committed = address, committed }),
				storetest.Postgres(t, func(o *store.Options) { o.DatabaseURL = address })
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := servertest.NewRedis(t)
			var mirror atomic.Pointer[cachex.Versions]
			stHere, stThere := open(t, func(org store.ID) {
				if v := mirror.Load(); v != nil {
					v.Committed(org)
				}
			})
			l := storetest.NewLedger(t, stHere, "Acme", 0, nil)
			here, there := ofStore(stHere, withoutRetries(t, s)), ofStore(stThere, withoutRetries(t, s))
			mirror.Store(here)
			stopHere, stopThere := run(t, here), run(t, there)
			defer stopHere()
			defer stopThere()

			// committed are the versions that commits came to, and when their writers were told.
			type commit struct {
				at time.Time
				n  int64
			}
			var mu sync.Mutex
			first, err := stHere.Versions(t.Context(), l.Tenant.ID())
			if err != nil {
				t.Fatal(err)
			}
			log, count := []commit{{time.Now(), first.Own["Supplier"]}}, first.Own["Supplier"]
			atLeast := func(at time.Time) (n int64) {
				mu.Lock()
				defer mu.Unlock()
				for i := len(log) - 1; i >= 0; i-- {
					if !log[i].at.After(at) {
						return log[i].n
					}
				}
				return 0
			}
			ctx, cancel := context.WithTimeout(t.Context(), span())
			defer cancel()
			var all sync.WaitGroup
			var heldHere, heldThere, late atomic.Int64
			for w := range 3 {
				all.Go(func() {
					for i := 0; ctx.Err() == nil; i++ {
						is := *l.Suppliers[w]
						is.Name = fmt.Sprint("name ", i)
						if err := l.Tenant.Write(context.WithoutCancel(ctx), func(ctx context.Context, w *store.Writer) error {
							_, err := w.UpsertSuppliers(ctx, []*store.Supplier{&is}, true)
							return err
						}); err != nil {
							t.Error(err)
							return
						}
						mu.Lock()
						count++ // at least so many are committed by now
						log = append(log, commit{time.Now(), count})
						mu.Unlock()
						time.Sleep(rand.N(20 * time.Millisecond))
					}
				})
			}
			look := func(v *cachex.Versions, age time.Duration, seen *atomic.Int64, whose string) {
				for ctx.Err() == nil {
					want := atLeast(time.Now().Add(-age))
					is, err := v.Of(context.WithoutCancel(ctx), l.Tenant.ID())
					if err != nil {
						t.Error(err)
						return
					}
					if got := is.Own["Supplier"]; got < want {
						late.Add(1)
						t.Errorf("%s: version %d, and %d was committed %v ago", whose, got, want, age)
						return
					}
					seen.Add(1)
					time.Sleep(rand.N(200 * time.Microsecond))
				}
			}
			for range 3 {
				all.Go(func() { look(here, 0, &heldHere, "in the process") })
				all.Go(func() { look(there, time.Second, &heldThere, "in another") })
			}
			all.Go(func() { disturb(ctx, t, s) })
			all.Go(func() {
				for ctx.Err() == nil {
					if err := stThere.CompactVersions(context.WithoutCancel(ctx)); err != nil {
						t.Error(err)
					}
					time.Sleep(50 * time.Millisecond)
				}
			})
			all.Wait()
			t.Logf("%d commits, %d looks in the process, %d in another, %d late", count-log[0].n, heldHere.Load(), heldThere.Load(), late.Load())
		})
	}
}

// span is how long the law is tried.
func span() time.Duration {
	if testing.Short() {
		return time.Second
	}
	return 4 * time.Second
}

// disturb pauses Redis, kills connections, and kills Redis itself.
func disturb(ctx context.Context, t *testing.T, s *servertest.Redis) {
	admin := withoutRetries(t, s)
	for ctx.Err() == nil {
		switch rand.N(4) {
		case 0:
			admin.Do(ctx, "CLIENT", "PAUSE", 50+rand.N(600), "ALL")
		case 1:
			admin.Do(ctx, "CLIENT", "KILL", "TYPE", "pubsub")
		case 2:
			admin.Do(ctx, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
		case 3:
			s.Kill()
			time.Sleep(rand.N(400 * time.Millisecond))
			s.Start(t)
		}
		time.Sleep(rand.N(400 * time.Millisecond))
	}
}
