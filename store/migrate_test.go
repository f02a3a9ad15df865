package store_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"carbongraph/internal/fault"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// empty runs a test on both databases before any migration. again opens the same database once more.
func empty(t *testing.T, name string, f func(t *testing.T, o store.Options)) {
	t.Run(name, func(t *testing.T) {
		t.Run("sqlite", func(t *testing.T) { t.Parallel(); f(t, store.Options{DataDir: t.TempDir()}) })
		t.Run("postgres", func(t *testing.T) {
			t.Parallel()
			f(t, store.Options{DatabaseURL: storetest.EmptyPostgresURL(t)})
		})
	})
}

func mustOpen(t *testing.T, o store.Options) *store.Store {
	t.Helper()
	o.SkipMigrationCheck = true
	st, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}

func TestMigrations(t *testing.T) {
	empty(t, "go up, down and up again", func(t *testing.T, o store.Options) {
		st := mustOpen(t, o)
		all, err := st.Migrations(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		every := len(all)
		for _, step := range []struct {
			name    string
			do      func(context.Context) (int, error)
			count   int
			applied bool
		}{
			{"up", st.MigrateUp, every, true}, {"up once more", st.MigrateUp, 0, true}, {"down", st.MigrateDown, every, false},
			{"down once more", st.MigrateDown, 0, false}, {"up again", st.MigrateUp, every, true},
		} {
			n, err := step.do(t.Context())
			if n != step.count || err != nil {
				t.Fatalf("%s: %d migrations, %v; want %d", step.name, n, err, step.count)
			}
			all, err := st.Migrations(t.Context())
			if err != nil || len(all) != every || slices.ContainsFunc(all, func(m store.MigrationStatus) bool { return m.Applied != step.applied }) {
				t.Fatalf("%s: status %v, %v", step.name, all, err)
			}
		}
		storetest.NewLedger(t, st, "Acme", 3, nil)
	})
	empty(t, "run once where several start at the same time", func(t *testing.T, o store.Options) {
		var g errgroup.Group
		counts := make([]int, 4)
		every := 0
		for i := range counts {
			st := mustOpen(t, o)
			all, err := st.Migrations(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			every = len(all)
			g.Go(func() (err error) {
				counts[i], err = st.MigrateUp(t.Context())
				return err
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		if sum := counts[0] + counts[1] + counts[2] + counts[3]; sum != every {
			t.Errorf("migrations ran %v times", counts)
		}
	})
	empty(t, "that are missing stop a start, and the message says what to do", func(t *testing.T, o store.Options) {
		_, err := store.Open(t.Context(), o)
		if f := fault.Of(err); err == nil || !strings.Contains(f.Message, "carbongraph migrate up") {
			t.Errorf("error = %v", err)
		}
		mustOpen(t, o).MigrateUp(t.Context())
		st, err := store.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	empty(t, "make one secret that cursors of every process share", func(t *testing.T, o store.Options) {
		st := mustOpen(t, o)
		if _, err := st.MigrateUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		l := storetest.NewLedger(t, st, "Acme", 3, nil)
		page := store.Page{First: new(int32(1))}
		first, err := l.Tenant.Suppliers(t.Context(), nil, store.SupplierOrder{}, page)
		if err != nil {
			t.Fatal(err)
		}
		page.After = first.PageInfo.EndCursor
		second, err := mustOpen(t, o).Tenant(l.Tenant.ID()).Suppliers(t.Context(), nil, store.SupplierOrder{}, page)
		if err != nil || len(second.Nodes) != 1 || second.Nodes[0].Name != "Borax" {
			t.Errorf("page %v, %v", second, err)
		}
	})
}
