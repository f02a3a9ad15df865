package broker_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"carbongraph/internal/broker"
	"carbongraph/store"
)

// Askers come and go at random over a few questions, by batches and one by one. Whoever stays gets the answer to what was asked, and never somebody else's going.
func TestAskersComeAndGo(t *testing.T) {
	number := func(q broker.Question) (n int) { fmt.Sscan(q.Description, &n); return n }
	slowly := func(ctx context.Context) error {
		select {
		case <-time.After(time.Duration(rand.IntN(500)) * time.Microsecond):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for name, s := range map[string]broker.Source{
		"one by one": &fake{name: "a", tier: broker.Regional, look: func(ctx context.Context, q broker.Question) (broker.Found, error) {
			return broker.Found{Answers: []broker.Answer{answer(number(q), broker.National, "1")}}, slowly(ctx)
		}},
		"in batches": &batcher{fake: fake{name: "a", tier: broker.Regional}, many: func(ctx context.Context, qs []broker.Question) ([]broker.Found, error) {
			out := make([]broker.Found, len(qs))
			for i, q := range qs {
				out[i].Answers = []broker.Answer{answer(number(q), broker.National, "1")}
			}
			return out, slowly(ctx)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			p := broker.Local()
			p.Batch, p.Attempt, p.Deadline = 3, time.Minute, time.Minute // the machine may take what it needs
			b := of(t, p, s)
			var askers sync.WaitGroup
			for range 64 {
				askers.Go(func() {
					for range 25 {
						ctx, leave := context.WithCancel(t.Context())
						goes := rand.IntN(2) == 0
						if goes {
							time.AfterFunc(time.Duration(rand.IntN(400))*time.Microsecond, leave)
						}
						var qs []broker.Question
						for range 1 + rand.IntN(6) {
							qs = append(qs, broker.Question{Description: fmt.Sprint(1 + rand.IntN(12))})
						}
						for i, o := range b.Ask(ctx, qs) {
							r, right := o.Asked[0], slices.Equal(factorIDs(o), []store.ID{id(number(qs[i]))})
							if !goes && !right || right != (r.Status == broker.Answered) || goes && !right && r.Status != broker.Cancelled {
								t.Errorf("%+v of %s", o, qs[i].Description)
							}
						}
						leave()
					}
				})
			}
			askers.Wait()
		})
	}
}
