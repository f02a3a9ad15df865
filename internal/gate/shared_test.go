package gate_test

import (
	"context"
	"log/slog"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"carbongraph/internal/gate"
	"carbongraph/internal/servertest"
)

// Points refill so slowly in these tests that what passes of real time matters little.
const (
	points = 1000
	lease  = 10
	period = time.Hour
)

func newShared(c redis.UniversalClient, now func() time.Time) *gate.Rate {
	return gate.NewRate(gate.RateOptions{Points: points, Period: period, Redis: c, Now: now}).Patient(10 * time.Second)
}

// about allows for what refills during a test.
func about(got, want float64) bool { return math.Abs(got-want) < 3 }

func TestRedisCountsAsRedisRateDoes(outer *testing.T) {
	c := servertest.Shared(outer)
	rapid.Check(outer, func(t *rapid.T) {
		r, caller, want := newShared(c, nil), servertest.Unique(), 0
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			floor, back := rapid.SampledFrom([]int{0, 0, 300, 700}).Draw(t, "floor"), rapid.IntRange(-400, 400).Draw(t, "back")
			want = max(0, max(want, floor)-back)
			if err := r.Move(context.Background(), caller, floor, back); err != nil {
				t.Fatal(err)
			}
			if got := counted(outer, c, caller, points, period); !about(got, float64(want)) {
				t.Fatalf("redis_rate counts %.2f points as spent; want %d", got, want)
			}
			ttl := c.TTL(context.Background(), "rate:carbongraph:points:"+caller).Val()
			if key := c.Exists(context.Background(), "rate:carbongraph:points:"+caller).Val() == 1; key != (want > 0) || key && ttl <= 0 {
				t.Fatalf("%d points are spent; there is a key: %t, for %v", want, key, ttl)
			}
		}
	})
}

// Whatever servers took, returned, owed and gave back in between, Redis counts in the end what was spent, and it never was more than there is.
func TestLeasesAddUp(t *testing.T) {
	c := servertest.Shared(t)
	rapid.Check(t, func(rt *rapid.T) {
		caller, spent, owed, refused := servertest.Unique(), 0, 0, 0
		var taken [3]int // at each server, and not returned there
		servers := []*gate.Rate{newShared(c, nil), newShared(c, nil), newShared(c, nil)}
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			at := rapid.IntRange(0, 2).Draw(rt, "server")
			r := servers[at]
			switch rapid.IntRange(0, 5).Draw(rt, "step") {
			case 0:
				n := rapid.IntRange(-20, taken[at]).Draw(rt, "returned")
				r.Return(caller, n)
				taken[at] -= n
				spent -= n
				owed += max(0, -n)
			case 1:
				r.GiveBack(context.Background())
			default:
				n := rapid.IntRange(0, 400).Draw(rt, "asked")
				if r.Take(context.Background(), caller, n).Allowed {
					spent += n
					taken[at] += n
				} else {
					refused++
				}
				if spent-owed > points {
					rt.Fatalf("%d points were spent, %d of them without asking", spent, owed)
				}
			}
		}
		for _, r := range servers {
			r.GiveBack(context.Background())
		}
		if got := counted(t, c, caller, points, period); got < float64(spent)-3 || got > float64(spent+refused)+3 { // a refusal may lose a part of a point
			rt.Fatalf("redis counts %.2f points; %d were spent", got, spent)
		}
	})
}

func TestTwoServersKeepOneLimit(t *testing.T) {
	c := servertest.Shared(t)
	caller := servertest.Unique()
	var spent atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for range 2 {
		r := newShared(c, nil)
		for g := range 8 {
			all.Go(func() {
				for refused := 0; refused < 3; {
					n := 1 + g
					if !r.Take(t.Context(), caller, n).Allowed {
						refused++
						continue
					}
					if g%2 == 0 { // as one whose operation was cheaper than it looked
						r.Return(caller, n/2)
						n -= n / 2
					}
					spent.Add(int64(n))
				}
			})
		}
	}
	all.Wait()
	most := points + int64(points*time.Since(began)/period) + 1
	if got := spent.Load(); got > most || got < points-4*lease {
		t.Errorf("two servers let %d points through; the limit is %d", got, most)
	}
}

