package resolvers_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"carbongraph/internal/exact"
	"carbongraph/resolvers"
	"carbongraph/store"
)

// works are batches at work in the bubble's time: how far each is follows from how long it has been at it.
type works struct {
	began time.Time
	takes func() time.Duration // how long a statement takes; nil: no time
	steps func(store.ID) int   // how many steps each has made by now; less than none: it is gone
	end   time.Duration        // when all end; 0: never

	mu    sync.Mutex
	reads int
	fails bool
}

var acme = store.ID{1}

func batchNumber(n byte) store.ID { return store.ID{15: n} }

func (w *works) since() time.Duration { return time.Since(w.began) }

// read sees what there is when the statement begins, and tells of it when it is done.
func (w *works) read(_ context.Context, org store.ID, ids []store.ID) (rows []*store.Batch, err error) {
	w.mu.Lock()
	w.reads++
	fails, delay := w.fails, time.Duration(0)
	if w.takes != nil {
		delay = w.takes()
	}
	w.mu.Unlock()
	for _, id := range ids {
		steps := w.steps(id)
		if org != acme || steps < 0 {
			continue
		}
		b := &store.Batch{ID: id, Kind: store.BatchRecalculation, Status: store.RunRunning, Processed: int32(steps)}
		if w.end > 0 && w.since() >= w.end {
			b.Status, b.FinishedAt = store.RunSucceeded, new(exact.InstantOf(w.began.Add(w.end)))
		}
		rows = append(rows, b)
	}
	time.Sleep(delay)
	if fails {
		return nil, errors.New("the database is away")
	}
	return rows, nil
}

// taken tells how often was read since it was last asked.
func (w *works) taken() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.reads
	w.reads = 0
	return n
}

// heardOf is what a follower heard, and when.
type heardOf struct {
	at    time.Duration
	steps int
	ended bool
}

// hears gathers what comes until the end, or until the context has ended.
func (w *works) hears(from <-chan *store.Batch) (all []heardOf) {
	for b := range from {
		all = append(all, heardOf{w.since(), int(b.Processed), b.Ended()})
	}
	return all
}

// Whatever a batch does, and however the followers come: no more than 4 steps a second are told, and each at most 300 ms after it was made, where statements
// take up to 25 ms.
func TestStepsAreToldInTimeAndNotTooOften(t *testing.T) {
	const late, pause, statement = 300 * time.Millisecond, 250 * time.Millisecond, 25 * time.Millisecond
	for name, every := range map[string]time.Duration{"a step each millisecond": time.Millisecond, "some steps in a read": 70 * time.Millisecond, "about a step a read": 199 * time.Millisecond,
		"a step as often as may be told": pause, "steps that are rare": 900 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(20) {
				synctest.Test(t, func(t *testing.T) {
					r := rand.New(rand.NewPCG(seed, 1))
					w := &works{began: time.Now(), end: 20*time.Second + time.Duration(r.IntN(1000))*time.Millisecond}
					delay := rand.New(rand.NewPCG(seed, 2))
					w.takes = func() time.Duration { return time.Duration(delay.Int64N(int64(statement))) }
					w.steps = func(id store.ID) int { return int(min(w.since(), w.end) / (every * time.Duration(id[15]))) }
					follow := resolvers.FollowBatches(w.read)
					var all sync.WaitGroup
					for n := range byte(6) {
						time.Sleep(time.Duration(r.IntN(700)) * time.Millisecond)
						id := batchNumber(n%3 + 1)
						rows, err := follow(t.Context(), acme, store.Global(store.KindBatch, id))
						if err != nil {
							t.Fatal(err)
						}
						all.Go(func() { checkPace(t, w, w.hears(rows), every*time.Duration(id[15]), pause, late) })
					}
					all.Wait()
				})
			}
		})
	}
}

// checkPace holds what one follower heard against both promises.
func checkPace(t *testing.T, w *works, all []heardOf, every, pause, late time.Duration) {
	if n := len(all); n < 2 || !all[n-1].ended || all[n-1].at-w.end > late {
		t.Errorf("in the end it heard %+v; the end was at %s", all[max(0, n-2):], w.end)
		return
	}
	for i, h := range all[1:] {
		before := all[i]
		if i > 0 && h.at-before.at < pause {
			t.Errorf("told at %s, and again %s later", before.at, h.at-before.at)
		}
		if made := time.Duration(before.steps+1) * every; h.steps > before.steps && h.at-made > late {
			t.Errorf("a step was made at %s, and told %s later", made, h.at-made)
		}
		if h.steps < before.steps || h.steps == before.steps && !h.ended {
			t.Errorf("after %d steps it heard of %d", before.steps, h.steps)
		}
	}
}

