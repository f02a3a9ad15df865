package match

import (
	"fmt"
	"slices"

	"carbongraph/internal/exact"
)

// exclusion tells why a line is not a purchase, or nil. A phrase of a purchase that holds the excluding words and more is stronger: "payroll service" is bought.
func (x *Index) exclusion(q *question, found []hit) *Exclusion {
	var best *exclusion
	var words []int
	for i := range x.exclusions {
		e := &x.exclusions[i]
		at := q.places(e.phrase)
		if at == nil || len(at) <= len(words) || slices.ContainsFunc(e.unless, q.has) {
			continue
		}
		if slices.ContainsFunc(found, func(h hit) bool { return len(h.words) > len(at) && within(at, h.words) }) {
			continue
		}
		best, words = e, at
	}
	if best == nil {
		return nil
	}
	confidence := exact.NewDecimal(95, -2)
	if slices.ContainsFunc(found, func(h hit) bool { return !within(h.words, words) }) {
		confidence = exact.NewDecimal(85, -2)
	}
	return &Exclusion{Confidence: confidence, Reason: fmt.Sprintf("%s (%s in the text).", best.reason, q.quoted(best.phrase))}
}

// places tells where the words of a phrase stand, or nil where one is missing. The supplier's name excludes nothing.
func (q *question) places(phrase []string) (out []int) {
	for _, w := range phrase {
		i, ok := q.place[w]
		if !ok || q.words[i].field == inSupplier {
			return nil
		}
		out = append(out, i)
	}
	return out
}
