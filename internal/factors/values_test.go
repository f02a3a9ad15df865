package factors_test

import (
	"testing"

	"carbongraph/internal/exact"
	"carbongraph/internal/factors"
	"carbongraph/store"
)

// What quality and uncertainty are derived from has to reach the calculation.
func TestCalcTellsAllThatAFactorStates(t *testing.T) {
	percent, boundary := exact.MustDecimal("12.5"), "cradle to gate"
	stated := &store.EmissionFactor{Code: "A", Unit: "kg", Year: new(int32(2023)), ValidFrom: new(exact.NewDate(2023, 1, 1)), ValidTo: new(exact.NewDate(2023, 12, 31)),
		UncertaintyPercent: &percent, LifeCycleBoundary: &boundary, PriceYear: new(int32(2022)), PriceBasis: new(store.PriceBasic)}
	c := factors.Calc(stated, &store.FactorDataset{Source: factors.DESNZ, GwpSet: store.AR5})
	if c.Year != 2023 || c.ValidFrom != *stated.ValidFrom || c.ValidTo != *stated.ValidTo || c.UncertaintyPercent.Cmp(percent) != 0 || c.Boundary != boundary ||
		c.PriceYear != 2022 || c.PriceBasis != "BASIC" || !c.Verified {
		t.Errorf("%+v; want everything that %+v states, and that a public body published it", c, stated)
	}
	c = factors.Calc(&store.EmissionFactor{Code: "A", Unit: "kg"}, &store.FactorDataset{Source: "acme-labs", GwpSet: store.AR5})
	if c.Year != 0 || !c.ValidFrom.IsZero() || !c.ValidTo.IsZero() || c.UncertaintyPercent != nil || c.Boundary != "" || c.PriceBasis != "" || c.Verified {
		t.Errorf("%+v; want nothing that was not stated", c)
	}
}
