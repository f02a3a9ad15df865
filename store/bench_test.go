package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"golang.org/x/sync/errgroup"

	"carbongraph/internal/exact"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// BenchmarkPutLines stores lines with an emission each, in chunks of 1,000, the chunks of several writers at once. An iteration is one line.
func BenchmarkPutLines(b *testing.B) {
	for _, writers := range []int{1, 2, 4} {
		b.Run(fmt.Sprintf("postgres/writers=%d", writers), func(b *testing.B) { putLines(b, storetest.Postgres(b), writers, false) })
	}
	b.Run("postgres/again", func(b *testing.B) { putLines(b, storetest.Postgres(b), 2, true) })
	b.Run("sqlite", func(b *testing.B) { putLines(b, storetest.SQLite(b), 1, false) })
}

func putLines(b *testing.B, st *store.Store, writers int, again bool) {
	const chunk = 1000
	l := storetest.NewLedger(b, st, "Acme", 0, nil)
	var names []string
	for i := range 400 {
		names = append(names, fmt.Sprintf("Supplier %d", i))
	}
	suppliers := storetest.Suppliers(b, l.Tenant, names...)
	var chunks [][]*store.Line
	for from := 0; from < b.N; from += chunk {
		r := rand.New(rand.NewPCG(1, uint64(from)))
		var lines []*store.Line
		for i := from; i < min(from+chunk, b.N); i++ {
			lines = append(lines, realisticLine(r, i, l, suppliers))
		}
		chunks = append(chunks, lines)
	}
	put := func() {
		g, ctx := errgroup.WithContext(b.Context())
		g.SetLimit(writers)
		for _, lines := range chunks {
			g.Go(func() error {
				return l.Tenant.Write(ctx, func(ctx context.Context, w *store.Writer) error {
					_, err := w.PutLines(ctx, lines)
					return err
				})
			})
		}
		if err := g.Wait(); err != nil {
			b.Fatal(err)
		}
	}
	if again {
		put()
	}
	b.ReportAllocs()
	b.ResetTimer()
	put()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// realisticLine makes a line of the shape that spend has: few suppliers dominate, and few hundred formulas.
func realisticLine(r *rand.Rand, i int, l *storetest.Ledger, suppliers []*store.Supplier) *store.Line {
	s := suppliers[int(float64(len(suppliers))*r.Float64()*r.Float64()*r.Float64())]
	line := storetest.NewLine(fmt.Sprintf("INV-%08d", i), s)
	line.Activity.Description = "Office furniture and equipment, delivered and installed"
	line.Activity.CategoryNumber = int32(r.IntN(15) + 1)
	line.Activity.OccurredOn = exact.NewDate(2023, 1, 1+r.IntN(1095))
	line.Activity.Money.Amount = exact.Micros(1+r.Int64N(1e4)) * 1_000_000
	return storetest.Calculate(line, l.Factors[i%2], l.Run, exact.Milligrams(line.Activity.Money.Amount)*exact.Milligrams(1+r.Int64N(500)))
}
