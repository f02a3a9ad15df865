package app_test

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"carbongraph/internal/auth"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// followed is a server whose organization has a run that goes on.
type followed struct {
	*served
	env map[string]string
	st  *store.Store
	org *store.Tenant
	key string
	run *store.CalculationRun
	// asks is the subscription; empty: to the run.
	asks string
}

// newFollowed serves from Postgres, where a test can look on.
func newFollowed(t *testing.T, settings map[string]string) *followed {
	t.Helper()
	f := &followed{env: map[string]string{"DATABASE_URL": storetest.PostgresURL(t)}}
	for name, v := range settings {
		f.env[name] = v
	}
	st, err := store.Open(t.Context(), store.Options{DatabaseURL: f.env["DATABASE_URL"], SkipMigrationCheck: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	if _, err := st.MigrateUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.st, f.org = st, storetest.Organization(t, st, "Acme")
	secret := auth.NewSecret()
	if err := f.org.CreateKey(t.Context(), &store.APIKey{Name: "streams", Role: store.Admin}, secret.Prefix, secret.Hash); err != nil {
		t.Fatal(err)
	}
	f.key, f.run = secret.Text, storetest.Run(t, f.org)
	return f
}

func (f *followed) serve(t *testing.T) *followed {
	t.Helper()
	f.served = start(t, f.env, "serve", "--listen-addr", free(t), "--admin-addr", free(t), "--log-format", "json")
	return f
}

// subscription gives the subscription as JSON has it between its quotes.
func (f *followed) subscription() string {
	text, _ := json.Marshal(cmp.Or(f.asks, `subscription { calculationRunProgress(id: "`+f.run.GlobalID().String()+`") { status } }`))
	return string(text[1 : len(text)-1])
}

// socket follows the run over a WebSocket.
func (f *followed) socket(ctx context.Context) (*websocket.Conn, error) {
	conn, _, err := websocket.Dial(ctx, f.base+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		return nil, err
	}
	for _, text := range []string{`{"type":"connection_init","payload":{"Authorization":"Bearer ` + f.key + `"}}`, `{"id":"1","type":"subscribe","payload":{"query":"` + f.subscription() + `"}}`} {
		if err := conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			return conn, err
		}
	}
	return conn, nil
}

// events follows the run by server-sent events.
func (f *followed) events(ctx context.Context) (*http.Response, error) {
	return f.post(ctx, f.subscription(), "text/event-stream")
}

// post asks, and gives the answer as it begins.
func (f *followed) post(ctx context.Context, query, accept string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, "POST", f.base+"/graphql", strings.NewReader(`{"query":"`+query+`"}`))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", accept)
	r.Header.Set("Authorization", "Bearer "+f.key)
	return http.DefaultClient.Do(r)
}

// hear reads messages until one has the text, and gives how the socket was closed where none had.
func hear(ctx context.Context, conn *websocket.Conn, text string) error {
	for {
		_, got, err := conn.Read(ctx)
		if err != nil {
			return err
		}
		if strings.Contains(string(got), text) {
			return nil
		}
	}
}

