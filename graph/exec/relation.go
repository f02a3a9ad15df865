package exec

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"carbongraph/graph/plan"
	"carbongraph/graph/scalar"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

// Relation is a field that leads from rows to rows: One, Many or Sum.
type Relation interface{ name() string }

// relation is one from rows of a type.
type relation[P any] interface {
	Relation
	key() (key func(*P) (store.ID, bool), needs string)
	link(c *compiler, from *source[P], link int, f *plan.Field) (shower, error)
}

// Keyed is a bulk read of rows by an id.
type Keyed[V any] struct {
	Name  string
	Query func(from Ledger, ids []store.ID, some store.Columns) *store.Select[V]
	// Key tells which id a row answers, and Needs the field of the row that says so; nil: the read tells.
	Key   func(*V) store.ID
	Needs string
	// Held finds a row that is kept in memory; nil: none is.
	Held func(from Ledger, id store.ID) *V
}

// Start is where a relation starts: which ids the rows of P lead to.
type Start[P any] struct {
	Type, Field string
	Key         func(*P) (store.ID, bool) // false: to none
	Needs       string                    // the field or method of P that the key is made of
	// Own: the key is the row's own id, so that it can be known before the row is.
	Own bool
}

func (s Start[P]) name() string { return s.Type + "." + s.Field }

func (s Start[P]) key() (func(*P) (store.ID, bool), string) { return s.Key, s.Needs }

// level tells on which level the relation is read, and names what makes early reads of different sources different.
func (s Start[P]) level(from *origin) (level int, early bool, mark string) {
	if s.Own && from.byID {
		return from.at, true, " below " + strconv.Itoa(from.id)
	}
	return from.at + 1, false, ""
}

// One leads from a row to at most one other.
type One[P, V any] struct {
	Start[P]
	Read *Keyed[V]
}

func (o One[P, V]) link(c *compiler, from *source[P], link int, f *plan.Field) (shower, error) {
	level, early, mark := o.level(&from.origin)
	to := keyed(c, level, o.Read, mark)
	to.feeds = append(to.feeds, feed{&from.origin, link, early})
	c.joinable = append(c.joinable, &pairOf[P, V]{from, to, o.Needs, o.Read.Key != nil && o.Read.Needs == "ID"})
	shape, err := shapeOf(c, to, f, f.Type())
	return &toOne{link: link, shape: shape, nullable: !f.Definition.Type.NonNull}, err
}

// keyed gives the source of a bulk read on a level.
func keyed[V any](c *compiler, level int, read *Keyed[V], mark string) *source[V] {
	s := &source[V]{keyOf: read.Key, held: read.Held}
	s.byID = true
	if read.Query != nil {
		s.query = again(func(r *run, ids []store.ID) (*store.Select[V], error) { return read.Query(r.from, ids, s.some), nil })
	}
	for _, needed := range []string{"ID", read.Needs} {
		if some, ok := store.Showing[V](needed); ok {
			s.some |= some
		}
	}
	out := add(c, level, "by id: "+strconv.Itoa(level)+" "+read.Name+mark, s)
	if out == s {
		c.reads[read.Name] = append(c.reads[read.Name], s)
	}
	return out
}

// Pages reads a page for each parent, or, without parents, that of a root field.
type Pages[V any] func(from Ledger, parents []store.ID, some store.Columns) (*store.Select[V], error)

// Sums reads what a connection sums or counts, for each parent or, without parents, for a root field. Those that are not in the answer have none.
type Sums[V any] func(from Ledger, parents []store.ID) (*store.Select[V], error)

// Connection is how a field reads its pages, and what it sums and counts over all of them. Arguments are coerced, with the schema's defaults.
type Connection[V any] struct {
	Read   string // its name: equal names and arguments read the same
	Pages  func(args map[string]any) (Pages[V], error)
	Totals *Aggregate[store.FootprintTotals] // count too, where there are totals
	Count  *Aggregate[int]
}

// Aggregate reads sums or counts.
type Aggregate[V any] struct {
	Read string
	Uses []string // the arguments that matter
	Sums func(args map[string]any) (Sums[V], error)
}

// Many leads from a row, with arguments, to a page of others.
type Many[P, V any] struct {
	Start[P]
	Connection[V]
}

func (m Many[P, V]) link(c *compiler, from *source[P], link int, f *plan.Field) (shower, error) {
	level, early, mark := m.level(&from.origin)
	return m.show(c, f, level, m.Type+mark, &feed{&from.origin, link, early}, link)
}

// Sum leads from a row, with arguments, to sums.
type Sum[P any] struct {
	Start[P]
	Aggregate[store.FootprintTotals]
}