// One alone hears at most 4 times in any second, its first message and its last included.
func TestOneAloneHearsFourTimesASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &works{began: time.Now(), end: 5 * time.Second}
		w.steps = func(store.ID) int { return int(w.since() / time.Millisecond) }
		rows, err := resolvers.FollowBatches(w.read)(t.Context(), acme, store.Global(store.KindBatch, batchNumber(1)))
		if err != nil {
			t.Fatal(err)
		}
		all := w.hears(rows)
		for i := range all[4:] {
			if span := all[i+4].at - all[i].at; span < time.Second {
				t.Errorf("5 messages in %s", span)
			}
		}
		if len(all) < 20 {
			t.Errorf("%d messages in 5 s", len(all))
		}
	})
}

// While nothing happens an organization is read 5 times a second, however many follow however much of it; when nobody does, not at all.
func TestFollowersAreReadForTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &works{began: time.Now(), steps: func(store.ID) int { return 0 }}
		follow := resolvers.FollowBatches(w.read)
		ctx, leave := context.WithCancel(t.Context())
		for n := range byte(40) {
			if _, err := follow(ctx, acme, store.Global(store.KindBatch, batchNumber(n%7+1))); err != nil {
				t.Fatal(err)
			}
		}
		w.taken()
		time.Sleep(10*time.Second + time.Millisecond)
		if n := w.taken(); n != 49 { // the first after 250 ms
			t.Errorf("%d reads in 10 s", n)
		}
		leave()
		synctest.Wait()
		w.taken()
		time.Sleep(time.Minute)
		if n := w.taken(); n != 0 {
			t.Errorf("%d reads for nobody", n)
		}
	})
}

func TestWhoeverIsSlowHearsOfTheNewestAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &works{began: time.Now(), end: 7 * time.Second}
		w.steps = func(store.ID) int { return int(min(w.since(), w.end) / (10 * time.Millisecond)) }
		rows, err := resolvers.FollowBatches(w.read)(t.Context(), acme, store.Global(store.KindBatch, batchNumber(1)))
		if err != nil {
			t.Fatal(err)
		}
		var heard []int
		for {
			time.Sleep(3 * time.Second)
			b, ok := <-rows
			if !ok {
				break
			}
			heard = append(heard, int(b.Processed))
			if now := w.steps(b.ID); now-int(b.Processed) > 30 {
				t.Errorf("after %s it heard of step %d; it is the %dth", w.since(), b.Processed, now)
			}
		}
		if len(heard) != 3 || heard[2] != 700 {
			t.Errorf("heard of steps %v; want three, the last of them the 700th", heard)
		}
	})
}

// While the database is away followers wait; what is gone when it is back has nothing more to tell.
func TestFollowersWaitForTheDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &works{began: time.Now()}
		w.steps = func(id store.ID) int {
			if id == batchNumber(2) && w.since() > 4*time.Second {
				return -1
			}
			return int(w.since() / time.Second)
		}
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		follow := resolvers.FollowBatches(w.read)
		stays, err := follow(ctx, acme, store.Global(store.KindBatch, batchNumber(1)))
		goes, goesErr := follow(ctx, acme, store.Global(store.KindBatch, batchNumber(2)))
		if err != nil || goesErr != nil {
			t.Fatal(err, goesErr)
		}
		for _, rows := range []<-chan *store.Batch{stays, goes} {
			<-rows
		}
		set := func(fails bool) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.fails = fails
		}
		set(true)
		time.Sleep(5 * time.Second)
		if len(stays)+len(goes) > 0 {
			t.Error("something is told of a database that is away")
		}
		set(false)
		if b := <-stays; b.Processed != 5 {
			t.Errorf("then it hears of step %d", b.Processed)
		}
		if b, ok := <-goes; ok {
			t.Errorf("what is gone is told of: %+v", b)
		}
	})
}

// Whoever comes while the rows are read, and has seen a newer state, is not told of the older one.
func TestNoFollowerGoesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &works{began: time.Now(), end: 10 * time.Second}
		const between = 300 * time.Millisecond // a read has begun by then, and is not done
		w.takes = func() time.Duration {
			if since := w.since(); since == 0 || since == between {
				return 0
			}
			return 100 * time.Millisecond
		}
		w.steps = func(store.ID) int { return int(min(w.since(), w.end) / time.Millisecond) }
		id := store.Global(store.KindBatch, batchNumber(1))
		follow := resolvers.FollowBatches(w.read)
		first, err := follow(t.Context(), acme, id)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(between)
		var all sync.WaitGroup
		for _, rows := range []<-chan *store.Batch{first, must(follow(t.Context(), acme, id))} {
			all.Go(func() {
				if all := w.hears(rows); !slices.IsSortedFunc(all, func(a, b heardOf) int { return a.steps - b.steps }) {
					t.Errorf("heard of %v", all)
				}
			})
		}
		all.Wait()
	})
}

func must[V any](v V, err error) V {
	if err != nil {
		panic(err)
	}
	return v
}
