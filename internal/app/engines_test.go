package app_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"carbongraph/graph"
	"carbongraph/graph/generated"
	"carbongraph/graph/graphtest"
	"carbongraph/internal/app"
	"carbongraph/internal/auth"
	"carbongraph/internal/config"
	"carbongraph/resolvers"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// How many documents are compared on each database, how often each is asked at most, from which seed, and whether just one of them. A season of documents stands on its own: of its
// first documents the answers are harvested, one after another, and the others ask by what was found. So one document can be made again without
// all those before its season.
const (
	documentsVariable = "ENGINE_DOCUMENTS"
	seedVariable      = "ENGINE_SEED"
	indexVariable     = "ENGINE_INDEX"
	askingsVariable   = "ENGINE_ASKINGS"

	season = 1000
	spring = 200
)

// setting reads a number from the environment.
func setting(t testing.TB, name string, fallback int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return fallback
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		t.Fatalf("%s is %q; it is a whole number", name, text)
	}
	return n
}

func documents(t testing.TB) int {
	if raced {
		return setting(t, documentsVariable, 100)
	}
	return setting(t, documentsVariable, 10_000)
}

// engine is a server that answers by one engine, or chooses.
type engine struct {
	name   string
	app    *app.App
	log    *safeBuffer
	client *http.Client
}

// engines are two servers over one database, and the keys that both know.
type engines struct {
	all    []*engine
	keys   []string // of each role, the ADMIN's first; then one of another organization
	ledger *storetest.AwkwardLedger
}

// newEngines fills a database and starts the servers.
func newEngines(t *testing.T, env map[string]string) *engines {
	t.Helper()
	es := &engines{}
	es.fill(t, env)
	env = maps.Clone(env)
	env["RESPONSE_CACHE"] = "off" // it is the engines that are tried
	for _, name := range []string{"auto", "gqlgen"} {
		es.all = append(es.all, newEngine(t, name, env))
	}
	return es
}

// fill makes the ledger, and the keys for it.
func (es *engines) fill(t *testing.T, env map[string]string) {
	t.Helper()
	o := store.Options{DatabaseURL: env["DATABASE_URL"], DataDir: env["DATA_DIR"], SkipMigrationCheck: true}
	storetest.Fixed(&o)
	st, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if _, err := st.MigrateUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	es.ledger = storetest.Awkward(t, st, "Awkward")
	key := func(tenant *store.Tenant, role store.Role) {
		secret := auth.NewSecret()
		if err := tenant.CreateKey(t.Context(), &store.APIKey{Name: "engines", Role: role}, secret.Prefix, secret.Hash); err != nil {
			t.Fatal(err)
		}
		es.keys = append(es.keys, secret.Text)
	}
	for _, role := range []store.Role{store.Admin, store.Viewer, store.Analyst, store.Editor} {
		key(es.ledger.Tenant, role)
	}
	nobody := storetest.Organization(t, st, "Nobody")
	key(nobody, store.Admin)
	key(es.ledger.Rival, store.Admin)
}

func newEngine(t *testing.T, name string, env map[string]string) *engine {
	t.Helper()
	e := &engine{name: name, log: &safeBuffer{}, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8, DisableCompression: true}, Timeout: time.Minute}}
	c, err := config.Load(config.Sources{Env: func(n string) string {
		return cmp.Or(env[n], map[string]string{"ENGINE": name, "LISTEN_ADDR": "127.0.0.1:0", "ADMIN_ADDR": "127.0.0.1:0", "RATE_LIMIT": "0"}[n])
	}})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(e.log, &slog.HandlerOptions{Level: slog.LevelError}))
	if e.app, err = app.New(context.WithoutCancel(t.Context()), app.Options{Config: c, Log: log}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		e.client.CloseIdleConnections()
		if err := e.app.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
	if err := e.app.Start(); err != nil {
		t.Fatal(err)
	}
	return e
}

// said is what a server answered.
type said struct {
	status int
	media  string
	points string // what the answer cost, where it says so
	body   []byte
	cache  string // how it came about, where it says so
}

