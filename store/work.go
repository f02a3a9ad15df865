package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"time"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

// KeyLife is how long an idempotency key keeps the answer that was given first.
const KeyLife = 24 * time.Hour

// Claim is how work stands that a client named by an idempotency key.
type Claim struct {
	Work     ID   // what its pieces are stored under
	Mine     bool // the caller holds the key, and is to do what is left of the work
	Finished bool // all of it is done
}

// ClaimKey takes a key for a holder, for so long, or tells how its work stands. A key that was given for another operation or input is IDEMPOTENCY_KEY_REUSED.
func (t *Tenant) ClaimKey(ctx context.Context, name, operation string, digest []byte, holder ID, lease time.Duration) (*Claim, error) {
	var c *Claim
	err := t.Write(ctx, func(ctx context.Context, w *Writer) error {
		now := t.store.Now()
		c = &Claim{Work: t.store.newID(), Mine: true}
		n, err := w.affected(ctx, "idempotency_keys", `INSERT INTO idempotency_keys (org_id, name, operation, digest, work_id, holder, lease_until, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (org_id, name) DO NOTHING`, t.org, name, operation, digest, c.Work, holder, later(now, lease), now)
		if err != nil || n == 1 {
			return err
		}
		if *c, err = w.key(ctx, name, operation, digest); err != nil || c.Finished {
			return err
		}
		n, err = w.affected(ctx, "idempotency_keys", `UPDATE idempotency_keys SET holder = $3, lease_until = $4
			WHERE org_id = $1 AND name = $2 AND finished_at IS NULL AND (lease_until IS NULL OR lease_until < $5)`, t.org, name, holder, later(now, lease), now)
		c.Mine = n == 1
		return err
	})
	return c, err
}

// key reads a key that is there.
func (w *Writer) key(ctx context.Context, name, operation string, digest []byte) (Claim, error) {
	var c Claim
	var was string
	var had []byte
	var finished *exact.Instant
	err := w.query(ctx, "SELECT", "idempotency_keys", "SELECT operation, digest, work_id, finished_at FROM idempotency_keys WHERE org_id = $1 AND name = $2",
		[]any{w.t.org, name}, func(scan scanner) error { return scan(&was, &had, &c.Work, &finished) })
	if err == nil && (was != operation || !bytes.Equal(had, digest)) {
		err = keyReused()
	}
	c.Finished = finished != nil
	return c, err
}

func keyReused() *fault.Fault {
	return fault.New(fault.IdempotencyKeyReused, "This idempotency key was given for other work within the last 24 hours; give each piece of work a key of its own.")
}

// HoldKey renews the lease of a key, in the transaction of what was done and last in it, so that the writers of one piece of work do not wait for each other's sums.
// Whoever has left the key, or does not hold it any more, gets ErrNotHeld, now or at the end, and nothing of the transaction stays. Finished work is kept for as long
// as keys are.
func (w *Writer) HoldKey(ctx context.Context, name string, holder ID, lease time.Duration, finished bool) error {
	const held = "org_id = $1 AND name = $2 AND holder = $3 AND finished_at IS NULL AND lease_until IS NOT NULL"
	n := 0
	err := w.query(ctx, "SELECT", "idempotency_keys", "SELECT 1 FROM idempotency_keys WHERE "+held, []any{w.t.org, name, holder}, func(scan scanner) error { return scan(&n) })
	if err == nil && n == 0 {
		err = ErrNotHeld
	}
	w.last = append(w.last, func(ctx context.Context) error {
		now := w.t.store.Now()
		var end *exact.Instant
		if finished {
			end = &now
		}
		n, err := w.affected(ctx, "idempotency_keys", "UPDATE idempotency_keys SET lease_until = $4, finished_at = $5 WHERE "+held, w.t.org, name, holder, later(now, lease), end)
		if err == nil && n == 0 {
			err = ErrNotHeld
		}
		return err
	})
	return err
}

// LeaveKey gives a key back whose work failed: with nothing stored it is free for any work, and otherwise for whoever goes on with the same. A transaction of the work
// may still be on its way. Where that has renewed the key, the first statement waits for it, and what it stored is there for the second, which begins later; where it
// has not, it finds the key left, and stores nothing.
func (t *Tenant) LeaveKey(ctx context.Context, name string, holder ID) error {
	return t.Write(ctx, func(ctx context.Context, w *Writer) error {
		const held = "org_id = $1 AND name = $2 AND holder = $3 AND finished_at IS NULL"
		if err := w.exec(ctx, "UPDATE", "idempotency_keys", "UPDATE idempotency_keys SET lease_until = NULL WHERE "+held, t.org, name, holder); err != nil {
			return err
		}
		return w.exec(ctx, "DELETE", "idempotency_keys", "DELETE FROM idempotency_keys WHERE "+held+
			" AND NOT EXISTS (SELECT 1 FROM work_pieces AS p WHERE p.org_id = $1 AND p.work_id = idempotency_keys.work_id)", t.org, name, holder)
	})
}

