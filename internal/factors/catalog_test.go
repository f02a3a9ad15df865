package factors_test

import (
	"sync"
	"testing"

	"carbongraph/internal/factors"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

func TestACatalogGivesWhatIsThereAndNothingElse(t *testing.T) {
	storetest.Each(t, "catalog", func(t *testing.T, st *store.Store) {
		d, rows := storetest.Dataset(t, st, "test", "1")
		c := factors.NewCatalog(st, 2)
		unknown := store.ID{42}
		for range 3 {
			got, err := c.Factors(t.Context(), []store.ID{rows[0].ID, rows[1].ID, rows[0].ID, unknown, rows[2].ID})
			if err != nil || len(got) != 3 {
				t.Fatalf("%d factors, %v; want 3", len(got), err)
			}
			for _, f := range rows {
				e := got[f.ID]
				if e == nil || e.ID != f.ID || e.DatasetID != d.ID || e.Calc.Code != f.Code || e.Calc.Source != "test" || e.Calc.GwpSet != "AR5" {
					t.Errorf("factor %s is %+v", f.Code, e)
				}
			}
			if e := got[rows[0].ID]; e.CategoryNumber == nil || *e.CategoryNumber != 1 || e.Calc.PriceYear != 2022 || e.Calc.PriceBasis != "PURCHASER" || len(e.Calc.Gases) != 1 {
				t.Errorf("money factor is %+v with %+v", e, e.Calc)
			}
		}
		if got, err := c.Factors(t.Context(), nil); err != nil || len(got) != 0 {
			t.Errorf("no ids give %v, %v", got, err)
		}
	})
}

// What was read once is not read again: the second time the store is closed.
func TestACatalogKeepsWhatItRead(t *testing.T) {
	st, err := store.Open(t.Context(), store.Options{DataDir: t.TempDir(), SkipMigrationCheck: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.MigrateUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, rows := storetest.Dataset(t, st, "test", "1")
	c := factors.NewCatalog(st, 0)
	ids := []store.ID{rows[0].ID, rows[1].ID}
	if _, err := c.Factors(t.Context(), ids); err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			if got, err := c.Factors(t.Context(), ids); err != nil || len(got) != 2 {
				t.Errorf("%d factors, %v; want 2 from memory", len(got), err)
			}
		})
	}
	wait.Wait()
	if _, err := c.Factors(t.Context(), []store.ID{rows[2].ID}); err == nil {
		t.Error("a factor that was never read came from a closed store")
	}
}
