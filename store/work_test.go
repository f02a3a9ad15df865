package store_test

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"carbongraph/store"
	"carbongraph/store/storetest"
)

// A key is given back while a transaction of its work is on its way, which whoever gives it back does not know: it waits for nothing, and the transaction stores nothing.
func TestAKeyIsLeftWhileItsWorkIsOnItsWay(t *testing.T) {
	st := storetest.Postgres(t)
	tenant := storetest.Organization(t, st, "Acme")
	holder := st.NewID()
	claim, err := tenant.ClaimKey(t.Context(), "k", "test", []byte("x"), holder, time.Minute)
	if err != nil || !claim.Mine {
		t.Fatal(claim, err)
	}
	left := make(chan error, 1)
	err = tenant.Write(t.Context(), func(ctx context.Context, w *store.Writer) error {
		if err := errors.Join(w.PutPiece(ctx, claim.Work, store.Piece{Items: 1}), w.HoldKey(ctx, "k", holder, time.Minute, false)); err != nil {
			return err
		}
		go func() { left <- tenant.LeaveKey(t.Context(), "k", holder) }()
		select {
		case err := <-left: // the key is written last: nobody waits for the rest
			left <- err
			return err
		case <-time.After(10 * time.Second):
			return errors.New("who leaves the key waits for what is not yet committed")
		}
	})
	if !errors.Is(err, store.ErrNotHeld) {
		t.Fatalf("what was on its way when the key was left: %v", err)
	}
	if err := <-left; err != nil {
		t.Fatal(err)
	}
	if pieces, err := tenant.Pieces(t.Context(), claim.Work); err != nil || len(pieces) > 0 {
		t.Errorf("%d pieces are stored (%v), and nobody knows of them", len(pieces), err)
	}
	if next, err := tenant.ClaimKey(t.Context(), "k", "other", []byte("y"), st.NewID(), time.Minute); err != nil || !next.Mine {
		t.Errorf("the key is not free: %+v, %v", next, err)
	}
}

// What is stored when the key is left belongs to whoever goes on with the work.
func TestALeftKeyKeepsWhatIsStored(t *testing.T) {
	for name, open := range map[string]func(testing.TB, ...storetest.Option) *store.Store{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := open(t)
			tenant := storetest.Organization(t, st, "Acme")
			holder := st.NewID()
			claim, err := tenant.ClaimKey(t.Context(), "k", "test", []byte("x"), holder, time.Minute)
			if err != nil || !claim.Mine {
				t.Fatal(claim, err)
			}
			hold := func(finished bool) error {
				return tenant.Write(t.Context(), func(ctx context.Context, w *store.Writer) error {
					return w.HoldKey(ctx, "k", holder, time.Minute, finished)
				})
			}
			storetest.Write(t, tenant, func(ctx context.Context, w *store.Writer) error {
				return errors.Join(w.PutPiece(ctx, claim.Work, store.Piece{Items: 1}), w.HoldKey(ctx, "k", holder, time.Minute, false))
			})
			if err := tenant.LeaveKey(t.Context(), "k", holder); err != nil {
				t.Fatal(err)
			}
			for _, finished := range []bool{false, true} {
				if err := hold(finished); !errors.Is(err, store.ErrNotHeld) {
					t.Errorf("a key that was left is held again (finished: %t): %v", finished, err)
				}
			}
			next, err := tenant.ClaimKey(t.Context(), "k", "test", []byte("x"), st.NewID(), time.Minute)
			if err != nil || !next.Mine || next.Work != claim.Work {
				t.Errorf("the next gets %+v, %v; want work %s", next, err, claim.Work)
			}
		})
	}
}

// A transaction that lost its connection several times has as many attempts left for what other writers do.
func TestEachKindOfTroubleHasItsAttempts(t *testing.T) {
	tenant := storetest.Organization(t, storetest.Postgres(t), "Acme")
	attempt := 0
	err := tenant.Write(t.Context(), func(context.Context, *store.Writer) error {
		switch attempt++; {
		case attempt <= 5:
			return io.ErrUnexpectedEOF
		case attempt <= 10:
			return &pgconn.PgError{Code: "23505"}
		}
		return nil
	})
	if err != nil || attempt != 11 {
		t.Errorf("after %d attempts: %v", attempt, err)
	}
}

// What was left of files that never became a batch goes: on the embedded database what was there before it was opened, on Postgres, where another server may still be
// taking it, after a day.
func TestFilesWithoutABatchAreSwept(t *testing.T) {
	for name, open := range map[string]func(testing.TB, ...storetest.Option) *store.Store{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var hours atomic.Int64
			st := open(t, func(o *store.Options) {
				o.Now = func() time.Time { return time.Now().Add(time.Duration(hours.Load()) * time.Hour) }
			})
			tenant := storetest.Organization(t, st, "Acme")
			earlier, lately, batch := st.NewID(), st.NewID(), storetest.Import(t, tenant, 0, 0, nil).ID
			earlier[0] = 0 // in 1970
			for _, id := range []store.ID{earlier, lately, batch} {
				if err := tenant.PutPart(t.Context(), id, store.FileIn, 0, []byte("x")); err != nil {
					t.Fatal(err)
				}
			}
			for _, step := range []struct {
				hours int64
				gone  store.ID
			}{{23, earlier}, {25, lately}} {
				hours.Store(step.hours)
				if err := st.SweepParts(t.Context()); err != nil {
					t.Fatal(err)
				}
				for what, id := range map[string]store.ID{"from before": earlier, "that was on its way": lately, "of a batch": batch} {
					content, err := tenant.Part(t.Context(), id, store.FileIn, 0)
					gone := id == earlier || id == lately && step.gone == lately && name == "postgres"
					if err != nil || (content == nil) != gone {
						t.Errorf("after %d hours the file %s is there: %t, %v", step.hours, what, content != nil, err)
					}
				}
			}
		})
	}
}
