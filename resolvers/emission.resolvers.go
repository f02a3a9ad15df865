package resolvers

import (
	"carbongraph/graph/generated"
	"carbongraph/graph/model"
	"carbongraph/internal/auth"
	"carbongraph/resolvers/loaders"
	"carbongraph/store"
	"context"
)

// Activity gives the line that was calculated.
func (r *emissionResolver) Activity(ctx context.Context, obj *store.Emission) (*store.Activity, error) {
	return loaders.EmissionActivity.Of(ctx, obj)
}

// Supplier gives who the line was bought from.
func (r *emissionResolver) Supplier(ctx context.Context, obj *store.Emission) (*store.Supplier, error) {
	return loaders.EmissionSupplier.Of(ctx, obj)
}

// Factor gives the factor that was used.
func (r *emissionResolver) Factor(ctx context.Context, obj *store.Emission) (*store.EmissionFactor, error) {
	return loaders.EmissionFactor.Of(ctx, obj)
}

// Run gives the import or recalculation that the emission is part of.
func (r *emissionResolver) Run(ctx context.Context, obj *store.Emission) (*store.CalculationRun, error) {
	return loaders.EmissionRun.Of(ctx, obj)
}

// Emissions gives a page of the organization's emissions.
func (r *queryResolver) Emissions(ctx context.Context, first *int32, after *string, last *int32, before *string, filter *store.EmissionFilter, orderBy *store.EmissionOrder) (*model.Summed[store.Emission], error) {
	c, err := r.tenant(ctx).Emissions(ctx, filter, loaders.Given(orderBy), store.Page{First: first, After: after, Last: last, Before: before})
	if err != nil {
		return nil, err
	}
	loaders.Page(ctx, c)
	return emissionPage(c, r.totals(ctx, filter)), nil
}

// CalculationRuns gives a page of the organization's runs.
func (r *queryResolver) CalculationRuns(ctx context.Context, first *int32, after *string, last *int32, before *string) (*model.Connection[store.CalculationRun], error) {
	c, err := r.tenant(ctx).CalculationRuns(ctx, store.Page{First: first, After: after, Last: last, Before: before})
	return page(ctx, c, err, r.tenant(ctx).CountCalculationRuns)
}

// CalculationRunProgress gives the run now and at each change, until it has ended.
func (r *subscriptionResolver) CalculationRunProgress(ctx context.Context, id store.GlobalID) (<-chan *store.CalculationRun, error) {
	return r.runs.follow(ctx, auth.From(ctx).Org, id)
}

func (r *Resolver) CalculationRun() generated.CalculationRunResolver {
	return &calculationRunResolver{r}
}

func (r *Resolver) Emission() generated.EmissionResolver { return &emissionResolver{r} }

type (
	calculationRunResolver struct{ *Resolver }
	emissionResolver       struct{ *Resolver }
)
