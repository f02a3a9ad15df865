package store_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"carbongraph/internal/fault"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// worked gives an organization a batch of each state, in this order: succeeded, partial, failed, cancelled, at work, and two that wait. Their ids and those of
// their runs are given newest first.
func worked(t *testing.T, tenant *store.Tenant) (batches, runs []store.ID) {
	t.Helper()
	end := func(status store.RunStatus) func(*store.Writer, *store.Batch) error {
		return func(w *store.Writer, b *store.Batch) error { return w.EndBatch(t.Context(), b, b.ID, status, nil) }
	}
	for i, end := range []func(*store.Writer, *store.Batch) error{end(store.RunSucceeded), end(store.RunPartial), end(store.RunFailed), end(store.RunCancelled), nil, nil, nil} {
		b, r := &store.Batch{Spec: "{}", Actor: "test"}, &store.CalculationRun{Reason: "test", GwpSet: store.AR5, Preview: i%2 == 0}
		if err := tenant.StartRecalculation(t.Context(), b, r); err != nil {
			t.Fatal(err)
		}
		batches, runs = append(batches, b.ID), append(runs, r.ID)
		if i > 4 {
			continue
		}
		taken, err := tenant.TakeBatch(t.Context(), b.ID, b.ID, time.Hour)
		if err != nil || taken == nil {
			t.Fatalf("take batch %d: %v", i, err)
		}
		if end == nil {
			continue
		}
		storetest.Write(t, tenant, func(_ context.Context, w *store.Writer) error { return end(w, taken) })
		if err := tenant.TidyBatch(t.Context(), taken, b.ID); err != nil {
			t.Fatal(err)
		}
	}
	slices.Reverse(batches)
	slices.Reverse(runs)
	return batches, runs
}

func batchID(b *store.Batch) store.ID { return b.ID }

func runID(r *store.CalculationRun) store.ID { return r.ID }

func TestBatches(t *testing.T) {
	storetest.Each(t, "are filtered and counted", func(t *testing.T, st *store.Store) {
		acme := storetest.Organization(t, st, "Acme")
		ids, _ := worked(t, acme)
		worked(t, storetest.Organization(t, st, "Other"))
		status := func(s ...store.RunStatus) *store.BatchFilter { return &store.BatchFilter{Statuses: s} }
		for name, tc := range map[string]struct {
			filter *store.BatchFilter
			want   []int
		}{
			"without a filter":         {nil, []int{0, 1, 2, 3, 4, 5, 6}},
			"of an empty filter":       {&store.BatchFilter{Kinds: []store.BatchKind{}, Statuses: []store.RunStatus{}}, []int{0, 1, 2, 3, 4, 5, 6}},
			"that wait":                {status(store.RunQueued), []int{0, 1}},
			"at work":                  {status(store.RunRunning), []int{2}},
			"that were cancelled":      {status(store.RunCancelled), []int{3}},
			"that failed":              {status(store.RunFailed), []int{4}},
			"that did in part":         {status(store.RunPartial), []int{5}},
			"that succeeded":           {status(store.RunSucceeded), []int{6}},
			"of two states, one twice": {status(store.RunSucceeded, store.RunFailed, store.RunSucceeded), []int{4, 6}},
			"of a kind":                {&store.BatchFilter{Kinds: []store.BatchKind{store.BatchRecalculation}}, []int{0, 1, 2, 3, 4, 5, 6}},
			"of a kind and a state":    {&store.BatchFilter{Kinds: []store.BatchKind{store.BatchRecalculation}, Statuses: []store.RunStatus{store.RunFailed}}, []int{4}},
			"of another kind":          {&store.BatchFilter{Kinds: []store.BatchKind{"EXPORT"}}, nil},
		} {
			c, err := acme.Batches(t.Context(), tc.filter, store.Page{})
			n, countErr := acme.CountBatches(t.Context(), tc.filter)
			if err != nil || countErr != nil || n != len(tc.want) || len(c.Nodes) != len(tc.want) {
				t.Errorf("%s: %d rows, counted %d, %v, %v; want %d", name, len(c.Nodes), n, err, countErr, len(tc.want))
				continue
			}
			for i, at := range tc.want {
				if c.Nodes[i].ID != ids[at] {
					t.Errorf("%s: row %d is %+v, want number %d from the newest on", name, i, c.Nodes[i], at)
				}
			}
		}
		_, err := acme.Batches(t.Context(), status("\x00"), store.Page{})
		if fault.CodeOf(err) != fault.BadUserInput {
			t.Errorf("a state of no ledger: %v; want BAD_USER_INPUT", err)
		}
	})
	storetest.Each(t, "and runs are walked both ways, each once", func(t *testing.T, st *store.Store) {
		acme := storetest.Organization(t, st, "Acme")
		batches, runs := worked(t, acme)
		worked(t, storetest.Organization(t, st, "Other"))
		for range 3 {
			runs = append([]store.ID{storetest.Run(t, acme).ID}, runs...)
		}
		for _, l := range []listing{
			{"batches", batches, func(ctx context.Context, p store.Page) (shown, error) {
				c, err := acme.Batches(ctx, nil, p)
				return show(c, err, batchID)
			}},
			{"batches that have ended", batches[3:], func(ctx context.Context, p store.Page) (shown, error) {
				c, err := acme.Batches(ctx, &store.BatchFilter{Statuses: []store.RunStatus{store.RunCancelled, store.RunFailed, store.RunPartial, store.RunSucceeded}}, p)
				return show(c, err, batchID)
			}},
			{"runs", runs, func(ctx context.Context, p store.Page) (shown, error) {
				c, err := acme.CalculationRuns(ctx, p)
				return show(c, err, runID)
			}},
		} {
			for _, size := range []int32{1, 2, 5, 6, 500} {
				walkStill(t, l, size)
			}
		}
		if n, err := acme.CountCalculationRuns(t.Context()); err != nil || n != len(runs) {
			t.Errorf("%d runs are counted, %v; want %d", n, err, len(runs))
		}
	}, newClock().option) // which stands still: ids tell what is newer where times do not
	storetest.Each(t, "have cursors of their own", func(t *testing.T, st *store.Store) {
		acme := storetest.Organization(t, st, "Acme")
		worked(t, acme)
		page := func(cursor *string, s ...store.RunStatus) (*string, error) {
			c, err := acme.Batches(t.Context(), &store.BatchFilter{Statuses: s}, store.Page{First: new(int32(1)), After: cursor})
			if err != nil {
				return nil, err
			}
			return c.PageInfo.EndCursor, nil
		}
		all, err := page(nil)
		if err != nil {
			t.Fatal(err)
		}
		some, err := page(nil, store.RunQueued, store.RunFailed)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := page(some, store.RunFailed, store.RunQueued); err != nil {
			t.Errorf("the cursor of the same question, written in another way: %v", err)
		}
		if _, err := page(all, store.RunQueued, store.RunFailed); fault.CodeOf(err) != fault.InvalidCursor {
			t.Errorf("a cursor of another filter: %v", err)
		}
		if _, err := acme.CalculationRuns(t.Context(), store.Page{After: all}); fault.CodeOf(err) != fault.InvalidCursor {
			t.Errorf("a cursor of another connection: %v", err)
		}
	})
}
