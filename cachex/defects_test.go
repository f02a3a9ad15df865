package cachex_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eko/gocache/lib/v4/cache"
	"github.com/eko/gocache/lib/v4/metrics"
	"github.com/eko/gocache/lib/v4/store"
	gocacheredis "github.com/eko/gocache/store/redis/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"carbongraph/cachex"
	"carbongraph/internal/servertest"
)

// These tests hold against gocache itself: each shows a defect for which we do not use that part of it. One that fails after an update tells that the part may be
// looked at again; docs/decisions/0020-cache-chain.md says what stands in its place.

// shelf is a plain store, which counts, and whose Set can be held up.
type shelf struct {
	mu    sync.Mutex
	kept  map[any]any
	lives map[any]time.Duration
	life  time.Duration // that it reports
	sets  atomic.Int64
	held  chan struct{} // nil: nothing is held up
}

func newShelf() *shelf {
	return &shelf{kept: map[any]any{}, lives: map[any]time.Duration{}, life: time.Minute}
}

func (s *shelf) Get(_ context.Context, k any) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, ok := s.kept[k]; ok {
		return v, nil
	}
	return nil, store.NotFoundWithCause(nil)
}

func (s *shelf) GetWithTTL(ctx context.Context, k any) (any, time.Duration, error) {
	v, err := s.Get(ctx, k)
	return v, s.life, err
}

func (s *shelf) Set(_ context.Context, k, v any, options ...store.Option) error {
	s.sets.Add(1)
	if s.held != nil {
		<-s.held
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept[k], s.lives[k] = v, store.ApplyOptions(options...).Expiration
	return nil
}

func (s *shelf) Delete(_ context.Context, k any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.kept, k)
	return nil
}

func (s *shelf) Invalidate(context.Context, ...store.InvalidateOption) error { return errBroken }
func (s *shelf) Clear(context.Context) error                                 { return errBroken }
func (s *shelf) GetType() string                                             { return "shelf" }

var errBroken = errors.New("broken")

func chainOf(t *testing.T, stores ...store.StoreInterface) *cache.ChainCache[string] {
	var caches []cache.SetterCacheInterface[string]
	for _, s := range stores {
		caches = append(caches, cache.New[string](s))
	}
	c := cache.NewChain(caches...)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// A hit in the first layer, which has nothing to be promoted to, queues a message for the one setter all the same: our hot path.
// When 10,000 wait for a layer that is slow to take them, hits of any layer wait too.
func TestDefectHitsWaitForTheSetter(t *testing.T) {
	t.Parallel()
	l1, l2 := newShelf(), newShelf()
	l1.held = make(chan struct{})
	c := chainOf(t, l1, l2)
	l1.kept["here"], l2.kept["there"] = "x", "x"
	if _, err := c.Get(t.Context(), "there"); err != nil { // the setter is busy with promoting it
		t.Fatal(err)
	}
	var hits atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 10_100 {
			_, _ = c.Get(context.Background(), "here")
			hits.Add(1)
		}
	}()
	eventually(t, "hits of the first layer stand still", func() bool {
		before := hits.Load()
		time.Sleep(100 * time.Millisecond)
		return before > 9_000 && before == hits.Load()
	})
	if hits.Load() >= 10_100 {
		t.Error("hits do not wait any more")
	}
	close(l1.held)
	<-done
}

