package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"carbongraph/internal/fault"
)

// transaction is a transaction, the connection that it holds, for what SQL text cannot do, and what it raises when it is committed. Its statements go by its own methods,
// which read what each of them writes: nobody can write and forget to tell.
type transaction struct {
	tx      bun.Tx
	conn    bun.Conn
	dialect dialect
	raises  raises
	owns    bool // the database knows that we raise by ourselves
	told    []ID // whose versions are raised
}

// exec runs a statement.
func (tx *transaction) exec(ctx context.Context, text string, args ...any) (sql.Result, error) {
	tables, err := tx.opens(ctx, text)
	if err != nil {
		return nil, err
	}
	res, err := tx.tx.Tx.ExecContext(ctx, text, args...)
	if err != nil || len(tables) == 0 {
		return res, err
	}
	n, err := res.RowsAffected()
	tx.wrote(tables, n)
	return res, err
}

// each runs a statement and hands each row over.
func (tx *transaction) each(ctx context.Context, text string, args []any, each func(scanner) error) (err error) {
	tables, err := tx.opens(ctx, text)
	if err != nil {
		return err
	}
	rows, err := tx.tx.Tx.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	n := int64(0)
	for ; rows.Next(); n++ {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	tx.wrote(tables, n)
	return rows.Err()
}

// insert adds n rows the fastest way.
func (tx *transaction) insert(ctx context.Context, table string, columns []string, n int, row func(i int) []any) error {
	tables := []string{table}
	if err := tx.claims(ctx, tables); err != nil {
		return err
	}
	tx.wrote(tables, int64(n))
	return tx.dialect.insert(ctx, tx, table, columns, n, row)
}

// opens prepares for a statement, and gives the tables that it writes.
func (tx *transaction) opens(ctx context.Context, text string) ([]string, error) {
	tables := written(text)
	return tables, tx.claims(ctx, tables)
}

// claims tells the database, before the first write that raises, that this transaction raises by itself: the triggers then have nothing to do.
func (tx *transaction) claims(ctx context.Context, tables []string) error {
	if err := tx.raises.known(tables); err != nil {
		return err
	}
	text := tx.dialect.words()["own"]
	if tx.owns || text == "" || !slices.ContainsFunc(tables, func(table string) bool { return raised[table].kind != "" }) {
		return nil
	}
	_, err := tx.tx.Tx.ExecContext(ctx, text)
	tx.owns = err == nil
	return err
}

// wrote notes that a statement changed so many rows. Of one that writes several tables the number is that of one of them.
func (tx *transaction) wrote(tables []string, n int64) {
	if n == 0 && len(tables) == 1 {
		return
	}
	for _, table := range tables {
		tx.raises.wrote(table)
	}
}

// NewInsert starts an INSERT of bun's.
func (tx *transaction) NewInsert() *bun.InsertQuery { return tx.tx.NewInsert().Conn(door{tx}) }

// NewUpdate starts an UPDATE of bun's.
func (tx *transaction) NewUpdate() *bun.UpdateQuery { return tx.tx.NewUpdate().Conn(door{tx}) }

// NewSelect starts a SELECT of bun's.
func (tx *transaction) NewSelect() *bun.SelectQuery { return tx.tx.NewSelect() }

// NewRaw is a statement with values written into it by bun.
func (tx *transaction) NewRaw(text string, args ...any) *bun.RawQuery {
	return tx.tx.NewRaw(text, args...).Conn(door{tx})
}

// door is where bun's statements come through.
type door struct{ tx *transaction }

// ExecContext runs a statement of bun's.
func (d door) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	return d.tx.exec(ctx, text, args...)
}

// QueryContext runs one that gives rows. How many it writes is not known.
func (d door) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	tables, err := d.tx.opens(ctx, text)
	if err != nil {
		return nil, err
	}
	d.tx.wrote(tables, -1)
	return d.tx.tx.Tx.QueryContext(ctx, text, args...)
}

