package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"carbongraph/store"
	"carbongraph/store/storetest"
)

func TestABatchIsHeldByOneAtATime(t *testing.T) {
	for database, open := range map[string]func(testing.TB, ...storetest.Option) *store.Store{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		t.Run("and by another when its lease has ended/"+database, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			heldByOne(t, open(t, c.option), c)
		})
	}
}

func heldByOne(t *testing.T, st *store.Store, c *clock) {
	ctx := t.Context()
	tenant := storetest.Organization(t, st, "Acme")
	start := func() *store.Batch {
		b := &store.Batch{Spec: "{}", Actor: "test"}
		if err := tenant.StartRecalculation(ctx, b, &store.CalculationRun{Reason: "test", GwpSet: store.AR5}); err != nil {
			t.Fatal(err)
		}
		return b
	}
	take := func(b *store.Batch, holder store.ID) *store.Batch {
		t.Helper()
		taken, err := tenant.TakeBatch(ctx, b.ID, holder, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		return taken
	}
	holds := func(b *store.Batch, holder store.ID) (there, renewed error) {
		t.Helper()
		there = tenant.Write(ctx, func(ctx context.Context, w *store.Writer) error { return w.Holds(ctx, b, holder) })
		renewed = tenant.Write(ctx, func(ctx context.Context, w *store.Writer) error { return w.Progress(ctx, b, holder, time.Minute) })
		return there, renewed
	}
	open := func() int {
		t.Helper()
		n, err := st.Queue(ctx, 2, 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(n)
	}
	first, second := start(), start()
	one, other := st.NewID(), st.NewID()
	if take(second, other) != nil || open() != 1 {
		t.Error("the second is not to be taken while the first waits")
	}
	if got := take(first, one); got == nil || got.Status != store.RunRunning || got.Takes != 1 || open() != 0 {
		t.Errorf("taken: %+v", got)
	}
	if take(first, other) != nil {
		t.Error("it is held, and taken all the same")
	}
	if there, renewed := holds(first, one); there != nil || renewed != nil {
		t.Errorf("its holder: %v, %v", there, renewed)
	}
	c.tick(61_000_000)
	if open() != 1 {
		t.Error("a lease that has ended leaves it to others")
	}
	if got := take(first, other); got == nil || got.Takes != 2 {
		t.Fatalf("taken by another: %+v", got)
	}
	if there, renewed := holds(first, one); !errors.Is(there, store.ErrNotHeld) || !errors.Is(renewed, store.ErrNotHeld) {
		t.Errorf("who held it before: %v, %v", there, renewed)
	}
	end := func(holder store.ID) error {
		return tenant.Write(ctx, func(ctx context.Context, w *store.Writer) error {
			return w.EndBatch(ctx, first, holder, store.RunSucceeded, nil)
		})
	}
	if err := end(one); !errors.Is(err, store.ErrNotHeld) {
		t.Errorf("ended by who held it before: %v", err)
	}
	if err := errors.Join(end(other), tenant.TidyBatch(ctx, first, other)); err != nil {
		t.Fatal(err)
	}
	if take(second, one) == nil {
		t.Error("the first has ended, and the second is not to be taken")
	}
	if err := tenant.ReleaseBatch(ctx, second.ID, one); err != nil || open() != 1 {
		t.Errorf("given back: %v, %d open", err, open())
	}
}
