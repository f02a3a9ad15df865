package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

// field is a source bound to the header of one file.
type field struct {
	*source
	column  int   // −1: no column
	columns []int // of the template's pieces
	name    string
}

// given is the text of the field in a record, without space around; false where there is none.
func (f *field) given(record []string) (string, bool) {
	var text string
	switch {
	case f.source == nil:
		return "", false
	case f.constant != "":
		return f.constant, true
	case f.column >= 0:
		text = strings.TrimSpace(record[f.column])
	case f.columns != nil:
		text = f.fillTemplate(record)
	}
	if text == "" || slices.ContainsFunc(f.blank, func(b string) bool { return strings.EqualFold(strings.TrimSpace(b), text) }) {
		return "", false
	}
	return text, true
}

// fillTemplate is empty where any of its columns is: half a key is none.
func (f *field) fillTemplate(record []string) string {
	var b strings.Builder
	for i, p := range f.template {
		if p.column == "" {
			b.WriteString(p.literal)
			continue
		}
		text := strings.TrimSpace(record[f.columns[i]])
		if text == "" {
			return ""
		}
		if p.width > 0 {
			text = firstRunes(text, p.width)
		}
		b.WriteString(text)
	}
	if f.hash {
		sum := sha256.Sum256([]byte(b.String()))
		return hex.EncodeToString(sum[:16])
	}
	return b.String()
}

func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// text is what is given, translated, or the fallback.
func (f *field) text(record []string) (string, error) {
	text, given := f.given(record)
	if !given {
		if f.source == nil {
			return "", nil
		}
		return f.otherwise, nil
	}
	if f.values == nil {
		return text, nil
	}
	ours, known := f.values[foldValue(text)]
	if !known {
		return "", fault.New(fault.BadUserInput, "%.60q is none of the values that the columns file lists for %s.", text, f.name)
	}
	return ours, nil
}

// number reads the number of the field; certain, where a point in it can be nothing but a decimal point.
func (f *field) number(record []string, certain bool) (exact.Micros, bool, error) {
	text, given := f.given(record)
	if !given {
		if f.source == nil || f.otherwise == "" {
			return 0, false, nil
		}
		m, err := parseMicros(f.otherwise, f.source.round)
		return m, err == nil, err
	}
	if f.constant != "" { // the columns file's own, not the ledger's
		m, err := parseMicros(text, false)
		return m, err == nil, err
	}
	m, err := f.source.number(text, certain)
	return m, err == nil, err
}
