package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"carbongraph/internal/exact"
	"carbongraph/store"
)

// Import is a batch that imported so many lines, of which some failed, and is at it yet where it has no status. An empty status ends it by its count.
func Import(t testing.TB, tenant *store.Tenant, lines, failed int, status *store.RunStatus) *store.Batch {
	t.Helper()
	const century = 100 * 365 * 24 * time.Hour
	b := &store.Batch{Kind: store.BatchImport, Spec: `{"name":"ledger.csv","header":["externalId","description"],"delimiter":";"}`, Actor: "test", Size: new(int64(4000))}
	Write(t, tenant, func(ctx context.Context, w *store.Writer) error {
		if err := w.BeginBatch(ctx, b, tenant.ID(), century); err != nil || lines == 0 {
			return err
		}
		rows := make([]*store.BatchFailure, failed)
		for i := range rows {
			rows[i] = &store.BatchFailure{Place: int32(2 * i), Line: int32(2*i + 2), Record: []string{fmt.Sprint(i), Texts()[i%len(Texts())]},
				Problem: store.Problem{Code: "BAD_USER_INPUT", Message: Texts()[i%len(Texts())], Path: some(i, nil, []string{"money", "amount"})}}
			if i%3 > 0 {
				rows[i].ExternalID = new(fmt.Sprint("L", i))
			}
		}
		if err := w.PutFailures(ctx, b.ID, rows); err != nil {
			return err
		}
		step := store.Step{Piece: store.Piece{Items: lines}, Created: int32(lines - failed), Failed: int32(failed), Calculated: int32(lines - failed), Read: 1500}
		return w.Advance(ctx, b.ID, tenant.ID(), century, step)
	})
	if status != nil {
		Write(t, tenant, func(ctx context.Context, w *store.Writer) error {
			return w.EndImport(ctx, b, tenant.ID(), *status, nil)
		})
	}
	return b
}

// Export is a batch that wrote a file of so many lines, and ended on a day of that year; it is at it yet where it has no status.
func Export(t testing.TB, tenant *store.Tenant, lines int, status *store.RunStatus, year int) *store.Batch {
	t.Helper()
	const century = 100 * 365 * 24 * time.Hour
	b := &store.Batch{Kind: store.BatchExport, Spec: `{"what":"ACTIVITIES","format":"CSV"}`, Actor: "test"}
	Write(t, tenant, func(ctx context.Context, w *store.Writer) error {
		if err := w.BeginBatch(ctx, b, tenant.ID(), century); err != nil {
			return err
		}
		b.Total, b.Processed = new(int32(2*lines)), int32(lines)
		if err := w.Progress(ctx, b, tenant.ID(), century); err != nil || status == nil {
			return err
		}
		if *status != store.RunSucceeded {
			return w.EndBatch(ctx, b, tenant.ID(), *status, &store.Problem{Code: "OVERLOADED", Message: Texts()[8]})
		}
		return w.EndExport(ctx, b, tenant.ID(), exact.InstantOf(time.Date(year, 3, 2, 0, 0, 0, 0, time.UTC)), 4000)
	})
	return b
}
