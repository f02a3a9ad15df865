// Package telemetry declares every metric of the program, and the log.
package telemetry

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Telemetry is every group of metrics, each handed to its own room.
type Telemetry struct {
	Store    *Store
	Loader   *Loader
	HTTP     *HTTP
	GraphQL  *GraphQL
	Gate     *Gate
	Broker   *Broker
	Batch    *Batch
	Cache    *Cache
	Versions *Versions
	Warming  *Warming

	registry *prometheus.Registry
}

// New declares all metrics in a registry of their own.
func New() *Telemetry {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return &Telemetry{
		Store:    newStore(reg),
		Loader:   newLoader(reg),
		HTTP:     newHTTP(reg),
		GraphQL:  newGraphQL(reg),
		Gate:     newGate(reg),
		Broker:   newBroker(reg),
		Batch:    newBatch(reg),
		Cache:    newCache(reg),
		Versions: newVersions(reg),
		Warming:  newWarming(reg),
		registry: reg,
	}
}

// Handler serves the metrics in Prometheus' text form and in OpenMetrics.
func (t *Telemetry) Handler() http.Handler {
	return promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{Registry: t.registry, EnableOpenMetrics: true})
}
