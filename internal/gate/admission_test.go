package gate_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"carbongraph/internal/fault"
	"carbongraph/internal/gate"
	"carbongraph/internal/telemetry"
)

// enter is an operation that has to be let in.
func enter(t testing.TB, a *gate.Admission, org string) (leave func()) {
	t.Helper()
	leave, err := a.Enter(t.Context(), org, gate.Interactive)
	if err != nil {
		t.Fatal(err)
	}
	return leave
}

// crowd is operations that wait, each named when it is let in.
type crowd struct {
	a     *gate.Admission
	mu    sync.Mutex
	in    []string
	out   []string
	leave []func()
}

// wait lets an operation come, and stand in line before the next one comes.
func (c *crowd) wait(name, org string, class gate.Class) {
	go func() {
		leave, err := c.a.Enter(context.Background(), org, class)
		c.mu.Lock()
		defer c.mu.Unlock()
		if err != nil {
			c.out = append(c.out, name)
			return
		}
		c.in = append(c.in, name)
		c.leave = append(c.leave, leave)
	}()
	synctest.Wait()
}

// drain ends one operation after another until nobody waits.
func (c *crowd) drain() {
	for i := 0; ; i++ {
		synctest.Wait()
		c.mu.Lock()
		if i == len(c.leave) {
			c.mu.Unlock()
			return
		}
		leave := c.leave[i]
		c.mu.Unlock()
		leave()
	}
}

func (c *crowd) check(t *testing.T, in, out []string) {
	t.Helper()
	if !slices.Equal(c.in, in) || !slices.Equal(c.out, out) {
		t.Errorf("let in %q, turned away %q; want %q and %q", c.in, c.out, in, out)
	}
	nothingLeft(t, c.a)
}

func nothingLeft(t *testing.T, a *gate.Admission) {
	t.Helper()
	if running, waiting, orgs := a.State(); running != 0 || waiting != 0 || orgs != 0 {
		t.Errorf("%d run, %d wait, %d organizations are remembered; all have left", running, waiting, orgs)
	}
}

// overloaded checks a refusal.
func overloaded(t *testing.T, err error) {
	t.Helper()
	if f := fault.Of(err); f.Code != fault.Overloaded || f.Retry < time.Second || f.Retry > time.Minute {
		t.Errorf("%v, to come again after %v", err, f.Retry)
	}
}

func TestNobodyWaitsWhereThereIsRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := gate.NewAdmission(gate.AdmissionOptions{Most: 8})
		began := time.Now()
		var leaves []func()
		for range 8 {
			leaves = append(leaves, enter(t, a, "a"))
		}
		if time.Since(began) != 0 {
			t.Errorf("waited %v", time.Since(began))
		}
		for _, leave := range leaves {
			leave()
		}
		nothingLeft(t, a)
	})
}

