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

// A key is given back while a transaction of its work is being committed, which whoever gives it back does not know: what is stored is found by the next with the key.
func TestAKeyIsLeftWhileItsWorkIsCommitted(t *testing.T) {
	st := storetest.Postgres(t)
	tenant := storetest.Organization(t, st, "Acme")
	holder := st.NewID()
	claim, err := tenant.ClaimKey(t.Context(), "k", "test", []byte("x"), holder, time.Minute)
	if err != nil || !claim.Mine {
		t.Fatal(claim, err)
	}
	written, left := make(chan struct{}), make(chan error, 1)
	go func() {
		<-written
		left <- tenant.LeaveKey(t.Context(), "k", holder)
	}()
	storetest.Write(t, tenant, func(ctx context.Context, w *store.Writer) error {
		err := errors.Join(w.PutPiece(ctx, claim.Work, store.Piece{Items: 1}), w.HoldKey(ctx, "k", holder, time.Minute, false))
		close(written)
		time.Sleep(300 * time.Millisecond) // so that it waits
		return err
	})
	if err := <-left; err != nil {
		t.Fatal(err)
	}
	next, err := tenant.ClaimKey(t.Context(), "k", "test", []byte("x"), st.NewID(), time.Minute)
	if err != nil || !next.Mine || next.Work != claim.Work {
		t.Errorf("the next gets %+v, %v; want work %s", next, err, claim.Work)
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
