package store_test

import (
	"errors"
	"testing"

	"carbongraph/internal/fault"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

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
	sn, err := st.Snapshot(t.Context(), nil)
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
			sn, err := st.Snapshot(t.Context(), nil)
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

// An error that clients can bring about again and again, as a sum that is too large is, costs no connection.
func TestAnErrorOfAStatementCostsNoConnection(t *testing.T) {
	st := storetest.Postgres(t, func(o *store.Options) { o.MaxConns = 1 })
	l := storetest.NewLedger(t, st, "Acme", 3, nil)
	if err := st.Exec(t.Context(), "UPDATE emissions SET co2e_mg = 9223372036854775807"); err != nil {
		t.Fatal(err)
	}
	backend := func() string {
		pid, err := st.Query(t.Context(), "SELECT pg_backend_pid()::text")
		if err != nil || len(pid) != 1 {
			t.Fatalf("%v, %v", pid, err)
		}
		return pid[0]
	}
	snapshot(t, st, taken(t, l.Tenant.SuppliersWith([]store.ID{l.Suppliers[0].ID}, 0)))
	before := backend()
	for _, more := range []bool{true, false} {
		sn, err := st.Snapshot(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		sum, err := l.Tenant.EmissionSum(&store.EmissionFilter{Countries: []string{"US"}})
		if err != nil {
			t.Fatal(err)
		}
		first := taken(t, l.Tenant.SuppliersWith([]store.ID{l.Suppliers[0].ID}, 0))
		if more {
			if err := sn.Read(true, first); err != nil { // a transaction is begun, its statements are prepared
				t.Fatal(err)
			}
		}
		if err := sn.Read(more, taken(t, sum)); fault.CodeOf(err) != fault.BadUserInput {
			t.Errorf("error = %v, want %s", err, fault.BadUserInput)
		}
		sn.Close()
		if after := backend(); after != before {
			t.Errorf("connection %s in place of %s", after, before)
		}
		snapshot(t, st, taken(t, l.Tenant.SuppliersWith([]store.ID{l.Suppliers[0].ID}, 0)))
	}
}
