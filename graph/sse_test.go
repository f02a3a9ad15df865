package graph_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"carbongraph/graph"
)

// listen asks for events.
func listen(t *testing.T, s *httptest.Server, method, query, accept string) *http.Response {
	t.Helper()
	address, body := s.URL+"/graphql", io.Reader(nil)
	if method == "POST" {
		body = strings.NewReader(asJSON(t, map[string]string{"query": query}))
	} else {
		address += "?query=" + url.QueryEscape(query)
	}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", accept)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return res
}

const (
	running  = `{"data":{"calculationRunProgress":{"status":"RUNNING"}}}`
	complete = "event: complete\ndata:\n\n"
)

var aSign = regexp.MustCompile("(?m)^:\n\n")

func next(payload string) string { return "event: next\ndata: " + payload + "\n\n" }

// told is what came by events, without the signs of life.
func told(t *testing.T, res *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return aSign.ReplaceAllString(string(text), "")
}

func TestEvents(t *testing.T) {
	t.Parallel()
	const category = `{"data":{"categories":[{"number":1}]}}`
	missing := `{"errors":[{"message":"There is no calculation run with this id.","path":["calculationRunProgress"],"locations":[{"line":1,"column":14}],"extensions":{"code":"NOT_FOUND","inputPath":["id"]}}]}`
	b, s := listening(t, graph.Options{})
	for name, tc := range map[string]struct{ method, query, accept, want string }{
		"a subscription by POST":           {"POST", progress(runThrice), "text/event-stream", next(running) + next(running) + next(running) + complete},
		"a subscription by GET":            {"GET", progress(runThrice), "text/event-stream", next(running) + next(running) + next(running) + complete},
		"a subscription where all will do": {"POST", progress(runThrice), "application/json, text/event-stream;q=0.1", next(running) + next(running) + next(running) + complete},
		"a run that is not there":          {"POST", progress(runMissing), "text/event-stream", next(missing) + complete},
		"a query":                          {"POST", "{categories{number}}", "text/event-stream", next(category) + complete},
		"a query by GET":                   {"GET", "{categories{number}}", "text/event-stream", next(category) + complete},
		"a mutation":                       {"POST", `mutation{upsertSuppliers(input:{suppliers:[]}){created}}`, "text/event-stream", next(`{"data":{"upsertSuppliers":{"created":0}}}`) + complete},
		"what is not valid":                {"POST", "{nope}", "text/event-stream", next(`{"errors":[{"message":"Cannot query field \"nope\" on type \"Query\".","locations":[{"line":1,"column":2}],"extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}`) + complete},
		"a mutation by GET":                {"GET", `mutation{upsertSuppliers(input:{suppliers:[]}){created}}`, "text/event-stream", next(`{"errors":[{"message":"GET changes nothing. Send a mutation by POST.","extensions":{"code":"BAD_USER_INPUT"}}]}`) + complete},
		"an event that cannot be shown":    {"POST", progress(runBroken), "text/event-stream", next(`{"errors":[{"message":"Something went wrong on our side. Quote the request id when you report it."`) + complete},
	} {
		t.Run(name, func(t *testing.T) {
			res := listen(t, s, tc.method, tc.query, tc.accept)
			for header, want := range map[string]string{"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "private, no-store", "X-Accel-Buffering": "no", "Vary": "Accept, Accept-Encoding, Authorization, Cookie"} {
				if got := res.Header.Get(header); got != want {
					t.Errorf("%s: %q; want %q", header, got, want)
				}
			}
			got := told(t, res)
			if name == "an event that cannot be shown" {
				if res.StatusCode != 200 || !strings.Contains(got, `"INTERNAL"`) && !strings.Contains(got, "null") {
					t.Errorf("%d\n%s", res.StatusCode, got)
				}
			} else if res.StatusCode != 200 || got != tc.want {
				t.Errorf("%d\n%s\nwant\n%s", res.StatusCode, got, tc.want)
			}
			b.ended(t)
		})
	}
}

