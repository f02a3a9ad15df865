package ingest

import (
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

// fromFileName, as the fallback of a date, takes the middle of the month or quarter that the file's name tells.
const fromFileName = "fileName"

// dateFormat is a notation of days: as it was written, and as package time writes it.
type dateFormat struct{ written, layout string }

func isoDate() []dateFormat { return []dateFormat{{"YYYY-MM-DD", "2006-01-02"}} }

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
		layout := strings.NewReplacer("YYYY", "2006", "YY", "06", "MMM", "Jan", "MM", "01", "M", "1", "DD", "02", "D", "2",
			"hh", "15", "mm", "04", "ss", "05").Replace(w)
		formats = append(formats, dateFormat{w, layout})
	}
	return formats, nil
}

// isWordRune is true for what package time could take for a part of a date, except T between date and time.
func isWordRune(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' && r != 'T'
}

// parseDate reads a day in the first notation that fits. A time of day is read and dropped: the ledger's day is the day.
func parseDate(text string, formats []dateFormat) (exact.Date, error) {
	for _, f := range formats {
		if t, err := time.Parse(f.layout, text); err == nil && t.Year() >= 1900 {
			return exact.NewDate(t.Date()), nil
		}
	}
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.written
	}
	return exact.Date{}, fault.New(fault.BadUserInput, "%.40q is not a date written as %s.", text, strings.Join(names, " or "))
}

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
