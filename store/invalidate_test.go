package store_test

import (
	"maps"
	"slices"
	"testing"

	"carbongraph/store"
	"carbongraph/store/storetest"
)

// Dropping answers raises the organization's own versions of what they are made of, and nobody else's: of what is everybody's too.
func TestInvalidate(t *testing.T) {
	storetest.Each(t, "raises the organization's versions alone", func(t *testing.T, st *store.Store) {
		acme, bolt := storetest.Organization(t, st, "Acme"), storetest.Organization(t, st, "Bolt")
		versions := func(of *store.Tenant) *store.Versions {
			t.Helper()
			v, err := st.Versions(t.Context(), of.ID())
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		theirs := versions(bolt)
		for _, tc := range []struct {
			types, told []store.CacheableType
			raised      []string
		}{
			{[]store.CacheableType{store.CacheSupplier}, []store.CacheableType{store.CacheSupplier}, []string{"Supplier", "Supplier/@*"}},
			{[]store.CacheableType{store.CacheEmissionFactor, store.CacheActivity, store.CacheActivity}, []store.CacheableType{store.CacheActivity, store.CacheEmissionFactor},
				[]string{"Activity", "Activity/*", "Activity/@*", "EmissionFactor", "FactorDataset"}},
			{nil, store.CacheableTypes(), []string{"Activity", "Activity/*", "Activity/@*", "CalculationRun", "Category", "CategoryStatement", "Emission", "Emission/*", "Emission/@*", "EmissionFactor", "FactorDataset", "FactorMapping",
				"Organization", "ReportingYear", "RunDifference", "Supplier", "Supplier/@*"}},
		} {
			before := versions(acme)
			told, err := acme.Invalidate(t.Context(), tc.types)
			if err != nil || !slices.Equal(told, tc.told) {
				t.Fatalf("%v: told %v, %v; want %v", tc.types, told, err, tc.told)
			}
			after := versions(acme)
			var raised []string
			for _, name := range slices.Sorted(maps.Keys(after.Own)) {
				if after.Own[name] > before.Own[name] {
					raised = append(raised, name)
				}
			}
			if !slices.Equal(raised, tc.raised) || after.Total <= before.Total || !maps.Equal(after.All, before.All) {
				t.Errorf("%v raised %v, in all from %d to %d, everybody's from %v to %v; want %v", tc.types, raised, before.Total, after.Total, before.All, after.All, tc.raised)
			}
		}
		if after := versions(bolt); !maps.Equal(after.Own, theirs.Own) || !maps.Equal(after.All, theirs.All) {
			t.Errorf("the other organization's versions: %+v; were %+v", after, theirs)
		}
	})
}

// Every type of which answers are kept is dropped by some CacheableType, but for categories, which only a drop of everything takes.
func TestEveryKindIsCacheable(t *testing.T) {
	for kind := store.KindOrganization; kind <= store.KindFactorMapping; kind++ {
		none := kind == store.KindCategory || kind == store.KindAPIKey
		if got := kind.Cacheable(); (got == "") != none {
			t.Errorf("kind %d is %q", kind, got)
		}
	}
}
