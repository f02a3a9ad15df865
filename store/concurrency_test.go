package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// checkSums holds all sums against the current emissions, and each activity to one current emission at most.
func checkSums(t rapid.TB, ctx context.Context, tenant *store.Tenant, suppliers []*store.Supplier) {
	t.Helper()
	if wrong := wrongSums(t, ctx, tenant); len(wrong) > 0 {
		t.Errorf("wrong sums: %+v", wrong)
	}
	want := map[store.ID]exact.Milligrams{}
	current := map[store.ID]int{}
	p := store.Page{First: new(int32(500))}
	for {
		c, err := tenant.Emissions(ctx, nil, store.EmissionOrder{Field: store.EmissionsByOccurredOn, Direction: store.Asc}, p)
		if err != nil {
			t.Fatalf("emissions: %v", err)
		}
		for _, e := range c.Nodes {
			if e.SupplierID != nil {
				want[*e.SupplierID] += e.CO2e
			}
			if current[e.ActivityID]++; current[e.ActivityID] > 1 {
				t.Errorf("activity %s has %d current emissions", e.ActivityID, current[e.ActivityID])
			}
		}
		if !c.PageInfo.HasNextPage {
			break
		}
		p.After = c.PageInfo.EndCursor
	}
	ids := make([]store.ID, len(suppliers))
	for i, s := range suppliers {
		ids[i] = s.ID
	}
	rows, err := tenant.SuppliersByID(ctx, ids)
	if err != nil || len(rows) != len(ids) {
		t.Fatalf("%d suppliers, %v", len(rows), err)
	}
	for _, s := range rows {
		if s.CO2e != want[s.ID] {
			t.Errorf("the sum of %s is %d, its emissions add up to %d", s.Name, s.CO2e, want[s.ID])
		}
	}
}

// Law: whatever batches come, in whatever order, sums are those of the current emissions, and the last word on each line is what is stored.
func TestSumsFollowEmissions(t *testing.T) {
	storetest.Each(t, "whatever batches come", func(t *testing.T, st *store.Store) {
		ledger := 0
		rapid.Check(t, func(rt *rapid.T) {
			ledger++
			l := storetest.NewLedger(t, st, fmt.Sprintf("Acme %d", ledger), 0, nil)
			last := map[string]exact.Milligrams{} // −1: no emission
			for range rapid.IntRange(1, 4).Draw(rt, "batches") {
				var lines []*store.Line
				for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(1, 12), 1, 12, rapid.ID).Draw(rt, "lines") {
					id := fmt.Sprintf("L%d", n)
					var supplier *store.Supplier
					if i := rapid.IntRange(0, 3).Draw(rt, "supplier"); i < 3 {
						supplier = l.Suppliers[i]
					}
					line := storetest.NewLine(id, supplier)
					switch co2e := exact.Milligrams(rapid.IntRange(-3, 9).Draw(rt, "co2e")); {
					case co2e == -1:
						line.Activity.Problem = &store.Problem{Code: "NO_FACTOR", Message: "No factor."}
						last[id] = -1
					default:
						storetest.Calculate(line, l.Factors[rapid.IntRange(0, 2).Draw(rt, "factor")], l.Run, co2e)
						last[id] = co2e
					}
					lines = append(lines, line)
				}
				storetest.PutLines(t, l.Tenant, lines...)
			}
			checkSums(rt, t.Context(), l.Tenant, l.Suppliers)
			want := exact.Milligrams(0)
			count := 0
			for _, co2e := range last {
				if co2e != -1 {
					want += co2e
					count++
				}
			}
			got, err := l.Tenant.EmissionTotals(t.Context(), nil)
			if err != nil || got.CO2e != want || int(got.EmissionCount) != count {
				rt.Errorf("totals %+v, %v; want %d emissions of %d mg", got, err, count, want)
			}
		})
	})
}

