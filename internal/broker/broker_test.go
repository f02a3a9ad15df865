package broker_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"carbongraph/cachex"
	"carbongraph/internal/broker"
	"carbongraph/internal/exact"
	"carbongraph/store"
)

func TestTheChainGoesBeforeConfidence(t *testing.T) {
	for name, tc := range map[string]struct {
		sources []broker.Source
		want    []store.ID
	}{
		"a better tier wins whatever the confidence": {
			[]broker.Source{&fake{name: "words", tier: broker.Regional, look: says(answer(1, broker.Global, "0.99"), answer(2, broker.National, "0.5"))}}, []store.ID{id(2), id(1)},
		},
		"within a tier the more confident is first": {
			[]broker.Source{&fake{name: "a", tier: broker.Regional, look: says(answer(1, broker.National, "0.5"))}, &fake{name: "b", tier: broker.Regional, look: says(answer(2, broker.National, "0.6"))}},
			[]store.ID{id(2), id(1)},
		},
		"among equals the order of the sources holds": {
			[]broker.Source{&fake{name: "b", tier: broker.Regional, look: says(answer(2, broker.National, "0.6"), answer(3, broker.National, "0.60"))}, &fake{name: "a", tier: broker.Regional, look: says(answer(1, broker.National, "0.6"))}},
			[]store.ID{id(2), id(3), id(1)},
		},
		"a factor that two sources name stands once, by its best answer": {
			[]broker.Source{&fake{name: "a", tier: broker.Regional, look: says(answer(1, broker.Proxy, "0.9"), answer(2, broker.Proxy, "0.8"))}, &fake{name: "b", tier: broker.Regional, look: says(answer(2, broker.Global, "0.5"))}},
			[]store.ID{id(2), id(1)},
		},
		"a supplier's own factor is first of all": {
			[]broker.Source{&fake{name: "datasets", tier: broker.Regional, look: says(answer(1, broker.Regional, "1"))}, &fake{name: "supplier", tier: broker.SupplierSpecific, look: says(answer(2, broker.SupplierSpecific, "0.1"))}},
			[]store.ID{id(2), id(1)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := of(t, broker.Local(), tc.sources...)
			o := ask(t, b, broker.Question{Description: "x"})
			if got := factorIDs(o); !slices.Equal(got, tc.want) && !(strings.Contains(name, "supplier") && slices.Equal(got, tc.want[:1])) {
				t.Errorf("answers = %v; want %v", got, tc.want)
			}
			for _, a := range o.Answers {
				if a.Source == "" {
					t.Error("an answer does not say whose it is")
				}
			}
		})
	}
}

// The law behind the chain: whatever sources say, answers come out by tier, then by falling confidence, each factor once, and none is lost.
func TestAnswersAreRankedAndNoneIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		given := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) broker.Answer {
			return broker.Answer{FactorID: id(rapid.IntRange(1, 8).Draw(t, "factor")), Tier: broker.Tier(rapid.IntRange(1, 5).Draw(t, "tier")),
				Confidence: exact.NewDecimal(int64(rapid.IntRange(0, 100).Draw(t, "confidence")), -2)}
		}), 0, 12).Draw(t, "answers")
		b := broker.New(broker.Options{Sources: []broker.Guarded{{Source: &fake{name: "a", tier: broker.SupplierSpecific, look: says(given...)}, Policy: broker.Local()}}})
		defer b.Close()
		o := b.Ask(context.Background(), []broker.Question{{}})[0]
		named, best := map[store.ID]bool{}, map[store.ID]broker.Tier{}
		for _, a := range given {
			named[a.FactorID] = true
			if was, ok := best[a.FactorID]; !ok || a.Tier < was {
				best[a.FactorID] = a.Tier
			}
		}
		for i, a := range o.Answers {
			if !named[a.FactorID] || a.Tier != best[a.FactorID] {
				t.Fatalf("%v stands twice, was never named, or has a better tier than %v", a.FactorID, a.Tier)
			}
			delete(named, a.FactorID)
			if i > 0 {
				if p := o.Answers[i-1]; p.Tier > a.Tier || p.Tier == a.Tier && p.Confidence.Cmp(a.Confidence) < 0 {
					t.Fatalf("%v before %v", p, a)
				}
			}
		}
		if len(named) > 0 {
			t.Fatalf("lost: %v", named)
		}
	})
}

