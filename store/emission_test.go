package store_test

import (
	"testing"

	"carbongraph/internal/fault"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

func TestGasesAndSteps(t *testing.T) {
	storetest.Each(t, "are worked out when they are asked for", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 1, nil)
		given := l.Lines[0].Emission
		e := currentEmissions(t, l)[0]
		for range 2 {
			gases, errGases := e.GasAmounts()
			steps, errSteps := e.Steps()
			if errGases != nil || len(gases) != 1 || gases[0].Gas != "carbon dioxide" || gases[0].Mass.Cmp(given.CO2e.Decimal()) != 0 {
				t.Errorf("gases = %+v, %v", gases, errGases)
			}
			if errSteps != nil || len(steps) != 3 || steps[1].Step != "factor" || *steps[1].SourceNode() != l.Factors[1].GlobalID() ||
				steps[0].Input.String() != "1" || steps[2].Output.Cmp(given.CO2e.Decimal()) != 0 {
				t.Errorf("steps = %+v, %v", steps, errSteps)
			}
		}
		if gases, err := given.GasAmounts(); err != nil || len(gases) != 1 {
			t.Errorf("gases that were not stored yet = %+v, %v", gases, err)
		}
		for _, text := range []string{"no JSON", "{}", "[0]", "[0,{},[]]", "[0,[],{}]", `[0,[["a"]],[]]`, `[0,[["a","x",1,"one","kg","s"]],[]]`} {
			if err := st.Exec(t.Context(), "UPDATE formulas SET text = '"+text+"'"); err != nil {
				t.Fatal(err)
			}
			e = currentEmissions(t, l)[0]
			_, errGases := e.GasAmounts()
			_, errSteps := e.Steps()
			if fault.CodeOf(errGases) != fault.Internal || fault.CodeOf(errSteps) != fault.Internal {
				t.Errorf("%s: %v, %v; want INTERNAL", text, errGases, errSteps)
			}
		}
	})
	storetest.Each(t, "stand as they are where they were calculated before there were formulas", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 1, nil)
		factor := l.Factors[0].ID
		text := `[0,[["quantity","multiply",1,12.50,"EUR","the ledger''s line",null,12.50,"EUR"],["factor","multiply",2,25.00,"kg CO2e","Test","` + factor.String() +
			`"]],[["CH4",0.1,2.5],["HFCs",null,3]]]`
		if err := st.Exec(t.Context(), "UPDATE formulas SET text = '"+text+"'"); err != nil {
			t.Fatal(err)
		}
		e := currentEmissions(t, l)[0]
		steps, err := e.Steps()
		if err != nil || len(steps) != 2 || steps[0].Input.String() != "12.50" || *steps[0].InputUnit != "EUR" || steps[0].SourceRow != nil ||
			steps[1].Input.String() != "12.50" || *steps[1].InputUnit != "EUR" || steps[1].Output.String() != "25.00" || *steps[1].SourceRow != factor {
			t.Errorf("steps = %+v, %v", steps, err)
		}
		gases, err := e.GasAmounts()
		if err != nil || len(gases) != 2 || gases[0].Mass.String() != "0.1" || gases[1].Mass != nil || gases[1].CO2e.String() != "3" {
			t.Errorf("gases = %+v, %v", gases, err)
		}
	})
}