// A client that takes JSON gets JSON, whatever else it takes.
func TestNoEventsForWhomJSONWillDo(t *testing.T) {
	t.Parallel()
	_, s := listening(t, graph.Options{})
	for name, tc := range map[string]struct {
		query, accept string
		status        int
		form          string
	}{
		"as urql accepts":            {"{categories{number}}", "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed", 200, "application/graphql-response+json"},
		"events first":               {"{categories{number}}", "text/event-stream, application/json;q=0.1", 200, "application/json"},
		"anything":                   {"{categories{number}}", "*/*", 200, "application/json"},
		"a subscription, no events":  {progress(runThrice), "application/json", 406, "application/json"},
		"a subscription, events q=0": {progress(runThrice), "*/*, text/event-stream;q=0", 406, "application/json"},
		"json q=0, anything":         {"{categories{number}}", "application/json;q=0, */*", 200, "application/graphql-response+json"},
		"nothing that there is":      {"{categories{number}}", "text/html, text/event-stream;q=0", 406, "application/json"},
	} {
		t.Run(name, func(t *testing.T) {
			res := listen(t, s, "POST", tc.query, tc.accept)
			if form, _, _ := strings.Cut(res.Header.Get("Content-Type"), ";"); res.StatusCode != tc.status || form != tc.form {
				t.Errorf("%d %s; want %d %s", res.StatusCode, form, tc.status, tc.form)
			}
		})
	}
}

func TestASubscriptionIsNotPartOfAList(t *testing.T) {
	t.Parallel()
	w, r := httptest.NewRecorder(), httptest.NewRequest("POST", "/graphql", strings.NewReader(`[`+asJSON(t, map[string]string{"query": progress(runThrice)})+`]`))
	r.Header.Set("Content-Type", "application/json")
	newBench(t).ServeHTTP(w, r)
	if !strings.Contains(w.Body.String(), "send it by itself") {
		t.Error(w.Body)
	}
}

// HEAD is as GET, and starts nothing.
func TestHeadOfEvents(t *testing.T) {
	t.Parallel()
	b, s := listening(t, graph.Options{})
	res := listen(t, s, "HEAD", progress(runSilent), "text/event-stream")
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream; charset=utf-8" || b.root.following.Load() != 0 {
		t.Errorf("%d %s, %d begun", res.StatusCode, res.Header, b.root.following.Load())
	}
}

func TestAStreamShowsThatItIsAlive(t *testing.T) {
	t.Parallel()
	b, s := listening(t, graph.Options{Heartbeat: 20 * time.Millisecond})
	res := listen(t, s, "POST", progress(runSilent), "text/event-stream")
	lines := bufio.NewScanner(res.Body)
	for beats := 0; beats < 3; {
		if !lines.Scan() {
			t.Fatalf("the stream ended after %d signs of life: %v", beats, lines.Err())
		}
		if lines.Text() == ":" {
			beats++
		}
	}
	res.Body.Close()
	b.ended(t)
}

func TestStreamsOfEventsEnd(t *testing.T) {
	t.Parallel()
	t.Run("when the server stops, with the reason", func(t *testing.T) {
		b, s := listening(t, graph.Options{})
		res := listen(t, s, "POST", progress(runSilent), "text/event-stream")
		if err := b.graph.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, want := told(t, res), next(`{"errors":[{"message":"The server is stopping. Connect again.","extensions":{"code":"OVERLOADED"}}]}`)+complete; got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
		b.ended(t)
	})
	t.Run("when the key is revoked, with the reason", func(t *testing.T) {
		b, s := listening(t, graph.Options{Heartbeat: 10 * time.Millisecond})
		b.revoked.Store(true)
		if got := told(t, listen(t, s, "POST", progress(runSilent), "text/event-stream")); !strings.Contains(got, `"UNAUTHENTICATED"`) || !strings.HasSuffix(got, complete) {
			t.Error(got)
		}
		b.ended(t)
	})
	t.Run("when nobody reads", func(t *testing.T) {
		b, s := listening(t, graph.Options{MessageTimeout: 50 * time.Millisecond})
		listen(t, s, "POST", strings.Replace(progress(runFlood), "status", "reason", 1), "text/event-stream")
		b.ended(t)
	})
	t.Run("when the caller has too many", func(t *testing.T) {
		_, s := listening(t, graph.Options{Streams: streamsOf(2)})
		listen(t, s, "POST", progress(runSilent), "text/event-stream")
		first := listen(t, s, "POST", progress(runSilent), "text/event-stream")
		if res := listen(t, s, "POST", progress(runSilent), "text/event-stream"); res.StatusCode != 429 || res.Header.Get("Retry-After") == "" {
			t.Errorf("%d %s", res.StatusCode, res.Header)
		}
		first.Body.Close()
		eventually(t, "a place is free", func() bool { return listen(t, s, "POST", progress(runThrice), "text/event-stream").StatusCode == 200 })
	})
}
