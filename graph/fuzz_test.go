package graph_test

import (
	"encoding/json"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// Whatever document is sent, it is answered or refused with a code and a place, and nothing panics.
func FuzzDocument(f *testing.F) {
	for _, tc := range hostile() {
		var body struct{ Query string }
		if json.Unmarshal([]byte(tc.body), &body) == nil && len(body.Query) < 10_000 {
			f.Add(body.Query)
		}
	}
	for _, s := range []string{
		"{categories{number name}}", "query($x:Boolean!){categories{number @skip(if:$x) ... on Category @include(if:$x){name}}}", "{a:categories{...F} b:node(id:\"x\"){id}} fragment F on Category{number}",
		"mutation{upsertSuppliers(input:{suppliers:[]}){created}}", "subscription{x}", "{__schema{types{name}}}", "query A{a} query B{b}", "#", "\ufeff{categories{number}}", "{categories{number}", "type X{a:Int}",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, document string) {
		if !utf8.ValidString(document) {
			return
		}
		got := newBench(t).ask(t, document, nil)
		for _, e := range got.Errors {
			if e.Extensions.Code == "" || e.Extensions.Code == "INTERNAL" && len(e.Path) == 0 {
				t.Errorf("%q gives %s", document, got.text)
			}
		}
		if got.Data == nil && len(got.Errors) == 0 || got.status != 200 && got.status != 400 && got.status != 406 {
			t.Errorf("%q gives %d %s", document, got.status, got.text)
		}
	})
}

// Whatever is sent, the answer is JSON in the shape of GraphQL, every error has a code, and nothing of Go shows.
func FuzzBody(f *testing.F) {
	for _, s := range []string{
		`{"query":"{categories{number name}}"}`,
		`{"query":"query($i:ID!){node(id:$i){id}}","variables":{"i":"x"}}`,
		`{"query":"{suppliers(first:1e9){nodes{id}}}","operationName":null,"extensions":{}}`,
		`{"query":"query($f:SupplierFilter){suppliers(filter:$f){nodes{id}}}","variables":{"f":{"tiers":[1,"2",null,{}]}}}`,
		`{"query":"{...f} fragment f on Query{...f}"}`,
		`[{"query":"{categories{number}}"},{"query":"{nope}"}]`, `[]`, `{"query":"{categories{number}}","query":""}`, `{"query":"\ud800"}`, "\x00", `[[[[`, `{"query":{}}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		b := newBench(t)
		r := httptest.NewRequest("POST", "/graphql", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		b.ServeHTTP(w, r)
		var all []map[string]json.RawMessage
		text := w.Body.Bytes()
		if text[0] != '[' {
			text = slices.Concat([]byte{'['}, text, []byte{']'})
		}
		if err := json.Unmarshal(text, &all); err != nil || len(all) == 0 {
			t.Fatalf("%q gives %q", body, w.Body)
		}
		for _, got := range all {
			if got["data"] == nil && got["errors"] == nil || w.Code != 200 && w.Code != 400 {
				t.Errorf("%q gives %d %s", body, w.Code, w.Body)
			}
			var errs []struct{ Extensions struct{ Code string } }
			if got["errors"] != nil && json.Unmarshal(got["errors"], &errs) != nil {
				t.Fatalf("%q gives %s", body, w.Body)
			}
			for _, e := range errs {
				if e.Extensions.Code == "" {
					t.Errorf("%q gives an error without a code: %s", body, w.Body)
				}
			}
		}
	})
}
