package exec

import (
	"context"

	"carbongraph/internal/fault"
	"carbongraph/store"
)

// Program is an operation, compiled: what is read on each level, and how the answer is put together. It is immutable and shared.
type Program struct {
	nodes  []node
	levels [][]node
	last   int // the last level on which something is read
	steps  []step
	price  price // of the root fields
}

// step is a piece of the answer: text, or what a root field shows.
type step struct {
	text []byte
	show shower
}

func (p *Program) lit(s string) {
	if n := len(p.steps); n > 0 && p.steps[n-1].show == nil {
		p.steps[n-1].text = append(p.steps[n-1].text, s...)
		return
	}
	p.steps = append(p.steps, step{text: []byte(s)})
}

// run is the state of one operation. Its memory is used again.
type run struct {
	ctx        context.Context
	engine     *Engine
	from       Ledger
	program    *Program
	variables  map[string]any
	sets       []set
	statements []store.Statement
	snapshot   store.Snapshot
	held       int // bytes
	cost       int // points, of what is shown
	spare      []*pageOf
}

func (r *run) begin(ctx context.Context, e *Engine, from Ledger, p *Program, variables map[string]any) {
	r.ctx, r.engine, r.from, r.program, r.variables, r.held, r.cost = ctx, e, from, p, variables, 0, 0
	for len(r.sets) < len(p.nodes) {
		r.sets = append(r.sets, set{})
	}
	for i, n := range p.nodes {
		r.sets[i].reset(n.links())
	}
}

// end lets go of everything that is not memory. It is false where the memory is too much to keep.
func (r *run) end() bool {
	if r.snapshot != nil {
		r.snapshot.Close()
	}
	clear(r.statements)
	for i := range r.sets {
		r.sets[i].own = nil
	}
	small := r.held <= keep
	r.ctx, r.from, r.program, r.variables, r.snapshot = nil, Ledger{}, nil, nil, nil
	return small
}

// answer reads level by level, and then writes.
func (r *run) answer(b []byte) ([]byte, error) {
	for i, level := range r.program.levels {
		r.statements = r.statements[:0]
		for _, n := range level {
			st, err := n.prepare(r)
			if err != nil {
				return b, err
			}
			if st != nil {
				r.statements = append(r.statements, st)
			}
		}
		if err := r.read(i < r.program.last); err != nil {
			return b, err
		}
	}
	r.program.price.pay(r)
	for _, s := range r.program.steps {
		b = append(b, s.text...)
		if s.show == nil {
			continue
		}
		var ok bool
		if b, ok = s.show.show(r, b, nil, 0); !ok {
			return b, unknown(Null, "a value that the schema says is there is not")
		}
	}
	return b, nil
}

// read runs the statements of a level.
func (r *run) read(more bool) (err error) {
	if len(r.statements) == 0 {
		return r.ctx.Err()
	}
	if r.snapshot == nil {
		if r.snapshot, err = r.from.Store.Snapshot(r.ctx, r.from.At); err != nil {
			return err
		}
	}
	return r.snapshot.Read(more, r.statements...)
}

// grow counts what the operation holds, and ends it where that is too much.
func (r *run) grow(bytes int) error {
	if r.held += bytes; r.held > r.engine.bytes {
		return fault.New(fault.CostLimitExceeded, "The answer would take more than %d MB to make. Ask for less at once, for example with smaller pages.", r.engine.bytes>>20)
	}
	return nil
}

// set is what one node read: no rows, but the JSON of each between its relations, and the keys of what it leads to.
type set struct {
	ids    []store.ID // that were asked for, each once
	index  map[store.ID]int32
	rowAt  []int32        // of each id: its row, or none
	firsts []int32        // of each id, where pages were read: the first row of its page
	pages  []store.PageOf // of each id
	rows   int32
	json   []byte
	ends   []uint32     // of each segment of each row
	keys   [][]store.ID // of each link, of each row; the zero id where it leads nowhere
	places []byte
	placed []uint32 // where the place of each row ends
	own    any      // the query, where cursors are made by it
}

const none = -1

func (s *set) reset(links int) {
	s.ids, s.rowAt, s.firsts, s.json, s.ends, s.places, s.placed, s.rows, s.pages = s.ids[:0], s.rowAt[:0], s.firsts[:0], s.json[:0], s.ends[:0], s.places[:0], s.placed[:0], 0, nil
	clear(s.index)
	for len(s.keys) < links {
		s.keys = append(s.keys, nil)
	}
	for i := range s.keys {
		s.keys[i] = s.keys[i][:0]
	}
}

// ask adds an id to what is asked for.
func (s *set) ask(id store.ID) {
	if s.index == nil {
		s.index = map[store.ID]int32{}
	}
	if _, there := s.index[id]; !there {
		s.index[id] = int32(len(s.ids))
		s.ids = append(s.ids, id)
	}
}

// segment gives the JSON of one segment.
func (s *set) segment(i int) []byte {
	from := uint32(0)
	if i > 0 {
		from = s.ends[i-1]
	}
	return s.json[from:s.ends[i]]
}

// place gives the place of a row.
func (s *set) place(row int32) []byte {
	from := uint32(0)
	if row > 0 {
		from = s.placed[row-1]
	}
	return s.places[from:s.placed[row]]
}
