package resolvers

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"carbongraph/store"
)

const (
	// watchEvery is how often the runs that somebody follows are read: 4 times a second, as the schema promises.
	watchEvery = 250 * time.Millisecond
	watchLimit = 5 * time.Second
)

// watches tell followers how the runs go that they follow. However many follow an organization's runs, its runs are read by one statement at a time,
// and by none while nobody follows. Runs may be at work in any process: only the database knows of them all.
type watches struct {
	store *store.Store
	log   *slog.Logger
	every time.Duration

	mu   sync.Mutex
	orgs map[store.ID]*watch
}

// watch is what is followed of one organization.
type watch struct {
	end       context.CancelFunc
	followers map[store.ID]map[*follower]bool // by run
}

// follower gets the newest row of a run: one who is slow misses what was in between.
type follower struct {
	rows chan *store.CalculationRun // of one
	last *store.CalculationRun
}

func newWatches(st *store.Store, log *slog.Logger) *watches {
	return &watches{store: st, log: log, every: watchEvery, orgs: map[store.ID]*watch{}}
}

// run follows a run from its present row on, until it or the context has ended.
func (w *watches) run(ctx context.Context, org store.ID, now *store.CalculationRun) <-chan *store.CalculationRun {
	f := &follower{rows: make(chan *store.CalculationRun, 1)}
	f.tell(now)
	if ended(now) {
		close(f.rows)
		return f.rows
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	at := w.orgs[org]
	if at == nil {
		reads, end := context.WithCancel(context.Background()) // others may follow for longer than this one
		at = &watch{end: end, followers: map[store.ID]map[*follower]bool{}}
		w.orgs[org] = at
		go w.follow(reads, org)
	}
	if at.followers[now.ID] == nil {
		at.followers[now.ID] = map[*follower]bool{}
	}
	at.followers[now.ID][f] = true
	context.AfterFunc(ctx, func() { w.leave(org, now.ID, f) })
	return f.rows
}

// follow reads an organization's runs until nobody follows them.
func (w *watches) follow(ctx context.Context, org store.ID) {
	tick := time.NewTicker(w.every)
	defer tick.Stop()
	away := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := w.look(ctx, org)
		if err != nil && !away && ctx.Err() == nil { // the followers wait until the database is back
			w.log.WarnContext(ctx, "runs that are followed cannot be read", "err", err)
		}
		away = err != nil
	}
}

func (w *watches) look(ctx context.Context, org store.ID) error {
	w.mu.Lock()
	ids := slices.Collect(maps.Keys(w.orgs[org].followed()))
	w.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, watchLimit)
	defer cancel()
	rows, err := w.store.Tenant(org).RunsWith(ids, 0).All(ctx)
	if err != nil {
		return err
	}
	found := map[store.ID]*store.CalculationRun{}
	for _, r := range rows {
		found[r.ID] = r
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	at := w.orgs[org]
	for _, id := range ids {
		row := found[id]
		for f := range at.followed()[id] {
			if row != nil {
				f.tell(row)
			}
			if row == nil || ended(row) { // a run that is gone has nothing more to tell
				w.drop(org, id, f)
			}
		}
	}
	return nil
}

// followed is empty where nobody follows.
func (w *watch) followed() map[store.ID]map[*follower]bool {
	if w == nil {
		return nil
	}
	return w.followers
}

func (w *watches) leave(org, run store.ID, f *follower) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drop(org, run, f)
}

// drop lets a follower go, once, and whatever was there for it alone.
func (w *watches) drop(org, run store.ID, f *follower) {
	at := w.orgs[org]
	if !at.followed()[run][f] {
		return
	}
	close(f.rows)
	delete(at.followers[run], f)
	if len(at.followers[run]) == 0 {
		delete(at.followers, run)
	}
	if len(at.followers) == 0 {
		at.end()
		delete(w.orgs, org)
	}
}

// tell puts the row in the place of one that was not taken yet.
func (f *follower) tell(row *store.CalculationRun) {
	if f.last != nil && same(f.last, row) {
		return
	}
	f.last = row
	select {
	case <-f.rows:
	default:
	}
	f.rows <- row
}

func same(a, b *store.CalculationRun) bool {
	return a.Status == b.Status && a.Reason == b.Reason && ended(a) == ended(b)
}

func ended(r *store.CalculationRun) bool { return r.FinishedAt != nil }
