package store_test

import (
	"fmt"
	"testing"

	"carbongraph/store"
	"carbongraph/store/storetest"
)

// BenchmarkVersions measures what a write costs that raises, and what it costs to be told of it.
func BenchmarkVersions(b *testing.B) {
	for name, open := range map[string]func(testing.TB, ...storetest.Option) *store.Store{"postgres": storetest.Postgres, "sqlite": storetest.SQLite} {
		st := open(b)
		l := storetest.NewLedger(b, st, "Acme", 0, nil)
		n := 0
		write := func(b *testing.B) {
			n++
			if err := rename(b.Context(), l.Tenant, l.Suppliers[0], fmt.Sprint("name ", n)); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(name+"/write", func(b *testing.B) {
			for b.Loop() {
				write(b)
			}
		})
		b.Run(name+"/nothing new", func(b *testing.B) {
			for b.Loop() {
				if err := rename(b.Context(), l.Tenant, l.Suppliers[0], fmt.Sprint("name ", n)); err != nil {
					b.Fatal(err)
				}
			}
		})
		for _, rows := range []int{0, 1000} { // that were raised since rows were made one
			if err := st.CompactVersions(b.Context()); err != nil {
				b.Fatal(err)
			}
			for range rows {
				write(b)
			}
			b.Run(fmt.Sprintf("%s/read after %d", name, rows), func(b *testing.B) {
				for b.Loop() {
					if _, err := st.Versions(b.Context(), l.Tenant.ID()); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(fmt.Sprintf("%s/poll after %d", name, rows), func(b *testing.B) {
				_, mark, err := st.VersionChanges(b.Context(), "")
				if err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					if _, mark, err = st.VersionChanges(b.Context(), mark); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
