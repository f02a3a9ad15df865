package batch_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"carbongraph/internal/batch"
	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// small makes chunks of five lines, so that few lines are many parts.
func small(o *batch.Options) { o.ChunkRows = 5 }

func (w *world) background() *batch.Background {
	return batch.NewBackground(batch.BackgroundOptions{Importer: w.Importer, Log: slog.New(slog.DiscardHandler)})
}

// start stores a recalculation.
func (w *world) start(t testing.TB, r batch.Recalculation) *store.Batch {
	t.Helper()
	if r.Reason == "" {
		r.Reason = "New factors"
	}
	b, err := w.StartRecalculation(t.Context(), w.tenant, r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// recalculate runs one to its end.
func (w *world) recalculate(t testing.TB, r batch.Recalculation) *store.Batch {
	t.Helper()
	b := w.start(t, r)
	if err := w.background().Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w.batch(t, b.ID)
}

func (w *world) batch(t testing.TB, id store.ID) *store.Batch {
	t.Helper()
	rows, err := w.tenant.BatchesWith([]store.ID{id}, 0).All(t.Context())
	if err != nil || len(rows) != 1 {
		t.Fatalf("%d batches, %v", len(rows), err)
	}
	return rows[0]
}

func (w *world) totals(t testing.TB, f *store.EmissionFilter) *store.FootprintTotals {
	t.Helper()
	totals, err := w.tenant.EmissionTotals(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return totals
}

// map maps account codes to factors, as a person would.
func (w *world) maps(t testing.TB, rules map[string]*store.EmissionFactor) {
	t.Helper()
	storetest.Write(t, w.tenant, func(ctx context.Context, wr *store.Writer) error {
		for code, f := range rules {
			m := &store.FactorMapping{AccountCode: &code, DecidedBy: "PERSON", Confidence: exact.NewDecimal(1, 0), Reviewed: true}
			if f == nil {
				m.Exclude, m.Reason = true, new("no purchase")
			} else {
				m.FactorID = &f.ID
			}
			if err := wr.PutMappings(ctx, []*store.FactorMapping{m}); err != nil {
				return err
			}
		}
		return nil
	})
}

// ledger imports n lines of USD in turn of two account codes and four suppliers, over two years.
func (w *world) ledger(t testing.TB, n int) {
	t.Helper()
	in := make([]store.ActivityInput, n)
	for i := range in {
		in[i] = w.input(fmt.Sprintf("L%04d", i), func(l *store.ActivityInput) {
			l.FactorID, l.AccountCode = nil, new([]string{"IT", "CLEAN"}[i%2])
			l.SupplierExternalID, l.SupplierName = new(fmt.Sprint("S", i%4)), new(fmt.Sprint("Supplier ", i%4))
			l.OccurredOn = exact.NewDate(2022+i%2, time.Month(1+i%12), 1)
			l.Money.Amount = exact.NewDecimal(int64(100+i), 0)
		})
	}
	w.importAll(t, calculate, in...)
}

// newer stores a release of the same source whose factors are twice as large, without the last.
func (w *world) newer(t testing.TB, version string) (*store.FactorDataset, []*store.EmissionFactor) {
	t.Helper()
	d := &store.FactorDataset{Source: w.dataset.Source, Version: version, Name: "Newer", Licence: "none", Attribution: "none", GwpSet: store.AR5, Digest: version}
	var rows []*store.EmissionFactor
	for _, f := range w.factors[:2] {
		c := *f
		c.ID, c.DatasetID = store.ID{}, store.ID{}
		c.Value = new(f.Value.Mul(exact.NewDecimal(2, 0)))
		rows = append(rows, &c)
	}
	stored, _, err := w.store.PutDataset(t.Context(), d, rows)
	if err != nil {
		t.Fatal(err)
	}
	return stored, rows
}

// differences checks that by every dimension causes and groups add up to the whole change, and gives the groups of one.
func (w *world) differences(t testing.TB, run store.ID, by store.FootprintDimension, change exact.Milligrams) map[string]*store.RunDifference {
	t.Helper()
	out := map[string]*store.RunDifference{}
	for _, d := range []store.FootprintDimension{store.ByCategory, store.BySupplier, store.ByCountry, store.ByMonth, store.ByQuarter, store.ByYear, store.ByMethod,
		store.ByDataset, store.ByFactor, store.ByAccountCode} {
		page := store.Page{First: new(int32(3))}
		var sum exact.Milligrams
		last := exact.Milligrams(1 << 62)
		for {
			read, err := w.tenant.DifferencePages(store.KindCalculationRun, []store.ID{run}, d, page, 0)
			if err != nil {
				t.Fatal(err)
			}
			all, err := read.Connections(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			c := all[0]
			for _, g := range c.Nodes {
				size := max(g.Change(), -g.Change())
				if size > last {
					t.Errorf("%s: a change of %d comes after %d", d, size, last)
				}
				last = size
				causes := g.Causes.Data + g.Causes.Version + g.Causes.GwpSet + g.Causes.Rate + g.Causes.Mapping
				if causes != g.Change() {
					t.Errorf("%s %q: causes %+v add up to %d, the change is %d", d, g.Key, g.Causes, causes, g.Change())
				}
				sum += g.Change()
				if d == by {
					out[g.Key] = g
				}
			}
			if !c.PageInfo.HasNextPage {
				break
			}
			page.After = c.PageInfo.EndCursor
		}
		if sum != change {
			t.Errorf("%s: groups change by %d, the ledger by %d", d, sum, change)
		}
	}
	return out
}

func TestRecalculation(t *testing.T) {
	for name, f := range map[string]func(t *testing.T, w *world){
		"with nothing changed changes nothing": func(t *testing.T, w *world) {
			before := w.totals(t, &store.EmissionFilter{IncludeSuperseded: new(true)})
			b := w.recalculate(t, batch.Recalculation{})
			if after := w.totals(t, &store.EmissionFilter{IncludeSuperseded: new(true)}); *after != *before {
				t.Errorf("totals %+v, were %+v", after, before)
			}
			if b.Status != store.RunSucceeded || b.Processed != 40 || b.Failed != 0 || *b.Total != 40 || b.FinishedAt == nil {
				t.Errorf("batch %+v", b)
			}
			w.differences(t, *b.RunID, store.ByYear, 0)
		},
		"by a later release doubles every figure, because of the release": func(t *testing.T, w *world) {
			before := w.totals(t, nil)
			newer, rows := w.newer(t, "1.4")
			b := w.recalculate(t, batch.Recalculation{Datasets: []store.ID{newer.ID}})
			after := w.totals(t, nil)
			if after.CO2e != 2*before.CO2e || after.EmissionCount != before.EmissionCount || b.Status != store.RunSucceeded {
				t.Errorf("after %+v, before %+v, batch %+v", after, before, b)
			}
			groups := w.differences(t, *b.RunID, store.ByAccountCode, before.CO2e)
			if len(groups) != 2 || groups["IT"].Causes.Version != groups["IT"].Change() {
				t.Errorf("groups %+v", groups)
			}
			moved := w.differences(t, *b.RunID, store.ByFactor, before.CO2e)
			if len(moved) != 4 || moved[rows[0].GlobalID().String()].Before != 0 || moved[w.factors[0].GlobalID().String()].After != 0 {
				t.Errorf("by factor: %+v", moved)
			}
			if run := w.totals(t, &store.EmissionFilter{RunID: new(store.Global(store.KindCalculationRun, *b.RunID))}); run.CO2e != after.CO2e {
				t.Errorf("the run's own emissions are %d, the ledger %d", run.CO2e, after.CO2e)
			}
		},
		"by another rule is a matter of mapping, and an exclusion takes the figure away": func(t *testing.T, w *world) {
			before := w.totals(t, nil)
			w.maps(t, map[string]*store.EmissionFactor{"IT": w.factors[1], "CLEAN": nil})
			b := w.recalculate(t, batch.Recalculation{})
			after := w.totals(t, nil)
			groups := w.differences(t, *b.RunID, store.ByAccountCode, after.CO2e-before.CO2e)
			if after.EmissionCount != 20 || groups["CLEAN"].After != 0 || groups["IT"].Causes.Mapping != groups["IT"].Change() || groups["IT"].Change() == 0 {
				t.Errorf("after %+v, groups %+v", after, groups)
			}
			excluded, err := w.tenant.CountActivities(t.Context(), &store.ActivityFilter{Calculated: new(false)})
			if err != nil || excluded != 20 {
				t.Errorf("%d lines without a figure, %v", excluded, err)
			}
			again := w.recalculate(t, batch.Recalculation{})
			w.differences(t, *again.RunID, store.ByYear, 0)
		},
		"as a preview tells the same and changes nothing": func(t *testing.T, w *world) {
			before := w.totals(t, &store.EmissionFilter{IncludeSuperseded: new(true)})
			newer, _ := w.newer(t, "1.4")
			b := w.recalculate(t, batch.Recalculation{Datasets: []store.ID{newer.ID}, Preview: true})
			if after := w.totals(t, &store.EmissionFilter{IncludeSuperseded: new(true)}); *after != *before {
				t.Errorf("totals %+v, were %+v", after, before)
			}
			w.differences(t, *b.RunID, store.ByYear, before.CO2e)
		},
		"of a part leaves the rest": func(t *testing.T, w *world) {
			year := func(y int) *store.EmissionFilter {
				return &store.EmissionFilter{OccurredFrom: new(exact.NewDate(y, 1, 1)), OccurredTo: new(exact.NewDate(y, 12, 31))}
			}
			first, second := w.totals(t, year(2022)), w.totals(t, year(2023))
			newer, _ := w.newer(t, "1.4")
			b := w.recalculate(t, batch.Recalculation{Datasets: []store.ID{newer.ID}, Filter: &store.ActivityFilter{OccurredFrom: new(exact.NewDate(2023, 1, 1))}})
			if a, z := w.totals(t, year(2022)), w.totals(t, year(2023)); *a != *first || z.CO2e != 2*second.CO2e || b.Processed != 20 {
				t.Errorf("2022 %+v, 2023 %+v, batch %+v", a, z, b)
			}
		},
		"keeps lines whose factor the release does not have": func(t *testing.T, w *world) {
			w.maps(t, map[string]*store.EmissionFactor{"IT": w.factors[2]})
			w.importAll(t, calculate, w.input("POWER", func(l *store.ActivityInput) {
				l.FactorID, l.AccountCode, l.Money = nil, new("IT"), nil
				l.Quantity = &store.QuantityInput{Value: exact.NewDecimal(10, 0), Unit: "kWh"}
			}))
			newer, _ := w.newer(t, "1.4")
			b := w.recalculate(t, batch.Recalculation{Datasets: []store.ID{newer.ID}, Filter: &store.ActivityFilter{Search: new("POWER")}})
			if b.Status != store.RunPartial || b.Failed != 1 || b.Processed != 1 {
				t.Errorf("batch %+v", b)
			}
		},
		"keeps the factor that a line names itself": func(t *testing.T, w *world) {
			w.maps(t, map[string]*store.EmissionFactor{"IT": w.factors[1]})
			own := w.input("OWN", func(l *store.ActivityInput) { l.AccountCode = new("IT") })
			w.importAll(t, calculate, own)
			b := w.recalculate(t, batch.Recalculation{Filter: &store.ActivityFilter{Search: new("OWN")}})
			w.differences(t, *b.RunID, store.ByYear, 0)
		},
		"by other potentials goes back where it came from": func(t *testing.T, w *world) {
			before := w.totals(t, nil)
			b := w.recalculate(t, batch.Recalculation{GwpSet: new(store.AR4)})
			w.differences(t, *b.RunID, store.ByYear, w.totals(t, nil).CO2e-before.CO2e)
			w.recalculate(t, batch.Recalculation{})
			if after := w.totals(t, nil); after.CO2e != before.CO2e {
				t.Errorf("back to %d, was %d", after.CO2e, before.CO2e)
			}
		},
	} {
		storetest.Each(t, name, func(t *testing.T, st *store.Store) {
			w := newWorld(t, st, small)
			w.maps(t, map[string]*store.EmissionFactor{"IT": w.factors[0], "CLEAN": w.factors[1]})
			w.ledger(t, 40)
			f(t, w)
			w.checkSums(t)
		})
	}
}

// checkSums compares what is kept of suppliers with their emissions.
func (w *world) checkSums(t testing.TB) {
	t.Helper()
	c, err := w.tenant.Suppliers(t.Context(), nil, store.SupplierOrder{}, store.Page{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range c.Nodes {
		if is := w.totals(t, &store.EmissionFilter{SupplierIds: []store.GlobalID{s.GlobalID()}}); is.CO2e != s.CO2e {
			t.Errorf("%s is kept with %d, its emissions are %d", s.Name, s.CO2e, is.CO2e)
		}
	}
}

// A reader sees all of a run or none, at whatever moment it looks.
func TestARunIsSeenWholeOrNotAtAll(t *testing.T) {
	storetest.Each(t, "while readers look on", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, small)
		w.maps(t, map[string]*store.EmissionFactor{"IT": w.factors[0], "CLEAN": w.factors[1]})
		w.ledger(t, 200)
		before := w.totals(t, nil)
		newer, _ := w.newer(t, "1.4")
		b := w.start(t, batch.Recalculation{Datasets: []store.ID{newer.ID}})
		ctx, stop := context.WithCancel(t.Context())
		var readers sync.WaitGroup
		seen := make([]map[exact.Milligrams]int, 2)
		for i := range seen {
			seen[i] = map[exact.Milligrams]int{}
			readers.Go(func() {
				for ctx.Err() == nil {
					totals, err := w.tenant.EmissionTotals(t.Context(), nil)
					if err != nil || totals.EmissionCount != 200 {
						t.Errorf("totals %+v, %v", totals, err)
						return
					}
					seen[i][totals.CO2e]++
				}
			})
		}
		err := w.background().Drain(t.Context())
		stop()
		readers.Wait()
		if err != nil {
			t.Fatal(err)
		}
		after := w.totals(t, nil)
		for _, s := range seen {
			for co2e := range s {
				if co2e != before.CO2e && co2e != after.CO2e {
					t.Errorf("a reader saw %d; before it was %d, after %d", co2e, before.CO2e, after.CO2e)
				}
			}
		}
		if after.CO2e < before.CO2e*19/10 {
			t.Errorf("after %d, before %d", after.CO2e, before.CO2e)
		}
		if got := w.batch(t, b.ID); got.Status != store.RunSucceeded {
			t.Errorf("batch %+v", got)
		}
	})
}

// stopped begins a recalculation and stops it when it has done something.
func (w *world) stopped(t testing.TB, b *store.Batch) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan error)
	go func() { done <- w.background().Drain(ctx) }()
	for {
		select {
		case err := <-done:
			t.Fatalf("it ended before it was stopped: %v, %+v", err, w.batch(t, b.ID))
		case <-time.After(time.Millisecond):
		}
		if w.batch(t, b.ID).Processed > 0 {
			break
		}
	}
	stop()
	if err := <-done; err != nil && ctx.Err() == nil {
		t.Fatal(err)
	}
	if got := w.batch(t, b.ID); got.FinishedAt != nil {
		t.Skipf("it was faster than the test: %+v", got)
	}
}

func TestAnInterruptedRunGoesOn(t *testing.T) {
	storetest.Each(t, "from where it was left, each line once", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, small, func(o *batch.Options) { o.Writers = 1 }) // L0000 is the first line
		w.maps(t, map[string]*store.EmissionFactor{"IT": w.factors[0], "CLEAN": w.factors[1]})
		w.ledger(t, 300)
		before := w.totals(t, nil)
		newer, _ := w.newer(t, "1.4")
		b := w.start(t, batch.Recalculation{Datasets: []store.ID{newer.ID}})
		w.stopped(t, b)
		if now := w.totals(t, nil); *now != *before {
			t.Errorf("half of a run is seen: %+v, was %+v", now, before)
		}
		// Lines that change meanwhile keep what their writer says.
		changed := w.input("L0000", func(l *store.ActivityInput) { l.Money.Amount = exact.NewDecimal(7, 0) })
		w.importAll(t, calculate, changed)
		if err := w.background().Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := w.batch(t, b.ID)
		if got.Status != store.RunPartial || got.Failed != 1 || got.Processed != 300 || got.Takes != 2 {
			t.Errorf("batch %+v", got)
		}
		if after := w.totals(t, nil); after.EmissionCount != 300 {
			t.Errorf("%d emissions for 300 lines", after.EmissionCount)
		}
		c, err := w.tenant.Activities(t.Context(), &store.ActivityFilter{Search: new("L0000")}, store.ActivityOrder{}, store.Page{})
		if err != nil || len(c.Nodes) != 1 {
			t.Fatal(len(c.Nodes), err)
		}
		current, err := w.tenant.CurrentEmissionsOf([]store.ID{c.Nodes[0].ID}, 0).All(t.Context())
		if err != nil || len(current) != 1 || current[0].Amount != 7_000_000 {
			t.Errorf("the changed line has %+v, %v", current, err)
		}
		w.checkSums(t)
	})
	storetest.Each(t, "or is cancelled, and leaves nothing", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, small)
		w.maps(t, map[string]*store.EmissionFactor{"IT": w.factors[0], "CLEAN": w.factors[1]})
		w.ledger(t, 300)
		before := w.totals(t, &store.EmissionFilter{IncludeSuperseded: new(true)})
		newer, _ := w.newer(t, "1.4")
		b := w.start(t, batch.Recalculation{Datasets: []store.ID{newer.ID}})
		w.stopped(t, b)
		if err := w.tenant.CancelBatch(t.Context(), b.ID); err != nil {
			t.Fatal(err)
		}
		if err := w.background().Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := w.batch(t, b.ID); got.Status != store.RunCancelled || got.FinishedAt == nil {
			t.Errorf("batch %+v", got)
		}
		if after := w.totals(t, &store.EmissionFilter{IncludeSuperseded: new(true)}); *after != *before {
			t.Errorf("totals %+v, were %+v", after, before)
		}
	})
}

