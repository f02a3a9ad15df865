package ingest_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"carbongraph/internal/ingest"
)

// BenchmarkCSV reads a ledger as councils publish it: plain numbers, a date with a time, a few columns that nobody needs.
func BenchmarkCSV(b *testing.B) {
	var text strings.Builder
	text.WriteString("Ref,Day,Sum,Name,What,Code,Note,Other\n")
	for i := range 100_000 {
		fmt.Fprintf(&text, "TN%08d,2024-01-%02d 00:00:00,%d.%02d,ELEVENTH HOUR GROUP %d,Care Spot - Private (3rd),57%02d,INV%d,\n", i, i%28+1, i*37%100000, i%100, i%977, i%100, i)
	}
	c := columns(b, "columns: { externalId: Ref, description: What, supplierName: Name, accountCode: Code, occurredOn: { from: Day, formats: [\"YYYY-MM-DD hh:mm:ss\"] }, amount: { from: Sum, round: true } }\nconstants: { currency: GBP }")
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		rows, err := ingest.Open(strings.NewReader(text.String()), "x.csv", ingest.Options{Columns: c})
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for err == nil {
			_, err = rows.Next()
			n++
		}
		if !errors.Is(err, io.EOF) || n != 100_001 {
			b.Fatal(n, err)
		}
	}
}
