package store

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// Joins tells whether a page can bring other rows along. On SQLite a second statement costs no round trip, so that there is nothing to be won.
func (s *Store) Joins() bool { return s.kind == "postgres" }

// Joinable tells whether a page of T can bring the rows of U along that a field refers to by id: both are an organization's own.
func Joinable[T, U any](field string) bool {
	from, ok := relationOf[T]()
	if !ok {
		return false
	}
	to, ok := relationOf[U]()
	return ok && ownTable(from.table) && ownTable(to.table) && to.cols[0].shows == ownID && bits.OnesCount64(uint64(from.showing(field))) == 1
}

// ownID is what the column of a row's own id shows.
const ownID = "ID GlobalID"

// ownTable tells whether a table's rows are an organization's, named by org_id.
func ownTable(table string) bool { return table != "organizations" && !sharedTable(table) }

// Join has a page bring along the rows of another table that a field of its rows refers to by id, each once: one statement for what would be two and a
// transaction around them. The columns asked for include the id.
func Join[T, U any](q *Select[T], field string, some Columns) error {
	if !q.alone || !q.owned || !some.has(0) || !q.store.Joins() || !Joinable[T, U](field) {
		return fmt.Errorf("store: %s cannot bring rows along by %s", q.rel.table, field)
	}
	to, _ := relationOf[U]()
	refers := q.rel.cols[bits.TrailingZeros64(uint64(q.rel.showing(field)))].sql
	if q.own == "" {
		q.own = q.text
	}
	q.joins = append(q.joins, join{pick: to.pick(some), table: to.table, alias: to.alias, refers: strings.TrimPrefix(refers, q.rel.alias+".")})
	q.text = bringing(q.own, q.leading()+len(q.rel.pick(q.some).at), q.window.size, q.joins)
	return nil
}

// leading is how many columns stand before those of the relation.
func (q *Select[T]) leading() int {
	if q.placed {
		return 3 + len(q.bound.kinds)
	}
	return 3
}

// join is another table of which a page brings rows along.
type join struct {
	*pick
	table, alias string
	refers       string // the page's column that names their ids
}

// bringing is the statement of a page and of what it brings along: the rows of the n-th other table come after the page's, as those of parent -1-n. Each row
// has the columns of all, NULL where they are not its own. The row that is one too many for the page brings nothing.
func bringing(page string, width, size int, joins []join) string {
	b := make([]byte, 0, 2*len(page)+512*len(joins))
	b = append(append(append(b, "WITH own AS MATERIALIZED ("...), page...), ") SELECT own.*"...)
	for _, j := range joins {
		b = append(append(b, ", "...), j.nulls...)
	}
	b = append(b, " FROM own"...)
	null := func(n int) {
		for range n {
			b = append(b, ", NULL"...)
		}
	}
	for n, j := range joins {
		b = strconv.AppendInt(append(b, " UNION ALL SELECT "...), int64(-1-n), 10)
		null(width - 1)
		for m, other := range joins {
			if m == n {
				b = append(append(b, ", "...), j.list...)
			} else {
				null(len(other.at))
			}
		}
		for _, part := range []string{" FROM ", j.table, " AS ", j.alias, " WHERE ", j.alias, ".org_id = $1 AND ", j.alias, ".id = ANY(ARRAY(SELECT ", j.refers, " FROM own LIMIT ", strconv.Itoa(size), "))"} {
			b = append(b, part...)
		}
	}
	return string(b)
}

// Guests take the rows that a page brings along.
type Guests[U any] interface {
	// Guest takes a row. It, and every text in it, is good until the method returns.
	Guest(row *U) error
}

// Companion is what takes the rows of one Join.
type Companion interface {
	width() int
	take(values [][]byte) error
	done()
}

// Along takes the rows of a Join, which must have been asked for with the same columns.
func Along[U any](some Columns, guests Guests[U]) Companion {
	rel, _ := relationOf[U]()
	return &companion[U]{rel: rel, pick: rel.pick(some), guests: guests, scratch: rel.scratch.Get().(*scratch[U])}
}

type companion[U any] struct {
	rel     *relation[U]
	pick    *pick
	guests  Guests[U]
	scratch *scratch[U]
}

func (c *companion[U]) width() int { return len(c.pick.at) }

func (c *companion[U]) take(values [][]byte) error {
	if err := c.rel.wire(c.scratch, c.pick, values); err != nil {
		return err
	}
	return c.guests.Guest(&c.scratch.row)
}

func (c *companion[U]) done() {
	c.rel.release(c.scratch)
	c.scratch = nil
}
