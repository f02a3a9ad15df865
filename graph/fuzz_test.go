package graph_test

import (
	"encoding/json"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

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
