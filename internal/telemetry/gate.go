package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Gate measures who may run now. A nil Gate measures nothing.
type Gate struct {
	inFlight, limit, waiting, store prometheus.Gauge
	waited                          prometheus.Histogram
	refused, points                 *prometheus.CounterVec
}

// Refusal is why an operation was not let in.
type Refusal string

// The reasons: out of points; no place to wait in; too many before it at the present pace; waited as long as one may.
const (
	RefusedRate     Refusal = "rate"
	RefusedFull     Refusal = "full"
	RefusedPace     Refusal = "pace"
	RefusedPatience Refusal = "patience"
)

const taken, returned = "taken", "returned"

func newGate(reg prometheus.Registerer) *Gate {
	gauge := func(name, help string) prometheus.Gauge {
		return promauto.With(reg).NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	counter := func(name, help, label string, values ...string) *prometheus.CounterVec {
		return known(promauto.With(reg).NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label}), values...)
	}
	return &Gate{
		inFlight: gauge("carbongraph_gate_in_flight", "Operations that were let in and run now."),
		limit:    gauge("carbongraph_gate_limit", "Operations that may run at once; moves with their latency. 0 where there is no bound."),
		waiting:  gauge("carbongraph_gate_waiting", "Operations that wait for a place."),
		store:    gauge("carbongraph_gate_rate_store", "Where cost points are counted: 1 in Redis, 0 in the process."),
		waited: promauto.With(reg).NewHistogram(prometheus.HistogramOpts{
			Name:    "carbongraph_gate_wait_seconds",
			Help:    "Time that an operation waited for a place and got it; one that found a place at once is not counted.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
		}),
		refused: counter("carbongraph_gate_refused_total", "Operations refused before they ran, by reason: rate, full, pace, patience.",
			"reason", string(RefusedRate), string(RefusedFull), string(RefusedPace), string(RefusedPatience)),
		points: counter("carbongraph_gate_points_total", "Cost points of all callers, by kind: taken before an operation or returned after it.",
			"kind", taken, returned),
	}
}

// known gives each label value its series from the start, so that a rate over it misses nothing.
func known(c *prometheus.CounterVec, values ...string) *prometheus.CounterVec {
	for _, v := range values {
		c.WithLabelValues(v)
	}
	return c
}

// Entered counts an operation as running, until Left.
func (g *Gate) Entered() {
	if g != nil {
		g.inFlight.Inc()
	}
}

// Left ends what Entered began.
func (g *Gate) Left() {
	if g != nil {
		g.inFlight.Dec()
	}
}

// Limit records how many operations may run at once.
func (g *Gate) Limit(operations int) {
	if g != nil {
		g.limit.Set(float64(operations))
	}
}

// Waiting records how many operations wait.
func (g *Gate) Waiting(operations int) {
	if g != nil {
		g.waiting.Set(float64(operations))
	}
}

// Waited records how long an operation waited for the place that it got.
func (g *Gate) Waited(d time.Duration) {
	if g != nil {
		g.waited.Observe(d.Seconds())
	}
}

// Refused counts an operation that was not let in.
func (g *Gate) Refused(why Refusal) {
	if g != nil {
		g.refused.WithLabelValues(string(why)).Inc()
	}
}

// Taken counts points that a caller took.
func (g *Gate) Taken(points int) {
	if g != nil {
		g.points.WithLabelValues(taken).Add(float64(points))
	}
}

// Returned counts points that a caller gave back.
func (g *Gate) Returned(points int) {
	if g != nil {
		g.points.WithLabelValues(returned).Add(float64(points))
	}
}

// Shared records whether points are counted in Redis, for all servers, or in the process.
func (g *Gate) Shared(redis bool) {
	if g == nil {
		return
	}
	if redis {
		g.store.Set(1)
	} else {
		g.store.Set(0)
	}
}
