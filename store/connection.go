package store

import (
	"slices"
	"strconv"

	"carbongraph/internal/fault"
)

// window is a page that was checked: how many rows, from which end, between which places.
type window struct {
	size          int
	backward      bool
	after, before place
}

// window checks a page. Arguments that are wrong by themselves are BAD_USER_INPUT, cursors of elsewhere INVALID_CURSOR.
func (p Page) window(of *binding) (window, error) {
	w := window{size: DefaultPage}
	for _, limit := range []struct {
		argument string
		value    *int32
	}{{"first", p.First}, {"last", p.Last}} {
		if limit.value == nil {
			continue
		}
		if *limit.value < 1 || *limit.value > MaxPage {
			return w, fault.New(fault.BadUserInput, "%q is %d; ask for 1 to %d rows.", limit.argument, *limit.value, MaxPage).At(limit.argument)
		}
		w.size = int(*limit.value)
	}
	if p.First != nil && p.Last != nil {
		return w, fault.New(fault.BadUserInput, "Pass either first or last, not both.").At("last")
	}
	w.backward = p.Last != nil
	var err error
	if p.After != nil {
		if w.after, err = of.scope().parse(*p.After, "after"); err != nil {
			return w, err
		}
	}
	if p.Before != nil {
		w.before, err = of.scope().parse(*p.Before, "before")
	}
	return w, err
}

// pageQuery is the parts that the statement of a page is made of, on either database.
type pageQuery struct {
	columns string // the relation's, behind sort key and id where places are wanted
	placed  bool
	table   string // table AS alias
	alias   string
	where   string // conditions of filter, parent and window
	orderBy string
	limit   string
	before  string // condition: a row stands before the window's first place
	after   string // condition: a row stands after the window's last place
}

// newPageQuery makes the parts. The conditions gathered so far are the filter's; belongs, where there are any, tie rows to their parent.
func newPageQuery[T any](b *statement, rel *relation[T], o order, w window, some Columns, belongs ...string) pageQuery {
	id := rel.alias + ".id"
	q := pageQuery{
		columns: rel.list(some),
		table:   rel.table + " AS " + rel.alias, alias: rel.alias,
		// Part of the text, as a plan that is kept must know how few rows are wanted. It is ours: at most MaxPage and one.
		limit: strconv.Itoa(w.size + 1), before: nothing, after: nothing,
	}
	following, preceding := ">", "<"
	if o.desc {
		following, preceding = preceding, following
	}
	sorted := func(descending bool) string {
		if descending {
			return o.expr + " DESC, " + id + " DESC"
		}
		return o.expr + ", " + id
	}
	q.orderBy = sorted(o.desc != w.backward)
	within := slices.Clone(belongs)
	compare := func(operator string, p place) string {
		return "(" + o.expr + ", " + id + ") " + operator + " (" + b.bind(p[0].arg()) + ", " + b.bind(p[1].arg()) + ")"
	}
	// nearest asks for one row in order, nearest first, as the page does: EXISTS alone may well be answered by reading the whole table.
	nearest := func(cond, order string) string {
		return "(SELECT 1 FROM " + q.table + " WHERE " + b.all(append(slices.Clone(belongs), cond)...) + " ORDER BY " + order + " LIMIT 1) IS NOT NULL"
	}
	if w.after != nil {
		within = append(within, compare(following, w.after))
		if some&NoPrevious == 0 {
			q.before = nearest(compare(preceding+"=", w.after), sorted(!o.desc))
		}
	}
	if w.before != nil {
		within = append(within, compare(preceding, w.before))
		if some&NoNext == 0 {
			q.after = nearest(compare(following+"=", w.before), sorted(o.desc))
		}
	}
	q.where = b.all(within...)
	if q.placed = !q.alone() || some&NoPlaces == 0; q.placed {
		q.columns = o.expr + " AS sort_key, " + id + " AS row_id, " + q.columns
	}
	return q
}

// rows is the statement of the page's own rows.
func (q pageQuery) rows() string {
	return "SELECT " + q.columns + " FROM " + q.table + " WHERE " + q.where + " ORDER BY " + q.orderBy + " LIMIT " + q.limit
}

// alone tells whether nothing has to be told but the rows: no cursor is given, so nothing lies around the page but what the row too many tells.
func (q pageQuery) alone() bool { return q.before == nothing && q.after == nothing }

// nothing is the condition that no row stands there.
const nothing = "FALSE"

// single is the statement of one page. It gives a row even where the page is empty, with a NULL id, if what lies around is to be told.
func (q pageQuery) single() string {
	if q.alone() {
		q.columns = "0 AS parent, FALSE AS before_first, FALSE AS after_last, " + q.columns
		return q.rows()
	}
	return "SELECT around.*, page.* FROM (SELECT 0 AS parent, " + q.before + " AS before_first, " + q.after + " AS after_last) AS around LEFT JOIN (" +
		q.rows() + ") AS page ON TRUE"
}

// page is the read of one page of a relation. The statement's conditions are the filter's.
func page[T any](s *Store, b *statement, rel *relation[T], o order, p Page, some Columns, of *binding) (*Select[T], error) {
	w, err := p.window(of)
	if err != nil {
		return nil, err
	}
	pq := newPageQuery(b, rel, o, w, some)
	return &Select[T]{store: s, rel: rel, some: some, statement: b, lead: leadPage, placed: pq.placed, window: w, parents: 1, bound: of, keysAt: none,
		alone: true, text: pq.single()}, nil
}

// pagesOf is the read of a page for each parent in one statement.
func pagesOf[T any](s *Store, b *statement, rel *relation[T], parents parentKeys, o order, p Page, some Columns, of *binding) (*Select[T], error) {
	w, err := p.window(of)
	if err != nil {
		return nil, err
	}
	q := &Select[T]{store: s, rel: rel, some: some, statement: b, lead: leadPage, window: w, parents: parents.count, bound: of, keysAt: none}
	switch {
	case parents.count == 1: // the place of the first is that of all
		q.keysAt = len(b.args)
		pq := newPageQuery(b, rel, o, w, some, parents.column+" = "+b.bind(parents.first()))
		q.text, q.placed = pq.single(), pq.placed
	case parents.count > 1:
		pq := newPageQuery(b, rel, o, w, some, parents.column+" = parents.value")
		q.text, q.placed = b.dialect.topNPerParent(b, pq, parents), pq.placed
		q.keysAt = len(b.args) - 1
	}
	return q, nil
}

// connect cuts the row too many off, turns rows that were read from the end, and tells what lies around.
func connect[T any](r *rawPage[T], w window, sc *scope, width int) *Connection[T] {
	more := len(r.rows) > w.size
	if more {
		r.rows = r.rows[:w.size]
	}
	n := len(r.rows)
	c := &Connection[T]{Edges: make([]Edge[T], n), Nodes: make([]*T, n)}
	for i, row := range r.rows {
		at := i
		if w.backward {
			at = n - 1 - i
		}
		p := place(r.places[width*i : width*(i+1)])
		c.Nodes[at], c.Edges[at] = row, Edge[T]{Node: row, cursor: func() string { return sc.cursor(p) }}
	}
	c.PageInfo = PageInfo{HasNextPage: r.after || more && !w.backward, HasPreviousPage: r.before || more && w.backward}
	if n > 0 {
		first, last := c.Edges[0].Cursor(), c.Edges[n-1].Cursor()
		c.PageInfo.StartCursor, c.PageInfo.EndCursor = &first, &last
	}
	return c
}
