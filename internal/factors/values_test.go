package factors_test

import (
	"testing"

	"carbongraph/internal/exact"
	"carbongraph/internal/factors"
	"carbongraph/store"
)

// What quality and uncertainty are derived from has to reach the calculation.
func TestCalcTellsAllThatAFactorStates(t *testing.T) {
	percent, share, boundary := exact.MustDecimal("12.5"), exact.MustDecimal("0.25"), "cradle to gate"
	stated := &store.EmissionFactor{Code: "A", Unit: "kg", Year: new(int32(2023)), ValidFrom: new(exact.NewDate(2023, 1, 1)), ValidTo: new(exact.NewDate(2023, 12, 31)),
		UncertaintyPercent: &percent, LifeCycleBoundary: &boundary, PriceYear: new(int32(2022)), PriceBasis: new(store.PriceBasic),
		SupplierShare: &share, ConversionProperty: new("epa:propane")}
	c := factors.Calc(stated, &store.FactorDataset{Source: factors.DESNZ, GwpSet: store.AR5})
	if c.Year != 2023 || c.ValidFrom != *stated.ValidFrom || c.ValidTo != *stated.ValidTo || c.UncertaintyPercent.Cmp(percent) != 0 || c.Boundary != boundary ||
		c.PriceYear != 2022 || c.PriceBasis != "BASIC" || !c.Verified || c.SupplierShare.Cmp(share) != 0 || c.Property != "epa:propane" {
		t.Errorf("%+v; want everything that %+v states, and that a public body published it", c, stated)
	}
	c = factors.Calc(&store.EmissionFactor{Code: "A", Unit: "kg"}, &store.FactorDataset{Source: "acme-labs", GwpSet: store.AR5})
	if c.Year != 0 || !c.ValidFrom.IsZero() || !c.ValidTo.IsZero() || c.UncertaintyPercent != nil || c.Boundary != "" || c.PriceBasis != "" || c.Verified ||
		c.SupplierShare.Sign() != 0 || c.Property != "" {
		t.Errorf("%+v; want nothing that was not stated", c)
	}
	for _, source := range []string{"acme-labs", factors.DESNZ} {
		for _, stated := range []bool{true, false} {
			if c := factors.Calc(&store.EmissionFactor{Code: "A", Unit: "kg", Verified: &stated}, &store.FactorDataset{Source: source, GwpSet: store.AR5}); c.Verified != stated {
				t.Errorf("a factor of %s that states %t counts as %t", source, stated, c.Verified)
			}
		}
	}
}
