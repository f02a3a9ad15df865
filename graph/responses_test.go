package graph_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"carbongraph/cachex"
	"carbongraph/graph"
	"carbongraph/internal/auth"
	"carbongraph/store"
)

// keeping is a bench whose answers are kept, under versions that the test raises.
type keeping struct {
	*bench
	versions *cachex.Versions
	version  atomic.Int64
	total    atomic.Int64
	away     atomic.Bool
	now      atomic.Int64 // seconds that have passed
}

func newKeeping(t testing.TB) *keeping {
	t.Helper()
	k := &keeping{}
	k.versions = cachex.NewVersions(cachex.VersionsOptions{Read: func(context.Context, [16]byte) (*cachex.Vector, error) {
		if k.away.Load() {
			return nil, io.ErrUnexpectedEOF
		}
		return &cachex.Vector{All: map[string]int64{"Category": k.version.Load()}, Own: map[string]int64{}, Total: k.total.Load()}, nil
	}, Changes: func(context.Context) ([][16]byte, bool, error) { return nil, false, nil }})
	chain := cachex.New(cachex.Options{})
	t.Cleanup(chain.Close)
	k.bench = newBenchOf(t, graph.Options{Limits: contract, Responses: &graph.ResponseOptions{
		Cache: chain, Versions: k.versions, Strategy: cachex.Named(cachex.APIResponses), Secret: []byte("secret"),
		Now: func() time.Time { return time.Now().Add(time.Duration(k.now.Load()) * time.Second) },
	}})
	return k
}

// get asks by GET, with headers as names and values by turns.
func (k *keeping) get(t testing.TB, query string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest("GET", "/graphql?"+url.Values{"query": {query}}.Encode(), nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	k.ServeHTTP(w, r)
	return w
}

const numbers = "{categories{number}}"

func TestAnswersAreKeptUnderVersions(t *testing.T) {
	k := newKeeping(t)
	first := k.get(t, numbers)
	tag := first.Header().Get("ETag")
	if got := first.Header().Get("Cache-Status"); got != "carbongraph; fwd=miss; stored" || tag == "" || strings.HasPrefix(tag, "W/") {
		t.Errorf("the first answer: %q, ETag %q", got, tag)
	}
	if got := first.Header().Get("Cache-Control"); got != "public, max-age=3600" {
		t.Errorf("what is everybody's: %q", got)
	}
	second := k.get(t, numbers)
	if got := second.Header().Get("Cache-Status"); !strings.HasPrefix(got, "carbongraph; hit; ttl=") || !strings.HasSuffix(got, "; detail=L1") {
		t.Errorf("the second answer: %q", got)
	}
	if second.Body.String() != first.Body.String() || second.Header().Get("ETag") != tag || second.Header().Get("Age") != "0" {
		t.Errorf("the second answer: %s %v", second.Body, second.Header())
	}
	if got := k.begun.Load(); got != 1 {
		t.Errorf("run %d times", got)
	}
	k.version.Add(1)
	third := k.get(t, numbers)
	if third.Header().Get("ETag") == tag || k.begun.Load() != 2 {
		t.Errorf("after a write: ETag %q as before, run %d times", third.Header().Get("ETag"), k.begun.Load())
	}
	if got := k.get(t, numbers, "If-None-Match", tag); got.Code != 200 {
		t.Errorf("a copy from before the write: %d", got.Code)
	}
}

// A copy that is still good is told so without a look at what is kept, in all forms of RFC 9110, 13.1.2.
func TestCopiesAreFoundGood(t *testing.T) {
	k := newKeeping(t)
	tag := k.get(t, numbers).Header().Get("ETag")
	for name, tc := range map[string]struct {
		lines []string
		good  bool
	}{
		"itself":                  {[]string{tag}, true},
		"weak":                    {[]string{"W/" + tag}, true},
		"anything":                {[]string{"*"}, true},
		"one of a list":           {[]string{`"a", W/"b" ,` + tag}, true},
		"in a second line":        {[]string{`"a"`, `"b",` + tag}, true},
		"behind an empty element": {[]string{`, ,"a",,` + tag + ","}, true},
		"with a comma in another": {[]string{`"a,b",` + tag}, true},
		"another":                 {[]string{`"a"`}, false},
		"a part of it":            {[]string{strings.TrimSuffix(tag, `"`)}, false},
		"without quotes":          {[]string{strings.Trim(tag, `"`)}, false},
		"behind what is none":     {[]string{"nonsense, " + tag}, false},
		"nothing":                 {[]string{""}, false},
		"of another coding":       {[]string{strings.TrimSuffix(tag, `"`) + `-gzip"`}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var headers []string
			for _, line := range tc.lines {
				headers = append(headers, "If-None-Match", line)
			}
			got := k.get(t, numbers, headers...)
			if want := map[bool]int{true: http.StatusNotModified, false: http.StatusOK}[tc.good]; got.Code != want {
				t.Fatalf("%d; want %d", got.Code, want)
			}
			if !tc.good {
				return
			}
			if got.Body.Len() > 0 || got.Header().Get("ETag") != tag || got.Header().Get("Cache-Control") == "" || got.Header().Get("Vary") == "" {
				t.Errorf("%s %v", got.Body, got.Header())
			}
			want := "carbongraph; hit; detail=versions"
			if name == "anything" { // which tells no version
				want = "carbongraph; hit; ttl="
			}
			if status := got.Header().Get("Cache-Status"); !strings.HasPrefix(status, want) {
				t.Errorf("Cache-Status: %q", status)
			}
		})
	}
	if got := k.begun.Load(); got != 1 {
		t.Errorf("run %d times", got)
	}
	k.version.Add(1) // nothing is kept of this version
	if got := k.get(t, numbers, "If-None-Match", "*"); got.Code != http.StatusNotModified || got.Header().Get("ETag") == "" || k.begun.Load() != 2 {
		t.Errorf("* without a kept answer: %d, ETag %q, run %d times", got.Code, got.Header().Get("ETag"), k.begun.Load())
	}
	for _, query := range []string{`{a:node(id:"nope"){id} categories{number}}`, `{suppliers(first:3000000000){nodes{id}}}`} { // of these there is no right answer
		if got := k.get(t, query, "If-None-Match", "*"); got.Code != http.StatusOK || got.Header().Get("ETag") != "" || !strings.Contains(got.Body.String(), "errors") {
			t.Errorf("* for an error: %d %v %s", got.Code, got.Header(), got.Body)
		}
	}
}

