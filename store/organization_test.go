package store_test

import (
	"testing"

	"carbongraph/internal/fault"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

func TestOrganizations(t *testing.T) {
	storetest.Each(t, "are found by id, global id and name", func(t *testing.T, st *store.Store) {
		o := store.Organization{Name: " Acme ", Currency: "EUR", Country: new("FR"), StrictValidity: true}
		if err := st.CreateOrganization(t.Context(), &o); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{o.ID.String(), o.GlobalID().String(), "Acme"} {
			got, err := st.FindOrganization(t.Context(), key)
			if err != nil || got.ID != o.ID || got.Name != "Acme" || got.Currency != "EUR" || *got.Country != "FR" || got.GwpSet != store.AR6 ||
				got.MoneyOrder != store.DeflateThenConvert || !got.StrictValidity || got.CreatedAt != o.CreatedAt {
				t.Errorf("by %s: %+v, %v", key, got, err)
			}
		}
		for _, key := range []string{"acme", "", "Nobody", st.NewID().String()} {
			if _, err := st.FindOrganization(t.Context(), key); fault.CodeOf(err) != fault.NotFound {
				t.Errorf("by %q: %v, want NOT_FOUND", key, err)
			}
		}
	})
	storetest.Each(t, "change how they are calculated, one by one and choice by choice", func(t *testing.T, st *store.Store) {
		acme, bolt := storetest.Organization(t, st, "Acme"), storetest.Organization(t, st, "Bolt")
		before, err := bolt.Organization(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want, err := acme.Organization(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			m    store.Methods
			then func()
		}{
			{store.Methods{}, func() {}},
			{store.Methods{GwpSet: new(store.AR4)}, func() { want.GwpSet = store.AR4 }},
			{store.Methods{MoneyOrder: new(store.ConvertThenDeflate), StrictValidity: new(true)}, func() { want.MoneyOrder, want.StrictValidity = store.ConvertThenDeflate, true }},
			{store.Methods{StrictValidity: new(false)}, func() { want.StrictValidity = false }},
		} {
			step.then()
			if got, err := acme.SetMethods(t.Context(), step.m); err != nil || *got != *want {
				t.Errorf("%+v: %+v, %v; want %+v", step.m, got, err, want)
			}
		}
		if after, err := bolt.Organization(t.Context()); err != nil || *after != *before {
			t.Errorf("the other is %+v, %v; was %+v", after, err, before)
		}
	})
	for name, tc := range map[string]struct {
		o    store.Organization
		code fault.Code
	}{
		"a name that is taken":         {store.Organization{Name: "Acme", Currency: "EUR"}, fault.Conflict},
		"a name of nothing but blanks": {store.Organization{Name: " ", Currency: "EUR"}, fault.BadUserInput},
		"a currency in small letters":  {store.Organization{Name: "Other", Currency: "eur"}, fault.BadUserInput},
		"a currency that is not given": {store.Organization{Name: "Other"}, fault.BadUserInput},
	} {
		storetest.Each(t, name+" is refused", func(t *testing.T, st *store.Store) {
			storetest.Organization(t, st, "Acme")
			o := tc.o // both databases run at once, and it is filled in
			if err := st.CreateOrganization(t.Context(), &o); fault.CodeOf(err) != tc.code {
				t.Errorf("error = %v, want %s", err, tc.code)
			}
		})
	}
}
