package graph_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"carbongraph/graph"
	"carbongraph/internal/gate"
)

// silent is an answer that nobody reads.
type silent struct{ header http.Header }

func (s silent) Header() http.Header         { return s.header }
func (s silent) Write(b []byte) (int, error) { return len(b), nil }
func (s silent) WriteHeader(int)             {}

// What every limit together takes of an accepted request: the difference of the two.
func BenchmarkLimits(b *testing.B) {
	for name, o := range map[string]graph.Options{
		"none": {},
		"all": {Limits: contract, Rate: gate.NewRate(gate.RateOptions{Points: 1 << 30}), Points: 1 << 30, Period: time.Minute,
			Admission: gate.NewAdmission(gate.AdmissionOptions{Most: 256}), Streams: gate.NewStreams(100)},
	} {
		o.Timeout = 10 * time.Second
		b.Run(name, func(b *testing.B) {
			server := newBenchOf(b, o)
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest("POST", "/graphql", strings.NewReader(`{"query":"{categories{number}}","variables":{}}`))
				r.Header.Set("Content-Type", "application/json")
				server.ServeHTTP(silent{http.Header{}}, r)
			}
		})
	}
}
