package exec

import (
	"strconv"

	"carbongraph/graph/plan"
	"carbongraph/store"
)

// Root is a field of Query: Page, Single, List, Nodes.
type Root interface {
	name() string
	compile(c *compiler, f *plan.Field) (shower, error)
}

// Page is a root field that is a connection.
type Page[V any] struct {
	Field string
	Connection[V]
}

func (p Page[V]) name() string { return p.Field }

func (p Page[V]) compile(c *compiler, f *plan.Field) (shower, error) {
	return p.show(c, f, 0, p.Field, nil, 0)
}

// List is a root field that is a list of rows: of a statement, or held in memory.
type List[V any] struct {
	Field string
	Query func(from Ledger, some store.Columns) *store.Select[V]
	Held  func(from Ledger) []*V
}

func (l List[V]) name() string { return l.Field }

func (l List[V]) compile(c *compiler, f *plan.Field) (shower, error) {
	s := &source[V]{roots: true, list: l.Held}
	if l.Query != nil {
		s.query = func(r *run, _ []store.ID) (*store.Select[V], error) { return l.Query(r.from, s.some), nil }
	}
	if some, ok := store.Showing[V]("ID"); ok {
		s.some = some
	}
	s = add(c, 0, "list: "+l.Field, s)
	shape, err := shapeOf(c, s, f, f.Type())
	return &wholeList{shape, f}, err
}

// wholeList shows every row of a source.
type wholeList struct {
	shape *outline
	field *plan.Field
}

func (l *wholeList) show(r *run, b []byte, _ *set, _ int32) ([]byte, bool) {
	b = append(b, '[')
	counted, most := r.cost, l.field.Size(r.variables)
	for i := range r.sets[l.shape.from.id].rows {
		if i > 0 {
			b = append(b, ',')
		}
		var ok bool
		if b, ok = l.shape.show(r, b, i); !ok {
			return b, false
		}
		if int(i) < most { // more were not counted before either
			counted = r.cost
		}
	}
	r.cost = counted
	return append(b, ']'), true
}

// Held is a root field that is one row in memory.
type Held[V any] struct {
	Field string
	Row   func(from Ledger) *V
}

func (h Held[V]) name() string { return h.Field }

func (h Held[V]) compile(c *compiler, f *plan.Field) (shower, error) {
	s := add(c, 0, "held: "+h.Field, &source[V]{list: func(from Ledger) []*V { return []*V{h.Row(from)} }})
	shape, err := shapeOf(c, s, f, f.Type())
	return &toOne{shape: shape, nullable: !f.Definition.Type.NonNull}, err
}

// Single is a root field that is one row, or null, found by its id or by another key.
type Single[V any] struct {
	Field string
	Kind  store.Kind
	Read  *Keyed[V]
	// ByID names the argument that is the row's global id; others stand for other ways to find it.
	ByID string
	// Other reads by the other arguments. It refuses those that do not say which row is meant.
	Other func(args map[string]any) (func(from Ledger, some store.Columns) *store.Select[V], error)
}

func (s Single[V]) name() string { return s.Field }

func (s Single[V]) compile(c *compiler, f *plan.Field) (shower, error) {
	args := c.args(f)
	var to *source[V]
	given := f.Selection.Arguments
	if len(given) == 1 && given.ForName(s.ByID) != nil {
		to = keyed(c, 0, s.Read, " as "+strconv.Itoa(f.ID))
		to.asked = func(r *run) ([]store.ID, error) {
			text, ok := args(r)[s.ByID].(string)
			if !ok {
				return nil, unknown(BadArguments, "%s is not given", s.ByID)
			}
			id, err := store.ParseGlobalID(text)
			if err != nil {
				return nil, refused(err)
			}
			if id.Kind != s.Kind {
				return nil, nil
			}
			return []store.ID{id.Row}, nil
		}
	} else {
		to = s.other(c, f)
	}
	shape, err := shapeOf(c, to, f, f.Type())
	return &toOne{shape: shape, nullable: !f.Definition.Type.NonNull}, err
}

// other is the source of a row that is found otherwise than by its id.
func (s Single[V]) other(c *compiler, f *plan.Field) *source[V] {
	read := bound(f, s.Other)
	to := &source[V]{roots: true}
	to.query = func(r *run, _ []store.ID) (*store.Select[V], error) {
		query, err := read(r)
		if err != nil {
			return nil, err
		}
		return query(r.from, to.some), nil
	}
	if some, ok := store.Showing[V]("ID"); ok {
		to.some = some
	}
	return add(c, 0, "single: "+strconv.Itoa(f.ID), to)
}

