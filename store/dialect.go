package store

import "context"

// dialect is all that differs between the databases. dialect_postgres.go and dialect_sqlite.go alone know which one it is.
type dialect interface {
	// words gives what one word or phrase of SQL says differently: column types, which migrations name in braces, and a few more.
	words() map[string]string
	// lock takes what a number stands for until the transaction ends: alone, or shared with others who share it. Behind it, in the same round trip, it
	// reads numbers by a statement that sees whatever those committed who were waited for; an empty text reads none.
	lock(ctx context.Context, tx *transaction, number int64, shared bool, read string, args ...string) ([]int32, error)
	// classify tells what kind of trouble an error is.
	classify(err error) trouble
	// insert adds n rows the fastest way there is, inside the transaction. row gives the values of one; it may reuse its slice.
	insert(ctx context.Context, tx *transaction, table string, columns []string, n int, row func(i int) []any) error

	// bound gives the values of a statement as the driver wants them. A fresh statement is planned for its values, each time anew.
	bound(args []any, fresh bool) []any
	// oneOf is the condition that expr is one of the values, bound as one array. A keyed one is planned for any number of them, once for all requests.
	oneOf(b *statement, expr string, t listType, values any, keyed bool) string
	// topNPerParent is the statement of one page for each parent; conditions call the parent parents.value.
	topNPerParent(b *statement, q pageQuery, parents parentKeys) string
	// firstDay is the first day of the month, quarter or year that a day lies in.
	firstDay(expr string, span FootprintDimension) string
}

// trouble is the kind of an error of the database.
type trouble int

const (
	otherTrouble trouble = iota
	unreachable          // no connection, or it broke
	tookTooLong          // cancelled by the database's own clock
	collided             // another transaction was in the way: the whole may be tried again
	notUnique            // a row with that key is there already
	full                 // no space left on its disk
	tooLarge             // a sum that 64 bits do not hold
	unstorable           // a value that no column takes, or that breaks a rule of the table
)
