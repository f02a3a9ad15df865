package ingest_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding/charmap"

	"carbongraph/internal/fault"
	"carbongraph/internal/ingest"
)

// opened is a file that was read to its end.
type opened struct {
	*ingest.Reader
	rows []*ingest.Row
	bad  []*ingest.RowError
}

// open reads a file to its end and closes it. What it gives beside an error is what came before.
func open(t testing.TB, file io.Reader, name string, o ingest.Options) (*opened, error) {
	t.Helper()
	r, err := ingest.Open(file, name, o)
	if err != nil {
		return nil, err
	}
	all := &opened{Reader: r}
	for {
		row, err := r.Next()
		rowError := (*ingest.RowError)(nil)
		switch {
		case errors.Is(err, io.EOF):
			return all, r.Close()
		case errors.As(err, &rowError):
			all.bad = append(all.bad, rowError)
		case err != nil:
			return all, errors.Join(err, r.Close())
		default:
			all.rows = append(all.rows, row)
		}
	}
}

// mustOpen is open for files that are right.
func mustOpen(t testing.TB, file, name string, c *ingest.Columns) *opened {
	t.Helper()
	all, err := open(t, strings.NewReader(file), name, ingest.Options{Columns: c})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func zstandard(t testing.TB, text string, o ...zstd.EOption) string {
	t.Helper()
	z, err := zstd.NewWriter(nil, o...)
	if err != nil {
		t.Fatal(err)
	}
	return string(z.EncodeAll([]byte(text), nil))
}

func inUTF16(text string, big bool) string {
	var b bytes.Buffer
	for _, unit := range utf16.Encode([]rune(text)) {
		low, high := byte(unit), byte(unit>>8)
		if big {
			low, high = high, low
		}
		b.WriteByte(low)
		b.WriteByte(high)
	}
	return b.String()
}

func inWindows1252(t testing.TB, text string) string {
	t.Helper()
	out, err := charmap.Windows1252.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTextIsReadInEveryEncoding(t *testing.T) {
	text := plainHeader + "a1,\"Füße, 5 € 🌍\",2024-01-31,12.50,GBP\n"
	european := strings.ReplaceAll(text, " 🌍", "")
	declared := func(e string) *ingest.Columns {
		return columns(t, "file: { encoding: "+e+" }\ncolumns: { externalId: externalId, description: description, occurredOn: occurredOn, amount: amount, currency: currency }")
	}
	for name, tc := range map[string]struct {
		file     string
		columns  *ingest.Columns
		encoding ingest.Encoding
		want     string
	}{
		"UTF-8":                            {text, nil, ingest.UTF8, "Füße, 5 € 🌍"},
		"UTF-8 with a mark":                {"\ufeff" + text, nil, ingest.UTF8, "Füße, 5 € 🌍"},
		"UTF-16 with a mark":               {inUTF16("\ufeff"+text, false), nil, ingest.UTF16LE, "Füße, 5 € 🌍"},
		"UTF-16 the other way round":       {inUTF16("\ufeff"+text, true), nil, ingest.UTF16BE, "Füße, 5 € 🌍"},
		"UTF-16 without a mark":            {inUTF16(text, false), nil, ingest.UTF16LE, "Füße, 5 € 🌍"},
		"UTF-16 so, the other way round":   {inUTF16(text, true), nil, ingest.UTF16BE, "Füße, 5 € 🌍"},
		"UTF-16 declared":                  {inUTF16(text, true), declared("utf-16be"), ingest.UTF16BE, "Füße, 5 € 🌍"},
		"UTF-16 in gzip":                   {zipped(t, inUTF16("\ufeff"+text, false)), nil, ingest.UTF16LE, "Füße, 5 € 🌍"},
		"Windows-1252 declared":            {inWindows1252(t, european), declared("Windows-1252"), ingest.Windows1252, "Füße, 5 €"},
		"a mark goes before a declaration": {"\ufeff" + text, declared("Windows-1252"), ingest.UTF8, "Füße, 5 € 🌍"},
	} {
		t.Run(name, func(t *testing.T) {
			all := mustOpen(t, tc.file, "ledger.csv", tc.columns)
			if len(all.rows) != 1 || len(all.bad) != 0 || all.rows[0].Description != tc.want || all.rows[0].Amount != 12_500_000 {
				t.Fatalf("rows %+v, errors %v; want one with %q", all.rows, all.bad, tc.want)
			}
			if all.Format() != ingest.CSV || all.Encoding() != tc.encoding {
				t.Errorf("read as %s in %s; want CSV in %s", all.Format(), all.Encoding(), tc.encoding)
			}
		})
	}
}

func TestTextThatIsNotUTF8FailsItsRecordAndSaysWhatToDeclare(t *testing.T) {
	good := "a,Steel,2024-01-31,1,GBP\n"
	for name, tc := range map[string]struct{ file, says string }{
		"Windows-1252 not declared": {plainHeader + good + inWindows1252(t, "b,Stühle,2024-01-31,1,GBP\n") + good, "encoding: Windows-1252"},
		"half a pair in UTF-16":     {"\xff\xfe" + inUTF16(plainHeader+good+"b,Steel", false) + "\x3d\xd8" + inUTF16(",2024-01-31,1,GBP\n"+good, false), "not text in UTF-16LE"},
		"a zero byte":               {plainHeader + strings.Repeat(good, 400) + "b,St\x00eel,2024-01-31,1,GBP\n" + good, "zero byte"},
	} {
		t.Run(name, func(t *testing.T) {
			all := mustOpen(t, tc.file, "ledger.csv", nil)
			if len(all.rows) < 2 || len(all.bad) != 1 || !strings.Contains(all.bad[0].Message, tc.says) || !strings.Contains(all.bad[0].Message, `"description"`) {
				t.Errorf("%d rows, errors %v; want one that says %q, and the file read on", len(all.rows), all.bad, tc.says)
			}
		})
	}
}

func TestAnyCharacterCanBeDeclaredAsDelimiter(t *testing.T) {
	for _, d := range []string{"~", "\t", "§", ":"} {
		c := columns(t, fmt.Sprintf("file: { delimiter: %q }\n", d)+"columns: { externalId: Id, description: What, occurredOn: Day, amount: Sum }\nconstants: { currency: GBP }")
		all := mustOpen(t, strings.ReplaceAll("Id|What|Day|Sum\na|Nuts, bolts; 5|2024-01-31|1.5\n", "|", d), "x.csv", c)
		if len(all.rows) != 1 || all.rows[0].Description != "Nuts, bolts; 5" || string(all.Delimiter()) != d {
			t.Errorf("with %q: %v, %v", d, all.rows, all.bad)
		}
	}
}

func TestZstdIsUnpackedInBoundedMemory(t *testing.T) {
	text := plainHeader + strings.Repeat("a1,Steel,2024-01-31,12.50,GBP\n", 1000)
	whole := zstandard(t, text)
	if all := mustOpen(t, whole, "l.csv.zst", nil); len(all.rows) != 1000 || all.BytesRead() != int64(len(whole)) {
		t.Errorf("%d rows, %d bytes read; want 1000 and %d", len(all.rows), all.BytesRead(), len(whole))
	}
	for name, tc := range map[string]struct{ file, says string }{
		"cut off":           {whole[:len(whole)/2], "cut off"},
		"damaged":           {whole[:20] + strings.Repeat("\x00", 40) + whole[60:], "damaged"},
		"zstd in gzip":      {zipped(t, whole), "compressed twice"},
		"too wide a window": {"\x28\xb5\x2f\xfd\x00\xa8\x00\x00\x00\x00\x00", "level 19 or lower"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := open(t, strings.NewReader(tc.file), "l.csv.zst", ingest.Options{})
			if fault.CodeOf(err) != fault.BadUserInput || !strings.Contains(fault.Of(err).Message, tc.says) {
				t.Errorf("err = %v; want BAD_USER_INPUT that says %q", err, tc.says)
			}
		})
	}
}

func TestWhatIsNoLedgerIsRefusedWithWhatToDo(t *testing.T) {
	for name, tc := range map[string]struct{ file, says string }{
		"a workbook of the old kind":   {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "save it as .xlsx"},
		"a zip archive":                {archive(t, "ledger.csv", plainHeader), `unpack it and import what is in it ("ledger.csv")`},
		"a binary workbook":            {archive(t, "xl/workbook.bin", ""), "save it as .xlsx"},
		"an OpenDocument sheet":        {archive(t, "content.xml", ""), "save it as .xlsx or CSV"},
		"an empty archive":             {"PK\x05\x06" + strings.Repeat("\x00", 18), "nothing in it"},
		"a list in JSON":               {"\n[ {\"externalId\": \"a\"} ]", "one object a line"},
		"an empty list in JSON":        {"[]", "one object a line"},
		"a database":                   {"SQLite format 3\x00", "export the table as CSV"},
		"a web page":                   {"<!DOCTYPE html><html>", "not the page"},
		"a file without a header":      {"a1,Steel,2024-01-31,12.50,GBP\na2,Steel,2024-01-31,12.50,GBP\n", `It has "a1", "Steel"`},
		"zstd of nothing":              {zstandard(t, ""), "empty"},
		"gzip of nothing":              {zipped(t, ""), "empty"},
		"two columns of one name":      {"externalId,description,Description,occurredOn,amount,currency\n", "2 columns"},
		"a name of nothing but spaces": {"  \n\t\n", "empty"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := open(t, strings.NewReader(tc.file), "ledger.csv", ingest.Options{})
			if fault.CodeOf(err) != fault.BadUserInput || !strings.Contains(fault.Of(err).Message, tc.says) {
				t.Errorf("err = %v; want BAD_USER_INPUT that says %q", err, tc.says)
			}
		})
	}
}

