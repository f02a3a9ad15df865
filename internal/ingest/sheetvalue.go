package ingest

import (
	"encoding/xml"
	"math"
	"strconv"
	"strings"
	"time"
)

// numberKind is what a style makes of a number.
type numberKind uint8

const (
	aNumber numberKind = iota
	aDay
)

// readStyles finds the styles that show days: those of the built-in formats for days, and those whose own format has a year or a day in it.
func (w *workbook) readStyles() func(xml.StartElement, string) {
	own := map[int]numberKind{}
	return func(e xml.StartElement, within string) {
		id, err := strconv.Atoi(attribute(e, "numFmtId"))
		switch {
		case err != nil:
		case e.Name.Local == "numFmt":
			own[id] = kindOfFormat(attribute(e, "formatCode"))
		case e.Name.Local == "xf" && within == "cellXfs":
			kind, known := own[id]
			if !known && (id >= 14 && id <= 17 || id == 22 || id >= 27 && id <= 31 || id == 36 || id >= 50 && id <= 54 || id == 57 || id == 58) {
				kind = aDay
			}
			w.styles = append(w.styles, kind)
		}
	}
}

// kindOfFormat looks for the letters of a day outside quotes, brackets and escapes: #,##0 "days" is a number, and so are the hours of [h]:mm.
func kindOfFormat(code string) numberKind {
	code, _, _ = strings.Cut(code, ";")
	plain := strings.Builder{}
	for i := 0; i < len(code); i++ {
		switch c := code[i]; c {
		case '"', '[':
			end := byte('"')
			if c == '[' {
				end = ']'
			}
			n := strings.IndexByte(code[i+1:], end)
			if n < 0 {
				return aNumber
			}
			i += n + 1
		case '\\', '_', '*':
			i++
		default:
			plain.WriteByte(c | 0x20)
		}
	}
	letters := strings.ReplaceAll(plain.String(), "general", "")
	clock := strings.ContainsAny(letters, "hs")
	if strings.ContainsAny(letters, "yd") || strings.Contains(letters, "m") && !clock {
		return aDay
	}
	return aNumber
}

// epoch is the day from which a workbook counts.
type epoch uint8

const (
	from1900 epoch = iota
	from1904
)

// day reads the number of a day with the time after its point; false where there is no such day.
func (e epoch) day(text string) (time.Time, bool) {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n < 0 || n >= 2_958_466 { // 10000-01-01
		return time.Time{}, false
	}
	days, part := math.Modf(n)
	start := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	switch {
	case e == from1904:
		start = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	case days < 1:
		return time.Time{}, false
	case days == 60:
		return time.Time{}, false // 29 February 1900, which was never
	case days < 60:
		start = start.AddDate(0, 0, 1)
	}
	return start.AddDate(0, 0, int(days)).Add(time.Duration(math.Round(part*86_400)) * time.Second), true
}

// cellNumber is the text of a number in a cell. A cell holds a binary number, and some programs write more digits than that tells apart: 1.1 as
// 1.1000000000000001. What has more than 15 digits becomes the shortest text of the same number; whole numbers, and all others, stay as they stand.
func cellNumber(text string) string {
	if len(text) <= 16 || !strings.ContainsAny(text, ".eE") {
		return text
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.Abs(n) >= 1e21 || n != 0 && math.Abs(n) < 1e-21 {
		return text
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}

// unescapeXML reads the characters that a workbook writes as _x000D_.
func unescapeXML(text string) string {
	if !strings.Contains(text, "_x") {
		return text
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, "_x")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		if len(after) >= 5 && after[4] == '_' {
			if n, err := strconv.ParseUint(after[:4], 16, 16); err == nil && (n < 0xd800 || n > 0xdfff) {
				b.WriteRune(rune(n))
				text = after[5:]
				continue
			}
		}
		b.WriteString("_x")
		text = after
	}
}

// cellColumn reads the column of a reference such as AB12, counted from zero; −1 where it is none.
func cellColumn(reference string) int {
	n := 0
	for i := range len(reference) {
		c := reference[i] &^ 0x20
		if c < 'A' || c > 'Z' {
			break
		}
		n = n*26 + int(c-'A') + 1
		if n > maxColumns {
			return -1
		}
	}
	return n - 1
}

// maxColumns is how many columns a sheet can have.
const maxColumns = 16_384
