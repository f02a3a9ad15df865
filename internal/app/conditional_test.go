package app_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// page is a server that is asked as browsers and proxies ask.
type page struct {
	*engine
	*engines
	t   *testing.T
	dir string
	key string // of every request that shows nothing else
}

// newPage starts a server with a ledger.
func newPage(t *testing.T, env map[string]string) *page {
	t.Helper()
	p := &page{t: t, engines: &engines{}, dir: t.TempDir()}
	settings := map[string]string{"DATA_DIR": p.dir}
	maps.Copy(settings, env)
	p.fill(t, settings)
	p.engine = newEngine(t, "auto", settings)
	p.key = p.keys[0]
	return p
}

// seen is an answer.
type seen struct {
	status int
	http.Header
	body []byte
}

// send asks, with headers as names and values by turns. An empty value takes the header away.
func (p *page) send(method, path string, body []byte, headers ...string) *seen {
	p.t.Helper()
	r, err := http.NewRequest(method, "http://"+p.app.Address()+path, bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+p.key)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	given := map[string]bool{}
	for i := 0; i < len(headers); i += 2 {
		name := http.CanonicalHeaderKey(headers[i])
		if !given[name] {
			r.Header.Del(name)
		}
		if given[name] = true; headers[i+1] != "" {
			r.Header.Add(name, headers[i+1])
		}
	}
	res, err := p.client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return &seen{res.StatusCode, res.Header, text}
}

func addressOf(query string) string { return "/graphql?" + url.Values{"query": {query}}.Encode() }

func bodyOf(query string) []byte {
	text, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		panic(err)
	}
	return text
}

// by asks for a query by a method.
func (p *page) by(method, query string, headers ...string) *seen {
	p.t.Helper()
	if method == "POST" {
		return p.send(method, "/graphql", bodyOf(query), headers...)
	}
	return p.send(method, addressOf(query), nil, headers...)
}

const (
	everybodys = `{ categories { id number name direction } }`
	own        = `{ suppliers(first: 40) { nodes { id name externalId country createdAt } } }`
	short      = `{ suppliers(first: 1) { nodes { name } } }`
)

// A copy is found good in every form of RFC 9110, 13.1.2, by each method, and the answer that says so has what it must have and nothing of a body.
func TestCopiesOverHTTP(t *testing.T) {
	p := newPage(t, nil)
	for _, query := range []string{everybodys, own, short} {
		for _, coding := range []string{"", "gzip", "br", "zstd"} {
			first := p.by("GET", query, "Accept-Encoding", coding)
			tag := first.Get("ETag")
			if tag == "" || strings.HasPrefix(tag, "W/") {
				t.Fatalf("the first answer has the validator %q", tag)
			}
			for name, tc := range map[string]struct {
				lines []string
				good  bool
			}{
				"itself": {[]string{tag}, true}, "weak": {[]string{"W/" + tag}, true}, "anything": {[]string{"*"}, true}, "a list": {[]string{`"a", W/"b,c", ` + tag + `, "d"`}, true},
				"two lines": {[]string{`"a", "b"`, "W/" + tag}, true}, "another": {[]string{`"a"`}, false}, "another form of the same": {[]string{strings.ToLower(tag)}, strings.ToLower(tag) == tag},
				"no quotes": {[]string{strings.Trim(tag, `"`)}, false}, "nothing": {[]string{""}, false}, "of another coding": {[]string{strings.TrimSuffix(tag, `"`) + `-deflate"`}, false},
			} {
				for _, method := range []string{"GET", "HEAD", "POST"} {
					headers := []string{"Accept-Encoding", coding}
					for _, line := range tc.lines {
						headers = append(headers, "If-None-Match", line)
					}
					got := p.by(method, query, headers...)
					want := map[bool]int{true: http.StatusNotModified, false: http.StatusOK}[tc.good]
					if got.status != want {
						t.Errorf("%s by %s, %s, Accept-Encoding %q: %d; want %d", query, method, name, coding, got.status, want)
					} else if tc.good {
						p.isCopy(got, first, method+" "+name)
					}
				}
			}
		}
	}
}