func (s Sum[P]) link(c *compiler, from *source[P], link int, f *plan.Field) (shower, error) {
	level, early, mark := s.level(&from.origin)
	to := summed(c, f, &s.Aggregate, level, s.Type+mark, &feed{&from.origin, link, early})
	shape, err := shapeOf(c, to, f, f.Type())
	return &toOne{link: link, shape: shape}, err
}

// summed gives the source of sums for the parents of a feed; without one for a root field.
func summed[V any](c *compiler, f *plan.Field, a *Aggregate[V], level int, mark string, of *feed) *source[V] {
	read := bound(f, a.Sums)
	s := &source[V]{query: func(r *run, ids []store.ID) (*store.Select[V], error) {
		sums, err := read(r)
		if err != nil {
			return nil, err
		}
		return orRefused(sums(r.from, ids))
	}}
	if f.Fixed() {
		s.query = again(s.query)
	}
	if of == nil {
		s.roots = true
	} else {
		s.byID, s.absent = true, true
	}
	s = add(c, level, "sums: "+strconv.Itoa(level)+" "+a.Read+" "+mark+" "+signature(f, a.Uses), s)
	if of != nil {
		s.feeds = append(s.feeds, *of)
	}
	return s
}

// show compiles a connection.
func (n Connection[V]) show(c *compiler, f *plan.Field, level int, mark string, of *feed, link int) (shower, error) {
	read := bound(f, n.Pages)
	s := &source[V]{}
	s.query = func(r *run, ids []store.ID) (*store.Select[V], error) {
		pages, err := read(r)
		if err != nil {
			return nil, err
		}
		q, err := orRefused(pages(r.from, ids, s.wants()))
		for _, j := range s.joints {
			if err == nil {
				err = j.join(q)
			}
		}
		return q, err
	}
	if f.Fixed() {
		s.query = again(s.query)
	}
	s.paged, s.roots = true, of == nil
	if some, ok := store.Showing[V]("ID"); ok {
		s.some = some
	}
	s = add(c, level, "pages: "+strconv.Itoa(level)+" "+n.Read+" "+mark+" "+signature(f, nil), s)
	if of != nil {
		s.feeds = append(s.feeds, *of)
	}
	out := &connection{from: &s.origin, link: link, field: f, price: c.price(f, f.Type())}
	w := &connectionWriter[V]{Connection: n, c: c, f: f, s: s, of: of, level: level, mark: mark, link: link, price: &out.price}
	var err error
	out.pieces, err = w.pieces(f.Fields(f.Type(), c.variables), f.Type(), w.field)
	return out, err
}

// connectionWriter compiles what a connection shows.
type connectionWriter[V any] struct {
	Connection[V]
	c     *compiler
	f     *plan.Field
	s     *source[V]
	of    *feed
	level int
	mark  string
	link  int
	price *price // of the connection
}

// pieces puts the fields of an object together that is no row.
func (w *connectionWriter[V]) pieces(fields []*plan.Field, object string, field func(*plan.Field) (piece, error)) (pieces, error) {
	var out pieces
	text := "{"
	for i, f := range fields {
		if i > 0 {
			text += ","
		}
		text += `"` + f.Key + `":`
		if f.Name() == "__typename" {
			text += `"` + object + `"`
			continue
		}
		p, err := field(f)
		if err != nil {
			return nil, err
		}
		out = append(out, titled{[]byte(text), p})
		text = ""
	}
	return append(out, titled{[]byte(text + "}"), nil}), nil
}

func (w *connectionWriter[V]) field(f *plan.Field) (piece, error) {
	below := f.Fields(f.Type(), w.c.variables)
	switch f.Name() {
	case "nodes":
		shape, err := shapeOf(w.c, w.s, f, f.Type())
		return listOf(f, &rowOf{shape}, price{}), err
	case "edges":
		edge, err := w.pieces(below, f.Type(), w.edge)
		return listOf(f, edge, w.c.price(f, f.Type())), err
	case "pageInfo":
		w.price.also(w.c.price(f, f.Type()))
		return w.pieces(below, f.Type(), w.info)
	case "totalCount":
		return w.count()
	case "totals":
		if w.Totals == nil {
			break
		}
		to := summed(w.c, w.f, w.Totals, w.level, w.mark, w.of)
		shape, err := shapeOf(w.c, to, f, f.Type())
		return &aside{toOne{link: w.link, shape: shape}}, err
	}
	return nil, unknown(NoEncoder, "%s.%s", f.Object, f.Name())
}

