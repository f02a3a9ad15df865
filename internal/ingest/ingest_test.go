package ingest_test

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/internal/ingest"
)

const plainHeader = "externalId,description,occurredOn,amount,currency\n"

// read reads a file to its end: rows, the errors of single rows, and what ended it.
func read(t testing.TB, file, name string, c *ingest.Columns) (rows []*ingest.Row, bad []*ingest.RowError, err error) {
	t.Helper()
	r, err := ingest.Open(strings.NewReader(file), name, ingest.Options{Columns: c})
	if err != nil {
		return nil, nil, err
	}
	for {
		row, err := r.Next()
		rowError := (*ingest.RowError)(nil)
		switch {
		case errors.Is(err, io.EOF):
			return rows, bad, nil
		case errors.As(err, &rowError):
			bad = append(bad, rowError)
		case err != nil:
			return rows, bad, err
		default:
			rows = append(rows, row)
		}
	}
}

func columns(t testing.TB, yaml string) *ingest.Columns {
	t.Helper()
	c, err := ingest.ParseColumns(strings.NewReader(yaml))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func zipped(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(text))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestOneLedgerReadsAlikeInEveryWrapping(t *testing.T) {
	text := plainHeader + "a1,Steel,2024-01-31,12.50,GBP\n\na2,\"Bolts, \"\"M8\"\"\",2024-02-01,-3,GBP\n,,,,\n"
	for name, file := range map[string]string{
		"plain":               text,
		"gzip":                zipped(t, text),
		"byte-order mark":     "\ufeff" + text,
		"both":                zipped(t, "\ufeff"+text),
		"CRLF":                strings.ReplaceAll(text, "\n", "\r\n"),
		"CRLF and LF":         strings.Replace(text, "\n", "\r\n", 2),
		"no newline at end":   strings.TrimSuffix(text, ",,,,\n"),
		"header of any style": strings.Replace(text, "externalId,description,occurredOn", "External ID,DESCRIPTION ,occurred_on", 1),
	} {
		t.Run(name, func(t *testing.T) {
			rows, bad, err := read(t, file, "ledger.csv", nil)
			if err != nil || len(bad) != 0 || len(rows) != 2 {
				t.Fatalf("read %d rows, %v, %v; want 2 and no error", len(rows), bad, err)
			}
			a, b := rows[0], rows[1]
			got := fmt.Sprintf("%d %s %s %s, %d %s %s %s", a.Line, a.ExternalID, a.Amount, a.OccurredOn, b.Line, b.Description, b.Amount, b.Currency)
			if want := `2 a1 12.5 2024-01-31, 4 Bolts, "M8" -3 GBP`; got != want {
				t.Errorf("rows = %s; want %s", got, want)
			}
		})
	}
}

func TestOtherDelimitersAreFound(t *testing.T) {
	for _, d := range []string{";", "\t", "|"} {
		rows, bad, err := read(t, strings.ReplaceAll(plainHeader+"a,Steel,2024-01-31,1.5,GBP\n", ",", d), "x.csv", nil)
		if err != nil || len(bad) != 0 || len(rows) != 1 || rows[0].Amount != 1_500_000 {
			t.Errorf("with %q: %v, %v, %v", d, rows, bad, err)
		}
	}
}

func TestWhatIsNoCSVIsRefusedWithWhatToDo(t *testing.T) {
	for name, tc := range map[string]struct{ file, says string }{
		"nothing":                     {"", "empty"},
		"a mark and nothing":          {"\ufeff \n", "empty"},
		"an archive cut off":          {"PK\x03\x04rest", "cut off"},
		"a Parquet file cut off":      {"PAR1rest", "Parquet"},
		"zstd cut off":                {"\x28\xb5\x2f\xfd", "zstd"},
		"gzip in gzip":                {zipped(t, zipped(t, plainHeader)), "twice"},
		"zero bytes":                  {"abc,def\nx\x00y\n", "byte 9 is zero"},
		"no text at all":              {strings.Repeat("\x81\x8d\x9d", 500), "not text in UTF-8"},
		"a header in another coding":  {"externalId,Beschreibung f\xfcr\n" + strings.Repeat("a,b\n", 50), "header is not UTF-8"},
		"an open quote in the header": {`externalId,"descr` + "\n", "header cannot be read"},
		"prose":                       {"Dear reader,\nhere is the ledger.\n", "externalId"},
		"no money and no quantity":    {"externalId,description,occurredOn\na,b,2024-01-01\n", "neither amount and currency nor quantity and unit"},
		"a column twice":              {"externalId,External ID,description,occurredOn,amount,currency\n", "2 columns"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := read(t, tc.file, "ledger.csv", nil)
			if fault.CodeOf(err) != fault.BadUserInput || !strings.Contains(fault.Of(err).Message, tc.says) {
				t.Errorf("err = %v; want BAD_USER_INPUT that says %q", err, tc.says)
			}
		})
	}
}

