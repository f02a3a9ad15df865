package store

import (
	"reflect"
	"testing"

	"carbongraph/internal/exact"
)

func TestContentDigest(t *testing.T) {
	base := func() *Activity {
		return &Activity{CategoryNumber: 1, Description: "ab", AccountCode: new("c"), OccurredOn: exact.NewDate(2025, 1, 1),
			Quantity: &Quantity{1, "kWh"}, Money: &Money{2, "USD"}, Country: new("US"), SupplierID: &ID{1}}
	}
	for name, change := range map[string]func(*Activity){
		"supplier":                   func(a *Activity) { a.SupplierID = &ID{2} },
		"no supplier":                func(a *Activity) { a.SupplierID = nil },
		"category":                   func(a *Activity) { a.CategoryNumber = 2 },
		"description":                func(a *Activity) { a.Description = "ac" },
		"a letter moved to the code": func(a *Activity) { a.Description, a.AccountCode = "a", new("bc") },
		"no code":                    func(a *Activity) { a.AccountCode = nil },
		"an empty code":              func(a *Activity) { a.AccountCode = new("") },
		"day":                        func(a *Activity) { a.OccurredOn = a.OccurredOn.AddDays(1) },
		"quantity":                   func(a *Activity) { a.Quantity.Value = 2 },
		"unit":                       func(a *Activity) { a.Quantity.Unit = "MWh" },
		"no quantity":                func(a *Activity) { a.Quantity = nil },
		"amount":                     func(a *Activity) { a.Money.Amount = 1 },
		"currency":                   func(a *Activity) { a.Money.Currency = "EUR" },
		"no money":                   func(a *Activity) { a.Money = nil },
		"quantity in money's place":  func(a *Activity) { a.Quantity, a.Money = nil, &Money{1, "kWh"} },
		"a factor of its own":        func(a *Activity) { a.FactorID = &ID{3} },
		"a category of its own":      func(a *Activity) { a.GivenCategory = new(int32(1)) },
		"a property to convert by":   func(a *Activity) { a.ConversionProperty = new("epa:propane") },
		"no name of a property":      func(a *Activity) { a.ConversionProperty = new("") },
		"an uncertainty":             func(a *Activity) { a.UncertaintyPercent = new(exact.Micros(1)) },
		"an uncertainty of nothing":  func(a *Activity) { a.UncertaintyPercent = new(exact.Micros(0)) },
		"country":                    func(a *Activity) { a.Country = nil },
	} {
		a := base()
		change(a)
		if contentDigest(a) == contentDigest(base()) {
			t.Errorf("a change of %s goes unseen", name)
		}
	}
	a := base()
	a.ID, a.CreatedAt, a.Problem = ID{9}, exact.Instant{}, &Problem{}
	if contentDigest(a) != contentDigest(base()) {
		t.Error("what the ledger does not say is digested")
	}
	if !reflect.DeepEqual(a.SupplierID, base().SupplierID) {
		t.Error("digesting changed the activity")
	}
}

func TestVersionOrder(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want int
	}{{"1.2", "1.10", -1}, {"1.2", "1.2", 0}, {"v2", "v1", 1}, {"2022-05", "2022-11", -1}, {"1.2", "1.2.1", -1}, {"1.2a", "1.2b", -1}, {"", "1", -1},
		{"2025", "99999999999999999999999", -1}} {
		if got := compareVersions(tc.a, tc.b); got != tc.want || compareVersions(tc.b, tc.a) != -tc.want {
			t.Errorf("compare %q with %q = %d, want %d, and the other way round", tc.a, tc.b, got, tc.want)
		}
	}
}
