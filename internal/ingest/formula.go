package ingest

import "strings"

// formulaStarts begin what a spreadsheet takes for a formula when it opens CSV.
const formulaStarts = "=+-@\t\r"

// EscapeFormula puts an apostrophe before a text that a spreadsheet would run, such as =cmd|'/c calc'!A1, so that it stands there as text. Plain numbers
// pass, since a minus begins many. Whoever writes CSV that people open passes every field through it; reading takes exactly this apostrophe away again,
// and one more is put where a text has apostrophes before such a sign already, so that every text comes back as it was.
func EscapeFormula(field string) string {
	rest := strings.TrimLeft(field, "'")
	if rest == "" || strings.IndexByte(formulaStarts, rest[0]) < 0 {
		return field
	}
	if len(rest) == len(field) {
		if _, number := plainMicros(field); number {
			return field
		}
	}
	return "'" + field
}

// unescapeFormula takes away one apostrophe, where EscapeFormula may have put it.
func unescapeFormula(field string) string {
	rest := strings.TrimLeft(field, "'")
	if len(rest) == len(field) || rest == "" || strings.IndexByte(formulaStarts, rest[0]) < 0 {
		return field
	}
	return field[1:]
}
