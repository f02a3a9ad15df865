package resolvers_test

import (
	"testing"

	"carbongraph/internal/exact"
	"carbongraph/resolvers"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

func TestWhatAFactorStatesIsShown(t *testing.T) {
	storetest.Each(t, "by both engines", func(t *testing.T, st *store.Store) {
		tenant := storetest.Organization(t, st, "Acme")
		d := &store.FactorDataset{Source: "acme-labs", Version: "1", GwpSet: store.AR5, Digest: "x"}
		_, _, err := st.PutDataset(t.Context(), d, []*store.EmissionFactor{
			{Code: "A", Name: "Steel of our supplier", Region: "GB", Unit: "kg", SupplierShare: new(exact.MustDecimal("0.250")), Verified: new(true), ConversionProperty: new("epa:propane")},
			{Code: "B", Name: "Steel as they say", Region: "GB", Unit: "kg", SupplierShare: new(exact.MustDecimal("1")), Verified: new(false)},
			{Code: "C", Name: "Steel", Region: "GB", Unit: "kg"},
		})
		if err != nil {
			t.Fatal(err)
		}
		const want = `{"emissionFactors":{"nodes":[{"code":"A","supplierShare":"0.25","verified":true,"conversionProperty":"epa:propane"},` +
			`{"code":"B","supplierShare":"1","verified":false,"conversionProperty":null},{"code":"C","supplierShare":null,"verified":null,"conversionProperty":null}]}}`
		for name, s := range newServer(st, tenant.ID(), resolvers.Options{}).engines() {
			got := s.ask(t, `{ emissionFactors(orderBy: {field: CODE}) { nodes { code supplierShare verified conversionProperty } } }`, nil)
			if string(got.Data) != want || len(got.Errors) > 0 {
				t.Errorf("%s: %s %v\nwant %s", name, got.Data, got.Errors, want)
			}
		}
	})
}
