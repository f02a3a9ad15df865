package store_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

func wrongSums(t rapid.TB, ctx context.Context, tenant *store.Tenant) (wrong []store.WrongSum) {
	t.Helper()
	if err := tenant.CheckSums(ctx, func(w store.WrongSum) error { wrong = append(wrong, w); return nil }); err != nil {
		t.Fatalf("check sums: %v", err)
	}
	return wrong
}

// varied is a ledger that comes and goes: a line in any category, of any supplier or none, with or without interval and spend.
type varied struct {
	*storetest.Ledger
	st   *store.Store
	more []*store.EmissionFactor // of another dataset
}

func (v *varied) line(r *rapid.T) *store.Line {
	var supplier *store.Supplier
	if i := rapid.IntRange(0, 3).Draw(r, "supplier"); i < 3 {
		supplier = v.Suppliers[i]
	}
	line := storetest.NewLine(fmt.Sprintf("L%d", rapid.IntRange(1, 15).Draw(r, "line")), supplier)
	a := line.Activity
	a.CategoryNumber = rapid.Int32Range(1, 3).Draw(r, "category")
	a.OccurredOn = exact.NewDate(2023, time.Month(rapid.IntRange(1, 24).Draw(r, "month")), rapid.SampledFrom([]int{1, 2, 28}).Draw(r, "day"))
	a.Country = rapid.SampledFrom([]*string{nil, new("GB"), new("FR")}).Draw(r, "country")
	if rapid.IntRange(0, 4).Draw(r, "without money") == 0 {
		a.Money = nil
	}
	switch rapid.IntRange(0, 6).Draw(r, "calculation") {
	case 0:
		a.Problem = &store.Problem{Code: "NO_FACTOR", Message: "No factor."}
		return line
	case 1: // nobody asked
		return line
	}
	factor := rapid.SampledFrom(append(v.more, v.Factors...)).Draw(r, "factor")
	e := storetest.Calculate(line, factor, v.Run, exact.Milligrams(rapid.Int64Range(-3000, 9000).Draw(r, "co2e"))).Emission
	e.BiogenicCO2 = exact.Milligrams(rapid.Int64Range(-2, 5).Draw(r, "biogenic"))
	e.Method = rapid.SampledFrom([]store.CalculationMethod{store.SpendBased, store.AverageData, store.Hybrid}).Draw(r, "method")
	e.Quality.Time = rapid.Int32Range(1, 5).Draw(r, "time")
	if rapid.Bool().Draw(r, "interval") {
		e.Low, e.High = new(e.CO2e/2), new(e.CO2e*3)
	}
	return line
}

// unpublished copies current emissions into a run that nobody sees, with other figures. What the copies are of stays.
func (v *varied) unpublished(r *rapid.T, t *testing.T) {
	run := storetest.Run(t, v.Tenant)
	id := func() string { return fmt.Sprintf("'%s'", run.ID) }
	storetest.Write(t, v.Tenant, func(ctx context.Context, w *store.Writer) error {
		if err := w.Exec(ctx, "INSERT INTO unpublished_runs (org_id, run_id) VALUES ($1, "+id()+")"); err != nil {
			return err
		}
		for _, e := range currentEmissions(t, v.Ledger) {
			if rapid.Bool().Draw(r, "again") {
				continue
			}
			if err := w.Exec(ctx, fmt.Sprintf(`INSERT INTO emissions (org_id, id, activity_id, supplier_id, factor_id, dataset_id, run_id, formula_id, amount_micros, co2e_mg, biogenic_mg,
				calculated_at, occurred_on, category_number, quality, superseded, method, gwp_set) SELECT org_id, '%s', activity_id, supplier_id, factor_id, dataset_id, %s, formula_id,
				amount_micros, co2e_mg + 1500, biogenic_mg, calculated_at, occurred_on, category_number, 12345, FALSE, 'SUPPLIER_SPECIFIC', gwp_set FROM emissions
				WHERE org_id = $1 AND id = '%s'`, v.st.NewID(), id(), e.ID)); err != nil {
				return err
			}
		}
		return nil
	})
	if rapid.Bool().Draw(r, "published") {
		v.publish(t, id())
	}
}

