package store

import (
	"encoding/json"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"carbongraph/internal/exact"
)

// Law: whatever is written is read back as it was, every zero included.
func TestGasesAndStepsSurvive(t *testing.T) {
	decimal := rapid.Custom(func(t *rapid.T) exact.Decimal {
		return exact.NewDecimal(rapid.Int64().Draw(t, "coefficient"), rapid.Int32Range(-20, 10).Draw(t, "exponent"))
	})
	text := rapid.String()
	id := rapid.Custom(func(t *rapid.T) ID {
		return ID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
	})
	step := rapid.Custom(func(t *rapid.T) ProvenanceStep {
		return ProvenanceStep{Step: text.Draw(t, "step"), Input: rapid.Ptr(decimal, true).Draw(t, "input"), InputUnit: rapid.Ptr(text, true).Draw(t, "unit"),
			Operator: text.Draw(t, "operator"), Operand: rapid.Ptr(decimal, true).Draw(t, "operand"), Output: decimal.Draw(t, "output"),
			OutputUnit: text.Draw(t, "outputUnit"), Source: text.Draw(t, "source"), SourceRow: rapid.Ptr(id, true).Draw(t, "row")}
	})
	t.Run("provenance", rapid.MakeCheck(func(t *rapid.T) {
		steps := rapid.SliceOfN(step, 0, 5).Draw(t, "steps")
		for i := 1; i < len(steps); i++ {
			before := steps[i-1]
			if rapid.Bool().Draw(t, "takes the output before") {
				steps[i].Input = new(before.Output)
			} else if rapid.Bool().Draw(t, "takes it with one zero more") {
				steps[i].Input = new(before.Output.Mul(exact.MustDecimal("1.0")))
			}
			if rapid.Bool().Draw(t, "takes the unit before") {
				steps[i].InputUnit = new(before.OutputUnit)
			}
		}
		got, err := readProvenance(provenanceText(steps))
		if err != nil || !reads(got, steps) {
			t.Fatalf("%s is read as %+v, %v; want %+v", provenanceText(steps), got, err, steps)
		}
	}))
	t.Run("gases", rapid.MakeCheck(func(t *rapid.T) {
		gases := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) GasAmount {
			return GasAmount{Gas: text.Draw(t, "gas"), Mass: rapid.Ptr(decimal, true).Draw(t, "mass"), CO2e: decimal.Draw(t, "co2e")}
		}), 0, 4).Draw(t, "gases")
		got, err := readGasAmounts(gasAmountsText(gases))
		if err != nil || !reads(got, gases) {
			t.Fatalf("%s is read as %+v, %v; want %+v", gasAmountsText(gases), got, err, gases)
		}
	}))
}

// reads tells whether two lists say the same to whoever reads them.
func reads[T any](a, b []T) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && (string(x) == string(y) || len(a)+len(b) == 0)
}

