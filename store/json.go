package store

import (
	"strconv"
	"unicode/utf8"

	"carbongraph/internal/exact"
)

// Gases and provenance are most of an emission's row: written by hand, as every line of an import has them, and without names. A gas is
//
//	[gas, mass, co2e]
//
// and a step, its last places left away where they are empty,
//
//	[step, operator, operand, output, outputUnit, source, sourceRow, input, inputUnit]
//
// A step that has not even the place of an input takes the output of the step before, in that one's unit; the first takes nothing. What is not
// there is null. Numbers keep the zeros that they were given. jsonread.go reads all this back.

// gasAmountsText writes gases as the table has them.
func gasAmountsText(gases []GasAmount) string {
	b := make([]byte, 0, 2+48*len(gases))
	b = append(b, '[')
	for i := range gases {
		g := &gases[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(b, '['), g.Gas)
		b = appendMaybe(append(b, ','), g.Mass)
		b = g.CO2e.Append(append(b, ','))
		b = append(b, ']')
	}
	return string(append(b, ']'))
}

// provenanceText writes the steps as the table has them: of a global id the row alone.
func provenanceText(steps []ProvenanceStep) string {
	b := make([]byte, 0, 2+160*len(steps))
	b = append(b, '[')
	var before *ProvenanceStep
	for i := range steps {
		s := &steps[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(b, '['), s.Step)
		b = appendText(append(b, ','), s.Operator)
		b = appendMaybe(append(b, ','), s.Operand)
		b = s.Output.Append(append(b, ','))
		b = appendText(append(b, ','), s.OutputUnit)
		b = appendText(append(b, ','), s.Source)
		b = append(s.appendOrigin(b, before), ']')
		before = s
	}
	return string(append(b, ']'))
}

// appendOrigin writes the last places of a step: the row that the operand is from, and the input where it is not the output of the step before.
func (s *ProvenanceStep) appendOrigin(b []byte, before *ProvenanceStep) []byte {
	row, follows := s.SourceRow, s.follows(before)
	if row == nil && s.SourceID != nil {
		row = &s.SourceID.Row
	}
	switch {
	case row != nil:
		b = appendText(append(b, ','), row.String())
	case !follows:
		b = append(b, ",null"...)
	}
	if follows {
		return b
	}
	b = appendMaybe(append(b, ','), s.Input)
	if s.InputUnit != nil {
		b = appendText(append(b, ','), *s.InputUnit)
	}
	return b
}

// follows tells whether the step takes just what the step before gives, zeros at the end included.
func (s *ProvenanceStep) follows(before *ProvenanceStep) bool {
	switch {
	case before == nil:
		return s.Input == nil && s.InputUnit == nil
	case s.Input == nil || s.InputUnit == nil || *s.InputUnit != before.OutputUnit:
		return false
	}
	return *s.Input == before.Output || s.Input.String() == before.Output.String()
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
			b = append(b, '\\', 'u', '0', '0')
			if r < 16 {
				b = append(b, '0')
			}
			b = strconv.AppendInt(b, int64(r), 16)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}
