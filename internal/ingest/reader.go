package ingest

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

// Options say how a file is read.
type Options struct {
	Columns *Columns // what its header means; nil: it names the fields of an activity itself
	Limits  Limits
}

// Reader reads the rows of one file. It is to be closed.
type Reader struct {
	*input
	records  records
	format   Format
	encoding Encoding
	comma    rune
	fields   [targetCount]field
	ignored  []string
	commas   []int      // targets that are numbers, of columns where texts have a decimal comma
	plain    bool       // the file is written as this room writes: a point in a number is a decimal point
	named    exact.Date // the date that the file's name tells
	hasName  bool
}

// Open opens a file of activities of any format, packed or not. A file that is none of them, and a header without a column that is needed, are faults.
// The name stands in faults, and may tell a date. The reader that is given stays open.
func Open(r io.Reader, name string, o Options) (*Reader, error) {
	s, err := openInput(r, name, o.Limits)
	if err != nil {
		return nil, err
	}
	reader, err := s.reader(o.Columns)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return reader, nil
}

func (s *input) reader(c *Columns) (*Reader, error) {
	r := &Reader{input: s, plain: c == nil}
	if c == nil {
		c = headerColumns()
	}
	if err := r.open(c); err != nil {
		return nil, err
	}
	r.named, r.hasName = dateOfName(s.name)
	if err := r.bind(c); err != nil {
		return nil, err
	}
	if r.plain {
		return r, r.checkHeader()
	}
	return r, nil
}

// open finds the format and reads the header.
func (r *Reader) open(c *Columns) error {
	format, in, e, err := r.input.format(c.file)
	if err != nil {
		return err
	}
	r.format, r.encoding, r.comma = format, e, ','
	if c.file.delimiter != 0 {
		r.comma = c.file.delimiter
	}
	switch format {
	case CSV:
		var t *Table
		if t, err = openCSV(r.input, in, e, c.file.delimiter); err == nil {
			r.records, r.comma = t, t.Delimiter()
		}
	case NDJSON:
		r.records, err = openNDJSON(r.input, in, e, c.names())
	case PARQUET:
		r.records, err = openParquet(r.input)
	case XLSX:
		r.records, err = openXLSX(r.input, c.file.sheet)
	}
	if err != nil {
		return err
	}
	if d := c.file.format; d != "" && d != format && !Returned(r.Header()) {
		return fault.New(fault.BadUserInput, "%s is %s, but the columns file says that it is %s; mend the one or the other.", r.name, format.told(), d.told())
	}
	return nil
}

// Returned tells by its header whether a file is one of rows that failed, which come back as CSV whatever the ledger was.
func Returned(header []string) bool {
	n := len(header)
	return n > 2 && header[n-2] == "line" && header[n-1] == "reason"
}

// Header gives the file's own column names.
func (r *Reader) Header() []string { return r.records.Header() }

// Format tells in which form the file came.
func (r *Reader) Format() Format { return r.format }

// Encoding tells how its text is written; empty where the format leaves no choice.
func (r *Reader) Encoding() Encoding { return r.encoding }

// Delimiter gives what stands between the file's fields, and between those of its rows that failed: a comma where the file is no CSV.
func (r *Reader) Delimiter() rune { return r.comma }

// Ignored names the columns that nothing is taken from. After the last row it names those too that a file of objects had only later.
func (r *Reader) Ignored() []string {
	if o, ok := r.records.(*objects); ok {
		return append(r.ignored[:len(r.ignored):len(r.ignored)], o.later...)
	}
	return r.ignored
}

// Next gives the next row; io.EOF after the last. A *RowError concerns one record, and reading goes on; any other error ends the file.
func (r *Reader) Next() (*Row, error) {
	record, line, err := r.records.Next()
	if bad := (*Malformed)(nil); errors.As(err, &bad) {
		return nil, &RowError{Line: line, Code: fault.BadUserInput, Message: bad.Message + ".", Record: slices.Clone(record)}
	}
	if err != nil {
		return nil, err
	}
	row := &Row{Line: line, Record: slices.Clone(record)}
	r.respell(row.Record)
	if name, err := r.fill(row); err != nil {
		f := fault.Of(err)
		return nil, &RowError{Line: line, ExternalID: row.ExternalID, Field: name, Code: f.Code, Message: f.Message, Record: row.Record}
	}
	return row, nil
}

// respell writes what is a number by its type in the notation that the columns file declares for texts: so that a row that failed, which comes back as
// text, is read by the same notation.
func (r *Reader) respell(record []string) {
	for _, target := range r.commas {
		f := &r.fields[target]
		if r.records.IsNumber(f.column) {
			record[f.column] = strings.Replace(record[f.column], ".", string(f.notation.point), 1)
		}
	}
}

// told names a format in a sentence.
func (f Format) told() string {
	return map[Format]string{CSV: "CSV", NDJSON: "JSON, an object a line", PARQUET: "a Parquet file", XLSX: "a zip archive or a workbook"}[f]
}

// quoted lists texts for a message: few of them, and cut, since they come from a file.
func quoted(texts []string, sep string) string {
	var out []string
	for i, t := range texts {
		if i == 20 {
			out = append(out, "…")
			break
		}
		out = append(out, fmt.Sprintf("%.40q", t))
	}
	return strings.Join(out, sep)
}
