package storetest

import (
	"context"
	"testing"
	"time"

	"carbongraph/internal/exact"
	"carbongraph/store"
)

// Preview is a recalculation that has ended and changed nothing: it tells of each line with an emission that it would emit change more, because of a later release.
func Preview(t testing.TB, tenant *store.Tenant, change exact.Milligrams, lines ...*store.Line) (*store.Batch, *store.CalculationRun) {
	t.Helper()
	b, r := &store.Batch{Spec: "{}", Actor: "test", Total: new(int32(len(lines)))}, &store.CalculationRun{Reason: "what if", GwpSet: store.AR5, Preview: true}
	if err := tenant.StartRecalculation(t.Context(), b, r); err != nil {
		t.Fatalf("start recalculation: %v", err)
	}
	holder := b.ID
	taken, err := tenant.TakeBatch(t.Context(), b.ID, holder, time.Minute)
	if err != nil || taken == nil {
		t.Fatalf("take batch: %v", err)
	}
	var made []*store.RunLine
	for _, l := range lines {
		if l.Emission == nil {
			continue
		}
		after := *l.Emission
		after.CO2e += change
		made = append(made, &store.RunLine{Activity: l.Activity, Was: l.Activity, Previous: l.Emission, After: &after, Causes: store.Causes{Version: change}, Moved: store.CauseVersion})
	}
	Write(t, tenant, func(ctx context.Context, w *store.Writer) error {
		if err := w.PutRunLines(ctx, r.ID, made); err != nil {
			return err
		}
		return w.PutDifferences(ctx, r.ID, nil)
	})
	taken.Processed = int32(len(lines))
	Write(t, tenant, func(ctx context.Context, w *store.Writer) error {
		if err := w.Progress(ctx, taken, holder, time.Minute); err != nil {
			return err
		}
		return w.EndBatch(ctx, taken, holder, store.RunSucceeded, nil)
	})
	for more := true; more; {
		if more, err = tenant.ForgetRun(t.Context(), r.ID, nil, 100); err != nil {
			t.Fatalf("forget run: %v", err)
		}
	}
	if err := tenant.TidyBatch(t.Context(), taken, holder); err != nil {
		t.Fatalf("tidy batch: %v", err)
	}
	rows, err := tenant.BatchesWith([]store.ID{b.ID}, 0).All(t.Context())
	if err != nil || len(rows) != 1 {
		t.Fatalf("%d batches, %v", len(rows), err)
	}
	return rows[0], r
}
