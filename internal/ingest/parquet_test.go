package ingest_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/deprecated"

	"carbongraph/internal/fault"
	"carbongraph/internal/ingest"
)

// payment is a ledger's line in Parquet.
type payment struct {
	ID   string  `parquet:"Id"`
	What *string `parquet:"What,optional"`
	Day  int32   `parquet:"Day,date"`
	Sum  int64   `parquet:"Sum,decimal(2:18)"`
}

func parquetFile[T any](t testing.TB, rows []T, o ...parquet.WriterOption) string {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[T](&b, o...)
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func payments(n int) []payment {
	rows := make([]payment, n)
	for i := range rows {
		what := fmt.Sprintf("Steel %d", i%7)
		rows[i] = payment{fmt.Sprintf("a%d", i), &what, 19753, int64(i*100 + 5)}
	}
	return rows
}

func TestParquetIsReadGroupByGroup(t *testing.T) {
	for name, o := range map[string][]parquet.WriterOption{
		"snappy":       {parquet.Compression(&parquet.Snappy), parquet.MaxRowsPerRowGroup(700)},
		"zstd":         {parquet.Compression(&parquet.Zstd), parquet.MaxRowsPerRowGroup(1999)},
		"gzip":         {parquet.Compression(&parquet.Gzip), parquet.PageBufferSize(500)},
		"uncompressed": {parquet.DataPageVersion(1)},
	} {
		t.Run(name, func(t *testing.T) {
			file := parquetFile(t, payments(2000), o...)
			all := mustOpen(t, file, "l.parquet", columns(t, minimal))
			if len(all.rows) != 2000 || len(all.bad) != 0 || all.Format() != ingest.PARQUET {
				t.Fatalf("%d rows, errors %v", len(all.rows), all.bad)
			}
			for i, r := range all.rows {
				if want := fmt.Sprintf("a%d Steel %d 2024-01-31 %d.05", i, i%7, i); fmt.Sprintf("%s %s %s %s", r.ExternalID, r.Description, r.OccurredOn, r.Record[3]) != want || r.Line != i+1 {
					t.Fatalf("record %d = %+v; want %s", i, r, want)
				}
			}
			if n := all.BytesRead(); n == 0 || n > int64(len(file)) {
				t.Errorf("%d bytes read of %d", n, len(file))
			}
		})
	}
}

func TestEveryTypeIsWrittenExactly(t *testing.T) {
	type all struct {
		Text    string           `parquet:"text"`
		Null    *string          `parquet:"null,optional"`
		Int32   int32            `parquet:"int32"`
		Int64   int64            `parquet:"int64"`
		Uint32  uint32           `parquet:"uint32"`
		Uint64  uint64           `parquet:"uint64"`
		Float   float32          `parquet:"float"`
		Double  float64          `parquet:"double"`
		Bool    bool             `parquet:"bool"`
		Dec32   int32            `parquet:"dec32,decimal(3:9)"`
		Dec64   int64            `parquet:"dec64,decimal(0:18)"`
		Fixed   [16]byte         `parquet:"fixed,decimal(6:38)"`
		Date    int32            `parquet:"date,date"`
		Milli   int64            `parquet:"milli,timestamp(millisecond)"`
		Micro   int64            `parquet:"micro,timestamp(microsecond)"`
		Nano    int64            `parquet:"nano,timestamp(nanosecond)"`
		Old     deprecated.Int96 `parquet:"old"`
		UUID    [16]byte         `parquet:"uuid,uuid"`
		Clock   int32            `parquet:"clock,time(millisecond)"`
		Nothing struct {
			Inner int64 `parquet:"value"`
		} `parquet:"quantity"`
	}
	when := time.Date(2024, 1, 31, 14, 5, 0, 123_000_000, time.UTC)
	row := all{Text: "Füße", Int32: -7, Int64: math.MinInt64, Uint32: math.MaxUint32, Uint64: math.MaxUint64, Float: 0.1, Double: 896.3999999999999, Bool: true, Dec32: -5, Dec64: 12,
		Date: -1, Milli: when.Truncate(24 * time.Hour).UnixMilli(), Micro: when.UnixMicro(), Nano: when.UnixNano(), UUID: [16]byte{0: 1, 15: 0xff}, Clock: 3_723_500}
	for i := range row.Fixed {
		row.Fixed[i] = 0xff // −1
	}
	row.Old = deprecated.Int96{0, 0, 2440588 + 19753}
	row.Nothing.Inner = 3
	file := parquetFile(t, []all{row})
	r, err := ingest.Open(strings.NewReader(file), "l.parquet", ingest.Options{Columns: columns(t, "columns: { externalId: uuid, description: text, occurredOn: date, quantity: quantity }\nconstants: { unit: kg }")})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	want := "text=Füße null= int32=-7 int64=-9223372036854775808 uint32=4294967295 uint64=18446744073709551615 float=0.1 double=896.3999999999999 bool=true dec32=-0.005 dec64=12 " +
		"fixed=-0.000001 date=1969-12-31 milli=2024-01-31 micro=2024-01-31 14:05:00.123 nano=2024-01-31 14:05:00.123 old=2024-01-31 uuid=01000000-0000-0000-0000-0000000000ff clock=01:02:03.5 quantity=3"
	var fields []string
	for i, h := range r.Header() {
		fields = append(fields, h+"="+got.Record[i])
	}
	if strings.Join(fields, " ") != want {
		t.Errorf("record:\n%s\nwant:\n%s", strings.Join(fields, " "), want)
	}
}

func TestParquetThatIsNotATableIsRefused(t *testing.T) {
	type nested struct {
		ID   string   `parquet:"Id"`
		Tags []string `parquet:"Tags"`
	}
	type listed struct {
		Lines []struct {
			Sum float64
		} `parquet:"Lines,list"`
	}
	good := parquetFile(t, payments(500), parquet.Compression(&parquet.Snappy))
	for name, tc := range map[string]struct{ file, says string }{
		"lists":             {parquetFile(t, []nested{{"a", []string{"x"}}}), `"Tags" holds lists`},
		"lists of groups":   {parquetFile(t, []listed{{}}), "holds lists"},
		"another codec":     {parquetFile(t, payments(9), parquet.Compression(&parquet.Brotli)), "write it with snappy, gzip or zstd"},
		"cut off":           {good[:len(good)/2], "damaged or cut off"},
		"only the magic":    {"PAR1PAR1", "damaged or cut off"},
		"a damaged page":    {good[:200] + strings.Repeat("\xff", 300) + good[500:], "damaged or cut off"},
		"a page that grows": {parquetFile(t, payments(100), parquet.Compression(liar{&parquet.Zstd})), "more than the"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := open(t, strings.NewReader(tc.file), "l.parquet", ingest.Options{Columns: columns(t, minimal)})
			if fault.CodeOf(err) != fault.BadUserInput || !strings.Contains(fault.Of(err).Message, tc.says) {
				t.Errorf("err = %v; want BAD_USER_INPUT that says %q", err, tc.says)
			}
		})
	}
}