// follows opens a WebSocket on which the run is followed, until the test ends.
func (f *followed) follows(t *testing.T) *websocket.Conn {
	t.Helper()
	conn, err := f.socket(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	if err := hear(t.Context(), conn, `"RUNNING"`); err != nil {
		t.Fatal(err)
	}
	return conn
}

// A run that ends is told of to whoever follows it, over both transports.
func TestARunIsFollowed(t *testing.T) {
	t.Parallel()
	f := newFollowed(t, nil).serve(t)
	conn := f.follows(t)
	res, err := f.events(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	f.run.Status = store.RunSucceeded
	if err := f.org.FinishRun(t.Context(), f.run); err != nil {
		t.Fatal(err)
	}
	if err := hear(t.Context(), conn, `"SUCCEEDED"`); err != nil {
		t.Error(err)
	}
	if err := hear(t.Context(), conn, `"complete"`); err != nil {
		t.Error(err)
	}
	text, err := io.ReadAll(res.Body)
	if err != nil || !strings.Contains(string(text), `"SUCCEEDED"`) || !strings.HasSuffix(string(text), "event: complete\ndata:\n\n") {
		t.Errorf("%v: %s", err, text)
	}
}

// A batch is followed on every server, over both transports, whoever is at work.
func TestABatchIsFollowedOnEveryServer(t *testing.T) {
	t.Parallel()
	one := newFollowed(t, nil).serve(t)
	another := *one
	another.serve(t)
	b := &store.Batch{Spec: "{}", Actor: "test"}
	if err := one.org.StartRecalculation(t.Context(), b, &store.CalculationRun{Reason: "test", GwpSet: store.AR5}); err != nil {
		t.Fatal(err)
	}
	b, err := one.org.TakeBatch(t.Context(), b.ID, b.ID, time.Hour) // the test's: no server takes it up
	if err != nil || b == nil {
		t.Fatalf("take batch: %v", err)
	}
	type listener struct {
		conn *websocket.Conn
		res  *http.Response
	}
	follow := func(id string) (all []listener) {
		t.Helper()
		for _, f := range []*followed{one, &another} {
			f.asks = `subscription { batchProgress(id: "` + id + `") { status processed } }`
			conn, err := f.socket(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.CloseNow() })
			res, err := f.events(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { res.Body.Close() })
			all = append(all, listener{conn, res})
		}
		return all
	}
	end := func(all []listener, steps ...string) {
		t.Helper()
		for i, l := range all {
			for _, step := range append(steps, `"complete"`) {
				if err := hear(t.Context(), l.conn, step); err != nil {
					t.Errorf("server %d does not tell of %s: %v", i, step, err)
				}
			}
			text, err := io.ReadAll(l.res.Body)
			for _, step := range append(steps, "event: complete\ndata:\n\n") {
				if err != nil || !strings.Contains(string(text), step) {
					t.Errorf("server %d does not tell of %s: %v: %s", i, step, err, text)
				}
			}
		}
	}
	all := follow(b.GlobalID().String())
	for _, l := range all {
		if err := hear(t.Context(), l.conn, `{"status":"RUNNING","processed":0}`); err != nil {
			t.Fatal(err)
		}
	}
	b.Processed = 3
	storetest.Write(t, one.org, func(ctx context.Context, w *store.Writer) error { return w.Progress(ctx, b, b.ID, time.Hour) })
	for _, l := range all {
		if err := hear(t.Context(), l.conn, `{"status":"RUNNING","processed":3}`); err != nil {
			t.Fatal(err)
		}
	}
	storetest.Write(t, one.org, func(ctx context.Context, w *store.Writer) error {
		return w.EndBatch(ctx, b, b.ID, store.RunSucceeded, nil)
	})
	end(all, `{"status":"SUCCEEDED","processed":3}`)
	// And one that a server does.
	r := one.ask(t, one.key, `mutation { startRecalculation(input: {reason: "test"}) { batch { id } } }`)
	var data struct {
		StartRecalculation struct{ Batch struct{ ID string } }
	}
	if err := json.Unmarshal(r.Data, &data); err != nil || len(r.Errors) > 0 {
		t.Fatalf("%v %s", err, r.text)
	}
	end(follow(data.StartRecalculation.Batch.ID), `"status":"SUCCEEDED"`)
}

// Whoever goes takes the statements of the subscription along: Postgres works for nobody.
func TestWhoeverGoesTakesTheSubscriptionAlong(t *testing.T) {
	t.Parallel()
	f := newFollowed(t, nil).serve(t)
	b := newBlocked(t, f.env["DATABASE_URL"])
	f.ask(t, f.key, "{viewer{keyName}}") // so that the key is known
	for transport, follow := range map[string]func(context.Context) (func(), error){
		"a WebSocket": func(ctx context.Context) (func(), error) {
			conn, err := f.socket(ctx)
			return func() { _ = conn.CloseNow() }, err
		},
		"events": func(ctx context.Context) (func(), error) {
			ctx, leave := context.WithCancel(ctx)
			go func() {
				if res, err := f.events(ctx); err == nil {
					_, _ = io.Copy(io.Discard, res.Body)
					res.Body.Close()
				}
			}()
			return leave, nil
		},
	} {
		for when, lock := range map[string]func(){
			"before its first answer": func() {},
			"between two":             nil,
		} {
			t.Run(transport+" "+when, func(t *testing.T) {
				block := func() {
					b.exec("BEGIN")
					b.exec("LOCK TABLE calculation_runs IN ACCESS EXCLUSIVE MODE")
				}
				if lock != nil {
					block()
				}
				leave, err := follow(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if lock == nil {
					time.Sleep(100 * time.Millisecond) // it has begun
					block()
				}
				if !b.waiting(true) {
					t.Error("no statement waits")
				}
				leave()
				if !b.waiting(false) {
					t.Error("the statement runs on without its client")
				}
				b.exec("ROLLBACK")
			})
		}
	}
}

// The console's session opens a WebSocket from the console's own pages alone, whoever else may connect.
func TestASessionsSocketIsForOurOwnPages(t *testing.T) {
	t.Parallel()
	dir, keys := ledger(t, "Acme")
	s := serve(t, dir, map[string]string{"CORS_ORIGINS": "https://app.example.com"})
	in := s.send(t, "POST", "/session", `{"key":"`+keys[0]+`"}`, map[string]string{"Content-Type": "application/json"})
	cookie, _, _ := strings.Cut(in.header.Get("Set-Cookie"), ";")
	for name, tc := range map[string]struct {
		header http.Header
		status int
	}{
		"a page of ours":                    {http.Header{"Origin": {s.base}, "Cookie": {cookie}}, 101},
		"a page of ours, as it says":        {http.Header{"Origin": {s.base}, "Sec-Fetch-Site": {"same-origin"}, "Cookie": {cookie}}, 101},
		"a page that may connect":           {http.Header{"Origin": {"https://app.example.com"}, "Cookie": {cookie}}, 403},
		"no page that we know of":           {http.Header{"Cookie": {cookie}}, 403},
		"a session that is none":            {http.Header{"Origin": {s.base}, "Cookie": {"cg_session=nonsense"}}, 401},
		"a page that may connect, by key":   {http.Header{"Origin": {"https://app.example.com"}, "Authorization": {"Bearer " + keys[0]}}, 101},
		"a page of another, with a key":     {http.Header{"Origin": {"https://evil.example.com"}, "Authorization": {"Bearer " + keys[0]}}, 403},
		"a page that says later who it is":  {http.Header{"Origin": {"https://app.example.com"}}, 101},
		"a key that is none, in the header": {http.Header{"Authorization": {"Bearer cg_none_0123456789abcdef"}}, 401},
	} {
		t.Run(name, func(t *testing.T) {
			conn, res, err := websocket.Dial(t.Context(), s.base+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}, HTTPHeader: tc.header})
			if conn != nil {
				defer conn.CloseNow()
			}
			if res == nil || res.StatusCode != tc.status {
				t.Fatalf("%v %v; want %d", res, err, tc.status)
			}
			if tc.status != 101 {
				return
			}
			if err := conn.Write(t.Context(), websocket.MessageText, []byte(`{"type":"connection_init"}`)); err != nil {
				t.Fatal(err)
			}
			known := tc.header.Get("Cookie") != "" || tc.header.Get("Authorization") != ""
			if err := hear(t.Context(), conn, "connection_ack"); (err == nil) != known {
				t.Errorf("acknowledged: %v", err)
			}
		})
	}
}

