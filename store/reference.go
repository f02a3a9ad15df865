package store

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// refreshEvery is how old what is held may be on a node that others write beside.
	refreshEvery = time.Second
	// maxHeld is how many factors are held at most; where there are more, none is.
	maxHeld = 100_000
)

// reference is the emission factors and their datasets in memory: every organization reads them, and they seldom change. A factor never does; of a
// dataset only what it supersedes, when a version between two others comes in.
type reference struct {
	factors  map[ID]*EmissionFactor
	datasets map[ID]*FactorDataset
}

// holder keeps the reference rows of a store.
type holder struct {
	mu   sync.Mutex
	era  uint64 // rises with each drop, so that rows read before one are not kept after it
	rows atomic.Pointer[reference]
	once sync.Once
	read chan struct{} // closed when they were read for the first time
}

// HeldFactor gives a factor from memory; nil where it is not there, which does not say that there is none. Nobody may change it.
func (s *Store) HeldFactor(id ID) *EmissionFactor {
	if r := s.held.rows.Load(); r != nil {
		return r.factors[id]
	}
	return nil
}

// HeldDataset gives a dataset from memory, as HeldFactor does. What it supersedes may be that of a second ago, and is not to be shown: PredecessorsOf tells it.
func (s *Store) HeldDataset(id ID) *FactorDataset {
	if r := s.held.rows.Load(); r != nil {
		return r.datasets[id]
	}
	return nil
}

// ReferenceRead is closed when HoldReference has read for the first time.
func (s *Store) ReferenceRead() <-chan struct{} { return s.held.read }

// HoldReference reads factors and datasets into memory until the context ends, and again within a second of a change. While they are being read,
// and where that fails, readers ask the database.
func (s *Store) HoldReference(ctx context.Context) {
	for {
		if err := s.refresh(ctx); err != nil && ctx.Err() == nil {
			s.held.drop()
			s.log.WarnContext(ctx, "reference rows not read", "err", err)
		} else if err == nil {
			s.held.once.Do(func() { close(s.held.read) })
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(refreshEvery):
		}
	}
}

// drop forgets everything that is held, at once.
func (h *holder) drop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.era++
	h.rows.Store(nil)
}

// refresh reads the datasets, which are few, and the factors where the datasets are others than those held.
func (s *Store) refresh(ctx context.Context) error {
	s.held.mu.Lock()
	era := s.held.era
	s.held.mu.Unlock()
	list, err := s.Datasets(ctx)
	if err != nil {
		return err
	}
	fresh := &reference{datasets: make(map[ID]*FactorDataset, len(list))}
	count := 0
	for _, d := range list {
		fresh.datasets[d.ID] = d
		count += int(d.FactorCount)
	}
	held := s.held.rows.Load()
	switch {
	case held != nil && maps.EqualFunc(held.datasets, fresh.datasets, sameDataset):
		return nil
	case count <= maxHeld:
		rows, err := all(s, s.statement(), factors(), "", 0).All(ctx)
		if err != nil {
			return err
		}
		fresh.factors = make(map[ID]*EmissionFactor, len(rows))
		for _, f := range rows {
			fresh.factors[f.ID] = f
		}
	}
	s.held.mu.Lock()
	defer s.held.mu.Unlock()
	if s.held.era == era {
		s.held.rows.Store(fresh)
	}
	return nil
}

func sameDataset(a, b *FactorDataset) bool {
	var before, after ID // none
	if a.SupersedesID != nil {
		before = *a.SupersedesID
	}
	if b.SupersedesID != nil {
		after = *b.SupersedesID
	}
	return a.Digest == b.Digest && a.FactorCount == b.FactorCount && before == after
}
