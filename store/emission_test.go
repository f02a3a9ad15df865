package store_test

import (
	"testing"

	"carbongraph/internal/fault"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

func TestGasesAndSteps(t *testing.T) {
	storetest.Each(t, "are decoded when they are asked for", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 1, nil)
		given := l.Lines[0].Emission
		e := currentEmissions(t, l)[0]
		for range 2 {
			gases, errGases := e.GasAmounts()
			steps, errSteps := e.Steps()
			if errGases != nil || len(gases) != 1 || gases[0].Gas != "carbon dioxide" || gases[0].Mass.Cmp(*given.Gases[0].Mass) != 0 {
				t.Errorf("gases = %+v, %v", gases, errGases)
			}
			if errSteps != nil || len(steps) != 1 || steps[0].Step != "factor" || *steps[0].SourceNode() != l.Factors[1].GlobalID() {
				t.Errorf("steps = %+v, %v", steps, errSteps)
			}
		}
		if gases, err := given.GasAmounts(); err != nil || len(gases) != 1 {
			t.Errorf("gases that were not stored yet = %+v, %v", gases, err)
		}
		if steps, err := new(store.Emission).Steps(); err != nil || len(steps) != 0 {
			t.Errorf("steps of nothing = %+v, %v", steps, err)
		}
		if err := st.Exec(t.Context(), "UPDATE emissions SET gases = 'no JSON', provenance = '{}'"); err != nil {
			t.Fatal(err)
		}
		e = currentEmissions(t, l)[0]
		_, errGases := e.GasAmounts()
		_, errSteps := e.Steps()
		if fault.CodeOf(errGases) != fault.Internal || fault.CodeOf(errSteps) != fault.Internal {
			t.Errorf("text that is no list: %v, %v; want INTERNAL", errGases, errSteps)
		}
	})
}
