package graph_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"carbongraph/graph"
	"carbongraph/internal/auth"
	"carbongraph/store"
)

func hashed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func extension(hash string) string {
	return `{"persistedQuery":{"version":1,"sha256Hash":"` + hash + `"}}`
}

func TestPersistedQueries(t *testing.T) {
	const text, category = "{categories{number}}", `{"categories":[{"number":1}]}`
	byGet := func(t *testing.T, b *bench, method string, q url.Values) *reply {
		return b.send(t, httptest.NewRequest(method, "/graphql?"+q.Encode(), nil))
	}
	t.Run("are asked for by hash once the text was sent", func(t *testing.T) {
		b := newBench(t)
		alone := `{"extensions":` + extension(hashed(text)) + `}`
		for _, accept := range []string{"application/json", "application/graphql-response+json"} {
			got := b.post(t, alone, "Accept", accept)
			if want := map[bool]int{true: 404, false: 200}[strings.Contains(accept, "graphql")]; got.status != want || got.code() != "PERSISTED_QUERY_NOT_FOUND" || got.Errors[0].Message != "PersistedQueryNotFound" || got.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%d %s %s", got.status, got.header, got.text)
			}
		}
		if got := b.post(t, `{"query":"`+text+`","extensions":`+extension(hashed(text))+`}`); string(got.Data) != category {
			t.Fatal(got.text)
		}
		if got := b.post(t, alone); string(got.Data) != category {
			t.Error(got.text)
		}
		if got := b.post(t, `{"query":"","variables":{},"extensions":`+extension(hashed(text))+`}`); string(got.Data) != category {
			t.Error(got.text)
		}
		if got := byGet(t, b, "GET", url.Values{"extensions": {extension(hashed(text))}}); string(got.Data) != category || got.header.Get("Cache-Control") != "private, no-cache" {
			t.Errorf("by GET: %s %s", got.header, got.text)
		}
	})
	t.Run("may be sent first by GET", func(t *testing.T) {
		b := newBench(t)
		if got := byGet(t, b, "GET", url.Values{"query": {text}, "extensions": {extension(hashed(text))}}); string(got.Data) != category {
			t.Fatal(got.text)
		}
		if got := b.post(t, `{"extensions":`+extension(hashed(text))+`}`); string(got.Data) != category {
			t.Error(got.text)
		}
	})
	t.Run("are not kept unless they are valid", func(t *testing.T) {
		for _, bad := range []string{"{nope}", "{", "{categories{number}} {categories{number}}"} {
			b := newBench(t)
			b.post(t, asJSON(t, map[string]any{"query": bad, "extensions": map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": hashed(bad)}}}))
			if got := b.post(t, `{"extensions":`+extension(hashed(bad))+`}`); got.code() != "PERSISTED_QUERY_NOT_FOUND" {
				t.Errorf("%s: %s", bad, got.text)
			}
		}
	})
	t.Run("are what their hash says", func(t *testing.T) {
		b := newBench(t)
		got := b.post(t, `{"query":"{categories{name}}","extensions":`+extension(hashed(text))+`}`)
		if got.code() != "BAD_USER_INPUT" || got.Data != nil {
			t.Error(got.text)
		}
		if got := b.post(t, `{"extensions":`+extension(hashed(text))+`}`); got.code() != "PERSISTED_QUERY_NOT_FOUND" {
			t.Errorf("another text was kept for the hash: %s", got.text)
		}
	})
	t.Run("give nobody a right", func(t *testing.T) {
		b := newBench(t)
		const asks, changes = "{__schema{queryType{name}}}", "mutation{upsertSuppliers(input:{suppliers:[]}){created}}"
		b.viewer.Role = store.Admin
		b.post(t, `{"query":"`+asks+`","extensions":`+extension(hashed(asks))+`}`)
		b.post(t, `{"query":"`+changes+`","extensions":`+extension(hashed(changes))+`}`)
		b.viewer.Role = store.Viewer
		for _, hash := range []string{hashed(asks), hashed(changes)} {
			if got := b.post(t, `{"extensions":`+extension(hash)+`}`); got.code() != "FORBIDDEN" {
				t.Error(got.text)
			}
		}
		ran := b.root.ran.Load()
		if got := byGet(t, b, "GET", url.Values{"extensions": {extension(hashed(changes))}}); got.status != 405 || b.root.ran.Load() != ran {
			t.Errorf("%d %s", got.status, got.text)
		}
	})
	t.Run("with an extension of another form are refused", func(t *testing.T) {
		for _, bad := range []string{
			`1`, `[]`, `{}`, `{"version":1}`, `{"version":2,"sha256Hash":"` + hashed(text) + `"}`, `{"version":"1","sha256Hash":"` + hashed(text) + `"}`,
			`{"version":1,"sha256Hash":"abc"}`, `{"version":1,"sha256Hash":1}`, `{"version":1,"sha256Hash":"` + strings.ToUpper(hashed(text)) + `"}`,
			`{"version":1,"sha256Hash":"` + strings.Repeat("z", 64) + `"}`,
		} {
			if got := newBench(t).post(t, `{"query":"`+text+`","extensions":{"persistedQuery":`+bad+`}}`); got.status != 400 || got.code() != "BAD_USER_INPUT" {
				t.Errorf("%s: %d %s", bad, got.status, got.text)
			}
			if got := byGet(t, newBench(t), "GET", url.Values{"query": {text}, "extensions": {`{"persistedQuery":` + bad + `}`}}); got.status != 400 {
				t.Errorf("%s by GET: %d %s", bad, got.status, got.text)
			}
		}
		if got := newBench(t).post(t, `{"query":"`+text+`","extensions":{"persistedQuery":null}}`); string(got.Data) != category {
			t.Error(got.text)
		}
	})
	t.Run("of one who sends too many make room for nobody else's", func(t *testing.T) {
		b := newBench(t)
		register := func(key byte, text string) *reply {
			b.viewer = &auth.Viewer{Org: store.ID{1}, Role: store.Viewer, Key: store.ID{key}}
			return b.post(t, asJSON(t, map[string]any{"query": text, "extensions": map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": hashed(text)}}}))
		}
		knows := func(text string) bool {
			return b.post(t, `{"extensions":`+extension(hashed(text))+`}`).code() != "PERSISTED_QUERY_NOT_FOUND"
		}
		register(1, text)
		flood := func(i int) string { return "{categories{number}}#" + strconv.Itoa(i) }
		for i := range 1100 {
			if got := register(2, flood(i)); string(got.Data) != category {
				t.Fatalf("text %d: %s", i+1, got.text)
			}
		}
		if !knows(text) || !knows(flood(0)) || !knows(flood(999)) || knows(flood(1000)) || knows(flood(1099)) {
			t.Errorf("known: another's %t, the first %t, the thousandth %t, and after it %t, %t", knows(text), knows(flood(0)), knows(flood(999)), knows(flood(1000)), knows(flood(1099)))
		}
		if got := register(2, flood(1099)); string(got.Data) != category {
			t.Errorf("what is not kept does not run: %s", got.text)
		}
		if register(3, flood(1099)); !knows(flood(1099)) {
			t.Error("somebody else's is not kept")
		}
		long := flood(0) + strings.Repeat(" ", 1<<20)
		for i := range 3 { // bytes count as well
			register(4, long+strconv.Itoa(i))
		}
		if !knows(long+"0") || knows(long+"2") || !knows(text) {
			t.Errorf("long texts: the first %t, the third %t, another's %t", knows(long+"0"), knows(long+"2"), knows(text))
		}
	})
	t.Run("go over a WebSocket too", func(t *testing.T) {
		_, s := listening(t, graph.Options{})
		c := connect(t, s)
		c.say(message("a", "subscribe", `{"extensions":`+extension(hashed(text))+`}`))
		c.hearsAbout(`{"id":"a","type":"error"`, "PersistedQueryNotFound")
		c.say(message("b", "subscribe", `{"query":"`+text+`","extensions":`+extension(hashed(text))+`}`))
		c.hears(message("b", "next", `{"data":`+category+`}`), completed("b"))
		c.say(message("c", "subscribe", `{"extensions":`+extension(hashed(text))+`}`))
		c.hears(message("c", "next", `{"data":`+category+`}`), completed("c"))
	})
}
