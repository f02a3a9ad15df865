package store_test

import (
	"context"
	"testing"

	"carbongraph/internal/fault"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

func TestPutMappings(t *testing.T) {
	storetest.Each(t, "replaces those for the same lines and leaves the others", func(t *testing.T, st *store.Store) {
		acme := storetest.Organization(t, st, "Acme")
		_, factors := storetest.Dataset(t, st, "test", "1")
		put := func(rows ...*store.FactorMapping) error {
			return acme.Write(t.Context(), func(ctx context.Context, w *store.Writer) error { return w.PutMappings(ctx, rows) })
		}
		byCode := &store.FactorMapping{AccountCode: new("6000"), FactorID: &factors[0].ID, CategoryNumber: new(int32(1)), DecidedBy: "RULE"}
		byBoth := &store.FactorMapping{AccountCode: new("6000"), Country: new("GB"), FactorID: &factors[1].ID, DecidedBy: "RULE"}
		byText := &store.FactorMapping{Description: new("6000"), Exclude: true, Reason: new("Tax."), DecidedBy: "RULE"}
		if err := put(byCode, byBoth, byText); err != nil {
			t.Fatal(err)
		}
		again := &store.FactorMapping{AccountCode: new("6000"), FactorID: &factors[2].ID, DecidedBy: "PERSON", Reviewed: true}
		if err := put(again); err != nil {
			t.Fatal(err)
		}
		if again.ID != byCode.ID {
			t.Error("the mapping that replaces another has an id of its own")
		}
		rows, err := acme.Mappings(t.Context())
		if err != nil || len(rows) != 3 {
			t.Fatalf("%d mappings, %v; want 3", len(rows), err)
		}
		for _, m := range rows {
			switch m.ID {
			case byCode.ID:
				if *m.FactorID != factors[2].ID || m.CategoryNumber != nil || m.DecidedBy != "PERSON" || !m.Reviewed {
					t.Errorf("replaced mapping is %+v", m)
				}
			case byText.ID:
				if !m.Exclude || *m.Reason != "Tax." || m.FactorID != nil {
					t.Errorf("other mapping is %+v", m)
				}
			}
		}
		if err := put(byCode, again); fault.CodeOf(err) != fault.BadUserInput {
			t.Errorf("two for the same lines: %v", err)
		}
	})
}
