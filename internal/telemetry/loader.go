package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Loader measures the batches of loaders. A nil Loader measures nothing.
type Loader struct{ keys *prometheus.HistogramVec }

func newLoader(reg prometheus.Registerer) *Loader {
	return &Loader{keys: promauto.With(reg).NewHistogramVec(prometheus.HistogramOpts{
		Name:    "carbongraph_loader_batch_keys",
		Help:    "Keys per loader batch; a pile at one is an N+1.",
		Buckets: []float64{1, 2, 5, 10, 50, 100, 500, 1000},
	}, []string{"loader"})}
}

// Batch records one batch of the named loader.
func (l *Loader) Batch(name string, keys int) {
	if l != nil {
		l.keys.WithLabelValues(name).Observe(float64(keys))
	}
}
