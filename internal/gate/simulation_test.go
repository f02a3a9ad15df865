package gate_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"carbongraph/internal/fault"
	"carbongraph/internal/gate"
)

// server is two cores and a pool of 20 connections. What runs shares the cores, and costs more the more runs: memory, collector, scheduler.
type server struct {
	running atomic.Int64 // on the cores
	inside  atomic.Int64
	pool    chan struct{}
	strain  float64 // operations inside that halve the speed
	worked  atomic.Int64
}

func newServer(strain float64) *server { return &server{pool: make(chan struct{}, 20), strain: strain} }

// serve takes half of the time on a core and half in the database, as if nothing else ran.
func (s *server) serve(length time.Duration) {
	s.inside.Add(1)
	defer s.inside.Add(-1)
	for left := length / 2; left > 0; {
		step := min(left, 2*time.Millisecond)
		left -= step
		n := float64(s.running.Add(1))
		time.Sleep(time.Duration(float64(step) * max(1, n/2) * (1 + float64(s.inside.Load())/s.strain)))
		s.running.Add(-1)
		s.worked.Add(int64(step))
	}
	s.pool <- struct{}{}
	time.Sleep(length / 2)
	<-s.pool
}

// mixed is the length of an operation: most are short, few are long.
func mixed(r *rand.Rand) time.Duration {
	switch p := r.Float64(); {
	case p < 0.80:
		return time.Millisecond + time.Duration(r.Int64N(int64(4*time.Millisecond)))
	case p < 0.98:
		return 10*time.Millisecond + time.Duration(r.Int64N(int64(40*time.Millisecond)))
	case p < 0.999:
		return 200*time.Millisecond + time.Duration(r.Int64N(int64(400*time.Millisecond)))
	}
	return 2*time.Second + time.Duration(r.Int64N(int64(8*time.Second)))
}

type outcome struct {
	perSecond float64
	busy      float64       // cores that did something useful
	p50, p99  time.Duration // of what was served, with its wait
	refused   float64       // a second
}

func (o outcome) String() string {
	return fmt.Sprintf("%4.2f cores, %6.1f/s, P50 %4d ms, P99 %5d ms, %5.1f refused/s", o.busy, o.perSecond, o.p50.Milliseconds(), o.p99.Milliseconds(), o.refused)
}

// loop lets clients ask one thing after another for a while, after a while that does not count.
func loop(a *gate.Admission, s *server, clients int, warm, lasts time.Duration) outcome {
	var mu sync.Mutex
	var took []time.Duration
	refused := 0
	from, until := time.Now().Add(warm), time.Now().Add(warm+lasts)
	var all sync.WaitGroup
	var worked int64
	all.Go(func() {
		time.Sleep(warm)
		worked = -s.worked.Load()
		time.Sleep(lasts)
		worked += s.worked.Load()
	})
	for i := range clients {
		r := rand.New(rand.NewPCG(1, uint64(i)))
		all.Go(func() {
			for time.Now().Before(until) {
				asked := time.Now()
				leave, err := a.Enter(context.Background(), fmt.Sprint("org", i%8), gate.Interactive)
				if err == nil {
					s.serve(mixed(r))
					leave()
				}
				now := time.Now()
				if now.After(from) && now.Before(until) {
					mu.Lock()
					if err == nil {
						took = append(took, now.Sub(asked))
					} else {
						refused++
					}
					mu.Unlock()
				}
				if err != nil {
					time.Sleep(fault.Of(err).Retry)
				}
			}
		})
	}
	all.Wait()
	slices.Sort(took)
	return outcome{float64(len(took)) / lasts.Seconds(), float64(worked) / float64(lasts), took[len(took)/2], took[len(took)*99/100], float64(refused) / lasts.Seconds()}
}

// Admission keeps the throughput of a machine near the best that it has with any number of clients, and the slowest answers from growing with their number.
// The table that -v prints stands in docs/decisions/0012-admission.md.
func TestThroughputAtSaturation(t *testing.T) {
	for _, strain := range []float64{400, 100} {
		run := func(clients, most int) (o outcome) {
			synctest.Test(t, func(t *testing.T) {
				a := gate.NewAdmission(gate.AdmissionOptions{Most: most, Least: min(most, 32)})
				o = loop(a, newServer(strain), clients, 10*time.Second, 40*time.Second)
				t.Logf("%3.0f inside halve the speed, %3d clients, %3d at once: %v", strain, clients, most, o)
			})
			return o
		}
		best := run(16, 0)
		for _, clients := range []int{64, 256} {
			without, with := run(clients, 0), run(clients, 512)
			if with.busy < without.busy || with.busy < .85*best.busy {
				t.Errorf("%d clients: %v; without admission %v; the best %v", clients, with, without, best)
			}
			if with.p99 > without.p99 {
				t.Errorf("%d clients: P99 %v with admission, %v without", clients, with.p99, without.p99)
			}
		}
	}
}
