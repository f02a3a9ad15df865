package store

import (
	"context"
	"math"
	"time"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

// BatchKind is what a batch does.
type BatchKind string

// The kinds of batch.
const (
	BatchImport        BatchKind = "IMPORT"
	BatchRecalculation BatchKind = "RECALCULATION"
	BatchExport        BatchKind = "EXPORT"
)

// Batch is work in the background.
type Batch struct {
	ID         ID
	Kind       BatchKind
	Status     RunStatus
	RunID      *ID
	Spec       string // what is to be done, as the kind has it
	Actor      string // who asked for it
	Total      *int32 // nil: not known yet
	Processed  int32
	Failed     int32
	Created    int32 // by an import, as are those that follow
	Updated    int32
	Unchanged  int32
	Calculated int32
	Excluded   int32
	Size       *int64 // bytes of the file; nil: there is none, or nobody knows
	Read       int64  // bytes of it that are done with
	Position   *ID    // the last activity that is done with, in the order of ids
	Takes      int32  // how often it was begun
	Cancelled  bool
	Problem    *Problem // why it failed
	CreatedAt  exact.Instant
	StartedAt  *exact.Instant
	UpdatedAt  *exact.Instant // when Processed was last noted
	FinishedAt *exact.Instant

	code, message *string // while the row is read
}

var batchRelation = newRelation("batches", "b", (*Batch).pair,
	idColumn("b.id", "ID GlobalID DownloadURL", func(b *Batch) *ID { return &b.ID }),
	textColumn("b.kind", "Kind FailedRowsURL DownloadURL DownloadExpiresAt", func(b *Batch) *BatchKind { return &b.Kind }),
	textColumn("b.status", "Status DownloadURL DownloadExpiresAt", func(b *Batch) *RunStatus { return &b.Status }),
	maybeID("b.run_id", "RunID", func(b *Batch) **ID { return &b.RunID }),
	textColumn("b.spec", "Spec", func(b *Batch) *string { return &b.Spec }),
	textColumn("b.actor", "Actor", func(b *Batch) *string { return &b.Actor }),
	maybeInt("b.total", "Total EstimatedSecondsLeft", func(b *Batch) **int32 { return &b.Total }),
	intColumn("b.processed", "Processed Succeeded RowsPerSecond EstimatedSecondsLeft", func(b *Batch) *int32 { return &b.Processed }),
	intColumn("b.failed", "Failed Succeeded FailedRowsURL", func(b *Batch) *int32 { return &b.Failed }),
	intColumn("b.created", "Created", func(b *Batch) *int32 { return &b.Created }),
	intColumn("b.updated", "Updated", func(b *Batch) *int32 { return &b.Updated }),
	intColumn("b.unchanged", "Unchanged", func(b *Batch) *int32 { return &b.Unchanged }),
	intColumn("b.calculated", "Calculated", func(b *Batch) *int32 { return &b.Calculated }),
	intColumn("b.excluded", "Excluded", func(b *Batch) *int32 { return &b.Excluded }),
	maybeLong("b.size_bytes", "EstimatedSecondsLeft", func(b *Batch) **int64 { return &b.Size }),
	longColumn("b.read_bytes", "EstimatedSecondsLeft", func(b *Batch) *int64 { return &b.Read }),
	maybeID("b.position", "Position", func(b *Batch) **ID { return &b.Position }),
	intColumn("b.takes", "Takes", func(b *Batch) *int32 { return &b.Takes }),
	boolColumn("b.cancelled", "Cancelled", func(b *Batch) *bool { return &b.Cancelled }),
	maybeText("b.problem_code", "Problem", func(b *Batch) **string { return &b.code }),
	maybeText("b.problem_message", "Problem", func(b *Batch) **string { return &b.message }),
	instantColumn("b.created_at", "CreatedAt", func(b *Batch) *exact.Instant { return &b.CreatedAt }),
	maybeInstant("b.started_at", "StartedAt RowsPerSecond EstimatedSecondsLeft", func(b *Batch) **exact.Instant { return &b.StartedAt }),
	maybeInstant("b.updated_at", "RowsPerSecond EstimatedSecondsLeft", func(b *Batch) **exact.Instant { return &b.UpdatedAt }),
	maybeInstant("b.finished_at", "FinishedAt EstimatedSecondsLeft DownloadURL DownloadExpiresAt", func(b *Batch) **exact.Instant { return &b.FinishedAt }),
)

func batches() *relation[Batch] { return batchRelation }

// pair makes of two columns what they mean together.
func (b *Batch) pair() {
	b.Problem = nil
	if b.code != nil && b.message != nil {
		b.Problem = &Problem{Code: *b.code, Message: *b.message}
	}
	b.code, b.message = nil, nil
}

// BatchesWith is the read of the batches with these ids, in any order; those that are not there, or are another organization's, are missing.
func (t *Tenant) BatchesWith(ids []ID, some Columns) *Select[Batch] {
	return byID(t.store, t.statement("b"), batches(), ids, some)
}

// StartRecalculation stores a run and the batch that is to make it, with what others write beside them; times are filled in, and ids that are missing. Nobody sees
// the run's emissions before it is published.
func (t *Tenant) StartRecalculation(ctx context.Context, b *Batch, r *CalculationRun, also ...func(context.Context, *Writer) error) error {
	now := t.store.Now()
	b.Kind, b.Status, b.CreatedAt = BatchRecalculation, RunQueued, now
	if b.ID.IsZero() {
		b.ID = t.store.newID()
	}
	r.ID, r.Status, r.StartedAt = t.store.newID(), RunQueued, now
	b.RunID = &r.ID
	return t.Write(ctx, func(ctx context.Context, w *Writer) error {
		if err := w.mayQueue(ctx); err != nil {
			return err
		}
		row := runRow{OrgID: t.org, ID: r.ID, Status: r.Status, Preview: r.Preview, Reason: r.Reason, GwpSet: r.GwpSet, StartedAt: r.StartedAt}
		if _, err := w.tx.NewInsert().Model(&row).Exec(ctx); err != nil {
			return err
		}
		err := w.unseen(func() error { // the run has no emissions yet
			return w.exec(ctx, "INSERT", "unpublished_runs", "INSERT INTO unpublished_runs (org_id, run_id) VALUES ($1, $2)", t.org, r.ID)
		})
		if err != nil {
			return err
		}
		if err := w.insertBatch(ctx, b); err != nil {
			return err
		}
		for _, f := range also {
			if err := f(ctx, w); err != nil {
				return err
			}
		}
		return nil
	})
}

// QueueBatch stores a batch that is to be done in the background; id and times are filled in where they are missing.
func (w *Writer) QueueBatch(ctx context.Context, b *Batch) error {
	if err := w.mayQueue(ctx); err != nil {
		return err
	}
	w.completeBatch(b)
	b.Status = RunQueued
	return w.insertBatch(ctx, b)
}

// BeginBatch stores a batch that the caller does itself, and holds it for so long. Where the caller is gone before its end, others may take it over.
func (w *Writer) BeginBatch(ctx context.Context, b *Batch, holder ID, lease time.Duration) error {
	w.completeBatch(b)
	now := w.t.store.Now()
	b.Status, b.StartedAt, b.Takes = RunRunning, &now, 1
	if err := w.insertBatch(ctx, b); err != nil {
		return err
	}
	return w.exec(ctx, "UPDATE", "batches", "UPDATE batches SET holder = $3, lease_until = $4, started_at = $5, takes = 1 WHERE org_id = $1 AND id = $2", w.t.org, b.ID, holder, later(now, lease), now)
}

func (w *Writer) completeBatch(b *Batch) {
	if b.ID.IsZero() {
		b.ID = w.t.store.newID()
	}
	b.CreatedAt = w.t.store.Now()
}

func (w *Writer) insertBatch(ctx context.Context, b *Batch) error {
	return w.exec(ctx, "INSERT", "batches", `INSERT INTO batches (org_id, id, kind, status, run_id, spec, actor, total, processed, failed, takes, cancelled, tidied, created_at, size_bytes)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, 0, FALSE, FALSE, $9, $10)`, w.t.org, b.ID, string(b.Kind), string(b.Status), b.RunID, b.Spec, b.Actor, b.Total, b.CreatedAt, b.Size)
}

// mayQueue refuses batches beyond what may wait of one organization.
func (w *Writer) mayQueue(ctx context.Context) error {
	var open int
	err := w.query(ctx, "SELECT", "batches", "SELECT COUNT(*) FROM batches WHERE org_id = $1 AND NOT tidied AND finished_at IS NULL", []any{w.t.org}, func(scan scanner) error { return scan(&open) })
	if err == nil && open >= maxOpenBatches {
		err = fault.New(fault.Overloaded, "%d batches of the organization wait already; cancel some, or ask again when they are done.", open)
	}
	return err
}

// maxOpenBatches bounds what waits of one organization.
const maxOpenBatches = 100

func later(now exact.Instant, by time.Duration) exact.Instant {
	return exact.InstantOf(now.Time().Add(by))
}

// ErrNotHeld tells that a batch is another's by now, or was cancelled: whoever worked on it stops.
var ErrNotHeld = fault.New(fault.Conflict, "The batch was cancelled, or another process has taken it over.")

// Progress notes how far a batch has come and renews the lease, in the transaction of what was done. Whoever does not hold the batch any more, or holds one that was
// cancelled, gets ErrNotHeld, and nothing of the transaction stays.
func (w *Writer) Progress(ctx context.Context, b *Batch, holder ID, lease time.Duration) error {
	n, err := w.affected(ctx, "batches", `UPDATE batches SET lease_until = $4, total = $5, processed = $6, failed = $7, position = $8, updated_at = $9
		WHERE org_id = $1 AND id = $2 AND holder = $3 AND finished_at IS NULL AND NOT cancelled`,
		w.t.org, b.ID, holder, later(w.t.store.Now(), lease), b.Total, b.Processed, b.Failed, b.Position, w.t.store.Now())
	if err == nil && n == 0 {
		err = ErrNotHeld
	}
	return err
}

// Holds refuses, with ErrNotHeld, to go on with a batch that is another's by now, or was cancelled.
func (w *Writer) Holds(ctx context.Context, b *Batch, holder ID) error {
	n := 0
	err := w.query(ctx, "SELECT", "batches", "SELECT 1 FROM batches WHERE org_id = $1 AND id = $2 AND holder = $3 AND finished_at IS NULL AND NOT cancelled", []any{w.t.org, b.ID, holder},
		func(scan scanner) error { return scan(&n) })
	if err == nil && n == 0 {
		err = ErrNotHeld
	}
	return err
}

// CancelBatch has a batch stop, as soon as whoever works on it looks; one that nobody has begun is at its end. A batch that has ended stays as it is; one that is not
// there is NOT_FOUND.
func (t *Tenant) CancelBatch(ctx context.Context, id ID) error {
	return t.Write(ctx, func(ctx context.Context, w *Writer) error {
		n, err := w.affected(ctx, "batches", "UPDATE batches SET cancelled = TRUE WHERE org_id = $1 AND id = $2", t.org, id)
		if err == nil && n == 0 {
			err = fault.New(fault.NotFound, "There is no batch with this id.").At("id")
		}
		if err != nil {
			return err
		}
		now := t.store.Now()
		n, err = w.affected(ctx, "batches", "UPDATE batches SET status = $3, finished_at = $4 WHERE org_id = $1 AND id = $2 AND takes = 0 AND finished_at IS NULL",
			t.org, id, string(RunCancelled), now)
		if err != nil || n == 0 {
			return err
		}
		return w.exec(ctx, "UPDATE", "calculation_runs", "UPDATE calculation_runs SET status = $3, finished_at = $4 WHERE org_id = $1 AND id = (SELECT run_id FROM batches WHERE org_id = $1 AND id = $2)",
			t.org, id, string(RunCancelled), now)
	})
}

// EndBatch stores how a batch and its run ended. Only its holder ends it.
func (w *Writer) EndBatch(ctx context.Context, b *Batch, holder ID, status RunStatus, problem *Problem) error {
	now := w.t.store.Now()
	var code, message *string
	if problem != nil {
		code, message = &problem.Code, &problem.Message
	}
	n, err := w.affected(ctx, "batches", `UPDATE batches SET status = $4, problem_code = $5, problem_message = $6, processed = $7, failed = $8, finished_at = $9
		WHERE org_id = $1 AND id = $2 AND holder = $3 AND finished_at IS NULL`, w.t.org, b.ID, holder, string(status), code, message, b.Processed, b.Failed, now)
	if err == nil && n == 0 {
		err = ErrNotHeld
	}
	if err != nil {
		return err
	}
	if b.RunID == nil {
		return nil
	}
	return w.exec(ctx, "UPDATE", "calculation_runs", "UPDATE calculation_runs SET status = $3, finished_at = $4 WHERE org_id = $1 AND id = $2", w.t.org, b.RunID, string(status), now)
}

// EndCancelled ends a batch that was cancelled. One that is another's by now is ErrNotHeld, and left to that one.
func (w *Writer) EndCancelled(ctx context.Context, b *Batch, holder ID) error {
	n := 0
	err := w.query(ctx, "SELECT", "batches", "SELECT 1 FROM batches WHERE org_id = $1 AND id = $2 AND holder = $3 AND cancelled", []any{w.t.org, b.ID, holder}, func(scan scanner) error { return scan(&n) })
	if err == nil && n == 0 {
		err = ErrNotHeld
	}
	if err != nil {
		return err
	}
	if b.Kind != BatchImport {
		return w.EndBatch(ctx, b, holder, RunCancelled, nil)
	}
	return w.EndImport(ctx, b, holder, RunCancelled, nil)
}

// ReleaseBatch gives a batch back before its lease ends.
func (t *Tenant) ReleaseBatch(ctx context.Context, id, holder ID) error {
	return t.Write(ctx, func(ctx context.Context, w *Writer) error {
		_, err := w.affected(ctx, "batches", "UPDATE batches SET lease_until = NULL WHERE org_id = $1 AND id = $2 AND holder = $3", t.org, id, holder)
		return err
	})
}

// TidyBatch notes that a batch has ended and left nothing behind.
func (t *Tenant) TidyBatch(ctx context.Context, b *Batch, holder ID) error {
	return t.Write(ctx, func(ctx context.Context, w *Writer) error {
		n, err := w.affected(ctx, "batches", "UPDATE batches SET tidied = TRUE, lease_until = NULL WHERE org_id = $1 AND id = $2 AND holder = $3 AND finished_at IS NOT NULL",
			t.org, b.ID, holder)
		if err == nil && n == 0 {
			err = ErrNotHeld
		}
		if err != nil {
			return err
		}
		if b.RunID == nil || b.Kind != BatchRecalculation {
			return nil
		}
		return w.exec(ctx, "DELETE", "unpublished_runs", "DELETE FROM unpublished_runs WHERE org_id = $1 AND run_id = $2", t.org, b.RunID)
	})
}

// affected runs a statement with bound values in the transaction and tells how many rows it changed.
func (w *Writer) affected(ctx context.Context, table, text string, args ...any) (n int64, err error) {
	began := time.Now()
	s := w.t.store
	defer func() { observer{s.metrics}.note(ctx, "UPDATE", table, began, err) }()
	res, err := w.tx.exec(ctx, text, s.dialect.bound(args, false)...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// FailedRowsURL is where the records of an import that failed are to be had; nil where none did.
func (b *Batch) FailedRowsURL() *string {
	if b.Kind != BatchImport || b.Failed == 0 {
		return nil
	}
	return new("/imports/" + Global(KindBatch, b.ID).String() + "/failures.csv")
}

// Succeeded is how many lines were calculated.
func (b *Batch) Succeeded() int32 { return b.Processed - b.Failed }

// RowsPerSecond is how fast the batch is, or was; nil before it has done anything.
func (b *Batch) RowsPerSecond() *exact.Decimal {
	if b.StartedAt == nil || b.UpdatedAt == nil || b.Processed == 0 {
		return nil
	}
	milliseconds := max(1, b.UpdatedAt.Time().Sub(b.StartedAt.Time()).Milliseconds())
	rate := exact.NewDecimal(int64(b.Processed)*1000, 0).Quo(exact.NewDecimal(milliseconds, 0)).Round(1)
	return &rate
}

// EstimatedSecondsLeft is how long the rest will take at that rate, by lines or, where nobody has counted them, by what is read of the file; nil where it cannot be
// told, or nothing is left.
func (b *Batch) EstimatedSecondsLeft() *int32 {
	if b.FinishedAt == nil && b.Total == nil && b.Size != nil && b.Read > 0 && b.StartedAt != nil && b.UpdatedAt != nil {
		took := b.UpdatedAt.Time().Sub(b.StartedAt.Time()).Seconds()
		return new(int32(min(1<<31-1, math.Ceil(took*float64(max(0, *b.Size-b.Read))/float64(b.Read)))))
	}
	rate := b.RowsPerSecond()
	if b.FinishedAt != nil || b.Total == nil || rate == nil || rate.Sign() == 0 {
		return nil
	}
	left, ok := exact.NewDecimal(int64(max(0, *b.Total-b.Processed)), 0).Quo(*rate).Scaled(0)
	if !ok || left > 1<<31-1 {
		return nil
	}
	return new(int32(left))
}
