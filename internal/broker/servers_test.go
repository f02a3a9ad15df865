package broker_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"carbongraph/cachex"
	"carbongraph/internal/broker"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// server is a small server of our own that answers as a test says, and remembers what it was asked.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	requests []request
}

type request struct {
	method, path, contentType, authorization string
	header                                   http.Header
	body                                     string
}

// serve starts one. The handler is told how many requests came before.
func serve(t testing.TB, h func(w http.ResponseWriter, r *http.Request, before int)) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		before := len(s.requests)
		s.requests = append(s.requests, request{r.Method, r.URL.Path, r.Header.Get("Content-Type"), r.Header.Get("Authorization"), r.Header.Clone(), string(body)})
		s.mu.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(body))
		h(w, r, before)
	}))
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

func (s *server) asked() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// writes answers JSON.
func writes(body string) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		io.WriteString(w, body)
	}
}

// protocol is one of the two that sources outside speak.
type protocol struct {
	name   string
	source func(address string) broker.Source
	good   string // an answer that names paper
	echo   string // one that has the key where a number stands
}

// world is what the sources know: a store, its index, and electricity and paper as what a text match finds.
type world struct {
	rows  map[string]*store.EmissionFactor
	index *broker.Index
}

const secret = "hunter2-and-more"

func newWorld(t testing.TB) *world {
	t.Helper()
	st := storetest.SQLite(t)
	w := &world{rows: stock(t, st, "acme-labs", "1"), index: broker.NewIndex(st)}
	if _, err := w.index.Edition(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) protocols() []protocol {
	return []protocol{
		{"http", func(address string) broker.Source {
			return broker.NewHTTP(broker.HTTPOptions{URL: address + "/look-ups?site=hunter2-and-more", Key: secret, Index: w.index})
		}, `{"answers":[[{"source":"acme-labs","version":"1","code":"PAPER","region":"GB","unit":"tonne","confidence":"0.9","reason":"it is paper"}]]}`,
			`{"answers":[[{"confidence":"` + secret + `"}]]}`},
		{"language model", func(address string) broker.Source {
			return broker.NewLanguageModel(broker.LanguageModelOptions{BaseURL: address + "/v1", Key: secret, Model: "small", Index: w.index, Match: w.match()})
		}, completion(`{"candidate":2,"confidence":90,"reason":"it is paper"}`, "stop"), completion(`{"candidate":2,"confidence":"`+secret+`","reason":""}`, "stop")},
	}
}

func (w *world) match() *matcher { return matches(w.rows["ink"].ID, w.rows["paper"].ID) }

// completion is a chat completion as OpenAI's protocol has it.
func completion(content, finish string) string {
	text, _ := json.Marshal(content)
	return fmt.Sprintf(`{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"a name of the server's","choices":[{"index":0,"finish_reason":%q,"logprobs":null,"message":{"role":"assistant","content":%s,"refusal":null}}],"usage":{"prompt_tokens":300,"completion_tokens":20,"total_tokens":320}}`, finish, text)
}

var line = broker.Question{Description: "Copier paper", Country: "GB", Unit: "kg"}

// quick is a policy whose times a test can wait for.
func quick() broker.Policy {
	return broker.Policy{AtOnce: 4, Attempt: time.Second, Deadline: 5 * time.Second, Retries: 2, Backoff: 10 * time.Millisecond, LongBackoff: 40 * time.Millisecond}
}

// Whatever a server does, its report says what, nothing hangs past its time, and no secret and no text of the server's is told.
func TestServersThatMisbehave(t *testing.T) {
	w := newWorld(t)
	for _, p := range w.protocols() {
		fails := func(status int, then string) func(http.ResponseWriter, *http.Request, int) {
			return func(w http.ResponseWriter, r *http.Request, before int) {
				if then != "" && before > 0 {
					writes(then)(w, r, before)
					return
				}
				w.Header().Set("Content-Type", "text/html")
				w.WriteHeader(status)
				io.WriteString(w, "<h1>no, "+secret+"</h1>")
			}
		}
		for name, tc := range map[string]struct {
			handler func(http.ResponseWriter, *http.Request, int)
			status  broker.Status
			detail  string
			calls   int
		}{
			"it answers": {writes(p.good), broker.Answered, "", 1},
			"it answers late": {func(w http.ResponseWriter, r *http.Request, n int) {
				time.Sleep(100 * time.Millisecond)
				writes(p.good)(w, r, n)
			}, broker.Answered, "", 1},
			"it answers in chunks": {func(w http.ResponseWriter, r *http.Request, n int) {
				w.Header().Set("Content-Type", "application/json")
				for _, b := range []byte(p.good) {
					w.Write([]byte{b})
					w.(http.Flusher).Flush()
				}
			}, broker.Answered, "", 1},
			"it does not know the key":       {fails(401, ""), broker.Refused, "HTTP 401", 1},
			"it refuses the question":        {fails(400, ""), broker.Refused, "HTTP 400", 1},
			"it fails":                       {fails(500, ""), broker.Failed, "HTTP 500; asked 3 times", 3},
			"it fails once":                  {fails(503, p.good), broker.Answered, "", 2},
			"it cannot":                      {fails(501, ""), broker.Failed, "HTTP 501", 1},
			"it took too long for a request": {fails(408, p.good), broker.Answered, "", 2},
			"it is asked too often": {func(w http.ResponseWriter, r *http.Request, n int) {
				if n > 0 {
					writes(p.good)(w, r, n)
					return
				}
				w.Header().Set("Retry-After", "1")
				w.WriteHeader(429)
			}, broker.Answered, "", 2},
			"it is asked too often, for long": {func(w http.ResponseWriter, r *http.Request, n int) {
				w.Header().Set("Retry-After", time.Now().Add(2*time.Hour).UTC().Format(http.TimeFormat))
				w.WriteHeader(429)
			}, broker.LimitReached, "HTTP 429; it asks to wait", 1},
			"it sends elsewhere": {func(w http.ResponseWriter, r *http.Request, n int) {
				http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
			}, broker.Refused, "HTTP 307: redirects are not followed", 1},
			"it says nothing": {func(w http.ResponseWriter, r *http.Request, n int) { w.WriteHeader(204) }, broker.Malformed, "HTTP 204", 1},
			"it does not say that it speaks JSON": {func(w http.ResponseWriter, r *http.Request, n int) {
				w.Header().Set("Content-Type", "text/plain")
				io.WriteString(w, p.good)
			}, broker.Malformed, "its answer is not declared as JSON", 1},
			"it does not speak JSON":    {writes("<h1>" + secret + "</h1>"), broker.Malformed, "its answer is not what was agreed on", 1},
			"it speaks other JSON":      {writes(`["` + secret + `"]`), broker.Malformed, "", 1},
			"it says the key again":     {writes(p.echo), broker.Malformed, "", 1},
			"its JSON goes too deep":    {writes(strings.Repeat("[", 100_000)), broker.Malformed, "its answer is not what was agreed on", 1},
			"its answer is empty":       {writes(""), broker.Malformed, "its answer is not what was agreed on", 1},
			"its answer is half of one": {writes(p.good[:len(p.good)/2]), broker.Malformed, "its answer is not what was agreed on", 1},
			"its answer breaks off":     {breaksOff(p.good), broker.Malformed, "its answer breaks off; asked 3 times", 3},
			"it hangs up":               {hangsUp, broker.Failed, "it cannot be reached; asked 3 times", 3},
			"it never begins":           {func(w http.ResponseWriter, r *http.Request, n int) { <-r.Context().Done() }, broker.TimedOut, "no answer within", 3},
			"it never ends":             {drips(p.good), broker.TimedOut, "no answer within", 3},
			"it floods":                 {floods, broker.Malformed, "its answer is larger than 1048576 bytes", 1},
			"it floods, compressed":     {bomb(), broker.Malformed, "its answer is larger than 1048576 bytes", 1},
			"it floods before it begins": {func(w http.ResponseWriter, r *http.Request, n int) {
				w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
			}, broker.Failed, "it cannot be reached; asked 3 times", 3},
			"it tells of an error with 200": {writes(`{"error":{"message":"` + secret + `"}}`), broker.Malformed, "", 1},
		} {
			t.Run(p.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				s := serve(t, tc.handler)
				var log strings.Builder
				b := open(t, broker.Options{Sources: []broker.Guarded{{Source: p.source(s.URL), Policy: quick()}}, Log: slog.New(slog.NewTextHandler(&locked{w: &log}, &slog.HandlerOptions{Level: slog.LevelDebug}))})
				began := time.Now()
				o := ask(t, b, line)
				took := time.Since(began)
				r := o.Asked[0]
				if r.Status != tc.status || !strings.HasPrefix(r.Detail, tc.detail) || tc.status == broker.Answered == (len(o.Answers) == 0) {
					t.Errorf("%+v, answers %v; want %s, %q", r, o.Answers, tc.status, tc.detail)
				}
				if n := len(s.asked()); n != tc.calls {
					t.Errorf("%d requests; want %d", n, tc.calls)
				}
				if took > 8*time.Second {
					t.Errorf("took %s", took)
				}
				if said := fmt.Sprint(r, log.String()); strings.Contains(said, secret) || strings.Contains(said, "Copier") {
					t.Errorf("a secret or the ledger's text is told: %s", said)
				}
			})
		}
		t.Run(p.name+"/nobody is there", func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			l.Close()
			r := ask(t, of(t, quick(), p.source("http://"+l.Addr().String())), line).Asked[0]
			if r.Status != broker.Failed || r.Detail != "it cannot be reached; asked 3 times" {
				t.Errorf("%+v", r)
			}
		})
	}
}

