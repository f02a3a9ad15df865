package batch_test

import (
	"strings"
	"testing"

	"carbongraph/internal/batch"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

func TestALineBringsItsSupplier(t *testing.T) {
	storetest.Each(t, "by the ledger's own key", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st)
		storetest.PutSuppliers(t, w.tenant, &store.Supplier{ExternalID: new("known"), Name: "Known Ltd", Country: new("GB")})
		with := func(id, key, name string) store.ActivityInput {
			return w.input(id, func(in *store.ActivityInput) {
				in.SupplierExternalID = &key
				if name != "" {
					in.SupplierName = &name
				}
			})
		}
		got := w.importAll(t, calculate,
			with("a", "known", "KNOWN LIMITED *1614*"),                                           // another spelling changes nothing
			with("b", "late", ""), with("c", "late", "Late plc"), with("d", "late", "Later plc"), // the first name counts
			with("e", "nameless", ""), // the key stands in
		)
		found, err := w.tenant.SuppliersByExternalID(t.Context(), []string{"known", "late", "nameless"})
		if err != nil || len(found) != 3 {
			t.Fatalf("%d suppliers, %v; want 3", len(found), err)
		}
		names, ids := map[string]string{}, map[string]store.ID{}
		for _, s := range found {
			names[*s.ExternalID], ids[*s.ExternalID] = s.Name, s.ID
			if s.CO2e == 0 {
				t.Errorf("the sum of %s is 0; want its emissions", s.Name)
			}
		}
		if names["known"] != "Known Ltd" || names["late"] != "Late plc" || names["nameless"] != "nameless" {
			t.Errorf("names %v", names)
		}
		for i, key := range []string{"known", "late", "late", "late", "nameless"} {
			if *got[i].Activity.SupplierID != ids[key] {
				t.Errorf("line %d points at another supplier than %s", i, key)
			}
		}
		byID := store.Global(store.KindSupplier, ids["late"])
		if r := w.importAll(t, calculate, w.input("f", func(in *store.ActivityInput) { in.SupplierID = &byID }))[0]; r.Status != store.Created || *r.Activity.SupplierID != ids["late"] {
			t.Errorf("by id: %+v", r)
		}
	})
}

func TestAnotherOrganizationsSupplierDoesNotExist(t *testing.T) {
	storetest.Each(t, "by id and by key", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st)
		theirs := storetest.Suppliers(t, storetest.Organization(t, st, "Other"), "Acme")[0]
		foreign := store.Global(store.KindSupplier, theirs.ID)
		got := w.importAll(t, calculate,
			w.input("a", func(in *store.ActivityInput) { in.SupplierID = &foreign }),
			w.input("b", func(in *store.ActivityInput) { in.SupplierExternalID = new("Acme") }))
		if got[0].Status != store.Failed || got[0].Problem.Code != "NOT_FOUND" {
			t.Errorf("by id: %+v; want NOT_FOUND", got[0])
		}
		if got[1].Status != store.Created || *got[1].Activity.SupplierID == theirs.ID {
			t.Errorf("by key: %+v; want a supplier of our own", got[1])
		}
	})
}

func TestSuppliersAreCreatedChangedAndRefusedOneByOne(t *testing.T) {
	storetest.Each(t, "in the order of the inputs", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st)
		first := []store.SupplierInput{{ExternalID: "1", Name: "Alum", Country: new("GB"), NaicsCode: new("3313"), Duns: new("150483782"), Lei: new("5493001KJTIIGC8Y1R12"), Tier: new(int32(2))}, {ExternalID: "2", Name: "Borax"}}
		if _, err := w.Suppliers(t.Context(), w.tenant, first, batch.Flags{}); err != nil {
			t.Fatal(err)
		}
		cases := []struct {
			in           store.SupplierInput
			status       store.ItemStatus
			path         string
			wantsCountry bool
		}{
			{in: first[1], status: store.Unchanged},
			{in: store.SupplierInput{ExternalID: "1", Name: "Alum"}, status: store.Updated}, // what is left out is cleared
			{in: store.SupplierInput{ExternalID: "3", Name: "Cobalt", Country: new("FR")}, status: store.Created, wantsCountry: true},
			{in: store.SupplierInput{ExternalID: "", Name: "x"}, status: store.Failed, path: "externalId"},
			{in: store.SupplierInput{ExternalID: "3", Name: "again"}, status: store.Failed, path: "externalId"},
			{in: store.SupplierInput{ExternalID: strings.Repeat("é", 201), Name: "x"}, status: store.Failed, path: "externalId"},
			{in: store.SupplierInput{ExternalID: "4", Name: " "}, status: store.Failed, path: "name"},
			{in: store.SupplierInput{ExternalID: "5", Name: "a\x00"}, status: store.Failed, path: "name"},
			{in: store.SupplierInput{ExternalID: "6", Name: "x", Country: new("France")}, status: store.Failed, path: "country"},
			{in: store.SupplierInput{ExternalID: "7", Name: "x", NaicsCode: new("steel")}, status: store.Failed, path: "naicsCode"},
			{in: store.SupplierInput{ExternalID: "8", Name: "x", Duns: new("12")}, status: store.Failed, path: "duns"},
			{in: store.SupplierInput{ExternalID: "9", Name: "x", Lei: new("short")}, status: store.Failed, path: "lei"},
			{in: store.SupplierInput{ExternalID: "10", Name: "x", Tier: new(int32(0))}, status: store.Failed, path: "tier"},
		}
		var in []store.SupplierInput
		for _, tc := range cases {
			in = append(in, tc.in)
		}
		got, err := w.Suppliers(t.Context(), w.tenant, in, batch.Flags{})
		if err != nil || len(got) != len(in) {
			t.Fatalf("%d results, %v", len(got), err)
		}
		for i, tc := range cases {
			r := got[i]
			path := ""
			if r.Problem != nil {
				path = strings.Join(r.Problem.Path, ".")
			}
			if r.ExternalID != tc.in.ExternalID || r.Status != tc.status || path != tc.path || (r.Supplier == nil) != (tc.status == store.Failed) {
				t.Errorf("%q: %+v, problem %+v; want %s at %q", tc.in.ExternalID, r, r.Problem, tc.status, tc.path)
			}
			if r.Supplier != nil && (r.Supplier.ID.IsZero() || (r.Supplier.Country != nil) != tc.wantsCountry) {
				t.Errorf("%q came back as %+v", tc.in.ExternalID, r.Supplier)
			}
		}
	})
}
