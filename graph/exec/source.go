package exec

import (
	"slices"

	"carbongraph/graph/plan"
	"carbongraph/store"
)

// node is a source, whatever its rows are.
type node interface {
	level() int
	reads() bool // it may well need a statement
	links() int
	prepare(r *run) (store.Statement, error)
}

// feed is a link of another source, whose keys a source asks for.
type feed struct {
	from *origin
	link int
	// early: the link's keys are the ids that the other source asks for, known before its rows are.
	early bool
}

// origin is a source as those see it who lead to it or show it: without the type of its rows.
type origin struct {
	id       int
	at       int // level
	feeds    []feed
	segments int  // of one row, over all its shapes
	linked   int  // links, over all its shapes
	byID     bool // its rows are asked for by id
	paged    bool // its rows come in pages
	places   bool // the places of its rows are wanted, for cursors
	previous bool // whether rows lie before its pages is wanted
	next     bool // whether rows lie after them is
	absent   bool // row 0 stands for ids that have none
}

func (s *origin) level() int { return s.at }
func (s *origin) links() int { return s.linked }

// gather asks for the keys of all that lead here.
func (s *origin) gather(r *run) {
	own := &r.sets[s.id]
	for _, f := range s.feeds {
		from := &r.sets[f.from.id]
		ids := from.ids
		if !f.early {
			ids = from.keys[f.link]
		}
		for _, id := range ids {
			if id != (store.ID{}) {
				own.ask(id)
			}
		}
	}
}

// source is one bulk read, with every selection that shows its rows.
type source[T any] struct {
	origin
	shapes []*shape[T]
	some   store.Columns

	// query asks for the ids; a source without feeds is asked with none.
	query func(r *run, ids []store.ID) (*store.Select[T], error)
	// keyOf tells which id a row answers; nil: the read itself says so, or there is one.
	keyOf func(*T) store.ID
	// lenders are sources of the same read on levels before, whose rows are not read again.
	lenders []lender[T]
	// held finds a row in memory; nil: none is there.
	held func(from Ledger, id store.ID) *T
	// list gives all rows of a source without a statement; nil: there is one.
	list func(from Ledger) []*T
	// asked gives the ids that a root field's arguments name; nil: links alone lead here.
	asked func(r *run) ([]store.ID, error)
	roots bool // it is asked without ids
	// joints lead to rows that come along with those of this source; brought tells that those of this one come along with another's.
	joints  []joint[T]
	brought bool
}

// shape is one selection on the rows of a source: pieces of JSON with links between them.
type shape[T any] struct {
	segments [][]op[T]
	keys     []func(*T) (store.ID, bool)
}

// op is some text, and after it the value of a field.
type op[T any] struct {
	text  []byte
	value encoder[T]
}

// wants is what its reads are asked for.
func (s *source[T]) wants() store.Columns {
	some := s.some
	if s.paged {
		if !s.places {
			some |= store.NoPlaces
		}
		if !s.previous {
			some |= store.NoPrevious
		}
		if !s.next {
			some |= store.NoNext
		}
	}
	return some
}

// reads: what memory holds of is read but seldom.
func (s *source[T]) reads() bool { return s.query != nil && s.held == nil && !s.brought }

// prepare gathers the keys and makes the statement; nil where none is needed.
func (s *source[T]) prepare(r *run) (store.Statement, error) {
	set := &r.sets[s.id]
	if s.brought {
		return nil, nil
	}
	if s.list != nil {
		for _, row := range s.list(r.from) {
			if err := s.keep(r, set, row); err != nil {
				return nil, err
			}
		}
		return nil, nil
	}
	if s.asked != nil {
		ids, err := s.asked(r)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			set.ask(id)
		}
	}
	s.gather(r)
	missing, err := s.fromMemory(r, set)
	if err != nil || s.query == nil || len(missing) == 0 && !s.roots {
		return nil, err
	}
	q, err := s.query(r, missing)
	if err != nil {
		return nil, err
	}
	if s.paged {
		set.own = q
	}
	if len(s.joints) == 0 {
		return q.Into(&sink[T]{s, r})
	}
	along := make([]store.Companion, len(s.joints))
	for i, j := range s.joints {
		along[i] = j.companion(r)
	}
	return q.Into(&sink[T]{s, r}, along...)
}

// lender is a source that has rows of the same read earlier, and writes them in the borrower's shapes too.
type lender[T any] struct {
	from    *source[T]
	segment int // the borrower's first
	link    int // the borrower's first
}

// borrow has an earlier source of the same read write its rows in this one's shapes, so that those that it has are not read again.
func (s *source[T]) borrow(from node) {
	e, ok := from.(*source[T])
	if !ok || e.at >= s.at {
		return
	}
	s.lenders = append(s.lenders, lender[T]{e, e.segments, e.linked})
	e.shapes = append(e.shapes, s.shapes...)
	e.segments, e.linked, e.some = e.segments+s.segments, e.linked+s.linked, e.some|s.some
}

