package store_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"carbongraph/store"
	"carbongraph/store/storetest"
)

// eventually waits for what happens within a second, and some.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s never happened", what)
		}
	}
}

// hold keeps reference rows in memory until the test ends.
func hold(t *testing.T, st *store.Store) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); st.HoldReference(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
}

func TestReferenceRowsAreHeld(t *testing.T) {
	storetest.Each(t, "as they are stored, and dropped when they change", func(t *testing.T, st *store.Store) {
		first, factors := storetest.Dataset(t, st, "reference", "1")
		third, _ := storetest.Dataset(t, st, "reference", "3")
		if st.HeldFactor(factors[0].ID) != nil {
			t.Error("a factor is held before anything was read")
		}
		hold(t, st)
		eventually(t, "holding", func() bool { return st.HeldFactor(factors[0].ID) != nil && st.HeldDataset(third.ID) != nil })
		if got := st.HeldFactor(factors[0].ID); got.Code != factors[0].Code || got.Value.Cmp(*factors[0].Value) != 0 || got.DatasetGwpSet != first.GwpSet {
			t.Errorf("held %+v, stored %+v", got, factors[0])
		}
		if st.HeldFactor(first.ID) != nil || st.HeldDataset(factors[0].ID) != nil {
			t.Error("an id of something else is held")
		}
		if before := st.HeldDataset(third.ID).SupersedesID; before == nil || *before != first.ID {
			t.Errorf("version 3 supersedes %v, want %s", before, first.ID)
		}

		second, added := storetest.Dataset(t, st, "reference", "2") // between the two: version 3 now supersedes another
		if d := st.HeldDataset(third.ID); d != nil && *d.SupersedesID != second.ID {
			t.Error("what changed is held as it was, by the one who changed it")
		}
		eventually(t, "holding what changed", func() bool {
			d := st.HeldDataset(third.ID)
			return d != nil && *d.SupersedesID == second.ID && st.HeldFactor(added[0].ID) != nil
		})
	})
}

// Another process changes what this one holds.
func TestReferenceRowsOfAnotherWriterAreSeen(t *testing.T) {
	for name, o := range map[string]func(t *testing.T) store.Options{
		"sqlite":   func(t *testing.T) store.Options { return store.Options{DataDir: filepath.Join(t.TempDir(), "db")} },
		"postgres": func(t *testing.T) store.Options { return store.Options{DatabaseURL: storetest.PostgresURL(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options := o(t)
			options.SkipMigrationCheck = true
			open := func() *store.Store {
				st, err := store.Open(t.Context(), options)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = st.Close() })
				return st
			}
			migrating := open()
			if _, err := migrating.MigrateUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			writer, reader := open(), open()
			hold(t, reader)
			_, factors := storetest.Dataset(t, writer, "elsewhere", "1")
			eventually(t, "seeing what another wrote", func() bool { return reader.HeldFactor(factors[2].ID) != nil })
		})
	}
}
