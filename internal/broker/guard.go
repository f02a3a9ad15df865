package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
)

// window is how many of the last calls a breaker looks at.
const window = 10

// jitter is the part by which a pause is longer or shorter.
const jitter = 0.25

// guard asks one source by its policy.
type guard struct {
	source Source
	policy Policy
	log    *slog.Logger

	chain    failsafe.Executor[[]Found]
	breaker  circuitbreaker.CircuitBreaker[[]Found]
	observed func(time.Duration) // the time of a look-up that was not kept
}

// newGuard puts the policies around each other: a retry takes a place anew, so that a pause holds none, and the breaker sees only calls, not who waits for a place.
func newGuard(s Source, p Policy, log *slog.Logger, observed func(time.Duration)) *guard {
	p.Attempt, p.Deadline = orDefault(p.Attempt, Local().Attempt), orDefault(p.Deadline, Local().Deadline)
	p.Attempt = min(p.Attempt, p.Deadline)
	g := &guard{source: s, policy: p, log: log, observed: observed}
	places := bulkhead.NewBuilder[[]Found](uint(max(1, p.AtOnce))).WithMaxWaitTime(p.Deadline).Build()
	policies := []failsafe.Policy[[]Found]{g.retries(), places}
	if p.Opens > 0 {
		g.breaker = g.newBreaker()
		policies = append(policies, g.breaker)
	}
	g.chain = failsafe.With(policies...)
	return g
}

func (g *guard) retries() failsafe.Policy[[]Found] {
	b := retrypolicy.NewBuilder[[]Found]().
		HandleIf(func(_ []Found, err error) bool { f := failureOf(err); return f != nil && f.Retry }).
		WithMaxRetries(g.policy.Retries).
		WithJitterFactor(jitter).
		WithDelayFunc(func(e failsafe.ExecutionAttempt[[]Found]) time.Duration {
			if f := failureOf(e.LastError()); f != nil && f.After > 0 {
				return time.Duration(float64(f.After) / (1 - jitter)) // the jitter must not make it shorter than the source asks for
			}
			return -1 // by backoff
		}).
		ReturnLastFailure()
	if g.policy.Backoff > 0 {
		b = b.WithBackoff(g.policy.Backoff, max(g.policy.LongBackoff, 2*g.policy.Backoff))
	}
	return b.Build()
}

func (g *guard) newBreaker() circuitbreaker.CircuitBreaker[[]Found] {
	return circuitbreaker.NewBuilder[[]Found]().
		HandleIf(func(_ []Found, err error) bool { return g.counts(failureOf(err)) }).
		WithFailureThresholdRatio(uint(min(g.policy.Opens, window)), window).
		WithSuccessThreshold(1).
		WithDelay(g.policy.Pause).
		OnOpen(func(circuitbreaker.StateChangedEvent) {
			g.log.Warn("factor source is not asked for a while: it fails", "source", g.source.Name(), "pause", g.policy.Pause)
		}).
		OnClose(func(circuitbreaker.StateChangedEvent) {
			g.log.Info("factor source is asked again", "source", g.source.Name())
		}).
		Build()
}

// counts tells whether a failure speaks against the source. One that is ours says nothing, but the call that tries an open breaker must have worked to close it.
func (g *guard) counts(f *Failure) bool {
	if f == nil {
		return false
	}
	switch f.Status {
	case Failed, TimedOut, Malformed, LimitReached:
		return !f.ours || g.breaker.IsHalfOpen()
	case Cancelled:
		return g.breaker.IsHalfOpen()
	}
	return false
}

func failureOf(err error) *Failure {
	var f *Failure
	if errors.As(err, &f) {
		return f
	}
	return nil
}

// look asks the source. The context carries the deadline of the look-up.
func (g *guard) look(ctx context.Context, qs []Question) ([]Found, *Failure) {
	began := time.Now()
	defer func() { g.observed(time.Since(began)) }()
	attempts := 0
	var found []Found
	var last *Failure
	_, err := g.chain.WithContext(ctx).Get(func() ([]Found, error) {
		attempts++
		if found, last = g.attempt(ctx, qs); last != nil {
			return nil, last
		}
		return found, nil
	})
	if err == nil || found != nil { // an answer is one, also when time ran out with its last byte
		return found, nil
	}
	f := g.ended(ctx, err, last, attempts)
	g.log.Debug("factor look-up failed", "source", g.source.Name(), "attempts", attempts, "err", f)
	return nil, f
}