// ask sends a document; half of them want the newer form of an answer. Where there is no answer, status 0 and the error stand in its place.
func (e *engine) ask(key string, d *graphtest.Document) said {
	body, err := json.Marshal(map[string]any{"query": d.Text, "operationName": d.OperationName, "variables": d.Variables})
	if err != nil {
		return said{body: []byte(err.Error())}
	}
	r, err := http.NewRequest("POST", "http://"+e.app.Address()+"/graphql", bytes.NewReader(body))
	if err != nil {
		return said{body: []byte(err.Error())}
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+key)
	if d.Index%2 == 1 {
		r.Header.Set("Accept", "application/graphql-response+json")
	}
	res, err := e.client.Do(r)
	if err != nil {
		return said{body: []byte(e.name + ": " + err.Error())}
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return said{body: []byte(e.name + ": " + err.Error())}
	}
	return said{res.StatusCode, res.Header.Get("Content-Type"), res.Header.Get("GraphQL-Cost"), text, res.Header.Get("Cache-Status")}
}

// parts are those of an answer.
type parts struct {
	Errors []json.RawMessage `json:"errors"`
	Data   json.RawMessage   `json:"data"`
}

func (s said) parts() (p parts) {
	json.Unmarshal(s.body, &p) // what is no GraphQL answer has no such parts
	return p
}

// tooDear tells that an answer cost more than was estimated.
func (s said) tooDear() bool {
	var estimated, actual int
	n, _ := fmt.Sscanf(s.points, "estimated=%d, actual=%d", &estimated, &actual)
	return n == 2 && actual > estimated
}

var requestID = regexp.MustCompile(`"requestId":"[^"]*"`)

// same tells whether two answers are alike. Request ids are each request's own. Where several fields fail, gqlgen tells of them in the order in which
// they happened to end: errors are compared as a multiset, everything else byte for byte. What an answer cost is never more than was estimated.
func same(a, b said) bool {
	if a.status != b.status || a.media != b.media || a.points != b.points || a.tooDear() {
		return false
	}
	x, y := requestID.ReplaceAll(a.body, []byte(`"requestId":""`)), requestID.ReplaceAll(b.body, []byte(`"requestId":""`))
	if bytes.Equal(x, y) {
		return true
	}
	p, q := said{body: x}.parts(), said{body: y}.parts()
	return len(p.Errors) > 1 && len(x) == len(y) && bytes.Equal(p.Data, q.Data) && slices.Equal(sorted(p.Errors), sorted(q.Errors))
}

func sorted(errs []json.RawMessage) []string {
	out := make([]string, len(errs))
	for i, e := range errs {
		out[i] = string(e)
	}
	slices.Sort(out)
	return out
}

// tally counts what the answers were.
type tally struct{ asked, clean, partial, failed, internal, reordered, bytes atomic.Int64 }

// comparison is one run over one database.
type comparison struct {
	*engines
	tally
	generator *graphtest.Generator
	most      int // of one document

	mu     sync.Mutex
	sights graphtest.Sights
}

// count notes what was answered, alike, to a document. INTERNAL is nobody's right answer, but a rash document may have earned it.
func (c *comparison) count(t *testing.T, d *graphtest.Document, x, y said) {
	p := y.parts()
	c.mu.Lock()
	c.sights.See(c.generator, d, p.Data)
	c.mu.Unlock()
	c.asked.Add(1)
	c.bytes.Add(int64(len(y.body)))
	switch {
	case len(p.Errors) == 0 && len(p.Data) > 0:
		c.clean.Add(1)
	case string(p.Data) != "null" && len(p.Data) > 0:
		c.partial.Add(1)
	default:
		c.failed.Add(1)
	}
	if !bytes.Equal(requestID.ReplaceAll(x.body, nil), requestID.ReplaceAll(y.body, nil)) {
		c.reordered.Add(1)
	}
	if bytes.Contains(y.body, []byte(`"code":"INTERNAL"`)) {
		if t.Logf("both answer INTERNAL: %s=%d %s=%d", seedVariable, d.Seed, indexVariable, d.Index); !d.Rash {
			c.internal.Add(1)
		}
	}
}