// QueryRowContext is for bun's reads alone: it has no way to refuse.
func (d door) QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row {
	return d.tx.tx.Tx.QueryRowContext(ctx, text, args...)
}

// attempts bounds how often one kind of trouble is met before a transaction is given up: with the pauses between, about a second.
const attempts = 6

// transact runs f in a transaction, and again where another was in the way or the connection was lost. A key that is there already counts as in the way: whoever
// looked before it wrote will find the row the second time. f must not keep anything of a failed attempt. The transaction is an organization's, or nobody's: the zero ID.
func (s *Store) transact(ctx context.Context, doing string, org ID, f func(context.Context, *transaction) error) error {
	for met := map[trouble]int{}; ; {
		err := s.once(ctx, org, f)
		if err == nil {
			return nil
		}
		kind := s.dialect.classify(err)
		met[kind]++
		attempt := met[kind]
		again := kind == collided || kind == notUnique || kind == unreachable && !errors.Is(err, ErrUncertain)
		if attempt == attempts || !again || ctx.Err() != nil {
			return s.fault(err, doing)
		}
		s.log.DebugContext(ctx, "transaction tried again", "doing", doing, "attempt", attempt, "err", err)
		if !pause(ctx, attempt) {
			return s.fault(ctx.Err(), doing)
		}
	}
}

// pause waits before another attempt, longer each time, and never as long as others do; false where the context ended.
func pause(ctx context.Context, attempt int) bool {
	d := time.Duration(1<<attempt) * 5 * time.Millisecond
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d/2 + rand.N(d)):
		return true
	}
}

func (s *Store) once(ctx context.Context, org ID, f func(context.Context, *transaction) error) error {
	conn, err := s.writes.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() // it goes back to the pool
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after a commit it does nothing
	mark := ""
	t := &transaction{tx: tx, conn: conn, dialect: s.dialect, raises: raises{org: org}}
	if err = f(ctx, t); err == nil {
		mark, err = s.seal(ctx, t)
	}
	if err == nil {
		if err = tx.Commit(); err != nil {
			err = s.lost(ctx, mark, err)
		}
		for _, org := range t.told { // also where nobody knows whether it is committed: it may be
			s.committed(org)
		}
	}
	if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil { // database/sql rolls back as soon as the context ends, and then knows of no transaction
		err = fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return err
}

// mark names a transaction that wrote, so that what became of it can be asked for later; empty where the database cannot tell, or is part of this process.
func (s *Store) mark(ctx context.Context, tx *transaction) (string, error) {
	text := s.dialect.words()["mark"]
	if text == "" {
		return "", nil
	}
	var mark sql.NullString
	err := tx.tx.Tx.QueryRowContext(ctx, text).Scan(&mark)
	return mark.String, err
}

// ErrUncertain tells that a transaction may be committed or not.
var ErrUncertain = errors.New("store: nobody can tell whether the transaction was committed")

const (
	// unsure bounds how long a database that went away in the middle of a commit is asked what became of it: a restart takes some seconds.
	unsure = 20 * time.Second
	// askings are the pauses between: the last is about a third of a second long.
	askings = 6
)

// lost finds out what became of a commit whose answer did not come: nil where it is committed after all.
func (s *Store) lost(ctx context.Context, mark string, err error) error {
	if mark == "" || s.dialect.classify(err) != unreachable {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unsure)
	defer cancel()
	for attempt := 1; ; attempt = min(attempt+1, askings) {
		var became sql.NullString
		asked := s.writes.DB.QueryRowContext(ctx, s.dialect.words()["became"], mark).Scan(&became)
		switch {
		case asked == nil && became.String == "committed":
			return nil
		case asked == nil && became.String == "aborted", asked != nil && s.dialect.classify(asked) == unstorable: // after a crash, a transaction that nobody has heard of
			return err
		}
		if !pause(ctx, attempt) {
			return fault.Wrap(errors.Join(ErrUncertain, err), fault.Overloaded,
				"The database went away while it stored this, and nobody can tell whether it did. Send it again: with the same idempotency key, nothing is done twice.")
		}
	}
}
