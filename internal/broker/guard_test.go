package broker_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"carbongraph/internal/broker"
)

// one asks a source by a policy, on a clock of its own.
func one(t *testing.T, p broker.Policy, s broker.Source, f func(t *testing.T, b *broker.Broker)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := broker.New(broker.Options{Sources: []broker.Guarded{{Source: s, Policy: p}}})
		defer b.Close()
		f(t, b)
	})
}

func policy(change func(*broker.Policy)) broker.Policy {
	p := broker.Policy{AtOnce: 4, Attempt: time.Second, Deadline: 10 * time.Second, Retries: 2, Backoff: 100 * time.Millisecond, LongBackoff: time.Second, Pause: 5 * time.Second}
	change(&p)
	return p
}

func TestRetries(t *testing.T) {
	for name, tc := range map[string]struct {
		failures []error // then it answers
		calls    int64
		status   broker.Status
		least    time.Duration
		most     time.Duration
		detail   string
	}{
		"what may pass is tried again, with growing pauses": {[]error{&broker.Failure{Status: broker.Failed, Retry: true}, &broker.Failure{Status: broker.Failed, Retry: true}}, 3, broker.Answered, 225 * time.Millisecond, 375 * time.Millisecond, ""},
		"at most so often":                  {[]error{&broker.Failure{Status: broker.Failed, Detail: "HTTP 500", Retry: true}, &broker.Failure{Status: broker.Failed, Detail: "HTTP 500", Retry: true}, &broker.Failure{Status: broker.Failed, Detail: "HTTP 503", Retry: true}}, 3, broker.Failed, 225 * time.Millisecond, 375 * time.Millisecond, "HTTP 503; asked 3 times"},
		"a refusal is not":                  {[]error{&broker.Failure{Status: broker.Refused, Detail: "HTTP 400"}}, 1, broker.Refused, 0, 0, "HTTP 400"},
		"an error that says nothing is not": {[]error{errors.New("?")}, 1, broker.Failed, 0, 0, "it failed inside"},
		"the source says when":              {[]error{&broker.Failure{Status: broker.LimitReached, Detail: "HTTP 429", Retry: true, After: 3 * time.Second}}, 2, broker.Answered, 3 * time.Second, 5 * time.Second, ""},
		"later than there is time":          {[]error{&broker.Failure{Status: broker.LimitReached, Detail: "HTTP 429", Retry: true, After: time.Minute}}, 1, broker.LimitReached, 0, 0, "HTTP 429; it asks to wait 1m0s, which is past the deadline"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &fake{name: "a", tier: broker.Regional}
			s.look = func(context.Context, broker.Question) (broker.Found, error) {
				if n := s.calls.Load(); int(n) <= len(tc.failures) {
					return broker.Found{}, tc.failures[n-1]
				}
				return broker.Found{Answers: []broker.Answer{answer(1, broker.National, "1")}}, nil
			}
			one(t, policy(func(*broker.Policy) {}), s, func(t *testing.T, b *broker.Broker) {
				began := time.Now()
				r := ask(t, b, broker.Question{}).Asked[0]
				took := time.Since(began)
				if r.Status != tc.status || r.Detail != tc.detail || s.calls.Load() != tc.calls || took < tc.least || took > tc.most || r.Took != took {
					t.Errorf("%+v after %d calls in %s", r, s.calls.Load(), took)
				}
			})
		})
	}
}

