package factors

import (
	"context"
	"sync"

	"carbongraph/internal/calc"
	"carbongraph/store"
)

// Entry is a factor, ready to calculate with.
type Entry struct {
	ID             store.ID
	DatasetID      store.ID
	CategoryNumber *int32 // the category that the factor implies, where its source says so
	Calc           *calc.Factor
}

// Catalog keeps factors that lines were calculated with lately. A factor never changes, so what is kept is never stale. It is safe for concurrent use.
type Catalog struct {
	store *store.Store
	limit int
	mu    sync.Mutex
	young map[store.ID]*Entry // when it is full it becomes old, and what was old is forgotten
	old   map[store.ID]*Entry
}

// catalogSize is how many factors each half of a catalog holds where no other size is asked for.
const catalogSize = 8192

// NewCatalog makes a catalog that keeps at most twice so many factors; 0 asks for a usual number.
func NewCatalog(st *store.Store, limit int) *Catalog {
	if limit <= 0 {
		limit = catalogSize
	}
	return &Catalog{store: st, limit: limit, young: map[store.ID]*Entry{}}
}

// Factors gives the factors with the ids; those that do not exist are missing. What is not kept yet is read at once.
func (c *Catalog) Factors(ctx context.Context, ids []store.ID) (map[store.ID]*Entry, error) {
	found := make(map[store.ID]*Entry, len(ids))
	var missing []store.ID
	c.mu.Lock()
	asked := make(map[store.ID]bool, len(ids))
	for _, id := range ids {
		if asked[id] {
			continue
		}
		asked[id] = true
		if e := c.get(id); e != nil {
			found[id] = e
		} else {
			missing = append(missing, id)
		}
	}
	c.mu.Unlock()
	if len(missing) == 0 {
		return found, nil
	}
	read, err := c.read(ctx, missing)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range read {
		c.put(e)
		found[e.ID] = e
	}
	return found, nil
}

func (c *Catalog) get(id store.ID) *Entry {
	if e := c.young[id]; e != nil {
		return e
	}
	e := c.old[id]
	if e != nil {
		c.put(e)
	}
	return e
}

func (c *Catalog) put(e *Entry) {
	if len(c.young) >= c.limit {
		c.young, c.old = make(map[store.ID]*Entry, c.limit), c.young
	}
	c.young[e.ID] = e
}

func (c *Catalog) read(ctx context.Context, ids []store.ID) ([]*Entry, error) {
	rows, err := c.store.FactorsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	sets := map[store.ID]*store.FactorDataset{}
	for _, f := range rows {
		sets[f.DatasetID] = nil
	}
	var wanted []store.ID
	for id := range sets {
		wanted = append(wanted, id)
	}
	datasets, err := c.store.DatasetsByID(ctx, wanted)
	if err != nil {
		return nil, err
	}
	for _, d := range datasets {
		sets[d.ID] = d
	}
	out := make([]*Entry, 0, len(rows))
	for _, f := range rows {
		if d := sets[f.DatasetID]; d != nil {
			out = append(out, &Entry{ID: f.ID, DatasetID: f.DatasetID, CategoryNumber: f.CategoryNumber, Calc: Calc(f, d)})
		}
	}
	return out, nil
}
