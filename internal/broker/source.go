package broker

import (
	"context"
	"time"

	"carbongraph/cachex"
)

// Source is where factors are looked up. Its methods are called at once by many, and end when their context does.
type Source interface {
	// Name is a constant of the program: it stands in metrics.
	Name() string
	// Tier is the best that the source answers for. Once there is a better answer from elsewhere it is not waited for.
	Tier() Tier
	// Look looks the factor of a question up. An error is a *Failure where the source can say more than that it failed.
	Look(ctx context.Context, q Question) (Found, error)
}

// Batcher is a source that takes many questions in one call, and answers all of them in their order.
type Batcher interface {
	Source
	LookMany(ctx context.Context, qs []Question) ([]Found, error)
}

// Narrower is a source that does not look at all of a question. It is handed only what it sees, and questions that look alike to it are one.
type Narrower interface {
	Sees(q Question) Question
}

// Configured is a source whose answers hang on how it is set up as well: what is kept of it is found by nobody who set it up otherwise.
type Configured interface {
	Settings() string
}

// Failure is why a source did not answer.
type Failure struct {
	Status Status
	Detail string        // in words, for people: nothing of the inside, no text of the ledger
	Retry  bool          // whether the same may be answered when it is asked again
	After  time.Duration // how long the source wants to be left alone before; 0: it does not say
	Cause  error         // for the log

	ours bool // it failed by how long we let it wait, which says nothing of the source
}

// Error gives status, detail and cause: for logs.
func (f *Failure) Error() string {
	s := string(f.Status) + ": " + f.Detail
	if f.Cause != nil {
		s += ": " + f.Cause.Error()
	}
	return s
}

// Unwrap gives the cause, if there is one.
func (f *Failure) Unwrap() error { return f.Cause }

// Policy is how a source is asked.
type Policy struct {
	AtOnce   int           // calls at once; more wait
	Batch    int           // questions in one call, of a Batcher
	Attempt  time.Duration // of one call
	Deadline time.Duration // of a look-up: the wait for a place, all calls, and the pauses between them

	Retries              int           // after the first call
	Backoff, LongBackoff time.Duration // the first pause and the longest; pauses double, a quarter more or less

	Opens int           // failures among the last ten calls that open the breaker; 0: there is none
	Pause time.Duration // how long it stays open before one call is let through

	Strategy *cachex.Strategy // by which answers are kept; nil: not at all

	// Last has the source asked only where the others have no answer that is better than a proxy and sure enough: it costs.
	Last bool
}

// Local is the policy for a source in the process or in our own database.
func Local() Policy {
	return Policy{AtOnce: 64, Batch: groupSize, Attempt: 5 * time.Second, Deadline: 10 * time.Second, Opens: 5, Pause: 5 * time.Second}
}

// Remote is the policy for a source that is asked over HTTP.
func Remote() Policy {
	return Policy{AtOnce: 64, Batch: groupSize, Attempt: 4 * time.Second, Deadline: 10 * time.Second, Retries: 2, Backoff: 100 * time.Millisecond, LongBackoff: 2 * time.Second,
		Opens: 5, Pause: 10 * time.Second, Strategy: cachex.Named(cachex.EmissionFactors)}
}

// Model is the policy for a language model: slow, and paid for by the token.
func Model() Policy {
	return Policy{AtOnce: 8, Batch: 1, Attempt: 20 * time.Second, Deadline: time.Minute, Retries: 2, Backoff: 500 * time.Millisecond, LongBackoff: 8 * time.Second,
		Opens: 5, Pause: 30 * time.Second, Strategy: cachex.Named(cachex.LLMResponses), Last: true}
}
