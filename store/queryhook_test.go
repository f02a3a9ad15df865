package store_test

import (
	"context"
	"testing"

	"carbongraph/internal/telemetry"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

func TestStatementsAreCounted(t *testing.T) {
	storetest.Each(t, "a thousand lines take as many statements as one", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 0, nil)
		count := func(n int) int64 {
			var lines []*store.Line
			for i := range n {
				lines = append(lines, storetest.Calculate(storetest.NewLine(string(rune('a'+n%26))+string(rune('0'+i)), l.Suppliers[i%3]), l.Factors[0], l.Run, kg))
			}
			r := &telemetry.Request{}
			err := l.Tenant.Write(telemetry.WithRequest(t.Context(), r), func(ctx context.Context, w *store.Writer) error {
				_, err := w.PutLines(ctx, lines)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return r.Statements()
		}
		// The first to come brings its formula. Hold the lock on lines, look up, copy activities, copy emissions, lock suppliers, add to the sums, tell suppliers theirs, raise
		// the versions.
		if one, many := count(1), count(1000); one != 9 || many != 8 {
			t.Errorf("%d and %d statements, want 9 and 8", one, many)
		}
	})
}
