package graph_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"carbongraph/graph"
	"carbongraph/internal/gate"
	"carbongraph/internal/telemetry"
)

// metered is a bench where each key may spend so many points.
func metered(t testing.TB, points int) (*bench, *gate.Rate) {
	t.Helper()
	rate := gate.NewRate(gate.RateOptions{Points: points, Period: time.Hour})
	return newBenchOf(t, graph.Options{Limits: contract, Rate: rate, Points: points, Period: time.Minute}), rate
}

func (b *bench) spent(rate *gate.Rate) int {
	s := rate.Look(context.Background(), b.viewer.Caller())
	return s.Limit - s.Remaining
}

// spelt is the value of a header that is written as it is spelt.
func spelt(header http.Header, name string) string { return strings.Join(header[name], "|") }

const page = `{suppliers(first:20){nodes{name}}}`

func TestPoints(t *testing.T) {
	t.Run("are told of with each answer", func(t *testing.T) {
		b, _ := metered(t, 1000)
		got := b.ask(t, "{categories{number}}", nil)
		for header, want := range map[string]string{"RateLimit-Policy": `"points";q=1000;w=60`, "RateLimit": `"points";r=`, "GraphQL-Cost": "estimated="} {
			if line := spelt(got.header, header); !strings.HasPrefix(line, want) {
				t.Errorf("%s: %q; want %q", header, line, want)
			}
		}
		if got := newBench(t).ask(t, "{categories{number}}", nil); spelt(got.header, "RateLimit") != "" || spelt(got.header, "RateLimit-Policy") != "" {
			t.Errorf("a bound is told where there is none: %s", got.header)
		}
		if got := newBench(t).ask(t, "{nope}", nil); spelt(got.header, "GraphQL-Cost") != "estimated=0, actual=0" {
			t.Errorf("what is refused: %s", got.header)
		}
	})
	t.Run("that were not used come back", func(t *testing.T) {
		b, rate := metered(t, 1000)
		got := b.ask(t, `mutation{upsertSuppliers(input:{suppliers:[]}){results{supplier{name}}}}`, nil)
		var estimated, actual int
		if _, err := fmt.Sscanf(spelt(got.header, "GraphQL-Cost"), "estimated=%d, actual=%d", &estimated, &actual); err != nil || len(got.Errors) > 0 {
			t.Fatalf("%v %s %s", err, got.header, got.text)
		}
		if spent := b.spent(rate); spent != max(actual, 1) {
			t.Errorf("%d points were taken of an operation that cost %d", spent, actual)
		}
	})
	t.Run("run out", func(t *testing.T) {
		b, rate := metered(t, 10)
		for range 10 {
			if got := b.ask(t, "{__typename}", nil); got.status != 200 || len(got.Errors) > 0 {
				t.Fatalf("%d %s", got.status, got.text)
			}
		}
		begun := b.begun.Load()
		for _, accept := range []string{"application/json", "application/graphql-response+json"} {
			got := b.post(t, `{"query":"{__typename}"}`, "Accept", accept)
			if got.status != 429 || got.code() != "RATE_LIMITED" || got.Data != nil || got.header.Get("Retry-After") == "" || spelt(got.header, "RateLimit") == "" || got.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%d %s %s", got.status, got.header, got.text)
			}
		}
		if b.begun.Load() != begun {
			t.Error("something was run all the same")
		}
		if spent := b.spent(rate); spent != 10 {
			t.Errorf("%d points are spent", spent)
		}
	})
	t.Run("that were refused are not given back", func(t *testing.T) {
		b, rate := metered(t, 50)
		for range 40 {
			b.ask(t, "{__typename}", nil)
		}
		for range 3 {
			if got := b.ask(t, page, nil); got.code() != "RATE_LIMITED" || got.header.Get("Retry-After") == "" {
				t.Errorf("%s %s", got.header, got.text)
			}
		}
		if spent := b.spent(rate); spent != 40 {
			t.Errorf("%d points are spent after refusals; want the 40 that were", spent)
		}
	})
	t.Run("are never enough for some", func(t *testing.T) {
		b, _ := metered(t, 5)
		got := b.ask(t, page, nil)
		if got.status != 429 || got.code() != "RATE_LIMITED" || got.header.Get("Retry-After") != "" || !strings.Contains(got.text, "may spend 5 at once") {
			t.Errorf("%d %s %s", got.status, got.header, got.text)
		}
	})
	t.Run("are not taken for what is over the limit of cost", func(t *testing.T) {
		b, rate := metered(t, 1000)
		got := b.ask(t, `{suppliers(first:500){nodes{emissions(first:500){nodes{id}}}}}`, nil)
		if got.status != 400 || got.code() != "COST_LIMIT_EXCEEDED" || b.spent(rate) != 0 || !strings.HasSuffix(spelt(got.header, "GraphQL-Cost"), ", actual=0") {
			t.Errorf("%d %s %s, %d spent", got.status, got.header, got.text, b.spent(rate))
		}
	})
	t.Run("are taken for a list together", func(t *testing.T) {
		b, rate := metered(t, 3)
		one := `{"query":"{__typename}"}`
		if status, text, _ := b.list(t, "["+one+","+one+","+one+"]", ""); status != 200 || b.spent(rate) > 3 {
			t.Errorf("%d %s", status, text)
		}
		b, _ = metered(t, 30)
		two := asJSON(t, map[string]string{"query": page})
		if status, text, _ := b.list(t, "["+two+","+two+"]", ""); status != 429 || strings.Count(text, "RATE_LIMITED") != 2 {
			t.Errorf("%d %s", status, text)
		}
	})
	t.Run("are each caller's own", func(t *testing.T) {
		b, _ := metered(t, 1)
		b.ask(t, "{__typename}", nil)
		other := *b.viewer
		other.Key[3]++
		b.viewer = &other
		if got := b.ask(t, "{__typename}", nil); got.status != 200 {
			t.Errorf("%d %s", got.status, got.text)
		}
	})
	t.Run("are taken over streams too", func(t *testing.T) {
		rate := gate.NewRate(gate.RateOptions{Points: 5, Period: time.Hour})
		b, s := listening(t, graph.Options{Rate: rate, Points: 5, Period: time.Minute})
		c := connect(t, s)
		c.subscribe("s", progress(runThrice))
		c.hears(message("s", "next", running), message("s", "next", running), message("s", "next", running), completed("s"))
		if spent := b.spent(rate); spent < 3 {
			t.Errorf("three events cost %d points", spent)
		}
		for range 5 {
			c.subscribe("q", "{__typename}")
			if strings.Contains(c.next(), "RATE_LIMITED") {
				if res := listen(t, s, "POST", progress(runThrice), "text/event-stream"); res.StatusCode != 429 || res.Header.Get("Retry-After") == "" {
					t.Errorf("%d %s", res.StatusCode, res.Header)
				}
				return
			}
			c.hears(completed("q"))
		}
		t.Error("the points do not run out")
	})
}

