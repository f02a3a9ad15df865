package ingest

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"

	"carbongraph/internal/fault"
)

const (
	// sampleSize is how much of a file's beginning decides whether it is text.
	sampleSize = 8 << 10
	// maxRecord bounds one record: past it, a quotation mark was opened and never closed, and reading on would swallow the file.
	maxRecord = 1 << 20
)

// Table reads a CSV file, plain or gzip, record by record under its header.
type Table struct {
	name   string
	raw    *counter
	zipped bool
	limit  *limiter
	csv    *csv.Reader
	header []string
	line   int
}

// Malformed is a record that is no CSV or no UTF-8. The table reads on after it.
type Malformed struct {
	Line    int
	Message string
}

// Error says where and what.
func (m *Malformed) Error() string { return fmt.Sprintf("line %d: %s", m.Line, m.Message) }

// OpenTable looks at the first bytes of a file, unpacks gzip, drops a byte-order mark, finds the delimiter and reads the header.
// What is not a CSV file is a BAD_USER_INPUT fault that says what it seems to be. The name stands in faults.
func OpenTable(r io.Reader, name string) (*Table, error) {
	t := &Table{name: name, raw: &counter{r: r}}
	in := bufio.NewReaderSize(t.raw, 64<<10)
	magic, err := in.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, t.readFault(err)
	}
	if bytes.HasPrefix(magic, []byte{0x1f, 0x8b}) {
		t.zipped = true
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, t.readFault(err)
		}
		in = bufio.NewReaderSize(z, 64<<10)
	}
	if err := t.refuseBinary(in); err != nil {
		return nil, err
	}
	return t, t.readHeader(in)
}

// refuseBinary fails on what is certainly not text in UTF-8, and drops a byte-order mark.
func (t *Table) refuseBinary(in *bufio.Reader) error {
	sample, err := in.Peek(sampleSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return t.readFault(err)
	}
	if len(bytes.TrimSpace(bytes.TrimPrefix(sample, bom))) == 0 {
		return fault.New(fault.BadUserInput, "%s is empty; a CSV file begins with a header.", t.name)
	}
	for _, kind := range kinds {
		if bytes.HasPrefix(sample, []byte(kind.magic)) {
			return fault.New(fault.BadUserInput, "%s is %s, not CSV; %s.", t.name, kind.what, kind.remedy)
		}
	}
	if at := bytes.IndexByte(sample, 0); at >= 0 {
		return fault.New(fault.BadUserInput, "%s is not a CSV file: byte %d is zero, which no text has; export it as CSV in UTF-8.", t.name, at)
	}
	if bad, at := invalid(sample); bad*10 > len(sample) {
		return fault.New(fault.BadUserInput, "%s is not text in UTF-8 (first at byte %d); export it as CSV in UTF-8.", t.name, at)
	}
	if bytes.HasPrefix(sample, bom) {
		in.Discard(len(bom)) // just peeked: cannot fail
	}
	return nil
}

var (
	bom   = []byte("\xef\xbb\xbf")
	kinds = []struct{ magic, what, remedy string }{
		{"PK\x03\x04", "a zip archive or a workbook", "export the sheet as CSV, or unpack the archive"},
		{"PAR1", "a Parquet file", "export it as CSV"},
		{"\x28\xb5\x2f\xfd", "compressed with zstd", "unpack it, or compress it with gzip"},
		{"\x1f\x8b", "compressed twice", "unpack it once"},
		{"\xff\xfe", "text in UTF-16", "save it as UTF-8"},
		{"\xfe\xff", "text in UTF-16", "save it as UTF-8"},
		{"%PDF", "a PDF", "ask for the table as CSV"},
	}
)

// invalid counts the bytes that are no UTF-8 and tells where the first stands. A rune that the sample's end cuts is not held against it.
func invalid(sample []byte) (n, first int) {
	for i := 0; i < len(sample); {
		r, size := utf8.DecodeRune(sample[i:])
		if r == utf8.RuneError && size == 1 && utf8.FullRune(sample[i:]) {
			if n == 0 {
				first = i
			}
			n++
		}
		i += size
	}
	return n, first
}