func TestWhoGoesNext(t *testing.T) {
	type op struct {
		name, org string
		class     gate.Class
	}
	const b = gate.Background
	for name, tc := range map[string]struct {
		waiting int
		running []string // organizations
		come    []op
		in, out []string
	}{
		"in order within an organization": {
			running: []string{"a"}, come: []op{{"1", "a", 0}, {"2", "a", 0}, {"3", "a", 0}}, in: []string{"1", "2", "3"}},
		"interactive before background": {
			running: []string{"a"}, come: []op{{"1", "a", b}, {"2", "b", b}, {"3", "a", 0}}, in: []string{"3", "1", "2"}},
		"fewest running first": {
			running: []string{"b", "a", "a", "a"}, come: []op{{"1", "a", 0}, {"2", "b", 0}, {"3", "c", 0}}, in: []string{"3", "2", "1"}},
		"longest waiting among equals": {
			running: []string{"x"}, come: []op{{"1", "a", 0}, {"2", "a", 0}, {"3", "b", 0}, {"4", "c", 0}}, in: []string{"1", "2", "3", "4"}},
		"full: the newest of the longest line goes": {
			waiting: 3, running: []string{"x"}, come: []op{{"1", "a", 0}, {"2", "a", 0}, {"3", "a", 0}, {"4", "b", 0}}, in: []string{"1", "2", "4"}, out: []string{"3"}},
		"full: the newcomer goes when its line is the longest": {
			waiting: 3, running: []string{"x"}, come: []op{{"1", "a", 0}, {"2", "a", 0}, {"3", "b", 0}, {"4", "a", 0}}, in: []string{"1", "2", "3"}, out: []string{"4"}},
		"full: the newcomer goes among equals": {
			waiting: 2, running: []string{"x"}, come: []op{{"1", "a", 0}, {"2", "b", 0}, {"3", "c", 0}}, in: []string{"1", "2"}, out: []string{"3"}},
		"full: background goes before interactive": {
			waiting: 3, running: []string{"x"}, come: []op{{"1", "a", 0}, {"2", "a", 0}, {"3", "b", b}, {"4", "a", 0}}, in: []string{"1", "2", "4"}, out: []string{"3"}},
		"full: a newcomer in the background goes when all are interactive": {
			waiting: 2, running: []string{"x"}, come: []op{{"1", "a", 0}, {"2", "a", 0}, {"3", "b", b}}, in: []string{"1", "2"}, out: []string{"3"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &crowd{a: gate.NewAdmission(gate.AdmissionOptions{Most: len(tc.running), Waiting: tc.waiting})}
				var hold []func()
				for _, org := range tc.running {
					hold = append(hold, enter(t, c.a, org))
				}
				for _, o := range tc.come {
					c.wait(o.name, o.org, o.class)
				}
				// One place becomes free, and goes from hand to hand: the last that came in is always the only one that leaves.
				hold[len(hold)-1]()
				c.drain()
				for _, leave := range hold {
					leave()
				}
				c.check(t, tc.in, tc.out)
			})
		})
	}
}

func TestPatienceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := gate.NewAdmission(gate.AdmissionOptions{Most: 1, Patience: 700 * time.Millisecond})
		leave, began := enter(t, a, "a"), time.Now()
		_, err := a.Enter(t.Context(), "b", gate.Interactive)
		overloaded(t, err)
		if got := time.Since(began); got != 700*time.Millisecond {
			t.Errorf("waited %v", got)
		}
		leave()
		nothingLeft(t, a)
	})
}

func TestWhoWouldWaitInVainIsToldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := gate.NewAdmission(gate.AdmissionOptions{Most: 1})
		leave := enter(t, a, "a")
		var all sync.WaitGroup
		// Nine of a second end, and others wait all the while.
		for range 40 {
			all.Go(func() {
				if leave, err := a.Enter(t.Context(), "a", gate.Interactive); err == nil {
					time.Sleep(110 * time.Millisecond)
					leave()
				}
			})
		}
		time.Sleep(110 * time.Millisecond)
		leave()
		time.Sleep(880 * time.Millisecond)
		began := time.Now()
		_, err := a.Enter(t.Context(), "a", gate.Interactive)
		overloaded(t, err)
		if time.Since(began) != 0 || fault.Of(err).Retry < 3*time.Second {
			t.Errorf("told after %v to come again after %v", time.Since(began), fault.Of(err).Retry)
		}
		// In the background it comes after all others, and whose time is short cannot wait for long.
		_, err = a.Enter(t.Context(), "b", gate.Background)
		overloaded(t, err)
		short, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		defer cancel()
		_, err = a.Enter(short, "b", gate.Interactive)
		overloaded(t, err)
		// Another organization has its turn soon.
		leave, err = a.Enter(t.Context(), "b", gate.Interactive)
		if got := time.Since(began); err != nil || got > 200*time.Millisecond {
			t.Fatalf("another organization: %v after %v", err, got)
		}
		leave()
		all.Wait()
		nothingLeft(t, a)
	})
}

// The pace of an hour ago says nothing of now.
func TestAPaceIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := gate.NewAdmission(gate.AdmissionOptions{Most: 1})
		slow := func(length time.Duration) (refused int) {
			var all sync.WaitGroup
			var mu sync.Mutex
			for range 5 {
				all.Go(func() {
					leave, err := a.Enter(context.Background(), "a", gate.Interactive)
					if err != nil {
						mu.Lock()
						refused++
						mu.Unlock()
						return
					}
					time.Sleep(length)
					leave()
				})
			}
			all.Wait()
			return refused
		}
		if slow(10*time.Second) != 4 {
			t.Error("the server should have been too slow")
		}
		if n := slow(100 * time.Millisecond); n != 0 {
			t.Errorf("%d were refused when it was fast again", n)
		}
		nothingLeft(t, a)
	})
}

func TestAWaiterThatLeavesLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := gate.NewAdmission(gate.AdmissionOptions{Most: 1})
		leave := enter(t, a, "a")
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		began := time.Now()
		got, err := a.Enter(ctx, "b", gate.Interactive)
		if !errors.Is(err, context.DeadlineExceeded) || got != nil || time.Since(began) != 300*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		if _, waiting, _ := a.State(); waiting != 0 {
			t.Errorf("%d wait", waiting)
		}
		leave()
		enter(t, a, "c")()
		nothingLeft(t, a)
	})
}

func TestLeavingTwiceDoesNoHarm(t *testing.T) {
	a := gate.NewAdmission(gate.AdmissionOptions{Most: 1})
	first := enter(t, a, "a")
	first()
	first()
	second := enter(t, a, "b") // has the place of the first
	first()
	if running, _, _ := a.State(); running != 1 {
		t.Errorf("%d run; the second has not left", running)
	}
	second()
	second()
	nothingLeft(t, a)
}

func TestOneFloodDoesNotShutOutOthers(t *testing.T) {
	for name, waiting := range map[string]int{"all of the flood can wait": 1024, "the line is full": 100} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const length, lasts = 10 * time.Millisecond, 20 * time.Second
				a := gate.NewAdmission(gate.AdmissionOptions{Most: 32, Waiting: waiting})
				var mu sync.Mutex
				served, refused, slowest := map[string]int{}, map[string]int{}, map[string]time.Duration{}
				until := time.Now().Add(lasts)
				var all sync.WaitGroup
				for org, clients := range map[string]int{"flood": 1000, "few": 2} {
					for range clients {
						all.Go(func() {
							for time.Now().Before(until) {
								asked := time.Now()
								leave, err := a.Enter(context.Background(), org, gate.Interactive)
								if err == nil {
									time.Sleep(length)
									leave()
								}
								mu.Lock()
								if err == nil {
									served[org]++
									slowest[org] = max(slowest[org], time.Since(asked))
								} else {
									refused[org]++
								}
								mu.Unlock()
								if err != nil {
									time.Sleep(fault.Of(err).Retry)
								}
							}
						})
					}
				}
				all.Wait()
				t.Logf("of %d places: flood %d served, %d refused, slowest %v; few %d served, %d refused, slowest %v", 32,
					served["flood"], refused["flood"], slowest["flood"], served["few"], refused["few"], slowest["few"])
				if refused["few"] != 0 || slowest["few"] > 2*length || served["few"] < int(lasts/length)*9/10 {
					t.Error("the few clients of one organization suffer from the many of another")
				}
				if total := served["flood"] + served["few"]; total < 32*int(lasts/length)*98/100 {
					t.Errorf("%d served in all: places stood empty", total)
				}
				nothingLeft(t, a)
			})
		})
	}
}

// An operation that was given up says nothing of how fast the server is.
func TestGivenUpOperationsDoNotMoveTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := gate.NewAdmission(gate.AdmissionOptions{Least: 4, Most: 64})
		run := func(rounds int, length time.Duration, giveUp bool) {
			for range rounds {
				var all sync.WaitGroup
				for range 4 {
					all.Go(func() {
						ctx, cancel := context.WithCancel(context.Background())
						defer cancel()
						leave, err := a.Enter(ctx, "a", gate.Interactive)
						if err != nil {
							return
						}
						time.Sleep(length)
						if giveUp {
							cancel()
						}
						leave()
					})
				}
				all.Wait()
			}
		}
		run(3000, 10*time.Millisecond, false)
		before := a.Limit()
		if before <= 8 {
			t.Fatalf("the limit is %d; it should have risen", before)
		}
		run(400, 5*time.Second, true)
		if got := a.Limit(); got < before {
			t.Errorf("the limit fell from %d to %d", before, got)
		}
		run(400, 5*time.Second, false)
		if got := a.Limit(); got >= before {
			t.Errorf("the limit is %d when operations did take that long; it was %d", got, before)
		}
	})
}

