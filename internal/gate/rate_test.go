package gate_test

import (
	"testing"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"pgregory.net/rapid"

	"carbongraph/internal/gate"
	"carbongraph/internal/servertest"
)

// clock is a time that stands still until it is moved.
type clock struct{ at time.Time }

func newClock() *clock { return &clock{time.Unix(1_800_000_000, 0)} }

func (c *clock) now() time.Time          { return c.at }
func (c *clock) advance(d time.Duration) { c.at = c.at.Add(d) }

type event struct {
	at    time.Time
	taken int // negative: returned
}

// checkSpans fails where in any span more was taken than the points of a caller and what refilled in that span.
func checkSpans(t rapid.TB, events []event, points int, period time.Duration) {
	for i := range events {
		sum := 0
		for _, e := range events[i:] {
			sum += e.taken
			elapsed := e.at.Sub(events[i].at)
			if most := float64(points) * (1 + elapsed.Seconds()/period.Seconds()); float64(sum) > most+1e-3 {
				t.Fatalf("%d points taken within %v; the limit is %d in %v", sum, elapsed, points, period)
			}
		}
	}
}

func TestNoSpanHasMoreThanTheLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		points := rapid.IntRange(1, 5000).Draw(t, "points")
		period := time.Duration(rapid.Int64Range(int64(time.Second), int64(time.Hour)).Draw(t, "period"))
		c := newClock()
		r := gate.NewRate(gate.RateOptions{Points: points, Period: period, Now: c.now})
		var events []event
		taken := 0 // and not returned
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0:
				c.advance(time.Duration(rapid.Int64Range(0, int64(period)).Draw(t, "wait")))
			case 1:
				n := rapid.IntRange(0, taken).Draw(t, "returned")
				r.Return("a", n)
				taken -= n
				events = append(events, event{c.at, -n})
			default:
				n := rapid.IntRange(0, points+points/10).Draw(t, "asked")
				s := r.Take(t.Context(), "a", n)
				if s.Limit != points || s.Remaining < 0 || s.Remaining > points || s.Reset < 0 || s.Reset > period+time.Microsecond {
					t.Fatalf("standing %+v", s)
				}
				if s.Allowed {
					taken += n
					events = append(events, event{c.at, n})
				}
			}
		}
		checkSpans(t, events, points, period)
	})
}

func TestReturnedPointsCanBeSpentAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		points := rapid.IntRange(2, 5000).Draw(t, "points")
		c := newClock()
		r := gate.NewRate(gate.RateOptions{Points: points, Now: c.now})
		first := rapid.IntRange(1, points).Draw(t, "first")
		back := rapid.IntRange(1, first).Draw(t, "back")
		if s := r.Take(t.Context(), "a", first); !s.Allowed || s.Remaining != points-first {
			t.Fatalf("first %+v", s)
		}
		r.Return("a", back)
		if s := r.Take(t.Context(), "a", points-first+back); !s.Allowed || s.Remaining != 0 {
			t.Fatalf("what was left and returned: %+v", s)
		}
		if s := r.Take(t.Context(), "a", 1); s.Allowed {
			t.Fatalf("one more: %+v", s)
		}
	})
}

func TestWhoWaitsAsLongAsItIsToldGetsThrough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		points := rapid.IntRange(1, 100_000).Draw(t, "points")
		period := time.Duration(rapid.Int64Range(int64(time.Second), int64(time.Hour)).Draw(t, "period"))
		c := newClock()
		r := gate.NewRate(gate.RateOptions{Points: points, Period: period, Now: c.now})
		for range rapid.IntRange(1, 20).Draw(t, "rounds") {
			n := rapid.IntRange(1, points).Draw(t, "asked")
			s := r.Take(t.Context(), "a", n)
			if s.Allowed {
				continue
			}
			if s.Retry <= 0 || s.Retry > period+time.Second {
				t.Fatalf("refused, and told to wait %v", s.Retry)
			}
			c.advance(s.Retry / 2)
			if short := s.Retry/2 > 4*time.Millisecond; short && r.Take(t.Context(), "a", n).Allowed {
				t.Fatalf("let through after half of %v", s.Retry)
			}
			c.advance(s.Retry - s.Retry/2)
			if s := r.Take(t.Context(), "a", n); !s.Allowed {
				t.Fatalf("waited, and refused again: %+v", s)
			}
		}
	})
}

