package app

import (
	"context"
	"net/http"

	"carbongraph/cachex"
	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

// cachesPath is where the admin listener tells of caches.
const cachesPath = "/caches"

// cacheReport is how the caches of a server stand, as it looks from outside.
type cacheReport struct {
	Responses bool          `json:"responses"` // answers are kept
	Layers    []cacheLayer  `json:"layers"`
	Redis     cacheRedis    `json:"redis"`
	Versions  cacheVersions `json:"versions"`
	Asked     int           `json:"asked"` // operations that are remembered as asked
}

// cacheLayer is what one layer did for one strategy since the server was started, and what the process holds now.
type cacheLayer struct {
	Layer     string  `json:"layer"`
	Strategy  string  `json:"strategy"`
	Hits      uint64  `json:"hits"`
	Misses    uint64  `json:"misses"`
	Stale     uint64  `json:"stale"`
	Negative  uint64  `json:"negative"`
	Errors    uint64  `json:"errors"`
	Corrupt   uint64  `json:"corrupt"`
	Evictions uint64  `json:"evictions"`
	Entries   int64   `json:"entries"`
	Bytes     int64   `json:"bytes"`
	HitRatio  *string `json:"hitRatio"` // of all look-ups those that found something; nil where there were none
}

type cacheRedis struct {
	State   string `json:"state"` // off, reachable or unreachable
	Reading bool   `json:"reading"`
	Writing bool   `json:"writing"`
}

type cacheVersions struct {
	Trusted       bool `json:"trusted"`
	Organizations int  `json:"organizations"`
}

// caching serves how the caches stand, and has them warmed. Pages of other origins cannot ask for that.
func (a *App) caching(redis func(context.Context) string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+cachesPath, func(w http.ResponseWriter, r *http.Request) {
		reply(w, http.StatusOK, a.caches.report(redis(r.Context())))
	})
	mux.HandleFunc("POST "+cachesPath+"/warm", func(w http.ResponseWriter, r *http.Request) {
		warmer := a.caches.warmer.Load()
		if warmer == nil {
			refuse(w, r, fault.New(fault.Conflict, "No answers are kept: RESPONSE_CACHE is off."))
			return
		}
		done, err := warmer.now(r.Context())
		if err != nil {
			return // whoever asked is gone
		}
		reply(w, http.StatusOK, done)
	})
	return http.NewCrossOriginProtection().Handler(mux)
}

// settled tells whether the start's warming is over; it waits for that as long as the context lasts.
func (a *App) settled(ctx context.Context) bool {
	w := a.caches.warmer.Load()
	return w == nil || w.settled(ctx, a.Store.ReferenceRead())
}

func (c *caches) report(redis string) *cacheReport {
	use, versions, w := c.chain.Redis(), c.versions.State(), c.warmer.Load()
	r := &cacheReport{Responses: w != nil, Layers: []cacheLayer{}, Redis: cacheRedis{redis, use.Reading, use.Writing}, Versions: cacheVersions{versions.Trusted, versions.Organizations}}
	if w != nil {
		r.Asked = w.handler.Popular().Known()
	}
	for _, chain := range []*cachex.Chain{c.chain, c.documents} {
		for _, s := range chain.Stats() {
			if s.Strategy != cachex.Other {
				r.Layers = append(r.Layers, layerOf(s))
			}
		}
	}
	return r
}

// layerOf gives what a layer did, and its ratio of hits to six places.
func layerOf(s cachex.LayerStats) cacheLayer {
	l := cacheLayer{s.Layer, s.Strategy, s.Hits, s.Misses, s.Stale, s.Negative, s.Errors, s.Corrupt, s.Evictions, s.Entries, s.Bytes, nil}
	found := s.Hits + s.Stale + s.Negative
	if all := found + s.Misses + s.Errors + s.Corrupt; all > 0 {
		ratio := exact.NewDecimal(int64(found), 0).Quo(exact.NewDecimal(int64(all), 0)).Round(6).Canonical()
		l.HitRatio = &ratio
	}
	return l
}
