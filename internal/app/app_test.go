package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"carbongraph/internal/app"
	"carbongraph/store/storetest"
)

// run runs one command line to its end.
func run(t *testing.T, env map[string]string, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e safeBuffer
	code = app.Run(t.Context(), args, app.World{Out: &o, Err: &e, Env: func(n string) string { return env[n] }})
	return code, o.String(), e.String()
}

// safeBuffer is written by a server while a test reads it.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// served is a server that runs until the test ends.
type served struct {
	base, admin string
	out, log    *safeBuffer
	stop        func() int // stops it and gives the exit code
}

// start runs a command that serves, and waits until it answers.
func start(t *testing.T, env map[string]string, args ...string) *served {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s := &served{out: &safeBuffer{}, log: &safeBuffer{}}
	done, code := make(chan struct{}), -1
	go func() {
		defer close(done)
		code = app.Run(ctx, args, app.World{Out: s.out, Err: s.log, Env: func(n string) string { return env[n] }})
	}()
	s.stop = func() int {
		cancel()
		<-done
		return code
	}
	t.Cleanup(func() { s.stop() })
	public, admin := flag(args, "--listen"), flag(args, "--admin")
	s.base, s.admin = "http://"+public, "http://"+admin
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if res, err := http.Get(s.base + "/healthz"); err == nil {
			res.Body.Close()
			return s
		}
		select {
		case <-done:
			t.Fatalf("the server ended with %d: %s", code, s.log)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server does not answer: %s", s.log)
		}
	}
}

// ready waits until the server says that it is: it warms what it keeps first, for some seconds at most.
func (s *served) ready(t *testing.T) *reply {
	t.Helper()
	var last *reply
	eventually(t, "it is ready", func() bool { last = s.get(t, s.base+"/readyz"); return last.status == 200 })
	return last
}

func flag(args []string, prefix string) string {
	for i, a := range args {
		if strings.HasPrefix(a, prefix) && i+1 < len(args) {
			return args[i+1]
		}
	}
	return ""
}

// free gives an address that nothing listens on.
func free(t *testing.T) string {
	t.Helper()
	return "127.0.0.1:" + strconv.Itoa(storetest.FreePort(t))
}

// ledger makes a database with organizations, and gives their ADMIN keys.
func ledger(t *testing.T, names ...string) (dir string, keys []string) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range names {
		code, out, errs := run(t, nil, "org", "create", "--name", name, "--currency", "eur", "--data-dir", dir, "--json")
		var made struct{ ID, Name, Key string }
		if err := json.Unmarshal([]byte(out), &made); code != app.ExitDone || err != nil || made.Name != name || made.ID == "" {
			t.Fatalf("org create: %d %v %s %s", code, err, out, errs)
		}
		keys = append(keys, made.Key)
	}
	return dir, keys
}

func serve(t *testing.T, dir string, env map[string]string) *served {
	t.Helper()
	return start(t, env, "serve", "--data-dir", dir, "--listen-addr", free(t), "--admin-addr", free(t), "--log-format", "json")
}

type reply struct {
	status int
	header http.Header
	text   string
	Data   json.RawMessage
	Errors []struct {
		Message    string
		Extensions struct{ Code string }
	}
}

func (r *reply) code() string {
	if len(r.Errors) == 0 {
		return ""
	}
	return r.Errors[0].Extensions.Code
}

