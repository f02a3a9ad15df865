package resolvers

import (
	"carbongraph/graph/generated"
	"carbongraph/graph/model"
	"carbongraph/internal/fault"
	"carbongraph/internal/match"
	"carbongraph/resolvers/loaders"
	"carbongraph/store"
	"context"
)

// Factor gives what the lines are calculated with.
func (r *factorMappingResolver) Factor(ctx context.Context, obj *store.FactorMapping) (*store.EmissionFactor, error) {
	return loaders.FactorMappingFactor.Of(ctx, obj)
}

// Category gives the category of lines that have none of their own.
func (r *factorMappingResolver) Category(ctx context.Context, obj *store.FactorMapping) (*store.Category, error) {
	return loaders.FactorMappingCategory.Of(ctx, obj)
}

// SetFactorMappings stores what a person decided.
func (r *mutationResolver) SetFactorMappings(ctx context.Context, input model.SetFactorMappingsInput) (*model.SetFactorMappingsPayload, error) {
	if err := tooMany("mappings", len(input.Mappings), maxMappings); err != nil {
		return nil, err
	}
	items, err := r.o.Importer.Mappings(ctx, r.tenant(ctx), input.Mappings)
	if err != nil {
		return nil, err
	}
	out := &model.SetFactorMappingsPayload{Mappings: []*store.FactorMapping{}, Errors: []store.Problem{}}
	for i, it := range items {
		if it.Problem != nil {
			out.Errors = append(out.Errors, *itemProblem(it.Problem, "mappings", i))
		} else {
			out.Mappings = append(out.Mappings, it.Mapping)
		}
	}
	loaders.Rows(ctx, out.Mappings, "mappings")
	if input.Recalculate && len(out.Mappings) > 0 {
		if err := r.recalculateBy(ctx, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// FactorSuggestions gives the factors that a line may mean.
func (r *queryResolver) FactorSuggestions(ctx context.Context, description string, supplierName *string, country *string, unit *string, first *int32) ([]*model.FactorSuggestion, error) {
	n := int32(5) // where a client sends null
	if first != nil {
		n = *first
	}
	if n < 1 || n > maxSuggestions {
		return nil, fault.New(fault.BadUserInput, "\"first\" is %d; ask for 1 to %d suggestions.", n, maxSuggestions).At("first")
	}
	out, err := r.suggest(ctx, match.Line{Description: description, Supplier: loaders.Given(supplierName), Country: loaders.Given(country), Unit: loaders.Given(unit)}, int(n))
	if err != nil {
		return nil, err
	}
	factors, categories := make([]*store.EmissionFactor, len(out)), []*store.Category{}
	for i, s := range out {
		factors[i] = s.Factor
		if s.Category != nil {
			categories = append(categories, s.Category)
		}
	}
	loaders.Rows(ctx, factors, "factor")
	loaders.Rows(ctx, categories, "category")
	return out, nil
}

// FactorMappings gives a page of the organization's mappings.
func (r *queryResolver) FactorMappings(ctx context.Context, first *int32, after *string, last *int32, before *string, filter *store.FactorMappingFilter) (*model.Connection[store.FactorMapping], error) {
	c, err := r.tenant(ctx).FactorMappings(ctx, filter, store.Page{First: first, After: after, Last: last, Before: before})
	return page(ctx, c, err, func(ctx context.Context) (int, error) { return r.tenant(ctx).CountFactorMappings(ctx, filter) })
}

func (r *Resolver) FactorMapping() generated.FactorMappingResolver { return &factorMappingResolver{r} }

type factorMappingResolver struct{ *Resolver }