// publish makes a run's emissions current in the place of those that the same activities have.
func (v *varied) publish(t *testing.T, run string) {
	own := "e.run_id = " + run + " AND NOT e.superseded"
	old := "e.run_id <> " + run + " AND NOT e.superseded AND e.run_id NOT IN (SELECT run_id FROM unpublished_runs WHERE org_id = $1)" +
		" AND e.activity_id IN (SELECT activity_id FROM emissions WHERE org_id = $1 AND run_id = " + run + ")"
	storetest.Write(t, v.Tenant, func(ctx context.Context, w *store.Writer) error {
		if err := w.End(ctx, old); err != nil {
			return err
		}
		if err := w.Begin(ctx, own); err != nil {
			return err
		}
		if err := w.Exec(ctx, "UPDATE emissions AS e SET superseded = TRUE WHERE e.org_id = $1 AND "+old); err != nil {
			return err
		}
		return w.Exec(ctx, "DELETE FROM unpublished_runs WHERE org_id = $1 AND run_id = "+run)
	})
}

// Law: whatever is written, calculated again, published or taken away, a footprint is the sum of what is current.
func TestFootprintsFollowWhateverIsWritten(t *testing.T) {
	storetest.Each(t, "and are asked however one likes", func(t *testing.T, st *store.Store) {
		ledgers := 0
		rapid.Check(t, func(r *rapid.T) {
			ledgers++
			v := &varied{Ledger: storetest.NewLedger(t, st, fmt.Sprintf("Acme %d", ledgers), 0, nil), st: st}
			_, v.more = storetest.Dataset(t, st, fmt.Sprintf("more %d", ledgers), "1")
			for range rapid.IntRange(1, 6).Draw(r, "writes") {
				switch rapid.IntRange(0, 5).Draw(r, "kind") {
				case 0:
					v.unpublished(r, t)
				case 1:
					var names []string
					for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(1, 15), 1, 8, rapid.ID).Draw(r, "deleted") {
						names = append(names, fmt.Sprintf("L%d", n))
					}
					storetest.Write(t, v.Tenant, func(ctx context.Context, w *store.Writer) error {
						_, err := w.DeleteLines(ctx, names)
						return err
					})
				default:
					lines := map[string]*store.Line{}
					for range rapid.IntRange(1, 10).Draw(r, "lines") {
						l := v.line(r)
						lines[l.Activity.ExternalID] = l
					}
					var batch []*store.Line
					for _, l := range lines {
						batch = append(batch, l)
					}
					storetest.PutLines(t, v.Tenant, batch...)
				}
			}
			checkSums(r, t.Context(), v.Tenant, v.Suppliers)
			rows := allEmissions(t, v.Ledger)
			for range 3 {
				q := drawQuestion(r, v.Ledger)
				met := q.of(rows)
				if got, err := v.Tenant.EmissionTotals(t.Context(), &q.filter); err != nil || *got != summed(met) {
					r.Fatalf("totals = %+v, %v; want %+v", got, err, summed(met))
				}
				checkTotalsOfParents(r, t, v.Ledger, q, met, drawParents(r, v.Ledger, v.Ledger, rapid.SampledFrom([]store.Kind{store.KindSupplier, store.KindCategory}).Draw(r, "parents")))
				checkFootprint(r, t, v.Ledger, q, met)
			}
		})
	})
}