func TestTerms(t *testing.T) {
	b := newBench(t)
	const asks = `{"query":"{categories{number}}"}`
	t.Run("report the cost", func(t *testing.T) {
		got := b.post(t, asks, "GraphQL-Cost", "report")
		var estimated, actual int
		if _, err := fmt.Sscanf(spelt(got.header, "GraphQL-Cost"), "estimated=%d, actual=%d", &estimated, &actual); err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf(`{"data":{"categories":[{"number":1}]},"extensions":{"cost":{"estimated":%d,"actual":%d}}}`, estimated, actual); got.text != want {
			t.Errorf("%s\nwant %s", got.text, want)
		}
	})
	t.Run("quote and run nothing", func(t *testing.T) {
		begun := b.begun.Load()
		for _, query := range []string{"{categories{number}}", "mutation{upsertSuppliers(input:{suppliers:[]}){created}}", `{suppliers(first:500){nodes{emissions(first:500){nodes{id}}}}}`, progress(runThrice)} {
			got := b.post(t, asJSON(t, map[string]string{"query": query}), "GraphQL-Cost", "validate", "Accept", "*/*")
			var estimated int
			if _, err := fmt.Sscanf(got.text, `{"extensions":{"cost":{"estimated":%d}}}`, &estimated); got.status != 200 || err != nil || spelt(got.header, "GraphQL-Cost") != fmt.Sprintf("estimated=%d, actual=0", estimated) {
				t.Errorf("%s: %d %s", query, got.status, got.text)
			}
		}
		if b.begun.Load() != begun || b.root.ran.Load() != 0 {
			t.Error("something was run")
		}
		if got := b.post(t, `{"query":"{nope}"}`, "GraphQL-Cost", "validate"); got.code() != "GRAPHQL_VALIDATION_FAILED" {
			t.Error(got.text)
		}
	})
	t.Run("quote each operation of a list, and all of them together", func(t *testing.T) {
		r := httptest.NewRequest("POST", "/graphql", strings.NewReader(`[`+asJSON(t, map[string]string{"query": page})+`,`+asJSON(t, map[string]string{"query": page})+`]`))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("GraphQL-Cost", "validate")
		w := httptest.NewRecorder()
		b.ServeHTTP(w, r)
		if got := w.Body.String(); got != `[{"extensions":{"cost":{"estimated":21}}},{"extensions":{"cost":{"estimated":21}}}]` || spelt(w.Header(), "GraphQL-Cost") != "estimated=42, actual=0" {
			t.Errorf("%s %s", w.Header(), got)
		}
	})
	t.Run("of another kind are refused", func(t *testing.T) {
		if got := b.post(t, asks, "GraphQL-Cost", "repot"); got.status != http.StatusBadRequest || got.code() != "BAD_USER_INPUT" {
			t.Errorf("%d %s", got.status, got.text)
		}
	})
}

