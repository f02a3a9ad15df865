package batch

import (
	"encoding/csv"
	"io"
	"strconv"

	"carbongraph/internal/fault"
	"carbongraph/internal/ingest"
)

// failures writes the records that failed as they came, with their line and the reason: to be corrected and sent again.
type failures struct {
	csv    *csv.Writer
	out    io.Writer
	marked bool // begins with a mark
	width  int
	begun  bool
	names  []string
}

// layout is what the records of a file have in common, as far as it matters to those that come back.
type layout struct {
	Header    []string `json:"header,omitempty"`
	Delimiter string   `json:"delimiter,omitempty"`
	Marked    bool     `json:"marked,omitempty"` // the file is not in UTF-8
}

func layoutOf(rows *ingest.Reader) layout {
	return layout{Header: rows.Header(), Delimiter: string(rows.Delimiter()), Marked: rows.Encoding() != "" && rows.Encoding() != ingest.UTF8}
}

// newFailures writes CSV in the file's own columns and, where it is CSV too, its delimiter. It is written in UTF-8, with a mark where the file is not: what
// the columns file says of the file's encoding does not hold for it. A file that is itself one of failures gets no second pair of columns.
func newFailures(w io.Writer, l layout) *failures {
	if w == nil {
		return nil
	}
	header := l.Header
	f := &failures{csv: csv.NewWriter(w), out: w, names: header, width: len(header), marked: l.Marked}
	for _, comma := range l.Delimiter {
		f.csv.Comma = comma
	}
	if ingest.Returned(header) {
		f.names, f.width = header[:len(header)-2], len(header)-2
	}
	return f
}

// write adds a line that failed. What a record has beyond the header's columns goes behind the reason.
func (f *failures) write(l *line) error {
	if f == nil {
		return nil
	}
	if !f.begun {
		f.begun = true
		if err := f.begin(); err != nil {
			return failuresFault(err)
		}
	}
	record := make([]string, f.width, f.width+2)
	n := copy(record, l.record)
	record = append(record, strconv.Itoa(l.row), l.failure.Message)
	if len(f.names) == f.width && n < len(l.record) && len(l.record) != f.width+2 {
		record = append(record, l.record[n:]...)
	}
	return failuresFault(f.csv.Write(escaped(record)))
}

func (f *failures) begin() error {
	if f.marked {
		if _, err := io.WriteString(f.out, "\ufeff"); err != nil {
			return err
		}
	}
	return f.csv.Write(escaped(append(append([]string{}, f.names...), "line", "reason")))
}

// escaped makes sure that a spreadsheet runs nothing of what a ledger holds. Reading takes the escapes away.
func escaped(record []string) []string {
	for i, text := range record {
		record[i] = ingest.EscapeFormula(text)
	}
	return record
}

func (f *failures) flush() error {
	if f == nil {
		return nil
	}
	f.csv.Flush()
	return failuresFault(f.csv.Error())
}

func failuresFault(err error) error {
	if err == nil {
		return nil
	}
	return fault.Wrap(err, fault.Internal, "The failures file cannot be written; free some space or name another place.")
}
