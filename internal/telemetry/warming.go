package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Warming measures answers that are made before anybody asks. A nil Warming measures nothing.
type Warming struct {
	operations *prometheus.CounterVec
	seconds    prometheus.Histogram
}

// WarmedFor is why operations are run that nobody waits for.
type WarmedFor string

// The reasons: the server starts; an organization's ledger has changed; now and then, before answers are too old; an operator asks.
const (
	WarmedAtStart    WarmedFor = "start"
	WarmedByChange   WarmedFor = "change"
	WarmedBySchedule WarmedFor = "schedule"
	WarmedByCommand  WarmedFor = "command"
)

// WarmResult is what became of one.
type WarmResult string

// The results: its answer was made; was there; could not be kept, or made; was left out, for want of time or because the server was busy.
const (
	WarmMade   WarmResult = "made"
	WarmKept   WarmResult = "kept"
	WarmFailed WarmResult = "failed"
	WarmLeft   WarmResult = "left"
)

func newWarming(reg prometheus.Registerer) *Warming {
	w := &Warming{
		operations: promauto.With(reg).NewCounterVec(prometheus.CounterOpts{
			Name: "carbongraph_warming_operations_total",
			Help: "Operations that are asked often and were looked at before anybody asked, by why (start, change, schedule, command) and result: made, kept (the answer was there), failed, left (no time, or the server was busy).",
		}, []string{"why", "result"}),
		seconds: promauto.With(reg).NewHistogram(prometheus.HistogramOpts{
			Name:    "carbongraph_warming_seconds",
			Help:    "Time of making one answer before anybody asked.",
			Buckets: []float64{.001, .005, .02, .1, .5, 1, 5, 10},
		}),
	}
	for _, why := range []WarmedFor{WarmedAtStart, WarmedByChange, WarmedBySchedule, WarmedByCommand} {
		for _, result := range []WarmResult{WarmMade, WarmKept, WarmFailed, WarmLeft} {
			w.operations.WithLabelValues(string(why), string(result))
		}
	}
	return w
}

// Operations counts operations that were looked at.
func (w *Warming) Operations(why WarmedFor, result WarmResult, n int) {
	if w != nil {
		w.operations.WithLabelValues(string(why), string(result)).Add(float64(n))
	}
}

// Made records how long the making of an answer took.
func (w *Warming) Made(took time.Duration) {
	if w != nil {
		w.seconds.Observe(took.Seconds())
	}
}