func TestEverySourceIsReported(t *testing.T) {
	refusing := &broker.Failure{Status: broker.Refused, Detail: "HTTP 401"}
	p := broker.Local()
	b := of(t, p,
		&fake{name: "answers", tier: broker.Regional, look: says(answer(1, broker.National, "1"))},
		&fake{name: "empty", tier: broker.Regional, look: says()},
		&fake{name: "refuses", tier: broker.Regional, look: fails(refusing)},
		&fake{name: "fails", tier: broker.Regional, look: fails(errors.New("dial tcp 10.0.0.7:5432: password is hunter2"))},
		&fake{name: "panics", tier: broker.Regional, look: func(context.Context, broker.Question) (broker.Found, error) { panic("hunter2") }},
		&fake{name: "invents", tier: broker.Regional, look: func(context.Context, broker.Question) (broker.Found, error) {
			return broker.Found{Hallucinated: 3}, nil
		}},
		&fake{name: "too sure", tier: broker.Regional, look: says(answer(1, broker.National, "1.01"))},
		&fake{name: "doubts below nothing", tier: broker.Regional, look: says(answer(1, broker.National, "-0.01"))},
		&fake{name: "names nothing", tier: broker.Regional, look: says(answer(0, broker.National, "1"))},
		&fake{name: "above its station", tier: broker.National, look: says(answer(2, broker.Regional, "1"))},
		&fake{name: "below the chain", tier: broker.National, look: says(answer(2, broker.Proxy+1, "1"))},
		&batcher{fake: fake{name: "miscounts", tier: broker.National}, many: func(context.Context, []broker.Question) ([]broker.Found, error) { return nil, nil }},
	)
	o := ask(t, b, broker.Question{Description: "x"})
	want := map[string]broker.Status{"answers": broker.Answered, "empty": broker.Nothing, "refuses": broker.Refused, "fails": broker.Failed, "panics": broker.Failed, "invents": broker.Hallucinated,
		"too sure": broker.Malformed, "doubts below nothing": broker.Malformed, "names nothing": broker.Malformed, "above its station": broker.Malformed, "below the chain": broker.Malformed,
		"miscounts": broker.Malformed}
	if got := statuses(o); !maps.Equal(got, want) {
		t.Errorf("reports = %v; want %v", got, want)
	}
	for _, r := range o.Asked {
		if strings.Contains(r.Detail, "hunter2") || strings.Contains(r.Detail, "10.0.0.7") {
			t.Errorf("%s tells of the inside: %s", r.Source, r.Detail)
		}
		if r.Source == "invents" && r.Hallucinated != 3 {
			t.Errorf("%d hallucinated; want 3", r.Hallucinated)
		}
	}
	if got := factorIDs(o); !slices.Equal(got, []store.ID{id(1)}) {
		t.Errorf("answers = %v", got)
	}
}

// A source that can only do worse is not waited for; one that could do better is.
func TestWorseSourcesAreNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(ctx context.Context, q broker.Question) (broker.Found, error) {
			select {
			case <-time.After(3 * time.Second):
				return broker.Found{Answers: []broker.Answer{answer(9, broker.Global, "1")}}, nil
			case <-ctx.Done():
				return broker.Found{}, ctx.Err()
			}
		}
		global := &fake{name: "global", tier: broker.Global, look: slow}
		regional := &fake{name: "regional", tier: broker.Regional, look: slow}
		national := &fake{name: "national", tier: broker.National, look: says(answer(1, broker.National, "0.5"))}

		b := broker.New(broker.Options{Sources: []broker.Guarded{{Source: global, Policy: broker.Local()}, {Source: national, Policy: broker.Local()}}})
		began := time.Now()
		o := ask(t, b, broker.Question{})
		if took := time.Since(began); took > 0 || statuses(o)["global"] != broker.NotNeeded {
			t.Errorf("took %s, reports %v", took, o.Asked)
		}
		b.Close()

		b = broker.New(broker.Options{Sources: []broker.Guarded{{Source: regional, Policy: broker.Local()}, {Source: national, Policy: broker.Local()}}})
		began = time.Now()
		o = ask(t, b, broker.Question{})
		if took := time.Since(began); took != 3*time.Second || statuses(o)["regional"] != broker.Answered || len(o.Answers) != 2 {
			t.Errorf("took %s, reports %v", took, o.Asked)
		}
		b.Close()
	})
}

func TestCostlySourcesAreAskedWhereTheOthersAreNotSure(t *testing.T) {
	for name, tc := range map[string]struct {
		cheap []broker.Answer
		asked bool
	}{
		"nothing":         {nil, true},
		"a sure answer":   {[]broker.Answer{answer(1, broker.Global, "0.8")}, false},
		"an unsure one":   {[]broker.Answer{answer(1, broker.National, "0.79")}, true},
		"a sure stand-in": {[]broker.Answer{answer(1, broker.Proxy, "1")}, true},
	} {
		t.Run(name, func(t *testing.T) {
			costly := &fake{name: "model", tier: broker.Regional, look: says(answer(2, broker.National, "0.9"))}
			b := open(t, broker.Options{Sources: []broker.Guarded{{Source: costly, Policy: broker.Model()}, {Source: &fake{name: "cheap", tier: broker.Regional, look: says(tc.cheap...)}, Policy: broker.Local()}}})
			o := ask(t, b, broker.Question{})
			if asked := costly.calls.Load() == 1; asked != tc.asked || statuses(o)["model"] == broker.NotNeeded == tc.asked {
				t.Errorf("asked = %v, reports %v", asked, o.Asked)
			}
		})
	}
}