func TestNothingHangsPastItsTime(t *testing.T) {
	t.Run("a call", func(t *testing.T) {
		s := &fake{name: "a", tier: broker.Regional, look: hangs}
		one(t, policy(func(p *broker.Policy) { p.Retries = 0 }), s, func(t *testing.T, b *broker.Broker) {
			if r := ask(t, b, broker.Question{}).Asked[0]; r.Status != broker.TimedOut || r.Took != time.Second || r.Detail != "no answer within 1s" {
				t.Errorf("%+v", r)
			}
		})
	})
	t.Run("a call that is repeated", func(t *testing.T) {
		s := &fake{name: "a", tier: broker.Regional, look: hangs}
		one(t, policy(func(p *broker.Policy) { p.Retries, p.Deadline = 100, 2500*time.Millisecond }), s, func(t *testing.T, b *broker.Broker) {
			if r := ask(t, b, broker.Question{}).Asked[0]; r.Status != broker.TimedOut || r.Took != 2500*time.Millisecond || s.calls.Load() != 3 {
				t.Errorf("%+v after %d calls", r, s.calls.Load())
			}
		})
	})
	t.Run("the last word counts where time runs out in a pause", func(t *testing.T) {
		s := &fake{name: "a", tier: broker.Regional, look: fails(&broker.Failure{Status: broker.Failed, Detail: "HTTP 503", Retry: true})}
		one(t, policy(func(p *broker.Policy) { p.Backoff, p.LongBackoff = time.Minute, time.Hour }), s, func(t *testing.T, b *broker.Broker) {
			if r := ask(t, b, broker.Question{}).Asked[0]; r.Status != broker.Failed || r.Took != 10*time.Second || r.Detail != "HTTP 503" {
				t.Errorf("%+v", r)
			}
		})
	})
	t.Run("a question", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			// A source that does not heed its context: whoever asks does not wait for it.
			done := make(chan struct{})
			s := &fake{name: "a", tier: broker.Regional, look: func(context.Context, broker.Question) (broker.Found, error) { <-done; return broker.Found{}, nil }}
			b := broker.New(broker.Options{Sources: []broker.Guarded{{Source: s, Policy: broker.Local()}}, Deadline: 3 * time.Second})
			if r := ask(t, b, broker.Question{}).Asked[0]; r.Status != broker.TimedOut || r.Took != 3*time.Second {
				t.Errorf("%+v", r)
			}
			close(done)
			b.Close()
		})
	})
	t.Run("who asks", func(t *testing.T) {
		s := &fake{name: "a", tier: broker.Regional, look: hangs}
		one(t, broker.Local(), s, func(t *testing.T, b *broker.Broker) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if r := b.Ask(ctx, []broker.Question{{}})[0].Asked[0]; r.Status != broker.TimedOut || r.Took != time.Second {
				t.Errorf("%+v", r)
			}
		})
	})
}

// Who finds no place in time is told so, and it is not held against the source.
func TestNoPlace(t *testing.T) {
	s := &fake{name: "a", tier: broker.Regional, look: hangs}
	one(t, policy(func(p *broker.Policy) {
		p.AtOnce, p.Retries, p.Attempt, p.Deadline, p.Opens = 1, 0, time.Minute, 3*time.Second, 1
	}), s, func(t *testing.T, b *broker.Broker) {
		o := b.Ask(t.Context(), []broker.Question{{Description: "1"}, {Description: "2"}})
		got := map[broker.Status]string{}
		for _, o := range o {
			got[o.Asked[0].Status] = o.Asked[0].Detail
		}
		if got[broker.LimitReached] != "no place among 1 calls at once within 3s" || got[broker.TimedOut] == "" {
			t.Errorf("%v", got)
		}
	})
}

