package batch_test

import (
	"strings"
	"testing"

	"carbongraph/internal/batch"
	"carbongraph/internal/exact"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// count tells how many results have each status, and how many of those that failed were rolled back.
func count(results []batch.ItemResult) map[string]int {
	n := map[string]int{}
	for _, r := range results {
		n[string(r.Status)]++
		if r.Problem != nil && r.Status == store.Failed {
			n[r.Problem.Code]++
		}
	}
	return n
}

func TestAModeSaysWhatALineThatFailsTakesAlong(t *testing.T) {
	for name, tc := range map[string]struct {
		mode                           store.BatchMode
		created, rolledBack, suppliers int
	}{
		"ITEM: nothing":     {store.ModeItem, 49, 0, 3},
		"no mode: nothing":  {"", 49, 0, 3},
		"CHUNK: its chunk":  {store.ModeChunk, 30, 19, 2},
		"ATOMIC: all of it": {store.ModeAtomic, 0, 49, 0},
	} {
		storetest.Each(t, name, func(t *testing.T, st *store.Store) {
			w := newWorld(t, st, inSmallChunks)
			lines := make([]store.ActivityInput, 50)
			for i := range lines {
				lines[i] = w.input("L"+string(rune('A'+i)), func(a *store.ActivityInput) {
					a.SupplierExternalID = new([]string{"one", "two", "three"}[i/20])
				})
			}
			lines[25].Description = strings.Repeat("x", 5000)
			for _, dry := range []bool{true, false} {
				got := w.importAll(t, batch.Flags{Calculate: true, Mode: tc.mode, DryRun: dry}, lines...)
				if n := count(got); n["CREATED"] != tc.created || n["FAILED"] != 50-tc.created || n["ROLLED_BACK"] != tc.rolledBack || got[25].Problem.Code != "BAD_USER_INPUT" {
					t.Errorf("dry %t: %v; want %d created, %d rolled back, and the reason at the line itself", dry, n, tc.created, tc.rolledBack)
				}
				want := tc.created
				if dry {
					want = 0
				}
				if n, err := w.tenant.CountActivities(t.Context(), nil); n != want || err != nil {
					t.Errorf("dry %t: %d lines are stored, %v; want %d", dry, n, err, want)
				}
			}
			if n, err := w.tenant.CountSuppliers(t.Context(), nil); n != tc.suppliers || err != nil {
				t.Errorf("%d suppliers, %v; want %d: those of lines that are not stored are not either", n, err, tc.suppliers)
			}
			if r := w.importAll(t, batch.Flags{Calculate: true, Mode: tc.mode}, lines[:20]...); tc.rolledBack == 0 && r[0].Status != store.Unchanged {
				t.Errorf("again: %v", r[0].Status)
			}
		})
	}
	storetest.Each(t, "suppliers", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, func(o *batch.Options) { o.ChunkRows = 2 })
		in := []store.SupplierInput{{ExternalID: "a", Name: "A"}, {ExternalID: "b", Name: "B"}, {ExternalID: "c", Name: "C"}, {ExternalID: "d"}}
		for _, tc := range []struct {
			f    batch.Flags
			want string
		}{
			{batch.Flags{Mode: store.ModeAtomic}, "ROLLED_BACK ROLLED_BACK ROLLED_BACK BAD_USER_INPUT"},
			{batch.Flags{DryRun: true}, "CREATED CREATED CREATED BAD_USER_INPUT"},
			{batch.Flags{Mode: store.ModeChunk}, "CREATED CREATED ROLLED_BACK BAD_USER_INPUT"},
			{batch.Flags{}, "UNCHANGED UNCHANGED CREATED BAD_USER_INPUT"},
		} {
			got, err := w.Suppliers(t.Context(), w.tenant, in, tc.f)
			if err != nil {
				t.Fatal(err)
			}
			var words []string
			for _, r := range got {
				word := string(r.Status)
				if r.Problem != nil {
					word = r.Problem.Code
				}
				if (r.Supplier != nil) != (r.Problem == nil && !tc.f.DryRun) {
					t.Errorf("%+v: %s comes with supplier: %t", tc.f, r.ExternalID, r.Supplier != nil)
				}
				words = append(words, word)
			}
			if s := strings.Join(words, " "); s != tc.want {
				t.Errorf("%+v: %s; want %s", tc.f, s, tc.want)
			}
		}
	})
	storetest.Each(t, "a line of a locked year takes the others along too", func(t *testing.T, st *store.Store) {
		w := newWorld(t, st)
		w.lock(t, 2021)
		in := []store.ActivityInput{w.input("a"), w.input("b", func(a *store.ActivityInput) { a.OccurredOn = exact.NewDate(2021, 5, 1) }), w.input("c")}
		got := w.importAll(t, batch.Flags{Calculate: true, Mode: store.ModeAtomic}, in...)
		if n := count(got); n["ROLLED_BACK"] != 2 || got[1].Problem.Code != "PERIOD_LOCKED" {
			t.Errorf("%v, %v", n, got[1].Problem)
		}
	})
}

// The amounts are each right, and too large together: only the database finds out, when it adds them up.
func TestALineThatTheDatabaseRefusesFailsAlone(t *testing.T) {
	huge := func(a *store.ActivityInput) {
		a.Money = &store.MoneyInput{Amount: exact.MustDecimal("8000000000000"), Currency: "GBP"}
	}
	for name, mode := range map[string]store.BatchMode{"ITEM": store.ModeItem, "CHUNK": store.ModeChunk, "ATOMIC": store.ModeAtomic} {
		storetest.Each(t, name, func(t *testing.T, st *store.Store) {
			w := newWorld(t, st)
			lines := make([]store.ActivityInput, 40)
			for i := range lines {
				lines[i] = w.input("L" + string(rune('A'+i)))
			}
			lines[11] = w.input("huge 1", huge)
			lines[29] = w.input("huge 2", huge)
			got := w.importAll(t, batch.Flags{Calculate: true, Mode: mode}, lines...)
			n := count(got)
			stored, err := w.tenant.CountActivities(t.Context(), nil)
			if mode == store.ModeItem && (n["CREATED"] != 39 || n["BAD_USER_INPUT"] != 1 || stored != 39) || mode != store.ModeItem && (n["FAILED"] != 40 || n["ROLLED_BACK"] != 39 || stored != 0) || err != nil {
				t.Errorf("%v, %d stored, %v", n, stored, err)
			}
		})
	}
}
