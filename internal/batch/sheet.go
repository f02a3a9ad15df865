package batch

import (
	"encoding/binary"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"carbongraph/internal/exact"
	"carbongraph/internal/ingest"
	"carbongraph/store"
)

// cellKind is what the values of a column are.
type cellKind int

const (
	textCell    cellKind = iota
	amountCell           // a decimal of six places
	countCell            // a whole number
	flagCell             // true or false
	dayCell              // a calendar day
	instantCell          // a point in time
)

// field is a column of a file that is written: its name, what it holds, and where a row has it.
type field[T any] struct {
	name string
	kind cellKind
	put  func(s sheet, row *T)
}

// sheet is a file of rows that is being written to a buffer: a cell for each column, in their order, then the row's end. Numbers lose nothing.
type sheet interface {
	none()
	text(string)
	amount(int64) // in millionths
	count(int64)
	flag(bool)
	day(exact.Date)
	instant(exact.Instant)
	endRow() error
	// end writes what is still to be written.
	end() error
}

// newSheet begins a file in a format.
func newSheet[T any](format store.ExportFormat, fields []field[T], out io.Writer) (sheet, error) {
	names, kinds := make([]string, len(fields)), make([]cellKind, len(fields))
	for i, f := range fields {
		names[i], kinds[i] = f.name, f.kind
	}
	switch format {
	case store.ExportParquet:
		return newParquetSheet(names, kinds, out), nil
	case store.ExportNDJSON:
		return newObjectSheet(names, out), nil
	}
	s := &csvSheet{out: out}
	for _, name := range names {
		s.text(name)
	}
	return s, s.endRow()
}

// csvSheet writes CSV as RFC 4180 has it, with a line feed at the end of each record. What a spreadsheet would run is escaped.
type csvSheet struct {
	out io.Writer
	row []byte
}

func (s *csvSheet) none() { s.row = append(s.row, ',') }

func (s *csvSheet) text(v string) {
	v = ingest.EscapeFormula(v)
	if v == "" || !strings.ContainsAny(v, "\",\r\n") && v[0] != ' ' {
		s.row = append(append(s.row, v...), ',')
		return
	}
	s.row = append(s.row, '"')
	for i := range len(v) {
		if v[i] == '"' {
			s.row = append(s.row, '"')
		}
		s.row = append(s.row, v[i])
	}
	s.row = append(s.row, '"', ',')
}

func (s *csvSheet) amount(n int64)          { s.row = append(exact.AppendScaled(s.row, n, 6), ',') }
func (s *csvSheet) count(n int64)           { s.row = append(strconv.AppendInt(s.row, n, 10), ',') }
func (s *csvSheet) flag(v bool)             { s.row = append(strconv.AppendBool(s.row, v), ',') }
func (s *csvSheet) day(d exact.Date)        { s.row = append(append(s.row, d.String()...), ',') }
func (s *csvSheet) instant(i exact.Instant) { s.row = append(append(s.row, i.String()...), ',') }

func (s *csvSheet) endRow() error {
	s.row[len(s.row)-1] = '\n' // in the place of the last comma
	_, err := s.out.Write(s.row)
	s.row = s.row[:0]
	return err
}

func (s *csvSheet) end() error { return nil }

// objectSheet writes an object a line, each with every key, in their order. Amounts are strings, since many a reader makes a binary fraction of a number.
type objectSheet struct {
	out  io.Writer
	keys []string // with all that stands before the value
	at   int
	row  []byte
}

func newObjectSheet(names []string, out io.Writer) *objectSheet {
	s := &objectSheet{out: out}
	for i, name := range names {
		before := byte(',')
		if i == 0 {
			before = '{'
		}
		s.keys = append(s.keys, string(append(appendJSON([]byte{before}, name), ':')))
	}
	return s
}

func (s *objectSheet) key() {
	s.row = append(s.row, s.keys[s.at]...)
	s.at++
}

func (s *objectSheet) none() {
	s.key()
	s.row = append(s.row, "null"...)
}

func (s *objectSheet) text(v string) {
	s.key()
	s.row = appendJSON(s.row, v)
}

func (s *objectSheet) amount(n int64) {
	s.key()
	s.row = append(exact.AppendScaled(append(s.row, '"'), n, 6), '"')
}

func (s *objectSheet) count(n int64) {
	s.key()
	s.row = strconv.AppendInt(s.row, n, 10)
}

func (s *objectSheet) flag(v bool) {
	s.key()
	s.row = strconv.AppendBool(s.row, v)
}

func (s *objectSheet) day(d exact.Date)        { s.text(d.String()) }
func (s *objectSheet) instant(i exact.Instant) { s.text(i.String()) }