func TestWrongSums(t *testing.T) {
	storetest.Each(t, "are found, told and put right, and no others", func(t *testing.T, st *store.Store) {
		l, other := storetest.NewLedger(t, st, "Acme", 9, nil), storetest.NewLedger(t, st, "Other", 3, nil)
		ctx, supplier := t.Context(), l.Suppliers[1].ID.String()
		for _, text := range []string{
			"UPDATE emission_sums SET co2e_mg = co2e_mg + 7, emissions = 99 WHERE org_id = $1 AND grain = 2 AND supplier_id = '" + supplier + "'",
			"UPDATE suppliers SET co2e_mg = 5 WHERE org_id = $1 AND id = '" + l.Suppliers[2].ID.String() + "'",
			"DELETE FROM emission_sums WHERE org_id = $1 AND grain = 1 AND category_number = 4",
			"INSERT INTO emission_sums SELECT org_id, 3, supplier_id, '2001-01-01', 9, 'HYBRID', dataset_id, 1, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0 FROM emission_sums WHERE org_id = $1 AND grain = 1 AND category_number = 2",
		} {
			if err := st.Exec(ctx, text, l.Tenant.ID().String()); err != nil {
				t.Fatal(err)
			}
		}
		kg := int64(1_000_000)
		want := map[store.WrongSum]bool{
			{"supplier " + l.Suppliers[2].ID.String() + ", its own sum", "co2e_mg", 5, 15 * kg}: true,
			{"supplier " + supplier, "co2e_mg", 12*kg + 7, 12 * kg}:                             true,
			{"supplier " + supplier, "emissions", 99, 3}:                                        true,
		}
		rest := map[string]int{}
		look := func(w store.WrongSum) error {
			if !want[w] {
				rest[w.Of]++
			}
			delete(want, w)
			return nil
		}
		if err := l.Tenant.CheckSums(ctx, look); err != nil || len(want) > 0 || len(rest) != 2 {
			t.Errorf("not told: %+v; told too: %v, %v", want, rest, err)
		}
		if rest["2025-01, category 4, SPEND_BASED, dataset "+l.Dataset.ID.String()] != 9 || rest["no supplier, 2001, category 9, HYBRID, dataset "+l.Dataset.ID.String()] != 4 {
			t.Errorf("told: %v", rest)
		}
		if wrong := wrongSums(t, ctx, other.Tenant); len(wrong) > 0 {
			t.Errorf("another organization's: %+v", wrong)
		}
		repaired := 0
		if err := l.Tenant.RepairSums(ctx, func(store.WrongSum) error { repaired++; return nil }); err != nil || repaired != 3+9+4 {
			t.Errorf("%d repaired, %v; want 16", repaired, err)
		}
		if wrong := wrongSums(t, ctx, l.Tenant); len(wrong) > 0 {
			t.Errorf("still wrong: %+v", wrong)
		}
		if err := l.Tenant.RepairSums(ctx, func(w store.WrongSum) error { t.Errorf("repaired again: %+v", w); return nil }); err != nil {
			t.Error(err)
		}
		checkSums(t, ctx, l.Tenant, l.Suppliers)
	})
	storetest.Each(t, "are added up beside whoever writes", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 0, nil)
		g, ctx := errgroup.WithContext(t.Context())
		for writer := range 3 {
			g.Go(func() error {
				for round := range 12 {
					line := storetest.Calculate(storetest.NewLine(fmt.Sprintf("L%d", (writer+round)%5), l.Suppliers[round%3]), l.Factors[round%3], l.Run, exact.Milligrams(round*1000))
					if err := l.Tenant.Write(ctx, func(ctx context.Context, w *store.Writer) error {
						_, err := w.PutLines(ctx, []*store.Line{line})
						return err
					}); err != nil {
						return err
					}
				}
				return nil
			})
		}
		g.Go(func() error {
			for range 10 {
				if err := st.Exec(ctx, "UPDATE emission_sums SET co2e_mg = co2e_mg + 1, emissions = emissions + 1 WHERE org_id = $1", l.Tenant.ID().String()); err != nil {
					return err
				}
				if err := l.Tenant.RepairSums(ctx, func(store.WrongSum) error { return nil }); err != nil {
					return err
				}
			}
			return nil
		})
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		checkSums(t, t.Context(), l.Tenant, l.Suppliers)
	})
}

func TestASumThatCannotBeKept(t *testing.T) {
	storetest.Each(t, "refuses the line that makes it too large, and wraps nothing around", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 1, nil)
		huge := storetest.Calculate(storetest.NewLine("huge", l.Suppliers[0]), l.Factors[1], l.Run, math.MaxInt64)
		for range 2 {
			err := l.Tenant.Write(t.Context(), func(ctx context.Context, w *store.Writer) error {
				_, err := w.PutLines(ctx, []*store.Line{huge, storetest.Calculate(storetest.NewLine("more", l.Suppliers[0]), l.Factors[1], l.Run, 2)})
				return err
			})
			if fault.CodeOf(err) != fault.BadUserInput {
				t.Errorf("error = %v, want BAD_USER_INPUT", err)
			}
			// One alone fits; what comes to it does not.
			if err := l.Tenant.Write(t.Context(), func(ctx context.Context, w *store.Writer) error {
				_, err := w.PutLines(ctx, []*store.Line{huge})
				return err
			}); err != nil {
				t.Errorf("the largest sum: %v", err)
			}
		}
		checkSums(t, t.Context(), l.Tenant, l.Suppliers)
	})
}
