package batch_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"carbongraph/internal/batch"
	"carbongraph/internal/calc"
	"carbongraph/internal/exact"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

var calculate = batch.Flags{Calculate: true}

func TestAWrongLineFailsAloneAndSaysWhere(t *testing.T) {
	money := func(amount, currency string) func(*store.ActivityInput) {
		return func(in *store.ActivityInput) {
			in.Money = &store.MoneyInput{Amount: exact.MustDecimal(amount), Currency: currency}
		}
	}
	quantity := func(value, unit string) func(*store.ActivityInput) {
		return func(in *store.ActivityInput) {
			in.Quantity = &store.QuantityInput{Value: exact.MustDecimal(value), Unit: unit}
		}
	}
	nobody := store.Global(store.KindSupplier, store.ID{15: 1})
	noFactor := store.Global(store.KindEmissionFactor, store.ID{15: 1})
	cases := []struct {
		name       string
		change     func(*store.ActivityInput)
		code, path string
	}{
		{"empty external id", func(in *store.ActivityInput) { in.ExternalID = " " }, "BAD_USER_INPUT", "externalId"},
		{"external id beyond measure", func(in *store.ActivityInput) { in.ExternalID = strings.Repeat("x", 201) }, "BAD_USER_INPUT", "externalId"},
		{"zero byte in a text", func(in *store.ActivityInput) { in.Description = "a\x00b" }, "BAD_USER_INPUT", "description"},
		{"text that is no UTF-8", func(in *store.ActivityInput) { in.AccountCode = new("\xff") }, "BAD_USER_INPUT", "accountCode"},
		{"no day", func(in *store.ActivityInput) { in.OccurredOn = exact.Date{} }, "BAD_USER_INPUT", "occurredOn"},
		{"tomorrow", func(in *store.ActivityInput) { in.OccurredOn = exact.NewDate(2025, 6, 16) }, "BAD_USER_INPUT", "occurredOn"},
		{"a day before all ledgers", func(in *store.ActivityInput) { in.OccurredOn = exact.NewDate(24, 1, 1) }, "BAD_USER_INPUT", "occurredOn"},
		{"neither quantity nor money", func(in *store.ActivityInput) { in.Money = nil }, "BAD_USER_INPUT", "money"},
		{"seven decimals", money("1.0000001", "USD"), "BAD_USER_INPUT", "money.amount"},
		{"amount beyond 64 bits", money("1e14", "USD"), "BAD_USER_INPUT", "money.amount"},
		{"mass beyond 64 bits", quantity("9e12", "MWh"), "BAD_USER_INPUT", ""},
		{"currency of the wrong form", money("1", "usd"), "BAD_USER_INPUT", "money.currency"},
		{"quantity beyond 64 bits", quantity("1e30", "kWh"), "BAD_USER_INPUT", "quantity.value"},
		{"quantity without a unit", quantity("1", " "), "BAD_USER_INPUT", "quantity.unit"},
		{"country of the wrong form", func(in *store.ActivityInput) { in.Country = new("GBR") }, "BAD_USER_INPUT", "country"},
		{"category 0", func(in *store.ActivityInput) { in.Category = new(int32(0)) }, "BAD_USER_INPUT", "category"},
		{"category 16", func(in *store.ActivityInput) { in.Category = new(int32(16)) }, "BAD_USER_INPUT", "category"},
		{"property that nobody knows", property("natural-gas"), "BAD_USER_INPUT", "conversionProperty"},
		{"property without a name", property(""), "BAD_USER_INPUT", "conversionProperty"},
		{"uncertainty below zero", uncertain("-0.000001"), "BAD_USER_INPUT", "uncertaintyPercent"},
		{"uncertainty beyond all measure", uncertain("1000.000001"), "BAD_USER_INPUT", "uncertaintyPercent"},
		{"uncertainty of seven decimals", uncertain("1.0000001"), "BAD_USER_INPUT", "uncertaintyPercent"},
		{"uncertainty beyond 64 bits", uncertain("1e30"), "BAD_USER_INPUT", "uncertaintyPercent"},
		{"factor that does not exist", func(in *store.ActivityInput) { in.FactorID = &noFactor }, "NOT_FOUND", "factorId"},
		{"id of another kind for a factor", func(in *store.ActivityInput) { in.FactorID = &nobody }, "NOT_FOUND", "factorId"},
		{"supplier that does not exist", func(in *store.ActivityInput) { in.SupplierID = &nobody }, "NOT_FOUND", "supplierId"},
		{"id of another kind for a supplier", func(in *store.ActivityInput) { in.SupplierID = &noFactor }, "NOT_FOUND", "supplierId"},
		{"supplier named twice over", func(in *store.ActivityInput) { in.SupplierID, in.SupplierExternalID = &nobody, new("S1") }, "BAD_USER_INPUT", "supplierId"},
		{"empty supplier key", func(in *store.ActivityInput) { in.SupplierExternalID = new("") }, "BAD_USER_INPUT", "supplierExternalId"},
		{"supplier's name without a key", func(in *store.ActivityInput) { in.SupplierName = new("Acme") }, "BAD_USER_INPUT", "supplierName"},
		{"the same external id again", func(in *store.ActivityInput) { in.ExternalID = "good-first" }, "BAD_USER_INPUT", "externalId"},
	}
	storetest.Each(t, "all of them between two good ones", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st)
		kWh := store.Global(store.KindEmissionFactor, w.factors[2].ID)
		in := []store.ActivityInput{w.input("good-first")}
		for _, tc := range cases {
			in = append(in, w.input("bad "+tc.name, func(in *store.ActivityInput) {
				if tc.change(in); in.Quantity != nil {
					in.FactorID, in.Money = &kWh, nil
				}
			}))
		}
		in = append(in, w.input("good-last"))
		got := w.importAll(t, calculate, in...)
		for i, tc := range cases {
			r := got[i+1]
			if r.Status != store.Failed || r.Activity != nil || r.Problem == nil {
				t.Errorf("%s: %+v; want it FAILED", tc.name, r)
				continue
			}
			if path := strings.Join(r.Problem.Path, "."); r.Problem.Code != tc.code || path != tc.path || !strings.HasSuffix(r.Problem.Message, ".") {
				t.Errorf("%s: %s at %q: %s; want %s at %q", tc.name, r.Problem.Code, path, r.Problem.Message, tc.code, tc.path)
			}
		}
		for _, r := range []batch.ItemResult{got[0], got[len(got)-1]} {
			if r.Status != store.Created || r.Problem != nil || r.Activity == nil {
				t.Errorf("a good line came out as %+v", r)
			}
		}
		if n, err := w.tenant.CountActivities(t.Context(), nil); n != 2 || err != nil {
			t.Errorf("%d activities are stored, %v; want the two good ones", n, err)
		}
	})
}

