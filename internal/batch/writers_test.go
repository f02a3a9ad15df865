package batch_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"carbongraph/internal/batch"
	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// inSmallChunks has four transactions write at once, also where the store would rather have one.
func inSmallChunks(o *batch.Options) { o.ChunkRows, o.Workers, o.Writers = 20, 3, 4 }

// crowd gives n payments, of which every one in ten fails. A supplier is named by 30 lines that follow one another, so that most are met by two chunks,
// and each line spells its name in its own way.
func crowd(n int) string {
	var b strings.Builder
	b.WriteString("externalId,supplierExternalId,supplierName,description,accountCode,occurredOn,amount,currency\n")
	for i := range n {
		amount := fmt.Sprint(i)
		if i%10 == 3 {
			amount = "none"
		}
		fmt.Fprintf(&b, "P%05d,S%d,Name %d,d,%d,2022-03-01,%s,GBP\n", i, i/30, i, 4000+i%3, amount)
	}
	return b.String()
}

func (w *world) crowd(t testing.TB, ctx context.Context, o batch.FileOptions, failures io.Writer) (*batch.Summary, error) {
	t.Helper()
	if o.Mapping == nil {
		o.Mapping = w.mapping(t, ledgerMapping)
	}
	return w.Files(ctx, w.tenant, []batch.File{{Name: "crowd.csv", Content: strings.NewReader(crowd(1500)), Failures: failures}}, o)
}

func TestSeveralWritersDoWhatOneDoes(t *testing.T) {
	storetest.Each(t, "with suppliers that several chunks name", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, inSmallChunks)
		for _, dry := range []bool{true, false} {
			var failures bytes.Buffer
			var rows []int
			s, err := w.crowd(t, t.Context(), batch.FileOptions{DryRun: dry, Progress: func(p batch.Progress) { rows = append(rows, p.Rows) }}, &failures)
			if err != nil || s.Rows != 1500 || s.Created != 1350 || s.Failed != 150 || s.Calculated != 900 || s.Uncalculated != 450 {
				t.Fatalf("dry %t: %+v, %v; want 1500 rows, 150 failed, 900 calculated", dry, s, err)
			}
			records := strings.Split(strings.TrimSpace(failures.String()), "\n")[1:]
			if len(records) != 150 || !slices.IsSorted(records) {
				t.Errorf("dry %t: %d failures, in order: %t; want 150 in the order of the file", dry, len(records), slices.IsSorted(records))
			}
			if len(rows) != 75 || !slices.IsSorted(rows) || rows[74] != 1500 {
				t.Errorf("dry %t: progress %v; want 75 steps up to 1500", dry, rows)
			}
			n, err := w.tenant.CountActivities(t.Context(), nil)
			if want := map[bool]int{true: 0, false: 1350}[dry]; n != want || err != nil {
				t.Errorf("dry %t: %d lines are stored, %v; want %d", dry, n, err, want)
			}
		}
		checkCrowd(t, w)
		if s, err := w.crowd(t, t.Context(), batch.FileOptions{}, nil); err != nil || s.Unchanged != 1350 {
			t.Errorf("again: %+v, %v; want 1350 unchanged", s, err)
		}
	})
}

// checkCrowd holds the suppliers of a crowd against their lines: each is there once, under the first name of the file, with the sum of its emissions.
func checkCrowd(t testing.TB, w *world) {
	t.Helper()
	n, err := w.tenant.CountSuppliers(t.Context(), nil)
	if err != nil || n != 50 {
		t.Fatalf("%d suppliers, %v; want 50", n, err)
	}
	var keys []string
	for i := range 50 {
		keys = append(keys, fmt.Sprintf("S%d", i))
	}
	suppliers, err := w.tenant.SuppliersByExternalID(t.Context(), keys)
	if err != nil || len(suppliers) != 50 {
		t.Fatalf("%d suppliers by key, %v; want 50", len(suppliers), err)
	}
	var sum exact.Milligrams
	for _, s := range suppliers {
		var i int
		fmt.Sscanf(*s.ExternalID, "S%d", &i)
		if want := fmt.Sprintf("Name %d", 30*i); s.Name != want {
			t.Errorf("%s is named %q; want %q, the first in the file", *s.ExternalID, s.Name, want)
		}
		own, err := w.tenant.EmissionTotals(t.Context(), &store.EmissionFilter{SupplierIds: []store.GlobalID{store.Global(store.KindSupplier, s.ID)}})
		if err != nil || own.CO2e != s.CO2e || own.EmissionCount != 18 {
			t.Errorf("%s: sum %d, emissions %+v, %v; want 18 that add up to it", *s.ExternalID, s.CO2e, own, err)
		}
		sum += s.CO2e
	}
	if all, err := w.tenant.EmissionTotals(t.Context(), nil); err != nil || all.CO2e != sum || all.EmissionCount != 900 {
		t.Errorf("all emissions %+v, %v; want 900 with the sum of the suppliers, %d", all, err, sum)
	}
}

