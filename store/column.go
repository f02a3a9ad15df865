package store

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"
	"unsafe"

	"carbongraph/internal/exact"
)

// column is one column of a relation: what of a row it shows, and how a row takes it, from database/sql or from Postgres' binary form.
type column[T any] struct {
	sql   string
	shows string // the fields and methods of the row that need it, parted by blanks
	dest  func(*T) any
	// slot makes the memory that a row points to where the column is not NULL; nil where rows hold the value itself.
	slot func() any
	// wire takes the binary form; nil bytes are NULL. Texts may share the bytes.
	wire func(row *T, slot any, b []byte) error
}

// Columns is what a read is asked for: a set of the relation's columns, of which the empty one stands for all, and of pages what is not wanted beside them.
type Columns uint64

// What nobody wants of a page need not be found out.
const (
	NoPlaces   Columns = 1 << (63 - iota) // where rows stand, which cursors are made of
	NoPrevious                            // whether rows lie before a page that follows a cursor
	NoNext                                // whether rows lie after a page that precedes one

	columnsAlone = NoNext - 1
)

// relation is how rows of one table are read: its name with an alias, and its columns.
type relation[T any] struct {
	table   string
	alias   string
	columns string // of all
	cols    []column[T]
	finish  func(*T) // makes what several columns make together; nil: nothing is
	scratch sync.Pool
	picks   sync.Map // Columns to *pick, of the relations that live as long as the program
}

// pick is some columns of a relation: as SELECT wants them, NULL of the type of each, and which they are.
type pick struct {
	list  string
	nulls string // of those that are the table's own
	at    []int
}

func (r *relation[T]) pick(some Columns) *pick {
	some &= columnsAlone
	if p, ok := r.picks.Load(some); ok {
		return p.(*pick)
	}
	p := &pick{}
	var names, nulls []string
	for i, c := range r.cols {
		if some.has(i) {
			names, p.at = append(names, c.sql), append(p.at, i)
			nulls = append(nulls, "(NULL::"+r.table+")."+strings.TrimPrefix(c.sql, r.alias+"."))
		}
	}
	p.list, p.nulls = strings.Join(names, ", "), strings.Join(nulls, ", ")
	r.picks.Store(some, p)
	return p
}

func newRelation[T any](table, alias string, finish func(*T), cols ...column[T]) *relation[T] {
	r := &relation[T]{table: table, alias: alias, cols: cols, finish: finish}
	r.columns = r.list(0)
	r.scratch.New = func() any { return newScratch(r.cols) }
	return r
}

// list writes columns as SELECT wants them.
func (r *relation[T]) list(some Columns) string { return r.pick(some).list }

func (c Columns) has(i int) bool { return c&columnsAlone == 0 || c&(1<<i) != 0 }

// showing gives the columns that a field or method of the row needs; none where it is of no column.
func (r *relation[T]) showing(name string) (c Columns) {
	for i := range r.cols {
		for shown := range strings.FieldsSeq(r.cols[i].shows) {
			if shown == name {
				c |= 1 << i
			}
		}
	}
	return c
}

// Showing gives the columns that a field or a method of a row needs. It is false where no column shows it. Rows that are read from no table, as sums
// are, need none: they are always read whole.
func Showing[T any](name string) (Columns, bool) {
	r, ok := relationOf[T]()
	if !ok {
		return 0, true
	}
	c := r.showing(name)
	return c, c != 0
}

// relationOf finds the relation that rows of a type are read from.
func relationOf[T any]() (*relation[T], bool) {
	for _, r := range []any{emissions(), suppliers(), activities(), factors(), datasets(), runs(), keys(), organizations(), batches(), differences()} {
		if r, ok := r.(*relation[T]); ok {
			return r, true
		}
	}
	return nil, false
}

// row makes a row of its own from a scan of all columns.
func (r *relation[T]) row(scan scanner) (*T, error) {
	o := new(T)
	dest := make([]any, len(r.cols))
	for i := range r.cols {
		dest[i] = r.cols[i].dest(o)
	}
	err := scan(dest...)
	if err == nil && r.finish != nil {
		r.finish(o)
	}
	return o, err
}

