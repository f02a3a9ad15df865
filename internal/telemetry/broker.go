package telemetry

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Broker measures the look-ups of factors. A nil Broker measures nothing.
type Broker struct {
	lookUps *prometheus.CounterVec
	kept    *prometheus.CounterVec
	calls   *prometheus.HistogramVec
	tokens  *prometheus.CounterVec
}

// factorSources are the sources that have series of their own; others share one.
func factorSources() []string {
	return []string{"datasets", "http", "language-model", "supplier", "text-match", otherSource}
}

const otherSource = "other"

func newBroker(reg prometheus.Registerer) *Broker {
	b := &Broker{
		lookUps: promauto.With(reg).NewCounterVec(prometheus.CounterOpts{
			Name: "carbongraph_broker_look_ups_total",
			Help: "Factor look-ups by source and how they ended: answered, nothing, timed_out, refused, failed, breaker_open, malformed, hallucinated, limit_reached, not_needed, cancelled.",
		}, []string{"source", "status"}),
		kept: promauto.With(reg).NewCounterVec(prometheus.CounterOpts{
			Name: "carbongraph_broker_kept_total", Help: "Factor look-ups that were answered from what was kept, by source.",
		}, []string{"source"}),
		calls: promauto.With(reg).NewHistogramVec(prometheus.HistogramOpts{
			Name:    "carbongraph_broker_call_seconds",
			Help:    "Time of one call of a factor source, with its wait for a place and its retries, by source.",
			Buckets: []float64{.001, .005, .02, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}, []string{"source"}),
		tokens: promauto.With(reg).NewCounterVec(prometheus.CounterOpts{
			Name: "carbongraph_broker_tokens_total", Help: "Tokens of the language model, by model (none where none is set) and kind: prompt or completion.",
		}, []string{"model", "kind"}),
	}
	for _, s := range factorSources() {
		b.lookUps.WithLabelValues(s, "answered")
		b.kept.WithLabelValues(s)
		b.calls.WithLabelValues(s)
	}
	b.Model("none")
	return b
}

func factorSource(name string) string {
	if slices.Contains(factorSources(), name) {
		return name
	}
	return otherSource
}

// LookedUp counts the look-up of one question at one source, and whether what was kept answered it.
func (b *Broker) LookedUp(source, status string, kept bool) {
	if b == nil {
		return
	}
	b.lookUps.WithLabelValues(factorSource(source), status).Inc()
	if kept {
		b.kept.WithLabelValues(factorSource(source)).Inc()
	}
}

// Called records one call of a source.
func (b *Broker) Called(source string, took time.Duration) {
	if b != nil {
		b.calls.WithLabelValues(factorSource(source)).Observe(took.Seconds())
	}
}

const promptTokens, completionTokens = "prompt", "completion"

// Model gives the model of the settings its series.
func (b *Broker) Model(name string) {
	if b != nil {
		b.tokens.WithLabelValues(name, promptTokens)
		b.tokens.WithLabelValues(name, completionTokens)
	}
}

// Tokens counts what one call of a model took. The name is that of the settings, never one that a server sent.
func (b *Broker) Tokens(model string, prompt, completion int64) {
	if b != nil {
		b.tokens.WithLabelValues(model, promptTokens).Add(float64(max(0, prompt)))
		b.tokens.WithLabelValues(model, completionTokens).Add(float64(max(0, completion)))
	}
}
