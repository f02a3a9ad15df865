package app_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"carbongraph/graph/graphtest"
	"carbongraph/internal/servertest"
)

// asker is somebody who asks, and all that others must not get from them.
type asker struct {
	whose   string // organization and role; empty: nobody
	key     string // of the same organization and role, for the server that keeps nothing; empty: what is shown is not good
	headers [][2]string
}

// door is a way to a server.
type door struct {
	name, address string
	hits          func(http.Header) bool // tells an answer that was kept there
	forgets       bool                   // does not ask on whether a client's copy of what may not be kept there is good
	count         struct{ asked, hits, good int }
}

// asked is one way to ask for a document.
type asked struct {
	*asker
	door                 *door
	method, form, coding string
	headers              [][2]string // besides
}

// leak is a search for answers that came to the wrong person.
type leak struct {
	t         *testing.T
	client    *http.Client
	bare      *engine // keeps nothing
	kept      []*engine
	doors     []*door
	askers    []*asker
	written   []*graphtest.Document
	generated []*graphtest.Document
	document  *graphtest.Document // that is asked for now

	mu    sync.Mutex
	truth map[string]said   // what the server that keeps nothing answers to each
	tags  map[string]string // validators, and what they stand for
	ours  map[string]string // of this document, and whose they are
}

// Nobody gets an answer that is another's: not from a server, nor from a Varnish or nginx before it that keeps all that the headers allow. Each body is compared with what
// a server that keeps nothing answers to the same person.
func TestNobodyGetsAnothersAnswer(t *testing.T) {
	l := newLeak(t)
	documents := l.corpus()
	random := rand.New(rand.NewPCG(1, 1))
	began := time.Now()
	for _, d := range documents {
		l.look(d, random)
		if t.Failed() {
			t.Fatalf("document:\n%s", d)
		}
	}
	asked := 0
	for _, d := range l.doors {
		asked += d.count.asked
		t.Logf("%s: %d answers, %d of them kept there, %d copies found good", d.name, d.count.asked, d.count.hits, d.count.good)
		if d.count.hits < 20 || d.count.good < 20 {
			t.Errorf("%s kept too little to prove anything", d.name)
		}
	}
	t.Logf("%d documents, %d answers in %s, %d validators", len(documents), asked, time.Since(began).Round(time.Millisecond), len(l.tags))
	if len(documents) < 40 {
		t.Errorf("only %d documents", len(documents))
	}
}

func newLeak(t *testing.T) *leak {
	t.Helper()
	env := map[string]string{"DATA_DIR": t.TempDir()}
	es := &engines{}
	es.fill(t, env)
	r := servertest.NewRedis(t) // its own: the ledger's ids are the same each time
	keeping := map[string]string{"DATA_DIR": env["DATA_DIR"], "REDIS_URL": r.URL()}
	l := &leak{t: t, truth: map[string]said{}, tags: map[string]string{},
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16, DisableCompression: true}, Timeout: time.Minute}}
	t.Cleanup(l.client.CloseIdleConnections)
	l.bare = newEngine(t, "auto", map[string]string{"DATA_DIR": env["DATA_DIR"], "RESPONSE_CACHE": "off"})
	for range 2 {
		l.kept = append(l.kept, newEngine(t, "auto", keeping))
	}
	ours := func(h http.Header) bool { return strings.Contains(h.Get("Cache-Status"), "; hit") }
	first, second := l.kept[0].app.Address(), l.kept[1].app.Address()
	l.doors = []*door{
		{name: "a server", address: first, hits: ours},
		{name: "another server beside the same Redis", address: second, hits: ours},
		{name: "Varnish", address: newVarnish(t, first), hits: func(h http.Header) bool { return strings.Contains(h.Get("X-Varnish"), " ") }},
		{name: "nginx", address: newNginx(t, first), forgets: true, hits: func(h http.Header) bool {
			return h.Get("X-Proxy-Cache") == "HIT" || h.Get("X-Proxy-Cache") == "REVALIDATED"
		}},
	}
	l.people(es)
	c := newComparison(t, es)
	l.generate(c)
	return l
}

