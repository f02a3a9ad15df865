// Package ingest turns files into rows: CSV, plain or gzip, whose columns a columns file names, record by record and in little memory.
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

// Row is one record as typed values. Empty texts and zero numbers with a false flag mean that the file gives nothing.
// Whether the values make sense for a ledger is judged by who imports them.
type Row struct {
	Line               int
	ExternalID         string
	SupplierExternalID string
	SupplierName       string
	Category           int32 // 0: none
	Description        string
	AccountCode        string
	OccurredOn         exact.Date
	DateAssumed        bool // the record has no date: it is the fallback of the columns file
	Quantity           exact.Micros
	HasQuantity        bool
	Unit               string
	Amount             exact.Micros
	HasAmount          bool
	Currency           string
	Country            string
	FactorSource       string
	FactorCode         string
	ConversionProperty string
	UncertaintyPercent exact.Micros
	HasUncertainty     bool
	Record             []string // as it stands in the file
}

// RowError is a record that makes no row. The file is read on after it.
type RowError struct {
	Line    int
	Field   string // the field of the activity, where one is at fault
	Code    fault.Code
	Message string
	Record  []string
}

// Error says where and what.
func (e *RowError) Error() string { return fmt.Sprintf("line %d: %s: %s", e.Line, e.Code, e.Message) }

// Reader reads the rows of one file.
type Reader struct {
	table   *Table
	fields  [targetCount]field
	ignored []string
	named   exact.Date // the date that the file's name tells
	hasName bool
}

// Open opens a file of activities. The columns say what its header means; nil: the header names the fields of an activity itself.
// A file that is not CSV, and a header without a column that is needed, are faults. The name stands in faults, and may tell a date.
func Open(r io.Reader, name string, c *Columns) (*Reader, error) {
	table, err := OpenTable(r, name)
	if err != nil {
		return nil, err
	}
	plain := c == nil
	if plain {
		c = headerColumns()
	}
	reader := &Reader{table: table}
	reader.named, reader.hasName = dateOfName(name)
	if err := reader.bind(c); err != nil {
		return nil, err
	}
	if plain {
		return reader, reader.checkHeader()
	}
	return reader, nil
}

// Header gives the file's own column names.
func (r *Reader) Header() []string { return r.table.Header() }

// Delimiter gives what stands between the file's fields.
func (r *Reader) Delimiter() rune { return r.table.Delimiter() }

// Ignored names the columns that nothing is taken from.
func (r *Reader) Ignored() []string { return r.ignored }

// BytesRead tells how much of the file, as it is stored, has been read. It may be called while another goroutine reads.
func (r *Reader) BytesRead() int64 { return r.table.BytesRead() }

// bind finds the columns in the header.
func (r *Reader) bind(c *Columns) error {
	places := map[string][]int{}
	for i, h := range r.Header() {
		places[fold(h)] = append(places[fold(h)], i)
	}
	used := map[int]bool{}
	find := func(spellings ...string) (int, error) {
		for _, s := range spellings {
			switch at := places[fold(s)]; len(at) {
			case 0:
			case 1:
				used[at[0]] = true
				return at[0], nil
			default:
				return -1, fault.New(fault.BadUserInput, "%s: the header has %d columns %q; rename all but one.", r.table.name, len(at), s)
			}
		}
		return -1, nil
	}
	for i, s := range c.sources {
		f, err := r.bindField(Targets()[i], s, find)
		if err != nil {
			return err
		}
		r.fields[i] = f
	}
	for i, h := range r.Header() {
		if !used[i] {
			r.ignored = append(r.ignored, h)
		}
	}
	return nil
}

func (r *Reader) bindField(name string, s *source, find func(...string) (int, error)) (field, error) {
	f := field{source: s, column: -1, name: name}
	if s == nil {
		return f, nil
	}
	var err error
	missing := s.from
	if f.column, err = find(s.from...); err != nil {
		return f, err
	}
	for _, p := range s.template {
		column := -1
		if p.column != "" {
			if column, err = find(p.column); err != nil {
				return f, err
			}
			if column < 0 {
				missing = append(missing, p.column)
			}
		}
		f.columns = append(f.columns, column)
	}
	if f.column < 0 && len(missing) > 0 && !s.optional {
		return f, fault.New(fault.BadUserInput, "%s has no column for %s: its header has no %s. It has %s. Add the spelling to the columns file%s.",
			r.table.name, name, quoted(missing, " or "), quoted(r.Header(), ", "), ", or say \"optional: true\" there")
	}
	if len(s.template) > 0 && len(missing) > 0 {
		f.source = nil // an optional template with a column that is not there gives nothing
	}
	return f, nil
}