// What is asked in different words and means the same is one answer.
func TestVariablesMeanTheSame(t *testing.T) {
	k := newKeeping(t)
	const query = `query Q($a: Boolean! = true, $b: Boolean! = false) { categories { number @include(if: $a) name @skip(if: $b) } }`
	for i, body := range []string{
		`{"query":%q,"variables":{"a":true,"b":false}}`, `{"query":%q,"variables":{"b":false,"a":true}}`, `{"query":%q,"variables":{"b":false}}`, `{"query":%q}`,
		`{"operationName":"Q","variables":{ "b" : false, "unheard": [1,2,{}]},"query":%q}`,
	} {
		text, _ := json.Marshal(query)
		got := k.post(t, strings.Replace(body, "%q", string(text), 1))
		if hit := strings.Contains(got.header.Get("Cache-Status"), "hit"); hit != (i > 0) || len(got.Errors) > 0 {
			t.Errorf("%s: %q %s", body, got.header.Get("Cache-Status"), got.text)
		}
	}
	text, _ := json.Marshal(query)
	if got := k.post(t, strings.Replace(`{"query":%q,"variables":{"a":false,"b":false}}`, "%q", string(text), 1)); strings.Contains(got.text, "number") || !strings.Contains(got.header.Get("Cache-Status"), "miss") {
		t.Errorf("other variables: %q %s", got.header.Get("Cache-Status"), got.text)
	}
}

// Nobody gets what another organization, or another role, was answered.
func TestAnswersAreOneOrganizationsAndRoles(t *testing.T) {
	k := newKeeping(t)
	var tags []string
	for _, v := range []*auth.Viewer{{Org: store.ID{1}, Role: store.Editor}, {Org: store.ID{2}, Role: store.Editor}, {Org: store.ID{1}, Role: store.Viewer}} {
		k.viewer = v
		got := k.get(t, numbers)
		if !strings.Contains(got.Header().Get("Cache-Status"), "miss") {
			t.Errorf("%+v: %q", v, got.Header().Get("Cache-Status"))
		}
		tags = append(tags, got.Header().Get("ETag"))
	}
	if tags[0] == tags[1] || tags[0] == tags[2] {
		t.Errorf("one validator for several: %q", tags)
	}
}

