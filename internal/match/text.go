package match

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// What is read of a text: a description is a line, and whatever comes after this says nothing new.
const (
	maxText = 2 << 10 // bytes
	maxWord = 32      // runes
	maxRead = 64      // words
)

// word is a word of a text in the one form that all tables use: folded, spelled out, in the singular.
type word struct {
	text    string
	written string // as the text has it
	aside   bool   // in brackets, or after "including": it explains, and weighs less
}

// read gives the words of a text, each once. What follows "excluding" or "except" is not meant, up to the end of the clause or the bracket.
func (t *tables) read(text string) []word {
	r := reader{tables: t, seen: map[string]int{}}
	for _, c := range norm.NFKD.String(clip(text)) {
		switch {
		case unicode.IsLetter(c) || unicode.IsDigit(c) || c == '\'' || c == '’' || c == '.' || c == '&':
			r.chunk.WriteRune(unicode.ToLower(c))
		case unicode.Is(unicode.Mn, c): // the accent of the letter before
		default:
			r.flush()
			r.boundary(c)
		}
		if len(r.words) >= maxRead {
			return r.words
		}
	}
	r.flush()
	return r.words
}

// clip cuts a long text at a rune.
func clip(text string) string {
	if len(text) <= maxText {
		return text
	}
	end := maxText
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

type reader struct {
	*tables
	words   []word
	seen    map[string]int // where a word stands
	chunk   strings.Builder
	depth   int  // of brackets
	outside bool // after "excluding"
	at      int  // the depth that "excluding" was read at
	aside   bool // after "including"
	skip    bool // after "non"
}

func (r *reader) boundary(c rune) {
	switch c {
	case '(', '[', '{':
		r.depth++
	case ')', ']', '}':
		r.depth = max(0, r.depth-1)
		if r.depth < r.at {
			r.outside, r.at = false, 0
		}
		r.aside = false
	case ',', ';', ':', '|':
		if r.at == r.depth {
			r.outside = false
		}
		r.aside = false
	}
}

// flush takes the letters that were gathered: first as they stand, with their dots and ampersands, then piece by piece.
func (r *reader) flush() {
	chunk := strings.Trim(strings.ReplaceAll(r.chunk.String(), "’", "'"), "'.&")
	r.chunk.Reset()
	if chunk == "" {
		return
	}
	if read, ok := r.spellings[chunk]; ok {
		r.add(read, chunk)
		return
	}
	for _, piece := range strings.FieldsFunc(chunk, func(c rune) bool { return c == '.' || c == '&' }) {
		r.add(r.spell(strings.ReplaceAll(strings.TrimSuffix(piece, "'s"), "'", "")), piece)
	}
}

// spell gives the words that a piece of a text is read as.
func (t *tables) spell(piece string) []string {
	if read, ok := t.spellings[piece]; ok {
		return read
	}
	one := stem(piece)
	if read, ok := t.spellings[one]; ok {
		return read
	}
	return []string{one}
}

func (r *reader) add(words []string, written string) {
	for _, w := range words {
		switch {
		case r.stop[w]:
		case w == "excluding" || w == "except" || w == "not":
			r.outside, r.at = true, r.depth
		case w == "including":
			r.aside = true
		case w == "non":
			r.skip = true
		case utf8.RuneCountInString(w) < 2 || utf8.RuneCountInString(w) > maxWord || strings.ContainsFunc(w, unicode.IsDigit):
		case r.skip:
			r.skip = false
		case r.outside:
		default:
			r.put(word{w, written, r.aside || r.depth > 0})
		}
	}
}

func (r *reader) put(w word) {
	if i, ok := r.seen[w.text]; ok {
		r.words[i].aside = r.words[i].aside && w.aside
		return
	}
	r.seen[w.text] = len(r.words)
	r.words = append(r.words, w)
}

// stem makes a plural singular, and touches nothing else: "training" is not a train.
func stem(w string) string {
	switch {
	case len(w) <= 3 || !strings.HasSuffix(w, "s") || strings.HasSuffix(w, "ss") || strings.HasSuffix(w, "us") || strings.HasSuffix(w, "is"):
		return w
	case strings.HasSuffix(w, "ies") && len(w) > 4:
		return w[:len(w)-3] + "y"
	case strings.HasSuffix(w, "sses"), strings.HasSuffix(w, "xes"), strings.HasSuffix(w, "ches"), strings.HasSuffix(w, "shes"), w == "buses", w == "minibuses":
		return w[:len(w)-2]
	}
	return w[:len(w)-1]
}
