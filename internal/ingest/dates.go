package ingest

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"gopkg.in/yaml.v3"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

// fromFileName, as the fallback of a date, takes the middle of the month or quarter that the file's name tells.
const fromFileName = "fileName"

// dateFormat is a notation of days: as it was written, and as package time writes it.
type dateFormat struct{ written, layout string }

const isoWritten = "YYYY-MM-DD"

// readFormats reads notations made of YYYY, YY, MMM, MM, M, DD, D, hh, mm, ss and punctuation.
func readFormats(n *yaml.Node) ([]dateFormat, error) {
	written, err := texts(n)
	if err != nil {
		return nil, err
	}
	var formats []dateFormat
	for _, w := range written {
		rest := strings.NewReplacer("YYYY", "", "YY", "", "MMM", "", "MM", "", "M", "", "DD", "", "D", "", "hh", "", "mm", "", "ss", "").Replace(w)
		if !strings.Contains(w, "YY") || !strings.Contains(w, "M") || !strings.Contains(w, "D") || strings.ContainsFunc(rest, isWordRune) {
			return nil, at(n, "%q is not a date format; write it with YYYY (or YY), MM (or M, MMM) and DD (or D), and hh:mm:ss where a time follows, such as DD/MM/YYYY", w)
		}
		formats = append(formats, dateFormat{w, layoutOf(w)})
	}
	return formats, nil
}

func layoutOf(written string) string {
	return strings.NewReplacer("YYYY", "2006", "YY", "06", "MMM", "Jan", "MM", "01", "M", "1", "DD", "02", "D", "2",
		"hh", "15", "mm", "04", "ss", "05").Replace(written)
}

// isWordRune is true for what package time could take for a part of a date, except T between date and time.
func isWordRune(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' && r != 'T'
}

// isoFormats are the notations that begin with the year. They are read where none is declared.
func isoFormats() []dateFormat {
	return []dateFormat{{isoWritten, "2006-01-02"}, {"YYYY-MM-DD hh:mm:ss", "2006-01-02 15:04:05"}, {"YYYY-MM-DDThh:mm:ss", "2006-01-02T15:04:05"},
		{"YYYY-MM-DDThh:mm:ssZ", time.RFC3339}}
}

// parseDate reads a day in the first notation that fits. A time of day is read and dropped: the ledger's day is the day. Days that begin with the year are
// read beside what is declared, for they have one reading, and workbooks and Parquet files give them beside texts; save where YYYY-DD-MM is declared.
func parseDate(text string, formats []dateFormat) (exact.Date, error) {
	iso := true
	for _, f := range formats {
		if t, ok := f.parse(text); ok {
			return exact.NewDate(t.Date()), nil
		}
		iso = iso && !strings.HasPrefix(f.written, "YYYY-D")
	}
	if iso {
		for _, f := range isoFormats() {
			if t, ok := f.parse(text); ok {
				return exact.NewDate(t.Date()), nil
			}
		}
	}
	return exact.Date{}, fault.New(fault.BadUserInput, "%.40q is not a date written as %s%s.", text, written(formats), otherReadings(text))
}

func (f dateFormat) parse(text string) (time.Time, bool) {
	t, err := time.Parse(f.layout, text)
	return t, err == nil && t.Year() >= 1900
}

func written(formats []dateFormat) string {
	if len(formats) == 0 {
		return isoWritten
	}
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.written
	}
	return strings.Join(names, " or ")
}

// otherReadings says by which common notations a text is a day, and which. Where there are two, none may be taken.
func otherReadings(text string) string {
	formats := readingsOf(text)
	if len(formats) == 0 {
		return ""
	}
	var days []string
	for _, f := range formats {
		t, _ := f.parse(text)
		days = append(days, fmt.Sprintf("%s by %s", t.Format("2 January 2006"), f.written))
	}
	if len(days) == 1 {
		return fmt.Sprintf("; it is %s: declare that in the columns file, as formats: [%s]", days[0], formats[0].written)
	}
	return fmt.Sprintf("; it can be %s: declare in the columns file which is meant, such as formats: [%s]", strings.Join(days, " or "), formats[0].written)
}

// readingsOf gives the common notations by which a text is a day, one for each order of day, month and year.
func readingsOf(text string) []dateFormat {
	var formats []dateFormat
	for _, group := range commonFormats() {
		if f, ok := firstThatReads(group, []string{text}); ok {
			formats = append(formats, f)
		}
	}
	return formats
}

// firstThatReads finds the notation of a group that reads all texts.
func firstThatReads(group []dateFormat, texts []string) (dateFormat, bool) {
	for _, f := range group {
		if !slices.ContainsFunc(texts, func(v string) bool { _, ok := f.parse(v); return !ok }) {
			return f, true
		}
	}
	return dateFormat{}, false
}

// commonFormats are notations by the order of their parts, with a time of day and without; of one order, that which says more comes first.
var commonFormats = sync.OnceValue(func() [][]dateFormat {
	orders := [][]string{{"YYYY/MM/DD", "YYYY/M/D"}, {"YYYY.MM.DD"}, {"YYYYMMDD"}, {"DD MMM YYYY", "D MMM YYYY"}, {"DD-MMM-YYYY", "D-MMM-YYYY"}, {"DD-MMM-YY", "D-MMM-YY"}}
	for _, s := range []string{"/", ".", "-"} {
		for _, order := range []string{"DD*MM*YYYY D*M*YYYY", "MM*DD*YYYY M*D*YYYY", "DD*MM*YY D*M*YY", "MM*DD*YY M*D*YY"} {
			orders = append(orders, strings.Fields(strings.ReplaceAll(order, "*", s)))
		}
	}
	groups := make([][]dateFormat, len(orders))
	for i, order := range orders {
		for _, w := range order {
			for _, clock := range []string{"", " hh:mm:ss", " hh:mm"} {
				groups[i] = append(groups[i], dateFormat{w + clock, layoutOf(w + clock)})
			}
		}
	}
	return groups
})

var (
	quarterInName = regexp.MustCompile(`(?i)(?:^|[^0-9])((?:19|20)\d\d)[-_ ]?q([1-4])(?:[^0-9]|$)`)
	monthInName   = regexp.MustCompile(`(?:^|[^0-9])((?:19|20)\d\d)[-_ ]?(0[1-9]|1[0-2])(?:[^0-9]|$)`)
)

// dateOfName gives the 15th of the month, or of the quarter's middle month, that a file's name tells; false where it tells none.
func dateOfName(name string) (exact.Date, bool) {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	if m := quarterInName.FindStringSubmatch(name); m != nil {
		year, _ := strconv.Atoi(m[1])
		quarter, _ := strconv.Atoi(m[2])
		return exact.NewDate(year, time.Month(quarter*3-1), 15), true
	}
	if m := monthInName.FindStringSubmatch(name); m != nil {
		year, _ := strconv.Atoi(m[1])
		month, _ := strconv.Atoi(m[2])
		return exact.NewDate(year, time.Month(month), 15), true
	}
	return exact.Date{}, false
}