func TestALockedYearKeepsItsFigures(t *testing.T) {
	lock := func(t *testing.T, w *world, locked bool) {
		t.Helper()
		if _, err := w.tenant.LockReportingYear(t.Context(), store.LockReportingYearInput{Year: 2022, Locked: locked, Reason: "published"}, "test"); err != nil {
			t.Fatal(err)
		}
	}
	for name, f := range map[string]func(t *testing.T, w *world, newer store.ID){
		"from a recalculation of the whole ledger": func(t *testing.T, w *world, newer store.ID) {
			lock(t, w, true)
			for _, filter := range []*store.ActivityFilter{nil, {OccurredTo: new(exact.NewDate(2022, 1, 1))}, {OccurredFrom: new(exact.NewDate(2022, 11, 1))}, {AccountCodes: []string{"IT"}}} {
				_, err := w.StartRecalculation(t.Context(), w.tenant, batch.Recalculation{Reason: "x", Datasets: []store.ID{newer}, Filter: filter})
				if fault.CodeOf(err) != fault.PeriodLocked {
					t.Errorf("%+v: %v", filter, err)
				}
			}
		},
		"but other years are open, and a preview may be had": func(t *testing.T, w *world, newer store.ID) {
			lock(t, w, true)
			b := w.recalculate(t, batch.Recalculation{Datasets: []store.ID{newer}, Filter: &store.ActivityFilter{OccurredFrom: new(exact.NewDate(2023, 1, 1))}})
			if b.Status != store.RunSucceeded || b.Processed != 20 {
				t.Errorf("batch %+v", b)
			}
			if b := w.recalculate(t, batch.Recalculation{Datasets: []store.ID{newer}, Preview: true}); b.Status != store.RunSucceeded || b.Processed != 40 {
				t.Errorf("preview %+v", b)
			}
		},
		"from one that was asked for before the lock": func(t *testing.T, w *world, newer store.ID) {
			before := w.totals(t, &store.EmissionFilter{IncludeSuperseded: new(true)})
			b := w.start(t, batch.Recalculation{Datasets: []store.ID{newer}})
			lock(t, w, true)
			if err := w.background().Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			got := w.batch(t, b.ID)
			if got.Status != store.RunFailed || got.Problem == nil || got.Problem.Code != string(fault.PeriodLocked) {
				t.Errorf("batch %+v, %+v", got, got.Problem)
			}
			if after := w.totals(t, &store.EmissionFilter{IncludeSuperseded: new(true)}); *after != *before {
				t.Errorf("totals %+v, were %+v", after, before)
			}
			lock(t, w, false)
			if again := w.recalculate(t, batch.Recalculation{Datasets: []store.ID{newer}}); again.Status != store.RunSucceeded {
				t.Errorf("after the year was unlocked: %+v", again)
			}
		},
	} {
		storetest.Each(t, name, func(t *testing.T, st *store.Store) {
			w := newWorld(t, st, small)
			w.maps(t, map[string]*store.EmissionFactor{"IT": w.factors[0], "CLEAN": w.factors[1]})
			w.ledger(t, 40)
			newer, _ := w.newer(t, "1.4")
			f(t, w, newer.ID)
			w.checkSums(t)
		})
	}
}

