package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"carbongraph/graph/graphtest"
	"carbongraph/store/storetest"
)

// troubled are the two servers, each behind a proxy of its own before one Postgres.
type troubled struct {
	*comparison
	proxies []*storetest.Proxy
}

func newTroubled(t *testing.T) *troubled {
	t.Helper()
	url := storetest.PostgresURL(t)
	es := &engines{}
	es.fill(t, map[string]string{"DATABASE_URL": url})
	tr := &troubled{}
	for _, name := range []string{"auto", "gqlgen"} {
		p := storetest.NewProxy(t, url)
		tr.proxies = append(tr.proxies, p)
		es.all = append(es.all, newEngine(t, name, map[string]string{"DATABASE_URL": p.URL(), "DATA_DIR": "/nowhere", "RESPONSE_CACHE": "off"}))
	}
	tr.comparison = newComparison(t, es)
	return tr
}

func written(text string) *graphtest.Document { return &graphtest.Document{Text: text} }

// deep are documents that take several statements, one after another and beside each other.
func deep() []*graphtest.Document {
	return []*graphtest.Document{
		written(`{ suppliers(first: 3) { nodes { name emissions(first: 2) { totalCount nodes { co2e factor { name supersededBy { code dataset { supersedes { version } } } } activity { externalId supplier { name footprint { co2e } } } } } } totalCount } }`),
		written(`{ activities(first: 5) { edges { cursor node { externalId emission { run { reason } factor { dataset { name } } } history(first: 2) { totalCount totals { co2e } nodes { superseded } } } } } viewer { role organization { name } } }`),
		written(`{ supplier(externalId: "S01") { name activities(first: 1) { totalCount } } categories { number } footprint(groupBy: [SUPPLIER, FACTOR]) { nodes { supplier { name } factor { name } totals { co2e } share } totalCount totals { spend } } factorDatasets { name supersedes { name } } }`),
	}
}

// primed asks in the midst of trouble, with a key that the server remembers: it does for a second, and asks the database again in the next.
func (tr *troubled) primed(i int, begin func(*storetest.Proxy), ask func() said) said {
	for tries := 0; ; tries++ {
		tr.all[i].ask(tr.keys[0], written(`{ __typename }`))
		begin(tr.proxies[i])
		got := ask()
		tr.proxies[i].Heal()
		if refused := got.status == 503 && !strings.Contains(string(got.body), `"path"`); !refused || tries == 5 {
			return got
		}
	}
}

// A database that is away makes both engines answer alike.
func TestEnginesWithoutADatabase(t *testing.T) {
	t.Parallel()
	tr := newTroubled(t)
	docs := deep()
	for i := range 60 {
		docs = append(docs, tr.generator.Document(i, tr.stocked()))
	}
	failed := 0
	for _, d := range docs {
		var answers []said
		for i, e := range tr.all {
			answers = append(answers, tr.primed(i, func(p *storetest.Proxy) { p.Cut(0, storetest.Bytes) }, func() said { return e.ask(tr.keys[0], d) }))
		}
		// What each of them holds in memory just now may differ: how much fails, but not how.
		if x, y := answers[0], answers[1]; !same(x, y) && !(x.misses(y) && y.misses(x)) {
			t.Errorf("the engines differ without a database:\n%s\nENGINE=auto: %s\nENGINE=gqlgen: %s", d, x.around(y), y.around(x))
		}
		if strings.Contains(string(answers[0].body), `"OVERLOADED"`) {
			failed++
		}
	}
	if failed < len(docs)/2 {
		t.Errorf("%d of %d documents missed the database", failed, len(docs))
	}
}

// A connection that ends in the midst of an operation, wherever that is, costs the answer or a part of it, never its truth; afterwards all is well.
func TestEnginesLoseTheirDatabase(t *testing.T) {
	t.Parallel()
	tr := newTroubled(t)
	for i, e := range tr.all {
		for nr, d := range deep() {
			whole := e.ask(tr.keys[0], d)
			for _, unit := range []storetest.Unit{storetest.Trips, storetest.Bytes} {
				reached := 0
				for after := 0; ; after = next(after, unit) {
					begun := false
					got := tr.primed(i, func(p *storetest.Proxy) { p.Cut(after, unit) }, func() said {
						defer func() { begun = tr.proxies[i].Begun() }()
						return e.ask(tr.keys[0], d)
					})
					tr.truthful(t, fmt.Sprintf("ENGINE=%s, document %d, cut after %d of unit %d", e.name, nr, after, unit), whole, got)
					if !begun {
						break
					}
					reached++
					tr.mended(t, e, d, whole)
				}
				if reached < 2 {
					t.Errorf("ENGINE=%s, document %d: only %d cuts of unit %d came in the midst of it", e.name, nr, reached, unit)
				}
			}
		}
	}
}

// mended asks until the answer is whole again: each connection that was lost while it was idle may cost an answer.
func (tr *troubled) mended(t *testing.T, e *engine, d *graphtest.Document, whole said) {
	t.Helper()
	var got said
	for range 20 {
		if got = e.ask(tr.keys[0], d); same(whole, got) {
			return
		}
	}
	t.Errorf("ENGINE=%s, afterwards: %s", e.name, got.around(whole))
}