func TestABrokenFileGivesWhatCameBeforeAndSaysWhere(t *testing.T) {
	var text strings.Builder
	text.WriteString(plainHeader)
	for i := range 50_000 {
		fmt.Fprintf(&text, "row-%d,Steel %x,2024-01-31,%d.25,GBP\n", i, i*i*7919, i)
	}
	whole := zipped(t, text.String())
	damaged := []byte(whole)
	copy(damaged[len(damaged)/2:], "damaged here and now")
	for name, tc := range map[string]struct{ file, says string }{
		"a gzip that is cut off":             {whole[:len(whole)/2], "cut off"},
		"a gzip that lacks its last bytes":   {whole[:len(whole)-3], "cut off"},
		"a gzip that is damaged":             {string(damaged), "damaged"},
		"a quotation mark that never closes": {text.String()[:100_000] + "\nx,\"" + text.String(), "never closed"},
	} {
		t.Run(name, func(t *testing.T) {
			rows, _, err := read(t, tc.file, "ledger.csv.gz", nil)
			if fault.CodeOf(err) != fault.BadUserInput || !strings.Contains(fault.Of(err).Message, tc.says) || !strings.Contains(fault.Of(err).Message, "line") {
				t.Errorf("err = %v; want BAD_USER_INPUT that says %q and the line", err, tc.says)
			}
			if len(rows) < 1000 {
				t.Errorf("%d rows came before; want the whole beginning", len(rows))
			}
		})
	}
}

type brokenDisk struct{ r io.Reader }

func (b brokenDisk) Read(p []byte) (int, error) {
	if n, err := b.r.Read(p); err == nil {
		return n, nil
	}
	return 0, errors.New("disk: input/output error")
}

func TestADiskThatFailsIsNotTheUsersFault(t *testing.T) {
	r, err := ingest.Open(brokenDisk{strings.NewReader(strings.Repeat("x", 1) + plainHeader[1:] + strings.Repeat("a,b,2024-01-01,1,GBP\n", 9000))}, "l.csv", ingest.Options{Columns: columns(t, `
columns: { externalId: xxternalId, description: description, occurredOn: occurredOn, amount: amount, currency: currency }`)})
	for err == nil {
		_, err = r.Next()
	}
	if fault.CodeOf(err) != fault.Internal || strings.Contains(fault.Of(err).Message, "disk:") {
		t.Errorf("err = %v; want INTERNAL without the inside", err)
	}
}

func TestABadRecordIsReportedAndTheFileReadOn(t *testing.T) {
	for name, tc := range map[string]struct{ record, field, says string }{
		"a quotation mark in the middle": {`b,St"eel,2024-01-31,1,GBP`, "", "quotation marks"},
		"too few fields":                 {`b,Steel,2024-01-31`, "", "3 fields, the header 5"},
		"too many fields":                {`b,Steel,2024-01-31,1,GBP,x`, "", "6 fields, the header 5"},
		"another coding":                 {"b,St\xfchle,2024-01-31,1,GBP", "", `"description" is not text in UTF-8`},
		"text for a number":              {`b,Steel,2024-01-31,twelve,GBP`, "amount", "twelve"},
		"a number that is none":          {`b,Steel,2024-01-31,NaN,GBP`, "amount", "NaN"},
		"a thousands comma":              {`b,Steel,2024-01-31,"1,200",GBP`, "amount", "1,200"},
		"an amount beyond 64 bits":       {`b,Steel,2024-01-31,99999999999999,GBP`, "amount", "out of range"},
		"seven decimals":                 {`b,Steel,2024-01-31,1.0000001,GBP`, "amount", "round: true"},
		"a day that is none":             {`b,Steel,2024-02-30,1,GBP`, "occurredOn", "2024-02-30"},
		"another notation of days":       {`b,Steel,31/01/2024,1,GBP`, "occurredOn", "YYYY-MM-DD"},
		"no day":                         {`b,Steel,,1,GBP`, "occurredOn", "no date"},
		"a year before 1900":             {`b,Steel,0024-01-31,1,GBP`, "occurredOn", "0024"},
	} {
		t.Run(name, func(t *testing.T) {
			good := "a,Steel,2024-01-31,1,GBP\n"
			rows, bad, err := read(t, plainHeader+good+tc.record+"\n"+strings.Replace(good, "a,", "c,", 1), "l.csv", nil)
			if err != nil || len(rows) != 2 || len(bad) != 1 {
				t.Fatalf("%d rows, %v, %v; want 2 rows and 1 error", len(rows), bad, err)
			}
			e := bad[0]
			if e.Line != 3 || e.Field != tc.field || e.Code != fault.BadUserInput || !strings.Contains(e.Message, tc.says) || len(e.Record) == 0 {
				t.Errorf("error = %+v; want line 3, field %q, saying %q, with the record", e, tc.field, tc.says)
			}
		})
	}
}

func TestCategoriesAreNumbers(t *testing.T) {
	header := "externalId,description,occurredOn,amount,currency,category\n"
	rows, bad, err := read(t, header+"a,S,2024-01-01,1,GBP,15\nb,S,2024-01-01,1,GBP,\nc,S,2024-01-01,1,GBP,travel\nd,S,2024-01-01,1,GBP,1.5\n", "l.csv", nil)
	if err != nil || len(rows) != 2 || len(bad) != 2 || rows[0].Category != 15 || rows[1].Category != 0 || bad[0].Field != "category" {
		t.Errorf("rows %v, errors %v, %v", rows, bad, err)
	}
}