// The promotion is asynchronous: it brings back what was deleted meanwhile.
func TestDefectPromotionBringsBackWhatWasDeleted(t *testing.T) {
	t.Parallel()
	l1, l2 := newShelf(), newShelf()
	l1.held = make(chan struct{})
	c := chainOf(t, l1, l2)
	l2.kept["x"] = "old"
	if _, err := c.Get(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	close(l1.held)
	eventually(t, "it is back", func() bool { v, err := c.Get(t.Context(), "x"); return err == nil && v == "old" })
}

// A promoted value loses its tags, so that an invalidation by tag leaves it in the first layer. And a lifetime of none (-2 ns, as Redis says of a key that went
// between the two questions) is handed on as if it were one.
func TestDefectPromotionLosesTagsAndTakesAnyLifetime(t *testing.T) {
	t.Parallel()
	client, prefix := servertest.Shared(t), unique()
	l1, l2 := newShelf(), gocacheredis.NewRedis(client)
	c := chainOf(t, l1, l2)
	if err := l2.Set(t.Context(), prefix+"x", "old", store.WithTags([]string{prefix}), store.WithExpiration(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Get(t.Context(), prefix+"x"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is promoted", func() bool { _, err := l1.Get(t.Context(), prefix+"x"); return err == nil })
	// Even a first layer that knew tags was told none.
	if err := c.Invalidate(t.Context(), store.WithInvalidateTags([]string{prefix})); err != nil {
		t.Fatal(err)
	}
	if v, err := c.Get(t.Context(), prefix+"x"); err != nil || v != "old" {
		t.Errorf("the tag reached it: %v, %v", v, err)
	}
	l3 := newShelf()
	l3.life = -2
	l3.kept["y"] = "y"
	first := newShelf()
	if _, err := chainOf(t, first, l3).Get(t.Context(), "y"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is promoted with a lifetime of -2 ns", func() bool {
		first.mu.Lock()
		defer first.mu.Unlock()
		return first.lives["y"] == -2
	})
}

// What layers say when they remove something is swallowed: the caller believes that it is gone.
func TestDefectRemovalsReportSuccess(t *testing.T) {
	t.Parallel()
	c := chainOf(t, newShelf())
	if err := c.Clear(t.Context()); err != nil {
		t.Errorf("Clear tells: %v", err)
	}
	if err := c.Invalidate(t.Context()); err != nil {
		t.Errorf("Invalidate tells: %v", err)
	}
}

// A stored value of another type is the zero value, and no error: bytes from store/redis, which gives strings, are empty.
func TestDefectAnotherTypeIsTheZeroValue(t *testing.T) {
	t.Parallel()
	client, name := servertest.Shared(t), unique()
	c := cache.New[[]byte](gocacheredis.NewRedis(client))
	if err := c.Set(t.Context(), name, []byte("bytes"), store.WithExpiration(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if b, err := c.Get(t.Context(), name); err != nil || b != nil {
		t.Errorf("got %q, %v", b, err)
	}
}

// watched counts the round trips of a client.
type watched struct {
	redis.UniversalClient
	trips, flushes atomic.Int64
}

func (w *watched) Get(ctx context.Context, k string) *redis.StringCmd {
	w.trips.Add(1)
	return w.UniversalClient.Get(ctx, k)
}

func (w *watched) TTL(ctx context.Context, k string) *redis.DurationCmd {
	w.trips.Add(1)
	return w.UniversalClient.TTL(ctx, k)
}

func (w *watched) FlushAll(ctx context.Context) *redis.StatusCmd {
	w.flushes.Add(1) // and it is not carried out: others share the server
	return redis.NewStatusCmd(ctx)
}

// store/redis asks twice for a value and its lifetime, and empties the whole server to clear the cache.
func TestDefectRedisStoreAsksTwiceAndEmptiesTheServer(t *testing.T) {
	t.Parallel()
	w := &watched{UniversalClient: servertest.Shared(t)}
	s, name := gocacheredis.NewRedis(w), unique()
	if err := s.Set(t.Context(), name, "x", store.WithExpiration(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.GetWithTTL(t.Context(), name); err != nil || w.trips.Load() != 2 {
		t.Errorf("%d round trips, %v", w.trips.Load(), err)
	}
	if err := s.Clear(t.Context()); err != nil || w.flushes.Load() != 1 {
		t.Errorf("%d times FLUSHALL, %v", w.flushes.Load(), err)
	}
}

// The load of a loadable runs on the context of who came first: one client that leaves fails all who wait.
func TestDefectLoadableEndsWithWhoCameFirst(t *testing.T) {
	t.Parallel()
	began := make(chan struct{})
	c := cache.NewLoadable(func(ctx context.Context, _ any) (string, []store.Option, error) {
		close(began)
		<-ctx.Done()
		return "", nil, ctx.Err()
	}, cache.New[string](newShelf()))
	t.Cleanup(func() { _ = c.Close() })
	first, leave := context.WithCancel(t.Context())
	errs := make(chan error, 2)
	go func() { _, err := c.Get(first, "x"); errs <- err }()
	<-began
	go func() { _, err := c.Get(context.Background(), "x"); errs <- err }()
	time.Sleep(100 * time.Millisecond) // the second waits; there is nothing to see that by
	leave()
	for range 2 {
		if err := <-errs; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}
}

// The metric wrapper records gauges, for every layer, on every look-up: a rate over them means nothing.
func TestDefectMetricsAreGauges(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	c := cache.NewMetric[string](metrics.NewPrometheus("test", metrics.WithRegisterer(reg)), cache.New[string](newShelf()))
	_, _ = c.Get(t.Context(), "x")
	eventually(t, "they are recorded", func() bool {
		found, err := reg.Gather()
		for _, f := range found {
			if f.GetType().String() != "GAUGE" {
				t.Errorf("%s is a %s", f.GetName(), f.GetType())
			}
		}
		return err == nil && len(found) > 0
	})
}

// Our stores are stores of gocache: what is sound of it can be put on them.
func TestOurStoresUnderGocache(t *testing.T) {
	t.Parallel()
	c := newChain(t, cachex.Options{Redis: servertest.Shared(t), Prefix: unique()})
	l1, l2 := c.Stores()
	now := time.Now()
	e := &cachex.Entry{Body: []byte("x"), Stored: now, Soft: now.Add(time.Minute), Hard: now.Add(time.Minute)}
	for _, s := range []store.StoreInterface{l1, l2} {
		k, ctx := cachex.Key(cachex.APIResponses, "x"), t.Context()
		if _, err := s.Get(ctx, k); !errors.Is(err, store.NotFound{}) {
			t.Errorf("%s: nothing is %v", s.GetType(), err)
		}
		if err := s.Set(ctx, k, e, store.WithExpiration(time.Minute)); err != nil {
			t.Fatal(s.GetType(), err)
		}
		got, left, err := s.GetWithTTL(ctx, k)
		if err != nil || string(got.(*cachex.Entry).Body) != "x" || left > time.Minute || left < 50*time.Second {
			t.Errorf("%s: %v, %v, %v", s.GetType(), got, left, err)
		}
		if err := s.Delete(ctx, k); err != nil {
			t.Fatal(s.GetType(), err)
		}
		if _, _, err := s.GetWithTTL(ctx, k); !errors.Is(err, store.NotFound{}) {
			t.Errorf("%s: what was deleted is %v", s.GetType(), err)
		}
		// What they do not have they refuse.
		for name, err := range map[string]error{
			"a key that is none":   s.Set(ctx, "x", e),
			"a value that is none": s.Set(ctx, k, "x"),
			"tags":                 s.Set(ctx, k, e, store.WithTags([]string{"t"})),
			"removal by tags":      s.Invalidate(ctx, store.WithInvalidateTags([]string{"t"})),
			"deletion of no key":   s.Delete(ctx, 1),
		} {
			if err == nil {
				t.Errorf("%s takes %s", s.GetType(), name)
			}
		}
		if _, err := s.Get(ctx, "x"); err == nil {
			t.Errorf("%s finds no key", s.GetType())
		}
		if err := s.Set(ctx, k, e, store.WithExpiration(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if err := s.Clear(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(ctx, k); !errors.Is(err, store.NotFound{}) {
			t.Errorf("%s: what was cleared is %v", s.GetType(), err)
		}
	}
}

// keyed lets gocache's caches, which make text of every key, ask a store of ours.
type keyed struct {
	store.StoreInterface
	strategy string
}

func (k keyed) Get(ctx context.Context, name any) (any, error) {
	return k.StoreInterface.Get(ctx, cachex.Key(k.strategy, name.(string)))
}

func (k keyed) GetWithTTL(ctx context.Context, name any) (any, time.Duration, error) {
	return k.StoreInterface.GetWithTTL(ctx, cachex.Key(k.strategy, name.(string)))
}

func (k keyed) Set(ctx context.Context, name, value any, options ...store.Option) error {
	return k.StoreInterface.Set(ctx, cachex.Key(k.strategy, name.(string)), value, options...)
}