// isCopy looks that an answer which says that a copy is good has the headers of the answer itself, and none of a body.
func (p *page) isCopy(got, first *seen, what string) {
	p.t.Helper()
	for _, name := range []string{"ETag", "Cache-Control", "Vary"} {
		if got.Get(name) != first.Get(name) || got.Get(name) == "" {
			p.t.Errorf("%s: %s is %q; of the answer it was %q", what, name, got.Get(name), first.Get(name))
		}
	}
	for _, name := range []string{"Content-Type", "Content-Length", "Content-Encoding", "Transfer-Encoding", "Last-Modified"} {
		if got.Get(name) != "" {
			p.t.Errorf("%s: %s is %q, of no body", what, name, got.Get(name))
		}
	}
	if len(got.body) > 0 {
		p.t.Errorf("%s: a body of %d bytes", what, len(got.body))
	}
}

// HEAD gives the headers of GET, whether the answer is kept, packed, or an error.
func TestHeadIsGetWithoutABody(t *testing.T) {
	p := newPage(t, nil)
	for _, query := range []string{everybodys, own, short, `{ viewer { role } }`, `{ viewer { role } ` + strings.Repeat("categories { id number name direction } ", 3) + `}`, `{ nothing }`, `{ suppliers(first: 0) { nodes { id } } }`, `mutation { revokeApiKey(id: "x") { deletedId } }`} {
		for _, coding := range []string{"", "gzip", "br", "zstd", "gzip;q=0.5, *"} {
			for _, accept := range []string{"application/json", "application/graphql-response+json"} {
				p.by("GET", query, "Accept-Encoding", coding, "Accept", accept)
				get, head := p.by("GET", query, "Accept-Encoding", coding, "Accept", accept), p.by("HEAD", query, "Accept-Encoding", coding, "Accept", accept)
				for _, h := range []*seen{get, head} {
					for _, each := range []string{"Date", "X-Request-Id", "Cache-Status", "Age"} {
						h.Del(each)
					}
				}
				if !strings.Contains(get.Get("Carbongraph-As-Of"), "T") || get.Get("ETag") == "" {
					get.Del("Carbongraph-As-Of")
					head.Del("Carbongraph-As-Of")
				}
				if get.status != head.status || get.Get("Content-Length") != strconv.Itoa(len(get.body)) || !maps.EqualFunc(get.Header, head.Header, slices.Equal) || len(head.body) > 0 {
					t.Errorf("%s, Accept-Encoding %q: %d, %d bytes; GET is %d\n%v\n%v", query, coding, head.status, len(head.body), get.status, head.Header, get.Header)
				}
			}
		}
	}
}

// What leaves the server is packed once, in what the client takes, and each coding has a validator of its own, with which the client comes back.
func TestOneCodingLeavesTheServer(t *testing.T) {
	p := newPage(t, nil)
	l := &leak{client: p.client}
	plain := p.by("GET", own)
	for _, query := range []string{own, everybodys, `{ viewer { role } suppliers(first: 40) { nodes { id name externalId } } }`} {
		tags := map[string]string{}
		for _, coding := range []string{"", "identity", "gzip", "br", "zstd", "gzip, deflate, br, zstd", "*", "gzip;q=2", "gzip;q=0", "br;q=0.9, gzip;q=0.1", "identity;q=0, gzip", "GZIP", "x-gzip", "deflate, compress"} {
			for range 2 {
				for _, extra := range [][]string{nil, {"GraphQL-Cost", "report"}, {"Cache-Control", "no-store"}} {
					r, _ := http.NewRequest("GET", "http://"+p.app.Address()+addressOf(query), nil)
					r.Header.Set("Authorization", "Bearer "+p.key)
					if coding != "" {
						r.Header.Set("Accept-Encoding", coding)
					}
					for i := 0; i < len(extra); i += 2 {
						r.Header.Set(extra[i], extra[i+1])
					}
					got, header, err := l.send(r)
					if err != nil || got.status != 200 || !json.Valid(got.body) || len(header.Values("Content-Encoding")) > 1 || !strings.Contains(header.Get("Vary"), "Accept-Encoding") || len(header.Values("Vary")) != 1 {
						t.Fatalf("Accept-Encoding %q %v: %v %d %v %.200q", coding, extra, err, got.status, header, got.body)
					}
					packed := header.Get("Content-Encoding")
					if packed != "" && !strings.Contains(strings.ToLower(coding), packed) && coding != "*" || strings.Contains(coding, packed+";q=0") && packed != "" && !strings.Contains(coding, packed+";q=0.") {
						t.Errorf("Accept-Encoding %q: %q", coding, packed)
					}
					tag := header.Get("ETag")
					if tag == "" {
						continue
					}
					if known, ok := tags[packed]; ok && known != tag {
						t.Errorf("two validators of %q: %s and %s", packed, known, tag)
					}
					tags[packed] = tag
					if again := p.by("GET", query, "Accept-Encoding", coding, "If-None-Match", tag); again.status != 304 || again.Get("ETag") != tag || again.Get("Content-Security-Policy") != "" {
						t.Errorf("Accept-Encoding %q: its own validator %s gives %d with %s", coding, tag, again.status, again.Get("ETag"))
					}
				}
			}
		}
		distinct := map[string]bool{}
		for _, tag := range tags {
			distinct[tag] = true
		}
		if len(distinct) != len(tags) {
			t.Errorf("codings share validators: %v", tags)
		}
	}
	if plain.Get("Content-Length") != strconv.Itoa(len(plain.body)) {
		t.Errorf("Content-Length: %v", plain.Header)
	}
}