func TestALineThatCannotBeCalculatedIsKeptWithTheReason(t *testing.T) {
	storetest.Each(t, "each reason", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st)
		excluded := &store.FactorMapping{ID: st.NewID(), AccountCode: new("9000"), Exclude: true, Reason: new("Tax."), DecidedBy: "RULE"}
		if err := w.tenant.Write(t.Context(), func(ctx context.Context, wr *store.Writer) error {
			return wr.PutMappings(ctx, []*store.FactorMapping{excluded})
		}); err != nil {
			t.Fatal(err)
		}
		kWh := store.Global(store.KindEmissionFactor, w.factors[2].ID)
		quantity := func(unit string) func(*store.ActivityInput) {
			return func(in *store.ActivityInput) {
				in.Money, in.FactorID, in.Quantity = nil, &kWh, &store.QuantityInput{Value: exact.MustDecimal("3"), Unit: unit}
			}
		}
		cases := []struct {
			name, code string
			change     func(*store.ActivityInput)
		}{
			{"unknown unit", "UNKNOWN_UNIT", quantity("parsec of steel")},
			{"unit of another dimension", "UNIT_MISMATCH", quantity("kg")},
			{"money for a factor per kWh", "UNIT_MISMATCH", func(in *store.ActivityInput) { in.FactorID = &kWh }},
			{"no rule", "NO_FACTOR", func(in *store.ActivityInput) { in.FactorID = nil }},
			{"no rule for the account", "NO_FACTOR", func(in *store.ActivityInput) { in.FactorID, in.AccountCode = nil, new("1234") }},
			{"currency without a rate", "NO_EXCHANGE_RATE", func(in *store.ActivityInput) { in.Money.Currency = "XTS" }},
			{"month without a rate", "NO_EXCHANGE_RATE", func(in *store.ActivityInput) {
				in.OccurredOn, in.Money.Currency = exact.NewDate(1950, 1, 1), "GBP"
			}},
			{"no purchase", "EXCLUDED", func(in *store.ActivityInput) { in.FactorID, in.AccountCode = nil, new("9000") }},
			{"spend that cannot be told in the organization's currency", "NO_EXCHANGE_RATE", func(in *store.ActivityInput) {
				in.FactorID, in.Quantity, in.Money.Currency = &kWh, &store.QuantityInput{Value: exact.MustDecimal("3"), Unit: "kWh"}, "XTS"
			}},
		}
		var in []store.ActivityInput
		for _, tc := range cases {
			in = append(in, w.input(tc.name, tc.change))
		}
		for i, r := range w.importAll(t, calculate, in...) {
			if r.Status != store.Created || r.Activity == nil || r.Problem == nil || r.Problem.Code != cases[i].code || r.Problem.Message == "" {
				t.Errorf("%s: %+v, problem %+v; want it CREATED with %s", cases[i].name, r, r.Problem, cases[i].code)
			}
		}
		stored := activities(t, w)
		if len(stored) != len(cases) {
			t.Fatalf("%d lines are stored; want all %d", len(stored), len(cases))
		}
		for _, a := range stored {
			if a.Problem == nil || a.Problem.Message == "" {
				t.Errorf("%s is stored without its problem", a.ExternalID)
			}
		}
		if reason := stored[slices.IndexFunc(stored, func(a *store.Activity) bool { return a.ExternalID == "no purchase" })].Problem.Message; reason != "Tax." {
			t.Errorf("the excluded line says %q; want the rule's reason", reason)
		}
		totals, err := w.tenant.EmissionTotals(t.Context(), nil)
		if err != nil || totals.EmissionCount != 0 {
			t.Errorf("totals %+v, %v; want no emission", totals, err)
		}
	})
}

