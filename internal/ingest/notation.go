package ingest

import (
	"strings"
	"unicode/utf8"
)

// notation is a way to write numbers.
type notation struct {
	written string // as a columns file declares it
	groups  string // what may stand between groups of three digits, the same everywhere in a number
	point   rune
}

// The spaces of printed numbers are of several widths, most of which do not break; the Swiss apostrophe is straight or curved.
const (
	spaces      = " \u00a0\u2009\u202f"
	apostrophes = "'\u2019"
)

// notations lists the ways to write numbers that a columns file may declare.
func notations() []*notation {
	return []*notation{
		{"1,234.56", ",", '.'},
		{"1.234,56", ".", ','},
		{"1 234,56", spaces, ','},
		{"1'234.56", apostrophes, '.'},
		{"1 234.56", spaces, '.'},
		{"1'234,56", apostrophes, ','},
	}
}

// plain writes a number of this notation in digits with a decimal point; false where it is none. Accountants write what is below zero in brackets, or
// with the minus behind.
func (n *notation) plain(text string) (string, bool) {
	sign, body, ok := cutSign(strings.TrimSpace(text))
	if !ok {
		return "", false
	}
	mantissa, exponent := body, ""
	if i := strings.IndexAny(body, "eE"); i >= 0 {
		mantissa, exponent = body[:i], "e"+body[i+1:]
		if digits := strings.TrimLeft(exponent[1:], "+-"); len(exponent)-1-len(digits) > 1 || !areDigits(digits) || digits == "" {
			return "", false
		}
	}
	whole, decimals, pointed := strings.Cut(mantissa, string(n.point))
	whole, ok = n.ungroup(whole)
	if !ok || !areDigits(decimals) || whole == "" && decimals == "" {
		return "", false
	}
	if pointed && decimals != "" {
		whole += "." + decimals
	}
	return sign + whole + exponent, true
}

// cutSign takes the sign from either end of a number; false where it has more than one.
func cutSign(text string) (sign, body string, ok bool) {
	const minus = "\u2212" // the sign that is typeset
	signs := 0
	if strings.HasPrefix(text, "(") && strings.HasSuffix(text, ")") {
		sign, text, signs = "-", strings.TrimSpace(text[1:len(text)-1]), 1
	}
	for _, s := range []string{"-", minus, "+"} {
		rest, before := strings.CutPrefix(text, s)
		if !before && s != "+" {
			rest, before = strings.CutSuffix(text, s)
		}
		if before {
			text = strings.TrimSpace(rest)
			signs++
			if s != "+" {
				sign = "-"
			}
		}
	}
	return sign, text, signs <= 1
}

// ungroup takes out what stands between groups of three; false where there are other groups, or where the first begins with a zero, as none does.
func (n *notation) ungroup(whole string) (string, bool) {
	at := strings.IndexAny(whole, n.groups)
	if at < 0 {
		return whole, areDigits(whole)
	}
	_, size := utf8.DecodeRuneInString(whole[at:])
	groups := strings.Split(whole, whole[at:at+size])
	if len(groups[0]) < 1 || len(groups[0]) > 3 || groups[0][0] == '0' {
		return "", false
	}
	for i, g := range groups {
		if !areDigits(g) || i > 0 && len(g) != 3 {
			return "", false
		}
	}
	return strings.Join(groups, ""), true
}

func areDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
