package cachex

import (
	"sync/atomic"

	"carbongraph/internal/telemetry"
)

// Other is the strategy of entries whose strategy the chain was not made with.
const Other = telemetry.CacheOther

// LayerStats counts what one layer did for one strategy since the start; Bytes and Entries are what the process holds now.
type LayerStats struct {
	Layer, Strategy                                string
	Hits, Misses, Stale, Negative, Errors, Corrupt uint64
	Evictions                                      uint64 // to make room; not those whose time was over
	Bytes, Entries                                 int64
}

// counts are those of one layer and strategy.
type counts struct {
	hits, misses, stale, negative, errors, corrupt, evictions atomic.Uint64
	bytes, entries                                            atomic.Int64
}

// tally counts for one strategy.
type tally struct {
	name   string
	l1, l2 counts
}

// tallies are all there will ever be, so that no name that comes later adds a series.
type tallies struct {
	of    map[string]*tally
	other *tally
	all   []*tally
}

func newTallies(strategies []Strategy) *tallies {
	t := &tallies{of: map[string]*tally{}, other: &tally{name: telemetry.CacheOther}}
	t.of[t.other.name] = t.other
	for _, s := range strategies {
		if t.of[s.Name] == nil {
			t.of[s.Name] = &tally{name: s.Name}
			t.all = append(t.all, t.of[s.Name])
		}
	}
	t.all = append(t.all, t.other)
	return t
}

func (t *tallies) named(strategy string) *tally {
	if one := t.of[strategy]; one != nil {
		return one
	}
	return t.other
}

// Stats tells what the layers did, in the order of the strategies.
func (c *Chain) Stats() []LayerStats {
	var out []LayerStats
	for _, t := range c.tallies.all {
		out = append(out, t.l1.stats(L1, t.name), t.l2.stats(L2, t.name))
	}
	return out
}

func (c *counts) stats(of Layer, strategy string) LayerStats {
	return LayerStats{string(of), strategy, c.hits.Load(), c.misses.Load(), c.stale.Load(), c.negative.Load(), c.errors.Load(), c.corrupt.Load(),
		c.evictions.Load(), c.bytes.Load(), c.entries.Load()}
}

// state is what is measured.
func (c *Chain) state() telemetry.CacheState {
	var s telemetry.CacheState
	for _, l := range c.Stats() {
		s.Layers = append(s.Layers, telemetry.CacheLayer(l))
	}
	if c.l2 != nil {
		s.Reading, s.Writing = c.l2.reads.closed(), c.l2.writes.closed()
		s.Dropped = c.desk.dropped.state()
	}
	return s
}