// activities gives all that the organization has, at most a page of 500.
func activities(t testing.TB, w *world) []*store.Activity {
	t.Helper()
	page, err := w.tenant.Activities(t.Context(), nil, store.ActivityOrder{Field: store.ActivitiesByCreatedAt, Direction: store.Asc}, store.Page{First: new(int32(500))})
	if err != nil {
		t.Fatal(err)
	}
	return page.Nodes
}

func emission(t testing.TB, w *world, a *store.Activity) *store.Emission {
	t.Helper()
	found, err := w.tenant.CurrentEmissionsOf([]store.ID{a.ID}, 0).All(t.Context())
	if err != nil || len(found) != 1 {
		t.Fatalf("%d emissions of %s, %v; want one", len(found), a.ExternalID, err)
	}
	return found[0]
}

func TestAnEmissionIsStoredAsItWasCalculated(t *testing.T) {
	storetest.Each(t, "spend in dollars, reported in pounds", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st)
		r := w.importAll(t, calculate, w.input("a", func(in *store.ActivityInput) {
			in.SupplierExternalID, in.SupplierName, in.Country, in.AccountCode = new("S1"), new("Acme"), new("US"), new("4000")
		}))[0]
		e := emission(t, w, r.Activity)
		spend, err := newEngine(t).Calculator(calc.Settings{}).Convert(calc.Amount{Value: 100_000_000, Unit: "USD"}, r.Activity.OccurredOn, "GBP")
		if err != nil {
			t.Fatal(err)
		}
		if e.CO2e != 12_500_000 || e.Method != store.SpendBased || e.GwpSet != store.AR5 || e.FactorID != w.factors[0].ID || e.DatasetID != w.dataset.ID ||
			*e.Country != "US" || *e.AccountCode != "4000" || *e.SupplierID != *r.Activity.SupplierID || e.CategoryNumber != 1 || *e.Spend != spend {
			t.Errorf("emission %+v with spend %s; want 12.5 kg of 334111 and %s pounds", e, e.Spend, spend)
		}
		gases, err := e.GasAmounts()
		if err != nil || len(gases) != 1 || gases[0].Mass.Canonical() != "12.5" {
			t.Errorf("gases %+v, %v; want 12.5 kg of carbon dioxide", gases, err)
		}
		steps, err := e.Steps()
		if err != nil {
			t.Fatal(err)
		}
		last, factor := steps[len(steps)-1], steps[slices.IndexFunc(steps, func(s store.ProvenanceStep) bool { return s.Step == "factor" })]
		if last.Output.Canonical() != "12.5" || factor.SourceRow == nil || *factor.SourceRow != w.factors[0].ID || *factor.InputUnit != "USD" {
			t.Errorf("provenance %+v; want it to end in 12.5 kg and to point at the factor", steps)
		}
		runs, err := w.tenant.RunsWith([]store.ID{e.RunID}, 0).All(t.Context())
		if err != nil || len(runs) != 1 || runs[0].Status != store.RunSucceeded || runs[0].FinishedAt == nil || runs[0].Reason == "" {
			t.Errorf("run %+v, %v; want it SUCCEEDED, with end and reason", runs, err)
		}
	})
}

