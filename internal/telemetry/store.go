package telemetry

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Store measures statements and the pool. A nil Store measures nothing.
type Store struct {
	statements *prometheus.HistogramVec
	failed     *prometheus.CounterVec
	replicas   *prometheus.CounterVec
	reg        prometheus.Registerer
}

func newStore(reg prometheus.Registerer) *Store {
	return &Store{
		statements: promauto.With(reg).NewHistogramVec(prometheus.HistogramOpts{
			Name:    "carbongraph_store_statement_seconds",
			Help:    "Time of one statement, by operation and main table.",
			Buckets: []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 5},
		}, []string{"operation", "table"}),
		failed: promauto.With(reg).NewCounterVec(prometheus.CounterOpts{
			Name: "carbongraph_store_statements_failed_total",
			Help: "Statements that the database refused or that were cancelled, by operation and main table.",
		}, []string{"operation", "table"}),
		replicas: promauto.With(reg).NewCounterVec(prometheus.CounterOpts{
			Name: "carbongraph_store_replica_reads_total",
			Help: "Operations that could read from a replica, by replica and result: served; behind, where it does not show what is to be seen yet; unreachable. What is not served is read from the primary.",
		}, []string{"replica", "result"}),
		reg: reg,
	}
}

// Replica records what became of an operation that could read from a replica.
func (s *Store) Replica(name, result string) {
	if s != nil {
		s.replicas.WithLabelValues(name, result).Inc()
	}
}

// Statement records one statement, also for the request of the context: operation is SELECT, INSERT, UPDATE, DELETE, COPY or OTHER, table the main table or "".
func (s *Store) Statement(ctx context.Context, operation, table string, took time.Duration, failed bool) {
	if r := RequestFrom(ctx); r != nil {
		r.statements.Add(1)
	}
	if s == nil {
		return
	}
	s.statements.WithLabelValues(operation, table).Observe(took.Seconds())
	if failed {
		s.failed.WithLabelValues(operation, table).Inc()
	}
}

// PoolStats is the state of a connection pool at one moment; counts run since it was opened.
type PoolStats struct {
	Max, Open, InUse, Idle int
	Acquires, Waits        int64
	AcquireTime            time.Duration // spent by all acquires together
}

// Pool has the pool's state read at each scrape, until the function that it gives back is called.
func (s *Store) Pool(read func() PoolStats) (stop func()) {
	if s == nil {
		return func() {}
	}
	c := &poolCollector{read: read}
	if err := s.reg.Register(c); err != nil {
		return func() {} // a second store in one process: the first is measured
	}
	return func() { s.reg.Unregister(c) }
}

// poolCollector reads the pool when it is asked, so that nothing runs between scrapes.
type poolCollector struct{ read func() PoolStats }

// The pool's metrics. Descriptions are values without state, made anew for each use.
func poolConnections() *prometheus.Desc {
	return prometheus.NewDesc("carbongraph_store_pool_connections", "Connections of the pool, by state: max, open, in_use or idle.", []string{"state"}, nil)
}
func poolAcquires() *prometheus.Desc {
	return prometheus.NewDesc("carbongraph_store_pool_acquires_total", "Connections taken from the pool.", nil, nil)
}
func poolWaits() *prometheus.Desc {
	return prometheus.NewDesc("carbongraph_store_pool_waits_total", "Takes that had to wait, as none was free.", nil, nil)
}
func poolSeconds() *prometheus.Desc {
	return prometheus.NewDesc("carbongraph_store_pool_acquire_seconds_total", "Time spent taking connections from the pool.", nil, nil)
}

// Describe tells the registry what Collect will give.
func (c *poolCollector) Describe(out chan<- *prometheus.Desc) {
	out <- poolConnections()
	out <- poolAcquires()
	out <- poolWaits()
	out <- poolSeconds()
}

// Collect reads the pool once.
func (c *poolCollector) Collect(out chan<- prometheus.Metric) {
	p := c.read()
	for _, g := range []struct {
		state string
		n     int
	}{{"max", p.Max}, {"open", p.Open}, {"in_use", p.InUse}, {"idle", p.Idle}} {
		out <- prometheus.MustNewConstMetric(poolConnections(), prometheus.GaugeValue, float64(g.n), g.state)
	}
	out <- prometheus.MustNewConstMetric(poolAcquires(), prometheus.CounterValue, float64(p.Acquires))
	out <- prometheus.MustNewConstMetric(poolWaits(), prometheus.CounterValue, float64(p.Waits))
	out <- prometheus.MustNewConstMetric(poolSeconds(), prometheus.CounterValue, p.AcquireTime.Seconds())
}
