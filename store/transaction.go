package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/uptrace/bun"
)

// transaction is a transaction and the connection that it holds, for what SQL text cannot do.
type transaction struct {
	bun.Tx
	conn bun.Conn
}

// attempts bounds how often a transaction is tried: with the pauses between, about a second.
const attempts = 6

// transact runs f in a transaction, and again where another was in the way. A key that is there already counts as in the way: whoever looked
// before it wrote will find the row the second time. f must not keep anything of a failed attempt.
func (s *Store) transact(ctx context.Context, doing string, f func(context.Context, *transaction) error) error {
	for attempt := 1; ; attempt++ {
		err := s.once(ctx, f)
		if err == nil {
			return nil
		}
		kind := s.dialect.classify(err)
		if attempt == attempts || kind != collided && kind != notUnique || ctx.Err() != nil {
			return s.fault(err, doing)
		}
		s.log.DebugContext(ctx, "transaction tried again", "doing", doing, "attempt", attempt, "err", err)
		pause := time.Duration(1<<attempt) * 5 * time.Millisecond
		select {
		case <-ctx.Done():
			return s.fault(ctx.Err(), doing)
		case <-time.After(pause/2 + rand.N(pause)):
		}
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
	err = f(ctx, &transaction{tx, conn})
	if err == nil {
		err = tx.Commit()
	}
	if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil { // database/sql rolls back as soon as the context ends, and then knows of no transaction
		err = fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return err
}
