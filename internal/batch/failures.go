package batch

import (
	"encoding/csv"
	"io"
	"strconv"

	"carbongraph/internal/fault"
)

// failures writes the records that failed as they came, with their line and the reason: to be corrected and sent again.
type failures struct {
	csv   *csv.Writer
	width int
	begun bool
	names []string
}

// newFailures writes in the file's own columns and delimiter. A file that is itself one of failures gets no second pair of columns.
func newFailures(w io.Writer, header []string, delimiter rune) *failures {
	if w == nil {
		return nil
	}
	f := &failures{csv: csv.NewWriter(w), names: header, width: len(header)}
	f.csv.Comma = delimiter
	if n := len(header); n > 2 && header[n-2] == "line" && header[n-1] == "reason" {
		f.names, f.width = header[:n-2], n-2
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
		if err := f.csv.Write(append(append([]string{}, f.names...), "line", "reason")); err != nil {
			return failuresFault(err)
		}
	}
	record := make([]string, f.width, f.width+2)
	n := copy(record, l.record)
	record = append(record, strconv.Itoa(l.row), l.failure.Message)
	if len(f.names) == f.width && n < len(l.record) && len(l.record) != f.width+2 {
		record = append(record, l.record[n:]...)
	}
	return failuresFault(f.csv.Write(record))
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
