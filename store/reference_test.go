package store_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"carbongraph/store"
	"carbongraph/store/storetest"
)

// eventually waits for what happens within a second, and some.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s never happened", what)
		}
	}
}

// hold keeps reference rows in memory until the test ends.
func hold(t *testing.T, st *store.Store) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); st.HoldReference(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
}

func TestReferenceRowsAreHeld(t *testing.T) {
	storetest.Each(t, "as they are stored, and dropped when they change", func(t *testing.T, st *store.Store) {
		first, factors := storetest.Dataset(t, st, "reference", "1")
		third, _ := storetest.Dataset(t, st, "reference", "3")
		if st.HeldFactor(factors[0].ID) != nil {
			t.Error("a factor is held before anything was read")
		}
		hold(t, st)
		eventually(t, "holding", func() bool { return st.HeldFactor(factors[0].ID) != nil && st.HeldDataset(third.ID) != nil })
		if got := st.HeldFactor(factors[0].ID); got.Code != factors[0].Code || got.Value.Cmp(*factors[0].Value) != 0 || got.DatasetGwpSet != first.GwpSet {
			t.Errorf("held %+v, stored %+v", got, factors[0])
		}
		if st.HeldFactor(first.ID) != nil || st.HeldDataset(factors[0].ID) != nil {
			t.Error("an id of something else is held")
		}
		if before := st.HeldDataset(third.ID).SupersedesID; before == nil || *before != first.ID {
			t.Errorf("version 3 supersedes %v, want %s", before, first.ID)
		}

		second, added := storetest.Dataset(t, st, "reference", "2") // between the two: version 3 now supersedes another
		if d := st.HeldDataset(third.ID); d != nil && *d.SupersedesID != second.ID {
			t.Error("what changed is held as it was, by the one who changed it")
		}
		eventually(t, "holding what changed", func() bool {
			d := st.HeldDataset(third.ID)
			return d != nil && *d.SupersedesID == second.ID && st.HeldFactor(added[0].ID) != nil
		})
	})
}

// Another process changes what this one holds.
func TestReferenceRowsOfAnotherWriterAreSeen(t *testing.T) {
	for name, o := range map[string]func(t *testing.T) store.Options{
		"sqlite":   func(t *testing.T) store.Options { return store.Options{DataDir: filepath.Join(t.TempDir(), "db")} },
		"postgres": func(t *testing.T) store.Options { return store.Options{DatabaseURL: storetest.PostgresURL(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options := o(t)
			options.SkipMigrationCheck = true
			open := func() *store.Store {
				st, err := store.Open(t.Context(), options)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = st.Close() })
				return st
			}
			migrating := open()
			if _, err := migrating.MigrateUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			writer, reader := open(), open()
			hold(t, reader)
			_, factors := storetest.Dataset(t, writer, "elsewhere", "1")
			eventually(t, "seeing what another wrote", func() bool { return reader.HeldFactor(factors[2].ID) != nil })
		})
	}
}

// Keyed reads and pages keep one plan, however many keys each request has; what a filter narrows is planned for its values.
func TestReadsOfSnapshotsKeepTheirPlans(t *testing.T) {
	st := storetest.Postgres(t, func(o *store.Options) { o.MaxConns = 1 })
	l := storetest.NewLedger(t, st, "Acme", 60, nil)
	ids := []store.ID{l.Suppliers[0].ID, l.Suppliers[1].ID, l.Suppliers[2].ID}
	for i := range 20 {
		some := ids[:i%2+2]
		pages, err := l.Tenant.EmissionPages(store.KindSupplier, some, nil, store.EmissionOrder{}, store.Page{First: new(int32(5))}, 0)
		if err != nil {
			t.Fatal(err)
		}
		one, err := l.Tenant.EmissionPages(store.KindSupplier, ids[i%3:i%3+1], nil, store.EmissionOrder{}, store.Page{First: new(int32(5))}, 0)
		if err != nil {
			t.Fatal(err)
		}
		snapshot(t, st, taken(t, pages), taken(t, one), taken(t, l.Tenant.SuppliersWith(some, 0)), taken(t, l.Tenant.SuppliersWith(ids[:1], 0)))
	}
	rows, err := st.Query(t.Context(), "SELECT generic_plans::text || ' ' || custom_plans::text || ' ' || statement FROM pg_prepared_statements WHERE name LIKE 'cg%'")
	if err != nil || len(rows) != 4 {
		t.Fatalf("%d statements prepared, want 4: %v, %v", len(rows), rows, err)
	}
	for _, row := range rows {
		if row[:4] != "15 5" {
			t.Errorf("generic and custom plans, statement: %s; want 15 and 5", row)
		}
	}
}

// nobody takes rows and keeps none.
type nobody[T any] struct{ rows int }

func (n *nobody[T]) Row(*store.At, *T) error   { n.rows++; return nil }
func (n *nobody[T]) Done([]store.PageOf) error { return nil }

func taken[T any](t *testing.T, q *store.Select[T]) store.Statement {
	t.Helper()
	st, err := q.Into(&nobody[T]{})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func snapshot(t *testing.T, st *store.Store, statements ...store.Statement) {
	t.Helper()
	sn, err := st.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer sn.Close()
	if err := sn.Read(false, statements...); err != nil {
		t.Fatal(err)
	}
}

// refusing fails at the first row.
type refusing struct{ err error }

func (r refusing) Row(*store.At, *store.Supplier) error { return r.err }
func (r refusing) Done([]store.PageOf) error            { return nil }

func TestASnapshotEndsWithItsFirstError(t *testing.T) {
	storetest.Each(t, "and the next one is whole", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 3, nil)
		enough := errors.New("enough")
		for range 10 { // more than there are connections
			sn, err := st.Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			statement, err := l.Tenant.SuppliersWith([]store.ID{l.Suppliers[0].ID, l.Suppliers[1].ID}, 0).Into(refusing{enough})
			if err != nil {
				t.Fatal(err)
			}
			if err := sn.Read(true, statement); !errors.Is(err, enough) {
				t.Errorf("error = %v, want %v", err, enough)
			}
			sn.Close()
		}
		snapshot(t, st, taken(t, l.Tenant.SuppliersWith([]store.ID{l.Suppliers[0].ID}, 0)))
	})
}