func TestTextOfGasesAndSteps(t *testing.T) {
	row := ID{15: 7}
	number := func(s string) *exact.Decimal { return new(exact.MustDecimal(s)) }
	step := func(input *exact.Decimal, unit *string) ProvenanceStep {
		return ProvenanceStep{Step: "convert", Input: input, InputUnit: unit, Operator: "divide", Operand: number("2"), Output: exact.MustDecimal("1.50"), OutputUnit: "USD", Source: "rates"}
	}
	const same = `["convert","divide",2,1.50,"USD","rates"`
	fromRow, fromNode := step(nil, nil), step(nil, nil)
	fromRow.SourceRow, fromNode.SourceID = &row, new(Global(KindEmissionFactor, row))
	for name, tc := range map[string]struct {
		steps []ProvenanceStep
		want  string
	}{
		"no steps":                                   {nil, `[]`},
		"a first step says what it takes":            {[]ProvenanceStep{step(number("3.0"), new("EUR"))}, `[` + same + `,null,3.0,"EUR"]]`},
		"a first step without a unit":                {[]ProvenanceStep{step(number("3.0"), nil)}, `[` + same + `,null,3.0]]`},
		"a first step that takes nothing":            {[]ProvenanceStep{step(nil, nil)}, `[` + same + `]]`},
		"what the step before gives is left out":     {[]ProvenanceStep{step(nil, nil), step(number("1.50"), new("USD"))}, `[` + same + `],` + same + `]]`},
		"another number of zeros is another input":   {[]ProvenanceStep{step(nil, nil), step(number("1.5"), new("USD"))}, `[` + same + `],` + same + `,null,1.5,"USD"]]`},
		"another unit is another input":              {[]ProvenanceStep{step(nil, nil), step(number("1.50"), new("EUR"))}, `[` + same + `],` + same + `,null,1.50,"EUR"]]`},
		"a later step that takes nothing":            {[]ProvenanceStep{step(nil, nil), step(nil, nil)}, `[` + same + `],` + same + `,null,null]]`},
		"a unit without an input":                    {[]ProvenanceStep{step(nil, new("USD"))}, `[` + same + `,null,null,"USD"]]`},
		"the row of the operand":                     {[]ProvenanceStep{fromRow}, `[` + same + `,"00000000-0000-0000-0000-000000000007"]]`},
		"a global id is written as its row":          {[]ProvenanceStep{fromNode}, `[` + same + `,"00000000-0000-0000-0000-000000000007"]]`},
		"no operand, quotes and signs below a blank": {[]ProvenanceStep{{Step: "\"\\\n\x1f", Operator: "", Source: "é"}}, `[["\"\\\u000a\u001f","",null,0,"","é"]]`},
	} {
		if got := provenanceText(tc.steps); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
	gases := []GasAmount{{Gas: "CO2", Mass: number("1.20"), CO2e: exact.MustDecimal("1.2")}, {Gas: "HFCs", CO2e: exact.MustDecimal("3")}}
	if got, want := gasAmountsText(gases), `[["CO2",1.20,1.2],["HFCs",null,3]]`; got != want {
		t.Errorf("gases: %s, want %s", got, want)
	}
}

func TestMalformedGasesAndSteps(t *testing.T) {
	const gas, step = `["CO2",1,2]`, `["convert","divide",2,1.50,"USD","rates"]`
	for _, text := range []string{``, `[`, `]`, `{}`, `null`, `no JSON`, `[,]`, `[[]`, `[[]]`, `[` + gas, `[` + gas + `,]`, `[` + gas + gas + `]`, `[` + gas + `]]`, `[` + gas + `] `,
		`[["CO2",1]]`, `[["CO2",1,]]`, `[["CO2",1,2,3]]`, `[["CO2",1,null]]`, `[["CO2","1",2]]`, `[["CO2",NaN,2]]`, `[["CO2",1e99,2]]`, `[[CO2,1,2]]`, `[["CO2,1,2]]`,
		`[["CO2\",1,2]]`, `[["\q",1,2]]`, `[["\`, "[[\"\n\",1,2]]", "[[\"\xff\",1,2]]", `[{"gas":"CO2","co2e":"1"}]`} {
		if got, err := readGasAmounts(text); err == nil {
			t.Errorf("gases %q are read as %+v", text, got)
		}
	}
	for _, text := range []string{``, `[`, `{}`, `[` + step, `[` + step + `,]`, `[` + gas + `]`, `[["convert","divide",2,1.50,"USD"]]`, `[["convert","divide",2,null,"USD","rates"]]`,
		`[["convert","divide",2,1,"USD","rates",]]`, `[["convert","divide",2,1,"USD","rates","no id"]]`, `[["convert","divide",2,1,"USD","rates",null,"1"]]`,
		`[["convert","divide",2,1,"USD","rates",null,1,null]]`, `[["convert","divide",2,1,"USD","rates",null,1,"EUR",0]]`, `[{"step":"factor"}]`} {
		if got, err := readProvenance(text); err == nil {
			t.Errorf("steps %q are read as %+v", text, got)
		}
	}
}

// Malformed text is an error, never a panic; and what is read at all is read the same once it is written again.
func FuzzGasesAndSteps(f *testing.F) {
	for _, text := range []string{`[]`, `[["CO2",1.20,1.2],["HFCs",null,3]]`, `[["a\u000ab","x",null,0,"","é"],["b","x",1,0,"kg","s",null,null]]`,
		`[["a","x",2,1.50,"USD","s","00000000-0000-0000-0000-000000000007",3.0,"EUR"],["b","x",1,0,"kg","s"]]`, `[["\`, `[["\ud800",1,2]]`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if gases, err := readGasAmounts(text); err == nil {
			if again, err := readGasAmounts(gasAmountsText(gases)); err != nil || !reads(gases, again) {
				t.Errorf("%q is read as %+v, then as %+v, %v", text, gases, again, err)
			}
		}
		if steps, err := readProvenance(text); err == nil {
			if again, err := readProvenance(provenanceText(steps)); err != nil || !reads(steps, again) {
				t.Errorf("%q is read as %+v, then as %+v, %v", text, steps, again, err)
			}
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
