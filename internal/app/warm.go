package app

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"slices"
	"sync"
	"time"

	"carbongraph/graph"
	"carbongraph/internal/telemetry"
	"carbongraph/store"
)

const (
	// warmMost are the operations of an organization that are run before anybody asks again.
	warmMost = 20
	// warmRest is how long an organization's ledger has to be left alone before, and warmEvery how often all are looked at.
	warmRest, warmEvery = time.Second, time.Minute
	// warmAhead is for how long an answer has to be good that the schedule leaves alone: a little longer than until it looks again.
	warmAhead = warmEvery + 15*time.Second
	// warmStart bounds what is warmed before the server is ready, warmRound any other round.
	warmStart, warmRound = 5 * time.Second, 30 * time.Second
	// exchangeEvery is how often what is asked most goes to Redis.
	exchangeEvery = 15 * time.Second
	// warmTick is how often the warmer looks for something to do, and how long it leaves a busy server alone.
	warmTick = 100 * time.Millisecond
)

// warmer has the operations that are asked most run before anybody asks them again: when the server starts, when the ledger that they read has changed, and before their answers
// are too old. It runs one at a time, of each organization by turns, and rests as long as each took, so that all of it is never more than half a core's work, and none while
// operations that somebody waits for stand in line.
type warmer struct {
	handler *graph.Handler
	shelf   *shelf // nil without Redis: what is asked most is known to this process alone
	stop    *stopping
	log     *slog.Logger
	metrics *telemetry.Warming

	first *warming // at the start
	mu    sync.Mutex
	// changed is whose versions changed, and when last; zero: everybody's.
	changed map[store.ID]time.Time
	errands []*errand
	command *warming // while an operator waits for it
	away    bool     // Redis does not answer
}

// warming is one round: operations of some organizations.
type warming struct {
	why                      telemetry.WarmedFor
	until                    time.Time
	ahead                    time.Duration
	began                    time.Time
	done                     chan struct{} // closed when all errands of it have ended
	open                     int           // errands
	made, kept, failed, left int
}

// errand is what is still to be run of one organization in a round.
type errand struct {
	org  store.ID
	list []*graph.Asked
	of   *warming
}

func newWarmer(h *graph.Handler, s *shelf, stop *stopping, log *slog.Logger, m *telemetry.Warming) *warmer {
	w := &warmer{handler: h, shelf: s, stop: stop, log: log, metrics: m, changed: map[store.ID]time.Time{}}
	w.first = newWarming(telemetry.WarmedAtStart, warmStart, 0)
	return w
}

func newWarming(why telemetry.WarmedFor, within, ahead time.Duration) *warming {
	now := time.Now()
	return &warming{why: why, began: now, until: now.Add(within), ahead: ahead, done: make(chan struct{})}
}

// versionsChanged notes that an organization's answers are to be made anew, zero: everybody's. It waits for nothing.
func (w *warmer) versionsChanged(org store.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.changed[org] = time.Now()
}

// run warms until the context ends.
func (w *warmer) run(ctx context.Context) {
	w.exchange(ctx)
	w.begin(w.first, w.handler.Popular().Organizations())
	tick := time.NewTicker(warmTick)
	defer tick.Stop()
	scheduled, exchanged := time.Now(), time.Now()
	for {
		if time.Since(exchanged) >= exchangeEvery {
			w.exchange(ctx)
			exchanged = time.Now()
		}
		if time.Since(scheduled) >= warmEvery {
			w.begin(newWarming(telemetry.WarmedBySchedule, warmRound, warmAhead), w.handler.Popular().Organizations())
			scheduled = time.Now()
		}
		w.due()
		if e := w.next(); e != nil && ctx.Err() == nil {
			w.step(ctx, e)
			continue
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			w.abandon()
			parting, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			w.exchange(parting)
			return
		}
	}
}

// due begins a round for those whose ledger has been left alone since it changed.
func (w *warmer) due() {
	orgs := w.rested(time.Now())
	if len(orgs) == 0 {
		return
	}
	w.mu.Lock()
	old := w.errands
	w.errands = nil
	for _, e := range old {
		if e.of.why == telemetry.WarmedByChange && slices.Contains(orgs, e.org) { // what it was to run is run by the new round
			w.finish(e)
		} else {
			w.errands = append(w.errands, e)
		}
	}
	w.mu.Unlock()
	w.begin(newWarming(telemetry.WarmedByChange, warmRound, 0), orgs)
}

// rested takes out those whose ledger has been left alone for long enough.
func (w *warmer) rested(now time.Time) (orgs []store.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for org, at := range w.changed {
		if now.Sub(at) >= warmRest {
			delete(w.changed, org)
			orgs = append(orgs, org)
		}
	}
	if slices.Contains(orgs, store.ID{}) {
		return w.handler.Popular().Organizations()
	}
	return orgs
}

// begin puts a round in line.
func (w *warmer) begin(r *warming, orgs []store.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, org := range orgs {
		if list := w.handler.Popular().Most(org, warmMost); len(list) > 0 {
			w.errands = append(w.errands, &errand{org, list, r})
			r.open++
		}
	}
	if r.open == 0 {
		close(r.done)
	}
}

