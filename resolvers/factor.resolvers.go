package resolvers

import (
	"carbongraph/graph/generated"
	"carbongraph/graph/model"
	"carbongraph/resolvers/loaders"
	"carbongraph/store"
	"context"
)

// Dataset gives the dataset that the factor is from.
func (r *emissionFactorResolver) Dataset(ctx context.Context, obj *store.EmissionFactor) (*store.FactorDataset, error) {
	return loaders.EmissionFactorDataset.Of(ctx, obj)
}

// SupersededBy gives the same factor of a later dataset.
func (r *emissionFactorResolver) SupersededBy(ctx context.Context, obj *store.EmissionFactor) (*store.EmissionFactor, error) {
	return loaders.EmissionFactorSupersededBy.Of(ctx, obj)
}

// Supersedes gives the release before this one.
func (r *factorDatasetResolver) Supersedes(ctx context.Context, obj *store.FactorDataset) (*store.FactorDataset, error) {
	return loaders.FactorDatasetSupersedes.Of(ctx, obj)
}

// EmissionFactors gives a page of factors.
func (r *queryResolver) EmissionFactors(ctx context.Context, first *int32, after *string, last *int32, before *string, filter *store.EmissionFactorFilter, orderBy *store.EmissionFactorOrder) (*model.Connection[store.EmissionFactor], error) {
	c, err := r.o.Store.Factors(ctx, filter, loaders.Given(orderBy), store.Page{First: first, After: after, Last: last, Before: before})
	return page(ctx, c, err, func(ctx context.Context) (int, error) { return r.o.Store.CountFactors(ctx, filter) })
}

// FactorDatasets gives every dataset that is loaded.
func (r *queryResolver) FactorDatasets(ctx context.Context) ([]*store.FactorDataset, error) {
	all, err := r.o.Store.Datasets(ctx)
	if err != nil {
		return nil, err
	}
	loaders.Rows(ctx, all)
	return all, nil
}

func (r *Resolver) EmissionFactor() generated.EmissionFactorResolver {
	return &emissionFactorResolver{r}
}

func (r *Resolver) FactorDataset() generated.FactorDatasetResolver { return &factorDatasetResolver{r} }

type (
	emissionFactorResolver struct{ *Resolver }
	factorDatasetResolver  struct{ *Resolver }
)
