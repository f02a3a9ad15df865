package store

import (
	"context"
	"fmt"
)

// Snapshot runs the reads of one operation: all of them on one connection, and of one moment.
type Snapshot interface {
	// Read runs statements in one go and hands their rows over. more tells that others follow, which are to see the same moment: without it that ends with
	// this call, and what is read after it sees a moment of its own.
	// After an error nothing else can be read.
	Read(more bool, statements ...Statement) error
	// Close gives the connection back. It must be called once.
	Close()
}

// Snapshot takes a connection, waiting for one if need be. It ends with the context, and what runs on it is cancelled. Where it is told what is to be seen at least, it may
// be one to a replica that shows that; without it is one to the primary.
func (s *Store) Snapshot(ctx context.Context, at *AsOf) (Snapshot, error) {
	if sn := s.replica(ctx, at); sn != nil {
		return sn, nil
	}
	sn, err := s.snapshot(ctx)
	if err != nil {
		return nil, s.fault(err, "take a connection")
	}
	return sn, nil
}

// Statement is a read together with whoever takes its rows.
type Statement interface {
	asked() asked
	// wire takes a row in Postgres' binary form, scan one of database/sql.
	wire(values [][]byte) error
	scan(scanner) error
	// done ends it: the rows are all there.
	done() error
}

// asked is what a statement asks of the database.
type asked struct {
	table, text string
	args        []any
	fresh       bool
}

// Sink takes the rows of one read as they come in. A row, and every text in it, is good until the method returns.
type Sink[T any] interface {
	Row(at *At, row *T) error
	// Done tells, where pages were read, of each parent's what it holds and what lies around it.
	Done(pages []PageOf) error
}

// PageOf is the page of one parent. Its rows came one after another, from the end where the read is backward.
type PageOf struct {
	Rows       int32
	Next, Prev bool // whether rows lie after and before the page
	more       bool
}

// At tells where a row stands.
type At struct {
	Parent int // the parent's number, with pages of parents
	On     ID  // what the row hangs on, where the read says so
	kinds  []keyKind
	values [][]byte // of the place, in Postgres' binary form
	keys   place    // the same from database/sql
}

// AppendPlace adds the row's place, of which Select.AppendCursor makes a cursor.
func (a *At) AppendPlace(b []byte) ([]byte, error) {
	b = append(b, cursorVersion)
	if a.values == nil {
		return a.keys.append(b), nil
	}
	for i, v := range a.values {
		k := key{kind: a.kinds[i]}
		if err := k.wire(v); err != nil {
			return b, err
		}
		b = k.append(b)
	}
	return b, nil
}

// AppendCursor writes the cursor of a place.
func (q *Select[T]) AppendCursor(b, place []byte) []byte { return q.bound.scope().append(b, place) }

// Into ties a read to who takes its rows, and to who takes those that they bring along, in the order in which they were joined. A read that asks for nothing is
// done at once, and gives no statement.
func (q *Select[T]) Into(sink Sink[T], along ...Companion) (Statement, error) {
	if q.text == "" {
		return nil, sink.Done(nil)
	}
	r := &intake[T]{q: q, sink: sink, along: along, pick: q.rel.pick(q.some), scratch: q.rel.scratch.Get().(*scratch[T])}
	if q.lead == leadPage {
		if q.placed {
			r.at.kinds = q.bound.kinds
		}
		r.pages = make([]PageOf, q.parents)
	}
	return r, nil
}

// intake is a read on the way.
type intake[T any] struct {
	q       *Select[T]
	sink    Sink[T]
	along   []Companion
	scratch *scratch[T]
	pick    *pick
	at      At
	pages   []PageOf
	last    int // parent of the row before
	dest    []any
	parent  int
	before  bool
	after   bool
	on      key
}

func (r *intake[T]) asked() asked {
	return asked{r.q.rel.table, r.q.text, r.q.args, r.q.fresh}
}

