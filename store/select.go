package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Select is a read that is ready to run: by itself, which gives rows to keep, or row by row with the other reads of an operation (Snapshot).
type Select[T any] struct {
	store *Store
	rel   *relation[T]
	some  Columns
	*statement
	text string // empty: there is nothing to ask for
	lead lead

	key     keyKind  // of what each row hangs on, with leadKey
	bound   *binding // of where each row stands, with leadPage
	placed  bool     // whether the place is read at all
	window  window
	parents int
	alone   bool   // it is one page that hangs on no parent
	own     string // the text of the page by itself, where it brings others along
	joins   []join // those
	keysAt  int    // which value is the keys that are read by; none where there are no such keys
}

// none is no place among the values.
const none = -1

// lead is what stands before the columns of a row.
type lead int

const (
	leadNone lead = iota
	leadKey       // what the row hangs on
	leadPage      // the parent's number, whether rows lie before and after the page, and the row's place: NULL where the page is empty
)

// Backward tells whether the rows of a page come from its end.
func (q *Select[T]) Backward() bool { return q.window.backward }

// Again gives the same read for another organization and other keys, its text as it is. It is false where the text would be another: a read by one key may
// have a text of its own, and a cursor that one organization was given is refused to every other. The read itself stays as it is, so that many may ask again at once.
func (q *Select[T]) Again(t *Tenant, keys []ID) (*Select[T], bool) {
	if q.window.after != nil || q.window.before != nil || !q.owned && !sharedTable(q.rel.table) {
		return nil, false
	}
	again := *q
	b := *q.statement
	b.args = slices.Clone(b.args)
	if b.owned {
		b.args[0] = t.org
	}
	switch {
	case q.keysAt == none:
		if keys != nil {
			return nil, false
		}
	case len(keys) == 0:
		return nil, false
	default:
		switch b.args[q.keysAt].(type) {
		case ID:
			if len(keys) > 1 {
				return nil, false
			}
			b.args[q.keysAt] = keys[0]
		case []ID:
			if q.lead == leadPage && len(keys) == 1 {
				return nil, false
			}
			b.args[q.keysAt] = keys
		default: // keys of another kind
			return nil, false
		}
		again.parents = len(keys)
	}
	again.statement = &b
	if q.bound != nil {
		bound := *q.bound
		if b.owned {
			bound.org = t.org
		}
		bound.made = nil
		again.bound = &bound
	}
	return &again, true
}

// sharedTable tells whether a table's rows are everybody's. A read of any other names the organization, or is not asked again for another.
func sharedTable(table string) bool { return table == "emission_factors" || table == "factor_datasets" }