// What finds no place is told so at once, and has spent nothing.
func TestNoMoreThanCanRun(t *testing.T) {
	rate := gate.NewRate(gate.RateOptions{Points: 1000, Period: time.Hour})
	admission := gate.NewAdmission(gate.AdmissionOptions{Most: 1, Least: 1, Waiting: 1, Patience: 20 * time.Millisecond})
	b, s := listening(t, graph.Options{Rate: rate, Points: 1000, Period: time.Minute, Admission: admission, Timeout: time.Second})
	c := connect(t, s)
	c.subscribe("long", `{node(id:"`+id(3)+`"){id}}`) // as long as it may
	eventually(t, "it runs", func() bool { return b.begun.Load() == 1 })
	spent := b.spent(rate)
	for _, accept := range []string{"application/json", "application/graphql-response+json"} {
		got := b.post(t, `{"query":"{categories{number}}"}`, "Accept", accept)
		if got.status != 503 || got.code() != "OVERLOADED" || got.Data != nil || got.header.Get("Retry-After") == "" {
			t.Errorf("%d %s %s", got.status, got.header, got.text)
		}
	}
	c.subscribe("late", "{categories{number}}")
	c.hearsAbout(`{"id":"late","type":"error"`, `"OVERLOADED"`)
	if got := b.spent(rate); got != spent {
		t.Errorf("%d points were spent on nothing", got-spent)
	}
	c.hearsAbout(`"TIMEOUT"`)
	c.hears(completed("long"))
	// A subscription that waits takes no place.
	c.subscribe("s", progress(runSilent))
	eventually(t, "it is followed", func() bool { return b.root.following.Load() == 1 })
	if got := b.ask(t, "{categories{number}}", nil); got.status != 200 || len(got.Errors) > 0 {
		t.Errorf("beside a subscription: %d %s", got.status, got.text)
	}
}

// Under load, who says that nobody waits for the answer lets others go first, though he came before them.
func TestWhoIsInNoHurryLetsOthersGoFirst(t *testing.T) {
	for priority, class := range map[string]string{"u=7": "background", "u=5, i": "background", "i, u=6": "background", "u=4": "interactive", "u=3": "interactive", "": "interactive", "u=70": "interactive", "urgent": "interactive"} {
		t.Run(priority, func(t *testing.T) {
			tel := telemetry.New()
			admission := gate.NewAdmission(gate.AdmissionOptions{Most: 1, Least: 1, Waiting: 10, Patience: 10 * time.Second, Metrics: tel.Gate})
			_, s := listening(t, graph.Options{Admission: admission, Timeout: 200 * time.Millisecond})
			held, err := admission.Enter(t.Context(), "somebody", gate.Interactive)
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan string, 2)
			ask := func(name, priority string) {
				r, err := http.NewRequest("POST", s.URL+"/graphql", strings.NewReader(`{"query":"{node(id:\"`+id(3)+`\"){id}}"}`)) // as long as it may
				if err != nil {
					t.Error(err)
					return
				}
				r.Header.Set("Content-Type", "application/json")
				if priority != "" {
					r.Header.Set("Priority", priority)
				}
				res, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				res.Body.Close()
				done <- name
			}
			waiting := func(n int) func() bool {
				return func() bool {
					w := httptest.NewRecorder()
					tel.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
					return strings.Contains(w.Body.String(), fmt.Sprintf("\ncarbongraph_gate_waiting %d\n", n))
				}
			}
			go ask("the first", priority)
			eventually(t, "the first waits", waiting(1))
			go ask("the second", "")
			eventually(t, "the second waits too", waiting(2))
			held()
			if got, want := <-done, map[string]string{"background": "the second", "interactive": "the first"}[class]; got != want {
				t.Errorf("%s was answered first; want %s", got, want)
			}
			<-done
		})
	}
}
