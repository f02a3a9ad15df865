package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Versions measures the memory of versions. A nil Versions measures nothing.
type Versions struct {
	reads, drops *prometheus.CounterVec
	trusted      prometheus.Gauge
}

// VersionRead is why versions were read from the database.
type VersionRead string

// The reasons: they were not in memory; a client had seen newer ones; memory was not trusted.
const (
	VersionsAbsent    VersionRead = "absent"
	VersionsOlder     VersionRead = "older"
	VersionsUntrusted VersionRead = "untrusted"
)

// VersionDrop is why versions were dropped from memory.
type VersionDrop string

// The reasons: a commit of this process; another server told; the database was asked; messages were missed, or the database could not be asked, so all went.
const (
	DroppedByCommit  VersionDrop = "commit"
	DroppedByMessage VersionDrop = "message"
	DroppedByPoll    VersionDrop = "poll"
	DroppedByGap     VersionDrop = "gap"
)

func newVersions(reg prometheus.Registerer) *Versions {
	counter := func(name, help, label string, values ...string) *prometheus.CounterVec {
		return known(promauto.With(reg).NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label}), values...)
	}
	return &Versions{
		reads: counter("carbongraph_versions_reads_total", "Reads of an organization's versions from the database, by reason: absent, older, untrusted.",
			"reason", string(VersionsAbsent), string(VersionsOlder), string(VersionsUntrusted)),
		drops: counter("carbongraph_versions_drops_total", "Times that versions in memory were dropped, by reason: commit, message, poll, gap.",
			"reason", string(DroppedByCommit), string(DroppedByMessage), string(DroppedByPoll), string(DroppedByGap)),
		trusted: promauto.With(reg).NewGauge(prometheus.GaugeOpts{Name: "carbongraph_versions_trusted",
			Help: "Whether versions in memory may be used: 1 while the database tells of changes, 0 while each request reads them."}),
	}
}

// Read counts a read from the database.
func (v *Versions) Read(why VersionRead) {
	if v != nil {
		v.reads.WithLabelValues(string(why)).Inc()
	}
}

// Drop counts a drop from memory.
func (v *Versions) Drop(why VersionDrop) {
	if v != nil {
		v.drops.WithLabelValues(string(why)).Inc()
	}
}

// Trusted tells whether memory may be used.
func (v *Versions) Trusted(is bool) {
	if v == nil {
		return
	}
	v.trusted.Set(0)
	if is {
		v.trusted.Set(1)
	}
}
