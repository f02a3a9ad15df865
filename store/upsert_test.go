package store_test

import (
	"context"
	"testing"

	"carbongraph/internal/fault"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

func TestUpsertSuppliers(t *testing.T) {
	full := func() *store.Supplier {
		return &store.Supplier{ExternalID: new("S1"), Name: "Alum Ltd", Country: new("GB"), NaicsCode: new("331313"), Duns: new("1"), Lei: new("2"), Tier: new(int32(1))}
	}
	for name, tc := range map[string]struct {
		second func() *store.Supplier
		keep   bool
		status store.ItemStatus
		want   store.Supplier
	}{
		"the same again is unchanged": {full, false, store.Unchanged, *full()},
		"a new name is an update": {func() *store.Supplier { s := full(); s.Name = "Alum plc"; return s }, false, store.Updated,
			func() store.Supplier { s := full(); s.Name = "Alum plc"; return *s }()},
		"what is left out is cleared": {func() *store.Supplier { return &store.Supplier{ExternalID: new("S1"), Name: "Alum Ltd"} }, false, store.Updated,
			store.Supplier{ExternalID: new("S1"), Name: "Alum Ltd"}},
		"what is left out stays where it is to be kept": {func() *store.Supplier { return &store.Supplier{ExternalID: new("S1")} }, true, store.Unchanged, *full()},
		"what is given counts where the rest is to be kept": {func() *store.Supplier { return &store.Supplier{ExternalID: new("S1"), Tier: new(int32(2))} }, true,
			store.Updated, func() store.Supplier { s := full(); s.Tier = new(int32(2)); return *s }()},
	} {
		storetest.Each(t, name, func(t *testing.T, st *store.Store) {
			acme := storetest.Organization(t, st, "Acme")
			first := full()
			if got := storetest.PutSuppliers(t, acme, first); got[0] != store.Created {
				t.Errorf("first is %s", got[0])
			}
			second := tc.second()
			var statuses []store.ItemStatus
			storetest.Write(t, acme, func(ctx context.Context, w *store.Writer) (err error) {
				statuses, err = w.UpsertSuppliers(ctx, []*store.Supplier{second}, tc.keep)
				return err
			})
			if statuses[0] != tc.status {
				t.Errorf("second is %s, want %s", statuses[0], tc.status)
			}
			rows, err := acme.SuppliersByID(t.Context(), []store.ID{first.ID})
			if err != nil || len(rows) != 1 {
				t.Fatalf("%d suppliers, %v", len(rows), err)
			}
			for what, got := range map[string]*store.Supplier{"stored": rows[0], "told": second} {
				if got.ID != first.ID || got.CreatedAt != first.CreatedAt || got.Name != tc.want.Name || !same(got.Country, tc.want.Country) ||
					!same(got.NaicsCode, tc.want.NaicsCode) || !same(got.Duns, tc.want.Duns) || !same(got.Lei, tc.want.Lei) || !same(got.Tier, tc.want.Tier) {
					t.Errorf("%s %+v, want %+v", what, got, tc.want)
				}
			}
			if changed := rows[0].UpdatedAt != first.UpdatedAt; changed != (tc.status == store.Updated) {
				t.Errorf("updated at %s after %s, though it is %s", rows[0].UpdatedAt, first.UpdatedAt, tc.status)
			}
		})
	}
}

func same[T comparable](a, b *T) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

func TestUpsertSuppliersAtTheEdges(t *testing.T) {
	storetest.Each(t, "an external id that stands twice in a call is refused", func(t *testing.T, st *store.Store) {
		acme := storetest.Organization(t, st, "Acme")
		err := acme.Write(t.Context(), func(ctx context.Context, w *store.Writer) error {
			_, err := w.UpsertSuppliers(ctx, []*store.Supplier{{ExternalID: new("S1"), Name: "a"}, {ExternalID: new("S1"), Name: "b"}}, false)
			return err
		})
		if fault.CodeOf(err) != fault.BadUserInput {
			t.Errorf("error = %v", err)
		}
	})
	storetest.Each(t, "suppliers without an external id are all new", func(t *testing.T, st *store.Store) {
		acme := storetest.Organization(t, st, "Acme")
		for range 2 {
			expect(t, "statuses", storetest.PutSuppliers(t, acme, &store.Supplier{Name: "a"}, &store.Supplier{Name: "a"}), []store.ItemStatus{store.Created, store.Created})
		}
		if n, err := acme.CountSuppliers(t.Context(), nil); n != 4 || err != nil {
			t.Errorf("%d suppliers, %v; want 4", n, err)
		}
	})
	storetest.Each(t, "an update leaves the sum of emissions alone", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 3, nil)
		renamed := &store.Supplier{ExternalID: l.Suppliers[1].ExternalID, Name: "Borax plc"}
		storetest.PutSuppliers(t, l.Tenant, renamed)
		expect(t, "sums", sums(t, l.Tenant, l.Suppliers...), []string{"3", "1", "2"})
		if renamed.CO2e != 1*kg {
			t.Errorf("the sum told is %d", renamed.CO2e)
		}
	})
	storetest.Each(t, "equal external ids of two organizations are two suppliers", func(t *testing.T, st *store.Store) {
		acme, other := storetest.NewLedger(t, st, "Acme", 3, nil), storetest.NewLedger(t, st, "Other", 6, nil)
		if acme.Suppliers[0].ID == other.Suppliers[0].ID {
			t.Error("both organizations have the same row")
		}
		expect(t, "sums of the one", sums(t, acme.Tenant, acme.Suppliers...), []string{"3", "1", "2"})
		expect(t, "sums of the other", sums(t, other.Tenant, other.Suppliers...), []string{"9", "5", "7"})
		if rows, err := acme.Tenant.SuppliersByID(t.Context(), []store.ID{other.Suppliers[0].ID}); len(rows) != 0 || err != nil {
			t.Errorf("one organization reads %d rows of the other, %v", len(rows), err)
		}
	})
	storetest.Each(t, "what a failed transaction told is not kept", func(t *testing.T, st *store.Store) {
		acme := storetest.Organization(t, st, "Acme")
		stored := &store.Supplier{ExternalID: new("S1"), Name: "a", Country: new("GB")}
		storetest.PutSuppliers(t, acme, stored)
		row := &store.Supplier{ExternalID: new("S1"), Name: "b"}
		stop := fault.New(fault.Conflict, "stop")
		err := acme.Write(t.Context(), func(ctx context.Context, w *store.Writer) error {
			if _, err := w.UpsertSuppliers(ctx, []*store.Supplier{row}, true); err != nil {
				return err
			}
			return stop
		})
		if fault.CodeOf(err) != fault.Conflict || row.Country != nil {
			t.Errorf("error %v, country %v", err, row.Country)
		}
		if rows, err := acme.SuppliersByID(t.Context(), []store.ID{stored.ID}); err != nil || rows[0].Name != "a" {
			t.Errorf("stored %v, %v; want the name a", rows, err)
		}
	})
}
