package store

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"
)

// statement gathers the conditions and the values of one read. Values are always bound, never written into the text: $1, $2 and so on
// are understood by both databases, and may be named more than once.
type statement struct {
	dialect dialect
	args    []any
	conds   []string
	fresh   bool // the best plan depends on the values
	owned   bool // the first value is the organization
}

// bind keeps a value and gives its name in the text.
func (b *statement) bind(v any) string {
	b.args = append(b.args, v)
	return "$" + strconv.Itoa(len(b.args))
}

// where adds a condition that rows must meet.
func (b *statement) where(cond string) { b.conds = append(b.conds, cond) }

// is adds expr operator value.
func (b *statement) is(expr, operator string, v any) {
	b.where(expr + " " + operator + " " + b.bind(v))
}

// in adds that expr is one of the values, which are bound as one array: one text whatever their number.
func (b *statement) in(expr string, t listType, values any) {
	b.where(b.dialect.oneOf(b, expr, t, values, false))
}

// keys is in for the keys that rows are read by: how many there are is nothing that the plan should depend on.
func (b *statement) keys(expr string, t listType, values any) {
	b.where(b.dialect.oneOf(b, expr, t, values, true))
}

// all gives the conditions joined, with more of them where given.
func (b *statement) all(more ...string) string {
	conds := append(append([]string{}, b.conds...), more...)
	if len(conds) == 0 {
		return "TRUE"
	}
	return strings.Join(conds, " AND ")
}

// escapeLike takes the meaning from the wildcards of LIKE.
func escapeLike(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}

// listType is the SQL type of the elements of a bound list.
type listType string

const (
	listUUID listType = "uuid"
	listText listType = "text"
	listInt  listType = "integer"
)

// statement starts a read of shared rows.
func (s *Store) statement() *statement { return &statement{dialect: s.dialect} }

// statement starts a read of the organization's rows: the first condition is that they are its own.
func (t *Tenant) statement(alias string) *statement {
	b := t.store.statement()
	b.is(alias+".org_id", "=", t.org)
	b.owned = true
	return b
}

// scanner reads the columns of the present row, as in sql.Rows.Scan.
type scanner func(dest ...any) error

// read runs a statement with bound values and hands each row over. It goes past bun, which would write the values into the text:
// bound, a statement has one text, and Postgres keeps its plan.
func (s *Store) read(ctx context.Context, table, text string, b *statement, each func(scanner) error) (err error) {
	began := time.Now()
	defer func() {
		observer{s.metrics}.note(ctx, "SELECT", table, began, err)
		err = s.fault(err, "read "+table)
	}()
	rows, err := s.db.DB.QueryContext(ctx, text, s.dialect.bound(b.args, b.fresh)...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