func TestWhatAClientSaysOfCaches(t *testing.T) {
	for name, tc := range map[string]struct {
		headers []string
		kept    bool // an answer was, before
		status  string
		runs    int64
	}{
		"no-store, nothing kept": {[]string{"Cache-Control", "no-store"}, false, "carbongraph; fwd=bypass; detail=no-store", 1},
		"no-store":               {[]string{"Cache-Control", "no-store"}, true, "carbongraph; fwd=bypass; detail=no-store", 2},
		"no-cache":               {[]string{"Cache-Control", "max-age=0x, No-Cache"}, true, "carbongraph; fwd=miss; stored", 2},
		"only what is there":     {[]string{"Cache-Control", "only-if-cached"}, true, "hit", 1},
		"not older than now":     {[]string{"Cache-Control", "max-age=0"}, true, "hit", 1},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKeeping(t)
			if tc.kept {
				k.get(t, numbers)
			}
			if got := k.get(t, numbers, tc.headers...).Header().Get("Cache-Status"); !strings.Contains(got, tc.status) || k.begun.Load() != tc.runs {
				t.Errorf("%q, run %d times; want %q and %d", got, k.begun.Load(), tc.status, tc.runs)
			}
			if tc.kept {
				return
			}
			if got := k.get(t, numbers).Header().Get("Cache-Status"); !strings.Contains(got, "miss") {
				t.Errorf("what must not be stored is: %q", got)
			}
		})
	}
	k := newKeeping(t)
	if got := k.get(t, numbers, "Cache-Control", "only-if-cached"); got.Code != http.StatusGatewayTimeout || k.begun.Load() != 0 {
		t.Errorf("only what is there, and nothing is: %d %s", got.Code, got.Body)
	}
	k.get(t, numbers)
	// In a list each operation is answered by itself.
	both := httptest.NewRequest("POST", "/graphql", strings.NewReader(`[{"query":"`+numbers+`"},{"query":"{categories{name}}"}]`))
	both.Header.Set("Content-Type", "application/json")
	both.Header.Set("Cache-Control", "only-if-cached")
	got := httptest.NewRecorder()
	k.ServeHTTP(got, both)
	if text := got.Body.String(); k.begun.Load() != 1 || !strings.HasPrefix(text, `[{"data":`) || strings.Count(text, `"code":"NOT_FOUND"`) != 1 {
		t.Errorf("one of two is there: %s, run %d times", text, k.begun.Load())
	}
	k.now.Store(30)
	if got := k.get(t, numbers, "Cache-Control", "max-age=20"); k.begun.Load() != 2 {
		t.Errorf("an answer of 30 seconds where 20 are allowed: %v", got.Header())
	}
}

func TestWhatIsNotKept(t *testing.T) {
	k := newKeeping(t)
	k.viewer.Role = store.Admin
	for name, tc := range map[string]struct{ query, status string }{
		"an error":          {"{categories{number}", ""},
		"introspection":     {"{__schema{queryType{name}}}", "max-age-0"},
		"what nothing says": {"{__typename}", "max-age-0"},
	} {
		for range 2 {
			got := k.get(t, tc.query)
			if got.Header().Get("ETag") != "" || !strings.Contains(got.Header().Get("Cache-Status"), tc.status) {
				t.Errorf("%s: %v", name, got.Header())
			}
		}
	}
	k.away.Store(true)
	if got := k.get(t, numbers); got.Code != 200 || got.Header().Get("Cache-Status") != "carbongraph; fwd=bypass; detail=no-version" || !strings.Contains(got.Body.String(), `"number":1`) {
		t.Errorf("versions that cannot be read: %d %v %s", got.Code, got.Header(), got.Body)
	}
}

// A body is kept in each coding that is asked for, each with a validator of its own.
func TestCodings(t *testing.T) {
	k := newKeeping(t)
	query := "{categories{" + aliases(28) + "}}"
	plain := k.get(t, query)
	if plain.Header().Get("ETag") == "" || plain.Body.Len() < 1024 {
		t.Fatalf("%v %s", plain.Header(), plain.Body)
	}
	open := map[string]func(io.Reader) (io.Reader, error){
		"gzip": func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		"br":   func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil },
		"zstd": func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r) },
	}
	seen := map[string]bool{plain.Header().Get("ETag"): true}
	for accept, want := range map[string]string{
		"gzip": "gzip", "x-gzip": "gzip", "br": "br", "zstd": "zstd", "gzip, deflate, br, zstd": "zstd", "gzip;q=1, br;q=0.5, *;q=0": "gzip", "*": "zstd",
		"identity": "", "gzip;q=0": "", "deflate": "", "": "", "*;q=0.5, zstd;q=0": "br", "gzip;q=2": "",
	} {
		for range 2 {
			got := k.get(t, query, "Accept-Encoding", accept)
			if coding := got.Header().Get("Content-Encoding"); coding != want {
				t.Errorf("%q: %q; want %q", accept, coding, want)
				continue
			}
			seen[got.Header().Get("ETag")] = true
			if !strings.Contains(got.Header().Get("Cache-Status"), "hit") {
				t.Errorf("%q: %q", accept, got.Header().Get("Cache-Status"))
			}
			body := io.Reader(got.Body)
			if want != "" {
				var err error
				if body, err = open[want](body); err != nil {
					t.Fatal(err)
				}
			}
			if text, err := io.ReadAll(body); err != nil || !bytes.Equal(text, plain.Body.Bytes()) {
				t.Errorf("%q: %v, %d bytes; want %d", accept, err, len(text), plain.Body.Len())
			}
			if again := k.get(t, query, "Accept-Encoding", accept, "If-None-Match", got.Header().Get("ETag")); again.Code != http.StatusNotModified {
				t.Errorf("%q: its own validator gives %d", accept, again.Code)
			}
		}
	}
	if len(seen) != 4 {
		t.Errorf("%d validators for four codings: %v", len(seen), seen)
	}
	if got := k.get(t, numbers, "Accept-Encoding", "gzip"); got.Header().Get("Content-Encoding") != "" {
		t.Errorf("a short body is packed: %v", got.Header())
	}
}