// Both engines answer every document with the same bytes.
func TestEnginesAgree(t *testing.T) {
	eachLedger(t, func(t *testing.T, env map[string]string) {
		c := newComparison(t, newEngines(t, env))
		began := time.Now()
		from, to := 0, documents(t)
		if index := setting(t, indexVariable, -1); os.Getenv(indexVariable) != "" {
			from, to = index, index+1
		}
		c.recalculations(t)
		c.work(t)
		for first := from - from%season; first < to && !t.Failed(); first += season {
			c.season(t, first, max(from, first), min(to, first+season))
		}
		took := time.Since(began)
		asked := c.asked.Load()
		t.Logf("seed %d: %d answers in %s, %.0f a second, %d bytes each; %d answered whole, %d in part, %d not; errors in another order %d times",
			c.seed(t), asked, took.Round(time.Millisecond), float64(asked)/took.Seconds(), c.bytes.Load()/max(asked, 1), c.clean.Load(), c.partial.Load(), c.failed.Load(), c.reordered.Load())
		for _, e := range c.all {
			t.Logf("ENGINE=%s: %s", e.name, e.split(t))
			if c.internal.Load() > 0 {
				t.Errorf("ENGINE=%s answered INTERNAL to %d documents that meant no harm: %.3000s", e.name, c.internal.Load(), e.log)
			}
		}
		missing := slices.DeleteFunc(c.sights.Unseen(c.generator), func(what string) bool { return slices.Contains(unanswerable(), what) })
		if asked >= 20_000 && len(missing) > 0 {
			t.Errorf("what no answer had: %s", strings.Join(missing, ", "))
		}
		if asked >= 500 && c.clean.Load()*100 < asked*60 {
			t.Errorf("of %d answers %d had data and no errors: too few to prove anything", asked, c.clean.Load())
		}
	})
}

// recalculations asks for what runs changed: random documents come there a few times in ten thousand.
func (c *comparison) recalculations(t *testing.T) {
	t.Helper()
	for _, id := range c.ledger.IDs["CalculationRun"] {
		for _, by := range []string{"CATEGORY", "SUPPLIER", "FACTOR", "MONTH"} {
			d, err := c.generator.Written(`{ node(id: "` + id + `") { ... on CalculationRun { differences(first: 30, groupBy: ` + by + `) { totalCount edges { cursor node { key change } }
				nodes { key before after change causes { cause change } } pageInfo { endCursor hasNextPage } } } } }`)
			if err != nil {
				t.Fatal(err)
			}
			c.compare(t, d, c.stocked())
		}
	}
}

