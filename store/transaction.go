package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/uptrace/bun"

	"carbongraph/internal/fault"
)

// transaction is a transaction and the connection that it holds, for what SQL text cannot do.
type transaction struct {
	bun.Tx
	conn bun.Conn
}

// attempts bounds how often one kind of trouble is met before a transaction is given up: with the pauses between, about a second.
const attempts = 6

// transact runs f in a transaction, and again where another was in the way or the connection was lost. A key that is there already counts as in the way: whoever
// looked before it wrote will find the row the second time. f must not keep anything of a failed attempt.
func (s *Store) transact(ctx context.Context, doing string, f func(context.Context, *transaction) error) error {
	for met := map[trouble]int{}; ; {
		err := s.once(ctx, f)
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

func (s *Store) once(ctx context.Context, f func(context.Context, *transaction) error) error {
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
	if err = f(ctx, &transaction{tx, conn}); err == nil {
		mark, err = s.mark(ctx, &tx)
	}
	if err == nil {
		if err = tx.Commit(); err != nil {
			err = s.lost(ctx, mark, err)
		}
	}
	if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil { // database/sql rolls back as soon as the context ends, and then knows of no transaction
		err = fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return err
}

// mark names a transaction that wrote, so that what became of it can be asked for later; empty where the database cannot tell, or is part of this process.
func (s *Store) mark(ctx context.Context, tx *bun.Tx) (string, error) {
	text := s.dialect.words()["mark"]
	if text == "" {
		return "", nil
	}
	var mark sql.NullString
	err := tx.Tx.QueryRowContext(ctx, text).Scan(&mark)
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
