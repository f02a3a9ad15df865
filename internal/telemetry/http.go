package telemetry

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// HTTP measures requests. A nil HTTP measures nothing.
type HTTP struct {
	seconds  *prometheus.HistogramVec
	inFlight prometheus.Gauge
}

func newHTTP(reg prometheus.Registerer) *HTTP {
	return &HTTP{
		seconds: promauto.With(reg).NewHistogramVec(prometheus.HistogramOpts{
			Name:    "carbongraph_http_request_seconds",
			Help:    "Time of one request, by route pattern, method and status code.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"route", "method", "code"}),
		inFlight: promauto.With(reg).NewGauge(prometheus.GaugeOpts{
			Name: "carbongraph_http_requests_in_flight",
			Help: "Requests being answered now.",
		}),
	}
}

// Begin counts a request as running until the function that it gives back is called.
func (h *HTTP) Begin() (end func()) {
	if h == nil {
		return func() {}
	}
	h.inFlight.Inc()
	return h.inFlight.Dec
}

// Request records one answered request. The route is a pattern of ours, never the address that the client sent.
func (h *HTTP) Request(route, method string, code int, took time.Duration) {
	if h != nil {
		h.seconds.WithLabelValues(route, knownMethod(method), strconv.Itoa(code)).Observe(took.Seconds())
	}
}

// knownMethod keeps a label from growing with what clients invent.
func knownMethod(method string) string {
	switch method {
	case "GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT", "PATCH":
		return method
	}
	return "other"
}