// work asks for batches of each state, and for runs, to and fro: random documents seldom hit upon a state that there is, and go on from a page.
func (c *comparison) work(t *testing.T) {
	t.Helper()
	const about = `totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor }`
	ask := func(field, rest string) (p struct {
		TotalCount int
		PageInfo   struct{ StartCursor, EndCursor string }
		Nodes      []struct{ Preview bool }
	}) {
		t.Helper()
		d, err := c.generator.Written(`{ page: ` + field + ` { ` + about + ` ` + rest + ` } }`)
		if err != nil {
			t.Fatal(err)
		}
		c.compare(t, d, c.stocked())
		data := struct{ Page any }{&p}
		if err := json.Unmarshal(c.all[0].ask(c.keys[0], d).parts().Data, &data); err != nil {
			t.Fatal(err)
		}
		return p
	}
	const batch = `nodes { id kind status total processed succeeded failed rowsPerSecond estimatedSecondsLeft startedAt finishedAt problem { code message } run { id status preview reason } created updated unchanged failedRowsUrl downloadUrl downloadExpiresAt
		failures(first: 4) { totalCount pageInfo { hasNextPage endCursor } edges { cursor node { line } } nodes { line externalId error { code message path } } } }`
	const run = `nodes { id status preview reason gwpSet startedAt finishedAt differences(first: 2) { totalCount nodes { key change } } }`
	for _, status := range []string{"QUEUED", "RUNNING", "SUCCEEDED", "PARTIAL", "FAILED", "CANCELLED"} {
		if p := ask(`batches(filter: {statuses: [`+status+`], kinds: [RECALCULATION]})`, batch); p.TotalCount == 0 {
			t.Errorf("the ledger has no batch that is %s", status)
		}
	}
	previews := map[bool]int{}
	for _, r := range ask(`calculationRuns`, run).Nodes {
		previews[r.Preview]++
	}
	if previews[true] == 0 || previews[false] == 0 {
		t.Errorf("the ledger has %d previews and %d other runs", previews[true], previews[false])
	}
	for field, rest := range map[string]string{"batches": batch, "calculationRuns": run} {
		first := ask(field+`(first: 3)`, rest)
		ask(field+`(first: 2, after: "`+first.PageInfo.EndCursor+`")`, rest)
		last := ask(field+`(last: 3)`, rest)
		ask(field+`(last: 2, before: "`+last.PageInfo.StartCursor+`")`, rest)
		ask(field+`(after: "`+first.PageInfo.EndCursor+`", before: "`+last.PageInfo.StartCursor+`")`, rest)
	}
}

// The metric tells which engine served an operation, and why not the short one.
func TestTheMetricTellsTheEngine(t *testing.T) {
	es := newEngines(t, map[string]string{"DATA_DIR": t.TempDir()})
	key := newComparison(t, es).keys[0]
	for _, document := range []string{
		`{ suppliers(first: 2) { nodes { name } } }`, `{ __schema { queryType { name } } }`, `mutation { upsertSuppliers(input: {suppliers: []}) { created } }`,
		`{ suppliers(first: 0) { nodes { name } } }`,
	} {
		for _, e := range es.all {
			e.ask(key, &graphtest.Document{Text: document})
		}
	}
	for i, want := range [][]string{
		{`{engine="short",reason=""}`, `{engine="gqlgen",reason="schema"}`, `{engine="gqlgen",reason="kind"}`, `{engine="gqlgen",reason="argument"}`},
		{`{engine="gqlgen",reason="off"}`},
	} {
		split := es.all[i].split(t)
		for _, labels := range want {
			if !strings.Contains(split, "carbongraph_graphql_engine_total"+labels) {
				t.Errorf("ENGINE=%s: no %s in %s", es.all[i].name, labels, split)
			}
		}
		if n := strings.Count(split, "carbongraph_graphql_engine_total{"); n != len(want) {
			t.Errorf("ENGINE=%s: %d kinds of operations, want %d: %s", es.all[i].name, n, len(want), split)
		}
	}
}

// unanswerable lists what the schema allows and no answer can be: a list that is never empty, a path that is not stored with a line's problem, an
// organization of a kind that the ledgers are not, a suggestion of what the server has not, a figure without a step, a batch of a kind that there is not yet.
func unanswerable() []string {
	return []string{"Query.categories = []", "Query.factorDatasets = []", "UserError.path", "UserError.path = []", "Organization.gwpSet = AR4",
		"FactorSuggestion.decidedBy = RULE", "FactorSuggestion.decidedBy = LANGUAGE_MODEL", "FactorSuggestion.decidedBy = PERSON",
		"Query.categoryStatements = []", "Batch.kind = FACTOR_IMPORT", "Estimate.provenance = []"}
}

// eachLedger runs a test on a database of each kind.
func eachLedger(t *testing.T, f func(t *testing.T, env map[string]string)) {
	t.Run("sqlite", func(t *testing.T) { f(t, map[string]string{"DATA_DIR": t.TempDir()}) })
	t.Run("postgres", func(t *testing.T) {
		f(t, map[string]string{"DATABASE_URL": storetest.PostgresURL(t), "DATA_DIR": "/nowhere"})
	})
}