// Answered tells whether the work of every one of these keys is done, so that the answer is there already.
func (t *Tenant) Answered(ctx context.Context, names []string) (bool, error) {
	b := t.statement("k")
	b.in("k.name", listText, names)
	n := 0
	err := t.store.read(ctx, "idempotency_keys", "SELECT COUNT(*) FROM idempotency_keys AS k WHERE "+b.all("k.finished_at IS NOT NULL"), b, func(scan scanner) error { return scan(&n) })
	return n == len(names), err
}

// Piece is a part of a piece of work that is stored: so many items from a place on, and what became of them, as who did it worded that.
type Piece struct {
	First, Items int
	Outcome      []byte
}

// Pieces gives what is stored of work, in order.
func (t *Tenant) Pieces(ctx context.Context, work ID) (all []Piece, err error) {
	b := t.statement("p")
	b.is("p.work_id", "=", work)
	err = t.store.read(ctx, "work_pieces", "SELECT p.first_at, p.items, p.outcome FROM work_pieces AS p WHERE "+b.all()+" ORDER BY p.first_at", b, func(scan scanner) error {
		var p Piece
		err := scan(&p.First, &p.Items, &p.Outcome)
		all = append(all, p)
		return err
	})
	return all, err
}

// PutPiece notes that a part of work is stored, in the transaction of its rows.
func (w *Writer) PutPiece(ctx context.Context, work ID, p Piece) error {
	return w.exec(ctx, "INSERT", "work_pieces", "INSERT INTO work_pieces (org_id, work_id, first_at, items, outcome) VALUES ($1, $2, $3, $4, $5)", w.t.org, work, p.First, p.Items, p.Outcome)
}

// SweepWork forgets keys that are older than they are kept for, what was stored for them, the pieces of batches that have ended, and the files of those that ended a
// day ago.
func (s *Store) SweepWork(ctx context.Context) error {
	return s.transact(ctx, "sweep work", ID{}, func(ctx context.Context, tx *transaction) error {
		old := later(s.Now(), -KeyLife)
		for _, text := range []string{
			"DELETE FROM work_pieces WHERE EXISTS (SELECT 1 FROM organizations AS o JOIN idempotency_keys AS k ON k.org_id = o.id WHERE k.created_at < ? AND k.org_id = work_pieces.org_id AND k.work_id = work_pieces.work_id)",
			"DELETE FROM idempotency_keys WHERE org_id IN (SELECT id FROM organizations) AND created_at < ?",
			"DELETE FROM work_pieces WHERE EXISTS (SELECT 1 FROM batches AS b WHERE b.org_id = work_pieces.org_id AND b.id = work_pieces.work_id AND b.tidied AND b.finished_at < ?)",
		} {
			if _, err := tx.NewRaw(text, old).Exec(ctx); err != nil {
				return err
			}
		}
		return sweepFiles(ctx, tx, later(s.Now(), -FileLife))
	})
}

// SweepParts removes files whose batch never came to be, since the server that took them was killed. A file that is on its way to another server looks the same: it is
// given a day. The embedded database has one server, which takes none from before it was opened.
func (s *Store) SweepParts(ctx context.Context) error {
	before := s.now().Add(-KeyLife)
	if s.address == nil {
		before = s.opened
	}
	return s.transact(ctx, "sweep files", ID{}, func(ctx context.Context, tx *transaction) error {
		_, err := tx.NewRaw("DELETE FROM batch_parts WHERE org_id IN (SELECT id FROM organizations) AND batch_id < ? AND NOT EXISTS "+
			"(SELECT 1 FROM batches AS b WHERE b.org_id = batch_parts.org_id AND b.id = batch_parts.batch_id)", firstID(before)).Exec(ctx)
		return err
	})
}

// firstID is before every id that is made from a moment on.
func firstID(at time.Time) (id ID) {
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(at.UnixMilli()))
	copy(id[:6], ms[2:])
	return id
}

// sweepFiles removes files whose batch ended so long ago that nobody may fetch them.
func sweepFiles(ctx context.Context, tx *transaction, old exact.Instant) error {
	_, err := tx.NewRaw("DELETE FROM batch_parts WHERE EXISTS (SELECT 1 FROM batches AS b WHERE b.org_id = batch_parts.org_id AND b.id = batch_parts.batch_id AND b.finished_at < ?)", old).Exec(ctx)
	return err
}