// metric reads a figure of a server's.
func metric(t *testing.T, admin, name string) float64 {
	t.Helper()
	v, there := metricIfAny(t, admin, name)
	if !there {
		t.Fatalf("there is no metric %s", name)
	}
	return v
}

// metricIfAny is metric of what may not have been measured yet.
func metricIfAny(t *testing.T, admin, name string) (v float64, there bool) {
	t.Helper()
	m := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` (\S+)$`).FindStringSubmatch(fetched(t, admin+"/metrics"))
	if m == nil {
		return 0, false
	}
	v, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return v, true
}

// fetched gives what stands at an address.
func fetched(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// collected lets the server collect its garbage.
func collected(t *testing.T, admin string) {
	t.Helper()
	res, err := http.Get(admin + "/debug/pprof/heap?gc=1")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
}

// program runs the server in a process of its own, so that its memory is its own.
func (f *followed) program(t *testing.T) *followed {
	t.Helper()
	listen, admin := free(t), free(t)
	cmd := exec.Command(program(t), "serve", "--listen-addr", listen, "--admin-addr", admin, "--log-format", "json", "--log-level", "error")
	cmd.Env = append(os.Environ(), asProgram+"=1")
	for name, v := range f.env {
		cmd.Env = append(cmd.Env, settingOf+name+"="+v)
	}
	log := &safeBuffer{}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the server: %v: %s", err, log)
		}
	})
	f.served = &served{base: "http://" + listen, admin: "http://" + admin, log: log}
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		res, err := http.Get(f.base + "/healthz")
		if err == nil {
			res.Body.Close()
			return f
		}
		if time.Now().After(end) {
			t.Fatalf("the server does not answer: %s", log)
		}
	}
}

// An idle subscription takes less than 60 KB of the server, and nothing once it has gone.
func TestIdleSubscriptionsAreSmall(t *testing.T) {
	f := newFollowed(t, map[string]string{"LIMIT_STREAMS": "0"})
	t.Run("by WebSocket", func(t *testing.T) {
		f.idle(t, "websocket", func(ctx context.Context) (func(), error) {
			conn, err := f.socket(ctx)
			if err == nil {
				err = hear(ctx, conn, `"RUNNING"`)
			}
			return func() { _ = conn.CloseNow() }, err
		})
	})
	t.Run("by events", func(t *testing.T) {
		f.idle(t, "sse", func(ctx context.Context) (func(), error) {
			res, err := f.events(ctx)
			if err != nil {
				return nil, err
			}
			buf, text := make([]byte, 512), ""
			for err == nil && !strings.Contains(text, `"RUNNING"`) {
				var n int
				n, err = res.Body.Read(buf)
				text += string(buf[:n])
			}
			return func() { res.Body.Close() }, err
		})
	})
}