// seed is where the documents start: each database has its own, so that the two prove twice as much.
func (c *comparison) seed(t testing.TB) int {
	own := 1
	if strings.Contains(t.Name(), "postgres") {
		own = 2
	}
	return setting(t, seedVariable, own)
}

func newComparison(t *testing.T, es *engines) *comparison {
	t.Helper()
	c := &comparison{engines: es, most: max(1, setting(t, askingsVariable, 3))}
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: graph.SDL(generated.NewExecutableSchema(resolvers.Config(resolvers.Options{})).Schema())})
	viewer := schema.Types["Viewer"] // what it may still spend differs from one asking to the next
	viewer.Fields = slices.DeleteFunc(viewer.Fields, func(f *ast.FieldDefinition) bool { return f.Name == "rateLimit" })
	delete(schema.Types, "RateLimit")
	c.generator = graphtest.New(schema, uint64(c.seed(t)))
	t.Logf("%s=%d", seedVariable, c.seed(t))
	return c
}

// stocked is what documents ask for before any was answered.
func (c *comparison) stocked() *graphtest.Pool {
	p := graphtest.NewPool()
	for kind, ids := range c.ledger.IDs {
		p.IDs(kind, ids...)
		p.Strangers(kind, c.ledger.Strangers[kind]...)
	}
	p.Words("countries", "GB", "US", "DE", "ZZ", "FR", "XX")
	p.Words("days", "2024-01-01", "2024-02-29", "2024-05-15", "2024-09-01", "1900-01-01", "9999-12-31", "2023-12-31", "2025-01-01")
	p.Words("categories", "1", "2", "3", "4", "5", "7", "10", "15")
	p.Words("tiers", "1", "2", "3", "5", "77", "0", "-4")
	p.Words("accountCodes", "6000", "6100", `6"\0`, "", "büro", "none")
	p.Words("naicsPrefix", "33", "5617", "334111", "", "9", "%")
	p.Words("regions", "GB", "US", "global", "", `EU "27"`, "Mars")
	p.Words("units", "kWh", "USD", "tonne.km", "EUR", "kg", "furlong")
	p.Words("description", "Electricity, grid", "alum and zinc", "grid", "business rates", "")
	p.Words("country", "GB", "US", "ZZ")
	p.Words("unit", "kWh", "USD", "kg", "tonne.km", "furlong")
	p.Words("source", "none")
	for _, d := range c.ledger.Datasets {
		p.Words("source", d.Source)
	}
	p.Words("version", "1.9", "2024", "none")
	p.Words("value", "1", "12.5", "-3", "0", "0.000001", "0.0000001")
	p.Words("amount", "1000", "-0.5", "99999999999999")
	p.Words("currency", "USD", "EUR", "GBP", "XXX")
	p.Words("codes", "C00", "C01", "C02", "C03", "C10", "renamed", "none")
	p.Words("search", "a", "alum", "c0", "l0", "6000", "zinc", "grid electricity", "söhne", "ŁÓDŹ", "🚀", "%", "_", `\`, `"`, "é", "long long", "  ", "", "nothing at all", "עולם")
	p.Words("externalIds", "S01", "S02", "S11", "S38", "L001", "none", "")
	for _, s := range c.ledger.Suppliers {
		if s.ExternalID != nil {
			p.Words("externalIds", *s.ExternalID)
		}
	}
	return p
}

// season compares the documents of a season. Those before the first that is wanted are asked only for what their answers give.
func (c *comparison) season(t *testing.T, first, from, to int) {
	t.Helper()
	pool := c.stocked()
	index := first
	for ; index < min(to, first+spring) && !t.Failed(); index++ {
		d := c.generator.Document(index, pool)
		if index >= from {
			c.compare(t, d, pool)
		}
		pool.Harvest(c.generator, d, c.all[1].ask(c.key(index), d).parts().Data)
	}
	var next atomic.Int64
	next.Store(int64(max(index, from)) - 1)
	var workers sync.WaitGroup
	for range 2 {
		workers.Go(func() {
			for i := int(next.Add(1)); i < to && !t.Failed(); i = int(next.Add(1)) {
				c.compare(t, c.generator.Document(i, pool), pool)
			}
		})
	}
	workers.Wait()
}

// askers tells whose the keys are.
func askers() []string {
	return []string{"ADMIN", "VIEWER", "ANALYST", "EDITOR", "ADMIN of an empty organization", "ADMIN of another organization"}
}

// key is whose document it is: mostly the ADMIN's, some the VIEWER's, few another's.
func (c *comparison) key(index int) string {
	switch {
	case index%50 > 45:
		return c.keys[index%50-44]
	case index%5 == 3:
		return c.keys[1]
	}
	return c.keys[0]
}

// asking is a document and whoever asks it.
type asking struct {
	key string
	d   *graphtest.Document
}

// askings are the times that a document is asked: for the first time, when it is known, and then with other variables or by another organization. What a
// server keeps of a document must serve them all.
func (c *comparison) askings(d *graphtest.Document, pool *graphtest.Pool) []asking {
	key := c.key(d.Index)
	list := []asking{{key, d}, {key, d}}
	switch other := c.generator.Again(d, pool); {
	case d.Index%3 == 1:
		list = append(list, asking{c.keys[len(c.keys)-1], d})
	case d.Index%3 == 0 && other != nil:
		list = append(list, asking{key, other})
	}
	return list[:min(len(list), c.most)]
}

// difference asks both servers until their answers differ.
func (c *comparison) difference(list []asking, alike func(asking, said, said)) (at asking, x, y said, differ bool) {
	for i, at := range list {
		x = c.all[0].ask(at.key, at.d)
		if i == 0 || at != list[i-1] {
			y = c.all[1].ask(at.key, at.d)
		}
		if !same(x, y) {
			return at, x, y, true
		}
		alike(at, x, y)
	}
	return asking{}, x, y, false
}

// compare fails the test where the answers differ, by a document as small as can be found in reasonable time.
func (c *comparison) compare(t *testing.T, d *graphtest.Document, pool *graphtest.Pool) {
	t.Helper()
	at, x, y, differ := c.difference(c.askings(d, pool), func(at asking, x, y said) { c.count(t, at.d, x, y) })
	if !differ || t.Failed() { // of two in parallel one is enough
		return
	}
	small := d.Shrink(400, func(d *graphtest.Document) bool {
		_, _, _, differ := c.difference(c.askings(d, pool), func(asking, said, said) {})
		return differ
	})
	if a, b, e, again := c.difference(c.askings(small, pool), func(asking, said, said) {}); again {
		at, x, y = a, b, e
	}
	t.Errorf("the engines differ (%s=%d %s=%d make this document again), asked by the %s:\n%s\nENGINE=%s: %s\nENGINE=%s: %s", seedVariable, d.Seed, indexVariable, d.Index,
		askers()[slices.Index(c.keys, at.key)], at.d, c.all[0].name, x.around(y), c.all[1].name, y.around(x))
}

// around shows the answer where it begins to differ from the other.
func (s said) around(other said) string {
	at := 0
	for at < min(len(s.body), len(other.body)) && s.body[at] == other.body[at] {
		at++
	}
	from, to := max(0, at-1000), min(len(s.body), at+1000)
	return fmt.Sprintf("%d %s %s, %d bytes, from %d on: %s", s.status, s.media, s.points, len(s.body), from, s.body[from:to])
}

var engineCounter = regexp.MustCompile(`(?m)^carbongraph_graphql_engine_total\{.*\n`)

// split tells how many operations went which way, where that is counted.
func (e *engine) split(t testing.TB) string {
	t.Helper()
	res, err := e.client.Get("http://" + e.app.AdminAddress() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	lines := engineCounter.FindAllString(string(text), -1)
	if len(lines) == 0 {
		return "carbongraph_graphql_engine_total is not counted"
	}
	return "\n" + strings.Join(lines, "")
}
