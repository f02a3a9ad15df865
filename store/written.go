package store

import (
	"slices"
	"strings"
)

// written gives the tables that a statement writes. It looks for what every statement says that writes: INSERT INTO, UPDATE, DELETE FROM, TRUNCATE, wherever
// in it. What stands in quotes says nothing.
func written(text string) (tables []string) {
	var verb, before string // the word that a table follows, and the word before that
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '\'':
			i += quoted(text[i:], '\'')
			verb, before = "", ""
		case c == '"':
			n := quoted(text[i:], '"')
			tables, verb = named(tables, verb, strings.Trim(text[i:i+n], `"`))
			i, before = i+n, ""
		case letter(c):
			n := i + 1
			for n < len(text) && (letter(text[n]) || text[n] >= '0' && text[n] <= '9' || text[n] == '.') {
				n++
			}
			word := text[i:n]
			i = n
			if verb != "" && !strings.EqualFold(word, "only") && !strings.EqualFold(word, "table") {
				tables, verb = named(tables, verb, word)
			} else if verb == "" {
				verb = writes(word, before)
			}
			before = word
		default:
			i++
		}
	}
	return tables
}

// writes gives the word back where a table follows that is written. FOR UPDATE, FOR NO KEY UPDATE and DO UPDATE are followed by none.
func writes(word, before string) string {
	switch len(word) {
	case 4:
		if strings.EqualFold(word, "into") || strings.EqualFold(word, "from") && strings.EqualFold(before, "delete") {
			return word
		}
	case 6:
		if strings.EqualFold(word, "update") && !strings.EqualFold(before, "for") && !strings.EqualFold(before, "key") && !strings.EqualFold(before, "do") {
			return word
		}
	case 8:
		if strings.EqualFold(word, "truncate") {
			return word
		}
	}
	return ""
}

// named adds the table that follows a verb.
func named(tables []string, verb, name string) ([]string, string) {
	if verb != "" && !slices.Contains(tables, name) {
		tables = append(tables, name)
	}
	return tables, ""
}

// quoted is how long what stands in quotes is, with them. A quote within stands there twice, and reads as an end and a beginning.
func quoted(text string, quote byte) int {
	end := strings.IndexByte(text[1:], quote)
	if end < 0 {
		return len(text)
	}
	return end + 2
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c >= 0x80 }
