package store_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// anew draws what a run makes of a line: another emission, none, or one where there was none.
func (v *varied) anew(r *rapid.T, was store.StoredLine, run *store.CalculationRun) *store.RunLine {
	a := *was.Activity
	out := &store.RunLine{Activity: &a, Was: was.Activity, Previous: was.Emission}
	out.Moved = rapid.SampledFrom([]store.Cause{store.CauseData, store.CauseVersion, store.CauseMapping}).Draw(r, "moved")
	a.Problem = nil
	var before, after exact.Milligrams
	if was.Emission != nil {
		before = was.Emission.CO2e
	}
	if was.Emission != nil && rapid.IntRange(0, 5).Draw(r, "none") == 0 {
		a.Problem = &store.Problem{Code: "NO_FACTOR", Message: "No factor."}
	} else {
		if rapid.Bool().Draw(r, "moves") {
			a.CategoryNumber = rapid.Int32Range(1, 3).Draw(r, "category")
		}
		line := storetest.Calculate(&store.Line{Activity: &a}, rapid.SampledFrom(append(v.more, v.Factors...)).Draw(r, "factor"), run, exact.Milligrams(rapid.Int64Range(-9000, 9000).Draw(r, "co2e")))
		e := line.Emission
		e.Quality.Technology = rapid.Int32Range(1, 5).Draw(r, "technology")
		e.Method = rapid.SampledFrom([]store.CalculationMethod{store.SpendBased, store.Hybrid}).Draw(r, "method")
		if rapid.Bool().Draw(r, "interval") {
			e.Low, e.High = new(e.CO2e*2), new(e.CO2e/2)
		}
		out.Emission, out.After, after = e, e, e.CO2e
	}
	part := exact.Milligrams(rapid.Int64Range(-500, 500).Draw(r, "part"))
	out.Causes.Rate = part
	*out.Causes.Of(out.Moved) += after - before - part
	return out
}

// groups gives what a run changed, by dimension and group.
func groups(r *rapid.T, tenant *store.Tenant, run store.ID) map[string]store.RunDifference {
	out := map[string]store.RunDifference{}
	for _, d := range []store.FootprintDimension{store.ByCategory, store.BySupplier, store.ByCountry, store.ByMonth, store.ByQuarter, store.ByYear, store.ByMethod,
		store.ByDataset, store.ByFactor, store.ByAccountCode} {
		read, err := tenant.DifferencePages(store.KindCalculationRun, []store.ID{run}, d, store.Page{First: new(int32(500))}, 0)
		if err != nil {
			r.Fatal(err)
		}
		all, err := read.Connections(context.Background())
		if err != nil {
			r.Fatal(err)
		}
		for _, g := range all[0].Nodes {
			g.ID = store.ID{}
			out[fmt.Sprint(d, " ", g.Key)] = *g
		}
	}
	return out
}

