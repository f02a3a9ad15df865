package broker

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"carbongraph/internal/exact"
)

// Datasets is the source over the stored datasets: factors whose name is the line's description, or whose code is the line's code of a classification. It goes
// down the chain by region: of the part of the country, the country, the world, elsewhere.
type Datasets struct{ index *Index }

// maxAnswers is how many factors a source gives for a question.
const maxAnswers = 10

// How sure a text that is the same is. The same code may stand in two classifications, and the same name for two things.
var (
	byName = exact.NewDecimal(95, -2)
	byCode = exact.NewDecimal(9, -1)
)

// NewDatasets makes the source over an index.
func NewDatasets(index *Index) *Datasets { return &Datasets{index} }

// Name is "datasets".
func (*Datasets) Name() string { return "datasets" }

// Tier is Regional: no stored factor is of a supplier's own product.
func (*Datasets) Tier() Tier { return Regional }

// Look is LookMany for one.
func (s *Datasets) Look(ctx context.Context, q Question) (Found, error) {
	found, err := s.LookMany(ctx, []Question{q})
	if err != nil {
		return Found{}, err
	}
	return found[0], nil
}

// LookMany finds the factors that are named as the lines are.
func (s *Datasets) LookMany(ctx context.Context, qs []Question) ([]Found, error) {
	in, err := s.index.now(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Found, len(qs))
	for i, q := range qs {
		out[i] = in.named(q)
	}
	return out, nil
}

func (in *indexed) named(q Question) Found {
	var found Found
	names, codes := in.byName[fold(q.Description)], in.byCode[fold(q.Code)]
	if q.Description == "" {
		names = nil
	}
	if q.Code == "" {
		codes = nil
	}
	for _, f := range slices.Concat(names, codes) {
		if slices.ContainsFunc(found.Answers, func(a Answer) bool { return a.FactorID == f.ID }) {
			continue
		}
		if !f.fits(q) {
			found.Unfit++
			continue
		}
		confidence, what := byName, "name"
		switch {
		case slices.Contains(names, f) && slices.Contains(codes, f):
			confidence, what = one, "name and code"
		case slices.Contains(codes, f):
			confidence, what = byCode, "code"
		}
		found.Answers = append(found.Answers, f.answer(q, confidence, fmt.Sprintf("The same %s in %s %s.", what, f.Source, f.Version)))
	}
	found.Answers = ranked(found.Answers)
	found.Answers = found.Answers[:min(len(found.Answers), maxAnswers)]
	return found
}

// answer places the factor for a question. One of another year is a proxy, and says so.
func (f *Factor) answer(q Question, confidence exact.Decimal, reason string) Answer {
	a := Answer{FactorID: f.ID, Region: f.Region, Confidence: confidence, Reason: reason, Tier: TierOf(q, f.Region, confidence)}
	if !f.inTime(q) {
		a.Tier, a.Reason = Proxy, strings.TrimSpace(reason+" "+f.years())
	}
	return a
}

// years says in words which years the factor is for.
func (f *Factor) years() string {
	switch {
	case f.ValidFrom == nil:
		return fmt.Sprintf("It is for the years to %d.", f.ValidTo.Year())
	case f.ValidTo == nil:
		return fmt.Sprintf("It is for the years from %d.", f.ValidFrom.Year())
	case f.ValidFrom.Year() == f.ValidTo.Year():
		return fmt.Sprintf("It is for the year %d.", f.ValidFrom.Year())
	}
	return fmt.Sprintf("It is for the years %d to %d.", f.ValidFrom.Year(), f.ValidTo.Year())
}
