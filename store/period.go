package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"

	"carbongraph/internal/exact"
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
	w.locked, err = w.t.store.dialect.lock(ctx, w.tx, w.t.linesLock(), shared, "SELECT year FROM reporting_years WHERE org_id = $1 AND locked", w.t.org.String())
	w.holds = err == nil
	return err
}

// LockedYears gives the years in which nothing may change, and keeps them as they are until the transaction ends. PutLines and DeleteLines ask by themselves.
func (w *Writer) LockedYears(ctx context.Context) ([]int32, error) {
	err := w.holdLines(ctx, true)
	return slices.Clone(w.locked), err
}

// Locked tells of lines that say something new why a locked year would refuse them by now; nil of those that none would. PutLines decides.
func (t *Tenant) Locked(ctx context.Context, lines []*Activity) ([]*fault.Fault, error) {
	refused := make([]*fault.Fault, len(lines))
	if len(lines) == 0 {
		return refused, nil
	}
	b := t.statement("y")
	b.where("y.locked")
	rows, err := all(t.store, b, lockedYear, "", 0).All(ctx)
	if err != nil || len(rows) == 0 {
		return refused, err
	}
	var years lockedYears
	for _, year := range rows {
		years = append(years, *year)
	}
	stored, err := t.storedDays(ctx, lines)
	if err != nil {
		return nil, err
	}
	for i, a := range lines {
		refused[i] = years.refuse(a, stored[a.ExternalID])
	}
	return refused, nil
}

var lockedYear = newRelation("reporting_years", "y", nil, intColumn("y.year", "", func(year *int32) *int32 { return year }))

// storedDays gives the days of the lines that are there, by external id.
func (t *Tenant) storedDays(ctx context.Context, lines []*Activity) (map[string]*exact.Date, error) {
	ids := make([]string, len(lines))
	for i, a := range lines {
		ids[i] = a.ExternalID
	}
	b := t.statement("a")
	b.in("a.external_id", listText, ids)
	found := make(map[string]*exact.Date, len(ids))
	err := t.store.read(ctx, "activities", "SELECT a.external_id, a.occurred_on FROM activities AS a WHERE "+b.all(), b, func(scan scanner) error {
		var id string
		day := new(exact.Date)
		err := scan(&id, day)
		found[id] = day
		return err
	})
	return found, err
}

// lockedYears are the years that nothing may change in.
type lockedYears []int32

func (y lockedYears) hold(year int) bool { return slices.Contains(y, int32(year)) }

// refuse gives why a line that says something new cannot be written: a year that is locked keeps its lines, and gets no others. Nil where it can be. was is the
// day of the line that is there; nil where there is none.
func (y lockedYears) refuse(a *Activity, was *exact.Date) *fault.Fault {
	switch {
	case was != nil && y.hold(was.Year()):
		return lineLocked(a.ExternalID, was.Year())
	case y.hold(a.OccurredOn.Year()):
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
