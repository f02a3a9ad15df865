package broker_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"carbongraph/cachex"
	"carbongraph/internal/broker"
	"carbongraph/internal/exact"
	"carbongraph/internal/servertest"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// outsider is one of the sources that cost, as a server has it: with its own policy, but for times that a test can wait for.
type outsider struct {
	name     string
	strategy string
	policy   broker.Policy
	source   func(address string, index *broker.Index) broker.Source
	good     string
	nothing  string
}

func outsiders(w *world) []outsider {
	remote, model := broker.Remote(), broker.Model()
	for _, p := range []*broker.Policy{&remote, &model} {
		p.Backoff, p.LongBackoff = 10*time.Millisecond, 40*time.Millisecond
	}
	return []outsider{
		{"http", cachex.EmissionFactors, remote, func(address string, index *broker.Index) broker.Source {
			return broker.NewHTTP(broker.HTTPOptions{URL: address + "/look-ups", Index: index})
		}, w.protocols()[0].good, `{"answers":[[]]}`},
		{"language model", cachex.LLMResponses, model, func(address string, index *broker.Index) broker.Source {
			return broker.NewLanguageModel(broker.LanguageModelOptions{BaseURL: address + "/v1", Model: "small", Index: index, Match: w.match()})
		}, w.protocols()[1].good, completion(`{"candidate":0,"confidence":90,"reason":""}`, "stop")},
	}
}

// on makes the broker of a server.
func (o outsider) on(t testing.TB, n *node, index *broker.Index, address string) *broker.Broker {
	t.Helper()
	return open(t, broker.Options{Sources: []broker.Guarded{{Source: o.source(address, index), Policy: o.policy}}, Edition: index.Edition, Cache: n.Chain, Secret: []byte("sesame"), Metrics: n.tel.Broker})
}

var ours = broker.Question{Organization: id(1), Description: "Copier paper", Country: "GB", Unit: "kg"}

// What one server was answered, another does not ask again; what hangs on anything else, it does.
func TestASecondServerDoesNotAsk(t *testing.T) {
	st := storetest.SQLite(t)
	w := &world{rows: stock(t, st, "acme-labs", "1"), index: broker.NewIndex(st)}
	for _, o := range outsiders(w) {
		t.Run(o.name, func(t *testing.T) {
			client, prefix := servertest.Shared(t), unique()
			s := serve(t, writes(o.good))
			a, b := newNode(t, client, prefix, patient), newNode(t, client, prefix, patient)
			first := ask(t, o.on(t, a, broker.NewIndex(st), s.URL), ours)
			if first.Asked[0].Kept || len(first.Answers) != 1 {
				t.Fatalf("%+v", first)
			}
			keys := a.written(t, 1)
			if strings.Contains(keys[0], "Copier") || !strings.Contains(keys[0], o.strategy) {
				t.Errorf("the key is %q", keys[0])
			}
			if left := client.PTTL(t.Context(), keys[0]).Val(); left > time.Hour || left < 45*time.Minute {
				t.Errorf("it is kept for %s", left)
			}
			index := broker.NewIndex(st)
			second := o.on(t, b, index, s.URL)
			for range 2 { // from Redis, then from the process
				got := ask(t, second, ours)
				if !got.Asked[0].Kept || got.Asked[0].Status != broker.Answered || !reflect.DeepEqual(got.Answers, first.Answers) {
					t.Errorf("the second has %+v; the first had %+v", got, first)
				}
			}
			if n := len(s.asked()); n != 1 {
				t.Errorf("%d requests", n)
			}
			if l1, l2 := b.counted(cachex.L1, o.strategy), b.counted(cachex.L2, o.strategy); l1.Hits != 1 || l1.Misses != 1 || l2.Hits != 1 || l2.Misses != 0 {
				t.Errorf("counted: %+v %+v", l1, l2)
			}
			metrics := httptest.NewRecorder()
			b.tel.Handler().ServeHTTP(metrics, httptest.NewRequest("GET", "/metrics", nil))
			if line := fmt.Sprintf(`carbongraph_cache_requests_total{layer="L2",result="hit",strategy=%q} 1`, o.strategy); !strings.Contains(metrics.Body.String(), line) {
				t.Errorf("no line %s", line)
			}

			asks := func(what string, b *broker.Broker, q broker.Question) {
				t.Helper()
				before := len(s.asked())
				if got := ask(t, b, q); got.Asked[0].Kept || len(s.asked()) != before+1 {
					t.Errorf("%s: %d requests, %+v", what, len(s.asked())-before, got.Asked)
				}
			}
			elsewhere := ours
			elsewhere.Organization = id(2)
			asks("another organization", second, elsewhere)
			asks("another address", o.on(t, b, index, s.URL+"/other"), ours)
			asks("another secret", open(t, broker.Options{Sources: []broker.Guarded{{Source: o.source(s.URL, index), Policy: o.policy}}, Edition: index.Edition, Cache: b.Chain}), ours)
			if o.strategy == cachex.LLMResponses {
				other := broker.NewLanguageModel(broker.LanguageModelOptions{BaseURL: s.URL + "/v1", Model: "large", Index: index, Match: w.match()})
				asks("another model", open(t, broker.Options{Sources: []broker.Guarded{{Source: other, Policy: o.policy}}, Edition: index.Edition, Cache: b.Chain, Secret: []byte("sesame")}), ours)
			}
		})
	}
}

