package ingest

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"

	"carbongraph/internal/fault"
)

// parquetBatch is how many records are taken from the columns at once.
const parquetBatch = 128

// parquetFile reads a Parquet file, one row group after the other and a page of each column at a time.
type parquetFile struct {
	*input
	pages   *pageCheck
	groups  []parquet.RowGroup
	header  []string
	texts   []toText
	numbers []bool
	rows    parquet.Rows // of the group that is read; nil: none
	batch   []parquet.Row
	n, next int // of the batch: read, given
	group   int
	record  []string
	line    int
}

func openParquet(s *input) (*parquetFile, error) {
	at, size, err := s.random()
	if err != nil {
		return nil, err
	}
	p := &parquetFile{input: s, batch: make([]parquet.Row, parquetBatch)}
	err = p.contain(func() error {
		f, err := parquet.OpenFile(at, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(64<<10))
		if err != nil {
			return err
		}
		p.groups = f.RowGroups()
		p.pages = &pageCheck{name: s.name, at: at, size: size, meta: f.Metadata()}
		return p.readSchema(f.Root(), nil)
	})
	if err != nil {
		return nil, err
	}
	p.record = make([]string, len(p.header))
	s.close = append(s.close, p.closeGroup)
	return p, nil
}

// readSchema names the columns; those in a group by names with dots.
func (p *parquetFile) readSchema(c *parquet.Column, path []string) error {
	for _, child := range c.Columns() {
		name := append(path[:len(path):len(path)], child.Name())
		spelled := flatName(strings.Join(name, "."))
		if child.Repeated() || child.MaxRepetitionLevel() > 0 {
			return fault.New(fault.BadUserInput, "%s: the column %.60q holds lists; write the file without it, or with one value a row.", p.name, spelled)
		}
		if !child.Leaf() {
			if err := p.readSchema(child, name); err != nil {
				return err
			}
			continue
		}
		text, number := textOf(child.Type())
		if text == nil {
			return fault.New(fault.BadUserInput, "%s: the column %.60q is of the type %s, which is not read; write it as text, number or date, or leave it out.", p.name, spelled, child.Type())
		}
		if len(p.header) == maxKeys {
			return fault.New(fault.BadUserInput, "%s has more than %d columns; leave out those that say nothing of an activity.", p.name, maxKeys)
		}
		p.header, p.texts, p.numbers = append(p.header, strings.TrimSpace(spelled)), append(p.texts, text), append(p.numbers, number)
	}
	return nil
}

// contain makes faults of the errors of a file that is damaged, and of the panics that the library answers some of them with.
func (p *parquetFile) contain(read func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = p.damaged(fmt.Errorf("parquet: %v", r))
		}
	}()
	err = read()
	if f := (*fault.Fault)(nil); err == nil || errors.As(err, &f) || err == io.EOF {
		return err
	}
	return p.damaged(err)
}

func (p *parquetFile) damaged(err error) error {
	if p.raw.failed.Load() {
		return p.fault(err, p.line)
	}
	return fault.Wrap(err, fault.BadUserInput, "%s is not a Parquet file that can be read past record %d: it is damaged or cut off. Fetch it again and repeat the import: rows that are in already stay as they are.",
		p.name, p.line)
}

func (p *parquetFile) Header() []string { return p.header }

func (p *parquetFile) IsNumber(column int) bool { return p.numbers[column] }

// Next gives the next record and its number, counted from one.
func (p *parquetFile) Next() ([]string, int, error) {
	for {
		if p.next == p.n {
			if err := p.contain(p.readBatch); err != nil {
				return nil, p.line, err
			}
		}
		row := p.batch[p.next]
		p.next++
		p.line++
		if err := p.read(row); err != nil {
			return p.record, p.line, err
		}
		if !blank(p.record) {
			return p.record, p.line, nil
		}
	}
}

// readBatch takes the next records; io.EOF after the last group.
func (p *parquetFile) readBatch() error {
	for {
		if p.rows == nil {
			if p.group == len(p.groups) {
				return io.EOF
			}
			if err := p.pages.check(p.group); err != nil {
				return err
			}
			p.rows = p.groups[p.group].Rows()
			runtime.SetFinalizer(p.rows, nil) // it is closed here; a panic of the library's own would end the process
			p.group++
		}
		n, err := p.rows.ReadRows(p.batch)
		p.n, p.next = n, 0
		if err != nil && !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return err
		}
		if n > 0 {
			return nil
		}
		if err := p.closeGroup(); err != nil {
			return err
		}
	}
}

func (p *parquetFile) closeGroup() error {
	rows := p.rows
	p.rows = nil
	if rows == nil {
		return nil
	}
	return p.contain(rows.Close)
}

// read makes texts of the values of a row.
func (p *parquetFile) read(row parquet.Row) (err error) {
	clear(p.record)
	if len(row) != len(p.header) {
		return p.damaged(fmt.Errorf("parquet: a row of %d values under %d columns", len(row), len(p.header)))
	}
	defer func() {
		if r := recover(); r != nil {
			err = p.damaged(fmt.Errorf("parquet: %v", r))
		}
	}()
	for i, v := range row {
		if v.IsNull() {
			continue
		}
		text := p.texts[i](v)
		if !utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0 || len(text) > maxRecord {
			err = &Malformed{p.line, fmt.Sprintf("%q is not text in UTF-8, or longer than %d bytes", p.header[i], maxRecord)}
			text = strings.ToValidUTF8(text[:min(len(text), 200)], "\ufffd")
		}
		p.record[i] = text
	}
	return err
}