// Nodes is the root fields node and nodes: rows of any type that has ids.
type Nodes struct {
	Field    string
	Argument string
	Most     int // ids at once
	Kinds    []NodeKind
	// Hidden tells whether rows of a kind do not exist for whoever asks.
	Hidden func(from Ledger, kind store.Kind) bool
}

// NodeKind is one type of node.
type NodeKind interface {
	kind() store.Kind
	typeName() string
	source(c *compiler, f *plan.Field, asked func(r *run) ([]store.ID, error)) (*outline, error)
}

// NodeOf is a type of node and how its rows are read by id.
type NodeOf[V any] struct {
	Kind store.Kind
	Type string
	Read *Keyed[V]
}

func (n NodeOf[V]) kind() store.Kind { return n.Kind }
func (n NodeOf[V]) typeName() string { return n.Type }

func (n NodeOf[V]) source(c *compiler, f *plan.Field, asked func(r *run) ([]store.ID, error)) (*outline, error) {
	to := keyed(c, 0, n.Read, " as "+strconv.Itoa(f.ID))
	to.asked = asked
	return shapeOf(c, to, f, n.Type)
}

func (n Nodes) name() string { return n.Field }

func (n Nodes) compile(c *compiler, f *plan.Field) (shower, error) {
	args := c.args(f)
	ids := func(r *run) ([]store.GlobalID, error) { return n.ids(r.from, args(r)[n.Argument]) }
	out := &nodeList{ids: ids, shapes: map[store.Kind]*outline{}, list: f.Definition.Type.Elem != nil, field: f, unsure: map[store.Kind]bool{}}
	for _, kind := range n.Kinds {
		var err error
		out.shapes[kind.kind()], err = kind.source(c, f, func(r *run) (rows []store.ID, err error) {
			all, err := ids(r)
			for _, id := range all {
				if id.Kind == kind.kind() {
					rows = append(rows, id.Row)
				}
			}
			return rows, err
		})
		if err != nil {
			return nil, err
		}
		out.unsure[kind.kind()] = !f.Certain(kind.typeName(), c.variables)
	}
	return out, nil
}

// ids reads the argument. What is hidden becomes an id of nothing.
func (n Nodes) ids(from Ledger, argument any) ([]store.GlobalID, error) {
	texts, ok := argument.([]any)
	if !ok {
		texts = []any{argument}
	}
	if len(texts) > n.Most {
		return nil, unknown(BadArguments, "%d ids", len(texts))
	}
	out := make([]store.GlobalID, len(texts))
	for i, t := range texts {
		text, ok := t.(string)
		if !ok {
			return nil, unknown(BadArguments, "an id that is no text")
		}
		id, err := store.ParseGlobalID(text)
		if err != nil {
			return nil, refused(err)
		}
		if n.Hidden == nil || !n.Hidden(from, id.Kind) {
			out[i] = id
		}
	}
	return out, nil
}

// nodeList shows the rows of ids, in their order.
type nodeList struct {
	ids    func(r *run) ([]store.GlobalID, error)
	shapes map[store.Kind]*outline
	list   bool
	field  *plan.Field
	unsure map[store.Kind]bool // the JSON of a row does not tell its type, and counts as what it may be at most
}

func (n *nodeList) show(r *run, b []byte, _ *set, _ int32) ([]byte, bool) {
	ids, err := n.ids(r)
	if err != nil {
		return b, false
	}
	if n.list {
		b = append(b, '[')
	}
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		var ok bool
		if b, ok = n.one(r, b, id); !ok {
			return b, false
		}
	}
	if n.list {
		b = append(b, ']')
	}
	return b, true
}

func (n *nodeList) one(r *run, b []byte, id store.GlobalID) ([]byte, bool) {
	shape := n.shapes[id.Kind]
	if shape == nil {
		return append(b, "null"...), true
	}
	set := &r.sets[shape.from.id]
	at, there := set.index[id.Row]
	if !there || set.rowAt[at] == none {
		return append(b, "null"...), true
	}
	from, before := len(b), r.cost
	b, ok := shape.show(r, b, set.rowAt[at])
	if n.unsure[id.Kind] {
		r.cost = before + n.field.ItemCost(b[from:], r.variables)
	}
	return b, ok
}