// people are two organizations with two roles each, by key and by session, and who shows nothing good.
func (l *leak) people(es *engines) {
	rival := l.secret(es, "VIEWER", es.keys[len(es.keys)-1])
	all := []*asker{{whose: "ours, ADMIN", key: es.keys[0]}, {whose: "ours, VIEWER", key: es.keys[1]}, {whose: "theirs, ADMIN", key: es.keys[len(es.keys)-1]}, {whose: "theirs, VIEWER", key: rival}}
	for _, a := range all {
		by := *a
		a.headers = [][2]string{{"Authorization", "Bearer " + a.key}}
		by.headers = [][2]string{{"Cookie", l.session(a.key)}}
		l.askers = append(l.askers, a, &by)
	}
	l.askers = append(l.askers,
		&asker{whose: all[0].whose, key: all[0].key, headers: [][2]string{{"Authorization", "Bearer " + all[0].key}, {"Cookie", l.session(all[2].key)}}}, // a header goes before the cookie
		&asker{}, &asker{headers: [][2]string{{"Authorization", "Bearer " + all[0].key + "x"}}}, &asker{headers: [][2]string{{"Cookie", "cg_session=none"}}},
	)
}

// secret makes a key of a role for an organization.
func (l *leak) secret(es *engines, role, admin string) string {
	l.t.Helper()
	out := l.bare.ask(admin, &graphtest.Document{Text: `mutation { createApiKey(input: {name: "leak", role: ` + role + `}) { secret } }`})
	_, after, _ := strings.Cut(string(out.body), `"secret":"`)
	secret, _, found := strings.Cut(after, `"`)
	if !found {
		l.t.Fatalf("no key: %s", out.body)
	}
	return secret
}

// session signs in at each server, and gives all cookies: a server takes its own.
func (l *leak) session(key string) string {
	l.t.Helper()
	res, err := l.client.Post("http://"+l.kept[0].app.Address()+"/session", "application/json", strings.NewReader(`{"key":"`+key+`"}`))
	if err != nil {
		l.t.Fatal(err)
	}
	defer res.Body.Close()
	cookie, _, found := strings.Cut(res.Header.Get("Set-Cookie"), ";")
	if !found {
		l.t.Fatalf("no session: %d", res.StatusCode)
	}
	return cookie
}

// look asks for a document in every way, twice: at first all at once while nothing is kept, and then what was kept.
func (l *leak) look(d *graphtest.Document, random *rand.Rand) {
	l.document, l.ours = d, map[string]string{}
	for range 2 {
		ways := l.ways(random)
		next := make(chan *asked)
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() {
				for a := range next {
					l.ask(a)
				}
			})
		}
		for _, a := range ways {
			next <- a
		}
		close(next)
		all.Wait()
	}
	l.probe()
}

