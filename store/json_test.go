package store

import (
	"encoding/json"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"carbongraph/internal/exact"
)

// Law: what is written by hand is read back by encoding/json as it was.
func TestJSONOfLines(t *testing.T) {
	decimal := rapid.Custom(func(t *rapid.T) exact.Decimal {
		return exact.NewDecimal(rapid.Int64().Draw(t, "coefficient"), rapid.Int32Range(-20, 10).Draw(t, "exponent"))
	})
	text := rapid.String()
	id := rapid.Custom(func(t *rapid.T) ID {
		return ID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
	})
	same := func(a, b any) bool {
		x, errX := json.Marshal(a)
		y, errY := json.Marshal(b)
		return errX == nil && errY == nil && string(x) == string(y)
	}
	t.Run("provenance", rapid.MakeCheck(func(t *rapid.T) {
		steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) ProvenanceStep {
			return ProvenanceStep{Step: text.Draw(t, "step"), Input: rapid.Ptr(decimal, true).Draw(t, "input"), InputUnit: rapid.Ptr(text, true).Draw(t, "unit"),
				Operator: text.Draw(t, "operator"), Operand: rapid.Ptr(decimal, true).Draw(t, "operand"), Output: decimal.Draw(t, "output"),
				OutputUnit: text.Draw(t, "outputUnit"), Source: text.Draw(t, "source"), SourceRow: rapid.Ptr(id, true).Draw(t, "row")}
		}), 0, 4).Draw(t, "steps")
		var got []ProvenanceStep
		if err := json.Unmarshal([]byte(provenanceText(steps)), &got); err != nil || !same(got, steps) {
			t.Fatalf("%s is read as %+v, %v; want %+v", provenanceText(steps), got, err, steps)
		}
	}))
	t.Run("gases", rapid.MakeCheck(func(t *rapid.T) {
		gases := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) GasAmount {
			return GasAmount{Gas: text.Draw(t, "gas"), Mass: rapid.Ptr(decimal, true).Draw(t, "mass"), CO2e: decimal.Draw(t, "co2e")}
		}), 0, 4).Draw(t, "gases")
		var got []GasAmount
		if err := json.Unmarshal([]byte(gasAmountsText(gases)), &got); err != nil || !same(got, gases) {
			t.Fatalf("%s is read as %+v, %v; want %+v", gasAmountsText(gases), got, err, gases)
		}
	}))
	t.Run("a global id is written as its row", func(t *testing.T) {
		g := Global(KindEmissionFactor, ID{1, 2, 3})
		if got, want := provenanceText([]ProvenanceStep{{SourceID: &g}}), provenanceText([]ProvenanceStep{{SourceRow: &g.Row}}); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
}

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
