package resolvers

import (
	"context"

	"carbongraph/graph/model"
	"carbongraph/internal/auth"
	"carbongraph/internal/broker"
	"carbongraph/internal/match"
	"carbongraph/store"
)

// suggest gives the factors that a line may mean, best first. Words are asked before anything else: they tell whether the line is a purchase at all, and which
// category it is of. Then the broker asks every source that there is; what only the words know comes last.
func (r *Resolver) suggest(ctx context.Context, line match.Line, n int) ([]*model.FactorSuggestion, error) {
	words, err := r.o.Matcher.Match(ctx, line, n)
	if err != nil || words.Exclusion != nil {
		return nil, err
	}
	of := map[store.ID]*match.Suggestion{}
	for i := range words.Suggestions {
		of[words.Suggestions[i].Factor.ID] = &words.Suggestions[i]
	}
	out, err := r.brokered(ctx, line, n, of)
	if err != nil {
		return nil, err
	}
	given := map[store.ID]bool{}
	for _, s := range out {
		given[s.Factor.ID] = true
	}
	for _, s := range words.Suggestions {
		if len(out) < n && !given[s.Factor.ID] {
			out = append(out, shown(s.Factor, &s, &model.FactorSuggestion{Confidence: s.Confidence, DecidedBy: store.ByTextMatch, Reason: s.Reason}))
		}
	}
	return out, nil
}

// brokered gives what the broker's sources answer; nothing where there is no broker.
func (r *Resolver) brokered(ctx context.Context, line match.Line, n int, of map[store.ID]*match.Suggestion) ([]*model.FactorSuggestion, error) {
	if r.o.Broker == nil {
		return nil, nil
	}
	answers := r.o.Broker.Ask(ctx, []broker.Question{{Organization: auth.From(ctx).Org, Description: line.Description, SupplierName: line.Supplier,
		Country: line.Country, Unit: line.Unit}})[0].Answers
	if ctx.Err() != nil {
		// The sources had no time to answer: what is there without them is not what was asked for.
		return nil, context.Cause(ctx)
	}
	answers = answers[:min(n, len(answers))]
	ids := make([]store.ID, len(answers))
	for i, a := range answers {
		ids[i] = a.FactorID
	}
	rows, err := r.o.Store.FactorsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	byID := map[store.ID]*store.EmissionFactor{}
	for _, f := range rows {
		byID[f.ID] = f
	}
	out := make([]*model.FactorSuggestion, 0, n)
	for _, a := range answers {
		if f := byID[a.FactorID]; f != nil {
			out = append(out, shown(f, of[f.ID], &model.FactorSuggestion{Confidence: a.Confidence, DecidedBy: a.DecidedBy(), Reason: a.Reason}))
		}
	}
	return out, nil
}

// shown completes a suggestion: the category is the one that the words tell, else the factor's own.
func shown(f *store.EmissionFactor, words *match.Suggestion, s *model.FactorSuggestion) *model.FactorSuggestion {
	s.Factor = f
	number := f.CategoryNumber
	if words != nil && words.Category != nil {
		number = words.Category
	}
	if number != nil {
		s.Category = store.CategoryByNumber(*number)
	}
	return s
}