func TestImportsOfTheSameFileAtOnceStoreItOnce(t *testing.T) {
	storetest.Each(t, "by two importers", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, inSmallChunks)
		var sums [2]*batch.Summary
		g, ctx := errgroup.WithContext(t.Context())
		for i := range sums {
			g.Go(func() (err error) {
				sums[i], err = w.crowd(t, ctx, batch.FileOptions{}, nil)
				return err
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		if a, b := sums[0], sums[1]; a.Created+b.Created != 1350 || a.Unchanged+b.Unchanged != 1350 || a.Failed != 150 || b.Failed != 150 {
			t.Errorf("%+v and %+v; want each line created by one and unchanged to the other", a, b)
		}
		if n, err := w.tenant.CountSuppliers(t.Context(), nil); n != 50 || err != nil {
			t.Errorf("%d suppliers, %v; want 50", n, err)
		}
	})
}

func TestOneConnectionIsEnough(t *testing.T) {
	w := newWorld(t, storetest.Postgres(t, func(o *store.Options) { o.MaxConns = 1 }), inSmallChunks)
	if s, err := w.crowd(t, t.Context(), batch.FileOptions{}, nil); err != nil || s.Created != 1350 {
		t.Errorf("%+v, %v; want 1350 created", s, err)
	}
}

// A supplier's sum becomes larger than the database can hold: each line that would make it so fails alone.
func TestALineThatCannotBeStoredCostsNoOther(t *testing.T) {
	storetest.Each(t, "of its chunk", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, inSmallChunks)
		const huge = "9000000000000"
		records := strings.Split(crowd(1500), "\n")
		for i := 721; i < len(records)-1; i += 20 { // one in each chunk
			id, _, _ := strings.Cut(records[i], ",")
			records[i] = id + ",huge,Huge,d,4000,2022-03-01," + huge + ",GBP"
		}
		content := strings.Join(records, "\n")
		files := func() []batch.File { return []batch.File{{Name: "l.csv", Content: strings.NewReader(content)}} }
		o := batch.FileOptions{Mapping: w.mapping(t, ledgerMapping)}
		s, err := w.Files(t.Context(), w.tenant, files(), o)
		n, _ := w.tenant.CountActivities(t.Context(), nil)
		if err != nil || s.Rows != 1500 || s.Failed != 150+38 || s.Created != 1350-38 || n != s.Created {
			t.Fatalf("%+v, %v, %d lines are stored; want all but one of the 39 that are too large together", s, err, n)
		}
		content = strings.ReplaceAll(content, huge, "9")
		again, err := w.Files(t.Context(), w.tenant, files(), o)
		if err != nil || again.Created != 38 || again.Updated != 1 || again.Unchanged != 1350-39 {
			t.Errorf("corrected: %+v, %v; want what was missing to be created", again, err)
		}
	})
}

func TestSeveralWritersStopWithTheirContext(t *testing.T) {
	storetest.Each(t, "at once", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, inSmallChunks)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var stopped time.Time
		s, err := w.crowd(t, ctx, batch.FileOptions{Progress: func(p batch.Progress) {
			if p.Rows >= 400 && stopped.IsZero() {
				stopped = time.Now()
				cancel()
			}
		}}, nil)
		if fault.CodeOf(err) != fault.Timeout || time.Since(stopped) > 3*time.Second {
			t.Fatalf("%+v, %v after %v; want it to stop at once", s, err, time.Since(stopped))
		}
		// A commit that the end of the context meets may have happened.
		n, err := w.tenant.CountActivities(t.Context(), nil)
		if err != nil || n < s.Created || n > s.Created+4*20 || s.Created > 1000 {
			t.Errorf("%d lines are stored, %v; told %+v", n, err, s)
		}
	})
}

func TestAPanicOfWhoeverWatchesEndsTheImport(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t), inSmallChunks)
	calls := 0
	s, err := w.crowd(t, t.Context(), batch.FileOptions{Progress: func(batch.Progress) {
		if calls++; calls == 3 {
			panic("a bar gone wrong")
		}
	}}, nil)
	if err == nil || !strings.Contains(err.Error(), "a bar gone wrong") {
		t.Fatalf("%+v, %v; want the panic as an error", s, err)
	}
	if n, err := w.tenant.CountActivities(t.Context(), nil); err != nil || n != s.Created || n == 1350 {
		t.Errorf("%d lines are stored, %v; told %+v", n, err, s)
	}
}
