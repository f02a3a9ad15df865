package ingest

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"

	"carbongraph/internal/fault"
)

// sheetRows reads a sheet of a workbook, a row at a time.
type sheetRows struct {
	*workbook
	part    *part
	header  []string
	record  []string
	numbers []bool
	width   int // of the row: up to its last cell that is not empty
	row     int // of the sheet
	wrong   string
	ended   bool
}

func openXLSX(s *input, sheet string) (*sheetRows, error) {
	w, err := openWorkbook(s)
	if err != nil {
		return nil, err
	}
	return w.openSheet(sheet)
}

// openSheet reads the header of a sheet; without a name, of the first that is shown.
func (w *workbook) openSheet(sheet string) (*sheetRows, error) {
	name, err := w.sheet(sheet)
	if err != nil {
		return nil, err
	}
	r := &sheetRows{workbook: w}
	if r.part, err = w.open(name); err != nil {
		return nil, err
	}
	w.input.close = append(w.input.close, r.part.close)
	found, err := r.nextRow()
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, fault.New(fault.BadUserInput, "%s: the sheet is empty; a ledger begins with a header. Where it stands on another sheet, name that in the columns file: file: { sheet: … }", w.name)
	}
	for _, h := range r.record[:r.width] {
		r.header = append(r.header, strings.TrimSpace(h))
	}
	return r, nil
}

func (r *sheetRows) Header() []string { return r.header }

func (r *sheetRows) IsNumber(column int) bool { return r.numbers[column] }

// Next gives the next row that is not empty and its number in the sheet.
func (r *sheetRows) Next() ([]string, int, error) {
	found, err := r.nextRow()
	switch {
	case err != nil:
		return nil, r.row, err
	case !found:
		return nil, r.row, io.EOF
	}
	r.grow(len(r.header))
	if r.wrong == "" && r.width > len(r.header) {
		r.wrong = fmt.Sprintf("The row has %d cells, the header %d", r.width, len(r.header))
	}
	if r.wrong != "" {
		return r.record[:max(r.width, len(r.header))], r.row, &Malformed{r.row, r.wrong}
	}
	return r.record[:len(r.header)], r.row, nil
}

// grow makes room for so many cells.
func (r *sheetRows) grow(cells int) {
	for len(r.record) < cells {
		r.record, r.numbers = append(r.record, ""), append(r.numbers, false)
	}
}

// nextRow reads the next row that has a cell with something in it; false after the last.
func (r *sheetRows) nextRow() (bool, error) {
	for !r.ended {
		t, err := r.part.RawToken()
		if err == io.EOF {
			err = io.ErrUnexpectedEOF // the sheet's data close before
		}
		if err != nil {
			return false, r.damaged(err)
		}
		switch t := t.(type) {
		case xml.EndElement:
			r.ended = t.Name.Local == "sheetData"
		case xml.StartElement:
			if t.Name.Local == "sheetData" || t.Name.Local != "row" {
				continue
			}
			if err := r.readRow(t); err != nil {
				return false, err
			}
			if r.width > 0 || r.wrong != "" {
				return true, nil
			}
		}
	}
	return false, nil
}

// readRow reads the cells up to the row's end.
func (r *sheetRows) readRow(start xml.StartElement) error {
	r.part.limit.left = maxPart
	clear(r.record)
	clear(r.numbers)
	r.width, r.wrong = 0, ""
	r.row++
	if n, err := strconv.Atoi(attribute(start, "r")); err == nil && n >= r.row {
		r.row = n
	}
	next := 0
	for {
		t, err := r.token()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.EndElement:
			if t.Name.Local == "row" {
				return nil
			}
		case xml.StartElement:
			if t.Name.Local != "c" {
				continue
			}
			if next, err = r.readCell(t, next); err != nil {
				return err
			}
		}
	}
}

// cell is what stands in a cell.
type cell struct {
	reference, kind string
	style           int
	value           []byte
	formula         bool
	inline          inlineText
}

// readCell reads a cell that stands in the given column, if it does not say where; it gives the column after.
func (r *sheetRows) readCell(start xml.StartElement, column int) (int, error) {
	c := cell{}
	for _, a := range start.Attr {
		switch a.Name.Local {
		case "r":
			c.reference = a.Value
		case "t":
			c.kind = a.Value
		case "s":
			c.style, _ = strconv.Atoi(a.Value) // a style that is no number shows none
		}
	}
	if c.reference != "" {
		column = cellColumn(c.reference)
	}
	if column < 0 || column >= maxColumns {
		return 0, r.damaged(fmt.Errorf("xlsx: cell %.20q", c.reference))
	}
	if err := r.readContent(&c); err != nil {
		return 0, err
	}
	text, number := r.text(&c)
	if strings.IndexByte(text, 0) >= 0 {
		r.wrong = fmt.Sprintf("The cell %s has a zero byte, which no text has", c.reference)
	}
	if strings.TrimSpace(text) != "" {
		r.grow(column + 1)
		r.record[column], r.numbers[column] = text, number
		r.width = max(r.width, column+1)
	}
	return column + 1, nil
}

// token is the next of a sheet that has not come to its end.
func (r *sheetRows) token() (xml.Token, error) {
	t, err := r.part.RawToken()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, r.damaged(err)
	}
	return t, nil
}

// readContent reads what stands between the tags of a cell.
func (r *sheetRows) readContent(c *cell) error {
	inValue := false
	for {
		t, err := r.token()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.StartElement:
			inValue = t.Name.Local == "v"
			c.formula = c.formula || t.Name.Local == "f"
		case xml.EndElement:
			inValue = false
			if t.Name.Local == "c" {
				return nil
			}
		case xml.CharData:
			if inValue {
				c.value = append(c.value, t...)
			}
		}
		if c.kind == "inlineStr" {
			c.inline.token(t)
		}
	}
}

// text writes a cell, and tells whether it is a number. A cell that says nothing certain is what is wrong with the row.
func (r *sheetRows) text(c *cell) (text string, number bool) {
	value := string(c.value)
	switch c.kind {
	case "s":
		i, err := strconv.Atoi(strings.TrimSpace(value))
		text, ok := r.sharedText(i)
		if (err != nil || !ok) && value != "" {
			r.wrong = fmt.Sprintf("The cell %s names a text that the workbook does not have", c.reference)
		}
		return text, false
	case "inlineStr":
		return unescapeXML(c.inline.take()), false
	case "b":
		return strconv.FormatBool(strings.TrimSpace(value) == "1"), false
	case "e":
		r.wrong = fmt.Sprintf("The cell %s holds the error %s; mend its formula, or empty it", c.reference, value)
		return value, false
	case "d":
		return strings.TrimSuffix(value, "T00:00:00"), false
	case "str":
		return unescapeXML(value), false
	}
	if value == "" && c.formula {
		r.wrong = fmt.Sprintf("The cell %s holds a formula that was never calculated; open the workbook in a spreadsheet and save it", c.reference)
	}
	if value == "" || c.style < 0 || c.style >= len(r.styles) || r.styles[c.style] != aDay {
		return cellNumber(value), value != ""
	}
	day, ok := r.epoch.day(value)
	if !ok {
		r.wrong = fmt.Sprintf("The cell %s is shown as a day, but holds %.20s, which is none", c.reference, value)
		return value, false
	}
	return dayText(day), false
}
