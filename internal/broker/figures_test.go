package broker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"carbongraph/internal/broker"
)

// The target of the look-ups: a thousand distinct questions at once against a source of 20 ms are answered 20 times as fast as one after the other. Sequential
// is measured on a fiftieth of them, and stretched.
func TestAThousandLookUpsAtOnce(t *testing.T) {
	const questions, sample, target = 1000, 20, 20
	w := newWorld(t)
	paper := `{"source":"acme-labs","version":"1","code":"PAPER","region":"GB","unit":"tonne","confidence":"0.9","reason":"it is paper"}`
	server := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		time.Sleep(20 * time.Millisecond)
		writes(`{"answers":[[`+paper+`]]}`)(w, r, 0)
	})
	slow := &fake{name: "slow", tier: broker.Regional, look: func(ctx context.Context, q broker.Question) (broker.Found, error) {
		time.Sleep(20 * time.Millisecond)
		return broker.Found{Answers: []broker.Answer{answer(1, broker.National, "1")}}, nil
	}}
	for name, s := range map[string]broker.Source{
		"in the process":      slow,
		"over HTTP, one each": unbatched{broker.NewHTTP(broker.HTTPOptions{URL: server.URL, Index: w.index})},
	} {
		t.Run(name, func(t *testing.T) {
			b := of(t, broker.Remote(), s)
			began := time.Now()
			for i := range sample {
				ask(t, b, broker.Question{Description: fmt.Sprint("alone ", i)})
			}
			sequential := time.Since(began) * questions / sample
			var qs []broker.Question
			for i := range questions {
				qs = append(qs, broker.Question{Description: fmt.Sprint("together ", i)})
			}
			began = time.Now()
			for i, o := range b.Ask(t.Context(), qs) {
				if len(o.Answers) != 1 {
					t.Fatalf("question %d: %+v", i, o.Asked)
				}
			}
			together := time.Since(began)
			ratio := float64(sequential) / float64(together)
			t.Logf("%d questions: %s one after the other (%d of them, stretched), %s at once: %.1f times as fast", questions, sequential.Round(time.Millisecond), sample, together.Round(time.Millisecond), ratio)
			if ratio < target && !(raced && s != broker.Source(slow)) { // the detector makes a request take longer than the source does
				t.Errorf("%.1f times as fast; want %d", ratio, target)
			}
		})
	}
	t.Run("over HTTP, 32 in a request", func(t *testing.T) {
		many := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) {
			time.Sleep(20 * time.Millisecond)
			batched(paper)(w, r)
		})
		b := of(t, broker.Remote(), broker.NewHTTP(broker.HTTPOptions{URL: many.URL, Index: w.index}))
		var qs []broker.Question
		for i := range questions {
			qs = append(qs, broker.Question{Description: fmt.Sprint(i)})
		}
		began := time.Now()
		for i, o := range b.Ask(t.Context(), qs) {
			if len(o.Answers) != 1 {
				t.Fatalf("question %d: %+v", i, o.Asked)
			}
		}
		if n := len(many.asked()); n != 32 {
			t.Errorf("%d requests; want 32", n)
		}
		t.Logf("%d questions in %d requests: %s", questions, len(many.asked()), time.Since(began).Round(time.Millisecond))
	})
}

// unbatched hides that a source takes many.
type unbatched struct{ source *broker.HTTP }

func (u unbatched) Name() string      { return u.source.Name() }
func (u unbatched) Tier() broker.Tier { return u.source.Tier() }
func (u unbatched) Close() error      { return u.source.Close() }
func (u unbatched) Look(ctx context.Context, q broker.Question) (broker.Found, error) {
	return u.source.Look(ctx, q)
}

// batched answers the same to each question of the last request.
func batched(answer string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		var ask struct{ Questions []struct{} }
		if err := json.NewDecoder(r.Body).Decode(&ask); err != nil {
			w.WriteHeader(400)
			return
		}
		list := strings.TrimSuffix(strings.Repeat("["+answer+"],", len(ask.Questions)), ",")
		writes(`{"answers":[`+list+`]}`)(w, r, 0)
	}
}