func TestARecalculationIsRefused(t *testing.T) {
	storetest.Each(t, "where it cannot be what is meant", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, small)
		w.maps(t, map[string]*store.EmissionFactor{"IT": w.factors[0], "CLEAN": w.factors[1]})
		w.ledger(t, 20)
		newer, _ := w.newer(t, "1.4")
		for range 100 {
			w.start(t, batch.Recalculation{Preview: true})
		}
		if _, err := w.StartRecalculation(t.Context(), w.tenant, batch.Recalculation{Reason: "one more"}); fault.CodeOf(err) != fault.Overloaded {
			t.Errorf("the hundred-and-first that waits: %v", err)
		}
		for name, tc := range map[string]struct {
			ask  batch.Recalculation
			code fault.Code
		}{
			"no reason":                   {batch.Recalculation{}, fault.BadUserInput},
			"two releases of a source":    {batch.Recalculation{Reason: "x", Datasets: []store.ID{newer.ID, w.dataset.ID}}, fault.BadUserInput},
			"a dataset that is not there": {batch.Recalculation{Reason: "x", Datasets: []store.ID{{1}}}, fault.NotFound},
			"a filter that is none":       {batch.Recalculation{Reason: "x", Filter: &store.ActivityFilter{Categories: []int32{16}}}, fault.BadUserInput},
		} {
			if _, err := w.StartRecalculation(t.Context(), w.tenant, tc.ask); fault.CodeOf(err) != tc.code {
				t.Errorf("%s: %v, want %s", name, err, tc.code)
			}
		}
	})
}

