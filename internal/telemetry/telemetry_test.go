package telemetry_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"carbongraph/internal/fault"
	"carbongraph/internal/telemetry"
)

// scrape measures one of everything and reads what comes out.
func scrape(t *testing.T) string {
	t.Helper()
	tel := telemetry.New()
	tel.Store.Statement(t.Context(), "SELECT", "suppliers", time.Millisecond, true)
	tel.Store.Pool(func() telemetry.PoolStats { return telemetry.PoolStats{Max: 8, Open: 3, InUse: 2, Idle: 1} })
	tel.Loader.Batch("supplier", 20)
	tel.HTTP.Begin()()
	tel.HTTP.Request("/graphql", "BREW", 200, time.Millisecond)
	tel.GraphQL.Operation("query", "ok", time.Millisecond)
	tel.GraphQL.Error(fault.NotFound)
	tel.GraphQL.Engine("short", "")
	tel.GraphQL.Cost(100, 25)
	tel.GraphQL.Cost(0, 0)
	tel.GraphQL.StreamOpened("sse")
	tel.GraphQL.StreamOpened("websocket")
	tel.GraphQL.StreamClosed("websocket")
	tel.Gate.Entered()
	tel.Gate.Entered()
	tel.Gate.Left()
	tel.Gate.Limit(64)
	tel.Gate.Waiting(3)
	tel.Gate.Waited(20 * time.Millisecond)
	tel.Gate.Refused(telemetry.RefusedPace)
	tel.Gate.Taken(100)
	tel.Gate.Returned(75)
	tel.Gate.Shared(false)
	tel.Gate.Shared(true)
	tel.Store.Replica("replica:5432", "served")
	tel.Batch.Begun("IMPORT")
	tel.Batch.Ended("IMPORT", telemetry.BatchPartial, time.Second)
	tel.Cache.Strategy("api_responses")
	tel.Cache.Loaded("api_responses", 20*time.Millisecond)
	tel.Cache.Watch(func() telemetry.CacheState {
		return telemetry.CacheState{
			Layers: []telemetry.CacheLayer{{Layer: "L1", Strategy: "api_responses", Hits: 7, Stale: 2, Evictions: 3, Bytes: 4096, Entries: 5},
				{Layer: "L2", Strategy: "api_responses", Misses: 4, Corrupt: 1}},
			Dropped: telemetry.CacheDropped{Full: 6}, Reading: true,
		}
	})
	tel.Broker.LookedUp("http", "answered", false)
	tel.Broker.LookedUp("http", "answered", true)
	tel.Broker.LookedUp("https://me:secret@example.com", "failed", false)
	tel.Broker.Called("http", 20*time.Millisecond)
	tel.Broker.Model("small")
	tel.Broker.Tokens("small", 300, 20)
	w := httptest.NewRecorder()
	tel.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

func TestTheDocumentListsExactlyTheMetrics(t *testing.T) {
	var declared, documented []string
	for _, m := range regexp.MustCompile(`(?m)^# HELP (carbongraph_\S+) (.*)$`).FindAllStringSubmatch(scrape(t), -1) {
		declared = append(declared, m[1]+": "+m[2])
	}
	text, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `(carbongraph_\\S+)` \\| \\w+ \\| (.*) \\|$").FindAllStringSubmatch(string(text), -1) {
		documented = append(documented, m[1]+": "+m[2])
	}
	slices.Sort(declared)
	slices.Sort(documented)
	if len(declared) == 0 || !slices.Equal(declared, documented) {
		t.Errorf("declared:\n%s\ndocumented:\n%s", strings.Join(declared, "\n"), strings.Join(documented, "\n"))
	}
}

func TestLabelsDoNotGrowWithWhatClientsInvent(t *testing.T) {
	out := scrape(t)
	if strings.Contains(out, "BREW") || !strings.Contains(out, `method="other"`) {
		t.Error("a method that is none became a label")
	}
	if !strings.Contains(out, `carbongraph_store_pool_connections{state="in_use"} 2`) || !strings.Contains(out, "go_goroutines") {
		t.Error("the pool or the runtime is missing")
	}
}