func TestResetIsWhenEverythingMayBeSpentAgain(t *testing.T) {
	c := newClock()
	r := gate.NewRate(gate.RateOptions{Points: 60, Now: c.now})
	s := r.Take(t.Context(), "a", 45)
	if s.Reset != 45*time.Second || s.Remaining != 15 {
		t.Errorf("%+v", s)
	}
	c.advance(s.Reset)
	if s := r.Look(t.Context(), "a"); s.Remaining != 60 || s.Reset != 0 {
		t.Errorf("after the reset: %+v", s)
	}
}

func TestMoreThanTheLimitAtOnceIsNotWorthWaitingFor(t *testing.T) {
	r := gate.NewRate(gate.RateOptions{Points: 100})
	if s := r.Take(t.Context(), "a", 101); s.Allowed || s.Retry != 0 || s.Remaining != 100 {
		t.Errorf("%+v", s)
	}
}

func TestWhatWasUsedBeyondIsOwed(t *testing.T) {
	c := newClock()
	r := gate.NewRate(gate.RateOptions{Points: 60, Now: c.now})
	r.Take(t.Context(), "a", 50)
	r.Return("a", -40) // 90 in all
	s := r.Take(t.Context(), "a", 1)
	if s.Allowed || s.Remaining != 0 || s.Reset != 90*time.Second || s.Retry.Round(time.Second) != 31*time.Second {
		t.Errorf("%+v", s)
	}
	if s := r.Take(t.Context(), "a", 0); !s.Allowed {
		t.Error("what costs nothing was refused")
	}
	c.advance(s.Retry)
	if s := r.Take(t.Context(), "a", 1); !s.Allowed {
		t.Errorf("the debt has dripped out: %+v", s)
	}
}

func TestCallersDoNotShare(t *testing.T) {
	r := gate.NewRate(gate.RateOptions{Points: 10})
	r.Take(t.Context(), "a", 10)
	if s := r.Take(t.Context(), "b", 10); !s.Allowed {
		t.Errorf("%+v", s)
	}
}

func TestNoLimit(t *testing.T) {
	r := gate.NewRate(gate.RateOptions{})
	if r != nil {
		t.Fatal("a limit of 0 points is none")
	}
	if s := r.Take(t.Context(), "a", 1<<40); !s.Allowed || !r.Look(t.Context(), "a").Allowed {
		t.Errorf("%+v", s)
	}
	r.Return("a", 1)
	r.Run(t.Context())
}

func TestOnlyThoseWhoSpentAreRemembered(t *testing.T) {
	c := newClock()
	r := gate.NewRate(gate.RateOptions{Points: 60, Now: c.now})
	r.Look(t.Context(), "looked")
	if r.Known() != 0 {
		t.Error("a look is remembered")
	}
	r.Take(t.Context(), "spent", 30)
	r.Tend(t.Context())
	if r.Known() != 1 {
		t.Error("spent points are forgotten")
	}
	c.advance(30 * time.Second)
	r.Tend(t.Context())
	if r.Known() != 0 {
		t.Error("points that refilled are remembered")
	}
}

func TestMemoryIsBounded(t *testing.T) {
	r := gate.NewRate(gate.RateOptions{Points: 60})
	r.Bound(640)
	for range 5000 {
		r.Take(t.Context(), servertest.Unique(), 1)
	}
	if n := r.Known(); n > 640 || n < 500 {
		t.Errorf("%d callers are remembered", n)
	}
}

func BenchmarkTake(b *testing.B) {
	r := gate.NewRate(gate.RateOptions{Points: 1 << 40})
	b.ReportAllocs()
	for b.Loop() {
		r.Take(b.Context(), "a", 1)
	}
}

func BenchmarkTakeOfALease(b *testing.B) {
	r := gate.NewRate(gate.RateOptions{Points: 60_000_000, Redis: servertest.Shared(b)})
	caller := servertest.Unique()
	b.ReportAllocs()
	for b.Loop() {
		r.Take(b.Context(), caller, 1)
		r.Return(caller, 1)
	}
}

// What each request would wait for without leases.
func BenchmarkRedisRate(b *testing.B) {
	limiter, caller := redis_rate.NewLimiter(servertest.Shared(b)), "carbongraph:points:"+servertest.Unique()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := limiter.AllowN(b.Context(), caller, redis_rate.PerMinute(60_000), 1); err != nil {
			b.Fatal(err)
		}
	}
}