func TestADeclaredFormatIsHeld(t *testing.T) {
	ndjson := columns(t, "file: { format: ndjson }\n"+minimal)
	_, err := open(t, strings.NewReader("Id,What,Day,Sum\n1,x,2024-01-31,1\n"), "l.csv", ingest.Options{Columns: ndjson})
	if fault.CodeOf(err) != fault.BadUserInput || !strings.Contains(err.Error(), "is CSV, but the columns file says") {
		t.Errorf("err = %v", err)
	}
	if all := mustOpen(t, "Id,What,Day,Sum,line,reason\n1,x,2024-01-31,1,2,because\n", "l.failed.csv", ndjson); len(all.rows) != 1 {
		t.Errorf("rows that come back: %v, %v; want them read, whatever the ledger was", all.rows, all.bad)
	}
	braces := columns(t, "file: { format: CSV }\ncolumns: { externalId: '{\"Id', description: What, occurredOn: Day, amount: Sum }\nconstants: { currency: GBP }")
	if _, err := open(t, strings.NewReader("{\"Id,What,Day,Sum\n"), "l.csv", ingest.Options{Columns: braces}); err == nil || strings.Contains(err.Error(), "JSON") {
		t.Errorf("declared CSV that begins with a brace: %v", err)
	}
}

func TestAHeaderAloneHasNoRows(t *testing.T) {
	for name, file := range map[string]string{"CSV": plainHeader, "CSV without an end of line": strings.TrimSpace(plainHeader), "UTF-16": inUTF16("\ufeff"+plainHeader, false)} {
		if all := mustOpen(t, file, "l.csv", nil); len(all.rows) != 0 || len(all.bad) != 0 {
			t.Errorf("%s: %v, %v; want neither rows nor errors", name, all.rows, all.bad)
		}
	}
}

func TestFormulasAreTextOnTheWayInAndEscapedOnTheWayOut(t *testing.T) {
	for text, escaped := range map[string]string{
		"=cmd|'/c calc'!A1": "'=cmd|'/c calc'!A1", "+1": "'+1", "-3": "-3", "-3.50": "-3.50", "-3+4": "'-3+4", "@SUM(A1)": "'@SUM(A1)", "\tx": "'\tx", "\rx": "'\rx",
		"'=x": "''=x", "''-3": "'''-3", "'quoted'": "'quoted'", "Steel": "Steel", "": "", "'": "'", "-": "'-",
	} {
		if got := ingest.EscapeFormula(text); got != escaped {
			t.Errorf("escaped %q = %q; want %q", text, got, escaped)
		}
		file := "Id,What,Day,Sum\n1,\"" + ingest.EscapeFormula(text) + "\",2024-01-31,1\n"
		all := mustOpen(t, file, "l.csv", columns(t, "columns: { externalId: Id, description: What, occurredOn: Day, amount: Sum }\nconstants: { currency: GBP }"))
		if len(all.rows) != 1 || all.rows[0].Record[1] != text {
			t.Errorf("%q came back as %v, %v", text, all.rows, all.bad)
		}
	}
}