// Whatever comes, waits, is given up and leaves, all places are free in the end and nobody waits.
func TestNothingIsLostUnderLoad(t *testing.T) {
	a := gate.NewAdmission(gate.AdmissionOptions{Most: 4, Waiting: 20, Patience: 20 * time.Millisecond})
	var all sync.WaitGroup
	for i := range 64 {
		r := rand.New(rand.NewPCG(7, uint64(i)))
		all.Go(func() {
			for range 50 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(r.IntN(3000))*time.Microsecond)
				leave, err := a.Enter(ctx, string(rune('a'+r.IntN(6))), gate.Class(r.IntN(2)))
				if err == nil {
					if r.IntN(2) == 0 {
						<-ctx.Done()
					}
					leave()
					leave()
				} else if c := fault.CodeOf(err); c != fault.Overloaded && ctx.Err() == nil {
					t.Errorf("%v", err)
				}
				cancel()
			}
		})
	}
	all.Wait()
	nothingLeft(t, a)
	for range 4 {
		defer enter(t, a, "a")()
	}
}

func TestNoBound(t *testing.T) {
	a := gate.NewAdmission(gate.AdmissionOptions{Least: 4})
	if a != nil {
		t.Fatal("a bound of 0 is none")
	}
	enter(t, a, "a")()
}

func TestWhatTheGateMeasures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tel := telemetry.New()
		c := &crowd{a: gate.NewAdmission(gate.AdmissionOptions{Most: 1, Waiting: 2, Metrics: tel.Gate})}
		leave := enter(t, c.a, "a")
		for _, name := range []string{"1", "2", "3"} {
			c.wait(name, "a", gate.Interactive)
		}
		scraped(t, tel, "carbongraph_gate_in_flight 1", "carbongraph_gate_limit 1", "carbongraph_gate_waiting 2", `carbongraph_gate_refused_total{reason="full"} 1`)
		time.Sleep(400 * time.Millisecond)
		leave()
		synctest.Wait()
		scraped(t, tel, "carbongraph_gate_in_flight 1", "carbongraph_gate_waiting 1", "carbongraph_gate_wait_seconds_sum 0.4", "carbongraph_gate_wait_seconds_count 1")
		time.Sleep(600 * time.Millisecond)
		synctest.Wait()
		scraped(t, tel, "carbongraph_gate_waiting 0", `carbongraph_gate_refused_total{reason="patience"} 1`)
		c.drain()
		scraped(t, tel, "carbongraph_gate_in_flight 0")

		r := gate.NewRate(gate.RateOptions{Points: 100, Metrics: tel.Gate})
		r.Take(t.Context(), "a", 60)
		r.Take(t.Context(), "a", 60)
		r.Return("a", 20)
		r.Return("a", -5)
		scraped(t, tel, `carbongraph_gate_points_total{kind="taken"} 65`, `carbongraph_gate_points_total{kind="returned"} 20`,
			`carbongraph_gate_refused_total{reason="rate"} 1`, "carbongraph_gate_rate_store 0")
	})
}

func scraped(t *testing.T, tel *telemetry.Telemetry, want ...string) {
	t.Helper()
	w := httptest.NewRecorder()
	tel.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range want {
		if !strings.Contains(w.Body.String(), "\n"+line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
}

func BenchmarkEnter(b *testing.B) {
	a := gate.NewAdmission(gate.AdmissionOptions{Most: 256, Metrics: telemetry.New().Gate})
	b.ReportAllocs()
	for b.Loop() {
		leave, err := a.Enter(b.Context(), "org", gate.Interactive)
		if err != nil {
			b.Fatal(err)
		}
		leave()
	}
}

func BenchmarkEnterInParallel(b *testing.B) {
	a := gate.NewAdmission(gate.AdmissionOptions{Most: 256, Metrics: telemetry.New().Gate})
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			leave, err := a.Enter(context.Background(), "org", gate.Interactive)
			if err != nil {
				b.Fatal(err)
			}
			leave()
		}
	})
}