// aliases are as many names of one field as make a long answer.
func aliases(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(" aliasOfTheName" + string(rune('a'+i%26)) + string(rune('a'+i/26)) + ": name")
	}
	return b.String()
}

// Of a thousand who ask the same at once one runs it.
func TestAStampedeRunsOnce(t *testing.T) {
	k := newKeeping(t)
	var all sync.WaitGroup
	for range 1000 {
		all.Go(func() {
			if got := k.get(t, numbers); got.Code != 200 || !strings.Contains(got.Body.String(), `"number":1`) {
				t.Errorf("%d %s", got.Code, got.Body)
			}
		})
	}
	all.Wait()
	if got := k.begun.Load(); got != 1 {
		t.Errorf("run %d times", got)
	}
}

// How an answer came about is told where that is asked for.
func TestAnswersAreExplained(t *testing.T) {
	k := newKeeping(t)
	k.version.Store(7)
	for i, want := range []string{"miss", "hit"} {
		got := k.get(t, numbers, "GraphQL-Cache", "report")
		var out struct {
			Data       json.RawMessage
			Extensions struct {
				Cache struct {
					Status, Layer, Scope string
					MaxAge               int
					Key                  struct{ Document, Role string }
					Versions             map[string]struct{ Organization, Everybody int64 }
				}
			}
		}
		if err := json.Unmarshal(got.Body.Bytes(), &out); err != nil {
			t.Fatalf("%v: %s", err, got.Body)
		}
		c := out.Extensions.Cache
		if c.Status != want || c.Scope != "PUBLIC" || c.MaxAge != 3600 || c.Versions["Category"].Everybody != 7 || c.Key.Role != "EDITOR" || len(c.Key.Document) != 64 || len(out.Data) == 0 {
			t.Errorf("answer %d: %s", i+1, got.Body)
		}
		if got.Header().Get("ETag") != "" {
			t.Errorf("an answer with a report has the validator %s", got.Header().Get("ETag"))
		}
	}
	long := "{categories{" + aliases(28) + "}}"
	tag := k.get(t, long, "Accept-Encoding", "gzip").Header().Get("ETag")
	for _, header := range []string{"GraphQL-Cache", "GraphQL-Cost"} { // of what is kept packed, and of which the client has a copy
		got := k.get(t, long, header, "report", "Accept-Encoding", "gzip", "If-None-Match", tag+", *")
		in, err := gzip.NewReader(got.Body)
		if err != nil {
			t.Fatal(header, err)
		}
		if text, err := io.ReadAll(in); err != nil || got.Code != http.StatusOK || !json.Valid(text) || !bytes.Contains(text, []byte(`"extensions":{"c`)) {
			t.Errorf("%s: %v %d %v %s", header, err, got.Code, got.Header(), text)
		}
		if got.Header().Get("Cache-Control") != "private, no-cache" || got.Header().Get("ETag") != "" {
			t.Errorf("others may keep what is told to one: %v", got.Header())
		}
	}
	if got := k.get(t, "{__typename}", "GraphQL-Cache", "report"); !strings.Contains(got.Body.String(), `"reason":"max-age-0"`) {
		t.Errorf("why it is not kept: %s", got.Body)
	}
	if got := k.get(t, numbers, "GraphQL-Cache", "why"); got.Code != http.StatusBadRequest && !strings.Contains(got.Body.String(), "GraphQL-Cache") {
		t.Errorf("another word: %d %s", got.Code, got.Body)
	}
}