// locked is a writer for many.
type locked struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// breaksOff promises more than it sends.
func breaksOff(body string) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", fmt.Sprint(len(body)+100))
		io.WriteString(w, body[:len(body)/2])
	}
}

func hangsUp(w http.ResponseWriter, _ *http.Request, _ int) {
	c, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		c.Close()
	}
}

// drips sends a good answer so slowly that it never ends.
func drips(body string) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, r *http.Request, _ int) {
		w.Header().Set("Content-Type", "application/json")
		for _, b := range []byte(body) {
			w.Write([]byte{b})
			w.(http.Flusher).Flush()
			select {
			case <-time.After(50 * time.Millisecond):
			case <-r.Context().Done():
				return
			}
		}
	}
}

// floods sends spaces, which JSON may begin with, for ever.
func floods(w http.ResponseWriter, r *http.Request, _ int) {
	w.Header().Set("Content-Type", "application/json")
	for spaces := []byte(strings.Repeat(" ", 32<<10)); r.Context().Err() == nil; {
		if _, err := w.Write(spaces); err != nil {
			return
		}
	}
}

// bomb is much in little: sixteen megabytes of spaces, compressed.
func bomb() func(http.ResponseWriter, *http.Request, int) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	spaces := []byte(strings.Repeat(" ", 1<<20))
	for range 16 {
		z.Write(spaces)
	}
	z.Close()
	return func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(packed.Bytes())
	}
}

