package store

import (
	"context"

	"github.com/uptrace/bun"
)

// dialect is all that differs between the databases. dialect_postgres.go and dialect_sqlite.go alone know which one it is.
type dialect interface {
	// hasTable is a query for whether there is a table of that name.
	hasTable() string
	// types gives the words of the migrations that stand in braces.
	types() map[string]string
	// lock keeps other migrators out until the transaction ends.
	lock(ctx context.Context, tx bun.IDB) error
	// classify tells what kind of trouble an error is.
	classify(err error) trouble
	// insert adds n rows the fastest way there is, inside the transaction. row gives the values of one; it may reuse its slice.
	insert(ctx context.Context, tx *transaction, table string, columns []string, n int, row func(i int) []any) error
}

// trouble is the kind of an error of the database.
type trouble int

const (
	otherTrouble trouble = iota
	unreachable          // no connection, or it broke
	tookTooLong          // cancelled by the database's own clock
	collided             // another transaction was in the way: the whole may be tried again
	notUnique            // a row with that key is there already
)
