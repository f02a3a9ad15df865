package resolvers

import (
	"context"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"carbongraph/internal/fault"
	"carbongraph/store"
)

const (
	// watchEvery is how often what somebody follows is read while nothing changes.
	watchEvery = 200 * time.Millisecond
	// watchPause follows each change that was told: 4 are told a second, as the schema promises. Reads wait for it too, since a row that is read sooner would be old
	// when it may be told. So a change is told within 250 ms and the time that two statements take. What a follower hears first is no change: where others follow
	// already, the next may come sooner.
	watchPause = 250 * time.Millisecond
	watchLimit = 5 * time.Second
)

// working is a row of work that goes on until it has ended.
type working interface {
	store.Node
	Ended() bool
}

// watches tell followers how the rows of one kind go that they follow. However many follow an organization's, these are read by one statement at a time,
// and by none while nobody follows. The work may be done by any process: only the database knows of all of it.
type watches[R working] struct {
	kind store.Kind
	noun string // what clients call a row
	read readRows[R]
	log  *slog.Logger

	mu   sync.Mutex
	orgs map[store.ID]*watch[R]
}

// readRows reads an organization's rows with these ids.
type readRows[R working] func(ctx context.Context, org store.ID, ids []store.ID) ([]R, error)

// watch is what is followed of one organization.
type watch[R working] struct {
	org       store.ID
	end       context.CancelFunc
	followers map[store.ID]map[*follower[R]]bool // by row
}

// follower gets the newest state of a row: one who is slow misses what was in between.
type follower[R working] struct {
	rows chan R // of one
	last R
}

func newWatches[R working](kind store.Kind, noun string, read readRows[R], log *slog.Logger) *watches[R] {
	return &watches[R]{kind: kind, noun: noun, read: read, log: log, orgs: map[store.ID]*watch[R]{}}
}

func runsOf(st *store.Store) readRows[*store.CalculationRun] {
	return func(ctx context.Context, org store.ID, ids []store.ID) ([]*store.CalculationRun, error) {
		return st.Tenant(org).RunsWith(ids, 0).All(ctx)
	}
}

func batchesOf(st *store.Store) readRows[*store.Batch] {
	return func(ctx context.Context, org store.ID, ids []store.ID) ([]*store.Batch, error) {
		return st.Tenant(org).BatchesWith(ids, 0).All(ctx)
	}
}

// follow gives a row as it is now, and again whenever it has changed, until it or the context has ended. An id of nothing, or of another kind, is NOT_FOUND.
func (w *watches[R]) follow(ctx context.Context, org store.ID, id store.GlobalID) (<-chan R, error) {
	if id.Kind == w.kind {
		rows, err := w.read(ctx, org, []store.ID{id.Row})
		if err != nil {
			return nil, err
		}
		if len(rows) == 1 {
			return w.join(ctx, org, rows[0]), nil
		}
	}
	return nil, fault.New(fault.NotFound, "There is no %s with this id.", w.noun).At("id")
}

// join follows a row from its present state on.
func (w *watches[R]) join(ctx context.Context, org store.ID, now R) <-chan R {
	f := &follower[R]{rows: make(chan R, 1), last: now}
	f.rows <- now
	if now.Ended() {
		close(f.rows)
		return f.rows
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	at := w.orgs[org]
	if at == nil {
		reads, end := context.WithCancel(context.Background()) // others may follow for longer than this one
		at = &watch[R]{org: org, end: end, followers: map[store.ID]map[*follower[R]]bool{}}
		w.orgs[org] = at
		go w.watch(reads, at)
	}
	row := now.GlobalID().Row
	if at.followers[row] == nil {
		at.followers[row] = map[*follower[R]]bool{}
	}
	at.followers[row][f] = true
	context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.drop(at, row, f)
	})
	return f.rows
}

// watch reads an organization's rows until nobody follows them.
func (w *watches[R]) watch(ctx context.Context, at *watch[R]) {
	next := time.NewTimer(watchPause)
	defer next.Stop()
	away := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
		began := time.Now()
		told, err := w.look(ctx, at)
		if err != nil && !away && ctx.Err() == nil { // the followers wait until the database is back
			w.log.WarnContext(ctx, "what is followed cannot be read", "what", w.noun, "err", err)
		}
		away = err != nil
		if told {
			next.Reset(watchPause)
		} else {
			next.Reset(watchEvery - time.Since(began))
		}
	}
}

// look reads once and tells the followers. It is true where one of them was told of a change.
func (w *watches[R]) look(ctx context.Context, at *watch[R]) (told bool, err error) {
	asked := w.asked(at)
	ctx, cancel := context.WithTimeout(ctx, watchLimit)
	defer cancel()
	rows, err := w.read(ctx, at.org, slices.Collect(maps.Keys(asked)))
	if err != nil {
		return false, err
	}
	found := make(map[store.ID]R, len(rows))
	for _, r := range rows {
		found[r.GlobalID().Row] = r
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, followers := range asked {
		row, there := found[id]
		for _, f := range followers {
			if !at.followers[id][f] { // gone meanwhile
				continue
			}
			if there && f.tell(row) {
				told = true
			}
			if !there || row.Ended() { // what is gone has nothing more to tell
				w.drop(at, id, f)
			}
		}
	}
	return told, nil
}

// asked gives the followers of each row before it is read: whoever comes later may have seen a newer state.
func (w *watches[R]) asked(at *watch[R]) map[store.ID][]*follower[R] {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make(map[store.ID][]*follower[R], len(at.followers))
	for id, followers := range at.followers {
		out[id] = slices.Collect(maps.Keys(followers))
	}
	return out
}

// drop lets a follower go, once, and whatever was there for it alone.
func (w *watches[R]) drop(at *watch[R], row store.ID, f *follower[R]) {
	if !at.followers[row][f] {
		return
	}
	close(f.rows)
	delete(at.followers[row], f)
	if len(at.followers[row]) == 0 {
		delete(at.followers, row)
	}
	if len(at.followers) == 0 {
		at.end()
		delete(w.orgs, at.org)
	}
}

// tell puts the row in the place of one that was not taken yet. It is false where the row is as it was.
func (f *follower[R]) tell(row R) bool {
	if reflect.DeepEqual(f.last, row) {
		return false
	}
	f.last = row
	select {
	case <-f.rows:
	default:
	}
	f.rows <- row
	return true
}
