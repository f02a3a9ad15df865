package resolvers

import (
	"carbongraph/graph/generated"
	"carbongraph/graph/model"
	"carbongraph/resolvers/loaders"
	"carbongraph/store"
	"context"
)

// Emissions gives a page of the category's emissions.
func (r *categoryResolver) Emissions(ctx context.Context, obj *store.Category, first *int32, after *string, last *int32, before *string, filter *store.EmissionFilter, orderBy *store.EmissionOrder) (*model.Summed[store.Emission], error) {
	page, err := loaders.CategoryEmissions.Of(ctx, obj, loaders.EmissionPage{Page: store.Page{First: first, After: after, Last: last, Before: before}, Filter: filter, OrderBy: orderBy})
	return childEmissions(obj.GlobalID(), filter, page, err)
}

// Categories gives the 15 categories.
func (r *queryResolver) Categories(ctx context.Context) ([]*store.Category, error) {
	all := store.Categories()
	loaders.Rows(ctx, all)
	return all, nil
}

func (r *Resolver) Category() generated.CategoryResolver { return &categoryResolver{r} }

type categoryResolver struct{ *Resolver }