func TestAllPointsCanBeSpentAtOnce(t *testing.T) {
	c := servertest.Shared(t)
	for _, period := range []time.Duration{time.Second, time.Hour} {
		r, caller := gate.NewRate(gate.RateOptions{Points: points, Period: period, Redis: c}).Patient(10*time.Second), servertest.Unique()
		if s := r.Take(t.Context(), caller, points); !s.Allowed {
			t.Errorf("in %v: %+v", period, s)
		}
		r.Return(caller, points)
		if s := r.Take(t.Context(), caller, points); !s.Allowed {
			t.Errorf("in %v, returned: %+v", period, s)
		}
	}
}

func TestALeaseSavesTheWayToRedis(t *testing.T) {
	c := servertest.Shared(t)
	caller, hook := servertest.Unique(), &trips{}
	c.AddHook(hook)
	r := newShared(c, nil)
	for range 100 {
		if s := r.Take(t.Context(), caller, 1); !s.Allowed {
			t.Fatalf("%+v", s)
		}
	}
	if n := hook.n.Load(); n < 10 || n > 13 { // the script may have to be loaded
		t.Errorf("%d round trips for 100 points", n)
	}
	if s := r.Look(t.Context(), caller); s.Remaining != points-100 {
		t.Errorf("%+v", s)
	}
}

func TestCallersOfOneKindAskTogether(t *testing.T) {
	c := servertest.Shared(t)
	r, caller := newShared(c, nil), servertest.Unique()
	r.Take(t.Context(), servertest.Unique(), 1) // loads the script
	hook := &trips{second: make(chan struct{})}
	c.AddHook(hook)
	var all sync.WaitGroup
	for range lease {
		all.Go(func() { r.Take(t.Context(), caller, 1) })
	}
	all.Wait()
	if n := hook.n.Load(); n != 1 {
		t.Errorf("%d round trips for what one lease covers", n)
	}
}

func TestRefusalsAreNotAskedForAgainAtOnce(t *testing.T) {
	c, clk := servertest.Shared(t), newClock()
	r, caller := newShared(c, clk.now), servertest.Unique()
	r.Take(t.Context(), caller, points)
	r.Take(t.Context(), caller, 50)
	hook := &trips{}
	c.AddHook(hook)
	for range 100 {
		if s := r.Take(t.Context(), caller, 50); s.Allowed || s.Retry < 170*time.Second || s.Retry > 181*time.Second {
			t.Fatalf("%+v", s)
		}
	}
	if n := hook.n.Load(); n != 0 {
		t.Errorf("%d round trips for the same refusal", n)
	}
	// Another server returns some.
	other := newShared(c, clk.now)
	other.Return(caller, 100)
	other.GiveBack(t.Context())
	clk.advance(100 * time.Millisecond)
	if s := r.Take(t.Context(), caller, 50); !s.Allowed {
		t.Errorf("what another server returned is not seen: %+v", s)
	}
}

func TestAnIdleLeaseIsGivenBack(t *testing.T) {
	c, clk := servertest.Shared(t), newClock()
	r, caller := newShared(c, clk.now), servertest.Unique()
	r.Take(t.Context(), caller, 1)
	if got := counted(t, c, caller, points, period); !about(got, lease) {
		t.Errorf("%.2f points are out; want a lease", got)
	}
	r.Tend(t.Context())
	if got := counted(t, c, caller, points, period); !about(got, lease) {
		t.Errorf("%.2f points are out; the lease was used a moment ago", got)
	}
	clk.advance(time.Second)
	r.Tend(t.Context())
	if got := counted(t, c, caller, points, period); !about(got, 1) {
		t.Errorf("%.2f points are out; want the one that was spent", got)
	}
}

func TestNoMoreThanALeaseRestsWithABusyServer(t *testing.T) {
	c := servertest.Shared(t)
	r, caller := newShared(c, nil), servertest.Unique()
	r.Take(t.Context(), caller, 600)
	r.Return(caller, 590)
	r.Take(t.Context(), caller, 1)
	r.Tend(t.Context())
	if got := counted(t, c, caller, points, period); !about(got, 11+lease) {
		t.Errorf("%.2f points are out; 11 were spent, and a lease is %d", got, lease)
	}
}