// count shows how many rows there are on all pages.
func (w *connectionWriter[V]) count() (piece, error) {
	switch {
	case w.Count != nil:
		to := summed(w.c, w.f, w.Count, w.level, w.mark, w.of)
		return &aside{toOne{link: w.link, shape: bare(to, func(b []byte, n *int) ([]byte, bool) { return scalar.AppendInt(b, *n), true })}}, nil
	case w.Totals != nil:
		to := summed(w.c, w.f, w.Totals, w.level, w.mark, w.of)
		return &aside{toOne{link: w.link, shape: bare(to, func(b []byte, t *store.FootprintTotals) ([]byte, bool) {
			return scalar.AppendInt32(b, t.EmissionCount), true
		})}}, nil
	}
	return nil, unknown(NoEncoder, "%s.totalCount", w.f.Type())
}

// bare is a shape of one value.
func bare[T any](from *source[T], value encoder[T]) *outline {
	from.shapes = append(from.shapes, &shape[T]{segments: [][]op[T]{{{value: value}}}})
	from.segments++
	return &outline{from: &from.origin, first: from.segments - 1}
}

func (w *connectionWriter[V]) edge(f *plan.Field) (piece, error) {
	switch f.Name() {
	case "cursor":
		w.s.places = true
		return cursorOf{}, nil
	case "node":
		shape, err := shapeOf(w.c, w.s, f, f.Type())
		return &rowOf{shape}, err
	}
	return nil, unknown(NoEncoder, "%s.%s", f.Object, f.Name())
}

func (w *connectionWriter[V]) info(f *plan.Field) (piece, error) {
	switch f.Name() {
	case "hasNextPage":
		w.s.next = true
		return hasNext{}, nil
	case "hasPreviousPage":
		w.s.previous = true
		return hasPrevious{}, nil
	case "startCursor":
		w.s.places = true
		return endOf{start: true}, nil
	case "endCursor":
		w.s.places = true
		return endOf{}, nil
	}
	return nil, unknown(NoEncoder, "%s.%s", f.Object, f.Name())
}

// again makes a statement once for all requests, where only keys and the organization differ between them. There are two texts at most: for one key and
// for many.
func again[V any](query func(r *run, ids []store.ID) (*store.Select[V], error)) func(r *run, ids []store.ID) (*store.Select[V], error) {
	var one, many atomic.Pointer[store.Select[V]]
	return func(r *run, ids []store.ID) (*store.Select[V], error) {
		kept := &many
		if len(ids) == 1 {
			kept = &one
		}
		if q := kept.Load(); q != nil {
			if made, ok := q.Again(r.from.Tenant, ids); ok {
				return made, nil
			}
		}
		q, err := query(r, ids)
		if err == nil {
			if own, ok := q.Again(r.from.Tenant, ids); ok { // of its own: this request writes to q
				kept.Store(own)
			}
		}
		return q, err
	}
}

// bound decodes arguments: at once where they are the same in every request, else in each.
func bound[R any](f *plan.Field, decode func(map[string]any) (R, error)) func(r *run) (R, error) {
	if f.Fixed() {
		read, err := decode(f.Args(nil))
		return func(*run) (R, error) { return read, refused(err) }
	}
	return func(r *run) (R, error) {
		read, err := decode(f.Args(r.variables))
		return read, refused(err)
	}
}

// refused marks what is wrong with arguments: the other engine says so in the client's words.
func refused(err error) error {
	if err == nil {
		return nil
	}
	return &Unknown{BadArguments, err}
}

func orRefused[V any](q *store.Select[V], err error) (*store.Select[V], error) {
	if err != nil && fault.CodeOf(err) != fault.Internal {
		return q, refused(err)
	}
	return q, err
}

// signature is equal where a field's arguments are. Of only some of them it looks at no others.
func signature(f *plan.Field, only []string) string {
	var b strings.Builder
	if f.Fixed() {
		args := f.Args(nil)
		if only != nil {
			some := map[string]any{}
			for _, name := range only {
				if v, ok := args[name]; ok {
					some[name] = v
				}
			}
			args = some
		}
		text, err := json.Marshal(args) // sorted by name
		if err != nil {
			return strconv.Itoa(f.ID)
		}
		b.Write(text)
		return b.String()
	}
	for _, d := range f.Definition.Arguments {
		if only != nil && !slices.Contains(only, d.Name) {
			continue
		}
		if a := f.Selection.Arguments.ForName(d.Name); a != nil {
			b.WriteString(d.Name + ":" + a.Value.String() + ",")
		}
	}
	return "of variables: " + b.String()
}