// A database that is slow at any one statement costs time alone.
func TestEnginesWaitForASlowDatabase(t *testing.T) {
	tr := newTroubled(t)
	for i, e := range tr.all {
		for nr, d := range deep() {
			whole := e.ask(tr.keys[0], d)
			for after, begun := 0, true; begun; after++ {
				p := tr.proxies[i]
				p.Stall(after, storetest.Trips)
				answered := make(chan said, 1)
				go func() { answered <- e.ask(tr.keys[0], d) }()
				var got said
				for got.body == nil && !p.Begun() {
					select {
					case got = <-answered:
					case <-time.After(time.Millisecond):
					}
				}
				if begun = got.body == nil; begun {
					time.Sleep(10 * time.Millisecond)
					p.Heal()
					got = <-answered
				}
				p.Heal()
				if !same(whole, got) {
					t.Errorf("ENGINE=%s, document %d, slow after %d trips: %s", e.name, nr, after, got.around(whole))
				}
			}
		}
	}
}

// next is where to cut after that: at each trip, and at ever more bytes.
func next(after int, unit storetest.Unit) int {
	if unit == storetest.Trips {
		return after + 1
	}
	return after*3/2 + 61
}

var untold = regexp.MustCompile(` And ([0-9]+ errors|an error) more\.$`)

// truthful tells whether an answer is the whole one, or says of each part that is missing that the database is away.
func (tr *troubled) truthful(t *testing.T, what string, whole, got said) {
	t.Helper()
	p := got.parts()
	if len(p.Errors) == 0 {
		if !same(whole, got) {
			t.Errorf("%s: %s", what, got.around(whole))
		}
		return
	}
	for i, raw := range p.Errors {
		var e struct {
			Message    string
			Extensions struct{ Code string }
		}
		err := json.Unmarshal(raw, &e)
		if i == 49 {
			// The last one that is told counts those that are not.
			e.Message = untold.ReplaceAllString(e.Message, "")
		}
		if err != nil || e.Extensions.Code != "OVERLOADED" || e.Message != "The database cannot be reached at the moment; try again." {
			t.Errorf("%s: %s", what, raw)
		}
	}
	var all, some any
	if json.Unmarshal(whole.parts().Data, &all) == nil && json.Unmarshal(p.Data, &some) == nil && !part(all, some) {
		t.Errorf("%s: data that are not those of the ledger: %s", what, got.body)
	}
}

// part tells whether some is all, but for nulls.
func part(all, some any) bool {
	switch s := some.(type) {
	case nil:
		return true
	case map[string]any:
		a, ok := all.(map[string]any)
		for name, v := range s {
			ok = ok && part(a[name], v)
		}
		return ok
	case []any:
		a, ok := all.([]any)
		ok = ok && len(a) == len(s)
		for i := range s {
			ok = ok && part(a[i], s[i])
		}
		return ok
	}
	return all == some
}

// A database that says nothing until the operation's time is over makes both engines answer alike: one error, no data.
func TestEnginesRunOutOfTime(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the operation's ten seconds")
	}
	t.Parallel()
	tr := newTroubled(t)
	for _, p := range tr.proxies {
		t.Cleanup(p.Heal)
	}
	answers := make([]said, len(tr.all))
	var wait sync.WaitGroup
	for i, e := range tr.all {
		wait.Go(func() {
			time.Sleep(1100 * time.Millisecond) // what is known of the key is then forgotten, and known for a second again
			e.ask(tr.keys[0], written(`{ __typename }`))
			tr.proxies[i].Stall(2, storetest.Trips)
			answers[i] = e.ask(tr.keys[0], deep()[0])
		})
	}
	wait.Wait()
	x, y := answers[0], answers[1]
	if !same(x, y) || x.status != 504 || !strings.Contains(string(x.body), `"code":"TIMEOUT"`) || len(x.parts().Data) > 0 {
		t.Errorf("ENGINE=auto: %s\nENGINE=gqlgen: %s", x.around(y), y.around(x))
	}
	for i, e := range tr.all {
		tr.proxies[i].Heal()
		if got := e.ask(tr.keys[0], deep()[1]); len(got.parts().Errors) > 0 {
			t.Errorf("ENGINE=%s, afterwards: %s", e.name, got.body)
		}
	}
}

// misses tells whether an answer says that the database cannot be reached, and says of every error of the other's the same, or nothing because that part was not
// reached.
func (s said) misses(other said) bool {
	var away, known []string
	for _, e := range s.parts().Errors {
		if bytes.Contains(e, []byte(`"OVERLOADED"`)) {
			away = append(away, place(e))
		}
		known = append(known, string(e))
	}
	for _, e := range other.parts().Errors {
		of := place(e)
		if bytes.Contains(e, []byte(`"OVERLOADED"`)) || slices.Contains(known, string(e)) {
			continue
		}
		if !slices.ContainsFunc(away, func(a string) bool { return strings.HasPrefix(of, a) }) {
			return false
		}
	}
	return len(away) > 0
}

// place gives where an error is, in a form of which what lies above is a prefix.
func place(raw json.RawMessage) string {
	var e struct{ Path []any }
	json.Unmarshal(raw, &e) // an error without a path is of the whole answer
	out := ""
	for _, step := range e.Path {
		out += fmt.Sprint(step) + "\x00"
	}
	return out
}