// borrowed takes a row from an earlier source. It is false where none asked for it.
func (s *source[T]) borrowed(r *run, set *set, i int) bool {
	for _, l := range s.lenders {
		from := &r.sets[l.from.id]
		at, asked := from.index[set.ids[i]]
		if !asked {
			continue
		}
		row := from.rowAt[at]
		if row == none {
			return true // there is none
		}
		set.rowAt[i] = set.rows
		before := len(set.json)
		for segment := range s.segments {
			set.json = append(set.json, from.segment(int(row)*l.from.segments+l.segment+segment)...)
			set.ends = append(set.ends, uint32(len(set.json)))
		}
		for link := range s.linked {
			set.keys[link] = append(set.keys[link], from.keys[l.link+link][row])
		}
		set.rows++
		r.held += len(set.json) - before // the next row that is kept tells if that is too much
		return true
	}
	return false
}

// fromMemory takes the rows that need no statement, and gives the ids of the others.
func (s *source[T]) fromMemory(r *run, set *set) (missing []store.ID, err error) {
	for range set.ids {
		set.rowAt = append(set.rowAt, none)
	}
	if s.absent && len(set.ids) > 0 {
		if err := s.keep(r, set, new(T)); err != nil {
			return nil, err
		}
	}
	if s.held == nil && s.lenders == nil {
		return set.ids, nil
	}
	for i, id := range set.ids {
		if s.borrowed(r, set, i) {
			continue
		}
		var row *T
		if s.held != nil {
			row = s.held(r.from, id)
		}
		if row == nil {
			missing = append(missing, id)
			continue
		}
		set.rowAt[i] = set.rows
		if err := s.keep(r, set, row); err != nil {
			return nil, err
		}
	}
	return missing, nil
}

// keep writes the JSON of a row, for each shape, and notes where its links lead.
func (s *source[T]) keep(r *run, set *set, row *T) error {
	before, link := len(set.json), 0
	for _, shape := range s.shapes {
		for _, segment := range shape.segments {
			for i := range segment {
				set.json = append(set.json, segment[i].text...)
				if encode := segment[i].value; encode != nil {
					var ok bool
					if set.json, ok = encode(set.json, row); !ok {
						return unknown(Null, "a value that the schema says is there is not, or cannot be told")
					}
				}
			}
			set.ends = append(set.ends, uint32(len(set.json)))
		}
		for _, key := range shape.keys {
			id, ok := key(row)
			if !ok {
				id = store.ID{}
			}
			set.keys[link] = append(set.keys[link], id)
			link++
		}
	}
	set.rows++
	return r.grow(len(set.json) - before + 16*link + 4*len(s.shapes))
}

// sink takes the rows of a source.
type sink[T any] struct {
	*source[T]
	r *run
}

// Row keeps one row. One that nobody asked for is passed over.
func (k *sink[T]) Row(at *store.At, row *T) error {
	s, set := k.source, &k.r.sets[k.id]
	switch {
	case s.places:
		var err error
		if set.places, err = at.AppendPlace(set.places); err != nil {
			return err
		}
		set.placed = append(set.placed, uint32(len(set.places)))
	case s.byID:
		id := at.On
		if s.keyOf != nil {
			id = s.keyOf(row)
		}
		i, there := set.index[id]
		if !there || set.rowAt[i] != none {
			return nil
		}
		set.rowAt[i] = set.rows
	}
	return s.keep(k.r, set, row)
}

// Done notes the pages.
func (k *sink[T]) Done(pages []store.PageOf) error {
	set := &k.r.sets[k.id]
	set.pages = pages
	row := int32(0)
	for _, p := range pages {
		set.firsts = append(set.firsts, row)
		row += p.Rows
	}
	return nil
}

// compiler makes the sources of one operation.
type compiler struct {
	engine    *Engine
	variables map[string]any
	nodes     []node
	shared    map[string]node
	joinable  []pair
	refused   error                 // an argument within a part of a row
	reads     map[string][]borrower // sources of one bulk read, by its name
}

// borrower is a source that takes rows from those of the same read on levels before.
type borrower interface {
	node
	borrow(from node)
}

// add gives the source that reads the same as this one would, or adds it. name tells what it reads, on which level and with which arguments.
func add[T any](c *compiler, level int, name string, made *source[T]) *source[T] {
	if s, ok := c.shared[name].(*source[T]); ok {
		return s
	}
	made.id, made.at = len(c.nodes), level
	c.nodes = append(c.nodes, made)
	c.shared[name] = made
	return made
}

// lend ties the sources of each read together. The latest borrow first: what they need, those between them borrow along.
func (c *compiler) lend() {
	for _, all := range c.reads {
		slices.SortStableFunc(all, func(a, b borrower) int { return a.level() - b.level() })
		for i, s := range slices.Backward(all) {
			for _, earlier := range all[:i] {
				s.borrow(earlier)
			}
		}
	}
}

// levels sorts the sources by level. Within one those that lead to others come first, as they were added.
func (c *compiler) levels() (out [][]node) {
	for _, n := range c.nodes {
		for len(out) <= n.level() {
			out = append(out, nil)
		}
		out[n.level()] = append(out[n.level()], n)
	}
	return out
}

// args gives a field's arguments: at once where they are the same in every request, else when it runs.
func (c *compiler) args(f *plan.Field) func(r *run) map[string]any {
	if f.Fixed() {
		fixed := f.Args(nil)
		return func(*run) map[string]any { return fixed }
	}
	return func(r *run) map[string]any { return f.Args(r.variables) }
}
