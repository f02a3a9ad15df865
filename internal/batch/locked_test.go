package batch_test

import (
	"bytes"
	"strings"
	"testing"

	"carbongraph/internal/batch"
	"carbongraph/internal/exact"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

func (w *world) lock(t *testing.T, year int32) {
	t.Helper()
	in := store.LockReportingYearInput{Year: year, Locked: true, Reason: "Published"}
	if _, err := w.tenant.LockReportingYear(t.Context(), in, "Ann"); err != nil {
		t.Fatal(err)
	}
}

func TestLinesOfALockedYear(t *testing.T) {
	on := func(year int) func(*store.ActivityInput) {
		return func(in *store.ActivityInput) { in.OccurredOn = exact.NewDate(year, 6, 15) }
	}
	storetest.Each(t, "fail alone, but for those that say nothing new", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st)
		w.importAll(t, calculate, w.input("in", on(2023)), w.input("same", on(2023)), w.input("out", on(2024)))
		w.lock(t, 2023)
		lines := []store.ActivityInput{
			w.input("first", on(2024)), w.input("new", on(2023)), w.input("in", on(2023), func(in *store.ActivityInput) { in.Description = "Other" }),
			w.input("same", on(2023)), w.input("out", on(2023)), w.input("last", on(2024)),
		}
		want := []store.ItemStatus{store.Created, store.Failed, store.Failed, store.Unchanged, store.Failed, store.Created}
		for _, f := range []batch.Flags{{Calculate: true, DryRun: true}, calculate} {
			for i, r := range w.importAll(t, f, lines...) {
				if r.Status != want[i] {
					t.Errorf("%s, dry %t: %s %+v, want %s", r.ExternalID, f.DryRun, r.Status, r.Problem, want[i])
				}
				if r.Status == store.Failed && (r.Activity != nil || r.Problem.Code != "PERIOD_LOCKED" || !strings.Contains(r.Problem.Message, "2023")) {
					t.Errorf("%s: %+v, problem %+v; want PERIOD_LOCKED of 2023", r.ExternalID, r.Activity, r.Problem)
				}
			}
		}
		if n, err := w.tenant.CountActivities(t.Context(), nil); n != 5 || err != nil {
			t.Errorf("%d lines are stored, %v; want five", n, err)
		}
	})
	storetest.Each(t, "leave no supplier behind that they are the first to name", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st)
		by := func(key string) func(*store.ActivityInput) {
			return func(in *store.ActivityInput) { in.SupplierExternalID = &key }
		}
		w.importAll(t, calculate, w.input("in", on(2023), by("known")))
		w.lock(t, 2023)
		got := w.importAll(t, calculate, w.input("new", on(2023), by("A")), w.input("in", on(2024), by("B")), w.input("other", on(2024), by("C")), w.input("also", on(2023), by("C")))
		for i, want := range []store.ItemStatus{store.Failed, store.Failed, store.Created, store.Failed} {
			if got[i].Status != want || want == store.Failed && got[i].Problem.Code != "PERIOD_LOCKED" {
				t.Errorf("%s: %s %+v, want %s", got[i].ExternalID, got[i].Status, got[i].Problem, want)
			}
		}
		if found, err := w.tenant.SuppliersByExternalID(t.Context(), []string{"A", "B", "C"}); err != nil || len(found) != 1 || found[0].Name != "C" {
			t.Errorf("suppliers %v, %v; want C alone", found, err)
		}
	})
	storetest.Each(t, "come back from a file with the reason", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st)
		w.lock(t, 2021)
		var failures bytes.Buffer
		s, err := w.file(t, "Id,Who,Name,What,Code,Day,Sum\np1,S1,Acme,Laptops,4000,2022-03-01,100\np2,S1,Acme,Laptops,4000,2021-03-01,100\n", &failures)
		if err != nil || s.Created != 1 || s.Failed != 1 || s.Rows != 2 {
			t.Errorf("summary %+v, %v; want one created and one failed", s, err)
		}
		if !strings.Contains(failures.String(), "p2,S1,Acme,Laptops,4000,2021-03-01,100,3,") || !strings.Contains(failures.String(), "2021, a reporting year that is locked") {
			t.Errorf("failures:\n%s", failures.String())
		}
	})
}