func TestImportingAgainSaysWhatIsNew(t *testing.T) {
	storetest.Each(t, "created, unchanged, updated", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st)
		a, b := w.input("a"), w.input("b", func(in *store.ActivityInput) { in.FactorID = nil })
		for _, step := range []struct {
			name string
			in   []store.ActivityInput
			want []store.ItemStatus
		}{
			{"first", []store.ActivityInput{a, b}, []store.ItemStatus{store.Created, store.Created}},
			{"again, in another order", []store.ActivityInput{b, a}, []store.ItemStatus{store.Unchanged, store.Unchanged}},
			{"another amount", []store.ActivityInput{w.input("a", func(in *store.ActivityInput) { in.Money.Amount = exact.MustDecimal("7") }), b}, []store.ItemStatus{store.Updated, store.Unchanged}},
			{"a factor for what had none", []store.ActivityInput{w.input("b")}, []store.ItemStatus{store.Updated}},
		} {
			got := w.importAll(t, calculate, step.in...)
			for i, r := range got {
				if r.Status != step.want[i] || r.Activity == nil || r.Activity.ID.IsZero() {
					t.Errorf("%s: %s is %s; want %s", step.name, r.ExternalID, r.Status, step.want[i])
				}
			}
		}
		totals, err := w.tenant.EmissionTotals(t.Context(), nil)
		if err != nil || totals.CO2e != 875_000+12_500_000 || totals.EmissionCount != 2 {
			t.Errorf("totals %+v, %v; want 7 and 100 dollars at 0.125 kg, nothing twice", totals, err)
		}
	})
}