// idle opens many, and looks at what the server, a fresh one, becomes.
func (f *followed) idle(t *testing.T, transport string, follow func(context.Context) (leave func(), err error)) {
	const many, most = 1000, 60_000
	f.program(t)
	streams := func() float64 { return metric(t, f.admin, `carbongraph_graphql_streams{transport="`+transport+`"}`) }
	figures := func() (memory, goroutines float64) {
		collected(t, f.admin)
		return metric(t, f.admin, "process_resident_memory_bytes"), metric(t, f.admin, "go_goroutines")
	}
	for range 3 { // so that what is made once is there
		leave, err := follow(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		leave()
	}
	eventually(t, "the first have gone", func() bool { return streams() == 0 })
	before, base := figures()
	leave, errs := make([]func(), many), make([]error, many)
	each(many, 50, func(i int) { leave[i], errs[i] = follow(t.Context()) })
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := streams(); got != many {
		t.Errorf("%v streams are open; want %d", got, many)
	}
	after, goroutines := figures()
	size := (after - before) / many
	t.Logf("%d subscriptions: %.0f bytes and %.1f goroutines each", many, size, (goroutines-base)/many)
	if size > most && !raced {
		t.Errorf("%.0f bytes each; at most %d are allowed", size, most)
	}
	for _, f := range leave {
		f()
	}
	eventually(t, "all have gone", func() bool { return streams() == 0 })
	// The pool of the database may have grown meanwhile, and those who asked for metrics be still there; a goroutine that each had left would be a thousand.
	eventually(t, "no goroutine is left", func() bool { return metric(t, f.admin, "go_goroutines") <= base+many/20 })
}

// Ten thousand connections that are opened and dropped leave nothing behind.
func TestDroppedConnectionsLeaveNothing(t *testing.T) {
	many := 10_000
	if raced {
		many = 1_000
	}
	f := newFollowed(t, map[string]string{"LIMIT_STREAMS": "0"}).program(t)
	var mu sync.Mutex
	failed := map[string]int{}
	each(many, 50, func(i int) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var err error
		switch i % 4 {
		case 0: // in the midst of a subscription
			var conn *websocket.Conn
			if conn, err = f.socket(ctx); err == nil {
				err = hear(ctx, conn, `"RUNNING"`)
			}
			if conn != nil {
				_ = conn.CloseNow()
			}
		case 1: // before its first answer
			var conn *websocket.Conn
			if conn, err = f.socket(ctx); conn != nil {
				_ = conn.CloseNow()
			}
		case 2: // before a word
			var conn *websocket.Conn
			if conn, _, err = websocket.Dial(ctx, f.base+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}}); conn != nil {
				_ = conn.CloseNow()
			}
		case 3:
			var res *http.Response
			if res, err = f.events(ctx); err == nil {
				res.Body.Close()
			}
		}
		if err != nil {
			mu.Lock()
			defer mu.Unlock()
			failed[err.Error()]++
		}
	})
	if len(failed) > 0 {
		t.Errorf("not opened: %v", failed)
	}
	http.DefaultClient.CloseIdleConnections()
	// The connection that asks is served by two.
	var left []string
	eventually(t, "no goroutine is left", func() bool { left = f.serving(t); return len(left) <= 4 })
	t.Logf("%d goroutines serve connections", len(left))
	for _, transport := range []string{"websocket", "sse"} {
		if got := metric(t, f.admin, `carbongraph_graphql_streams{transport="`+transport+`"}`); got != 0 {
			t.Errorf("%v streams by %s are counted as open", got, transport)
		}
	}
}

// serving gives the stacks of the server's goroutines that connections are served by. Those that the server has for itself come and go.
func (f *followed) serving(t *testing.T) (stacks []string) {
	t.Helper()
	for stack := range strings.SplitSeq(fetched(t, f.admin+"/debug/pprof/goroutine?debug=2"), "\n\n") {
		for _, of := range []string{"net/http.(*conn)", "net/http.(*connReader)", "websocket", "carbongraph/graph.", "carbongraph/resolvers."} {
			if strings.Contains(stack, of) {
				stacks = append(stacks, stack)
				break
			}
		}
	}
	return stacks
}

// each calls f for each of so many, some at a time.
func each(many, at int, f func(i int)) {
	var all sync.WaitGroup
	next := make(chan int)
	for range at {
		all.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range many {
		next <- i
	}
	close(next)
	all.Wait()
}

// eventually waits for what comes soon.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}