func TestWritersOfTheSameRows(t *testing.T) {
	storetest.Each(t, "leave one row for each line and right sums", func(t *testing.T, st *store.Store) {
		const writers, rounds, lines = 6, 5, 20
		l := storetest.NewLedger(t, st, "Acme", 0, nil)
		g, ctx := errgroup.WithContext(t.Context())
		for writer := range writers {
			r := rand.New(rand.NewPCG(7, uint64(writer)))
			g.Go(func() error {
				for range rounds {
					var batch []*store.Line
					for _, i := range r.Perm(lines)[:lines/2] { // in another order each time
						line := storetest.NewLine(fmt.Sprintf("L%d", i), l.Suppliers[r.IntN(3)])
						batch = append(batch, storetest.Calculate(line, l.Factors[r.IntN(3)], l.Run, exact.Milligrams(r.IntN(5))))
					}
					suppliers := []*store.Supplier{{ExternalID: new("Alum"), Tier: new(r.Int32N(3))}, {ExternalID: new("New"), Name: "New"}}
					r.Shuffle(2, func(i, j int) { suppliers[i], suppliers[j] = suppliers[j], suppliers[i] })
					err := l.Tenant.Write(ctx, func(ctx context.Context, w *store.Writer) error {
						if _, err := w.UpsertSuppliers(ctx, suppliers, true); err != nil {
							return err
						}
						_, err := w.PutLines(ctx, batch)
						return err
					})
					if err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		if n, err := l.Tenant.CountActivities(t.Context(), nil); n != lines || err != nil {
			t.Errorf("%d activities, %v; want %d", n, err, lines)
		}
		if n, err := l.Tenant.CountSuppliers(t.Context(), nil); n != 4 || err != nil {
			t.Errorf("%d suppliers, %v; want 4", n, err)
		}
		checkSums(t, t.Context(), l.Tenant, l.Suppliers)
	})
}

func TestWriteThatIsCancelled(t *testing.T) {
	storetest.Each(t, "leaves nothing and frees its connection", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 0, nil)
		for range 20 { // more often than there are connections
			ctx, cancel := context.WithCancel(t.Context())
			err := l.Tenant.Write(ctx, func(ctx context.Context, w *store.Writer) error {
				if _, err := w.PutLines(ctx, []*store.Line{storetest.NewLine("L1", nil)}); err != nil {
					return err
				}
				cancel()
				_, err := w.PutLines(ctx, []*store.Line{storetest.NewLine("L2", nil)})
				return err
			})
			if err == nil {
				t.Fatal("the write succeeded though it was cancelled")
			}
		}
		if n, err := l.Tenant.CountActivities(t.Context(), nil); n != 0 || err != nil {
			t.Errorf("%d activities, %v; want none", n, err)
		}
		storetest.PutLines(t, l.Tenant, storetest.NewLine("L1", nil))
	})
}

func TestTwoProcessesOnOneFile(t *testing.T) {
	t.Run("wait for each other to write", func(t *testing.T) {
		t.Parallel()
		o := store.Options{DataDir: t.TempDir()}
		first := mustOpen(t, o)
		if _, err := first.MigrateUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		l := storetest.NewLedger(t, first, "Acme", 0, nil)
		g, ctx := errgroup.WithContext(t.Context())
		for process, st := range []*store.Store{first, mustOpen(t, o)} {
			g.Go(func() error {
				for round := range 20 {
					lines := []*store.Line{storetest.Calculate(storetest.NewLine(fmt.Sprintf("L%d", round), l.Suppliers[process]), l.Factors[0], l.Run, kg)}
					err := st.Tenant(l.Tenant.ID()).Write(ctx, func(ctx context.Context, w *store.Writer) error {
						_, err := w.PutLines(ctx, lines)
						return err
					})
					if err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		checkSums(t, t.Context(), l.Tenant, l.Suppliers)
	})
}

func TestLostConnections(t *testing.T) {
	t.Run("are replaced, and what ran on them fails as OVERLOADED", func(t *testing.T) {
		t.Parallel()
		address := storetest.PostgresURL(t)
		o := store.Options{DatabaseURL: address}
		st := mustOpen(t, o)
		l := storetest.NewLedger(t, st, "Acme", 1, nil)
		cut := func() {
			other := mustOpen(t, o)
			if _, err := other.Query(t.Context(), "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"); err != nil {
				t.Fatal(err)
			}
		}
		err := l.Tenant.Write(t.Context(), func(ctx context.Context, w *store.Writer) error {
			cut()
			_, err := w.PutLines(ctx, []*store.Line{storetest.NewLine("L2", nil)})
			return err
		})
		if fault.CodeOf(err) != fault.Overloaded {
			t.Errorf("a write on a lost connection fails with %v", err)
		}
		for attempt := 0; ; attempt++ {
			n, err := l.Tenant.CountActivities(t.Context(), nil)
			if err == nil {
				if n != 1 {
					t.Errorf("%d activities, want 1", n)
				}
				break
			}
			if fault.CodeOf(err) != fault.Overloaded || attempt == 10 {
				t.Fatalf("reading again: %v", err)
			}
		}
		storetest.PutLines(t, l.Tenant, storetest.NewLine("L2", nil))
	})
}
