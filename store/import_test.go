package store_test

import (
	"testing"

	"carbongraph/internal/fault"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

func TestPutDataset(t *testing.T) {
	storetest.Each(t, "versions supersede each other in their own order", func(t *testing.T, st *store.Store) {
		ids := map[store.ID]string{}
		for _, version := range []string{"1.10", "1.2", "1.9"} { // as they come in
			d, _ := storetest.Dataset(t, st, "epa", version)
			ids[d.ID] = version
		}
		storetest.Dataset(t, st, "desnz", "1.0")
		all, err := st.Datasets(t.Context())
		if err != nil || len(all) != 4 {
			t.Fatalf("%d datasets, %v", len(all), err)
		}
		for _, d := range all {
			before := ""
			if d.SupersedesID != nil {
				before = ids[*d.SupersedesID]
			}
			if want := map[string]string{"1.2": "", "1.9": "1.2", "1.10": "1.9", "1.0": ""}[d.Version]; before != want {
				t.Errorf("%s %s supersedes %q, want %q", d.Source, d.Version, before, want)
			}
			if d.FactorCount != 3 {
				t.Errorf("%s has %d factors", d.Version, d.FactorCount)
			}
		}
	})
	storetest.Each(t, "the same release again is left as it is, another under its name is a conflict", func(t *testing.T, st *store.Store) {
		first, factors := storetest.Dataset(t, st, "epa", "1")
		same := &store.FactorDataset{Source: "epa", Version: "1", Digest: "epa1"}
		stored, created, err := st.PutDataset(t.Context(), same, factors)
		if err != nil || created || stored.ID != first.ID {
			t.Errorf("again: %v, created %v, %v", stored, created, err)
		}
		same.Digest = "other"
		if _, _, err := st.PutDataset(t.Context(), same, factors); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("another digest: %v", err)
		}
	})
	storetest.Each(t, "a factor comes back as it was given", func(t *testing.T, st *store.Store) {
		d, factors := storetest.Dataset(t, st, "epa", "1")
		got, err := st.DatasetFactors(t.Context(), d.ID)
		if err != nil || len(got) != 3 {
			t.Fatalf("%d factors, %v", len(got), err)
		}
		for _, f := range got {
			if f.ID != factors[0].ID {
				continue
			}
			if f.Code != "334111" || f.Value.String() != "0.125" || *f.PriceYear != 2022 || *f.PriceBasis != store.PricePurchaser || *f.CategoryNumber != 1 ||
				len(f.Gases) != 1 || f.Gases[0].Amount.String() != "0.125" || f.Gases[0].Basis != store.BasisMass || f.BiogenicCO2 != nil || f.ValidFrom != nil {
				t.Errorf("factor %+v", f)
			}
			return
		}
		t.Error("the factor is not there")
	})
	storetest.Each(t, "a factor that cannot be stored takes its dataset with it", func(t *testing.T, st *store.Store) {
		twice := st.NewID()
		_, _, err := st.PutDataset(t.Context(), &store.FactorDataset{Source: "epa", Version: "1"}, []*store.EmissionFactor{{ID: twice}, {ID: twice}})
		if err == nil {
			t.Error("two factors of one id were stored")
		}
		if all, err := st.Datasets(t.Context()); len(all) != 0 || err != nil {
			t.Errorf("%d datasets are there, %v", len(all), err)
		}
	})
}
