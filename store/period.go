package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"

	"carbongraph/internal/fault"
)

// referencesLock stands for the schema and the reference data of everybody. The number is ours by choice alone.
const referencesLock = 4717402563

// lockReferences keeps out other migrations and imports of datasets until the transaction ends.
func (s *Store) lockReferences(ctx context.Context, tx *transaction) error {
	_, err := s.dialect.lock(ctx, tx, referencesLock, false, "")
	return err
}

// linesLock stands for the lines of one organization. Two organizations that share a number, which is next to impossible, wait for each other at times.
func (t *Tenant) linesLock() int64 {
	sum := sha256.Sum256(append([]byte("lines of "), t.org[:]...))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}

// WriteAlone is Write while nobody else writes lines of the organization: it waits for those who do, sees all that they wrote, and keeps others waiting until it
// is done. It is for what must not meet them: locking a year, or changing very many lines at once.
func (t *Tenant) WriteAlone(ctx context.Context, f func(context.Context, *Writer) error) error {
	return t.Write(ctx, func(ctx context.Context, w *Writer) error {
		if err := w.holdLines(ctx, false); err != nil {
			return err
		}
		return f(ctx, w)
	})
}

// holdLines takes the lock on the organization's lines, shared or alone, before the transaction's first look at them, and learns which years are locked. Until
// the transaction ends they stay so: a year is locked by who holds the lock alone. So a lock sees all rows of a writer, or the writer sees the lock.
func (w *Writer) holdLines(ctx context.Context, shared bool) (err error) {
	if w.holds {
		return nil
	}
	began := time.Now()
	defer func() { observer{w.t.store.metrics}.note(ctx, "SELECT", "reporting_years", began, err) }()
	w.lockedYears, err = w.t.store.dialect.lock(ctx, w.tx, w.t.linesLock(), shared, "SELECT year FROM reporting_years WHERE org_id = $1 AND locked", w.t.org.String())
	w.holds = err == nil
	return err
}

// LockedYears gives the years in which nothing may change, and keeps them as they are until the transaction ends. PutLines and DeleteLines ask by themselves.
func (w *Writer) LockedYears(ctx context.Context) ([]int32, error) {
	err := w.holdLines(ctx, true)
	return slices.Clone(w.lockedYears), err
}

// closed tells that a year is locked.
func (w *Writer) closed(year int) bool { return slices.Contains(w.lockedYears, int32(year)) }

// closedTo gives why a line, as it was and as it is to be, cannot be written: a year that is locked keeps its lines, and gets no others. Nil where it can be, or
// where it says nothing new.
func (w *Writer) closedTo(p *pendingLine, was *storedLine) *fault.Fault {
	switch a := p.Activity; {
	case was != nil && !p.isNew(was):
		return nil
	case was != nil && w.closed(was.occurredOn.Year()):
		return lineLocked(a.ExternalID, was.occurredOn.Year())
	case w.closed(a.OccurredOn.Year()):
		return lineLocked(a.ExternalID, a.OccurredOn.Year()).At("occurredOn")
	}
	return nil
}

func lineLocked(externalID string, year int) *fault.Fault {
	return fault.New(fault.PeriodLocked, "The line %.80q is of %d, a reporting year that is locked. Book it in a year that is open, or have an ADMIN unlock %[2]d by lockReportingYear.",
		externalID, year)
}

// yearLocked is why something that is said of a year cannot be changed.
func yearLocked(year int32) *fault.Fault {
	return fault.New(fault.PeriodLocked, "The reporting year %d is locked, and what is said of it stays. Have an ADMIN unlock it by lockReportingYear first.", year)
}
