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

	"carbongraph/internal/fault"
)

// maxRecord bounds one record: past it, a quotation mark was opened and never closed, and reading on would swallow the file.
const maxRecord = 1 << 20

// records is a file of any format, record by record as it stands in it.
type records interface {
	// Header gives the names of the columns, without space around them.
	Header() []string
	// Next gives the next record and where it begins; io.EOF after the last. A *Malformed error concerns one record, which comes with it as far as it could
	// be read; any other error is a fault of the file, after which there is nothing more to read. Records whose fields are all blank are passed over.
	// The slice is good until the next call, the strings for ever.
	Next() ([]string, int, error)
	// IsNumber tells whether a field of the record that came last is a number by its type, so that a point in it is a decimal point.
	IsNumber(column int) bool
}

// Malformed is a record that cannot be read as its format has it. The file is read on after it.
type Malformed struct {
	Line    int
	Message string
}

// Error says where and what.
func (m *Malformed) Error() string { return fmt.Sprintf("line %d: %s", m.Line, m.Message) }

// Table reads a CSV file record by record under its header. It is to be closed.
type Table struct {
	*input
	encoding Encoding
	limit    *limiter
	csv      *csv.Reader
	header   []string
	line     int
}

// OpenTable opens a CSV file, packed or not, in any encoding that can be found, and reads its header.
// What is not a CSV file is a BAD_USER_INPUT fault that says what it seems to be. The name stands in faults.
func OpenTable(r io.Reader, name string) (*Table, error) {
	s, err := openInput(r, name, Limits{})
	if err != nil {
		return nil, err
	}
	t, err := s.table()
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return t, nil
}

func (s *input) table() (*Table, error) {
	format, in, e, err := s.format(fileSection{})
	if err != nil {
		return nil, err
	}
	if format != CSV {
		return nil, fault.New(fault.BadUserInput, "%s is %s, not CSV; export it as CSV.", s.name, format.told())
	}
	return openCSV(s, in, e, 0)
}

// openCSV reads the header. A delimiter of zero is found.
func openCSV(s *input, in *bufio.Reader, e Encoding, delimiter rune) (*Table, error) {
	t := &Table{input: s, encoding: e}
	if delimiter == 0 {
		_, _ = in.Peek(1) // fills the buffer; an error comes again when the header is read
		line, _ := in.Peek(min(in.Buffered(), sampleSize))
		line, _, _ = bytes.Cut(line, []byte("\n"))
		delimiter = likelyDelimiter(line)
	}
	t.limit = &limiter{r: in, left: maxRecord}
	t.csv = csv.NewReader(bufio.NewReaderSize(t.limit, 64<<10))
	t.csv.Comma = delimiter
	t.csv.ReuseRecord = true
	t.csv.FieldsPerRecord = -1
	return t, t.readHeader()
}

func (t *Table) readHeader() error {
	record, err := t.csv.Read()
	if err != nil {
		if syntax := (*csv.ParseError)(nil); errors.As(err, &syntax) {
			return fault.New(fault.BadUserInput, "%s is not a CSV file: its header cannot be read (%v).", t.name, syntax.Err)
		}
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return t.empty()
		}
		return t.readFault(err)
	}
	t.unescape(record)
	for _, h := range record {
		if !utf8.ValidString(h) {
			return fault.New(fault.BadUserInput, "%s: the header is not %s; %s.", t.name, t.encoding, declareEncoding)
		}
		t.header = append(t.header, strings.TrimSpace(h))
	}
	t.line = 1
	return nil
}

// likelyDelimiter is the candidate that cuts the header into most fields; a comma where nothing cuts it.
func likelyDelimiter(header []byte) rune {
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

// IsNumber is false: in CSV all is text.
func (t *Table) IsNumber(int) bool { return false }

// Next gives the next record and the line where it begins; io.EOF after the last. A *Malformed error concerns one record, which comes with it as far
// as it could be read; any other error is a fault of the file, after which there is nothing more to read. Records whose fields are all blank are passed
// over, as empty lines are. The slice is good until the next call, the strings for ever.
func (t *Table) Next() ([]string, int, error) {
	for {
		t.limit.left = maxRecord
		record, err := t.csv.Read()
		t.unescape(record)
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

// unescape takes away what EscapeFormula put before a field.
func (t *Table) unescape(record []string) {
	for i, f := range record {
		if f != "" && f[0] == '\'' {
			record[i] = unescapeFormula(f)
		}
	}
}

func (t *Table) check(record []string) error {
	if len(record) != len(t.header) {
		return &Malformed{t.line, fmt.Sprintf("The record has %d fields, the header %d", len(record), len(t.header))}
	}
	for i, f := range record {
		if !utf8.ValidString(f) {
			return &Malformed{t.line, fmt.Sprintf("%q is not text in %s; %s", t.header[i], t.encoding, declareEncoding)}
		}
		if strings.IndexByte(f, 0) >= 0 {
			return &Malformed{t.line, fmt.Sprintf("%q has a zero byte, which no text has", t.header[i])}
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

func (t *Table) readFault(err error) error {
	if errors.Is(err, errTooLong) {
		return fault.New(fault.BadUserInput, "%s: the record after line %d does not end within %d bytes; a quotation mark is opened there and never closed.", t.name, t.line, maxRecord)
	}
	return t.fault(err, t.line)
}
