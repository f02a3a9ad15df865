package storetest

import (
	"context"
	"testing"
	"time"

	"carbongraph/internal/exact"
	"carbongraph/store"
)

// reporting decides on years and categories: one year is locked, the base year was and is open again, and of one category somebody says why it is left out.
func (l *AwkwardLedger) reporting(t testing.TB) {
	t.Helper()
	for _, in := range []store.LockReportingYearInput{
		{Year: 2024, Locked: true, Base: new(true), RecalculationThresholdPercent: number("0"), Reason: "published"},
		{Year: 2024, Reason: Texts()[8]},
		{Year: 1900, Locked: true, Reason: "long ago"},
	} {
		if _, err := l.Tenant.LockReportingYear(t.Context(), in, "ADMIN"); err != nil {
			t.Fatalf("lock %d: %v", in.Year, err)
		}
	}
	for _, in := range []store.SetCategoryStatementInput{
		{Year: 2024, Category: 8, Included: false, Reason: text("We lease nothing."), MethodText: text("By \"asking\".")},
		{Year: 2023, Category: 1, Included: true, MethodText: new(Texts()[6])},
		{Year: 2023, Category: 2, Included: false, Reason: text("Unknown.")},
	} {
		if _, err := l.Tenant.SetCategoryStatement(t.Context(), in); err != nil {
			t.Fatalf("state category %d of %d: %v", in.Category, in.Year, err)
		}
	}
}

// recalculations are one of each state: previews, of which one changes nothing, one that changed lines for every cause, and others that failed, were cancelled, are
// at work for ever, and wait for that.
func (l *AwkwardLedger) recalculations(t testing.TB) {
	t.Helper()
	preview := func(change exact.Milligrams, lines ...*store.Line) {
		b, r := Preview(t, l.Tenant, change, lines...)
		l.node("Batch", b)
		l.node("CalculationRun", r)
	}
	preview(-1, l.Lines...)
	preview(0, l.Lines[:20]...)
	l.recalculated(t, 0, store.CauseData, store.CauseVersion, store.CauseGwpSet, store.CauseRate, store.CauseMapping)
	l.recalculated(t, 2)
	l.recalculation(t, func(w *store.Writer, b *store.Batch) error {
		return w.EndBatch(t.Context(), b, b.ID, store.RunFailed, &store.Problem{Code: "OVERLOADED", Message: Texts()[8]})
	})
	l.recalculation(t, func(w *store.Writer, b *store.Batch) error {
		return w.EndBatch(t.Context(), b, b.ID, store.RunCancelled, nil)
	})
	l.recalculation(t, nil)
	b, r := &store.Batch{Spec: "{}", Actor: "waits"}, &store.CalculationRun{Reason: "waits", GwpSet: store.AR5}
	if err := l.Tenant.StartRecalculation(t.Context(), b, r); err != nil {
		t.Fatalf("start recalculation: %v", err)
	}
	l.node("Batch", b)
	l.node("CalculationRun", r)
	byCount, cancelled := store.RunStatus(""), store.RunCancelled
	for _, i := range []*store.Batch{Import(t, l.Tenant, 40, 12, &byCount), Import(t, l.Tenant, 3, 0, &byCount), Import(t, l.Tenant, 9, 1, &cancelled), Import(t, l.Tenant, 7, 2, nil), Import(t, l.Tenant, 0, 0, nil)} {
		l.node("Batch", i)
	}
	succeeded, failed := store.RunSucceeded, store.RunFailed // a file is there until a day after that year's, and of another no more
	for _, x := range []*store.Batch{Export(t, l.Tenant, 7, nil, 0), Export(t, l.Tenant, 8, &succeeded, 2199), Export(t, l.Tenant, 9, &succeeded, 2026), Export(t, l.Tenant, 2, &failed, 0)} {
		l.node("Batch", x)
	}
}

