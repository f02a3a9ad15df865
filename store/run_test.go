package store_test

import (
	"testing"

	"carbongraph/internal/fault"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

func TestRuns(t *testing.T) {
	storetest.Each(t, "begin, end, and belong to one organization", func(t *testing.T, st *store.Store) {
		acme, other := storetest.Organization(t, st, "Acme"), storetest.Organization(t, st, "Other")
		run := storetest.Run(t, acme)
		run.Status = store.RunPartial
		if err := other.FinishRun(t.Context(), run); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("the other organization ends the run: %v", err)
		}
		if err := acme.FinishRun(t.Context(), run); err != nil {
			t.Fatal(err)
		}
		got, err := acme.RunsByID(t.Context(), []store.ID{run.ID})
		if err != nil || len(got) != 1 || got[0].Status != store.RunPartial || got[0].FinishedAt == nil || got[0].Reason != "test" || got[0].GwpSet != store.AR5 {
			t.Errorf("run %+v, %v", got, err)
		}
	})
}
