package store

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"carbongraph/internal/exact"
)

// readGasAmounts reads what gasAmountsText wrote.
func readGasAmounts(text string) ([]GasAmount, error) {
	list := make([]GasAmount, 0, strings.Count(text, "["))
	r := newTextReader(text)
	r.list(func() {
		var g GasAmount
		r.need("[")
		g.Gas = r.text()
		r.need(",")
		g.Mass = orNull(r, r.number)
		r.need(",")
		g.CO2e = r.number()
		r.need("]")
		list = append(list, g)
	})
	return list, r.end()
}

// readProvenance reads what provenanceText wrote.
func readProvenance(text string) ([]ProvenanceStep, error) {
	list := make([]ProvenanceStep, 0, strings.Count(text, "["))
	r := newTextReader(text)
	r.list(func() {
		var before *ProvenanceStep
		if len(list) > 0 {
			before = &list[len(list)-1]
		}
		list = append(list, r.step(before))
	})
	return list, r.end()
}

func (r *textReader) step(before *ProvenanceStep) (s ProvenanceStep) {
	r.need("[")
	s.Step = r.text()
	r.need(",")
	s.Operator = r.text()
	r.need(",")
	s.Operand = orNull(r, r.number)
	r.need(",")
	s.Output = r.number()
	r.need(",")
	s.OutputUnit = r.text()
	r.need(",")
	s.Source = r.text()
	if r.take(",") {
		s.SourceRow = orNull(r, r.id)
	}
	switch {
	case r.take(","):
		s.Input = orNull(r, r.number)
		if r.take(",") {
			s.InputUnit = new(r.text())
		}
	case before != nil:
		s.Input, s.InputUnit = new(before.Output), new(before.OutputUnit)
	}
	r.need("]")
	return s
}

// textReader reads JSON as it is written here, which is without blanks. After the first fault it reads on, harmlessly, and end tells.
type textReader struct {
	whole string
	rest  string
	bad   bool
}

func newTextReader(text string) *textReader {
	return &textReader{whole: text, rest: text, bad: !utf8.ValidString(text)}
}

// end tells whether everything was as it is written, and nothing follows.
func (r *textReader) end() error {
	if r.bad || r.rest != "" {
		return fmt.Errorf("%.80q is not what was written", r.whole)
	}
	return nil
}

// take passes the token where it is next.
func (r *textReader) take(token string) (ok bool) {
	r.rest, ok = strings.CutPrefix(r.rest, token)
	return ok
}

func (r *textReader) need(token string) {
	if !r.take(token) {
		r.bad = true
	}
}

// list reads a list by a function that reads one element of it.
func (r *textReader) list(element func()) {
	r.need("[")
	for first := true; !r.bad && !r.take("]"); first = false {
		if !first {
			r.need(",")
		}
		element()
	}
}

// text reads a string; one without escapes is a part of the whole and takes no memory of its own.
func (r *textReader) text() string {
	r.need(`"`)
	for i := 0; i < len(r.rest); i++ {
		switch c := r.rest[i]; {
		case c == '"':
			s := r.rest[:i]
			r.rest = r.rest[i+1:]
			return s
		case c == '\\':
			return r.escaped()
		case c < ' ':
			r.bad = true
			return ""
		}
	}
	r.bad = true
	return ""
}

// escaped reads the rest of a string that has escapes.
func (r *textReader) escaped() (s string) {
	end := 0
	for end < len(r.rest) && r.rest[end] != '"' {
		if r.rest[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(r.rest) || json.Unmarshal([]byte(`"`+r.rest[:end+1]), &s) != nil {
		r.bad = true
		return ""
	}
	r.rest = r.rest[end+1:]
	return s
}

// number reads up to the comma or bracket that ends it.
func (r *textReader) number() exact.Decimal {
	end := strings.IndexAny(r.rest, ",]")
	if end < 0 {
		r.bad = true
		return exact.Decimal{}
	}
	x, err := exact.ParseDecimal(r.rest[:end])
	r.rest, r.bad = r.rest[end:], r.bad || err != nil
	return x
}

func (r *textReader) id() ID {
	id, err := ParseID(r.text())
	r.bad = r.bad || err != nil
	return id
}

// orNull reads a value that may not be there.
func orNull[T any](r *textReader, read func() T) *T {
	if r.take("null") {
		return nil
	}
	return new(read())
}
