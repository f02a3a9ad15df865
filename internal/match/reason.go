package match

import (
	"fmt"
	"slices"
	"strings"

	"carbongraph/internal/calc"
	"carbongraph/internal/exact"
)

// suggestion puts a candidate in words.
func (x *Index) suggestion(q *question, c candidate, ranked []candidate) Suggestion {
	e := &x.entries[c.entry]
	s := Suggestion{entry: c.entry, Factor: e.factor, Category: x.category(q, c), Confidence: exact.NewDecimal(x.confidence(q, c, ranked), -2)}
	if c.phrase >= 0 {
		s.Reason = fmt.Sprintf("%s in the text means %q.", q.quoted(x.synonyms[c.phrase].phrase), e.factor.Name)
		return s
	}
	var shared []string
	for _, a := range q.words {
		if slices.Contains(e.words, a.text) {
			shared = append(shared, a.text)
		}
	}
	s.Reason = fmt.Sprintf("%s in the text is in the name %q.", q.quoted(shared), e.factor.Name)
	return s
}

// category is what the words of categories.csv say, else the factor's own, else that of the phrase, else 1 for what is bought with money.
func (x *Index) category(q *question, c candidate) *int32 {
	own := x.entries[c.entry].factor.CategoryNumber
	for _, told := range x.categories {
		if q.has(told.phrase) && (own == nil || told.category != capitalGoods) { // a factor that knows its category is of no capital good
			return new(told.category)
		}
	}
	switch {
	case own != nil:
		return own
	case c.phrase >= 0:
		return new(x.synonyms[c.phrase].category)
	case x.entries[c.entry].unit == calc.Money:
		return new(purchased)
	}
	return nil
}

// The categories that are named here.
const (
	purchased    int32 = 1
	capitalGoods int32 = 2
)

// confidence is in hundredths. It is the share of the text's words, by weight, that speak for the factor, on a scale set by hand; less for what stands on a
// name or the supplier alone, on a guess at a misspelt word, or beside another meaning that speaks nearly as loud.
func (x *Index) confidence(q *question, c candidate, ranked []candidate) int64 {
	var all, supplier int64
	guessed := false
	for _, a := range q.words {
		if a.field == inSupplier {
			supplier += a.weight
		} else {
			all += a.weight
			guessed = guessed || a.read
		}
	}
	confidence := 20 + 75*min(100, c.score*100/max(1, (all+supplier/4)*byPhrase))/100
	if c.phrase < 0 || !q.has(x.synonyms[c.phrase].phrase) {
		confidence = confidence * 8 / 10
	}
	if all == 0 {
		confidence = confidence * 6 / 10
	}
	if guessed {
		confidence = confidence * 9 / 10
	}
	for _, other := range ranked {
		if other.entry != c.entry && !together(c, other) {
			if other.score*100 >= c.score*90 {
				confidence -= 10
			}
			break
		}
	}
	return min(95, max(1, confidence))
}

// together tells whether two candidates are meanings of the same words: then one of them does not speak against the other.
func together(a, b candidate) bool { return a.phrase >= 0 && a.phrase == b.phrase }

// quoted gives the words of a phrase, in the order and the letters of the text.
func (q *question) quoted(phrase []string) string {
	var written, read []string
	misspelt := false
	for _, a := range q.words {
		if !slices.Contains(phrase, a.text) {
			continue
		}
		if len(written) == 0 || written[len(written)-1] != a.written { // one written word may be read as two
			written = append(written, a.written)
		}
		read = append(read, a.text)
		misspelt = misspelt || a.read
	}
	if misspelt {
		return fmt.Sprintf("'%s' (read as '%s')", strings.Join(written, " "), strings.Join(read, " "))
	}
	return "'" + strings.Join(written, " ") + "'"
}

// has tells whether the question has all words of a phrase, outside the supplier's name.
func (q *question) has(phrase []string) bool { return q.places(phrase) != nil }
