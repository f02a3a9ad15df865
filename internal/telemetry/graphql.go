package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"carbongraph/internal/fault"
)

// GraphQL measures operations. A nil GraphQL measures nothing.
type GraphQL struct {
	seconds *prometheus.HistogramVec
	errors  *prometheus.CounterVec
	engines *prometheus.CounterVec
}

func newGraphQL(reg prometheus.Registerer) *GraphQL {
	return &GraphQL{
		seconds: promauto.With(reg).NewHistogramVec(prometheus.HistogramOpts{
			Name:    "carbongraph_graphql_operation_seconds",
			Help:    "Time of one operation, by kind (query, mutation, subscription, none) and result (ok, partial, failed).",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"kind", "result"}),
		errors: promauto.With(reg).NewCounterVec(prometheus.CounterOpts{
			Name: "carbongraph_graphql_errors_total",
			Help: "Errors in answers, by code.",
		}, []string{"code"}),
		engines: promauto.With(reg).NewCounterVec(prometheus.CounterOpts{
			Name: "carbongraph_graphql_engine_total",
			Help: "Operations by the engine that served them (short, gqlgen) and why it was not the short one: off, kind, schema, field, argument, error, null.",
		}, []string{"engine", "reason"}),
	}
}

// Operation records one operation. Kind is query, mutation, subscription, or none where the document was refused; result is ok, partial or failed.
func (g *GraphQL) Operation(kind, result string, took time.Duration) {
	if g != nil {
		g.seconds.WithLabelValues(kind, result).Observe(took.Seconds())
	}
}

// Engine counts an operation by the engine that serves it: short, or gqlgen and the reason why it is not the short one.
func (g *GraphQL) Engine(engine, reason string) {
	if g != nil {
		g.engines.WithLabelValues(engine, reason).Inc()
	}
}

// Error counts one error of an answer.
func (g *GraphQL) Error(code fault.Code) {
	if g != nil {
		g.errors.WithLabelValues(string(code)).Inc()
	}
}
