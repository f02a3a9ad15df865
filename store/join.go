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
	if q.page == nil || !q.owned || !some.has(0) || !q.store.Joins() || !Joinable[T, U](field) {
		return fmt.Errorf("store: %s cannot bring rows along by %s", q.rel.table, field)
	}
	to, _ := relationOf[U]()
	refers := q.rel.cols[bits.TrailingZeros64(uint64(q.rel.showing(field)))].sql
	q.joins = append(q.joins, join{
		columns: to.list(some), width: len(to.pick(some).at), table: to.table, alias: to.alias,
		refers: strings.TrimPrefix(refers, q.rel.alias+"."),
	})
	q.text = q.page.bringing(q.leading()+len(q.rel.pick(q.some).at), q.joins)
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
	columns, table, alias string
	width                 int
	refers                string // the page's column that names their ids
}

// bringing is the statement of a page and of what it brings along: the rows of the n-th other table come after the page's, as those of parent -1-n. Each row
// has the columns of all, NULL where they are not its own.
func (q pageQuery) bringing(width int, joins []join) string {
	var b strings.Builder
	b.WriteString("WITH own AS MATERIALIZED (" + q.single() + ") SELECT own.*")
	for _, j := range joins {
		for column := range strings.SplitSeq(j.columns, ", ") {
			b.WriteString(", (NULL::" + j.table + ")." + strings.TrimPrefix(column, j.alias+".")) // NULL of the column's type
		}
	}
	b.WriteString(" FROM own")
	for n, j := range joins {
		b.WriteString(" UNION ALL SELECT " + strconv.Itoa(-1-n) + strings.Repeat(", NULL", width-1))
		for m, other := range joins {
			if m == n {
				b.WriteString(", " + j.columns)
			} else {
				b.WriteString(strings.Repeat(", NULL", other.width))
			}
		}
		b.WriteString(" FROM " + j.table + " AS " + j.alias + " WHERE " + j.alias + ".org_id = $1 AND " + j.alias + ".id = ANY(ARRAY(SELECT " + j.refers + " FROM own))")
	}
	return b.String()
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