// ended says why a look-up ended without an answer. What the source said last tells more than that time ran out, or that the breaker opened, after it.
func (g *guard) ended(ctx context.Context, err error, last *Failure, attempts int) *Failure {
	switch {
	case last != nil:
		f := *last
		if attempts > 1 {
			f.Detail += fmt.Sprintf("; asked %d times", attempts)
		}
		return &f
	case errors.Is(err, circuitbreaker.ErrOpen):
		return &Failure{Status: BreakerOpen, Detail: "it failed too often lately and is left alone for " + g.breaker.RemainingDelay().Round(time.Second).String()}
	case errors.Is(ctx.Err(), context.Canceled):
		return &Failure{Status: Cancelled, Detail: "nobody waits for it any more"}
	}
	return &Failure{Status: LimitReached, Detail: fmt.Sprintf("no place among %d calls at once within %s", g.policy.AtOnce, g.policy.Deadline), Cause: err}
}

// attempt is one call. A panic of the source is its failure, not the program's.
func (g *guard) attempt(ctx context.Context, qs []Question) (found []Found, f *Failure) {
	began := time.Now()
	attempt, cancel := context.WithTimeout(ctx, g.policy.Attempt)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			g.log.Error("factor source panicked", "source", g.source.Name(), "panic", p)
			found, f = nil, &Failure{Status: Failed, Detail: "it failed inside"}
		}
	}()
	found, err := g.call(attempt, qs)
	if err == nil {
		err = g.check(found, len(qs))
	}
	if err == nil {
		return found, nil
	}
	return nil, g.failure(ctx, attempt, err, time.Since(began))
}

func (g *guard) call(ctx context.Context, qs []Question) ([]Found, error) {
	if b, ok := g.source.(Batcher); ok {
		return b.LookMany(ctx, qs)
	}
	found, err := g.source.Look(ctx, qs[0])
	return []Found{found}, err
}

// failure makes an error of a call into a failure, and gives up retries for which there is no time.
func (g *guard) failure(ctx, attempt context.Context, err error, took time.Duration) *Failure {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return &Failure{Status: Cancelled, Detail: "nobody waits for it any more"}
	case attempt.Err() != nil:
		return &Failure{Status: TimedOut, Detail: "no answer within " + took.Round(time.Millisecond).String(), Retry: ctx.Err() == nil, ours: took < g.policy.Attempt/2}
	}
	f := Failure{Status: Failed, Detail: "it failed inside", Cause: err}
	if said := failureOf(err); said != nil {
		f = *said
	}
	if end, ok := ctx.Deadline(); ok && f.Retry && time.Until(end) < f.After {
		f.Retry = false
		f.Detail += fmt.Sprintf("; it asks to wait %s, which is past the deadline", f.After.Round(time.Millisecond))
	}
	return &f
}

// check refuses answers that the chain cannot take.
func (g *guard) check(found []Found, questions int) error {
	if len(found) != questions {
		return &Failure{Status: Malformed, Detail: fmt.Sprintf("%d answers to %d questions", len(found), questions)}
	}
	for _, f := range found {
		for _, a := range f.Answers {
			if f := sound(a, g.source.Tier()); f != nil {
				return f
			}
		}
	}
	return nil
}

// sound tells what is wrong with an answer of a source that answers for a tier and below; nil where nothing is.
func sound(a Answer, tier Tier) *Failure {
	switch {
	case a.FactorID.IsZero():
		return &Failure{Status: Malformed, Detail: "an answer without a factor"}
	case a.Confidence.Sign() < 0 || a.Confidence.Cmp(one) > 0:
		return &Failure{Status: Malformed, Detail: "a confidence of " + a.Confidence.String()}
	case a.Tier < tier || a.Tier > Proxy:
		return &Failure{Status: Malformed, Detail: fmt.Sprintf("an answer of the tier %s from a source for %s and below", a.Tier, tier)}
	}
	return nil
}
