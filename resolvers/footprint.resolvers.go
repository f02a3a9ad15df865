package resolvers

import (
	"carbongraph/graph/generated"
	"carbongraph/graph/model"
	"carbongraph/resolvers/loaders"
	"carbongraph/store"
	"context"
)

// Supplier gives the group's supplier.
func (r *footprintRowResolver) Supplier(ctx context.Context, obj *store.FootprintRow) (*store.Supplier, error) {
	return loaders.FootprintRowSupplier.Of(ctx, obj)
}

// Dataset gives the group's dataset.
func (r *footprintRowResolver) Dataset(ctx context.Context, obj *store.FootprintRow) (*store.FactorDataset, error) {
	return loaders.FootprintRowDataset.Of(ctx, obj)
}

// Factor gives the group's factor.
func (r *footprintRowResolver) Factor(ctx context.Context, obj *store.FootprintRow) (*store.EmissionFactor, error) {
	return loaders.FootprintRowFactor.Of(ctx, obj)
}

// Footprint gives sums over emissions, by group.
func (r *queryResolver) Footprint(ctx context.Context, first *int32, after *string, filter *store.EmissionFilter, groupBy []store.FootprintDimension, orderBy *store.FootprintOrder) (*model.Summed[store.FootprintRow], error) {
	c, err := r.tenant(ctx).Footprint(ctx, filter, groupBy, loaders.Given(orderBy), store.Page{First: first, After: after})
	if err != nil {
		return nil, err
	}
	loaders.Page(ctx, c)
	return &model.FootprintConnection{
		Connection: c,
		Count:      func(ctx context.Context) (int, error) { return r.tenant(ctx).CountFootprint(ctx, filter, groupBy) },
		Sum:        r.totals(ctx, filter),
	}, nil
}

func (r *Resolver) FootprintRow() generated.FootprintRowResolver { return &footprintRowResolver{r} }

type footprintRowResolver struct{ *Resolver }