// How old an answer is stands in Age, and no part of one is offered.
func TestAgeAndRanges(t *testing.T) {
	p := newPage(t, nil)
	for _, query := range []string{own, everybodys} {
		if got := p.by("GET", query); got.Get("Age") != "" || !strings.Contains(got.Get("Cache-Status"), "fwd=miss; stored") {
			t.Errorf("a new answer: %v", got.Header)
		}
	}
	time.Sleep(1100 * time.Millisecond)
	for query, control := range map[string]string{own: "private, no-cache", everybodys: "public, max-age=3600"} {
		got := p.by("GET", query, "Range", "bytes=0-9", "If-Range", `"x"`)
		age, err := strconv.Atoi(got.Get("Age"))
		if err != nil || age < 1 || age > 60 || got.Get("Cache-Control") != control {
			t.Errorf("a second later: %v", got.Header)
		}
		if got.status != 200 || got.Get("Content-Range") != "" || got.Get("Accept-Ranges") != "" || !json.Valid(got.body) {
			t.Errorf("a part of it: %d %v", got.status, got.Header)
		}
		if at, err := time.Parse("2006-01-02T15:04:05.000000Z", got.Get("Carbongraph-As-Of")); err != nil || time.Since(at) < time.Second || time.Since(at) > time.Minute {
			t.Errorf("as of %q", got.Get("Carbongraph-As-Of"))
		}
	}
}