func TestWhatTheGateAndTheCostMeasure(t *testing.T) {
	out := scrape(t)
	for _, line := range []string{
		"carbongraph_gate_in_flight 1", "carbongraph_gate_limit 64", "carbongraph_gate_waiting 3", "carbongraph_gate_rate_store 1",
		`carbongraph_gate_wait_seconds_bucket{le="0.025"} 1`, `carbongraph_gate_wait_seconds_bucket{le="0.01"} 0`,
		`carbongraph_gate_refused_total{reason="pace"} 1`, `carbongraph_gate_refused_total{reason="rate"} 0`,
		`carbongraph_gate_points_total{kind="taken"} 100`, `carbongraph_gate_points_total{kind="returned"} 75`,
		`carbongraph_graphql_cost_ratio_bucket{le="0.25"} 1`, `carbongraph_graphql_cost_ratio_bucket{le="0.1"} 0`, "carbongraph_graphql_cost_ratio_count 1",
		`carbongraph_graphql_cost_points_total{kind="estimated"} 100`, `carbongraph_graphql_cost_points_total{kind="actual"} 25`,
		`carbongraph_graphql_streams{transport="sse"} 1`, `carbongraph_graphql_streams{transport="websocket"} 0`,
	} {
		if !strings.Contains(out, "\n"+line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
}

func TestWhatTheCacheMeasures(t *testing.T) {
	out := scrape(t)
	for _, line := range []string{
		`carbongraph_cache_requests_total{layer="L1",result="hit",strategy="api_responses"} 7`, `carbongraph_cache_requests_total{layer="L1",result="stale",strategy="api_responses"} 2`,
		`carbongraph_cache_requests_total{layer="L2",result="miss",strategy="api_responses"} 4`, `carbongraph_cache_requests_total{layer="L2",result="corrupt",strategy="api_responses"} 1`,
		`carbongraph_cache_evictions_total{strategy="api_responses"} 3`, `carbongraph_cache_bytes{strategy="api_responses"} 4096`, `carbongraph_cache_entries{strategy="api_responses"} 5`,
		`carbongraph_cache_writes_dropped_total{reason="full"} 6`, `carbongraph_cache_writes_dropped_total{reason="away"} 0`,
		`carbongraph_cache_redis_up{use="read"} 1`, `carbongraph_cache_redis_up{use="write"} 0`,
		`carbongraph_cache_load_seconds_bucket{strategy="api_responses",le="0.02"} 1`, `carbongraph_cache_load_seconds_count{strategy="other"} 0`,
	} {
		if !strings.Contains(out, "\n"+line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
}

func TestWhatTheBrokerMeasures(t *testing.T) {
	out := scrape(t)
	for _, line := range []string{
		`carbongraph_broker_look_ups_total{source="http",status="answered"} 2`, `carbongraph_broker_look_ups_total{source="datasets",status="answered"} 0`,
		`carbongraph_broker_look_ups_total{source="other",status="failed"} 1`, `carbongraph_broker_kept_total{source="http"} 1`,
		`carbongraph_broker_call_seconds_bucket{source="http",le="0.02"} 1`, `carbongraph_broker_call_seconds_bucket{source="http",le="0.005"} 0`,
		`carbongraph_broker_tokens_total{kind="prompt",model="small"} 300`, `carbongraph_broker_tokens_total{kind="completion",model="small"} 20`,
		`carbongraph_broker_tokens_total{kind="prompt",model="none"} 0`,
	} {
		if !strings.Contains(out, "\n"+line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
	if strings.Contains(out, "secret") {
		t.Error("a name that is none of ours became a label")
	}
}

func TestNilGroupsMeasureNothing(t *testing.T) {
	var s *telemetry.Store
	s.Statement(t.Context(), "SELECT", "x", 0, true)
	s.Pool(nil)()
	(*telemetry.Loader)(nil).Batch("x", 1)
	(*telemetry.Broker)(nil).LookedUp("x", "answered", true)
	(*telemetry.Broker)(nil).Called("x", 0)
	(*telemetry.Broker)(nil).Model("x")
	(*telemetry.Broker)(nil).Tokens("x", 1, 1)
	(*telemetry.HTTP)(nil).Begin()()
	(*telemetry.HTTP)(nil).Request("/", "GET", 200, 0)
	(*telemetry.GraphQL)(nil).Operation("query", "ok", 0)
	(*telemetry.GraphQL)(nil).Error(fault.Internal)
	(*telemetry.GraphQL)(nil).Engine("short", "")
	(*telemetry.GraphQL)(nil).Cost(2, 1)
	(*telemetry.GraphQL)(nil).StreamOpened("sse")
	(*telemetry.GraphQL)(nil).StreamClosed("sse")
	var g *telemetry.Gate
	g.Entered()
	g.Left()
	g.Limit(1)
	g.Waiting(1)
	g.Waited(0)
	g.Refused(telemetry.RefusedFull)
	g.Taken(1)
	g.Returned(1)
	g.Shared(true)
	(*telemetry.Request)(nil).Operate("query", "x", "y")
	if (*telemetry.Request)(nil).Statements() != 0 {
		t.Error("statements out of nothing")
	}
}

func TestStatementsAreCountedForTheirRequest(t *testing.T) {
	r := &telemetry.Request{}
	ctx := telemetry.WithRequest(t.Context(), r)
	telemetry.New().Store.Statement(ctx, "SELECT", "x", 0, false)
	(*telemetry.Store)(nil).Statement(ctx, "SELECT", "x", 0, false)
	telemetry.New().Store.Statement(context.Background(), "SELECT", "x", 0, false)
	if r.Statements() != 2 {
		t.Errorf("%d statements; want 2", r.Statements())
	}
}

func observed(log io.Writer, f http.HandlerFunc) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /thing/{id}", f)
	return telemetry.Observe(telemetry.New().HTTP, telemetry.NewLog(log, slog.LevelInfo, false), mux)
}

func TestObserve(t *testing.T) {
	t.Run("an id of the client comes back, one that is none is replaced", func(t *testing.T) {
		h := observed(io.Discard, func(http.ResponseWriter, *http.Request) {})
		for sent, kept := range map[string]bool{"abc-123-def": true, "": false, "x\"}{": false, strings.Repeat("a", 65): false, "short": false} {
			r := httptest.NewRequest("GET", "/thing/1", nil)
			r.Header.Set("X-Request-Id", sent)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if got := w.Header().Get("X-Request-Id"); (got == sent) != kept || len(got) < 8 {
				t.Errorf("sent %q, got %q", sent, got)
			}
		}
	})
	t.Run("the line names the route, not the address", func(t *testing.T) {
		var log strings.Builder
		h := observed(&log, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(201); io.WriteString(w, "four") })
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/thing/a-secret?key=a-secret", nil))
		var line struct {
			Route, Method, Level string
			Status, Bytes        int
		}
		if err := json.Unmarshal([]byte(log.String()), &line); err != nil || line.Route != "/thing/{id}" || line.Status != 201 || line.Bytes != 4 || strings.Contains(log.String(), "a-secret") {
			t.Errorf("%v: %s", err, log.String())
		}
	})
	t.Run("a panic before the answer is INTERNAL, and in the log", func(t *testing.T) {
		var log strings.Builder
		w := httptest.NewRecorder()
		observed(&log, func(http.ResponseWriter, *http.Request) { panic("a secret") }).ServeHTTP(w, httptest.NewRequest("GET", "/thing/1", nil))
		var p fault.Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != 500 || p.Code != fault.Internal || p.RequestID != w.Header().Get("X-Request-Id") || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if !strings.Contains(log.String(), "a secret") || !strings.Contains(log.String(), p.RequestID) {
			t.Errorf("the log: %s", log.String())
		}
	})
	t.Run("a panic in the middle breaks the answer off", func(t *testing.T) {
		srv := httptest.NewServer(observed(io.Discard, func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "half")
			http.NewResponseController(w).Flush()
			panic("x")
		}))
		defer srv.Close()
		res, err := http.Get(srv.URL + "/thing/1")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if _, err := io.ReadAll(res.Body); err == nil {
			t.Error("the answer looks whole")
		}
	})
}