func TestAThousandEqualAskingsReachTheSourceOnce(t *testing.T) {
	first, release := make(chan struct{}), make(chan struct{})
	s := &fake{name: "a", tier: broker.Regional, look: func(ctx context.Context, q broker.Question) (broker.Found, error) {
		close(first)
		<-release
		return broker.Found{Answers: []broker.Answer{answer(1, broker.National, "1")}}, nil
	}}
	b := of(t, broker.Remote(), s)
	var askers sync.WaitGroup
	var answered atomic.Int64
	for range 500 {
		askers.Go(func() {
			o := b.Ask(t.Context(), []broker.Question{{Description: "Paper"}, {Description: "Paper"}})
			answered.Add(int64(len(o[0].Answers) + len(o[1].Answers)))
		})
	}
	<-first
	close(release)
	askers.Wait()
	if s.calls.Load() != 1 || answered.Load() != 1000 {
		t.Errorf("%d calls, %d answers; want 1 and 1000", s.calls.Load(), answered.Load())
	}
}

// Who asked first may leave, and those who wait for the same get their answer; when all have left, the call ends.
func TestOneWhoLeavesTakesNothingFromTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ended error
		release := make(chan struct{})
		s := &fake{name: "a", tier: broker.Regional, look: func(ctx context.Context, q broker.Question) (broker.Found, error) {
			select {
			case <-release:
				return broker.Found{Answers: []broker.Answer{answer(1, broker.National, "1")}}, nil
			case <-ctx.Done():
				ended = ctx.Err()
				return broker.Found{}, ended
			}
		}}
		b := broker.New(broker.Options{Sources: []broker.Guarded{{Source: s, Policy: broker.Remote()}}})
		defer b.Close()
		q := []broker.Question{{Description: "Paper"}}
		first, leave := context.WithCancel(t.Context())
		var left, stayed broker.Outcome
		go func() { left = b.Ask(first, q)[0] }()
		synctest.Wait()
		go func() { stayed = b.Ask(t.Context(), q)[0] }()
		synctest.Wait()
		leave()
		synctest.Wait()
		if left.Asked == nil || left.Asked[0].Status != broker.Cancelled || ended != nil {
			t.Fatalf("who left: %v; the call ended with %v", left.Asked, ended)
		}
		close(release)
		synctest.Wait()
		if len(stayed.Answers) != 1 || s.calls.Load() != 1 {
			t.Fatalf("who stayed: %v after %d calls", stayed, s.calls.Load())
		}

		release = make(chan struct{})
		alone, leave := context.WithCancel(t.Context())
		go b.Ask(alone, []broker.Question{{Description: "Ink"}})
		synctest.Wait()
		leave()
		synctest.Wait()
		if ended == nil {
			t.Error("a call goes on that nobody waits for")
		}
		close(release)
		if o := ask(t, b, broker.Question{Description: "Ink"}); len(o.Answers) != 1 || s.calls.Load() != 3 {
			t.Errorf("asked anew: %v after %d calls", o.Asked, s.calls.Load())
		}
	})
}

func TestAnswersAreKeptForTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fake{name: "a", tier: broker.Regional, look: func(_ context.Context, q broker.Question) (broker.Found, error) {
			switch q.Description {
			case "known":
				return broker.Found{Answers: []broker.Answer{answer(1, broker.National, "1")}}, nil
			case "broken":
				return broker.Found{}, &broker.Failure{Status: broker.Refused}
			}
			return broker.Found{}, nil
		}}
		state, stateErr := "before", error(nil)
		p := broker.Remote()
		p.Strategy = &cachex.Strategy{Name: cachex.EmissionFactors, Lifetime: time.Hour, Negative: 5 * time.Minute}
		b := broker.New(broker.Options{Sources: []broker.Guarded{{Source: s, Policy: p}}, Edition: func(context.Context) (string, error) { return state, stateErr }})
		defer b.Close()
		reaches := func(what string, want bool, q broker.Question) {
			t.Helper()
			before := s.calls.Load()
			o := ask(t, b, q)
			if got := s.calls.Load() > before; got != want || o.Asked[0].Kept == want {
				t.Errorf("%s: reached the source: %v, said to be kept: %v", what, got, o.Asked[0].Kept)
			}
		}
		known, unknown, broken := broker.Question{Organization: id(1), Description: "known"}, broker.Question{Organization: id(1), Description: "?"}, broker.Question{Organization: id(1), Description: "broken"}
		reaches("first", true, known)
		reaches("again", false, known)
		reaches("another organization", true, broker.Question{Organization: id(2), Description: "known"})
		reaches("another country", true, broker.Question{Organization: id(1), Description: "known", Country: "GB"})
		reaches("unknown", true, unknown)
		reaches("unknown again", false, unknown)
		reaches("broken", true, broken)
		reaches("broken again", true, broken)
		time.Sleep(5*time.Minute + time.Second)
		reaches("unknown, after five minutes", true, unknown)
		reaches("known, after five minutes", false, known)
		time.Sleep(time.Hour)
		reaches("known, after an hour", true, known)
		state = "after"
		reaches("known, with other factors stored", true, known)
		reaches("known again", false, known)
		stateErr = errors.New("no database")
		reaches("known, and nobody knows what is stored", true, known)
	})
}

func TestWhatIsKeptIsBounded(t *testing.T) {
	long := answer(1, broker.National, "1")
	long.Reason = strings.Repeat("x", 1000)
	s := &fake{name: "a", tier: broker.Regional, look: says(long)}
	b := open(t, broker.Options{Sources: []broker.Guarded{{Source: s, Policy: broker.Remote()}}, Kept: 1 << 20})
	var qs []broker.Question
	for i := range 5000 { // with an answer of a kilobyte each
		qs = append(qs, broker.Question{Description: fmt.Sprint(i)})
	}
	b.Ask(t.Context(), qs)
	before := s.calls.Load()
	kept := 0
	for _, o := range b.Ask(t.Context(), qs) {
		if o.Asked[0].Kept {
			kept++
		}
	}
	if before != 5000 || kept > 1200 {
		t.Errorf("%d calls, then %d were kept in a megabyte", before, kept)
	}
}

func TestResultsAreInTheOrderOfTheQuestions(t *testing.T) {
	for name, s := range map[string]broker.Source{
		"one by one": &fake{name: "a", tier: broker.Regional, look: func(_ context.Context, q broker.Question) (broker.Found, error) {
			var n int
			fmt.Sscan(q.Description, &n)
			return broker.Found{Answers: []broker.Answer{answer(n, broker.National, "1")}}, nil
		}},
		"many at once": &batcher{fake: fake{name: "a", tier: broker.Regional}, many: func(_ context.Context, qs []broker.Question) ([]broker.Found, error) {
			if len(qs) > 20 {
				return nil, fmt.Errorf("%d at once", len(qs))
			}
			out := make([]broker.Found, len(qs))
			for i, q := range qs {
				var n int
				fmt.Sscan(q.Description, &n)
				out[i].Answers = []broker.Answer{answer(n, broker.National, "1")}
			}
			return out, nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			p := broker.Remote()
			p.Batch = 20
			b := of(t, p, s)
			var qs []broker.Question
			for i := range 1000 {
				qs = append(qs, broker.Question{Description: fmt.Sprint(i/2 + 1)}) // each twice
			}
			for i, o := range b.Ask(t.Context(), qs) {
				if got := factorIDs(o); !slices.Equal(got, []store.ID{id(i/2 + 1)}) {
					t.Fatalf("answer %d is %v %v", i, got, o.Asked)
				}
			}
		})
	}
	if got := of(t, broker.Local()).Ask(t.Context(), nil); len(got) != 0 {
		t.Errorf("no questions: %v", got)
	}
	if got := ask(t, of(t, broker.Local()), broker.Question{}); got.Answers != nil || got.Asked != nil {
		t.Errorf("no sources: %v", got)
	}
}

func TestCallsAtOnceAreBounded(t *testing.T) {
	var now, most atomic.Int64
	s := &fake{name: "a", tier: broker.Regional, look: func(ctx context.Context, q broker.Question) (broker.Found, error) {
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(time.Millisecond)
		return broker.Found{}, nil
	}}
	p := broker.Local()
	p.AtOnce = 7
	b := of(t, p, s)
	var qs []broker.Question
	for i := range 500 {
		qs = append(qs, broker.Question{Description: fmt.Sprint(i)})
	}
	for _, o := range b.Ask(t.Context(), qs) {
		if o.Asked[0].Status != broker.Nothing {
			t.Fatal(o.Asked)
		}
	}
	if most.Load() != 7 {
		t.Errorf("%d calls at once; want 7", most.Load())
	}
}