func TestADryRunTellsEverythingAndWritesNothing(t *testing.T) {
	storetest.Each(t, "before and after", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st)
		w.importAll(t, calculate, w.input("old"), w.input("same"))
		in := []store.ActivityInput{
			w.input("old", func(in *store.ActivityInput) { in.Description = "Screens" }),
			w.input("same"),
			w.input("new", func(in *store.ActivityInput) { in.SupplierExternalID = new("S9") }),
			w.input(""),
			w.input("unmapped", func(in *store.ActivityInput) { in.FactorID = nil }),
		}
		var got []string
		for _, r := range w.importAll(t, batch.Flags{DryRun: true, Calculate: true}, in...) {
			got = append(got, fmt.Sprintf("%s %t %t", r.Status, r.Activity != nil, r.Problem != nil))
		}
		want := []string{"UPDATED false false", "UNCHANGED true false", "CREATED false false", "FAILED false true", "CREATED false true"}
		if !slices.Equal(got, want) {
			t.Errorf("results (status, activity, problem) = %q; want %q", got, want)
		}
		if stored := activities(t, w); len(stored) != 2 || stored[0].Description != "Laptops" {
			t.Errorf("stored %d lines after the dry run; want the two from before, as they were", len(stored))
		}
		if n, err := w.tenant.CountSuppliers(t.Context(), nil); n != 0 || err != nil {
			t.Errorf("%d suppliers, %v; want none", n, err)
		}
	})
}

func TestWithoutCalculationLinesAreKeptAsTheyAre(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	got := w.importAll(t, batch.Flags{}, w.input("a"), w.input("b", func(in *store.ActivityInput) { in.FactorID = nil }))
	for _, r := range got {
		if r.Status != store.Created || r.Problem != nil || r.Activity.Problem != nil {
			t.Errorf("%+v; want it CREATED without a problem", r)
		}
	}
	if found, err := w.tenant.CurrentEmissionsOf([]store.ID{got[0].Activity.ID, got[1].Activity.ID}, 0).All(t.Context()); len(found) != 0 || err != nil {
		t.Errorf("%d emissions, %v; want none", len(found), err)
	}
	if again := w.importAll(t, calculate, w.input("a")); again[0].Status != store.Updated {
		t.Errorf("calculated afterwards: %s; want UPDATED", again[0].Status)
	}
}

func TestTheCategoryIsTheInputsThenTheRulesThenTheFactorsThenOne(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	rule := func(account string, category *int32, factor *store.ID) *store.FactorMapping {
		return &store.FactorMapping{ID: w.store.NewID(), AccountCode: &account, CategoryNumber: category, FactorID: factor, DecidedBy: "RULE"}
	}
	implied, silent := &w.factors[0].ID, &w.factors[2].ID // 334111 implies category 1, electricity none
	storetest.Write(t, w.tenant, func(ctx context.Context, wr *store.Writer) error {
		return wr.PutMappings(ctx, []*store.FactorMapping{rule("with", new(int32(6)), implied), rule("without", nil, silent)})
	})
	for _, tc := range []struct {
		account string
		given   *int32
		want    int32
	}{{"with", new(int32(2)), 2}, {"with", nil, 6}, {"without", nil, 1}, {"none", nil, 1}} {
		r := w.importAll(t, calculate, w.input(fmt.Sprint(tc), func(in *store.ActivityInput) {
			in.FactorID, in.AccountCode, in.Category = nil, &tc.account, tc.given
		}))[0]
		if r.Activity.CategoryNumber != tc.want {
			t.Errorf("account %s, given %v: category %d; want %d", tc.account, tc.given, r.Activity.CategoryNumber, tc.want)
		}
	}
}

func TestAThousandLinesKeepTheirOrder(t *testing.T) {
	storetest.Each(t, "three chunks, half of the lines wrong", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st)
		var in []store.ActivityInput
		for i := range 2500 {
			in = append(in, w.input(fmt.Sprintf("L%04d", 2500-i), func(in *store.ActivityInput) {
				in.SupplierExternalID = new(fmt.Sprintf("S%d", i%7))
				if i%2 == 1 {
					in.Country = new("nowhere")
				}
			}))
		}
		for i, r := range w.importAll(t, calculate, in...) {
			if want := []store.ItemStatus{store.Created, store.Failed}[i%2]; r.Status != want || (r.Activity != nil && r.Activity.ExternalID != in[i].ExternalID) {
				t.Fatalf("result %d is %s of %v; want %s of %s", i, r.Status, r.Activity, want, in[i].ExternalID)
			}
		}
		if n, _ := w.tenant.CountSuppliers(t.Context(), nil); n != 7 {
			t.Errorf("%d suppliers; want 7", n)
		}
	})
}
