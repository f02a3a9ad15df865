package factors

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/internal/ingest"
)

// table is one file of a dataset, read record by record. Here, unlike in a ledger, one bad record is a fault of the whole file:
// a dataset is stored whole or not at all.
type table struct {
	name  string
	in    *ingest.Table
	file  io.Closer
	cells []string
	line  int
	sum   hash.Hash // over header and records as they are read: neither compression nor line ends nor quotation marks count
}

func (f file) table() (*table, error) {
	r, err := f.open()
	if err != nil {
		return nil, err
	}
	in, err := ingest.OpenTable(r, f.name)
	if err != nil {
		r.Close() // nothing was written
		return nil, err
	}
	t := &table{name: f.name, in: in, file: r, line: 1, sum: sha256.New()}
	t.add(in.Header())
	return t, nil
}

// close closes what was only read.
func (t *table) close() {
	t.in.Close()
	t.file.Close()
}

// next reads the next record; false after the last.
func (t *table) next() (bool, error) {
	cells, line, err := t.in.Next()
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	t.line = line
	if malformed := (*ingest.Malformed)(nil); errors.As(err, &malformed) {
		return false, fault.New(fault.BadUserInput, "%s, line %d: %s. Nothing was imported; fetch the file again, or correct the line.", t.name, malformed.Line, malformed.Message)
	}
	if err != nil {
		return false, err
	}
	t.cells = cells
	t.add(cells)
	return true, nil
}

// each visits every record.
func (t *table) each(visit func() error) error {
	for {
		more, err := t.next()
		if err != nil || !more {
			return err
		}
		if err := visit(); err != nil {
			return err
		}
	}
}

func (t *table) add(cells []string) {
	var buf []byte
	buf = binary.AppendUvarint(buf, uint64(len(cells)))
	for _, c := range cells {
		buf = binary.AppendUvarint(buf, uint64(len(c)))
		buf = append(buf, c...)
	}
	t.sum.Write(buf)
}

// digestOf is the SHA-256 of the tables' content, whatever their order and the names of their files.
func digestOf(tables ...*table) string {
	var sums [][]byte
	for _, t := range tables {
		sums = append(sums, t.sum.Sum(nil))
	}
	slices.SortFunc(sums, slices.Compare)
	all := sha256.Sum256(slices.Concat(sums...))
	return hex.EncodeToString(all[:])
}

// find gives the place of the first of the names that the header has, or −1.
func (t *table) find(names ...string) int {
	for _, name := range names {
		if i := slices.Index(t.in.Header(), name); i >= 0 {
			return i
		}
	}
	return -1
}

// columns gives the places of columns that must be there; alternatives of one are joined by "|".
func (t *table) columns(names ...string) ([]int, error) {
	out := make([]int, len(names))
	for i, name := range names {
		if out[i] = t.find(strings.Split(name, "|")...); out[i] < 0 {
			return nil, fault.New(fault.BadUserInput, "%s has no column %q, so it is not the file that this kind of dataset is made of; its header is %.300q.",
				t.name, strings.ReplaceAll(name, "|", `" or "`), strings.Join(t.in.Header(), ","))
		}
	}
	return out, nil
}

// text gives a cell without space around it; empty where the file lacks the column.
func (t *table) text(column int) string {
	if column < 0 {
		return ""
	}
	return strings.TrimSpace(t.cells[column])
}

// number reads a cell; nil where it is blank.
func (t *table) number(column int) (*exact.Decimal, error) {
	s := t.text(column)
	if s == "" {
		return nil, nil // also where the file lacks the column
	}
	n, err := exact.ParseDecimal(s)
	if err != nil {
		return nil, t.cell(column, "%q is not a number", s)
	}
	return &n, nil
}

// amount reads a cell that must not be negative.
func (t *table) amount(column int) (*exact.Decimal, error) {
	n, err := t.number(column)
	if n != nil && n.Sign() < 0 {
		return nil, t.cell(column, "%q is negative", t.text(column))
	}
	return n, err
}

// required reads a cell that must hold a number.
func (t *table) required(column int) (exact.Decimal, error) {
	n, err := t.number(column)
	if err != nil {
		return exact.Decimal{}, err
	}
	if n == nil {
		return exact.Decimal{}, t.cell(column, "a number is missing")
	}
	return *n, nil
}

// filled gives the text of a cell that must not be blank.
func (t *table) filled(column int) (string, error) {
	s := t.text(column)
	if s == "" {
		return "", t.cell(column, "a text is missing")
	}
	return s, nil
}

func (t *table) cell(column int, format string, args ...any) error {
	return t.bad("column %q: %s", t.in.Header()[column], fmt.Sprintf(format, args...))
}

func (t *table) bad(format string, args ...any) error {
	return fault.New(fault.BadUserInput, "%s, line %d: %.500s. Nothing was imported; correct the line.", t.name, t.line, fmt.Sprintf(format, args...))
}