// With another dataset stored nothing is answered from before, not even by what another server was answered.
func TestAChangedDatasetIsNotAnsweredFromBefore(t *testing.T) {
	st := storetest.SQLite(t)
	w := &world{rows: stock(t, st, "acme-labs", "1"), index: broker.NewIndex(st)}
	type pair struct {
		outsider
		a, b   *node
		asking *broker.Broker
	}
	var all []pair
	indexes := []*broker.Index{broker.NewIndex(st), broker.NewIndex(st)}
	for _, o := range outsiders(w) {
		client, prefix := servertest.Shared(t), unique()
		s := pair{outsider: o, a: newNode(t, client, prefix, patient), b: newNode(t, client, prefix, patient)}
		one := serve(t, writes(o.good))
		s.asking = o.on(t, s.b, indexes[1], one.URL)
		ask(t, o.on(t, s.a, indexes[0], one.URL), ours)
		s.a.written(t, 1)
		if got := ask(t, s.asking, ours); !got.Asked[0].Kept {
			t.Fatalf("%s: %+v", o.name, got)
		}
		all = append(all, s)
	}
	before, err := indexes[1].Edition(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if other, err := indexes[0].Edition(t.Context()); err != nil || other != before {
		t.Fatalf("two servers have two names of one state: %x, %x, %v", before, other, err)
	}
	stock(t, st, "another", "1")
	for after, deadline := before, time.Now().Add(20*time.Second); after == before; time.Sleep(20 * time.Millisecond) {
		if after, err = indexes[1].Edition(t.Context()); err != nil || time.Now().After(deadline) {
			t.Fatalf("the new dataset is not seen: %v", err)
		}
	}
	for _, s := range all {
		if got := ask(t, s.asking, ours); got.Asked[0].Kept {
			t.Errorf("%s: %+v", s.name, got)
		}
		s.a.written(t, 2)
	}
}

// What stands in Redis and is no answer is as good as nothing.
func TestAnAlteredEntryIsAMiss(t *testing.T) {
	w := newWorld(t)
	for _, o := range outsiders(w) {
		t.Run(o.name, func(t *testing.T) {
			client, prefix := servertest.Shared(t), unique()
			s := serve(t, writes(o.good))
			a := newNode(t, client, prefix, patient)
			ask(t, o.on(t, a, w.index, s.URL), ours)
			key := a.written(t, 1)[0]
			stored, err := client.Get(t.Context(), key).Result()
			if err != nil {
				t.Fatal(err)
			}
			name := strings.TrimSuffix(strings.TrimPrefix(key, prefix+"{"+o.strategy+":"), "}")
			requests := 1
			stands := ""
			put := func(text string) {
				stands = text
				client.Set(t.Context(), key, text, time.Hour)
			}
			misses := func(what string, corrupt uint64) {
				t.Helper()
				n := newNode(t, client, prefix, patient)
				got := ask(t, o.on(t, n, w.index, s.URL), ours)
				requests++
				if got.Asked[0].Kept || got.Asked[0].Status != broker.Answered || len(s.asked()) != requests || n.counted(cachex.L2, o.strategy).Corrupt != corrupt {
					t.Errorf("%s: %+v, %d requests, %+v", what, got, len(s.asked()), n.counted(cachex.L2, o.strategy))
				}
				// Until it is written anew: what comes next must not come before that.
				for deadline := time.Now().Add(20 * time.Second); client.Get(t.Context(), key).Val() == stands; time.Sleep(2 * time.Millisecond) {
					if time.Now().After(deadline) {
						t.Fatalf("%s is never written over", what)
					}
				}
			}
			for _, at := range []int{0, len(stored) / 2, len(stored) - 1} {
				altered := []byte(stored)
				altered[at] ^= 1
				put(string(altered))
				misses(fmt.Sprint("a bit of byte ", at), 1)
			}
			put(stored[:len(stored)-3])
			misses("a part", 1)
			// A good entry, of something else.
			forger := newNode(t, client, prefix, patient)
			forger.Put(t.Context(), cachex.Named(o.strategy), name, cachex.Entry{Body: []byte("another thing")})
			for deadline := time.Now().Add(20 * time.Second); !strings.HasSuffix(stands, "another thing"); time.Sleep(2 * time.Millisecond) {
				if stands = client.Get(t.Context(), key).Val(); time.Now().After(deadline) {
					t.Fatal("it was never written")
				}
			}
			misses("another thing", 0)
		})
	}
}

// What failed is asked again, here and on other servers; that there is nothing is known for a moment, here alone.
func TestFailuresAreNotKept(t *testing.T) {
	w := newWorld(t)
	for _, o := range outsiders(w) {
		for name, tc := range map[string]struct {
			handler func(http.ResponseWriter, *http.Request, int)
			status  broker.Status
			again   int // requests of the second asking
		}{
			"away":       {func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(503) }, broker.Failed, 3},
			"refused":    {func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(401) }, broker.Refused, 1},
			"malformed":  {writes(`{`), broker.Malformed, 1},
			"over limit": {func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(429) }, broker.LimitReached, 3},
			"timed out":  {func(_ http.ResponseWriter, r *http.Request, _ int) { <-r.Context().Done() }, broker.TimedOut, 3},
			"nothing":    {writes(o.nothing), broker.Nothing, 0},
		} {
			t.Run(o.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				client, prefix := servertest.Shared(t), unique()
				s := serve(t, tc.handler)
				a, b := newNode(t, client, prefix, patient), newNode(t, client, prefix, patient)
				o := o // of this test alone
				o.policy.Opens = 0
				if tc.status == broker.TimedOut {
					o.policy.Attempt = 50 * time.Millisecond
				}
				here, there := o.on(t, a, w.index, s.URL), o.on(t, b, w.index, s.URL)
				for i, asked := range []*broker.Broker{here, here, there} {
					before := len(s.asked())
					got := ask(t, asked, ours).Asked[0]
					if got.Status != tc.status || got.Kept != (i == 1 && tc.again == 0) {
						t.Errorf("%d: %+v", i, got)
					}
					if n := len(s.asked()) - before; i == 1 && n != tc.again || i == 2 && n == 0 {
						t.Errorf("%d: %d requests", i, n)
					}
				}
				if keys := a.keys(t); len(keys) > 0 {
					t.Errorf("in Redis there is %q", keys)
				}
			})
		}
	}
}