// Law: what is added up while a run's lines are stored is what they add up to where they are stored, in every group and every sum.
func TestWhatARunChanges(t *testing.T) {
	storetest.Each(t, "is what its lines add up to", func(t *testing.T, st *store.Store) {
		ledgers, ctx := 0, t.Context()
		rapid.Check(t, func(r *rapid.T) {
			ledgers++
			v := &varied{Ledger: storetest.NewLedger(t, st, fmt.Sprintf("Acme %d", ledgers), 0, nil), st: st}
			_, v.more = storetest.Dataset(t, st, fmt.Sprintf("more %d", ledgers), "1")
			lines := map[string]*store.Line{}
			for range rapid.IntRange(1, 15).Draw(r, "lines") {
				l := v.line(r)
				l.Activity.AccountCode = rapid.SampledFrom([]*string{nil, new("IT"), new("TAXI")}).Draw(r, "account")
				if l.Emission != nil {
					l.Emission.AccountCode = l.Activity.AccountCode
				}
				lines[l.Activity.ExternalID] = l
			}
			for _, l := range lines {
				storetest.PutLines(t, v.Tenant, l)
			}
			b, run := &store.Batch{Spec: "{}", Actor: "test"}, &store.CalculationRun{Reason: "what changes", GwpSet: store.AR5}
			if err := v.Tenant.StartRecalculation(ctx, b, run); err != nil {
				r.Fatal(err)
			}
			if _, err := v.Tenant.TakeBatch(ctx, b.ID, b.ID, time.Minute); err != nil {
				r.Fatal(err)
			}
			stored, err := v.Tenant.LinesAfter(ctx, nil, nil, 100)
			if err != nil {
				r.Fatal(err)
			}
			changes := store.NewRunChanges()
			var made []*store.RunLine
			for _, was := range stored {
				if rapid.IntRange(0, 3).Draw(r, "stays") > 0 {
					made = append(made, v.anew(r, was, run))
				}
			}
			storetest.Write(t, v.Tenant, func(ctx context.Context, w *store.Writer) error { return w.PutRunLines(ctx, run.ID, made) })
			for _, l := range made {
				changes.Add(l)
			}
			var by [2]map[string]store.RunDifference
			for i, c := range []*store.RunChanges{nil, changes} {
				storetest.Write(t, v.Tenant, func(ctx context.Context, w *store.Writer) error { return w.PutDifferences(ctx, run.ID, c) })
				by[i] = groups(r, v.Tenant, run.ID)
			}
			if len(by[0]) != len(by[1]) {
				r.Errorf("%d groups in the database, %d added up", len(by[0]), len(by[1]))
			}
			for name, want := range by[0] {
				if got := by[1][name]; got != want {
					r.Errorf("%s: added up %+v; the database has %+v", name, got, want)
				}
			}
			err = v.Tenant.WriteAlone(ctx, func(ctx context.Context, w *store.Writer) error {
				kept, err := w.Publish(ctx, run.ID, changes)
				if err == nil && kept != 0 {
					err = fmt.Errorf("%d lines are kept", kept)
				}
				return err
			})
			if err != nil {
				r.Fatal(err)
			}
			checkSums(r, ctx, v.Tenant, v.Suppliers)
		})
	})
}

// What is too much for the program's own sums is the database's to say, which refuses it.
func TestChangesThatAreTooLarge(t *testing.T) {
	storetest.Each(t, "are refused as ever", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 2, nil)
		b, run := &store.Batch{Spec: "{}", Actor: "test"}, &store.CalculationRun{Reason: "too large", GwpSet: store.AR5}
		if err := l.Tenant.StartRecalculation(t.Context(), b, run); err != nil {
			t.Fatal(err)
		}
		stored, err := l.Tenant.LinesAfter(t.Context(), nil, nil, 2)
		if err != nil {
			t.Fatal(err)
		}
		changes := store.NewRunChanges()
		for _, was := range stored {
			a := *was.Activity
			a.SupplierID = &l.Suppliers[0].ID
			line := storetest.Calculate(&store.Line{Activity: &a}, l.Factors[0], run, math.MaxInt64/2+10)
			made := &store.RunLine{Activity: &a, Was: was.Activity, Previous: was.Emission, Emission: line.Emission, After: line.Emission, Moved: store.CauseData,
				Causes: store.Causes{Data: line.Emission.CO2e - was.Emission.CO2e}}
			storetest.Write(t, l.Tenant, func(ctx context.Context, w *store.Writer) error {
				return w.PutRunLines(ctx, run.ID, []*store.RunLine{made})
			})
			changes.Add(made)
		}
		err = l.Tenant.WriteAlone(t.Context(), func(ctx context.Context, w *store.Writer) error {
			_, err := w.Publish(ctx, run.ID, changes)
			return err
		})
		if fault.CodeOf(err) != fault.BadUserInput {
			t.Errorf("error = %v; want BAD_USER_INPUT, as a sum is beyond 64 bits", err)
		}
		checkSums(t, t.Context(), l.Tenant, l.Suppliers)
	})
}
