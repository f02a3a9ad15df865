package ingest_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"carbongraph/internal/ingest"
)

const benchRows = 100_000

// benchmark reads a file of as many rows again and again; the speed is in bytes of the file as it is stored.
func benchmark(b *testing.B, file, yaml string) {
	b.Helper()
	c := columns(b, yaml)
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		rows, err := ingest.Open(strings.NewReader(file), "x", ingest.Options{Columns: c})
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for err == nil {
			_, err = rows.Next()
			n++
		}
		if !errors.Is(err, io.EOF) || n != benchRows+1 {
			b.Fatal(n, err)
		}
		rows.Close()
	}
	b.ReportMetric(float64(benchRows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkCSV reads a ledger as councils publish it: plain numbers, a date with a time, a few columns that nobody needs.
func BenchmarkCSV(b *testing.B) {
	var text strings.Builder
	text.WriteString("Ref,Day,Sum,Name,What,Code,Note,Other\n")
	for i := range benchRows {
		fmt.Fprintf(&text, "TN%08d,2024-01-%02d 00:00:00,%d.%02d,ELEVENTH HOUR GROUP %d,Care Spot - Private (3rd),57%02d,INV%d,\n", i, i%28+1, i*37%100000, i%100, i%977, i%100, i)
	}
	benchmark(b, text.String(), "columns: { externalId: Ref, description: What, supplierName: Name, accountCode: Code, occurredOn: { from: Day, formats: [\"YYYY-MM-DD hh:mm:ss\"] }, amount: { from: Sum, round: true } }\nconstants: { currency: GBP }")
}

func BenchmarkNDJSON(b *testing.B) {
	var text strings.Builder
	for i := range benchRows {
		fmt.Fprintf(&text, `{"Id":"TN%08d","Day":"2024-01-%02d","Sum":%d.%02d,"Name":"ELEVENTH HOUR GROUP %d","What":"Care Spot - Private (3rd)","Code":"57%02d"}`+"\n", i, i%28+1, i*37%100000, i%100, i%977, i%100)
	}
	benchmark(b, text.String(), minimal)
}

func BenchmarkParquet(b *testing.B) {
	benchmark(b, parquetFile(b, payments(benchRows), parquet.Compression(&parquet.Zstd)), minimal)
}

func BenchmarkXLSX(b *testing.B) {
	var rows strings.Builder
	rows.WriteString(xlsxHeader)
	for i := range benchRows {
		fmt.Fprintf(&rows, `<row r="%d"><c r="A%[1]d" t="s"><v>%d</v></c><c r="B%[1]d" t="s"><v>0</v></c><c r="C%[1]d" s="1"><v>45322</v></c><c r="D%[1]d"><v>%d.%02d</v></c></row>`, i+2, i%900, i*37%100000, i%100)
	}
	texts := make([]string, 900)
	for i := range texts {
		texts[i] = fmt.Sprintf("text %d", i)
	}
	benchmark(b, workbook(b, rows.String(), texts...), minimal)
}