// What is no whole answer is kept by nobody, and has no validator: whatever was wrong, and what changes something.
func TestErrorsAreKeptNowhere(t *testing.T) {
	p := newPage(t, nil)
	cookie := (&leak{t: t, client: p.client, kept: []*engine{p.engine}}).session(p.key)
	hash := `{"persistedQuery":{"version":1,"sha256Hash":"` + strings.Repeat("ab", 32) + `"}}`
	list := func(queries ...string) []byte {
		return []byte("[" + strings.Join(queries, ",") + "]")
	}
	for name, tc := range map[string]struct {
		method, path string
		body         []byte
		headers      []string
		status       int
	}{
		"no key":                     {"GET", addressOf(everybodys), nil, []string{"Authorization", ""}, 401},
		"no key by HEAD":             {"HEAD", addressOf(everybodys), nil, []string{"Authorization", ""}, 401},
		"a wrong key by POST":        {"POST", "/graphql", bodyOf(everybodys), []string{"Authorization", "Bearer cg_none_0123456789abcdef"}, 401},
		"a session from elsewhere":   {"POST", "/graphql", bodyOf(everybodys), []string{"Authorization", "", "Cookie", cookie, "Sec-Fetch-Site", "cross-site"}, 403},
		"a role too low":             {"POST", "/graphql", bodyOf(`mutation { revokeApiKey(id: "x") { deletedId } }`), []string{"Authorization", "Bearer " + p.keys[1], "Accept", "application/graphql-response+json"}, 403},
		"introspection by a VIEWER":  {"GET", addressOf(`{ __schema { queryType { name } } categories { number } }`), nil, []string{"Authorization", "Bearer " + p.keys[1], "Accept", "application/graphql-response+json"}, 403},
		"no such hash":               {"GET", "/graphql?" + url.Values{"extensions": {hash}}.Encode(), nil, nil, 200},
		"no such hash, newer form":   {"GET", "/graphql?" + url.Values{"extensions": {hash}}.Encode(), nil, []string{"Accept", "application/graphql-response+json"}, 404},
		"no such hash by POST":       {"POST", "/graphql", []byte(`{"extensions":` + hash + `}`), nil, 200},
		"a document that is none":    {"GET", addressOf(`{ categories { number`), nil, nil, 200},
		"a field that is not there":  {"GET", addressOf(`{ categories { nothing } }`), nil, []string{"Accept", "application/graphql-response+json"}, 400},
		"an error beside data":       {"GET", addressOf(`{ categories { number } node(id: "nope") { id } }`), nil, nil, 200},
		"an error in place of data":  {"GET", addressOf(`{ suppliers(after: "nope") { nodes { id } } }`), nil, nil, 200},
		"too dear":                   {"GET", addressOf(`{ suppliers(first: 500) { nodes { activities(first: 500) { nodes { emission { co2e } } } } } }`), nil, nil, 400},
		"a mutation by GET":          {"GET", addressOf(`mutation { revokeApiKey(id: "x") { deletedId } }`), nil, nil, 405},
		"another method":             {"PUT", "/graphql", bodyOf(everybodys), nil, 405},
		"a form that there is not":   {"GET", addressOf(everybodys), nil, []string{"Accept", "text/html"}, 406},
		"a body that is no JSON":     {"POST", "/graphql", []byte("nonsense"), nil, 400},
		"a body of another form":     {"POST", "/graphql", bodyOf(everybodys), []string{"Content-Type", "text/plain"}, 415},
		"a report of another kind":   {"GET", addressOf(everybodys), nil, []string{"GraphQL-Cache", "nonsense"}, 400},
		"a kept answer that is none": {"GET", addressOf(`{ categories { name } }`), nil, []string{"Cache-Control", "only-if-cached"}, 504},
		"a list with an error":       {"POST", "/graphql", list(string(bodyOf(everybodys)), string(bodyOf(`{ nothing }`))), nil, 200},
	} {
		for range 2 {
			got := p.send(tc.method, tc.path, tc.body, append(tc.headers, "If-None-Match", `"x", W/"y"`, "If-None-Match", "*")...)
			if got.status != tc.status || got.Get("Cache-Control") != "no-store" || got.Get("ETag") != "" || got.Get("Age") != "" || got.Get("Last-Modified") != "" || got.Get("Expires") != "" {
				t.Errorf("%s: %d; want %d, kept nowhere: %v %s", name, got.status, tc.status, got.Header, got.body)
			}
			if !strings.Contains(got.Get("Vary"), "Authorization") {
				t.Errorf("%s: Vary is %q", name, got.Get("Vary"))
			}
		}
	}
	for name, got := range map[string]*seen{
		"a mutation": p.by("POST", `mutation { upsertSuppliers(input: {suppliers: []}) { created } }`, "If-None-Match", "*"),
		"a list":     p.send("POST", "/graphql", list(string(bodyOf(everybodys)), string(bodyOf(own))), "If-None-Match", "*"),
		"a viewer":   p.by("GET", `{ viewer { role } }`, "If-None-Match", "*"),
		"a quote":    p.by("GET", everybodys, "GraphQL-Cost", "validate", "If-None-Match", "*"),
	} {
		if got.status != 200 || got.Get("ETag") != "" || got.Get("Cache-Control") != "private, no-cache" || got.Get("Age") != "" {
			t.Errorf("%s: %d %v", name, got.status, got.Header)
		}
	}
	for _, header := range []string{"report, nonsense", "Report"} {
		if got := p.by("GET", everybodys, "GraphQL-Cache", header); (got.status == 200) != (header == "Report") {
			t.Errorf("GraphQL-Cache: %s: %d", header, got.status)
		}
	}
}