// A factor that words were taken for is a worse match than one that a person chose, and the quality of figures says so.
func TestAGuessedFactorIsAWorseMatch(t *testing.T) {
	storetest.Each(t, "until somebody has looked at it", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, small)
		quality := func(m store.FactorMapping) store.DataQuality {
			t.Helper()
			m.AccountCode, m.FactorID = new("IT"), &w.factors[0].ID
			storetest.Write(t, w.tenant, func(ctx context.Context, wr *store.Writer) error {
				return wr.PutMappings(ctx, []*store.FactorMapping{&m})
			})
			r := w.importAll(t, calculate, w.input("A", func(l *store.ActivityInput) { l.FactorID, l.AccountCode = nil, new("IT") }))
			return emission(t, w, r[0].Activity).Quality
		}
		half, nine := exact.MustDecimal("0.5"), exact.MustDecimal("0.9")
		person := quality(store.FactorMapping{DecidedBy: store.ByPerson, Confidence: nine, Reviewed: true})
		sure := quality(store.FactorMapping{DecidedBy: store.ByTextMatch, Confidence: nine})
		unsure := quality(store.FactorMapping{DecidedBy: store.ByLanguageModel, Confidence: half})
		reviewed := quality(store.FactorMapping{DecidedBy: store.ByTextMatch, Confidence: half, Reviewed: true})
		if sure.Technology <= person.Technology || unsure.Technology <= sure.Technology || reviewed != person {
			t.Errorf("technology by a person %d, by words %d, by weak words %d; reviewed %+v, by a person %+v", person.Technology, sure.Technology, unsure.Technology, reviewed, person)
		}
	})
}