func (t *Table) readHeader(in *bufio.Reader) error {
	line, err := in.Peek(min(in.Buffered(), sampleSize))
	if err != nil {
		return t.readFault(err)
	}
	line, _, _ = bytes.Cut(line, []byte("\n"))
	t.limit = &limiter{r: in, left: maxRecord}
	t.csv = csv.NewReader(bufio.NewReaderSize(t.limit, 64<<10))
	t.csv.Comma = delimiter(line)
	t.csv.ReuseRecord = true
	t.csv.FieldsPerRecord = -1
	record, err := t.csv.Read()
	if err != nil {
		if syntax := (*csv.ParseError)(nil); errors.As(err, &syntax) {
			return fault.New(fault.BadUserInput, "%s is not a CSV file: its header cannot be read (%v).", t.name, syntax.Err)
		}
		return t.readFault(err)
	}
	for _, h := range record {
		if !utf8.ValidString(h) {
			return fault.New(fault.BadUserInput, "%s: the header is not UTF-8; export the file as CSV in UTF-8.", t.name)
		}
		t.header = append(t.header, strings.TrimSpace(h))
	}
	t.line = 1
	return nil
}

// delimiter is the candidate that cuts the header into most fields; a comma where nothing cuts it.
func delimiter(header []byte) rune {
	best, most := ',', 0
	for _, c := range ",;\t|" {
		n, quoted := 0, false
		for _, b := range header {
			if b == '"' {
				quoted = !quoted
			} else if !quoted && rune(b) == c {
				n++
			}
		}
		if n > most {
			best, most = c, n
		}
	}
	return best
}

// Header gives the names of the columns, without space around them.
func (t *Table) Header() []string { return t.header }

// Delimiter gives what stands between fields.
func (t *Table) Delimiter() rune { return t.csv.Comma }

// BytesRead tells how much of the file, as it is stored, has been read: for progress.
func (t *Table) BytesRead() int64 { return t.raw.n.Load() }

// Next gives the next record and the line where it begins; io.EOF after the last. A *Malformed error concerns one record, which comes with it as far
// as it could be read; any other error is a fault of the file, after which there is nothing more to read. Records whose fields are all blank are passed
// over, as empty lines are. The slice is good until the next call, the strings for ever.
func (t *Table) Next() ([]string, int, error) {
	for {
		t.limit.left = maxRecord
		record, err := t.csv.Read()
		if syntax := (*csv.ParseError)(nil); errors.As(err, &syntax) {
			t.line = syntax.StartLine
			return record, t.line, &Malformed{t.line, "The record is not CSV: " + syntax.Err.Error() + "; check its quotation marks"}
		}
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, t.line, io.EOF
		}
		if err != nil {
			return nil, t.line, t.readFault(err)
		}
		t.line, _ = t.csv.FieldPos(0)
		if blank(record) {
			continue
		}
		return record, t.line, t.check(record)
	}
}

func (t *Table) check(record []string) error {
	if len(record) != len(t.header) {
		return &Malformed{t.line, fmt.Sprintf("The record has %d fields, the header %d", len(record), len(t.header))}
	}
	for i, f := range record {
		if !utf8.ValidString(f) || strings.IndexByte(f, 0) >= 0 {
			return &Malformed{t.line, fmt.Sprintf("%q is not text in UTF-8", t.header[i])}
		}
	}
	return nil
}

func blank(record []string) bool {
	for _, f := range record {
		if strings.TrimSpace(f) != "" {
			return false
		}
	}
	return true
}

// readFault says in the user's words why reading ended.
func (t *Table) readFault(err error) error {
	switch {
	case errors.Is(err, errTooLong):
		return fault.New(fault.BadUserInput, "%s: the record after line %d does not end within %d bytes; a quotation mark is opened there and never closed.", t.name, t.line, maxRecord)
	case t.zipped && (errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)):
		return fault.Wrap(err, fault.BadUserInput, "%s is a gzip file that is cut off after %d bytes (line %d of its content); fetch it again and repeat the import: rows that are in already stay as they are.",
			t.name, t.BytesRead(), t.line)
	case t.zipped:
		return fault.Wrap(err, fault.BadUserInput, "%s is a gzip file that is damaged near byte %d (line %d of its content); fetch it again and repeat the import: rows that are in already stay as they are.",
			t.name, t.BytesRead(), t.line)
	}
	return fault.Wrap(err, fault.Internal, "%s cannot be read past byte %d (line %d).", t.name, t.BytesRead(), t.line)
}
