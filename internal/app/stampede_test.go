package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"carbongraph/internal/servertest"
)

// A thousand who ask the same of two servers at once, while nothing of it is kept, have it run once: each server lets one of them run it, and the server that comes second
// waits for what the first one puts into Redis. Without Redis each server runs it once.
func TestAStampedeOverServersRunsOnce(t *testing.T) {
	for name, shared := range map[string]bool{"over Redis": true, "without Redis": false} {
		t.Run(name, func(t *testing.T) {
			env := onPostgres(t)
			es := &engines{}
			es.fill(t, env)
			b := newBlocked(t, env["DATABASE_URL"])
			settings := maps.Clone(env)
			settings["RATE_LIMIT"], settings["LIMIT_IN_FLIGHT"] = "0", "0" // however slow the machine is
			want := 2
			if shared {
				settings["REDIS_URL"], want = servertest.NewRedis(t).URL(), 1
			}
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 500}, Timeout: time.Minute}
			t.Cleanup(client.CloseIdleConnections)
			var servers []*served
			for range 2 {
				s := start(t, settings, "serve", "--listen-addr", free(t), "--admin-addr", free(t), "--log-format", "json")
				s.ready(t)
				s.ask(t, es.keys[0], "{ viewer { keyName } }") // so that the key is known
				servers = append(servers, s)
			}
			// A Redis that takes longer than 50 ms, since a thousand clients want the cores too, is done without: then it is not this that was tried.
			for try := range 3 {
				before := servers[0].ran(t) + servers[1].ran(t)
				outcomes := crowd(t, b, client, servers, es.keys[0], fmt.Sprintf("{ suppliers(first: %d) { nodes { name country } } }", 7+try))
				runs := servers[0].ran(t) + servers[1].ran(t) - before
				t.Logf("run %d times: %v", runs, outcomes)
				if runs == want {
					return
				}
			}
			t.Errorf("never run %d times", want)
		})
	}
}

// crowd has five hundred ask each server while nobody can read suppliers, and tells how often each outcome was told.
func crowd(t *testing.T, b *blocked, client *http.Client, servers []*served, key, document string) map[string]int {
	t.Helper()
	b.exec("BEGIN")
	b.exec("LOCK TABLE suppliers IN ACCESS EXCLUSIVE MODE")
	body, err := json.Marshal(map[string]string{"query": document})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	outcomes := map[string]int{}
	ask := func(s *served) {
		r, err := http.NewRequest(http.MethodPost, s.base+"/graphql", bytes.NewReader(body))
		if err != nil {
			t.Error(err)
			return
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+key)
		res, err := client.Do(r)
		if err != nil {
			t.Error(err)
			return
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		mu.Lock()
		defer mu.Unlock()
		outcomes[fmt.Sprint(res.StatusCode, " ", ttl.ReplaceAllString(res.Header.Get("Cache-Status"), ""))]++
		if err != nil || res.StatusCode != 200 || !strings.HasPrefix(string(text), `{"data":{"suppliers":{"nodes":[{`) {
			t.Errorf("%d %.300s %v", res.StatusCode, text, err)
		}
	}
	for _, s := range servers { // those who run it, or wait for the other server, come first
		all.Go(func() { ask(s) })
	}
	if !b.waiting(true) {
		t.Error("no statement waits")
	}
	for _, s := range servers {
		for range 499 {
			all.Go(func() { ask(s) })
		}
	}
	eventually(t, "all have come", func() bool {
		return strings.Contains(servers[0].get(t, servers[0].admin+"/metrics").text, "\ncarbongraph_http_requests_in_flight 500\n") &&
			strings.Contains(servers[1].get(t, servers[1].admin+"/metrics").text, "\ncarbongraph_http_requests_in_flight 500\n")
	})
	b.exec("ROLLBACK")
	all.Wait()
	return outcomes
}

var (
	ttl        = regexp.MustCompile(`; ttl=\d+`)
	engineRuns = regexp.MustCompile(`(?m)^carbongraph_graphql_engine_total\{engine="short",reason=""\} (\d+)$`)
)

// ran is how many operations a server has run by the engine for queries.
func (s *served) ran(t *testing.T) int {
	t.Helper()
	n := 0
	for _, m := range engineRuns.FindAllStringSubmatch(s.get(t, s.admin+"/metrics").text, -1) {
		of, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		n += of
	}
	return n
}

// Who asks for more than is kept waits for nobody who asks for the same: nothing would come of it.
func TestNobodyWaitsForWhatIsNotKept(t *testing.T) {
	env := onPostgres(t)
	es := &engines{}
	es.fill(t, env)
	e := newEngine(t, "auto", env)
	b := newBlocked(t, env["DATABASE_URL"])
	const fields = `nodes { id co2e provenance { whichStepOfTheCalculation: step whatWentIntoTheStep: input inputUnit whatIsDoneToIt: operator byWhichNumber: operand whatCameOutOfTheStep: output theUnitOfTheOutput: outputUnit whereTheNumberComesFrom: source } factor { id name dataset { name version } } activity { id externalId description } }`
	document := "{"
	for _, name := range []string{"a", "b", "c"} {
		document += name + `: emissions(first: 500, filter: {includeSuperseded: true}) { ` + fields + ` } `
	}
	long := written(document + "}")
	got := e.ask(es.keys[0], long)
	if len(got.body) <= 1<<20 || got.cache != "carbongraph; fwd=miss; detail=too-large" {
		t.Fatalf("%d bytes, %s: %.300s", len(got.body), got.cache, got.body)
	}
	b.exec("BEGIN")
	b.exec("LOCK TABLE emissions IN ACCESS EXCLUSIVE MODE")
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			if again := e.ask(es.keys[0], long); !bytes.Equal(again.body, got.body) || again.cache != got.cache {
				t.Errorf("%d bytes, %s; want %d, %s", len(again.body), again.cache, len(got.body), got.cache)
			}
		})
	}
	waiting := 0
	for end := time.Now().Add(5 * time.Second); waiting < 2 && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if err := b.looks.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting); err != nil {
			t.Fatal(err)
		}
	}
	b.exec("ROLLBACK")
	all.Wait()
	if waiting < 2 {
		t.Errorf("%d run; want both", waiting)
	}
}
