// Package broker tells which factor a line is calculated with, asked of several sources at once, and why: which source answered, and why the others did not.
package broker

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"carbongraph/cachex"
	"carbongraph/internal/exact"
	"carbongraph/internal/telemetry"
)

// Guarded is a source and how it is asked.
type Guarded struct {
	Source Source
	Policy Policy
}

// Options are what a broker is made of.
type Options struct {
	Sources []Guarded // no two of one name

	// Edition names the state of the stored factors, alike on all servers: what was kept in another state is not used. Nil: there is one state. See Index.Edition.
	Edition func(context.Context) (string, error)

	Deadline time.Duration  // of a question; 0: a minute
	AtOnce   int            // questions of one Ask that are under way at once; 0: 256
	Enough   *exact.Decimal // the confidence from which on an answer keeps costly sources unasked; nil: 0.8

	Cache  *cachex.Chain // what answers are kept in; nil: one in the process alone, of so many bytes
	Kept   int           // 0: 32 MB
	Secret []byte        // without which nobody can tell what a name in Redis is of: the same on every server

	Metrics *telemetry.Broker
	Log     *slog.Logger
}

// Broker asks sources for factors. It is safe for concurrent use.
type Broker struct {
	first, last []*desk       // by tier, the best first; last are those that cost
	own         *cachex.Chain // nil where somebody else's is used
	edition     func(context.Context) (string, error)
	deadline    time.Duration
	groups      int
	enough      exact.Decimal
	metrics     *telemetry.Broker
}

const (
	groupSize       = 32 // questions that are asked together, so that Batchers get them in one call
	defaultAtOnce   = 256
	defaultDeadline = time.Minute
	defaultKept     = 32 << 20
)

// onlyState is the state of the stored factors where nobody tells of several. One that cannot be told is empty.
const onlyState = "one"

// New makes a broker. Close it when nobody asks any more.
func New(o Options) *Broker {
	b := &Broker{edition: o.Edition, deadline: orDefault(o.Deadline, defaultDeadline),
		groups: max(1, orDefault(o.AtOnce, defaultAtOnce)/groupSize), enough: exact.NewDecimal(8, -1), metrics: o.Metrics}
	if o.Enough != nil {
		b.enough = *o.Enough
	}
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if o.Cache == nil {
		b.own = cachex.New(cachex.Options{Bytes: orDefault(o.Kept, defaultKept)})
		o.Cache = b.own
	}
	sources := slices.Clone(o.Sources)
	slices.SortStableFunc(sources, func(x, y Guarded) int { return int(x.Source.Tier() - y.Source.Tier()) })
	for _, s := range sources {
		name := s.Source.Name()
		d := newDesk(newGuard(s.Source, s.Policy, log, func(took time.Duration) { o.Metrics.Called(name, took) }), newKeeper(o.Cache, s, o.Secret))
		if s.Policy.Last {
			b.last = append(b.last, d)
		} else {
			b.first = append(b.first, d)
		}
	}
	return b
}

func orDefault[T int | time.Duration](v, fallback T) T {
	if v <= 0 {
		return fallback
	}
	return v
}

// Close ends what the broker does in the background, and closes its sources. Nobody may ask any more.
func (b *Broker) Close() error {
	var errs []error
	for _, d := range b.desks() {
		d.calls.Wait()
		if c, ok := d.guard.source.(io.Closer); ok {
			errs = append(errs, c.Close())
		}
	}
	if b.own != nil {
		b.own.Close()
	}
	return errors.Join(errs...)
}

func (b *Broker) desks() []*desk { return slices.Concat(b.first, b.last) }

// Ask gives the outcome of each question, in their order. Whatever goes wrong stands in the reports; when the context ends, so do the look-ups that nobody
// else waits for, and the reports say so.
func (b *Broker) Ask(ctx context.Context, qs []Question) []Outcome {
	out := make([]Outcome, len(qs))
	var asking errgroup.Group
	asking.SetLimit(b.groups)
	at := 0
	for group := range slices.Chunk(qs, groupSize) {
		outcomes := out[at : at+len(group)]
		at += len(group)
		asking.Go(func() error {
			b.together(ctx, group, outcomes)
			return nil
		})
	}
	_ = asking.Wait() // no group gives an error
	return out
}

// together asks a group of questions: of each source that costs nothing, all at once.
func (b *Broker) together(ctx context.Context, qs []Question, out []Outcome) {
	ctx, cancel := context.WithTimeout(ctx, b.deadline)
	defer cancel()
	state := b.state(ctx)
	tickets := make([][]ticket, len(b.first))
	for i, d := range b.first {
		tickets[i] = d.ask(ctx, state, qs)
	}
	var settling sync.WaitGroup
	for i := range qs {
		mine := make([]ticket, len(b.first))
		for j := range b.first {
			mine[j] = tickets[j][i]
		}
		settling.Go(func() { out[i] = b.settle(ctx, state, qs[i], mine) })
	}
	settling.Wait()
}

// state names the state of the stored factors. It is looked up before the sources are asked, so that nothing is kept under a state later than what it was made of.
func (b *Broker) state(ctx context.Context) string {
	if b.edition == nil {
		return onlyState
	}
	name, err := b.edition(ctx)
	if err != nil {
		return ""
	}
	return name
}

// settle waits for what was asked for a question, and asks the sources that cost where that is not enough.
func (b *Broker) settle(ctx context.Context, state string, q Question, tickets []ticket) Outcome {
	var o Outcome
	for i, d := range b.first {
		t := tickets[i]
		if len(o.Answers) > 0 && o.Answers[0].Tier < d.guard.source.Tier() && !t.ready() {
			d.leave(t)
			o.add(b.metrics, d, t.since, got{status: NotNeeded, detail: "there is a " + o.Answers[0].Tier.String() + " answer"})
			continue
		}
		o.add(b.metrics, d, t.since, d.wait(ctx, t))
	}
	if len(o.Answers) > 0 && o.Answers[0].Tier < Proxy && o.Answers[0].Confidence.Cmp(b.enough) >= 0 {
		for _, d := range b.last {
			o.add(b.metrics, d, time.Now(), got{status: NotNeeded, detail: "there is a sure answer"})
		}
		return o
	}
	tickets = tickets[:0]
	for _, d := range b.last {
		tickets = append(tickets, d.ask(ctx, state, []Question{q})[0])
	}
	for i, d := range b.last {
		o.add(b.metrics, d, tickets[i].since, d.wait(ctx, tickets[i]))
	}
	return o
}

// add takes in what a source said.
func (o *Outcome) add(m *telemetry.Broker, d *desk, since time.Time, g got) {
	o.Asked = append(o.Asked, Report{Source: d.name, Status: g.status, Detail: g.detail, Hallucinated: g.found.Hallucinated, Kept: g.kept, Took: time.Since(since)})
	m.LookedUp(d.name, string(g.status), g.kept)
	if len(g.found.Answers) == 0 {
		return
	}
	for _, a := range g.found.Answers {
		a.Source = d.name
		o.Answers = append(o.Answers, a)
	}
	o.Answers = ranked(o.Answers)
}
