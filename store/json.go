package store

import (
	"strconv"
	"unicode/utf8"

	"carbongraph/internal/exact"
)

// Gases and provenance are written for every line of an import; by hand that takes a tenth of what reflection takes.
// encoding/json reads them back: a test holds the two together.

// gasAmountsText writes gases as the table has them.
func gasAmountsText(gases []GasAmount) string {
	b := make([]byte, 0, 2+80*len(gases))
	b = append(b, '[')
	for i, g := range gases {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(b, `{"gas":`...), g.Gas)
		b = maybeDecimal(b, `,"mass":`, g.Mass)
		b = appendDecimal(append(b, `,"co2e":`...), g.CO2e)
		b = append(b, '}')
	}
	return string(append(b, ']'))
}

// provenanceText writes the steps as the table has them: of a global id the row alone.
func provenanceText(steps []ProvenanceStep) string {
	b := make([]byte, 0, 2+200*len(steps))
	b = append(b, '[')
	for i := range steps {
		s := &steps[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(b, `{"step":`...), s.Step)
		b = maybeDecimal(b, `,"input":`, s.Input)
		if s.InputUnit != nil {
			b = appendText(append(b, `,"inputUnit":`...), *s.InputUnit)
		}
		b = appendText(append(b, `,"operator":`...), s.Operator)
		b = maybeDecimal(b, `,"operand":`, s.Operand)
		b = appendDecimal(append(b, `,"output":`...), s.Output)
		b = appendText(append(b, `,"outputUnit":`...), s.OutputUnit)
		b = appendText(append(b, `,"source":`...), s.Source)
		row := s.SourceRow
		if row == nil && s.SourceID != nil {
			row = &s.SourceID.Row
		}
		if row != nil {
			b = appendText(append(b, `,"sourceRow":`...), row.String())
		}
		b = append(b, '}')
	}
	return string(append(b, ']'))
}

func appendDecimal(b []byte, x exact.Decimal) []byte {
	b = append(b, '"')
	b = append(b, x.String()...)
	return append(b, '"')
}

func maybeDecimal(b []byte, name string, x *exact.Decimal) []byte {
	if x == nil {
		return b
	}
	return appendDecimal(append(b, name...), *x)
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
