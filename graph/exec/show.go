package exec

import (
	"carbongraph/graph/plan"
	"carbongraph/graph/scalar"
	"carbongraph/store"
)

// shower writes what a link of a row shows, or, without a parent, a root field. It is false where a value is missing that the schema says is there.
type shower interface {
	show(r *run, b []byte, parent *set, row int32) ([]byte, bool)
}

// show writes a row in the shape.
func (o *outline) show(r *run, b []byte, row int32) ([]byte, bool) {
	o.price.pay(r)
	set := &r.sets[o.from.id]
	at := int(row)*o.from.segments + o.first
	b = append(b, set.segment(at)...)
	for i, link := range o.links {
		var ok bool
		if b, ok = link.show(r, b, set, row); !ok {
			return b, false
		}
		b = append(b, set.segment(at+i+1)...)
	}
	return b, true
}

// toOne shows the row that a link leads to.
type toOne struct {
	link     int // of the parent
	shape    *outline
	nullable bool
}

func (t *toOne) show(r *run, b []byte, parent *set, row int32) ([]byte, bool) {
	to := t.row(r, parent, row)
	if to == none {
		return append(b, "null"...), t.nullable
	}
	return t.shape.show(r, b, to)
}

// row finds the row: the only one below a root field, else that of the link's key.
func (t *toOne) row(r *run, parent *set, row int32) int32 {
	set := &r.sets[t.shape.from.id]
	if parent == nil {
		if set.rows == 0 {
			return none
		}
		return 0
	}
	id := parent.keys[t.link][row]
	if id == (store.ID{}) {
		return none
	}
	at, there := set.index[id]
	if !there {
		return none
	}
	if to := set.rowAt[at]; to != none || !t.shape.from.absent {
		return to
	}
	return 0 // the row of those that have none
}

// pageOf is one page while it is written.
type pageOf struct {
	set       *set
	of        query
	first     int32
	rows      int32
	listed    bool // its rows are shown
	points    int  // of what is shown of them
	next      bool
	prev      bool
	parent    *set
	parentRow int32
}

// query is what a set of pages asks its query for.
type query interface {
	AppendCursor(b, place []byte) []byte
	Backward() bool
}

// at gives the i-th row of the page, counted in the connection's order.
func (p *pageOf) at(i int32) int32 {
	if p.of.Backward() {
		i = p.rows - 1 - i
	}
	return p.first + i
}

// connection shows a page of rows.
type connection struct {
	from   *origin
	link   int
	pieces pieces
	field  *plan.Field
	price  price
}

func (n *connection) show(r *run, b []byte, parent *set, row int32) ([]byte, bool) {
	set := &r.sets[n.from.id]
	at := int32(0)
	if parent != nil {
		var there bool
		if at, there = set.index[parent.keys[n.link][row]]; !there {
			return b, false
		}
	}
	of, ok := set.own.(query)
	if !ok || int(at) >= len(set.pages) {
		return b, false
	}
	read, p := &set.pages[at], r.page()
	*p = pageOf{set: set, of: of, first: set.firsts[at], rows: read.Rows, next: read.Next, prev: read.Prev, parent: parent, parentRow: row}
	n.price.pay(r)
	b, ok = n.pieces.show(r, b, p, 0)
	rows := int(p.rows)
	if !p.listed {
		rows = n.field.Size(r.variables) // the answer does not tell how many were read
	}
	r.cost += max(rows-p.points, 0)
	*p = pageOf{}
	r.spare = append(r.spare, p)
	return b, ok
}

// page gives memory for a page: there are as many at once as connections stand within each other.
func (r *run) page() *pageOf {
	n := len(r.spare)
	if n == 0 {
		return new(pageOf)
	}
	p := r.spare[n-1]
	r.spare = r.spare[:n-1]
	return p
}

// piece writes a part of a page. row is that of the edge, where it is part of one.
type piece interface {
	show(r *run, b []byte, p *pageOf, row int32) ([]byte, bool)
}

// titled is some text, and after it a piece, if there is one.
type titled struct {
	text []byte
	piece
}

// pieces are the parts of an object that is no row.
type pieces []titled

func (s pieces) show(r *run, b []byte, p *pageOf, row int32) ([]byte, bool) {
	for i := range s {
		b = append(b, s[i].text...)
		if s[i].piece == nil {
			continue
		}
		var ok bool
		if b, ok = s[i].piece.show(r, b, p, row); !ok {
			return b, false
		}
	}
	return b, true
}

// list shows something of each row of the page: the node itself, or an edge.
type list struct {
	item piece
	own  price
	each price // of an edge: a node pays for itself
}

func listOf(f *plan.Field, item piece, each price) *list {
	l := &list{item: item, each: each}
	l.own.add(f)
	return l
}

func (l *list) show(r *run, b []byte, p *pageOf, _ int32) ([]byte, bool) {
	before := r.cost
	l.own.pay(r)
	b = append(b, '[')
	for i := range p.rows {
		if i > 0 {
			b = append(b, ',')
		}
		var ok bool
		if b, ok = l.item.show(r, b, p, p.at(i)); !ok {
			return b, false
		}
		l.each.pay(r)
	}
	p.points += r.cost - before
	p.listed = true
	return append(b, ']'), true
}

// rowOf shows the row itself.
type rowOf struct{ shape *outline }

func (o *rowOf) show(r *run, b []byte, _ *pageOf, row int32) ([]byte, bool) {
	return o.shape.show(r, b, row)
}

// cursorOf shows the cursor of an edge.
type cursorOf struct{}

func (cursorOf) show(_ *run, b []byte, p *pageOf, row int32) ([]byte, bool) {
	return appendCursor(b, p, row), true
}

func appendCursor(b []byte, p *pageOf, row int32) []byte {
	return append(p.of.AppendCursor(append(b, '"'), p.set.place(row)), '"')
}

// endOf shows the cursor at one end of the page.
type endOf struct{ start bool }

func (e endOf) show(_ *run, b []byte, p *pageOf, _ int32) ([]byte, bool) {
	switch {
	case p.rows == 0:
		return append(b, "null"...), true
	case e.start:
		return appendCursor(b, p, p.at(0)), true
	}
	return appendCursor(b, p, p.at(p.rows-1)), true
}

type (
	hasNext     struct{}
	hasPrevious struct{}
)

func (hasNext) show(_ *run, b []byte, p *pageOf, _ int32) ([]byte, bool) {
	return scalar.AppendBoolean(b, p.next), true
}

func (hasPrevious) show(_ *run, b []byte, p *pageOf, _ int32) ([]byte, bool) {
	return scalar.AppendBoolean(b, p.prev), true
}

// aside shows what stands beside a page: its sums.
type aside struct{ toOne }

func (a *aside) show(r *run, b []byte, p *pageOf, _ int32) ([]byte, bool) {
	return a.toOne.show(r, b, p.parent, p.parentRow)
}
