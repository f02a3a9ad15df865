package match

import (
	"context"
	"slices"
	"sync"

	"golang.org/x/sync/singleflight"

	"carbongraph/cachex"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

// Shelf keeps the index of all factors that no later release supersedes, and makes it anew when there are other datasets. It is safe for concurrent use.
type Shelf struct {
	datasets func(context.Context) ([]*store.FactorDataset, error)
	factors  func(context.Context, store.ID) ([]*store.EmissionFactor, error)
	kept     *keeper
	making   singleflight.Group
	mu       sync.Mutex
	index    *Index
}

// maxFactors bounds an index: with names of usual length it takes about a kilobyte for each factor, and the factor itself two.
const maxFactors = 100_000

// NewShelf makes a shelf that reads datasets and a dataset's factors with these functions, and keeps answers in a cache; nil: it keeps none.
func NewShelf(datasets func(context.Context) ([]*store.FactorDataset, error), factors func(context.Context, store.ID) ([]*store.EmissionFactor, error), cache *cachex.Chain) *Shelf {
	return &Shelf{datasets: datasets, factors: factors, kept: newKeeper(cache)}
}

// Index gives the index of the factors that are stored now. It costs the read of the datasets' list, and, after a change of it, of all factors, once for all
// who ask meanwhile.
func (s *Shelf) Index(ctx context.Context) (*Index, error) {
	current, total, err := s.current(ctx)
	if err != nil {
		return nil, err
	}
	if total > maxFactors {
		return nil, fault.New(fault.Overloaded, "There are %d current factors, more than the %d that can be matched by text.", total, maxFactors)
	}
	key := keyOf(current)
	s.mu.Lock()
	index := s.index
	s.mu.Unlock()
	if index != nil && index.of == key {
		return index, nil
	}
	done := s.making.DoChan(key, func() (any, error) {
		return s.make(context.WithoutCancel(ctx), key, current) // whoever asked first may go; the others wait for it
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r := <-done:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*Index), nil
	}
}

// Match tells what a line may mean, of the factors that are stored now.
func (s *Shelf) Match(ctx context.Context, line Line, first int) (Answer, error) {
	x, err := s.Index(ctx)
	if err != nil {
		return Answer{}, err
	}
	return s.kept.match(ctx, x, line, first)
}

// current gives the datasets to choose among, which are those that no other supersedes, in the order of their ids, and how many factors they have.
func (s *Shelf) current(ctx context.Context) (out []store.ID, factors int, err error) {
	all, err := s.datasets(ctx)
	if err != nil {
		return nil, 0, err
	}
	superseded := map[store.ID]bool{}
	for _, d := range all {
		if d.SupersedesID != nil {
			superseded[*d.SupersedesID] = true
		}
	}
	for _, d := range all {
		if !superseded[d.ID] && !d.NamedOnly() {
			out = append(out, d.ID)
			factors += int(d.FactorCount)
		}
	}
	slices.SortFunc(out, func(a, b store.ID) int { return slices.Compare(a[:], b[:]) })
	return out, factors, nil
}

func keyOf(datasets []store.ID) string {
	var key []byte
	for _, id := range datasets {
		key = append(key, id[:]...)
	}
	return string(key)
}

func (s *Shelf) make(ctx context.Context, key string, datasets []store.ID) (*Index, error) {
	var all []*store.EmissionFactor
	for _, id := range datasets {
		factors, err := s.factors(ctx, id)
		if err != nil {
			return nil, err
		}
		for _, f := range factors {
			if f.SupplierName == nil { // of one supplier's product, it is no factor for another's line, whatever its words
				all = append(all, f)
			}
		}
	}
	index := New(all)
	index.of = key
	s.mu.Lock()
	defer s.mu.Unlock()
	s.index = index
	return index, nil
}