// scratch is one row in memory that is used again for the next.
type scratch[T any] struct {
	row   T
	slots []any
}

func newScratch[T any](cols []column[T]) *scratch[T] {
	s := &scratch[T]{slots: make([]any, len(cols))}
	for i, c := range cols {
		if c.slot != nil {
			s.slots[i] = c.slot()
		}
	}
	return s
}

// wire reads columns in Postgres' binary form.
func (r *relation[T]) wire(into *scratch[T], pick *pick, values [][]byte) error {
	for i, at := range pick.at {
		if err := r.cols[at].wire(&into.row, into.slots[at], values[i]); err != nil {
			return err
		}
	}
	if r.finish != nil {
		r.finish(&into.row)
	}
	return nil
}

// release gives the memory of a row back.
func (r *relation[T]) release(s *scratch[T]) {
	var none T
	s.row = none // its texts share the driver's memory
	r.scratch.Put(s)
}

// The kinds of column. at tells where in the row the value stands.

func idColumn[T any](sql, shows string, at func(*T) *ID) column[T] {
	return column[T]{sql: sql, shows: shows, dest: func(o *T) any { return at(o) }, wire: func(o *T, _ any, b []byte) error { return wireID(at(o), b) }}
}

func maybeID[T any](sql, shows string, at func(*T) **ID) column[T] {
	return maybe(sql, shows, at, wireID)
}

func textColumn[T any, E ~string](sql, shows string, at func(*T) *E) column[T] {
	return column[T]{sql: sql, shows: shows, dest: func(o *T) any { return at(o) }, wire: func(o *T, _ any, b []byte) error { return wireText(at(o), b) }}
}

func maybeText[T any, E ~string](sql, shows string, at func(*T) **E) column[T] {
	return maybe(sql, shows, at, wireText[E])
}

func intColumn[T any](sql, shows string, at func(*T) *int32) column[T] {
	return column[T]{sql: sql, shows: shows, dest: func(o *T) any { return at(o) }, wire: func(o *T, _ any, b []byte) error { return wireInt(at(o), b) }}
}

func maybeInt[T any](sql, shows string, at func(*T) **int32) column[T] {
	return maybe(sql, shows, at, wireInt[int32])
}

func longColumn[T any, E ~int64 | ~int](sql, shows string, at func(*T) *E) column[T] {
	return column[T]{sql: sql, shows: shows, dest: func(o *T) any { return at(o) }, wire: func(o *T, _ any, b []byte) error { return wireInt(at(o), b) }}
}

func maybeLong[T any, E ~int64](sql, shows string, at func(*T) **E) column[T] {
	return maybe(sql, shows, at, wireInt[E])
}

func boolColumn[T any](sql, shows string, at func(*T) *bool) column[T] {
	return column[T]{sql: sql, shows: shows, dest: func(o *T) any { return at(o) }, wire: func(o *T, _ any, b []byte) error { return wireBool(at(o), b) }}
}

func maybeBool[T any](sql, shows string, at func(*T) **bool) column[T] {
	return maybe(sql, shows, at, wireBool)
}

func dateColumn[T any](sql, shows string, at func(*T) *exact.Date) column[T] {
	return column[T]{sql: sql, shows: shows, dest: func(o *T) any { return at(o) }, wire: func(o *T, _ any, b []byte) error { return wireDate(at(o), b) }}
}

func maybeDate[T any](sql, shows string, at func(*T) **exact.Date) column[T] {
	return maybe(sql, shows, at, wireDate)
}

func instantColumn[T any](sql, shows string, at func(*T) *exact.Instant) column[T] {
	return column[T]{sql: sql, shows: shows, dest: func(o *T) any { return at(o) }, wire: func(o *T, _ any, b []byte) error { return wireInstant(at(o), b) }}
}

func maybeInstant[T any](sql, shows string, at func(*T) **exact.Instant) column[T] {
	return maybe(sql, shows, at, wireInstant)
}

