package batch

import (
	"context"
	"slices"
	"sync"

	"carbongraph/internal/fault"
	"carbongraph/store"
)

// codes finds the factors that a file names by source and code, each once an import. It is safe for concurrent use.
type codes struct {
	store    *store.Store
	mu       sync.Mutex
	datasets []*store.FactorDataset
	known    map[code][]*store.EmissionFactor
}

const maxCodes = 1 << 14

type code struct{ source, code string }

func newCodes(st *store.Store) *codes {
	return &codes{store: st, known: map[code][]*store.EmissionFactor{}}
}

// find gives the factor of the source's newest release. Of several with one code, which differ by region or unit, it is the one of the line's country.
func (c *codes) find(ctx context.Context, source, text, country string) (store.ID, error) {
	fit, err := c.all(ctx, code{source, text})
	if err != nil {
		return store.ID{}, err
	}
	if len(fit) > 1 {
		fit = slices.DeleteFunc(slices.Clone(fit), func(f *store.EmissionFactor) bool { return f.Region != country })
		if len(fit) != 1 {
			return store.ID{}, fault.New(fault.BadUserInput, "%.60q of %.60q names several factors, of other regions or units; map the line in a mapping file instead.", text, source).At("factorCode")
		}
	}
	if len(fit) == 0 {
		return store.ID{}, fault.New(fault.NotFound, "There is no emission factor %.60q of %.60q.", text, source).At("factorCode")
	}
	return fit[0].ID, nil
}

func (c *codes) all(ctx context.Context, key code) ([]*store.EmissionFactor, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if fit, known := c.known[key]; known {
		return fit, nil
	}
	if len(c.known) >= maxCodes {
		clear(c.known) // a file whose codes are all different must not fill the memory
	}
	if c.datasets == nil {
		var err error
		if c.datasets, err = c.store.Datasets(ctx); err != nil {
			return nil, err
		}
	}
	var newest []store.GlobalID
	for _, d := range c.datasets {
		superseded := slices.ContainsFunc(c.datasets, func(later *store.FactorDataset) bool { return later.SupersedesID != nil && *later.SupersedesID == d.ID })
		if d.Source == key.source && !superseded {
			newest = append(newest, store.Global(store.KindFactorDataset, d.ID))
		}
	}
	if len(newest) == 0 {
		c.known[key] = nil
		return nil, nil
	}
	first := int32(store.MaxPage)
	page, err := c.store.Factors(ctx, &store.EmissionFactorFilter{DatasetIds: newest, Codes: []string{key.code}},
		store.EmissionFactorOrder{Field: store.FactorsByCode, Direction: store.Asc}, store.Page{First: &first})
	if err != nil {
		return nil, err
	}
	c.known[key] = page.Nodes
	return page.Nodes, nil
}
