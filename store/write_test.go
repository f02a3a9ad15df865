package store_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

const kg = exact.Milligrams(1_000_000)

// history gives the CO2e of a line's emissions, superseded ones in brackets, oldest first, in kilograms.
func history(t *testing.T, tenant *store.Tenant, activity *store.Activity) (out []string) {
	t.Helper()
	pages, err := tenant.EmissionsOf(t.Context(), []store.GlobalID{activity.GlobalID()}, &store.EmissionFilter{IncludeSuperseded: new(true)},
		store.EmissionOrder{Field: store.EmissionsByCalculatedAt, Direction: store.Asc}, store.Page{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range pages[0].Nodes {
		text := e.CO2e.Decimal().Canonical()
		if e.Superseded {
			text = "(" + text + ")"
		}
		out = append(out, text)
	}
	return out
}

// sums gives the suppliers' sums in kilograms, in the order of the ids given.
func sums(t *testing.T, tenant *store.Tenant, suppliers ...*store.Supplier) (out []string) {
	t.Helper()
	ids := make([]store.ID, len(suppliers))
	for i, s := range suppliers {
		ids[i] = s.ID
	}
	rows, err := tenant.SuppliersByID(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		i := slices.IndexFunc(rows, func(s *store.Supplier) bool { return s.ID == id })
		if i < 0 {
			t.Fatalf("supplier %s is not there", id)
		}
		out = append(out, rows[i].CO2e.Decimal().Canonical())
	}
	return out
}

func expect[T any](t *testing.T, what string, got, want []T) {
	t.Helper()
	if !slices.EqualFunc(got, want, func(a, b T) bool { return any(a) == any(b) }) {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

func TestPutLines(t *testing.T) {
	type step struct {
		change func(l *storetest.Ledger, line *store.Line)
		want   store.ItemStatus
	}
	calculated := func(co2e exact.Milligrams) func(*storetest.Ledger, *store.Line) {
		return func(l *storetest.Ledger, line *store.Line) { storetest.Calculate(line, l.Factors[0], l.Run, co2e) }
	}
	for name, tc := range map[string]struct {
		steps   []step
		history []string
		sums    []string // Alum, Borax
	}{
		"the same line again is unchanged and keeps its emission": {
			steps:   []step{{calculated(2 * kg), store.Created}, {calculated(2 * kg), store.Unchanged}},
			history: []string{"2"}, sums: []string{"2", "0"},
		},
		"a new result supersedes the old one": {
			steps:   []step{{calculated(2 * kg), store.Created}, {calculated(3 * kg), store.Updated}},
			history: []string{"(2)", "3"}, sums: []string{"3", "0"},
		},
		"a result by another factor supersedes even an equal figure": {
			steps: []step{{calculated(2 * kg), store.Created}, {func(l *storetest.Ledger, line *store.Line) {
				storetest.Calculate(line, l.Factors[1], l.Run, 2*kg)
			}, store.Updated}},
			history: []string{"(2)", "2"}, sums: []string{"2", "0"},
		},
		"a run of its own alone is nothing new": {
			steps: []step{{calculated(2 * kg), store.Created}, {func(l *storetest.Ledger, line *store.Line) {
				other := *l.Run
				other.ID[0]++
				storetest.Calculate(line, l.Factors[0], &other, 2*kg)
			}, store.Unchanged}},
			history: []string{"2"}, sums: []string{"2", "0"},
		},
		"new words with the same figure are an update": {
			steps: []step{{calculated(2 * kg), store.Created}, {func(l *storetest.Ledger, line *store.Line) {
				line.Activity.Description = "other words"
				calculated(2*kg)(l, line)
			}, store.Updated}},
			history: []string{"(2)", "2"}, sums: []string{"2", "0"},
		},
		"the emission moves with the line to another supplier": {
			steps: []step{{calculated(2 * kg), store.Created}, {func(l *storetest.Ledger, line *store.Line) {
				line.Activity.SupplierID = &l.Suppliers[1].ID
				calculated(5*kg)(l, line)
			}, store.Updated}},
			history: []string{"(2)", "5"}, sums: []string{"0", "5"},
		},
		"a problem takes the emission away and a result brings one back": {
			steps: []step{{calculated(2 * kg), store.Created}, {func(_ *storetest.Ledger, line *store.Line) {
				line.Activity.Problem = &store.Problem{Code: "NO_FACTOR", Message: "No factor."}
			}, store.Updated}, {func(_ *storetest.Ledger, line *store.Line) {
				line.Activity.Problem = &store.Problem{Code: "NO_FACTOR", Message: "No factor."}
			}, store.Unchanged}, {calculated(2 * kg), store.Updated}},
			history: []string{"(2)", "2"}, sums: []string{"2", "0"},
		},
		"a line that nobody calculated leaves its emission alone": {
			steps:   []step{{calculated(2 * kg), store.Created}, {func(*storetest.Ledger, *store.Line) {}, store.Unchanged}},
			history: []string{"2"}, sums: []string{"2", "0"},
		},
		"new content that nobody calculated supersedes the emission of the old": {
			steps: []step{{calculated(2 * kg), store.Created}, {func(_ *storetest.Ledger, line *store.Line) {
				line.Activity.Money.Amount++
			}, store.Updated}},
			history: []string{"(2)"}, sums: []string{"0", "0"},
		},
		"what a line states of itself is new content": {
			steps: []step{{calculated(2 * kg), store.Created}, {func(l *storetest.Ledger, line *store.Line) {
				line.Activity.ConversionProperty, line.Activity.UncertaintyPercent = new("epa:propane"), new(exact.Micros(12_500_000))
				calculated(3*kg)(l, line)
			}, store.Updated}, {func(l *storetest.Ledger, line *store.Line) {
				line.Activity.UncertaintyPercent = new(exact.Micros(0))
				calculated(4*kg)(l, line)
			}, store.Updated}},
			history: []string{"(2)", "(3)", "4"}, sums: []string{"4", "0"},
		},
		"a line stored without a calculation gets one later": {
			steps:   []step{{func(*storetest.Ledger, *store.Line) {}, store.Created}, {calculated(2 * kg), store.Updated}},
			history: []string{"2"}, sums: []string{"2", "0"},
		},
		"a credit note takes away": {
			steps:   []step{{calculated(-2 * kg), store.Created}},
			history: []string{"-2"}, sums: []string{"-2", "0"},
		},
	} {
		storetest.Each(t, name, func(t *testing.T, st *store.Store) {
			l := storetest.NewLedger(t, st, "Acme", 0, nil)
			var first *store.Activity
			for i, step := range tc.steps {
				line := storetest.NewLine("L1", l.Suppliers[0])
				step.change(l, line)
				if got := storetest.PutLines(t, l.Tenant, line); got[0] != step.want {
					t.Errorf("step %d is %s, want %s", i+1, got[0], step.want)
				}
				if first == nil {
					first = line.Activity
				}
				if line.Activity.ID != first.ID || line.Activity.CreatedAt != first.CreatedAt {
					t.Errorf("step %d has id %s of %s, want those of the first", i+1, line.Activity.ID, line.Activity.CreatedAt)
				}
				checkStored(t, l.Tenant, line)
			}
			expect(t, "history", history(t, l.Tenant, first), tc.history)
			expect(t, "suppliers' sums", sums(t, l.Tenant, l.Suppliers[0], l.Suppliers[1]), tc.sums)
		})
	}
}

// checkStored compares what is stored of an activity with what was given.
func checkStored(t *testing.T, tenant *store.Tenant, l *store.Line) {
	t.Helper()
	rows, err := tenant.ActivitiesByID(t.Context(), []store.ID{l.Activity.ID})
	if err != nil || len(rows) != 1 {
		t.Fatalf("%d activities, %v", len(rows), err)
	}
	got, want := rows[0], l.Activity
	if got.Description != want.Description || *got.Money != *want.Money || got.OccurredOn != want.OccurredOn || *got.SupplierID != *want.SupplierID ||
		!reflect.DeepEqual(got.ConversionProperty, want.ConversionProperty) || !reflect.DeepEqual(got.UncertaintyPercent, want.UncertaintyPercent) ||
		got.CreatedAt != want.CreatedAt || got.UpdatedAt != want.UpdatedAt || (want.Problem != nil && got.Problem.Code != want.Problem.Code) {
		t.Errorf("stored %+v, want %+v", got, want)
	}
	if l.Emission == nil {
		return
	}
	current, err := tenant.CurrentEmissions(t.Context(), []store.ID{l.Activity.ID})
	if err != nil || len(current) != 1 {
		t.Fatalf("%d current emissions, %v", len(current), err)
	}
	e := current[0]
	gases, errGases := e.GasAmounts()
	steps, errSteps := e.Steps()
	if err := errors.Join(errGases, errSteps); err != nil {
		t.Fatal(err)
	}
	if e.CO2e != l.Emission.CO2e || e.FactorID != l.Emission.FactorID || *e.Spend != *l.Emission.Spend || len(gases) != 1 ||
		gases[0].CO2e.Cmp(l.Emission.CO2e.Decimal()) != 0 || len(steps) != 3 || e.Quality != l.Emission.Quality || *steps[1].SourceRow != e.FactorID {
		t.Errorf("stored emission %+v, want %+v", e, l.Emission)
	}
}

func TestPutLinesRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(l *storetest.Ledger, lines []*store.Line)
		code   fault.Code
	}{
		"an external id that stands twice": {func(_ *storetest.Ledger, lines []*store.Line) { lines[1].Activity.ExternalID = "L1" }, fault.BadUserInput},
		"an empty external id":             {func(_ *storetest.Ledger, lines []*store.Line) { lines[1].Activity.ExternalID = "" }, fault.BadUserInput},
		"a line without a day":             {func(_ *storetest.Ledger, lines []*store.Line) { lines[1].Activity.OccurredOn = exact.Date{} }, fault.BadUserInput},
		"an emission without a run": {func(l *storetest.Ledger, lines []*store.Line) {
			storetest.Calculate(lines[1], l.Factors[0], &store.CalculationRun{}, kg)
		}, fault.Internal},
		"an emission beside a problem": {func(l *storetest.Ledger, lines []*store.Line) {
			storetest.Calculate(lines[1], l.Factors[0], l.Run, kg).Activity.Problem = &store.Problem{Code: "NO_FACTOR"}
		}, fault.Internal},
		"an emission of a supplier that is not there": {func(l *storetest.Ledger, lines []*store.Line) {
			lines[1].Activity.SupplierID = &l.Run.ID
			storetest.Calculate(lines[1], l.Factors[0], l.Run, kg)
		}, fault.NotFound},
	} {
		storetest.Each(t, name, func(t *testing.T, st *store.Store) {
			l := storetest.NewLedger(t, st, "Acme", 0, nil)
			lines := []*store.Line{storetest.NewLine("L1", l.Suppliers[0]), storetest.NewLine("L2", l.Suppliers[0])}
			tc.change(l, lines)
			err := l.Tenant.Write(t.Context(), func(ctx context.Context, w *store.Writer) error {
				_, err := w.PutLines(ctx, lines)
				return err
			})
			if got := fault.CodeOf(err); got != tc.code {
				t.Errorf("error = %v, want %s", err, tc.code)
			}
			if n, err := l.Tenant.CountActivities(t.Context(), nil); n != 0 || err != nil {
				t.Errorf("%d lines are stored, %v; want none", n, err)
			}
		})
	}
}
