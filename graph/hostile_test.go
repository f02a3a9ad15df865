package graph_test

import (
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// hostile are bodies that are made to keep a server busy, each with the code that it is refused with.
func hostile() map[string]struct{ body, code string } {
	document := func(text string) string { return `{"query":` + strconv.Quote(text) + `}` }
	twice := func(spread string) string { // each fragment spreads the next twice
		var b strings.Builder
		b.WriteString("{categories{...F0}}")
		for i := range 30 {
			fmt.Fprintf(&b, " fragment F%d on Category{%s}", i, strings.ReplaceAll(spread, "$", fmt.Sprintf("F%d", i+1)))
		}
		return b.String() + " fragment F30 on Category{number}"
	}
	aliases := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "a%d:categories{number} ", i)
		}
		return "{" + b.String() + "}"
	}
	const dear, bad, wrong, unread = "COST_LIMIT_EXCEEDED", "BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED"
	mega := func(text string) string { return strings.Repeat(text, (1<<20)/len(text)) }
	return map[string]struct{ body, code string }{
		"4,000 fields repeated":               {document("{categories{" + strings.Repeat("number ", 4000) + "}}"), dear},
		"4,000 fields with selections":        {document("{" + strings.Repeat("categories{number} ", 1000) + "}"), dear},
		"fragments that double":               {document(twice("...$ ...$")), ""},
		"fragments that double under aliases": {document(strings.ReplaceAll(twice("number ...$ ...$"), "number", "a:number")), dear},
		"10,000 aliases":                      {document(aliases(10_000)), dear},
		"aliases just within the tokens":      {document(aliases(1200)), dear},
		"nesting of 100,000":                  {document(strings.Repeat("{a", 100_000) + strings.Repeat("}", 100_000)), dear},
		"nesting within the tokens":           {document(strings.Repeat("{a", 1600) + strings.Repeat("}", 1600)), unread},
		"lists in lists":                      {document("{node(id:" + strings.Repeat("[", 2400) + strings.Repeat("]", 2400) + "){id}}"), unread},
		"directives":                          {document("{categories" + strings.Repeat("@skip(if:false)", 700) + "{number}}"), dear},
		"1 MB of comments":                    {document("{categories{number}}#" + mega("x")), ""},
		"1 MB of commas":                      {document("{categories{number}}" + mega(",")), ""},
		"1 MB of a text":                      {document(`{node(id:"` + mega("x") + `"){id}}`), bad},
		"1 MB of a block text":                {document(`{node(id:"""` + mega("\n x") + `"""){id}}`), bad},
		"1 MB of a name":                      {document("{" + mega("x") + "}"), wrong},
		"1 MB of a number":                    {document("{suppliers(first:" + mega("9") + "){totalCount}}"), wrong},
		"1 MB that never ends":                {document(`{node(id:"` + strings.Repeat(`\"`, 1<<17)), unread},
		"variables that are not used":         {document("query(" + strings.Repeat("$a:Int ", 1200) + "){categories{number}}"), wrong},
		"fragments in a circle":               {document("{categories{...A}} fragment A on Category{...B} fragment B on Category{...A}"), wrong},
		"wrong in 4,000 ways":                 {document("{categories{" + numbered("w", 4000) + "}}"), wrong},
		"2 MB of nested JSON":                 {`{"query":"{categories{number}}","variables":` + strings.Repeat("[", 1<<20-100) + strings.Repeat("]", 1<<20-100) + `}`, bad},
		"10 MB of nested JSON":                {`{"query":"{categories{number}}","variables":` + strings.Repeat("[", 5<<20) + strings.Repeat("]", 5<<20) + `}`, dear},
		"1 MB of names in variables":          {`{"query":"{categories{number}}","variables":{` + names(100_000) + `}}`, dear},
		"1 MB of names in ten objects":        {`{"query":"{categories{number}}","variables":{"a":[` + strings.Repeat("{"+names(10_000)+"},", 9) + "{" + names(10_000) + `}]}}`, ""},
		"a name twice behind 10,000":          {`{"query":"{categories{number}}","variables":{` + names(9_999) + `,"n5":0}}`, bad},
		"10,000 objects in a list":            {`{"query":"{categories{number}}","extensions":{"a":[` + strings.Repeat(`{"a":1},`, 10_000) + `0]}}`, ""},
		"a list of very many operations":      {"[" + strings.Repeat(`{"query":"{categories{number}}"},`, 50_000) + `{"query":"{categories{number}}"}]`, dear},
	}
}

func numbered(name string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%s%d ", name, i)
	}
	return b.String()
}

func names(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`"n%d":0`, i)
	}
	return strings.Join(list, ",")
}

// Whatever is sent is refused, or answered, before it can keep a core busy, and without much memory.
func TestHostileBodies(t *testing.T) {
	limit, most := 50*time.Millisecond, uint64(64<<20)
	if raced {
		limit *= 20
	}
	for name, tc := range hostile() {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			var quickest time.Duration
			for try := 0; try < 3 || try < 10 && quickest > limit; try++ { // other work on the machine makes it look longer, never shorter
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				var got *reply
				took := processorTime(t, func() { got = b.post(t, tc.body) })
				runtime.ReadMemStats(&after)
				if got.code() != tc.code || got.status == http.StatusInternalServerError {
					t.Fatalf("%d %.300s, want %q", got.status, got.text, tc.code)
				}
				if used := after.TotalAlloc - before.TotalAlloc; used > most && !raced {
					t.Errorf("%d MB were used for %d bytes", used>>20, len(tc.body))
				}
				if len(got.text) > 32<<10 {
					t.Errorf("the answer has %d bytes", len(got.text))
				}
				if try == 0 || took < quickest {
					quickest = took
				}
			}
			if quickest > limit {
				t.Errorf("it took %v of a core; at most %v is allowed", quickest, limit)
			}
			t.Logf("%d bytes: %v", len(tc.body), quickest)
		})
	}
}

func BenchmarkHostileBodies(b *testing.B) {
	for name, tc := range hostile() {
		b.Run(name, func(b *testing.B) {
			server := newBench(b)
			b.ReportAllocs()
			for b.Loop() {
				server.post(b, tc.body)
			}
		})
	}
}