// Without Redis, and with one that never answers, the same is answered; the source is asked more often, and that is all.
func TestRedisAwayChangesNothingElse(t *testing.T) {
	w := newWorld(t)
	var qs []broker.Question
	for i := range 40 {
		q := ours
		q.Description = fmt.Sprint("Paper ", i)
		qs = append(qs, q)
	}
	for _, o := range outsiders(w) {
		t.Run(o.name, func(t *testing.T) {
			o.policy.Batch = 1
			s := serve(t, writes(o.good))
			answers := func(b *broker.Broker, kept bool) {
				t.Helper()
				began := time.Now()
				for i, out := range b.Ask(t.Context(), qs) {
					if len(out.Answers) != 1 || out.Asked[0].Kept != kept {
						t.Fatalf("%d: %+v; want it kept: %v", i, out, kept)
					}
				}
				if took := time.Since(began); took > 10*time.Second {
					t.Errorf("took %s", took)
				}
			}
			r := servertest.NewRedis(t)
			client, prefix := servertest.Connect(t, r.URL()), unique()
			a, b := newNode(t, client, prefix, patient), newNode(t, client, prefix, patient)
			here, there := o.on(t, a, w.index, s.URL), o.on(t, b, w.index, s.URL)
			answers(here, false)
			a.written(t, len(qs))
			r.Kill()
			answers(here, true)
			answers(there, false)
			answers(there, true)
			if n := len(s.asked()); n != 2*len(qs) {
				t.Errorf("%d requests; want %d", n, 2*len(qs))
			}
			if b.counted(cachex.L2, o.strategy).Errors == 0 {
				t.Error("no error is counted")
			}
			hanging := o.on(t, newNode(t, servertest.Connect(t, hangsOn(t)), prefix, 50*time.Millisecond), w.index, s.URL)
			answers(hanging, false)
			answers(hanging, true)
		})
	}
}