// A call that got its place too late and ran out of time says nothing of the source either; one that had its time does.
func TestACallThatBeganTooLate(t *testing.T) {
	s := &fake{name: "a", tier: broker.Regional}
	s.look = func(ctx context.Context, q broker.Question) (broker.Found, error) {
		if s.calls.Load() == 1 {
			time.Sleep(2900 * time.Millisecond)
			return broker.Found{}, nil
		}
		return hangs(ctx, q)
	}
	one(t, policy(func(p *broker.Policy) {
		p.AtOnce, p.Retries, p.Attempt, p.Deadline, p.Opens = 1, 0, time.Hour, 3*time.Second, 1
	}), s, func(t *testing.T, b *broker.Broker) {
		got := map[broker.Status]int{}
		for _, o := range b.Ask(t.Context(), []broker.Question{{Description: "1"}, {Description: "2"}}) {
			got[o.Asked[0].Status]++
		}
		if got[broker.Nothing] != 1 || got[broker.TimedOut] != 1 {
			t.Fatalf("%v", got)
		}
		if r := ask(t, b, broker.Question{Description: "3"}).Asked[0]; r.Status != broker.TimedOut {
			t.Errorf("after a call that began too late: %+v", r)
		}
		if r := ask(t, b, broker.Question{Description: "4"}).Asked[0]; r.Status != broker.BreakerOpen {
			t.Errorf("after a call that had its time: %+v", r)
		}
	})
}

func TestTheBreakerOpensAndCloses(t *testing.T) {
	s := &fake{name: "a", tier: broker.Regional}
	err := error(&broker.Failure{Status: broker.Failed, Detail: "HTTP 500"})
	s.look = func(context.Context, broker.Question) (broker.Found, error) { return broker.Found{}, err }
	one(t, policy(func(p *broker.Policy) { p.Opens, p.Retries = 5, 0 }), s, func(t *testing.T, b *broker.Broker) {
		n := 0
		next := func() broker.Report { n++; return ask(t, b, broker.Question{Description: fmt.Sprint(n)}).Asked[0] }
		for range 5 {
			if r := next(); r.Status != broker.Failed {
				t.Fatalf("call %d: %+v", n, r)
			}
		}
		if r := next(); r.Status != broker.BreakerOpen || !strings.Contains(r.Detail, "5s") || s.calls.Load() != 5 {
			t.Fatalf("after five failures: %+v, %d calls", r, s.calls.Load())
		}
		time.Sleep(5 * time.Second)
		if r := next(); r.Status != broker.Failed || s.calls.Load() != 6 {
			t.Fatalf("the one that is let through: %+v, %d calls", r, s.calls.Load())
		}
		if r := next(); r.Status != broker.BreakerOpen {
			t.Fatalf("after it failed: %+v", r)
		}
		time.Sleep(5 * time.Second)
		err = nil
		for range 3 {
			if r := next(); r.Status != broker.Nothing {
				t.Fatalf("after it works again: %+v", r)
			}
		}
		err = &broker.Failure{Status: broker.Refused}
		for range 20 {
			if r := next(); r.Status != broker.Refused {
				t.Fatalf("refusals open nothing: %+v", r)
			}
		}
	})
}

// The call that tries an open breaker is cancelled: that shows nothing, so it stays open, and it does not stay for good.
func TestACancelledTryLeavesTheBreakerOpen(t *testing.T) {
	s := &fake{name: "a", tier: broker.Regional, look: fails(&broker.Failure{Status: broker.Failed})}
	one(t, policy(func(p *broker.Policy) { p.Opens, p.Retries = 5, 0 }), s, func(t *testing.T, b *broker.Broker) {
		for i := range 5 {
			ask(t, b, broker.Question{Description: fmt.Sprint(i)})
		}
		time.Sleep(5 * time.Second)
		s.look = hangs
		ctx, cancel := context.WithCancel(t.Context())
		go func() { time.Sleep(time.Millisecond); cancel() }()
		if r := b.Ask(ctx, []broker.Question{{Description: "try"}})[0].Asked[0]; r.Status != broker.Cancelled {
			t.Fatalf("%+v", r)
		}
		synctest.Wait()
		if r := ask(t, b, broker.Question{Description: "next"}).Asked[0]; r.Status != broker.BreakerOpen {
			t.Errorf("%+v", r)
		}
		time.Sleep(5 * time.Second)
		s.look = says()
		if r := ask(t, b, broker.Question{Description: "later"}).Asked[0]; r.Status != broker.Nothing {
			t.Errorf("%+v", r)
		}
	})
}