// ways are all ways to ask, in any order.
func (l *leak) ways(random *rand.Rand) (all []*asked) {
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	for _, who := range l.askers {
		for _, door := range l.doors {
			if !l.opens(door, who) {
				continue
			}
			all = append(all, &asked{asker: who, door: door, method: "GET by hash", form: "application/json", coding: "gzip"}) // each time the same, for proxies to keep
			for _, method := range []string{"GET", "POST", pick("GET by hash", "POST by hash"), pick("list", "report", "costs", "GET with a token")} {
				if strings.HasPrefix(method, "GET") && len(l.address(l.document, "")) > longest {
					continue
				}
				all = append(all, &asked{asker: who, door: door, method: method, form: pick("application/json", "application/graphql-response+json"),
					coding: pick("", "identity", "gzip", "br", "zstd", "gzip, deflate, br, zstd", "gzip;q=0.5, br;q=0.8", "*")})
			}
		}
	}
	if raced {
		all = slices.DeleteFunc(all, func(a *asked) bool { return a.method != "GET by hash" && random.IntN(20) > 0 })
	}
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// opens tells whether somebody gets in there: a session is one server's.
func (l *leak) opens(door *door, who *asker) bool {
	return door != l.doors[1] || !slices.ContainsFunc(who.headers, func(h [2]string) bool { return h[0] == "Cookie" })
}

// longest is how long an address may be by which somebody asks.
const longest = 30_000

// address is where the document is asked for by GET.
func (l *leak) address(d *graphtest.Document, hash string) string {
	q := url.Values{}
	if hash == "" {
		q.Set("query", d.Text)
	} else {
		q.Set("extensions", `{"persistedQuery":{"version":1,"sha256Hash":"`+hash+`"}}`)
	}
	if d.OperationName != "" {
		q.Set("operationName", d.OperationName)
	}
	if len(d.Variables) > 0 {
		text, err := json.Marshal(d.Variables)
		if err != nil {
			panic(err)
		}
		q.Set("variables", string(text))
	}
	return "/graphql?" + q.Encode()
}

func (l *leak) body(d *graphtest.Document, hash string, withText bool) []byte {
	one := map[string]any{"operationName": d.OperationName, "variables": d.Variables}
	if hash == "" || withText {
		one["query"] = d.Text
	}
	if hash != "" {
		one["extensions"] = map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": hash}}
	}
	text, err := json.Marshal(one)
	if err != nil {
		panic(err)
	}
	return text
}

// request is the request that asks so of a server.
func (l *leak) request(a *asked, address string, withText bool) *http.Request {
	sum := sha256.Sum256([]byte(l.document.Text))
	hash := ""
	if strings.HasSuffix(a.method, "by hash") {
		hash = hex.EncodeToString(sum[:])
	}
	method, path, body := "POST", "/graphql", l.body(l.document, hash, withText)
	if a.method == "list" {
		body = fmt.Appendf(nil, `[%s,{"query":"{ factorDatasets { source } }"},%s]`, body, body)
	}
	if strings.HasPrefix(a.method, "GET") && !withText || a.method == "report" || a.method == "costs" {
		method, path, body = "GET", l.address(l.document, hash), nil
		if len(path) > longest {
			method, path, body = "POST", "/graphql", l.body(l.document, "", false)
		}
	}
	r, err := http.NewRequest(method, "http://"+address+path, bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	if method == "POST" {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Sec-Fetch-Site", "same-origin") // for sessions
	}
	r.Header.Set("Accept", a.form)
	if a.coding != "" {
		r.Header.Set("Accept-Encoding", a.coding)
	}
	switch a.method {
	case "report":
		r.Header.Set("GraphQL-Cache", "report")
	case "costs":
		r.Header.Set("GraphQL-Cost", "report")
	case "GET with a token":
		r.Header.Set("Carbongraph-Version", "AQIDBAUGBwgJ")
	}
	for _, h := range slices.Concat(a.asker.headers, a.headers) {
		r.Header.Add(h[0], h[1])
	}
	return r
}

// send asks, and gives the answer with its body as it was before it was packed.
func (l *leak) send(r *http.Request) (said, http.Header, error) {
	res, err := l.client.Do(r)
	if err != nil {
		return said{}, nil, err
	}
	defer res.Body.Close()
	var in io.Reader = res.Body
	if res.StatusCode == http.StatusNotModified {
		res.Header.Del("Content-Encoding") // which Varnish leaves there
	}
	switch res.Header.Get("Content-Encoding") {
	case "gzip":
		in, err = gzip.NewReader(in)
	case "br":
		in = brotli.NewReader(in)
	case "zstd":
		var z *zstd.Decoder
		if z, err = zstd.NewReader(in); err == nil {
			defer z.Close()
			in = z
		}
	case "":
	default:
		err = fmt.Errorf("Content-Encoding: %s", res.Header.Get("Content-Encoding"))
	}
	if err != nil {
		return said{}, res.Header, err
	}
	text, err := io.ReadAll(in)
	return said{status: res.StatusCode, media: res.Header.Get("Content-Type"), body: text}, res.Header, err
}

// right is what the server that keeps nothing answers to somebody.
func (l *leak) right(a *asked) said {
	plain := *a
	plain.coding, plain.headers = "", nil
	plain.asker = &asker{headers: a.asker.headers}
	if a.key != "" {
		plain.asker.headers = [][2]string{{"Authorization", "Bearer " + a.key}}
	}
	switch {
	case strings.HasSuffix(a.method, "by hash"), strings.HasPrefix(a.method, "GET"), a.method == "report", a.method == "costs":
		plain.method = "POST"
	}
	name := fmt.Sprint(l.document.Text, l.document.OperationName, l.document.Variables, plain.method, plain.form, plain.asker.headers)
	l.mu.Lock()
	known, ok := l.truth[name]
	l.mu.Unlock()
	if ok {
		return known
	}
	out, _, err := l.send(l.request(&plain, l.bare.app.Address(), false))
	if err != nil {
		l.t.Error(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.truth[name] = out
	return out
}

// ask asks once, and finds whether the answer is right.
func (l *leak) ask(a *asked) {
	if l.t.Failed() { // one is enough to look at
		return
	}
	got, header, err := l.send(l.request(a, a.door.address, false))
	if err == nil && strings.Contains(string(got.body), "PersistedQueryNotFound") {
		if header.Get("Cache-Control") != "no-store" {
			l.t.Errorf("a text that is not there may be kept: %v", header)
		}
		got, header, err = l.send(l.request(a, a.door.address, true))
	}
	if err != nil {
		l.t.Errorf("%s by %s: %v", a.door.name, a.method, err)
		return
	}
	if packed := header.Get("Content-Encoding"); packed != "" && a.coding != "*" && !strings.Contains(a.coding, packed) {
		l.t.Errorf("%s answers %q to who takes %q", a.door.name, packed, a.coding)
	}
	want := l.right(a)
	told := got
	if a.method == "report" || a.method == "costs" {
		told.body = bare(got.body)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	a.door.count.asked++
	if a.door.hits(header) {
		a.door.count.hits++
	}
	if !alike(told, want) {
		l.t.Errorf("%s, asked by %q by %s with Accept %s, Accept-Encoding %q: %s\nit is %s\nheaders %v", a.door.name, a.whose, a.method, a.form, a.coding, got.around(want), want.around(got), header)
		return
	}
	l.tagged(a, got, header)
}

// alike is same, of each answer of a list too.
func alike(got, want said) bool {
	var x, y []json.RawMessage
	if json.Unmarshal(got.body, &x) != nil || json.Unmarshal(want.body, &y) != nil {
		return same(got, want)
	}
	return got.status == want.status && got.media == want.media && slices.EqualFunc(x, y, func(a, b json.RawMessage) bool { return same(said{body: a}, said{body: b}) })
}

var reported = regexp.MustCompile(`,"extensions":\{"(cost|cache)":.*\}\}$`)

// bare takes a report off: a proxy may hold the answer without it.
func bare(body []byte) []byte { return reported.ReplaceAll(body, []byte("}")) }

// tagged looks that a validator stands for one person's one answer in one coding, and that what is wrong has none.
func (l *leak) tagged(a *asked, got said, header http.Header) {
	tag := header.Get("ETag")
	parts := got.parts()
	if tag != "" && (len(parts.Errors) > 0 || got.status != 200) {
		l.t.Errorf("%s gives an error a validator: %d %v %s", a.door.name, got.status, header, got.body)
	}
	if cache := header.Get("Cache-Control"); (len(parts.Errors) > 0 || got.status != 200) && cache != "no-store" {
		l.t.Errorf("%s lets an error be kept: %d %q %s", a.door.name, got.status, cache, got.body)
	}
	if tag == "" || strings.HasPrefix(tag, "W/") { // a Varnish that unpacked it says W/
		return
	}
	sum := sha256.Sum256(got.body)
	means := a.whose + " " + a.form + " " + header.Get("Content-Encoding") + " " + hex.EncodeToString(sum[:8])
	if known, ok := l.tags[tag]; ok && known != means {
		l.t.Errorf("the validator %s stands for %s and for %s", tag, known, means)
	}
	l.tags[tag], l.ours[tag] = means, a.whose
}

// probe asks with each validator that was seen: to nobody but its owner it says anything. Then everybody asks with their own.
func (l *leak) probe() {
	for _, who := range l.askers {
		var theirs []string
		for tag, whose := range l.ours {
			if whose != who.whose {
				theirs = append(theirs, tag)
			}
		}
		for _, door := range l.doors {
			for _, method := range []string{"GET", "POST"} {
				if !l.opens(door, who) || method == "GET" && len(l.address(l.document, "")) > longest {
					continue
				}
				a := &asked{asker: who, door: door, method: method, form: "application/json", coding: "gzip"}
				if len(theirs) > 0 {
					a.headers = [][2]string{{"If-None-Match", strings.Join(theirs, ", ")}}
					l.ask(a) // which is no 304, as the server that keeps nothing gives none
				}
				l.again(a)
			}
		}
	}
}

// again asks for what the asker has a copy of.
func (l *leak) again(a *asked) {
	a.headers = nil
	_, header, err := l.send(l.request(a, a.door.address, false))
	tag := header.Get("ETag")
	if err != nil || tag == "" {
		return
	}
	a.headers = [][2]string{{"If-None-Match", tag}}
	got, header, err := l.send(l.request(a, a.door.address, false))
	switch {
	case err == nil && got.status == http.StatusOK && a.door.forgets && a.method == "GET" && header.Get("Cache-Control") == "private, no-cache":
		l.ask(a)
	case err != nil || got.status != http.StatusNotModified || len(got.body) > 0 || header.Get("ETag") != tag:
		l.t.Errorf("%s does not find %q's copy %s good by %s: %v %d %v", a.door.name, a.whose, tag, a.method, err, got.status, header)
	default:
		a.door.count.good++
	}
}
