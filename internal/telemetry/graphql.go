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
	ratio   prometheus.Histogram
	points  *prometheus.CounterVec
	streams *prometheus.GaugeVec
}

const estimatedCost, actualCost = "estimated", "actual"

func newGraphQL(reg prometheus.Registerer) *GraphQL {
	g := &GraphQL{
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
		ratio: promauto.With(reg).NewHistogram(prometheus.HistogramOpts{
			Name:    "carbongraph_graphql_cost_ratio",
			Help:    "Actual cost of an operation as a part of its estimate.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, .75, 1, 1.5, 2, 5},
		}),
		points: known(promauto.With(reg).NewCounterVec(prometheus.CounterOpts{
			Name: "carbongraph_graphql_cost_points_total",
			Help: "Cost points of all operations, by kind: estimated before or actual after.",
		}, []string{"kind"}), estimatedCost, actualCost),
		streams: promauto.With(reg).NewGaugeVec(prometheus.GaugeOpts{
			Name: "carbongraph_graphql_streams",
			Help: "Streams of answers that are open, by transport: websocket or sse.",
		}, []string{"transport"}),
	}
	g.streams.WithLabelValues("websocket")
	g.streams.WithLabelValues("sse")
	return g
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

// Cost records what an operation was estimated to cost and what it did.
func (g *GraphQL) Cost(estimated, actual int) {
	if g == nil {
		return
	}
	g.points.WithLabelValues(estimatedCost).Add(float64(estimated))
	g.points.WithLabelValues(actualCost).Add(float64(actual))
	if estimated > 0 {
		g.ratio.Observe(float64(actual) / float64(estimated))
	}
}

// StreamOpened counts a stream as open, until StreamClosed. The transport is websocket or sse.
func (g *GraphQL) StreamOpened(transport string) {
	if g != nil {
		g.streams.WithLabelValues(transport).Inc()
	}
}

// StreamClosed ends what StreamOpened began.
func (g *GraphQL) StreamClosed(transport string) {
	if g != nil {
		g.streams.WithLabelValues(transport).Dec()
	}
}