// The server has forgotten the caller, whose operation was a long one.
func TestPointsOfALongOperationComeBack(t *testing.T) {
	c, clk := servertest.Shared(t), newClock()
	r, caller := newShared(c, clk.now), servertest.Unique()
	r.Take(t.Context(), caller, 600)
	clk.advance(2 * period)
	r.Tend(t.Context())
	if r.Known() != 0 {
		t.Fatal("the caller is still known")
	}
	r.Return(caller, 500)
	r.Tend(t.Context())
	if got := counted(t, c, caller, points, period); !about(got, 100) {
		t.Errorf("%.2f points are out; want 100", got)
	}
}

// A lease and a full refill must not be spent at once.
func TestALeaseRunsOutAsItRefills(t *testing.T) {
	c, clk := servertest.Shared(t), newClock()
	r, caller := newShared(c, clk.now), servertest.Unique()
	r.Take(t.Context(), caller, 1)
	clk.advance(period)
	if s := r.Look(t.Context(), caller); s.Remaining > points {
		t.Errorf("%+v", s)
	}
	hook := &trips{}
	c.AddHook(hook)
	r.Take(t.Context(), caller, 1)
	if hook.n.Load() == 0 {
		t.Error("an old lease was spent")
	}
}

func TestDebtsReachRedis(t *testing.T) {
	c := servertest.Shared(t)
	r, caller := newShared(c, nil), servertest.Unique()
	r.Take(t.Context(), caller, 100)
	r.Return(caller, -300)
	if s := r.Take(t.Context(), caller, 601); s.Allowed || !about(float64(s.Remaining), 600) {
		t.Errorf("%+v", s)
	}
	r.Tend(t.Context())
	if got := counted(t, c, caller, points, period); !about(got, 400) {
		t.Errorf("redis counts %.2f points; want 400", got)
	}
}

func TestALookLeavesNothing(t *testing.T) {
	c := servertest.Shared(t)
	r, caller := newShared(c, nil), servertest.Unique()
	if s := r.Look(t.Context(), caller); s.Remaining != points {
		t.Errorf("%+v", s)
	}
	if r.Known() != 0 || c.Exists(t.Context(), "rate:carbongraph:points:"+caller).Val() != 0 {
		t.Error("a look left something")
	}
	newShared(c, nil).Take(t.Context(), caller, 400)
	if s := r.Look(t.Context(), caller); !about(float64(s.Remaining), 600) || r.Known() != 0 {
		t.Errorf("what another server took is not seen: %+v", s)
	}
}

func TestAForgottenCallersLeaseIsGivenBack(t *testing.T) {
	c := servertest.Shared(t)
	r, caller := newShared(c, nil), servertest.Unique()
	r.Bound(64)
	r.Take(t.Context(), caller, 1)
	for range 1000 {
		r.Take(t.Context(), servertest.Unique(), 1)
	}
	r.Tend(t.Context())
	if got := counted(t, c, caller, points, period); r.Known() > 64 || !about(got, 1) {
		t.Errorf("%d callers known, %.2f points out; want the one that was spent", r.Known(), got)
	}
}

func TestRunGivesLeasesBackInTheEnd(t *testing.T) {
	c := servertest.Shared(t)
	r, caller := newShared(c, nil), servertest.Unique()
	ctx, cancel := context.WithCancel(t.Context())
	var run sync.WaitGroup
	run.Go(func() { r.Run(ctx) })
	r.Take(t.Context(), caller, 2)
	cancel()
	run.Wait()
	if got := counted(t, c, caller, points, period); !about(got, 2) {
		t.Errorf("%.2f points are out; want the two that were spent", got)
	}
}

func TestWaitingIsToldByRedisToo(t *testing.T) {
	c := servertest.Shared(t)
	r := gate.NewRate(gate.RateOptions{Points: 1000, Period: time.Second, Redis: c}).Patient(10 * time.Second)
	caller := servertest.Unique()
	for range 20 {
		for s := r.Take(t.Context(), caller, 30); ; s = r.Take(t.Context(), caller, 30) {
			if !s.Allowed {
				time.Sleep(s.Retry)
				break
			}
		}
		if s := r.Take(t.Context(), caller, 30); !s.Allowed {
			t.Fatalf("waited, and refused again: %+v", s)
		}
	}
}