func decimalColumn[T any](sql, shows string, at func(*T) *exact.Decimal) column[T] {
	return column[T]{sql: sql, shows: shows, dest: func(o *T) any { return at(o) }, wire: func(o *T, _ any, b []byte) error { return wireDecimal(at(o), b) }}
}

func maybeDecimal[T any](sql, shows string, at func(*T) **exact.Decimal) column[T] {
	return maybe(sql, shows, at, wireDecimal)
}

// jsonColumn is a text that holds JSON.
func jsonColumn[T, E any](sql, shows string, at func(*T) *E) column[T] {
	return column[T]{sql: sql, shows: shows,
		dest: func(o *T) any { return jsonText[E]{at(o)} },
		wire: func(o *T, _ any, b []byte) error { return jsonText[E]{at(o)}.read(b) },
	}
}

// maybe is a column that can be NULL: the row points to a value, or to nothing.
func maybe[T, E any](sql, shows string, at func(*T) **E, wire func(*E, []byte) error) column[T] {
	return column[T]{sql: sql, shows: shows,
		dest: func(o *T) any { return at(o) },
		slot: func() any { return new(E) },
		wire: func(o *T, slot any, b []byte) error {
			if b == nil {
				*at(o) = nil
				return nil
			}
			v := slot.(*E)
			*at(o) = v
			return wire(v, b)
		},
	}
}

type jsonText[E any] struct{ into *E }

// Scan reads the text from SQL.
func (j jsonText[E]) Scan(src any) error {
	switch v := src.(type) {
	case string:
		return j.read([]byte(v))
	case []byte:
		return j.read(v)
	}
	return fmt.Errorf("store: cannot read JSON from %T", src)
}

func (j jsonText[E]) read(b []byte) error {
	var fresh E // what the last row left must not show through
	err := json.Unmarshal(b, &fresh)
	*j.into = fresh
	return err
}

// Postgres' binary forms: https://www.postgresql.org/docs/current/protocol-overview.html#PROTOCOL-FORMAT-CODES and the send functions of its types.

// epoch is the day that Postgres counts days and microseconds from.
const epoch = 10957 * 24 * time.Hour // 2000-01-01, since 1970

func wireFault(what string, b []byte) error {
	return fmt.Errorf("store: %d bytes are no %s", len(b), what)
}

func wireID(to *ID, b []byte) error {
	if len(b) != len(to) {
		return wireFault("uuid", b)
	}
	copy(to[:], b)
	return nil
}

// wireText shares the bytes, which are the driver's: the text is good until the next row.
func wireText[E ~string](to *E, b []byte) error {
	if b == nil {
		return wireFault("text", b)
	}
	*to = E(unsafe.String(unsafe.SliceData(b), len(b)))
	return nil
}

func wireInt[E ~int32 | ~int64 | ~int](to *E, b []byte) error {
	switch len(b) {
	case 8:
		*to = E(binary.BigEndian.Uint64(b))
	case 4:
		*to = E(int32(binary.BigEndian.Uint32(b)))
	default:
		return wireFault("integer", b)
	}
	return nil
}

func wireBool(to *bool, b []byte) error {
	if len(b) != 1 {
		return wireFault("boolean", b)
	}
	*to = b[0] != 0
	return nil
}

func wireDate(to *exact.Date, b []byte) error {
	if len(b) != 4 {
		return wireFault("date", b)
	}
	*to = exact.DayOf(int64(int32(binary.BigEndian.Uint32(b))) + int64(epoch/day))
	return nil
}

func wireInstant(to *exact.Instant, b []byte) error {
	if len(b) != 8 {
		return wireFault("timestamptz", b)
	}
	*to = exact.InstantOf(time.UnixMicro(int64(binary.BigEndian.Uint64(b)) + epoch.Microseconds()))
	return nil
}

func wireDecimal(to *exact.Decimal, b []byte) error {
	if b == nil {
		return wireFault("decimal", b)
	}
	return to.Scan(b)
}
