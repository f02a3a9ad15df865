package graph_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"carbongraph/graph"
	"carbongraph/internal/auth"
	"carbongraph/store"
)

// popular gives the documents of an organization that are warmed, the one asked most first.
func (k *keeping) popular(org store.ID) (all []string) {
	for _, a := range k.graph.Popular().Most(org, 1000) {
		all = append(all, a.Document)
	}
	return all
}

// What is asked twice is popular, for the organization and role that asked; what is asked once is not, nor what nobody waits for, nor what is not kept.
func TestWhatIsPopular(t *testing.T) {
	k := newKeeping(t)
	one := store.ID{1}
	for range 3 {
		k.get(t, numbers)
	}
	for range 2 {
		k.get(t, "{categories{name}}")
		k.get(t, "{categories{direction}}", "Priority", "u=6")
		k.get(t, "{categories{id}}", "Cache-Control", "no-store")
		k.get(t, "{__typename}")
		k.get(t, "{categories{number}")
	}
	k.get(t, "{categories{name number}}")
	if got := fmt.Sprint(k.popular(one)); got != "[{categories{number}} {categories{name}}]" {
		t.Errorf("popular: %s", got)
	}
	if got := k.popular(store.ID{2}); got != nil {
		t.Errorf("of another organization: %v", got)
	}
	k.viewer = &auth.Viewer{Org: one, Role: store.Viewer}
	k.get(t, numbers)
	if got := k.popular(one); len(got) != 2 {
		t.Errorf("asked once by another role: %v", got)
	}
	k.now.Store(int64(2 * time.Hour / time.Second))
	if got := k.popular(one); got != nil {
		t.Errorf("two hours later: %v", got)
	}
}

// A popular answer is made anew without anybody asking, with its variables and operation, and to make it makes nothing more popular.
func TestWarming(t *testing.T) {
	k := newKeeping(t)
	const body = `{"query":"query A($a: Boolean! = true, $n: Boolean!) { categories { number @include(if: $a) name @skip(if: $n) } } query B { categories { id } }","operationName":"A","variables":{"n":true,"more":1}}`
	for range 2 {
		k.post(t, body)
	}
	org := store.ID{1}
	most := k.graph.Popular().Most(org, 5)
	if len(most) != 1 || string(most[0].Variables) != `{"n":true}` {
		t.Fatalf("%+v", most)
	}
	for i, want := range []bool{false, true, false} {
		if i == 1 {
			k.version.Add(1)
		}
		if made, err := k.graph.Warm(t.Context(), most[0], 0); err != nil || made != want {
			t.Errorf("warmed: %t, %v; want %t", made, err, want)
		}
	}
	ran := k.begun.Load()
	if got := k.post(t, body); !strings.Contains(got.header.Get("Cache-Status"), "hit") || k.begun.Load() != ran {
		t.Errorf("who asks next: %q", got.header.Get("Cache-Status"))
	}
	if again := k.graph.Popular().Most(org, 5); again[0].Score > most[0].Score+1 {
		t.Errorf("its score is %g, and was %g before one asked", again[0].Score, most[0].Score)
	}
	k.viewer = &auth.Viewer{Org: store.ID{2}, Role: store.Editor}
	if got := k.post(t, body); !strings.Contains(got.header.Get("Cache-Status"), "miss") {
		t.Errorf("another organization: %q", got.header.Get("Cache-Status"))
	}
}

// What is learned is known as if it had been asked here; to learn it again changes nothing; what is no query any more, or would write, is left out.
func TestLearning(t *testing.T) {
	k, other := newKeeping(t), newKeeping(t)
	for range 4 {
		k.get(t, numbers)
	}
	text, err := json.Marshal(k.graph.Popular().All())
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		var list []*graph.Asked
		if err := json.Unmarshal(text, &list); err != nil {
			t.Fatal(err)
		}
		stranger := *list[0]
		stranger.ID, stranger.Document = graph.AskedID{1}, "{ nothing { of ours } }"
		writes := stranger
		writes.ID, writes.Document = graph.AskedID{2}, `mutation { revokeApiKey(id: "AQAAAAAAAAAAAAAAAAAAAAA") { deletedId } }`
		other.graph.Learn(t.Context(), append(list, nil, &stranger, &writes))
	}
	most := other.graph.Popular().Most(store.ID{1}, 5)
	if len(most) != 1 || most[0].Score > 4 || most[0].Score < 3.9 || other.graph.Popular().Known() != 1 {
		t.Fatalf("learned %+v", most)
	}
	if made, err := other.graph.Warm(t.Context(), most[0], 0); !made || err != nil {
		t.Errorf("warmed: %t, %v", made, err)
	}
	if got := other.get(t, numbers).Header().Get("Cache-Status"); !strings.Contains(got, "hit") {
		t.Errorf("who asks next: %q", got)
	}
	most[0].Document = "{ nothing { of ours } }"
	if _, err := other.graph.Warm(t.Context(), most[0], 0); !errors.Is(err, graph.ErrNotKept) || other.graph.Popular().Known() != 0 {
		t.Errorf("what is no query any more: %v, %d known", err, other.graph.Popular().Known())
	}
}

// However much one organization asks, what others ask most is not forgotten, and neither is its own.
func TestOneFloodForgetsNothingOfOthers(t *testing.T) {
	k := newKeeping(t)
	flooding, quiet := &auth.Viewer{Org: store.ID{1}, Role: store.Editor}, &auth.Viewer{Org: store.ID{2}, Role: store.Editor}
	for _, v := range []*auth.Viewer{flooding, quiet} {
		k.viewer = v
		k.get(t, numbers)
		k.get(t, numbers)
	}
	k.viewer = flooding
	for i := range 3000 {
		k.get(t, fmt.Sprintf("{a%d:categories{number}}", i))
	}
	if n := k.graph.Popular().Known(); n > 201 {
		t.Errorf("of one organization and a little %d operations are remembered", n)
	}
	for org := range byte(30) { // and many organizations
		k.viewer = &auth.Viewer{Org: store.ID{org + 10}, Role: store.Editor}
		for i := range 100 {
			k.get(t, fmt.Sprintf("{b%d:categories{number}}", i))
		}
	}
	for _, org := range []store.ID{{1}, {2}} {
		if got := k.popular(org); len(got) == 0 || got[0] != numbers {
			t.Errorf("of organization %d is popular: %v", org[0], got)
		}
	}
	if n := k.graph.Popular().Known(); n > 2000 {
		t.Errorf("%d operations are remembered", n)
	}
}

// Where no answers are kept nothing is remembered.
func TestNothingIsPopularWithoutCaches(t *testing.T) {
	b := newBench(t)
	if b.graph.Popular() != nil || b.graph.Busy() {
		t.Error("there is something to warm")
	}
	w := httptest.NewRecorder()
	b.ServeHTTP(w, httptest.NewRequest("GET", "/graphql?query=%7Bcategories%7Bnumber%7D%7D", nil))
	if w.Code != 200 {
		t.Error(w.Body)
	}
}