// wire takes a row in the binary form.
func (r *intake[T]) wire(values [][]byte) error {
	q := r.q
	own := values
	switch q.lead {
	case leadPage:
		keys := len(r.at.kinds)
		width := 3 + keys + len(r.pick.at)
		all := width
		for _, c := range r.along {
			all += c.width()
		}
		if len(values) != all {
			return fmt.Errorf("store: a row of %d columns where %d were asked for", len(values), all)
		}
		var err error
		if err = wireInt(&r.parent, values[0]); err == nil {
			if r.parent < 0 {
				return r.guest(-1-r.parent, values[width:])
			}
			if err = wireBool(&r.before, values[1]); err == nil {
				err = wireBool(&r.after, values[2])
			}
		}
		if err != nil {
			return err
		}
		r.at.values, own = values[3:3+keys], values[3+keys:width]
		if in, err := r.page(keys > 0 && r.at.values[0] == nil); !in {
			return err
		}
	case leadKey:
		k := key{kind: q.key}
		if err := k.wire(values[0]); err != nil {
			return err
		}
		r.at.On, own = k.row(), values[1:]
	}
	return r.take(own)
}

// take reads the columns of the relation, and hands the row over.
func (r *intake[T]) take(own [][]byte) error {
	if len(own) != len(r.pick.at) {
		return fmt.Errorf("store: %d columns of %s where %d were asked for", len(own), r.q.rel.table, len(r.pick.at))
	}
	if err := r.q.rel.wire(r.scratch, r.pick, own); err != nil {
		return err
	}
	return r.sink.Row(&r.at, &r.scratch.row)
}

// guest hands a row over that the page brings along: the n-th of those that take them.
func (r *intake[T]) guest(n int, values [][]byte) error {
	if n >= len(r.along) {
		return fmt.Errorf("store: a row that %s brings along, for the %d. of %d", r.q.rel.table, n+1, len(r.along))
	}
	for _, c := range r.along[:n] {
		values = values[c.width():]
	}
	return r.along[n].take(values[:r.along[n].width()])
}

// page notes what a row tells of its page. It is false for what is no row of it: an empty page's, or the one too many.
func (r *intake[T]) page(empty bool) (in bool, err error) {
	if r.parent < r.last || r.parent >= len(r.pages) {
		return false, fmt.Errorf("store: a row of parent %d of %d, after one of %d", r.parent, len(r.pages), r.last)
	}
	r.last, r.at.Parent = r.parent, r.parent
	p := &r.pages[r.parent]
	p.Next, p.Prev = r.after, r.before
	switch {
	case empty:
		return false, nil
	case int(p.Rows) == r.q.window.size:
		p.more = true
		return false, nil
	}
	p.Rows++
	return true, nil
}

// scan takes a row of database/sql.
func (r *intake[T]) scan(scan scanner) error {
	q := r.q
	if r.dest == nil {
		r.aim()
	}
	err := scan(r.dest...)
	switch {
	case q.lead == leadPage && err == nil:
		if in, err := r.page(false); !in {
			return err
		}
	case q.lead == leadPage && isNoRow(err):
		_, err := r.page(true)
		return err
	case err != nil:
		return err
	}
	if q.lead == leadKey {
		r.at.On = r.on.row()
	}
	if q.rel.finish != nil {
		q.rel.finish(&r.scratch.row)
	}
	return r.sink.Row(&r.at, &r.scratch.row)
}

// aim tells database/sql where the columns go.
func (r *intake[T]) aim() {
	switch r.q.lead {
	case leadPage:
		r.dest = append(r.dest, &r.parent, &r.before, &r.after)
		r.at.keys = make(place, len(r.at.kinds))
		for i, kind := range r.at.kinds {
			r.at.keys[i].kind = kind
			r.dest = append(r.dest, &r.at.keys[i])
		}
	case leadKey:
		r.on.kind = r.q.key
		r.dest = append(r.dest, &r.on)
	}
	for _, at := range r.pick.at {
		r.dest = append(r.dest, r.q.rel.cols[at].dest(&r.scratch.row))
	}
}

func (r *intake[T]) done() error {
	for i := range r.pages {
		p := &r.pages[i]
		if r.q.window.backward {
			p.Prev = p.Prev || p.more
		} else {
			p.Next = p.Next || p.more
		}
	}
	r.q.rel.release(r.scratch)
	r.scratch = nil
	for _, c := range r.along {
		c.done()
	}
	return r.sink.Done(r.pages)
}
