package factors

import (
	"context"
	"sync"

	"carbongraph/store"
)

// Releases leads factors to those of other releases of their datasets: the same code, region and unit. It is safe for concurrent use.
type Releases struct {
	store    *store.Store
	catalog  *Catalog
	bySource map[string]*store.FactorDataset
	mu       sync.Mutex
	known    map[store.ID]*Entry // by the factor that is led on; nil where the release has none
}

// NewReleases takes the releases that factors are to be of, one for each source.
func NewReleases(ctx context.Context, st *store.Store, c *Catalog, datasets []store.ID) (*Releases, error) {
	r := &Releases{store: st, catalog: c, bySource: map[string]*store.FactorDataset{}, known: map[store.ID]*Entry{}}
	rows, err := st.DatasetsByID(ctx, datasets)
	for _, d := range rows {
		r.bySource[d.Source] = d
	}
	return r, err
}

// Load finds where factors lead that were not met before, many at once.
func (r *Releases) Load(ctx context.Context, entries map[store.ID]*Entry) error {
	codes, wanted := map[store.ID]map[string]bool{}, map[store.ID]*Entry{}
	r.mu.Lock()
	for id, e := range entries {
		d := r.bySource[e.Calc.Source]
		if _, met := r.known[id]; met || d == nil || d.ID == e.DatasetID {
			continue
		}
		wanted[id] = e
		if codes[d.ID] == nil {
			codes[d.ID] = map[string]bool{}
		}
		codes[d.ID][e.Calc.Code] = true
	}
	r.mu.Unlock()
	if len(wanted) == 0 {
		return nil
	}
	found, err := byCode(ctx, r.store, codes)
	if err != nil {
		return err
	}
	var ids []store.ID
	leads := map[store.ID]store.ID{}
	for id, e := range wanted {
		for _, f := range found[datasetCode{r.bySource[e.Calc.Source].ID, e.Calc.Code}] {
			if f.Region == e.Calc.Region && f.Unit == e.Calc.Unit {
				leads[id], ids = f.ID, append(ids, f.ID)
			}
		}
	}
	ready, err := r.catalog.Factors(ctx, ids)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for id := range wanted {
		r.known[id] = ready[leads[id]]
	}
	return nil
}

// Of gives the factor of the release that is asked for: the factor itself where none of its source is. It is missing where the release does not have it.
func (r *Releases) Of(e *Entry) (to *Entry, missing bool) {
	d := r.bySource[e.Calc.Source]
	if d == nil || d.ID == e.DatasetID {
		return e, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	to = r.known[e.ID]
	return to, to == nil
}