// All reads every row, to keep.
func (q *Select[T]) All(ctx context.Context) ([]*T, error) {
	if q.text == "" {
		return nil, nil
	}
	var out []*T
	err := q.store.read(ctx, q.rel.table, q.text, q.statement, func(scan scanner) error {
		row, err := q.rel.row(scan)
		out = append(out, row)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Hanging reads every row, to keep, together with what it hangs on.
func (q *Select[T]) Hanging(ctx context.Context, keep func(on ID, row *T)) error {
	if q.text == "" {
		return nil
	}
	on := key{kind: q.key}
	var dest []any
	return q.store.read(ctx, q.rel.table, q.text, q.statement, func(scan scanner) error {
		row, err := q.rel.row(func(own ...any) error {
			dest = append(append(dest[:0], &on), own...)
			return scan(dest...)
		})
		if err == nil {
			keep(on.row(), row)
		}
		return err
	})
}

// rawPage is a page while its rows come in.
type rawPage[T any] struct {
	rows          []*T
	places        []key // of all rows, one after another
	before, after bool
}

// Connections reads a page for each parent, in their order.
func (q *Select[T]) Connections(ctx context.Context) ([]*Connection[T], error) {
	if q.text == "" {
		return nil, nil
	}
	raw := make([]rawPage[T], q.parents)
	var parent int
	var before, after bool
	place := make(place, len(q.bound.kinds))
	lead := []any{&parent, &before, &after}
	for i, kind := range q.bound.kinds {
		place[i].kind = kind
		lead = append(lead, &place[i])
	}
	dest := make([]any, 0, 40)
	err := q.store.read(ctx, q.rel.table, q.text, q.statement, func(scan scanner) error {
		row, err := q.rel.row(func(own ...any) error {
			dest = append(append(dest[:0], lead...), own...)
			return scan(dest...)
		})
		empty := isNoRow(err)
		if err != nil && !empty {
			return err
		}
		if parent < 0 || parent >= q.parents {
			return fmt.Errorf("store: a row of parent %d of %d", parent, q.parents)
		}
		r := &raw[parent]
		r.before, r.after = before, after
		if !empty {
			r.rows, r.places = append(r.rows, row), append(r.places, place...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	sc := q.bound.scope()
	out := make([]*Connection[T], q.parents)
	for i := range raw {
		out[i] = connect(&raw[i], q.window, sc, len(q.bound.kinds))
	}
	return out, nil
}

// connection reads one page.
func connection[T any](ctx context.Context, q *Select[T], err error) (*Connection[T], error) {
	if err != nil {
		return nil, err
	}
	all, err := q.Connections(ctx)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// one reads a single row: a sum or a count.
func one[T any](ctx context.Context, q *Select[T], err error) (v T, _ error) {
	if err != nil {
		return v, err
	}
	rows, err := q.All(ctx)
	if err != nil {
		return v, err
	}
	if len(rows) != 1 {
		return v, fmt.Errorf("store: %d rows of %s where one was asked for", len(rows), q.rel.table)
	}
	return *rows[0], nil
}

// all is the read of every row that meets the conditions, in the order given; "" where it does not matter.
func all[T any](s *Store, b *statement, rel *relation[T], orderBy string, some Columns) *Select[T] {
	text := "SELECT " + rel.list(some) + " FROM " + rel.table + " AS " + rel.alias + " WHERE " + b.all()
	if orderBy != "" {
		text += " ORDER BY " + orderBy
	}
	return &Select[T]{store: s, rel: rel, some: some, statement: b, text: text, keysAt: none}
}

// byID is the read of the rows with these ids, in any order.
func byID[T any](s *Store, b *statement, rel *relation[T], ids []ID, some Columns) *Select[T] {
	return byKey(s, b, rel, rel.alias+".id", listUUID, ids, some)
}

// byKey is the read of the rows of which a column is one of the values.
func byKey[T, K any](s *Store, b *statement, rel *relation[T], column string, list listType, values []K, some Columns) *Select[T] {
	if len(values) == 0 {
		return &Select[T]{store: s, rel: rel, some: some, statement: b, keysAt: none}
	}
	if len(values) == 1 {
		b.is(column, "=", any(values[0]))
	} else {
		b.keys(column, list, values)
	}
	q := all(s, b, rel, "", some)
	q.keysAt = len(b.args) - 1
	return q
}

// ledTo is the read of the rows that others lead to: those, o, have these ids, and each row hangs on the one that leads to it.
func ledTo[T any](s *Store, rel *relation[T], ids []ID, some Columns, from, orderBy string) *Select[T] {
	b := s.statement()
	q := &Select[T]{store: s, rel: rel, some: some, statement: b, lead: leadKey, key: keyID, keysAt: none}
	if len(ids) == 0 {
		return q
	}
	b.keys("o.id", listUUID, ids)
	q.keysAt = len(b.args) - 1
	q.text = "SELECT o.id, " + rel.list(some) + " FROM " + from + " WHERE " + b.all() + " ORDER BY " + orderBy
	return q
}

// aggregate is the read of one row of sums or counts over the rows that meet the conditions.
func aggregate[T any](s *Store, b *statement, rel *relation[T], columns string) *Select[T] {
	b.fresh = true
	return &Select[T]{store: s, rel: rel, statement: b, keysAt: none, text: "SELECT " + columns + " FROM " + rel.table + " AS " + rel.alias + " WHERE " + b.all()}
}

// grouped is the same for each parent; those of which no row meets the conditions are missing.
func grouped[T any](s *Store, b *statement, rel *relation[T], columns string, of parentKeys) *Select[T] {
	q := &Select[T]{store: s, rel: rel, statement: b, lead: leadKey, key: of.kind, keysAt: none}
	if of.count == 0 {
		return q
	}
	b.fresh = true
	b.in(of.column, of.list, of.values)
	q.keysAt = len(b.args) - 1
	q.text = strings.Join([]string{"SELECT " + of.column + ",", columns, "FROM", rel.table, "AS", rel.alias, "WHERE", b.all(), "GROUP BY", of.column}, " ")
	return q
}