// That a copy is good is told to those alone who might have had the answer, now.
func TestACopyIsGoodForWhoMayAsk(t *testing.T) {
	p := newPage(t, nil)
	admin, viewer, rival := p.keys[0], p.keys[1], p.keys[len(p.keys)-1]
	made := p.by("POST", `mutation { createApiKey(input: {name: "temp", role: VIEWER}) { secret apiKey { id } } }`)
	var out struct {
		Data struct {
			CreateApiKey struct {
				Secret string
				ApiKey struct{ ID string }
			}
		}
	}
	if err := json.Unmarshal(made.body, &out); err != nil {
		t.Fatal(err)
	}
	temp := out.Data.CreateApiKey
	seesKey := `{ node(id: "` + temp.ApiKey.ID + `") { ... on Supplier { name } } }` // to an ADMIN there is something of another kind, to others nothing
	for _, query := range []string{everybodys, own, seesKey} {
		for _, method := range []string{"GET", "HEAD", "POST"} {
			tagOf := func(key string) string { return p.by(method, query, "Authorization", "Bearer "+key).Get("ETag") }
			tags := map[string]string{admin: tagOf(admin), viewer: tagOf(viewer), rival: tagOf(rival)}
			for whose, tag := range tags {
				if tag == "" {
					continue // it may not be kept
				}
				for asks := range tags {
					if got := p.by(method, query, "Authorization", "Bearer "+asks, "If-None-Match", tag); (got.status == 304) != (asks == whose) {
						t.Errorf("%s by %s: the copy of %.8s is told %d to %.8s", query, method, whose, got.status, asks)
					}
				}
				for _, bad := range []string{"", "Bearer " + whose + "x", "Bearer", "Basic " + whose} {
					if got := p.by(method, query, "Authorization", bad, "If-None-Match", tag); got.status != 401 || got.Get("ETag") != "" || got.Get("Cache-Control") != "no-store" {
						t.Errorf("%q with a right validator: %d %v", bad, got.status, got.Header)
					}
				}
			}
		}
	}
	tag := p.by("GET", own, "Authorization", "Bearer "+temp.Secret).Get("ETag")
	if got := p.by("GET", own, "Authorization", "Bearer "+temp.Secret, "If-None-Match", tag); got.status != 304 {
		t.Errorf("before the key is revoked: %d", got.status)
	}
	t.Run("a role that is changed", func(t *testing.T) {
		db, err := sql.Open("sqlite", filepath.Join(p.dir, "carbongraph.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.Exec(`UPDATE api_keys SET role = 'ADMIN' WHERE name = 'temp'`); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the role is another", func() bool {
			return strings.Contains(string(p.by("GET", `{ viewer { role } }`, "Authorization", "Bearer "+temp.Secret).body), "ADMIN")
		})
		if got := p.by("GET", own, "Authorization", "Bearer "+temp.Secret, "If-None-Match", tag); got.status != 200 || got.Get("ETag") == tag {
			t.Errorf("the copy of another role: %d %v", got.status, got.Header)
		}
	})
	t.Run("a key that is revoked", func(t *testing.T) {
		tag := p.by("GET", everybodys, "Authorization", "Bearer "+temp.Secret).Get("ETag")
		if got := p.by("POST", `mutation { revokeApiKey(id: "`+temp.ApiKey.ID+`") { deletedId } }`); !strings.Contains(string(got.body), temp.ApiKey.ID) {
			t.Fatalf("%s", got.body)
		}
		for _, tag := range []string{tag, "*"} {
			if got := p.by("GET", everybodys, "Authorization", "Bearer "+temp.Secret, "If-None-Match", tag); got.status != 401 {
				t.Errorf("a revoked key with %s: %d %v", tag, got.status, got.Header)
			}
		}
	})
	t.Run("a caller who has nothing left to spend", func(t *testing.T) {
		p := newPage(t, map[string]string{"RATE_LIMIT": "60"})
		tag := p.by("GET", everybodys).Get("ETag")
		var got *seen
		for range 200 {
			if got = p.by("GET", everybodys, "If-None-Match", tag); got.status != 304 {
				break
			}
		}
		if got.status != 429 || got.Get("ETag") != "" || got.Get("Cache-Control") != "no-store" || got.Get("Retry-After") == "" {
			t.Errorf("%d %v", got.status, got.Header)
		}
	})
}