// liar packs far more than it was given.
type liar struct{ compress.Codec }

func (l liar) Encode(dst, src []byte) ([]byte, error) {
	return l.Codec.Encode(dst, append(bytes.Clone(src), make([]byte, 10<<20)...))
}

func TestParquetThatComesAsAStreamIsLaidAside(t *testing.T) {
	file := parquetFile(t, payments(2000))
	dir := t.TempDir()
	left := func() int {
		names, _ := filepath.Glob(filepath.Join(dir, "*"))
		return len(names)
	}
	for name, content := range map[string]string{"a stream": file, "gzip": zipped(t, file), "zstd": zstandard(t, file)} {
		all, err := open(t, onlyReader{strings.NewReader(content)}, "l.parquet", ingest.Options{Columns: columns(t, minimal), Limits: ingest.Limits{TempDir: dir}})
		if err != nil || len(all.rows) != 2000 || left() != 0 {
			t.Errorf("%s: %v, %v, %d files left; want 2000 rows and nothing left", name, all, err, left())
		}
	}
	_, err := open(t, onlyReader{strings.NewReader(file)}, "l.parquet", ingest.Options{Columns: columns(t, minimal), Limits: ingest.Limits{TempDir: dir, MaxSpool: 1000}})
	if fault.CodeOf(err) != fault.BadUserInput || !strings.Contains(err.Error(), "more than 1000 bytes") || left() != 0 {
		t.Errorf("beyond what may be laid aside: %v, %d files left", err, left())
	}
	_, err = open(t, onlyReader{strings.NewReader(file)}, "l.parquet", ingest.Options{Columns: columns(t, minimal), Limits: ingest.Limits{TempDir: filepath.Join(dir, "none")}})
	if fault.CodeOf(err) != fault.Internal || !strings.Contains(err.Error(), "no temporary file can be made") {
		t.Errorf("no such folder: %v", err)
	}
	inPlace, err := os.Create(filepath.Join(dir, "l.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	defer inPlace.Close()
	inPlace.WriteString("before" + file)
	inPlace.Seek(6, 0)
	all, err := open(t, inPlace, "l.parquet", ingest.Options{Columns: columns(t, minimal), Limits: ingest.Limits{TempDir: filepath.Join(dir, "none")}})
	if err != nil || len(all.rows) != 2000 {
		t.Errorf("a file from where it stands: %v, %v; want it read in place", all, err)
	}
}

// onlyReader hides that its reader could be read here and there.
type onlyReader struct{ r *strings.Reader }

func (o onlyReader) Read(p []byte) (int, error) { return o.r.Read(p) }
