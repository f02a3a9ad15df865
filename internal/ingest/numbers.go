package ingest

import (
	"strconv"
	"strings"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

// parseMicros reads a decimal number into millionths. More than six decimals are a fault, unless round says to round them, half to even.
func parseMicros(text string, round bool) (exact.Micros, error) {
	if m, ok := plainMicros(text); ok {
		return m, nil
	}
	d, err := exact.ParseDecimal(text)
	if err != nil {
		return 0, err
	}
	if !round {
		if n, ok := d.ScaledExactly(6); ok {
			return exact.Micros(n), nil
		}
		if d.Round(6).Cmp(d) != 0 {
			return 0, fault.New(fault.BadUserInput, "%.60q has more than six decimals; say \"round: true\" in the columns file to round to millionths.", text)
		}
	}
	n, ok := d.Scaled(6)
	if !ok {
		return 0, fault.New(fault.BadUserInput, "%.60q is out of range: at most 9,223,372,036,854.", text)
	}
	return exact.Micros(n), nil
}

// plainMicros is the short way for what nearly every ledger has: a few digits, a point, up to six decimals.
func plainMicros(text string) (exact.Micros, bool) {
	digits := text
	if digits != "" && digits[0] == '-' {
		digits = digits[1:]
	}
	if digits == "" || digits[0] == '.' || len(digits) > 18 {
		return 0, false
	}
	var n int64
	whole, decimals, point := 0, 0, false
	for i := range len(digits) {
		switch c := digits[i]; {
		case c >= '0' && c <= '9':
			n = n*10 + int64(c-'0')
			if point {
				decimals++
			} else {
				whole++
			}
		case c == '.' && !point:
			point = true
		default:
			return 0, false
		}
	}
	if decimals > 6 || point && decimals == 0 || whole > 12 {
		return 0, false
	}
	for range 6 - decimals {
		n *= 10
	}
	if digits != text {
		n = -n
	}
	return exact.Micros(n), true
}

// number reads the text of a number; certain, where a point in it can be nothing but a decimal point.
func (s *source) number(text string, certain bool) (exact.Micros, error) {
	if s.notation != nil {
		plain, ok := s.notation.plain(text)
		if !ok {
			return 0, fault.New(fault.BadUserInput, "%.60q is not a number written like %s, as the columns file declares.", text, s.notation.written)
		}
		return parseMicros(plain, s.round)
	}
	if certain || !groupLike(text) {
		if m, ok := plainMicros(text); ok {
			return m, nil
		}
	}
	plain, err := onlyReading(text, certain)
	if err != nil {
		return 0, err
	}
	return parseMicros(plain, s.round)
}

// groupLike is true for what plainMicros would read and another notation would read otherwise: 1.234 is twelve hundred in Germany.
func groupLike(text string) bool {
	text = strings.TrimPrefix(text, "-")
	n := len(text) - 4
	return n >= 1 && n <= 3 && text[n] == '.' && text[0] != '0'
}

// onlyReading gives the one number, as plain digits, that a text can be in any notation. A text that can be two is a fault that shows both.
func onlyReading(text string, certain bool) (string, error) {
	var readings []string
	var first, second *notation
	for _, n := range notations() {
		plain, ok := n.plain(text)
		switch {
		case !ok:
		case certain && n.point == '.' && !strings.ContainsAny(text, n.groups):
			return plain, nil
		case len(readings) == 0:
			readings, first = append(readings, plain), n
		case len(readings) == 1 && plain != readings[0]:
			readings, second = append(readings, plain), n
		}
	}
	switch len(readings) {
	case 1:
		return readings[0], nil
	case 0:
		_, err := exact.ParseDecimal(text)
		return text, err
	}
	return "", fault.New(fault.BadUserInput, "%.60q can be %s or %s; say in the columns file how numbers are written: numbers: %q for the one, numbers: %q for the other.",
		text, readings[0], readings[1], first.written, second.written)
}

// parseCategory reads the number of a category; whether there is such a category is not for this room to say.
func parseCategory(text string) (int32, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0, fault.New(fault.BadUserInput, "%.40q is not the number of a category; it is 1 to 15.", text)
	}
	return int32(n), nil
}
