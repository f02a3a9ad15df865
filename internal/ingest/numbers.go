package ingest

import (
	"strconv"

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

// parseCategory reads the number of a category; whether there is such a category is not for this room to say.
func parseCategory(text string) (int32, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0, fault.New(fault.BadUserInput, "%.40q is not the number of a category; it is 1 to 15.", text)
	}
	return int32(n), nil
}
