package seed

import (
	"reflect"
	"slices"
	"sort"
	"testing"

	"carbongraph/store"
)

func TestEqualOptionsGiveEqualLedgers(t *testing.T) {
	a, b := New(Options{Suppliers: 60, Activities: 500, Seed: 7}), New(Options{Suppliers: 60, Activities: 500, Seed: 7})
	if !reflect.DeepEqual(a.Suppliers(), b.Suppliers()) {
		t.Error("suppliers differ")
	}
	if !reflect.DeepEqual(slices.Collect(a.Activities()), slices.Collect(b.Activities())) {
		t.Error("activities differ")
	}
	c := New(Options{Suppliers: 60, Activities: 500, Seed: 8})
	if reflect.DeepEqual(slices.Collect(a.Activities()), slices.Collect(c.Activities())) {
		t.Error("another seed gave the same activities")
	}
}

func TestLedgerHasAllCategoriesThreeYearsAndUniqueKeys(t *testing.T) {
	categories, years, keys := map[int32]int{}, map[int]int{}, map[string]bool{}
	for a := range New(Options{Suppliers: 50, Activities: 3000, Seed: 1}).Activities() {
		categories[*a.Category]++
		years[a.OccurredOn.Year()]++
		if keys[a.ExternalID] {
			t.Fatalf("external id %s came twice", a.ExternalID)
		}
		keys[a.ExternalID] = true
		if a.Money == nil && a.Quantity == nil {
			t.Fatalf("%s has neither money nor quantity", a.ExternalID)
		}
	}
	if len(categories) != 15 || len(years) != 3 {
		t.Errorf("categories %v, years %v; want 15 and 3", categories, years)
	}
}

func TestSupplierNamesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range New(Options{Suppliers: 2000, Seed: 1}).Suppliers() {
		if seen[s.Name] {
			t.Fatalf("%q came twice", s.Name)
		}
		seen[s.Name] = true
	}
}

// A real ledger's spend is skewed: of 400 suppliers, the largest fifth should hold well over half.
func TestFewSuppliersDominate(t *testing.T) {
	spend := map[string]float64{}
	for a := range New(Options{Suppliers: 400, Activities: 20000, Seed: 1}).Activities() {
		if a.Money != nil && a.SupplierExternalID != nil {
			spend[*a.SupplierExternalID] += a.Money.Amount.Float64()
		}
	}
	var all []float64
	var total, top float64
	for _, v := range spend {
		all = append(all, v)
		total += v
	}
	sort.Sort(sort.Reverse(sort.Float64Slice(all)))
	for _, v := range all[:80] {
		top += v
	}
	if share := top / total; share < 0.55 {
		t.Errorf("the largest 80 of %d suppliers hold %.0f %% of spend; want at least 55 %%", len(all), share*100)
	}
}

func BenchmarkActivities(b *testing.B) {
	var last store.ActivityInput
	for a := range New(Options{Suppliers: 400, Activities: b.N, Seed: 1}).Activities() {
		last = a
	}
	_ = last
}
