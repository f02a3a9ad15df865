package app

import (
	"context"
	"sync/atomic"

	"github.com/redis/go-redis/v9"

	"carbongraph/cachex"
	"carbongraph/graph"
	"carbongraph/store"
)

// caches are what answers are kept in, and what tells whether they still hold.
type caches struct {
	chain     *cachex.Chain
	documents *cachex.Chain
	versions  *cachex.Versions
	redis     redis.UniversalClient  // nil without Redis
	warmer    atomic.Pointer[warmer] // nil until the server answers, and where no answers are kept
}

// newCaches makes them over a store that is opened afterwards: it tells them of commits, and they ask it.
func (a *App) newCaches(client *redis.Client) *caches {
	var shared redis.UniversalClient // not an interface of a nil client
	if client != nil {
		shared = client
	}
	c := &caches{
		chain:     cachex.New(cachex.Options{Bytes: a.o.Config.CacheBytes, Redis: shared, Log: a.o.Log, Metrics: a.tel.Cache}),
		documents: cachex.New(graph.DocumentOptions(shared)),
		redis:     shared,
	}
	var mark store.Mark
	c.versions = cachex.NewVersions(cachex.VersionsOptions{
		Redis: shared, Log: a.o.Log, Metrics: a.tel.Versions,
		Dropped: func(org [16]byte) {
			if w := c.warmer.Load(); w != nil {
				w.versionsChanged(org)
			}
		},
		Compact: func(ctx context.Context) error { return a.Store.CompactVersions(ctx) },
		Read: func(ctx context.Context, org [16]byte) (*cachex.Vector, error) {
			v, err := a.Store.Versions(ctx, org)
			if err != nil {
				return nil, err
			}
			own, all := v.Stamps()
			return &cachex.Vector{Own: own, All: all, Total: v.Total}, nil
		},
		Changes: func(ctx context.Context) (orgs [][16]byte, all bool, err error) {
			changed, next, err := a.Store.VersionChanges(ctx, mark)
			if err != nil {
				return nil, false, err
			}
			mark = next
			for _, org := range changed {
				all = all || org.IsZero()
				orgs = append(orgs, org)
			}
			return orgs, all, nil
		},
	})
	return c
}

// run keeps them up until the context ends.
func (c *caches) run(ctx context.Context) (stop func() error) {
	all := []func() error{background(ctx, c.chain.Run), background(ctx, c.documents.Run), background(ctx, c.versions.Run)}
	return func() error {
		for _, end := range all {
			_ = end() // none fails
		}
		return nil
	}
}

func (c *caches) close() error {
	c.chain.Close()
	c.documents.Close()
	return nil
}

// responses are what answers are kept with; nil where the settings rule that out.
func (a *App) responses() *graph.ResponseOptions {
	if !a.o.Config.Responses {
		return nil
	}
	return &graph.ResponseOptions{Cache: a.caches.chain, Versions: a.caches.versions, Strategy: cachex.Named(cachex.APIResponses), Secret: a.Store.Derive("responses")}
}

// warm begins to make answers before they are asked for, where answers are kept.
func (a *App) warm(ctx context.Context, h *graph.Handler) {
	if h.Popular() == nil {
		return
	}
	var s *shelf
	if a.caches.redis != nil {
		s = newShelf(a.caches.redis, a.Store.Derive("asked"))
		a.opened("shelf", s.close)
	}
	w := newWarmer(h, s, a.stop, a.o.Log, a.tel.Warming)
	a.caches.warmer.Store(w)
	a.opened("warming", background(ctx, w.run))
}