// next takes the errand whose turn it is out of the line.
func (w *warmer) next() *errand {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.errands) == 0 {
		return nil
	}
	e := w.errands[0]
	w.errands = w.errands[1:]
	return e
}

// step runs one operation of an errand, which then goes to the end of the line.
func (w *warmer) step(ctx context.Context, e *errand) {
	var rest time.Duration
	switch over := w.stop.Load() || !time.Now().Before(e.of.until); {
	case over:
		w.count(e, telemetry.WarmLeft, len(e.list))
		e.list = nil
	case w.handler.Busy():
		rest = warmTick
	default:
		rest = w.one(ctx, e)
	}
	w.mu.Lock()
	if len(e.list) == 0 {
		w.finish(e)
	} else {
		w.errands = append(w.errands, e)
	}
	w.mu.Unlock()
	select {
	case <-time.After(rest):
	case <-ctx.Done():
	}
}

// one runs the next operation of an errand, and gives how long to rest then.
func (w *warmer) one(ctx context.Context, e *errand) time.Duration {
	a := e.list[0]
	e.list = e.list[1:]
	limited, cancel := context.WithDeadline(ctx, e.of.until)
	defer cancel()
	began := time.Now()
	made, err := w.handler.Warm(limited, a, e.of.ahead)
	took := time.Since(began)
	switch {
	case err != nil && limited.Err() != nil:
		w.count(e, telemetry.WarmLeft, 1)
	case err != nil:
		w.log.DebugContext(ctx, "an answer was not made before it is asked for", "org", a.Org.String(), "err", err)
		w.count(e, telemetry.WarmFailed, 1)
	case !made:
		w.count(e, telemetry.WarmKept, 1)
		return 0
	default:
		w.count(e, telemetry.WarmMade, 1)
		w.metrics.Made(took)
	}
	if e.of == w.first { // nobody asks yet
		return 0
	}
	return min(took, time.Second)
}

func (w *warmer) count(e *errand, result telemetry.WarmResult, n int) {
	w.metrics.Operations(e.of.why, result, n)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch result {
	case telemetry.WarmMade:
		e.of.made += n
	case telemetry.WarmKept:
		e.of.kept += n
	case telemetry.WarmFailed:
		e.of.failed += n
	case telemetry.WarmLeft:
		e.of.left += n
	}
}

// finish ends an errand, and with the last of a round the round.
func (w *warmer) finish(e *errand) {
	r := e.of
	if r.open--; r.open > 0 {
		return
	}
	close(r.done)
	if w.command == r {
		w.command = nil
	}
}

// abandon ends what is still in line.
func (w *warmer) abandon() {
	for e := w.next(); e != nil; e = w.next() {
		w.count(e, telemetry.WarmLeft, len(e.list))
		w.mu.Lock()
		w.finish(e)
		w.mu.Unlock()
	}
}

// warmed is what came of a round, as it looks from outside.
type warmed struct {
	Operations int     `json:"operations"`
	Made       int     `json:"made"`
	Kept       int     `json:"kept"`
	Failed     int     `json:"failed"`
	Left       int     `json:"left"`
	Seconds    float64 `json:"seconds"`
}

// now runs what is asked most, and waits for it. Who comes while another waits gets what that one gets.
func (w *warmer) now(ctx context.Context) (*warmed, error) {
	w.mu.Lock()
	r := w.command
	if r == nil {
		r = newWarming(telemetry.WarmedByCommand, warmRound, warmAhead)
		w.command = r
		w.mu.Unlock()
		w.begin(r, w.handler.Popular().Organizations())
		w.mu.Lock()
		if r.open == 0 {
			w.command = nil
		}
	}
	w.mu.Unlock()
	select {
	case <-r.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	took := math.Round(time.Since(r.began).Seconds()*1000) / 1000
	return &warmed{r.made + r.kept + r.failed + r.left, r.made, r.kept, r.failed, r.left, took}, nil
}

// settled waits until the operations that are asked most were run and reference rows are in memory, as long as the context lasts. After the time that a start may take it is
// true whatever became of that.
func (w *warmer) settled(ctx context.Context, reference <-chan struct{}) bool {
	ctx, cancel := context.WithDeadline(ctx, w.first.until)
	defer cancel()
	for _, done := range []<-chan struct{}{reference, w.first.done} {
		select {
		case <-done:
		case <-ctx.Done():
			return !time.Now().Before(w.first.until)
		}
	}
	return true
}

// exchange learns from Redis what was asked of other servers, and of this one before it was started, and tells what is asked of it. Redis that is away changes nothing.
func (w *warmer) exchange(ctx context.Context) {
	if w.shelf == nil {
		return
	}
	there, err := w.shelf.get(ctx)
	if err == nil {
		w.handler.Learn(ctx, there)
		err = w.shelf.put(ctx, w.handler.Popular().All())
	}
	if (err != nil) != w.away && !errors.Is(err, context.Canceled) {
		w.away = err != nil
		if w.away {
			w.log.WarnContext(ctx, "what is asked most is not exchanged by redis", "err", err)
		} else {
			w.log.InfoContext(ctx, "what is asked most is exchanged by redis again")
		}
	}
}
