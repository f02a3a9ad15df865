package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Batch measures batches in the background. A nil Batch measures nothing.
type Batch struct {
	running  *prometheus.GaugeVec
	duration *prometheus.HistogramVec
}

// BatchResult is how a server's work on a batch ended.
type BatchResult string

// The results: the batch ended as its status says; or it was left, for another server or for later.
const (
	BatchSucceeded BatchResult = "succeeded"
	BatchPartial   BatchResult = "partial"
	BatchFailed    BatchResult = "failed"
	BatchCancelled BatchResult = "cancelled"
	BatchLeft      BatchResult = "left"
)

func newBatch(reg prometheus.Registerer) *Batch {
	b := &Batch{
		running: promauto.With(reg).NewGaugeVec(prometheus.GaugeOpts{
			Name: "carbongraph_batches_running",
			Help: "Batches that this server is at, by kind.",
		}, []string{"kind"}),
		duration: promauto.With(reg).NewHistogramVec(prometheus.HistogramOpts{
			Name:    "carbongraph_batch_duration_seconds",
			Help:    "Time that this server was at a batch, by kind and how that ended: succeeded, partial, failed, cancelled, or left for another server or for later.",
			Buckets: []float64{.1, .5, 1, 5, 15, 60, 300, 900, 3600},
		}, []string{"kind", "result"}),
	}
	for _, kind := range []string{"RECALCULATION", "IMPORT", "EXPORT"} {
		b.running.WithLabelValues(kind)
		for _, result := range []BatchResult{BatchSucceeded, BatchPartial, BatchFailed, BatchCancelled, BatchLeft} {
			b.duration.WithLabelValues(kind, string(result))
		}
	}
	return b
}

// Begun counts a batch as running, until Ended.
func (b *Batch) Begun(kind string) {
	if b != nil {
		b.running.WithLabelValues(kind).Inc()
	}
}

// Ended ends what Begun began.
func (b *Batch) Ended(kind string, result BatchResult, took time.Duration) {
	if b != nil {
		b.running.WithLabelValues(kind).Dec()
		b.duration.WithLabelValues(kind, string(result)).Observe(took.Seconds())
	}
}