func TestRecordsComeBackAsTheyWereWritten(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cell := rapid.StringMatching(`[a-zé€ ,;"\n\-0-9]{0,12}`)
		records := rapid.SliceOfN(rapid.SliceOfN(cell, 3, 3), 1, 20).Draw(rt, "records")
		records = slices.DeleteFunc(records, func(r []string) bool { return strings.TrimSpace(strings.Join(r, "")) == "" })
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		w.Write([]string{"a", "b", "c"})
		w.WriteAll(records)
		table, err := ingest.OpenTable(&b, "x.csv")
		if err != nil {
			rt.Fatal(err)
		}
		for _, want := range records {
			got, _, err := table.Next()
			if err != nil || !slices.Equal(got, want) {
				rt.Fatalf("record = %q, %v; want %q", got, err, want)
			}
		}
		if _, _, err := table.Next(); !errors.Is(err, io.EOF) {
			rt.Fatalf("after the last: %v; want io.EOF", err)
		}
	})
}

func TestAmountsAreReadExactly(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		want := exact.Micros(rapid.Int64().Draw(rt, "micros"))
		rows, bad, err := read(t, plainHeader+"a,S,2024-01-01,"+want.String()+",GBP\n", "l.csv", nil)
		if err != nil || len(bad) != 0 || rows[0].Amount != want {
			rt.Fatalf("%s came back as %v, %v, %v", want, rows, bad, err)
		}
	})
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte(plainHeader + "a,Steel,2024-01-31,1,GBP\n\"b"))
	f.Add([]byte("\xef\xbb\xbfexternalId;description;occurredOn;quantity;unit\r\na;b;2024-01-01;1e3;kg"))
	f.Add([]byte(zipped(f, plainHeader+"a,Steel,2024-01-31,1,GBP\n")))
	f.Fuzz(func(t *testing.T, file []byte) {
		rows, bad, err := read(t, string(file), "ledger-2024-q1.csv", nil)
		if err != nil && fault.CodeOf(err) != fault.BadUserInput {
			t.Errorf("a file of bytes ends in %v; only a disk can be at fault beyond the input", err)
		}
		line := 1
		for _, r := range rows {
			if r.Line <= line || r.OccurredOn.IsZero() || len(r.Record) == 0 {
				t.Errorf("row %+v after line %d", r, line)
			}
			line = r.Line
		}
		for _, b := range bad {
			if b.Line < 2 || b.Message == "" || b.Code == "" {
				t.Errorf("row error %+v", b)
			}
		}
	})
}

// shared is a folder of real data; the test is skipped where it is not there.
func shared(t *testing.T, folder string) string {
	t.Helper()
	dir := os.Getenv("SHARED_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	dir = filepath.Join(dir, folder)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the real ledger %s is not here; set SHARED_DATA to the folder that holds it", folder)
	}
	return dir
}

// large leaves to the pass without the race detector what reads so much, by one goroutine, that the detector takes the better part of a minute for it.
func large(t *testing.T) {
	t.Helper()
	if raced {
		t.Skip("so many rows are read once more without the race detector: see the Makefile")
	}
}

func TestRealLedgersAreReadWhole(t *testing.T) {
	large(t)
	for name, tc := range map[string]struct {
		folder, example, files string
		rows, keyless, assumed int
		sum                    string
	}{
		"Devon 2022":                       {"spend-devon", "devon", "*2022*", 129851, 0, 0, "902623286.84"},
		"Devon 2023":                       {"spend-devon", "devon", "*2023*", 133264, 0, 0, "924262237.56"},
		"Oxford, ten quarters and layouts": {"spend-oxford", "oxford", "*", 37802, 1, 3836, "133794581.77"},
	} {
		t.Run(name, func(t *testing.T) {
			files, _ := filepath.Glob(filepath.Join(shared(t, tc.folder), tc.files+".csv.gz"))
			example, err := os.ReadFile(filepath.Join("..", "..", "docs", "examples", tc.example, "columns.yml"))
			if err != nil {
				t.Fatal(err)
			}
			c := columns(t, string(example))
			var sum exact.Micros
			count, keyless, assumed := 0, 0, 0
			for _, file := range files {
				content, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				rows, bad, err := read(t, string(content), file, c)
				if err != nil || len(bad) != 0 {
					t.Fatalf("%s: %v, %v", file, bad, err)
				}
				for _, r := range rows {
					sum += r.Amount
					if r.ExternalID == "" {
						keyless++
					} else if r.DateAssumed {
						assumed++
					}
				}
				count += len(rows)
			}
			if count != tc.rows || keyless != tc.keyless || assumed != tc.assumed || sum.String() != tc.sum {
				t.Errorf("%d rows, %d without a key, %d assumed dates, sum %s; want %d, %d, %d, %s", count, keyless, assumed, sum, tc.rows, tc.keyless, tc.assumed, tc.sum)
			}
		})
	}
}