func (s *objectSheet) endRow() error {
	_, err := s.out.Write(append(s.row, '}', '\n'))
	s.row, s.at = s.row[:0], 0
	return err
}

func (s *objectSheet) end() error { return nil }

// appendJSON writes a text as JSON.
func appendJSON(b []byte, v string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for _, r := range v {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, '\\', 'n')
		case r < ' ' || r == 0x7f:
			b = append(b, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}

const (
	// parquetGroup is how many rows a row group of a Parquet file has: it is held in memory until it is whole.
	parquetGroup = 50_000
	// parquetRows is how many rows go into the columns at once.
	parquetRows = 256
	// amountBytes holds any amount of the ledger, of 19 digits, in two's complement.
	amountBytes  = 9
	amountDigits = 19
)

// parquetSheet writes a Parquet file: amounts as decimals of six places, days and instants as such.
type parquetSheet struct {
	w     *parquet.GenericWriter[any]
	kinds []cellKind
	rows  []parquet.Row
	n     int    // of the rows that are begun
	bytes []byte // of their texts
}

// inOrder is a group of columns in the order of a file, rather than of their names.
type inOrder struct {
	parquet.Group
	fields []parquet.Field
}

// Fields gives the columns.
func (g inOrder) Fields() []parquet.Field { return g.fields }

func newParquetSheet(names []string, kinds []cellKind, out io.Writer) *parquetSheet {
	group := inOrder{Group: parquet.Group{}}
	for i, name := range names {
		group.Group[name] = parquet.Optional(parquetNode(kinds[i]))
	}
	group.fields = group.Group.Fields()
	slices.SortFunc(group.fields, func(a, b parquet.Field) int { return slices.Index(names, a.Name()) - slices.Index(names, b.Name()) })
	s := &parquetSheet{kinds: kinds, rows: make([]parquet.Row, parquetRows)}
	s.w = parquet.NewGenericWriter[any](out, parquet.NewSchema("carbongraph", group), parquet.Compression(&zstd.Codec{Level: zstd.SpeedFastest, Concurrency: 1}),
		parquet.CreatedBy("carbongraph", "1", ""), parquet.PageBufferSize(64<<10), parquet.MaxRowsPerRowGroup(parquetGroup))
	return s
}

func parquetNode(k cellKind) parquet.Node {
	switch k {
	case amountCell:
		return parquet.Decimal(6, amountDigits, parquet.FixedLenByteArrayType(amountBytes))
	case countCell:
		return parquet.Int(32)
	case flagCell:
		return parquet.Leaf(parquet.BooleanType)
	case dayCell:
		return parquet.Date()
	case instantCell:
		return parquet.Timestamp(parquet.Microsecond)
	}
	return parquet.String()
}

func (s *parquetSheet) put(v parquet.Value, there int) {
	row := &s.rows[s.n]
	*row = append(*row, v.Level(0, there, len(*row)))
}

// kept is a copy of bytes that stays as it is until the rows are written.
func (s *parquetSheet) kept(v []byte) []byte {
	at := len(s.bytes)
	s.bytes = append(s.bytes, v...) // what stood elsewhere before it grew stays there for those who have it
	return s.bytes[at:len(s.bytes):len(s.bytes)]
}

func (s *parquetSheet) none()         { s.put(parquet.NullValue(), 0) }
func (s *parquetSheet) text(v string) { s.put(parquet.ByteArrayValue(s.kept([]byte(v))), 1) }

func (s *parquetSheet) amount(n int64) {
	var b [amountBytes]byte
	if n < 0 {
		b[0] = 0xff
	}
	binary.BigEndian.PutUint64(b[1:], uint64(n))
	s.put(parquet.FixedLenByteArrayValue(s.kept(b[:])), 1)
}

func (s *parquetSheet) count(n int64) { s.put(parquet.Int32Value(int32(n)), 1) }
func (s *parquetSheet) flag(v bool)   { s.put(parquet.BooleanValue(v), 1) }
func (s *parquetSheet) day(d exact.Date) {
	s.put(parquet.Int32Value(int32(d.Time().Unix()/int64(24*time.Hour/time.Second))), 1)
}
func (s *parquetSheet) instant(i exact.Instant) { s.put(parquet.Int64Value(i.Time().UnixMicro()), 1) }

func (s *parquetSheet) endRow() error {
	s.n++
	if s.n < len(s.rows) {
		return nil
	}
	return s.flush()
}

func (s *parquetSheet) flush() error {
	_, err := s.w.WriteRows(s.rows[:s.n])
	for i := range s.rows[:s.n] {
		s.rows[i] = s.rows[i][:0]
	}
	s.n, s.bytes = 0, s.bytes[:0]
	return err
}

func (s *parquetSheet) end() error {
	if err := s.flush(); err != nil {
		return err
	}
	return s.w.Close()
}