// spendAll takes until it is refused, and tells how much that was.
func spendAll(t *testing.T, r *gate.Rate, caller string) (spent int) {
	t.Helper()
	for r.Take(t.Context(), caller, 7).Allowed {
		if spent += 7; spent > 10*points {
			t.Fatal("there is no end")
		}
	}
	return spent
}

func TestRedisIsKilledAndComesBack(t *testing.T) {
	own := servertest.NewRedis(t)
	var log lines
	r := gate.NewRate(gate.RateOptions{Points: points, Period: period, Redis: servertest.Connect(t, own.URL()), Log: slog.New(slog.NewTextHandler(&log, nil))}).Patient(10 * time.Second)
	caller, other := servertest.Unique(), servertest.Unique()
	if s := r.Take(t.Context(), caller, 300); !s.Allowed {
		t.Fatalf("%+v", s)
	}
	own.Kill()
	r.Patient(gate.Patience)
	before := 300
	for range 20 {
		if s := r.Take(t.Context(), caller, 10); !s.Allowed {
			t.Fatalf("refused while Redis is away: %+v", s)
		}
		before += 10
	}
	r.Tend(t.Context()) // finds nothing yet
	r.Return(caller, 100)
	before -= 100
	own.Start(t)
	r.Patient(10 * time.Second).Tend(t.Context())
	after := spendAll(t, r, caller)
	if total := before + after; total > points+2 || total < points-lease {
		t.Errorf("%d points before, %d after; the limit is %d", before, after, points)
	}
	c := servertest.Connect(t, own.URL())
	if got := counted(t, c, caller, points, period); !about(got, points) {
		t.Errorf("the new Redis was told of %.2f points", got)
	}
	if r.Take(t.Context(), other, 1); !about(counted(t, c, other, points, period), lease) {
		t.Error("Redis does not count again")
	}
	if log.count("does not count") != 1 || log.count("again") != 1 {
		t.Errorf("each change of state is to be told once:\n%s", log.text())
	}
}

func TestTwoServersWithoutRedisDoNotPassTwice(t *testing.T) {
	own := servertest.NewRedis(t)
	c := servertest.Connect(t, own.URL())
	a, b, caller := newShared(c, nil), newShared(c, nil), servertest.Unique()
	spent := 0
	for range 20 {
		a.Take(t.Context(), caller, 10)
		b.Take(t.Context(), caller, 10)
		spent += 20
	}
	own.Kill()
	a.Patient(gate.Patience)
	b.Patient(gate.Patience)
	spent += spendAll(t, a, caller) + spendAll(t, b, caller)
	if spent > 2*points {
		t.Errorf("%d points were let through", spent)
	}
	own.Start(t)
	a.Patient(10 * time.Second).Tend(t.Context())
	b.Patient(10 * time.Second).Tend(t.Context())
	if more := spendAll(t, a, caller) + spendAll(t, b, caller); more > 3 {
		t.Errorf("%d more after Redis came back", more)
	}
}

func TestRedisIsEmptiedInTheMidst(t *testing.T) {
	own := servertest.NewRedis(t)
	c := servertest.Connect(t, own.URL())
	r, caller := newShared(c, nil), servertest.Unique()
	spent := 0
	for range 50 {
		r.Take(t.Context(), caller, 9)
		spent += 9
	}
	r.Return(caller, 100)
	spent -= 100
	if err := c.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	r.Tend(t.Context())
	if spent += spendAll(t, r, caller); spent > 2*points+3 || spent < points {
		t.Errorf("%d points were let through", spent)
	}
	if n := r.Look(t.Context(), caller); n.Remaining > lease {
		t.Errorf("%+v", n)
	}
}

