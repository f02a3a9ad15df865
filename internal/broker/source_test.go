package broker_test

import (
	"context"
	"encoding/binary"
	"sync/atomic"
	"testing"

	"carbongraph/internal/broker"
	"carbongraph/internal/exact"
	"carbongraph/store"
)

// fake is a source that a test writes.
type fake struct {
	name  string
	tier  broker.Tier
	look  func(ctx context.Context, q broker.Question) (broker.Found, error)
	calls atomic.Int64
}

func (f *fake) Name() string      { return f.name }
func (f *fake) Tier() broker.Tier { return f.tier }
func (f *fake) Look(ctx context.Context, q broker.Question) (broker.Found, error) {
	f.calls.Add(1)
	return f.look(ctx, q)
}

// batcher is one that takes many at once.
type batcher struct {
	fake
	many func(ctx context.Context, qs []broker.Question) ([]broker.Found, error)
}

func (b *batcher) LookMany(ctx context.Context, qs []broker.Question) ([]broker.Found, error) {
	b.calls.Add(1)
	return b.many(ctx, qs)
}

func id(n int) (id store.ID) {
	binary.BigEndian.PutUint64(id[8:], uint64(n))
	return id
}

func answer(factor int, t broker.Tier, confidence string) broker.Answer {
	return broker.Answer{FactorID: id(factor), Tier: t, Confidence: exact.MustDecimal(confidence)}
}

func says(answers ...broker.Answer) func(context.Context, broker.Question) (broker.Found, error) {
	return func(context.Context, broker.Question) (broker.Found, error) {
		return broker.Found{Answers: answers}, nil
	}
}

func fails(err error) func(context.Context, broker.Question) (broker.Found, error) {
	return func(context.Context, broker.Question) (broker.Found, error) { return broker.Found{}, err }
}

// hangs answers nothing until its context ends.
func hangs(ctx context.Context, _ broker.Question) (broker.Found, error) {
	<-ctx.Done()
	return broker.Found{}, ctx.Err()
}

func open(t testing.TB, o broker.Options) *broker.Broker {
	t.Helper()
	b := broker.New(o)
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// of makes a broker of sources that are all asked by one policy.
func of(t testing.TB, p broker.Policy, sources ...broker.Source) *broker.Broker {
	t.Helper()
	var o broker.Options
	for _, s := range sources {
		o.Sources = append(o.Sources, broker.Guarded{Source: s, Policy: p})
	}
	return open(t, o)
}

func ask(t testing.TB, b *broker.Broker, q broker.Question) broker.Outcome {
	t.Helper()
	return b.Ask(t.Context(), []broker.Question{q})[0]
}

func statuses(o broker.Outcome) map[string]broker.Status {
	m := map[string]broker.Status{}
	for _, r := range o.Asked {
		m[r.Source] = r.Status
	}
	return m
}

func factorIDs(o broker.Outcome) []store.ID {
	var out []store.ID
	for _, a := range o.Answers {
		out = append(out, a.FactorID)
	}
	return out
}
