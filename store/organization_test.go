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