// Both sources keep their answers, and equal questions share a request, however many ask at once.
func TestEqualQuestionsReachAServerOnce(t *testing.T) {
	w := newWorld(t)
	for _, p := range w.protocols() {
		t.Run(p.name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, r *http.Request, n int) {
				time.Sleep(20 * time.Millisecond)
				writes(p.good)(w, r, n)
			})
			policy := quick()
			policy.Strategy = cachex.Named(cachex.LLMResponses)
			b := of(t, policy, p.source(s.URL))
			var askers sync.WaitGroup
			var answered atomic.Int64
			for range 1000 {
				askers.Go(func() { answered.Add(int64(len(b.Ask(t.Context(), []broker.Question{line})[0].Answers))) })
			}
			askers.Wait()
			if n := len(s.asked()); n != 1 || answered.Load() != 1000 {
				t.Errorf("%d requests, %d answers; want 1 and 1000", n, answered.Load())
			}
		})
	}
}

// A server that is down is left alone after a few calls, and asked again when it is back.
func TestABrokenServerIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	for _, p := range w.protocols() {
		t.Run(p.name, func(t *testing.T) {
			var up atomic.Bool
			s := serve(t, func(w http.ResponseWriter, r *http.Request, n int) {
				if up.Load() {
					writes(p.good)(w, r, n)
					return
				}
				w.WriteHeader(502)
			})
			policy := quick()
			policy.Opens, policy.Pause, policy.Retries = 5, 200*time.Millisecond, 0
			b := of(t, policy, p.source(s.URL))
			got := map[broker.Status]int{}
			for range 50 {
				got[ask(t, b, line).Asked[0].Status]++
			}
			if got[broker.Failed] < 5 || got[broker.Failed] > 10 || got[broker.BreakerOpen] != 50-got[broker.Failed] || len(s.asked()) != got[broker.Failed] {
				t.Errorf("%v, %d requests", got, len(s.asked()))
			}
			up.Store(true)
			deadline := time.Now().Add(5 * time.Second)
			for ask(t, b, line).Asked[0].Status != broker.Answered {
				if time.Now().After(deadline) {
					t.Fatal("it is never asked again")
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
}