// recalculation is one that somebody is at, for longer than any test, or that ends as it is told.
func (l *AwkwardLedger) recalculation(t testing.TB, end func(*store.Writer, *store.Batch) error) {
	t.Helper()
	b, r := &store.Batch{Spec: "{}", Actor: "test"}, &store.CalculationRun{Reason: "once more", GwpSet: store.AR4}
	if err := l.Tenant.StartRecalculation(t.Context(), b, r); err != nil {
		t.Fatalf("start recalculation: %v", err)
	}
	const century = 100 * 365 * 24 * time.Hour
	taken, err := l.Tenant.TakeBatch(t.Context(), b.ID, b.ID, century)
	if err != nil || taken == nil {
		t.Fatalf("take batch: %v", err)
	}
	taken.Total, taken.Processed, taken.Failed = new(int32(2_000_000_000)), 40, 3
	Write(t, l.Tenant, func(ctx context.Context, w *store.Writer) error {
		if err := w.Progress(ctx, taken, b.ID, century); err != nil || end == nil {
			return err
		}
		return end(w, taken)
	})
	if end != nil {
		if err := l.Tenant.TidyBatch(t.Context(), taken, b.ID); err != nil {
			t.Fatalf("tidy batch: %v", err)
		}
	}
	l.node("Batch", b)
	l.node("CalculationRun", r)
}

// recalculated is a run over every fourth line, from one on, that was published: of most it has other figures, for each cause in turn, of some another category, and
// of some, or of all where there are no causes, nothing that differences are about.
func (l *AwkwardLedger) recalculated(t testing.TB, from int, causes ...store.Cause) {
	t.Helper()
	b, r := &store.Batch{Spec: "{}", Actor: "test"}, &store.CalculationRun{Reason: "by other factors", GwpSet: store.AR5}
	if err := l.Tenant.StartRecalculation(t.Context(), b, r); err != nil {
		t.Fatalf("start recalculation: %v", err)
	}
	taken, err := l.Tenant.TakeBatch(t.Context(), b.ID, b.ID, time.Hour)
	if err != nil || taken == nil {
		t.Fatalf("take batch: %v", err)
	}
	stored, err := l.Tenant.LinesAfter(t.Context(), nil, nil, 500)
	if err != nil {
		t.Fatalf("lines: %v", err)
	}
	changes := store.NewRunChanges()
	var made []*store.RunLine
	for i, was := range stored {
		const large = 1_000_000_000_000 // such figures are for sums that nearly overflow
		if was.Emission == nil || i%4 != from || was.Activity.OccurredOn.Year() != 2024 || was.Emission.CO2e > large || was.Emission.CO2e < -large {
			continue
		}
		a, e := *was.Activity, *was.Emission
		line := &store.RunLine{Activity: &a, Was: was.Activity, Previous: was.Emission, Emission: &e, After: &e, Moved: store.CauseMapping}
		e.RunID, e.Country, e.AccountCode, a.Problem = r.ID, a.Country, a.AccountCode, nil
		switch n := len(made) % (len(causes) + 2); {
		case n < len(causes):
			e.CO2e += exact.Milligrams(1000 + i)
			*line.Causes.Of(causes[n]) = exact.Milligrams(1000 + i)
		case n == len(causes) && n > 0:
			e.CategoryNumber = e.CategoryNumber%15 + 1
		default:
			e.BiogenicCO2++
		}
		explain(&e, &a)
		made = append(made, line)
	}
	Write(t, l.Tenant, func(ctx context.Context, w *store.Writer) error { return w.PutRunLines(ctx, r.ID, made) })
	for _, line := range made {
		changes.Add(line)
		l.node("Emission", line.Emission)
	}
	taken.Processed, taken.Failed = int32(len(stored)), 2
	err = l.Tenant.WriteAlone(t.Context(), func(ctx context.Context, w *store.Writer) error {
		if err := w.Progress(ctx, taken, b.ID, time.Hour); err != nil {
			return err
		}
		if _, err := w.Publish(ctx, r.ID, changes); err != nil {
			return err
		}
		if err := w.PutDifferences(ctx, r.ID, changes); err != nil {
			return err
		}
		return w.EndBatch(ctx, taken, b.ID, store.RunPartial, nil)
	})
	for more := err == nil; more && err == nil; {
		more, err = l.Tenant.ForgetRun(t.Context(), r.ID, nil, 1000)
	}
	if err == nil {
		err = l.Tenant.TidyBatch(t.Context(), taken, b.ID)
	}
	if err != nil {
		t.Fatalf("publish: %v", err)
	}
	l.node("Batch", b)
	l.node("CalculationRun", r)
}