func TestASlowRedisCostsOnce(t *testing.T) {
	own := servertest.NewRedis(t)
	p := servertest.NewProxy(t, own.URL())
	r, caller := newShared(servertest.Connect(t, p.URL()), nil), servertest.Unique()
	r.Take(t.Context(), caller, 1)
	r.Patient(gate.Patience)
	p.Stall()
	began := time.Now()
	if s := r.Take(t.Context(), caller, 100); !s.Allowed {
		t.Errorf("%+v", s)
	}
	first := time.Since(began)
	for range 100 {
		r.Take(t.Context(), servertest.Unique(), 100)
	}
	rest := time.Since(began) - first
	t.Logf("the first took %v, the next 100 %v", first, rest)
	if first > 5*gate.Patience || rest > 5*gate.Patience {
		t.Errorf("the first took %v, the next 100 %v", first, rest)
	}
	p.Heal()
	r.Patient(10 * time.Second).Tend(t.Context())
	if r.Take(t.Context(), caller, 1); !about(counted(t, servertest.Connect(t, own.URL()), caller, points, period), 101+lease) {
		t.Error("Redis does not count again")
	}
}

func TestARedisThatCanOnlyBeReadDoesNotCount(t *testing.T) {
	own := servertest.NewRedis(t)
	c := servertest.Connect(t, own.URL())
	var log lines
	r := gate.NewRate(gate.RateOptions{Points: points, Period: period, Redis: c, Log: slog.New(slog.NewTextHandler(&log, nil))}).Patient(10 * time.Second)
	refuse := func(replicas string) {
		if err := c.ConfigSet(t.Context(), "min-replicas-to-write", replicas).Err(); err != nil {
			t.Fatal(err)
		}
	}
	refuse("1")
	if s := r.Take(t.Context(), "a", 400); !s.Allowed {
		t.Errorf("%+v", s)
	}
	r.Tend(t.Context())
	if s := r.Take(t.Context(), "a", 400); !s.Allowed || log.count("again") != 0 {
		t.Errorf("%+v\n%s", s, log.text())
	}
	refuse("0")
	r.Tend(t.Context())
	if s := r.Take(t.Context(), "a", 400); s.Allowed || log.count("does not count") != 1 || log.count("again") != 1 {
		t.Errorf("%+v\n%s", s, log.text())
	}
}

func TestNonsenseIsNoAnswer(t *testing.T) {
	for name, says := range map[string]string{
		"another type": "$5\r\nhello\r\n", "no protocol": "HTTP/1.1 400 Bad Request\r\n\r\n", "wrong items": "*4\r\n$1\r\na\r\n$1\r\nb\r\n:1\r\n:2\r\n",
		"too few": "*1\r\n:1\r\n", "an error": "-READONLY You can't write against a read only replica.\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			p := servertest.NewProxy(t, servertest.NewRedis(t).URL())
			r, caller := newShared(servertest.Connect(t, p.URL()), nil), servertest.Unique()
			r.Take(t.Context(), caller, 1)
			p.Say(says)
			for range 20 {
				if s := r.Take(t.Context(), caller, 20); !s.Allowed {
					t.Fatalf("%+v", s)
				}
			}
			if s := r.Take(t.Context(), caller, points); s.Allowed {
				t.Errorf("nobody counts: %+v", s)
			}
			r.Tend(t.Context())
			r.Look(t.Context(), servertest.Unique())
		})
	}
}

func TestAClientThatLeavesSaysNothingAboutRedis(t *testing.T) {
	c := servertest.Shared(t)
	r, caller := newShared(c, nil), servertest.Unique()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if s := r.Take(gone, caller, 1); !s.Allowed || !about(counted(t, c, caller, points, period), lease) {
		t.Errorf("%+v, not counted in Redis", s)
	}
}

// trips counts the way to Redis and back. Where second is given, the first waits a while for another to come.
type trips struct {
	n      atomic.Int64
	second chan struct{}
}

func (*trips) DialHook(next redis.DialHook) redis.DialHook { return next }
func (h *trips) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		switch n := h.n.Add(1); {
		case h.second == nil:
		case n == 1:
			select {
			case <-h.second:
			case <-time.After(100 * time.Millisecond):
			}
		case n == 2:
			close(h.second)
		}
		return next(ctx, cmd)
	}
}
func (*trips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// lines is a log that several write.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *lines) count(s string) int { return strings.Count(l.text(), s) }