func (s *served) ask(t *testing.T, key, query string) *reply {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest("POST", s.base+"/graphql", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	return s.do(t, r)
}

func (s *served) do(t *testing.T, r *http.Request) *reply {
	t.Helper()
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	out := &reply{status: res.StatusCode, header: res.Header, text: string(text)}
	json.Unmarshal(text, out) // what is no GraphQL answer has no such parts
	return out
}

func (s *served) get(t *testing.T, path string) *reply {
	t.Helper()
	r, err := http.NewRequest("GET", path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s.do(t, r)
}

func TestServe(t *testing.T) {
	dir, keys := ledger(t, "Acme", "Bolt")
	s := serve(t, dir, nil)
	for i, name := range []string{"Acme", "Bolt"} {
		got := s.ask(t, keys[i], "{viewer{role keyName organization{name currency}}}")
		if want := fmt.Sprintf(`{"viewer":{"role":"ADMIN","keyName":"admin","organization":{"name":%q,"currency":"EUR"}}}`, name); string(got.Data) != want {
			t.Errorf("viewer = %s; want %s", got.text, want)
		}
	}
	t.Run("nobody is let in without a key", func(t *testing.T) {
		for _, key := range []string{"", "cg_none_0123456789abcdef", "nonsense"} {
			got := s.ask(t, key, "{viewer{role}}")
			if got.status != 401 || got.code() != "UNAUTHENTICATED" || got.header.Get("WWW-Authenticate") == "" || got.Data != nil {
				t.Errorf("%q: %d %s", key, got.status, got.text)
			}
		}
	})
	t.Run("what is open to everybody", func(t *testing.T) {
		s.ready(t)
		for path, says := range map[string]string{"/healthz": "up", "/readyz": `"database":"sqlite"`, "/schema.graphql": "type Query", "/errors/NO_FACTOR": "No emission factor", "/": "<html"} {
			got := s.get(t, s.base+path)
			if got.status != 200 || !strings.Contains(got.text, says) || got.header.Get("X-Content-Type-Options") != "nosniff" || got.header.Get("X-Request-Id") == "" || got.header.Get("Content-Security-Policy") == "" {
				t.Errorf("%s: %d %.80s", path, got.status, got.text)
			}
		}
		if got := s.get(t, s.base+"/errors/NOPE"); got.status != 404 {
			t.Errorf("/errors/NOPE: %d", got.status)
		}
	})
	t.Run("the schema is not sent twice", func(t *testing.T) {
		r, _ := http.NewRequest("GET", s.base+"/schema.graphql", nil)
		r.Header.Set("If-None-Match", s.get(t, s.base+"/schema.graphql").header.Get("ETag"))
		if got := s.do(t, r); got.status != 304 {
			t.Errorf("answers %d", got.status)
		}
	})
	t.Run("the admin listener has metrics and profiles, the public one has not", func(t *testing.T) {
		for _, path := range []string{"/metrics", "/debug/pprof/goroutine?debug=1", "/healthz"} {
			if got := s.get(t, s.admin+path); got.status != 200 {
				t.Errorf("%s: %d", path, got.status)
			}
		}
		metrics := s.get(t, s.admin+"/metrics").text
		for _, name := range []string{"carbongraph_http_request_seconds_count", "carbongraph_graphql_operation_seconds_count", "carbongraph_store_statement_seconds_count",
			"go_goroutines", `route="/graphql"`, `code="UNAUTHENTICATED"`} {
			if !strings.Contains(metrics, name) {
				t.Errorf("no %s", name)
			}
		}
		if got := s.get(t, s.base+"/metrics"); strings.Contains(got.text, "carbongraph_") {
			t.Error("the public listener tells metrics")
		}
	})
	t.Run("authentication costs no statement of its own, most of the time", func(t *testing.T) {
		for range 20 {
			s.ask(t, keys[0], "{__typename}")
		}
		var without int
		for range 50 { // lines are written a tenth of a second late at most
			if without = strings.Count(s.log.String(), `"statements":0,`); without >= 18 {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		if without < 18 {
			t.Errorf("%d requests went without a statement", without)
		}
	})
	t.Run("the log holds no key and no value", func(t *testing.T) {
		log := s.log.String()
		if strings.Contains(log, keys[0]) || !strings.Contains(log, `"route":"/graphql"`) || !strings.Contains(log, `"org":`) {
			t.Errorf("the log: %.500s", log)
		}
	})
	if code := s.stop(); code != 0 {
		t.Errorf("stopped with %d: %s", code, s.log)
	}
}

func TestRevokedKeysDie(t *testing.T) {
	dir, keys := ledger(t, "Acme")
	s := serve(t, dir, nil)
	made := s.ask(t, keys[0], `mutation{createApiKey(input:{name:"temp",role:EDITOR}){secret apiKey{id}}}`)
	var got struct {
		CreateApiKey struct {
			Secret string
			ApiKey struct{ ID string }
		}
	}
	if err := json.Unmarshal(made.Data, &got); err != nil || got.CreateApiKey.Secret == "" {
		t.Fatalf("createApiKey: %s", made.text)
	}
	temp := got.CreateApiKey
	if r := s.ask(t, temp.Secret, "{viewer{role}}"); r.status != 200 || len(r.Errors) > 0 {
		t.Fatalf("a new key: %s", r.text)
	}
	if r := s.ask(t, temp.Secret, `mutation{revokeApiKey(id:"`+temp.ApiKey.ID+`"){deletedId}}`); r.code() != "FORBIDDEN" {
		t.Errorf("an EDITOR revokes keys: %s", r.text)
	}
	if r := s.ask(t, keys[0], `mutation{revokeApiKey(id:"`+temp.ApiKey.ID+`"){deletedId errors{code}}}`); len(r.Errors) > 0 || !strings.Contains(r.text, temp.ApiKey.ID) {
		t.Fatalf("revokeApiKey: %s", r.text)
	}
	if r := s.ask(t, temp.Secret, "{viewer{role}}"); r.status != 401 {
		t.Errorf("a revoked key: %d %s", r.status, r.text)
	}
	t.Run("also those that another process revokes, within a second", func(t *testing.T) {
		_, secret, _ := run(t, nil, "key", "create", "--org", "Acme", "--role", "VIEWER", "--name", "other", "--data-dir", dir)
		secret = strings.TrimSpace(secret)
		if r := s.ask(t, secret, "{viewer{role}}"); r.status != 200 {
			t.Fatal(r.text)
		}
		_, list, _ := run(t, nil, "key", "list", "--org", "Acme", "--data-dir", dir)
		id := regexp.MustCompile(`(?m)^(\S+)\tVIEWER`).FindStringSubmatch(list)
		if id == nil {
			t.Fatal(list)
		}
		run(t, nil, "key", "revoke", "--org", "Acme", id[1], "--data-dir", dir)
		for deadline := time.Now().Add(1500 * time.Millisecond); s.ask(t, secret, "{viewer{role}}").status != 401; time.Sleep(50 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the key still works")
			}
		}
	})
}

func TestTwoOrganizationsDoNotMeet(t *testing.T) {
	dir, keys := ledger(t, "Acme", "Bolt")
	s := serve(t, dir, nil)
	up := s.ask(t, keys[0], `mutation{upsertSuppliers(input:{suppliers:[{externalId:"S1",name:"Alum"},{externalId:"S2",name:"Borax"}]}){results{supplier{id}}}}`)
	id := regexp.MustCompile(`"id":"([^"]+)"`).FindStringSubmatch(up.text)
	if id == nil {
		t.Fatal(up.text)
	}
	page := s.ask(t, keys[0], `{suppliers(first:1){nodes{name} pageInfo{endCursor}}}`)
	cursor := regexp.MustCompile(`"endCursor":"([^"]+)"`).FindStringSubmatch(page.text)
	if cursor == nil || !strings.Contains(page.text, "Alum") {
		t.Fatal(page.text)
	}
	for query, want := range map[string]string{
		`{node(id:"` + id[1] + `"){id}}`:                                  `{"node":null}`,
		`{nodes(ids:["` + id[1] + `"]){id}}`:                              `{"nodes":[null]}`,
		`{supplier(id:"` + id[1] + `"){name}}`:                            `{"supplier":null}`,
		`{supplier(externalId:"S1"){name}}`:                               `{"supplier":null}`,
		`{suppliers{totalCount nodes{name}}}`:                             `{"suppliers":{"totalCount":0,"nodes":[]}}`,
		`{activities(filter:{supplierIds:["` + id[1] + `"]}){nodes{id}}}`: `{"activities":{"nodes":[]}}`,
	} {
		if got := s.ask(t, keys[1], query); string(got.Data) != want {
			t.Errorf("%s gives %s; want %s", query, got.text, want)
		}
	}
	if got := s.ask(t, keys[1], `{suppliers(first:1,after:"`+cursor[1]+`"){nodes{name}}}`); got.code() != "INVALID_CURSOR" {
		t.Errorf("a foreign cursor: %s", got.text)
	}
	if got := s.ask(t, keys[1], `mutation{importActivities(input:{activities:[{externalId:"A1",supplierId:"`+id[1]+`",description:"x",occurredOn:"2024-01-01",money:{amount:"1",currency:"EUR"}}]}){results{status error{code}}}}`); !strings.Contains(got.text, `"FAILED"`) || !strings.Contains(got.text, "NOT_FOUND") {
		t.Errorf("an activity of a foreign supplier: %s", got.text)
	}
}

func TestAConsoleSession(t *testing.T) {
	dir, keys := ledger(t, "Acme")
	s := serve(t, dir, nil)
	r, _ := http.NewRequest("POST", s.base+"/session", strings.NewReader(`{"key":"`+keys[0]+`"}`))
	r.Header.Set("Content-Type", "application/json")
	in := s.do(t, r)
	cookie, _, _ := strings.Cut(in.header.Get("Set-Cookie"), ";")
	if in.status != 204 || cookie == "" {
		t.Fatalf("sign-in: %d %s", in.status, in.text)
	}
	who, _ := http.NewRequest("GET", s.base+"/session", nil)
	who.Header.Set("Cookie", cookie)
	if got := s.do(t, who); !strings.Contains(got.text, `"role":"ADMIN"`) || !strings.Contains(got.text, "Acme") {
		t.Errorf("who: %s", got.text)
	}
	for site, want := range map[string]int{"same-origin": 200, "cross-site": 403, "": 403} {
		r, _ := http.NewRequest("POST", s.base+"/graphql", strings.NewReader(`{"query":"{viewer{role}}"}`))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Cookie", cookie)
		if site != "" {
			r.Header.Set("Sec-Fetch-Site", site)
		}
		if got := s.do(t, r); got.status != want {
			t.Errorf("from %q: %d %s", site, got.status, got.text)
		}
	}
}

func TestRequestsThatRunAreWaitedFor(t *testing.T) {
	dir, keys := ledger(t, "Acme")
	s := serve(t, dir, nil)
	body, send := io.Pipe()
	r, _ := http.NewRequest("POST", s.base+"/graphql", body)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+keys[0])
	answered := make(chan int, 1)
	go func() {
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			answered <- 0
			return
		}
		defer res.Body.Close()
		answered <- res.StatusCode
	}()
	io.WriteString(send, `{"query":`)
	time.Sleep(50 * time.Millisecond) // the request has begun
	stopped := make(chan int, 1)
	go func() { stopped <- s.stop() }()
	time.Sleep(50 * time.Millisecond)
	io.WriteString(send, `"{viewer{role}}"}`)
	send.Close()
	if status, code := <-answered, <-stopped; status != 200 || code != 0 {
		t.Errorf("answered %d, stopped with %d: %s", status, code, s.log)
	}
}
