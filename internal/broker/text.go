package broker

import (
	"context"

	"carbongraph/internal/exact"
	"carbongraph/store"
)

// Matcher finds the factors that the words of a question may mean, best first: text matching, in the process.
type Matcher interface {
	Match(ctx context.Context, q Question, n int) ([]Candidate, error)
}

// Candidate is a factor that may be meant.
type Candidate struct {
	FactorID   store.ID
	Confidence exact.Decimal // from 0 to 1
	Reason     string
}

// Text is the source over a matcher.
type Text struct {
	index *Index
	match Matcher
}

// NewText makes the source over a matcher of the index's factors.
func NewText(index *Index, m Matcher) *Text { return &Text{index, m} }

// The names of the sources that decide by words and by a language model.
const (
	TextMatch  = "text-match"
	ModelMatch = "language-model"
)

// Name is TextMatch.
func (*Text) Name() string { return TextMatch }

// Tier is Regional, for words that are sure.
func (*Text) Tier() Tier { return Regional }

// Look gives the best candidates.
func (s *Text) Look(ctx context.Context, q Question) (Found, error) {
	candidates, factors, found, err := candidates(ctx, s.index, s.match, q, maxAnswers)
	for i, c := range candidates {
		found.Answers = append(found.Answers, factors[i].answer(q, c.Confidence, c.Reason))
	}
	return found, err
}

// candidates gives those of a matcher's candidates that exist and fit, with their factors. The others are counted.
func candidates(ctx context.Context, index *Index, m Matcher, q Question, n int) ([]Candidate, []*Factor, Found, error) {
	var found Found
	in, err := index.now(ctx)
	if err != nil {
		return nil, nil, found, err
	}
	all, err := m.Match(ctx, q, n)
	if err != nil {
		return nil, nil, found, err
	}
	var fit []Candidate
	var factors []*Factor
	for _, c := range all[:min(len(all), n)] {
		f := in.byID[c.FactorID]
		switch {
		case f == nil:
			found.Hallucinated++
		case f.Superseded || !f.fits(q):
			found.Unfit++
		default:
			fit, factors = append(fit, c), append(factors, f)
		}
	}
	return fit, factors, found, nil
}
