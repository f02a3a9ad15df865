package store_test

import (
	"testing"

	"carbongraph/store"
	"carbongraph/store/storetest"
)

func TestWriters(t *testing.T) {
	t.Run("of SQLite are one", func(t *testing.T) {
		if n := storetest.SQLite(t).Writers(); n != 1 {
			t.Errorf("%d writers", n)
		}
	})
	for conns, most := range map[int]int{1: 1, 2: 1, 5: 2, 100: 4} {
		t.Run("of Postgres take half the pool at most", func(t *testing.T) {
			t.Parallel()
			st := storetest.Postgres(t, func(o *store.Options) { o.MaxConns = conns })
			if n := st.Writers(); n < 1 || n > most {
				t.Errorf("%d writers of %d connections; want 1 to %d", n, conns, most)
			}
		})
	}
}
