package ingest_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"carbongraph/internal/fault"
	"carbongraph/internal/ingest"
)

// checkRead reads a file of any bytes: only a disk can be at fault beyond the input, and what comes is in order and whole.
func checkRead(t *testing.T, file []byte, c *ingest.Columns) {
	t.Helper()
	all, err := open(t, bytes.NewReader(file), "ledger-2024-q1", ingest.Options{Columns: c, Limits: ingest.Limits{Unsuspected: 4 << 20, MaxTexts: 4 << 20}})
	if err != nil && fault.CodeOf(err) != fault.BadUserInput {
		t.Errorf("a file of bytes ends in %v; only a disk can be at fault beyond the input", err)
	}
	if all == nil {
		return
	}
	line := 0
	for _, r := range all.rows {
		if r.Line <= line || r.OccurredOn.IsZero() || len(r.Record) != len(all.Header()) {
			t.Errorf("row %+v after line %d under %q", r, line, all.Header())
		}
		line = r.Line
	}
	for _, b := range all.bad {
		if b.Line < 1 || b.Message == "" || b.Code == "" {
			t.Errorf("row error %+v", b)
		}
	}
}

func FuzzCSV(f *testing.F) {
	text := "Id;What;Day;Sum\r\na;\"St\u00fchle; 5\";2024-01-31;1.234,5\r\n'=b;x;31/01/2024;(1'000.5)\n\"c"
	f.Add([]byte(text), uint8(0))
	f.Add([]byte(inUTF16("\ufeff"+text, false)), uint8(0))
	f.Add([]byte(inUTF16(text, true)), uint8(2))
	f.Add([]byte(inWindows1252(f, text)), uint8(3))
	f.Add([]byte(zstandard(f, text)), uint8(1))
	f.Add([]byte(zipped(f, text)), uint8(4))
	f.Fuzz(func(t *testing.T, file []byte, encoding uint8) {
		declared := ""
		if known := ingest.Encodings(); int(encoding) < len(known) {
			declared = "file: { encoding: " + string(known[encoding]) + " }\n"
		}
		checkRead(t, file, columns(t, declared+minimal))
	})
}

func FuzzNDJSON(f *testing.F) {
	f.Add("{\"externalId\":\"a\",\"description\":\"b\",\"occurredOn\":\"2024-01-31\",\"quantity\":{\"value\":1e2,\"unit\":\"kg\"},\"x\":[1,{\"y\":null}]}\n{\"z\":1}\n")
	f.Add("{\"externalId\":\"\\ud800\",\"money\":{\"amount\":-0.5,\"currency\":\"GBP\"}}\n[]\n{")
	f.Fuzz(func(t *testing.T, text string) { checkRead(t, []byte(text), nil) })
}

func FuzzXLSX(f *testing.F) {
	f.Add(xlsxHeader+xlsxRow(2, `<c r="D2"><v>1.5</v></c>`), "shared")
	f.Add(xlsxHeader+xlsxRow(2, `<c r="D2" t="s"><v>0</v></c>`)+`<row r="9"><c t="e"><v>#N/A</v></c></row>`, "5")
	f.Fuzz(func(t *testing.T, rows, text string) {
		checkRead(t, []byte(workbook(t, rows, text)), columns(t, minimal))
	})
}

func FuzzArchive(f *testing.F) {
	f.Add([]byte(workbook(f, xlsxHeader+xlsxRow(2, `<c r="D2"><v>1.5</v></c>`), "shared")))
	f.Fuzz(func(t *testing.T, file []byte) {
		checkRead(t, file, columns(t, minimal))
	})
}

func FuzzParquet(f *testing.F) {
	f.Add([]byte(parquetFile(f, payments(3), parquet.Compression(&parquet.Snappy))))
	f.Add([]byte(parquetFile(f, payments(40), parquet.Compression(&parquet.Zstd), parquet.DataPageVersion(1))))
	f.Add([]byte(parquetFile(f, payments(3), parquet.Compression(&parquet.Gzip), parquet.MaxRowsPerRowGroup(1))))
	f.Fuzz(func(t *testing.T, file []byte) { checkRead(t, file, columns(t, minimal)) })
}

func FuzzNumber(f *testing.F) {
	for _, text := range []string{"1,234.56", "1.234,56", "(12.00)", "12.00-", "1 234", "1e3", "\u22125", "896.3999999999999", "1.234"} {
		f.Add(text)
	}
	notations := []string{"", "1,234.56", "1.234,56", "1 234,56", "1'234.56"}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsAny(text, "\t\r\n\"\x00") || strings.ToValidUTF8(text, "") != text || strings.TrimSpace(text) == "" || text[0] == '\'' || len(text) > 1000 {
			return // is another field, or none
		}
		seen := map[string]bool{}
		undeclared, err := amountOf(t, text, "")
		for _, n := range notations[1:] {
			if got, err := amountOf(t, text, ", numbers: \""+n+"\""); err == nil {
				seen[got.String()] = true
			}
		}
		if err == nil && len(seen) > 0 && (len(seen) > 1 || !seen[undeclared.String()]) {
			t.Errorf("%q is %s undeclared, and by notations %v", text, undeclared, seen)
		}
	})
}

func FuzzPropose(f *testing.F) {
	f.Add([]byte("Voucher;Supplier;Date;Purpose;Amount (£)\nV1;Acme;31/01/2024;Steel;1,204.50\nV2;Best;01/02/2024;\"Nuts"))
	f.Add([]byte("{\"id\":1,\"date\":\"2024-01-31\",\"text\":\"a\",\"qty\":1.5,\"uom\":\"kg\"}\n{\"id\":2"))
	f.Add([]byte(inUTF16("\ufeffRef\tDatum\tBetrag\tW\u00e4hrung\n1\t3.4.24\t1.234\tEUR\n", true)))
	f.Fuzz(func(t *testing.T, file []byte) {
		p, err := ingest.Propose(bytes.NewReader(file), "ledger-2024-q1.csv")
		if err != nil {
			if fault.CodeOf(err) != fault.BadUserInput {
				t.Errorf("a sample of bytes: %v; want BAD_USER_INPUT", err)
			}
			return
		}
		p.Assume("currency", "GBP", "ours")
		if _, err := ingest.ParseColumns(strings.NewReader(p.ColumnsFile())); err != nil && len(p.Missing) == 0 {
			t.Errorf("nothing is missing, but the proposal is refused: %v\n%s", err, p.ColumnsFile())
		}
	})
}
