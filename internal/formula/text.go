package formula

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"carbongraph/internal/exact"
)

// The text of a formula is JSON without names and without blanks:
//
//	[steps,gases,converted,biogenic,co2e]
//
// A step, its last places left away where they are empty, and a gas are
//
//	[step,of,operator,operand,outputUnit,source,fromFactor,inputUnit,input]
//	[gas,mass,co2e]
//
// fromFactor is 1 or 0, and what is not there is null. A step that takes another's output in that one's unit does not repeat the unit.
// Numbers keep the zeros that they were given, since a replay shows them.

// maxText bounds what Parse looks at: the longest formula of the built-in datasets has less than a tenth.
const maxText = 1 << 18

// Text writes the formula. Formulas with the same text are one.
func (f *Formula) Text() string { return string(f.Append(nil)) }

// ID is the first half of the SHA-256 of the text.
func (f *Formula) ID() [16]byte { return IDOf(f.Text()) }

// IDOf is the ID of the formula with the text.
func IDOf(text string) [16]byte {
	sum := sha256.Sum256([]byte(text))
	return [16]byte(sum[:16])
}

// Append adds the formula's text to b.
func (f *Formula) Append(b []byte) []byte {
	b = append(b, "[["...)
	for i := range f.Steps {
		if i > 0 {
			b = append(b, ',')
		}
		b = f.appendStep(b, &f.Steps[i])
	}
	b = append(b, "],["...)
	for i, g := range f.Gases {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(b, '['), g.Gas)
		b = appendMaybe(append(b, ','), g.Mass)
		b = g.CO2e.Append(append(b, ','))
		b = append(b, ']')
	}
	b = append(b, ']')
	for _, n := range []int{f.Converted, f.Biogenic, f.CO2e} {
		b = strconv.AppendInt(append(b, ','), int64(n), 10)
	}
	return append(b, ']')
}

func (f *Formula) appendStep(b []byte, s *Step) []byte {
	b = appendText(append(b, '['), s.Step)
	b = strconv.AppendInt(append(b, ','), int64(s.Of), 10)
	b = appendText(append(b, ','), s.Operator)
	b = s.Operand.Append(append(b, ','))
	b = appendText(append(b, ','), s.OutputUnit)
	b = appendText(append(b, ','), s.Source)
	follows := s.Of >= 0 && s.Of < len(f.Steps) && s.InputUnit == f.Steps[s.Of].OutputUnit
	if !s.FromFactor && follows && s.Input == nil {
		return append(b, ']')
	}
	b = append(b, ',', '0')
	if s.FromFactor {
		b[len(b)-1] = '1'
	}
	if follows && s.Input == nil {
		return append(b, ']')
	}
	if follows {
		b = append(b, ",null"...)
	} else {
		b = appendText(append(b, ','), s.InputUnit)
	}
	if s.Input != nil {
		b = s.Input.Append(append(b, ','))
	}
	return append(b, ']')
}

func appendMaybe(b []byte, x *exact.Decimal) []byte {
	if x == nil {
		return append(b, "null"...)
	}
	return x.Append(b)
}

// appendText writes a JSON string. What is no UTF-8 becomes U+FFFD, as in encoding/json.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < ' ':
			b = append(b, '\\', 'u', '0', '0', '0'+byte(r>>4), "0123456789abcdef"[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}

// Parse reads what Text wrote, to the byte. It refuses what Check does not pass, so that whatever it gives can be replayed.
func Parse(text string) (*Formula, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("formula: a text of %d bytes; at most %d are possible", len(text), maxText)
	}
	f, r := &Formula{}, &reader{rest: text, bad: !utf8.ValidString(text)}
	r.need("[")
	r.list(func() { f.Steps = append(f.Steps, r.step(f.Steps)) })
	r.need(",")
	r.list(func() { f.Gases = append(f.Gases, r.gas()) })
	for _, n := range []*int{&f.Converted, &f.Biogenic, &f.CO2e} {
		r.need(",")
		*n = r.integer()
	}
	r.need("]")
	if r.bad || r.rest != "" {
		return nil, fmt.Errorf("formula: %.80q is not what was written", text)
	}
	if err := f.Check(); err != nil {
		return nil, err
	}
	if f.Text() != text {
		return nil, fmt.Errorf("formula: %.80q is not as it is written here", text)
	}
	return f, nil
}

// reader reads JSON as it is written here. After the first fault it reads on, harmlessly.
type reader struct {
	rest string
	bad  bool
}

func (r *reader) step(before []Step) (s Step) {
	r.need("[")
	s.Step = r.text()
	r.need(",")
	s.Of = r.integer()
	r.need(",")
	s.Operator = r.text()
	r.need(",")
	s.Operand = r.number()
	r.need(",")
	s.OutputUnit = r.text()
	r.need(",")
	s.Source = r.text()
	if s.Of >= 0 && s.Of < len(before) {
		s.InputUnit = before[s.Of].OutputUnit
	}
	if r.take(",") {
		if s.FromFactor = r.take("1"); !s.FromFactor {
			r.need("0")
		}
	}
	if r.take(",") && !r.take("null") {
		s.InputUnit = r.text()
	}
	if r.take(",") {
		s.Input = new(r.number())
	}
	r.need("]")
	return s
}

func (r *reader) gas() (g Gas) {
	r.need("[")
	g.Gas = r.text()
	r.need(",")
	if !r.take("null") {
		g.Mass = new(r.number())
	}
	r.need(",")
	g.CO2e = r.number()
	r.need("]")
	return g
}

// take passes the token where it is next.
func (r *reader) take(token string) (ok bool) {
	r.rest, ok = strings.CutPrefix(r.rest, token)
	return ok
}

func (r *reader) need(token string) {
	if !r.take(token) {
		r.bad = true
	}
}

// list reads a list by a function that reads one element of it.
func (r *reader) list(element func()) {
	r.need("[")
	for first := true; !r.bad && !r.take("]"); first = false {
		if !first {
			r.need(",")
		}
		element()
	}
}

// text reads a string; one without escapes is a part of the whole and takes no memory of its own.
func (r *reader) text() (s string) {
	r.need(`"`)
	end := 0
	for end < len(r.rest) && r.rest[end] != '"' {
		if r.rest[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(r.rest) {
		r.bad = true
		return ""
	}
	s, r.rest = r.rest[:end], r.rest[end+1:]
	if strings.Contains(s, `\`) && json.Unmarshal([]byte(`"`+s+`"`), &s) != nil {
		r.bad = true
	}
	return s
}

// token reads up to the comma or bracket that ends a number.
func (r *reader) token() (s string) {
	end := strings.IndexAny(r.rest, ",]")
	if end < 0 {
		r.bad = true
		return ""
	}
	s, r.rest = r.rest[:end], r.rest[end:]
	return s
}

func (r *reader) integer() int {
	n, err := strconv.Atoi(r.token())
	r.bad = r.bad || err != nil
	return n
}

// number reads plain notation, whose length bounds its size. It may go beyond what exact.ParseDecimal lets in from outside:
// a gas times its potential has the places of both.
func (r *reader) number() (x exact.Decimal) {
	s := r.token()
	if len(s) > 2*maxPlaces+2 || strings.Trim(s, "-.0123456789") != "" || x.Scan(s) != nil {
		r.bad = true
	}
	return x
}
