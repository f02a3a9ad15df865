package store

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

// Rank is the order in which batches of an organization that wait are begun, the lowest first: what changes figures goes before what writes them out.
func (k BatchKind) Rank() int {
	switch k {
	case BatchRecalculation:
		return 1
	case BatchImport:
		return 2
	case BatchExport:
		return 3
	}
	return 4
}

// rank is Rank in SQL.
const rank = "CASE b.kind WHEN '" + string(BatchRecalculation) + "' THEN 1 WHEN '" + string(BatchImport) + "' THEN 2 WHEN '" + string(BatchExport) + "' THEN 3 ELSE 4 END"

// Queued is a batch that may be begun now, or that left something behind.
type Queued struct {
	Org, ID ID
	Kind    BatchKind
	Takes   int32          // how often it was begun
	AtWork  int32          // batches of its organization that somebody holds
	Turn    *exact.Instant // when a batch of its organization was last taken; nil: never
}

// Before tells whether it is the organization's turn before the other's: whoever has less at work goes first, and of those with the same whoever has waited longer for a turn.
func (q Queued) Before(o Queued) bool {
	switch {
	case q.Org == o.Org:
		return false
	case q.AtWork != o.AtWork:
		return q.AtWork < o.AtWork
	case q.Turn == nil || o.Turn == nil:
		return q.Turn == nil && o.Turn != nil
	}
	return q.Turn.Time().Before(o.Turn.Time())
}

// Queue gives the batches of all organizations that may be begun now, whose turn it is first, so many at most: those that nobody holds, of each organization as many as
// it may have at work beside what it has.
func (s *Store) Queue(ctx context.Context, atOnce, most int) (queue []Queued, err error) {
	b := s.statement()
	now := b.bind(s.Now())
	text := "SELECT q.org_id, q.id, q.kind, q.takes, q.at_work, t.taken_at FROM (" +
		"SELECT w.*, SUM(w.held) OVER (PARTITION BY w.org_id) AS at_work, ROW_NUMBER() OVER (PARTITION BY w.org_id, w.ready ORDER BY w.nr, w.id) AS place FROM (" +
		"SELECT b.org_id, b.id, b.kind, b.takes, " + rank + " AS nr, CASE WHEN b.lease_until >= " + now + " THEN 1 ELSE 0 END AS held, " +
		"CASE WHEN (b.lease_until IS NULL OR b.lease_until < " + now + ") AND NOT EXISTS (" + olderBatch + ") THEN 1 ELSE 0 END AS ready " +
		"FROM batches AS b WHERE NOT b.tidied) AS w) AS q LEFT JOIN batch_turns AS t ON t.org_id = q.org_id " +
		"WHERE q.ready = 1 AND q.place <= " + b.bind(int64(atOnce)) + " - q.at_work " +
		"ORDER BY q.at_work + q.place, CASE WHEN t.taken_at IS NULL THEN 0 ELSE 1 END, t.taken_at, q.nr, q.id LIMIT " + b.bind(int64(most))
	err = s.read(ctx, "batches", text, b, func(scan scanner) error {
		var q Queued
		err := scan(&q.Org, &q.ID, &q.Kind, &q.Takes, &q.AtWork, &q.Turn)
		queue = append(queue, q)
		return err
	})
	return queue, err
}

// olderBatch finds what b has to wait for: of an organization's recalculations each begins where the one before ended.
const olderBatch = "SELECT 1 FROM batches AS o WHERE o.org_id = b.org_id AND o.id < b.id AND o.finished_at IS NULL AND o.kind = 'RECALCULATION' AND b.kind = 'RECALCULATION'"

// HeldBatch is a batch that somebody holds, and for the how many-th time.
type HeldBatch struct {
	Org, ID ID
	Takes   int32
}

// HeldBatches gives the batches of all organizations that are held now.
func (s *Store) HeldBatches(ctx context.Context) (held []HeldBatch, err error) {
	b := s.statement()
	b.is("b.lease_until", ">=", s.Now())
	err = s.read(ctx, "batches", "SELECT b.org_id, b.id, b.takes FROM batches AS b WHERE NOT b.tidied AND "+b.all(), b, func(scan scanner) error {
		var h HeldBatch
		err := scan(&h.Org, &h.ID, &h.Takes)
		held = append(held, h)
		return err
	})
	return held, err
}

