package batch_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"carbongraph/internal/batch"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// What an import changes is raised, of the years that it changes; one that changes nothing leaves every version as it is, so that answers stay kept.
func TestVersionsOfAnImport(t *testing.T) {
	storetest.Each(t, "that is done again", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st)
		raised := func() (*store.Versions, string) {
			v, err := st.Versions(t.Context(), w.tenant.ID())
			if err != nil {
				t.Fatal(err)
			}
			return v, strings.Join(slices.Sorted(maps.Keys(v.Own)), " ")
		}
		imported := func() {
			if _, err := w.Files(t.Context(), w.tenant, []batch.File{{Name: "ledger.csv", Content: ledger(3000)}}, batch.FileOptions{Mapping: w.mapping(t, ledgerMapping)}); err != nil {
				t.Fatal(err)
			}
		}
		imported()
		first, subjects := raised()
		if want := "Activity Activity/2022 Activity/@* CalculationRun Emission Emission/2022 Emission/@* FactorMapping Organization Supplier Supplier/@*"; subjects != want {
			t.Errorf("raised %q, want %q", subjects, want)
		}
		imported()
		second, _ := raised()
		if !maps.Equal(first.All, second.All) {
			t.Errorf("everybody's versions were %v, and are %v", first.All, second.All)
		}
		delete(first.Own, "CalculationRun") // the second import is a run of its own
		delete(second.Own, "CalculationRun")
		if !maps.Equal(first.Own, second.Own) {
			t.Errorf("versions were %v, and are %v", first.Own, second.Own)
		}
	})
}
