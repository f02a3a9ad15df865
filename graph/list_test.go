package graph_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"carbongraph/graph"
)

// list sends a body, and reads a list of answers, if it is one.
func (b *bench) list(t *testing.T, body, accept string) (status int, text string, all []reply) {
	t.Helper()
	r := httptest.NewRequest("POST", "/graphql", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	_ = json.Unmarshal(w.Body.Bytes(), &all)
	return w.Code, w.Body.String(), all
}

func operations(n int, one string) string { return "[" + strings.Repeat(one+",", n-1) + one + "]" }

func TestLists(t *testing.T) {
	const one, upsert = `{"query":"{categories{number}}"}`, `{"query":"mutation{upsertSuppliers(input:{suppliers:[]}){created}}"}`
	large := `{"query":"` + strings.Repeat("{a", 20) + strings.Repeat("}", 20) + `"}`
	dear := func(n int) string {
		return fmt.Sprintf(`{"query":"query($n:Int){suppliers(first:$n){nodes{emissions(first:10){nodes{id}}}}}","variables":{"n":%d}}`, n)
	}
	for _, accept := range []string{"application/json", "application/graphql-response+json"} {
		for name, tc := range map[string]struct {
			body   string
			status int
			codes  []string // of each answer; "" for none
			ran    int64    // mutations
		}{
			"one":                          {operations(1, one), 200, []string{""}, 0},
			"as many as may be":            {operations(10, upsert), 200, make([]string, 10), 10},
			"in the order of the list":     {"[" + one + `, {"query":"{nope}"} ,` + upsert + "]", 200, []string{"", "GRAPHQL_VALIDATION_FAILED", ""}, 1},
			"a document that is too large": {"[" + large + `,{"query":"{nope}"}]`, 400, []string{"COST_LIMIT_EXCEEDED", "GRAPHQL_VALIDATION_FAILED"}, 0},
			"one beside what ran":          {"[" + upsert + "," + large + "]", 200, []string{"", "COST_LIMIT_EXCEEDED"}, 1},
			"too dear, but together":       {"[" + upsert + "," + dear(400) + "," + dear(500) + "]", 400, []string{"COST_LIMIT_EXCEEDED", "COST_LIMIT_EXCEEDED", "COST_LIMIT_EXCEEDED"}, 0},
		} {
			t.Run(name+" as "+accept, func(t *testing.T) {
				b := newBench(t)
				status, text, all := b.list(t, tc.body, accept)
				if status != tc.status || len(all) != len(tc.codes) || b.root.ran.Load() != tc.ran {
					t.Fatalf("%d %s, %d mutations; want %d, %d answers, %d mutations", status, text, b.root.ran.Load(), tc.status, len(tc.codes), tc.ran)
				}
				for i, a := range all {
					if a.code() != tc.codes[i] || (a.Data == nil) != (tc.codes[i] != "") {
						t.Errorf("answer %d: %s", i, text)
					}
				}
			})
		}
	}
}

// What is no list of operations is refused whole, and nothing of it runs.
func TestListsThatAreRefused(t *testing.T) {
	const upsert = `{"query":"mutation{upsertSuppliers(input:{suppliers:[]}){created}}"}`
	for name, tc := range map[string]struct{ body, code, says string }{
		"too many":             {operations(11, upsert), "COST_LIMIT_EXCEEDED", "at most 10 operations"},
		"none":                 {"[ ]", "BAD_USER_INPUT", "no operation"},
		"a list in the list":   {"[" + upsert + ",[" + upsert + "]]", "BAD_USER_INPUT", "Operation 2"},
		"no query":             {"[" + upsert + "," + upsert + `,{"variables":{}}]`, "BAD_USER_INPUT", "Operation 3"},
		"a name twice":         {"[" + upsert + `,{"query":"{a}","query":"{b}"}]`, "BAD_USER_INPUT", "twice"},
		"something behind it":  {"[" + upsert + "] secret", "BAD_USER_INPUT", "not JSON"},
		"something that is no": {"[" + upsert + ",null]", "BAD_USER_INPUT", "Operation 2"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			got := b.post(t, tc.body)
			if got.status != 400 || got.code() != tc.code || !strings.Contains(got.text, tc.says) || strings.Contains(got.text, "secret") || b.root.ran.Load() != 0 {
				t.Errorf("%d %s, %d mutations; want 400 %s that says %q", got.status, got.text, b.root.ran.Load(), tc.code, tc.says)
			}
		})
	}
}

// A body that promises more than it holds costs no more memory than it holds, also where bodies are not limited.
func TestABodyThatPromisesMuch(t *testing.T) {
	limits := contract
	limits.Body = 0
	b := newBenchWithin(t, limits)
	r := httptest.NewRequest("POST", "/graphql", strings.NewReader(`{"query":"{categories{number}}"}`))
	r.Header.Set("Content-Type", "application/json")
	r.ContentLength = 1 << 50
	if got := b.send(t, r); got.status != 200 || got.Data == nil {
		t.Errorf("%d %s", got.status, got.text)
	}
}

// One line tells of the whole list.
func TestTheLogOfAList(t *testing.T) {
	b := newBench(t)
	b.list(t, `[{"query":"query A{categories{number}}"},{"query":"query B{categories{number}}"}]`, "")
	if log := b.log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "LIST") || strings.Contains(log, `"A"`) {
		t.Errorf("log: %s", log)
	}
}

// Every limit can be turned off.
func TestNoLimits(t *testing.T) {
	b := newBenchWithin(t, graph.Limits{})
	list := operations(12, `{"query":"{categories{number}}"}`)
	if status, text, all := b.list(t, list, ""); status != 200 || len(all) != 12 {
		t.Errorf("a long list: %d %s", status, text)
	}
	for name, document := range map[string]string{
		"repeats":            "{categories{" + strings.Repeat("number ", 300) + "}}",
		"tokens and aliases": "{categories{" + strings.ReplaceAll(numbered("x", 2000), " ", ":number ") + "}}",
		"root fields":        "{" + strings.ReplaceAll(numbered("r", 30), " ", ":categories{number} ") + "}",
	} {
		if got := b.ask(t, document, nil); got.status != 200 || got.Data == nil {
			t.Errorf("%s: %d %.300s", name, got.status, got.text)
		}
	}
}