// errNotTaken takes a turn back that led to nothing.
var errNotTaken = errors.New("store: batch not taken")

// TakeBatch takes a batch that nobody holds, for so long, and tells how it stands; nil where another was faster. The holder is a token of the caller's.
func (t *Tenant) TakeBatch(ctx context.Context, id, holder ID, lease time.Duration) (*Batch, error) {
	return t.TakeTurn(ctx, id, holder, lease, math.MaxInt32)
}

// TakeTurn is TakeBatch where the organization has fewer batches at work than it may have at once; nil where it has as many.
func (t *Tenant) TakeTurn(ctx context.Context, id, holder ID, lease time.Duration, atOnce int) (*Batch, error) {
	err := t.Write(ctx, func(ctx context.Context, w *Writer) error {
		now := t.store.Now()
		// Who takes another batch of the organization at the same moment waits here, and then sees that this one is taken.
		err := w.exec(ctx, "INSERT", "batch_turns", "INSERT INTO batch_turns (org_id, taken_at) VALUES ($1, $2) ON CONFLICT (org_id) DO UPDATE SET taken_at = excluded.taken_at", t.org, now)
		if err != nil {
			return err
		}
		n, err := w.affected(ctx, "batches", `UPDATE batches AS b SET holder = $3, lease_until = $4, takes = takes + 1,
			status = CASE WHEN finished_at IS NULL THEN $5 ELSE status END, started_at = COALESCE(started_at, $6)
			WHERE org_id = $1 AND id = $2 AND NOT tidied AND (lease_until IS NULL OR lease_until < $6) AND NOT EXISTS (`+olderBatch+`)
			AND (SELECT COUNT(*) FROM batches AS h WHERE h.org_id = b.org_id AND h.id <> b.id AND NOT h.tidied AND h.lease_until >= $6) < $7`,
			t.org, id, holder, later(now, lease), string(RunRunning), now, int64(atOnce))
		if err == nil && n == 0 {
			err = errNotTaken
		}
		if err != nil {
			return err
		}
		return w.exec(ctx, "UPDATE", "calculation_runs", "UPDATE calculation_runs SET status = $2 WHERE org_id = $1 AND id = (SELECT run_id FROM batches WHERE org_id = $1 AND id = $3) AND finished_at IS NULL AND status <> $2",
			t.org, string(RunRunning), id)
	})
	if errors.Is(err, errNotTaken) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rows, err := t.BatchesWith([]ID{id}, 0).All(ctx)
	if err != nil || len(rows) != 1 {
		return nil, err
	}
	return rows[0], nil
}

// KeepBatch renews the lease of a batch without progress. Whoever does not hold it any more gets ErrNotHeld.
func (t *Tenant) KeepBatch(ctx context.Context, id, holder ID, lease time.Duration) error {
	return t.Write(ctx, func(ctx context.Context, w *Writer) error {
		n, err := w.affected(ctx, "batches", "UPDATE batches SET lease_until = $4 WHERE org_id = $1 AND id = $2 AND holder = $3 AND NOT tidied AND lease_until IS NOT NULL",
			t.org, id, holder, later(t.store.Now(), lease))
		if err == nil && n == 0 {
			err = ErrNotHeld
		}
		return err
	})
}

// Pool connects once more to the same Postgres database, for a library that brings statements of its own: so many connections at most, beside those of the store. It
// prepares nothing, so that a pooler may stand between. Whoever asks for it closes it. On SQLite there is none: nil.
func (s *Store) Pool(ctx context.Context, conns int) (*pgxpool.Pool, error) {
	if s.address == nil {
		return nil, nil
	}
	cfg := s.address.Copy()
	cfg.MaxConns, cfg.MinConns, cfg.MinIdleConns = int32(conns), 0, 0
	cfg.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "The pool of connections cannot be made; check DATABASE_URL.")
	}
	return pool, nil
}