// checkHeader makes sure that a header without a columns file gives what every activity needs.
func (r *Reader) checkHeader() error {
	has := func(target int) bool { return r.fields[target].column >= 0 }
	if !(has(amount) && has(currency)) && !(has(quantity) && has(unit)) {
		return fault.New(fault.BadUserInput, "%s: the header has neither amount and currency nor quantity and unit. It has %s. Name the columns as the activity's fields, or give a columns file.",
			r.table.name, quoted(r.Header(), ", "))
	}
	return nil
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

// Next gives the next row; io.EOF after the last. A *RowError concerns one record, and reading goes on; any other error ends the file.
func (r *Reader) Next() (*Row, error) {
	record, line, err := r.table.Next()
	if bad := (*Malformed)(nil); errors.As(err, &bad) {
		return nil, &RowError{Line: line, Code: fault.BadUserInput, Message: bad.Message + ".", Record: slices.Clone(record)}
	}
	if err != nil {
		return nil, err
	}
	row := &Row{Line: line, Record: slices.Clone(record)}
	if name, err := r.fill(row); err != nil {
		f := fault.Of(err)
		return nil, &RowError{Line: line, Field: name, Code: f.Code, Message: f.Message, Record: row.Record}
	}
	return row, nil
}

// fill reads every field; it gives the name of the one that failed.
func (r *Reader) fill(row *Row) (string, error) {
	texts := [...]struct {
		target int
		into   *string
	}{
		{externalID, &row.ExternalID}, {supplierExternalID, &row.SupplierExternalID}, {supplierName, &row.SupplierName},
		{description, &row.Description}, {accountCode, &row.AccountCode}, {unit, &row.Unit}, {currency, &row.Currency},
		{country, &row.Country}, {factorSource, &row.FactorSource}, {factorCode, &row.FactorCode},
		{conversionProperty, &row.ConversionProperty},
	}
	for _, t := range texts {
		text, err := r.fields[t.target].text(row.Record)
		if err != nil {
			return r.fields[t.target].name, err
		}
		*t.into = text
	}
	if err := r.fillCategory(row); err != nil {
		return r.fields[category].name, err
	}
	if err := r.fillDate(row); err != nil {
		return r.fields[occurredOn].name, err
	}
	var err error
	if row.Quantity, row.HasQuantity, err = r.fields[quantity].number(row.Record); err != nil {
		return r.fields[quantity].name, err
	}
	if row.Amount, row.HasAmount, err = r.fields[amount].number(row.Record); err != nil {
		return r.fields[amount].name, err
	}
	if row.UncertaintyPercent, row.HasUncertainty, err = r.fields[uncertaintyPercent].number(row.Record); err != nil {
		return r.fields[uncertaintyPercent].name, err
	}
	return "", nil
}

func (r *Reader) fillCategory(row *Row) error {
	text, err := r.fields[category].text(row.Record)
	if err == nil && text != "" {
		row.Category, err = parseCategory(text)
	}
	return err
}

// fillDate reads the day. A record without one takes the columns file's fallback, and says that it did.
func (r *Reader) fillDate(row *Row) error {
	f := r.fields[occurredOn]
	text, given := f.given(row.Record)
	var err error
	switch {
	case given:
		row.OccurredOn, err = parseDate(text, f.formats)
	case f.source == nil || f.otherwise == "":
		return fault.New(fault.BadUserInput, "The record has no date.")
	case f.otherwise != fromFileName:
		row.OccurredOn, err = exact.ParseDate(f.otherwise)
		row.DateAssumed = true
	case !r.hasName:
		return fault.New(fault.BadUserInput, "The record has no date, and the name of %s tells none; name it like ledger-2014-q2.csv or ledger-2014-05.csv.", r.table.name)
	default:
		row.OccurredOn, row.DateAssumed = r.named, true
	}
	return err
}
