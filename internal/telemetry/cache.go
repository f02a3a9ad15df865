package telemetry

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Cache measures the layers of the cache. A nil Cache measures nothing.
type Cache struct {
	loads *prometheus.HistogramVec
	read  atomic.Pointer[func() CacheState]
}

// CacheLayer counts what one layer did for the entries of one strategy, since the start; Bytes and Entries are what it holds now, where it knows.
type CacheLayer struct {
	Layer, Strategy                                string
	Hits, Misses, Stale, Negative, Errors, Corrupt uint64
	Evictions                                      uint64 // to make room; not those whose time was over
	Bytes, Entries                                 int64
}

// CacheDropped counts entries that were not written to Redis, by why: too many waited; Redis was away; it refused; the entry was removed meanwhile; it is too large.
type CacheDropped struct{ Full, Away, Failed, Fenced, Large uint64 }

// CacheState is the state of a cache at one moment.
type CacheState struct {
	Layers           []CacheLayer // no two of one layer and strategy
	Dropped          CacheDropped
	Reading, Writing bool // Redis is asked, and written to
}

// CacheOther is the strategy of entries whose strategy the cache was not made with.
const CacheOther = "other"

func newCache(reg prometheus.Registerer) *Cache {
	c := &Cache{loads: promauto.With(reg).NewHistogramVec(prometheus.HistogramOpts{
		Name:    "carbongraph_cache_load_seconds",
		Help:    "Time of one load of what no layer had, with its wait for another server that loaded the same, by strategy.",
		Buckets: []float64{.001, .005, .02, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
	}, []string{"strategy"})}
	c.Strategy(CacheOther)
	reg.MustRegister(cacheCollector{c})
	return c
}

// Strategy gives a strategy its series of loads.
func (c *Cache) Strategy(name string) {
	if c != nil {
		c.loads.WithLabelValues(name)
	}
}

// Loaded records one load. The strategy is one that Strategy was told, or CacheOther.
func (c *Cache) Loaded(strategy string, took time.Duration) {
	if c != nil {
		c.loads.WithLabelValues(strategy).Observe(took.Seconds())
	}
}

// Watch has the cache's state read at each scrape, until the function that it gives back is called. Of several caches the last is measured.
func (c *Cache) Watch(read func() CacheState) (stop func()) {
	if c == nil {
		return func() {}
	}
	c.read.Store(&read)
	return func() { c.read.CompareAndSwap(&read, nil) }
}

// cacheCollector reads the cache when it is asked, so that a hit costs no more than its own count.
type cacheCollector struct{ c *Cache }

func cacheRequests() *prometheus.Desc {
	return prometheus.NewDesc("carbongraph_cache_requests_total",
		"Look-ups of the cache by layer, strategy and result: hit, miss, stale (served past its time of freshness), negative (known to be absent), error, corrupt.",
		[]string{"layer", "strategy", "result"}, nil)
}
func cacheEvictions() *prometheus.Desc {
	return prometheus.NewDesc("carbongraph_cache_evictions_total", "Entries that left the process's layer to make room, by strategy.", []string{"strategy"}, nil)
}
func cacheBytes() *prometheus.Desc {
	return prometheus.NewDesc("carbongraph_cache_bytes", "Bytes of the process's layer, by strategy.", []string{"strategy"}, nil)
}
func cacheEntries() *prometheus.Desc {
	return prometheus.NewDesc("carbongraph_cache_entries", "Entries of the process's layer, by strategy.", []string{"strategy"}, nil)
}
func cacheDropped() *prometheus.Desc {
	return prometheus.NewDesc("carbongraph_cache_writes_dropped_total",
		"Entries that were not written to Redis, by reason: full (too many waited), away, failed, fenced (removed meanwhile), large.", []string{"reason"}, nil)
}
func cacheRedis() *prometheus.Desc {
	return prometheus.NewDesc("carbongraph_cache_redis_up", "Whether Redis is used for entries, by use: read or write. 0 where it is away or none is set.", []string{"use"}, nil)
}

// Describe tells the registry what Collect will give.
func (cacheCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{cacheRequests(), cacheEvictions(), cacheBytes(), cacheEntries(), cacheDropped(), cacheRedis()} {
		out <- d
	}
}

// Collect reads the cache once.
func (c cacheCollector) Collect(out chan<- prometheus.Metric) {
	s := CacheState{Layers: []CacheLayer{{Layer: "L1", Strategy: CacheOther}, {Layer: "L2", Strategy: CacheOther}}}
	if read := c.c.read.Load(); read != nil {
		s = (*read)()
	}
	count := func(d *prometheus.Desc, n uint64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	gauge := func(d *prometheus.Desc, n int64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n), labels...)
	}
	for _, l := range s.Layers {
		for _, r := range []struct {
			result string
			n      uint64
		}{{"hit", l.Hits}, {"miss", l.Misses}, {"stale", l.Stale}, {"negative", l.Negative}, {"error", l.Errors}, {"corrupt", l.Corrupt}} {
			count(cacheRequests(), r.n, l.Layer, l.Strategy, r.result)
		}
		if l.Layer == "L1" { // Redis has its own measurements of what it holds
			count(cacheEvictions(), l.Evictions, l.Strategy)
			gauge(cacheBytes(), l.Bytes, l.Strategy)
			gauge(cacheEntries(), l.Entries, l.Strategy)
		}
	}
	count(cacheDropped(), s.Dropped.Full, "full")
	count(cacheDropped(), s.Dropped.Away, "away")
	count(cacheDropped(), s.Dropped.Failed, "failed")
	count(cacheDropped(), s.Dropped.Fenced, "fenced")
	count(cacheDropped(), s.Dropped.Large, "large")
	gauge(cacheRedis(), oneIf(s.Reading), "read")
	gauge(cacheRedis(), oneIf(s.Writing), "write")
}

func oneIf(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}
