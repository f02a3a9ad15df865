package calc

import (
	"strings"
	"unicode"
)

// speller finds units by what people write.
type speller struct {
	exact  map[string]*Unit
	folded map[string]*Unit // nil where two units share a folded spelling: "mL" and "ML"
	names  []spelling       // for suggestions: one for each folded spelling, in the order of the table
}

type spelling struct{ name, key string }

func (s *speller) add(u *Unit, name string) {
	if s.exact[name] == nil {
		s.exact[name] = u
	}
	key := fold(name)
	switch was, ok := s.folded[key]; {
	case !ok:
		s.folded[key] = u
		s.names = append(s.names, spelling{name, key})
	case was != u:
		s.folded[key] = nil
	}
}

// find tries the spelling as it stands, then without regard to case and separators, then as a plural, then without "per".
func (s *speller) find(name string) *Unit {
	if u := s.exact[name]; u != nil {
		return u
	}
	if _, refused := ambiguous[strings.TrimSpace(name)]; refused || len(name) > maxSpelling {
		return nil
	}
	if u := s.foldedOf(fold(name)); u != nil {
		return u
	}
	if rest, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(name)), "per "); ok {
		return s.foldedOf(fold(rest))
	}
	return nil
}

func (s *speller) foldedOf(key string) *Unit {
	if u := s.folded[key]; u != nil {
		return u
	}
	if singular, ok := strings.CutSuffix(key, "s"); ok && len(singular) > 2 {
		return s.folded[singular]
	}
	return nil
}

// maxSpelling bounds what is looked at: no unit is written in more bytes.
const maxSpelling = 60

// fold drops case, blanks and the signs that join units. A slash stays: t/km is no t.km; and so does a minus before a digit: m-2 is no m2.
func fold(name string) string {
	var b strings.Builder
	b.Grow(len(name))
	runes := []rune(name)
	for i, r := range runes {
		switch {
		case r == '²':
			b.WriteByte('2')
		case r == '³':
			b.WriteByte('3')
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '/' || r == '%':
			b.WriteRune(unicode.ToLower(r))
		case (r == '-' || r == '−') && i+1 < len(runes) && unicode.IsDigit(runes[i+1]):
			b.WriteByte('-')
		}
	}
	return b.String()
}

// nearest gives the known spelling that takes the fewest edits, or nothing where all are far.
func (s *speller) nearest(name string) string {
	key := fold(name)
	if key == "" || len(key) > maxSpelling {
		return ""
	}
	best, limit := "", max(1, len(key)/3)
	for _, known := range s.names {
		if d := edits(key, known.key, limit); d <= limit {
			best, limit = known.name, d-1
		}
	}
	return best
}

// edits counts insertions, deletions and replacements between a and b; above the limit it may stop and give limit + 1.
func edits(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	var row [2*maxSpelling + 1]int
	for j := range len(b) + 1 {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		least := row[0]
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
			least = min(least, cost)
		}
		if least > limit {
			return limit + 1
		}
	}
	return row[len(b)]
}
