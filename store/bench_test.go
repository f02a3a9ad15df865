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

// realisticLine makes a line of the shape that spend has: few suppliers dominate, twelve gases, five steps of which each takes what the one before gives.
func realisticLine(r *rand.Rand, i int, l *storetest.Ledger, suppliers []*store.Supplier) *store.Line {
	s := suppliers[int(float64(len(suppliers))*r.Float64()*r.Float64()*r.Float64())]
	line := storetest.NewLine(fmt.Sprintf("INV-%08d", i), s)
	line.Activity.Description = "Office furniture and equipment, delivered and installed"
	line.Activity.CategoryNumber = int32(r.IntN(15) + 1)
	line.Activity.OccurredOn = exact.NewDate(2023, 1, 1+r.IntN(1095))
	line.Activity.Money.Amount = exact.Micros(r.Int64N(1e10))
	storetest.Calculate(line, l.Factors[i%2], l.Run, exact.Milligrams(r.Int64N(1e10)))
	e := line.Emission
	number := func(digits int) exact.Decimal { // of the length that quotients and products have
		return exact.MustDecimal(fmt.Sprintf("%d.%s", 1+r.IntN(9999), fmt.Sprintf("%018d%018d", r.Int64N(1e18), r.Int64N(1e18))[:digits]))
	}
	e.Gases = nil
	for _, gas := range []string{"CO2", "CH4", "N2O", "C2F6", "C3F8", "CF4", "HFC125", "HFC134a", "HFC143a", "HFC23", "NF3", "SF6"} {
		e.Gases = append(e.Gases, store.GasAmount{Gas: gas, Mass: new(number(12)), CO2e: number(6)})
	}
	e.Provenance = nil
	input, unit := number(2), "EUR"
	for _, step := range []store.ProvenanceStep{
		{Step: "quantity", Operator: "multiply", Operand: new(exact.MustDecimal("1")), Output: input, OutputUnit: "EUR", Source: "the ledger's line"},
		{Step: "deflate", Operator: "divide", Operand: new(number(11)), Output: number(30), OutputUnit: "EUR", Source: "prices of 2025 to 2022: CPI of XC, index ratio of 2022 to 2023, to 12 digits"},
		{Step: "convert", Operator: "divide", Operand: new(number(12)), Output: number(30), OutputUnit: "USD", Source: "average of 12 monthly exchange rates of 2022, EUR per USD"},
		{Step: "factor", Operator: "multiply", Operand: new(number(3)), Output: number(30), OutputUnit: "kg CO2e", SourceRow: &e.FactorID,
			Source: "epa-supply-chain 1.3: 332710 Machine Shops, US, per USD of 2022 in purchaser prices, published by AR5"},
		{Step: "round", Operator: "round", Operand: new(exact.MustDecimal("0.000001")), Output: number(6), OutputUnit: "kg CO2e", Source: "to the milligram, half to even"},
	} {
		step.Input, step.InputUnit = new(input), new(unit)
		e.Provenance = append(e.Provenance, step)
		input, unit = step.Output, step.OutputUnit
	}
	return line
}