// Of a call some answers may be in Redis. The others are asked for, for as long as somebody waits for those.
func TestACallIsPartlyInRedis(t *testing.T) {
	client, prefix := servertest.Shared(t), unique()
	began, ended := make(chan []broker.Question, 1), make(chan error, 1)
	var quick atomic.Bool
	source := &batcher{fake: fake{name: "a", tier: broker.Regional}, many: func(ctx context.Context, qs []broker.Question) ([]broker.Found, error) {
		if quick.Load() {
			out := make([]broker.Found, len(qs))
			for i := range qs {
				out[i].Answers = []broker.Answer{answer(1, broker.National, "1")}
			}
			return out, nil
		}
		began <- qs
		<-ctx.Done()
		ended <- ctx.Err()
		return nil, ctx.Err()
	}}
	p := broker.Remote()
	p.Attempt, p.Deadline = time.Minute, time.Minute
	on := func(n *node) *broker.Broker {
		return open(t, broker.Options{Sources: []broker.Guarded{{Source: source, Policy: p}}, Cache: n.Chain})
	}
	a, b := newNode(t, client, prefix, patient), newNode(t, client, prefix, patient)
	quick.Store(true)
	known, unknown := broker.Question{Description: "known"}, broker.Question{Description: "unknown"}
	ask(t, on(a), known)
	a.written(t, 1)
	quick.Store(false)
	ctx, leave := context.WithCancel(t.Context())
	out := make(chan []broker.Outcome)
	go func() { out <- on(b).Ask(ctx, []broker.Question{known, unknown, known}) }()
	if qs := <-began; !slices.Equal(qs, []broker.Question{unknown}) {
		t.Errorf("asked: %+v", qs)
	}
	leave()
	select {
	case err := <-ended:
		if err != context.Canceled {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the call goes on though nobody waits for it")
	}
	got := <-out
	for i, want := range []broker.Status{broker.Answered, broker.Cancelled, broker.Answered} {
		if r := got[i].Asked[0]; r.Status != want || r.Kept != (want == broker.Answered) {
			t.Errorf("%d: %+v", i, r)
		}
	}
}

// Every field of a question stands in the name of its answer.
func TestAllOfAQuestionTellsAnswersApart(t *testing.T) {
	s := &fake{name: "a", tier: broker.Regional, look: says(answer(1, broker.National, "1"))}
	b := of(t, broker.Remote(), s)
	base := broker.Question{Organization: id(1), Description: "a", AccountCode: "b", Code: "c", SupplierName: "d", SupplierID: id(2), Country: "e", Region: "f", Unit: "g", On: exact.NewDate(2025, 1, 1)}
	ask(t, b, base)
	for i := range reflect.TypeOf(base).NumField() {
		q := base
		switch f := reflect.ValueOf(&q).Elem().Field(i); v := f.Addr().Interface().(type) {
		case *string:
			*v += "x"
		case *store.ID:
			*v = id(99)
		case *exact.Date:
			*v = exact.NewDate(2026, 1, 1)
		default:
			t.Fatalf("a field of the type %T is not told apart", v)
		}
		if o := ask(t, b, q); o.Asked[0].Kept {
			t.Errorf("%s is not in the name", reflect.TypeOf(base).Field(i).Name)
		}
	}
	moved := base
	moved.Description, moved.AccountCode = "", "ab" // together the same text
	if o := ask(t, b, moved); o.Asked[0].Kept {
		t.Error("texts of two fields are taken for one another")
	}
	if o := ask(t, b, base); !o.Asked[0].Kept {
		t.Error("it is not kept at all")
	}
}
