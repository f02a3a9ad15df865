package resolvers

import (
	"carbongraph/graph/generated"
	"carbongraph/graph/model"
	"carbongraph/internal/auth"
	"carbongraph/internal/batch"
	"carbongraph/internal/fault"
	"carbongraph/resolvers/loaders"
	"carbongraph/store"
	"context"
)

// Run gives the run that the batch makes.
func (r *batchResolver) Run(ctx context.Context, obj *store.Batch) (*store.CalculationRun, error) {
	return loaders.BatchRun.Of(ctx, obj)
}

// Failures gives a page of the lines that a batch did not store.
func (r *batchResolver) Failures(ctx context.Context, obj *store.Batch, first *int32, after *string) (*model.Connection[store.BatchFailure], error) {
	c, err := loaders.BatchFailures.Of(ctx, obj, loaders.FailurePage{Page: store.Page{First: first, After: after}})
	if err != nil {
		return nil, err
	}
	return &model.BatchFailureConnection{Connection: c, Count: func(ctx context.Context) (int, error) {
		n, err := loaders.Of(ctx, loaders.FailureCounts.Read, obj.GlobalID(), loaders.FailureCount{})
		if err != nil {
			return 0, err
		}
		return *n, nil
	}}, nil
}

// Differences gives a page of what a recalculation changed.
func (r *calculationRunResolver) Differences(ctx context.Context, obj *store.CalculationRun, first *int32, after *string, groupBy store.FootprintDimension) (*model.Connection[store.RunDifference], error) {
	c, err := loaders.CalculationRunDifferences.Of(ctx, obj, loaders.DifferencePage{Page: store.Page{First: first, After: after}, GroupBy: groupBy})
	if err != nil {
		return nil, err
	}
	return &model.RunDifferenceConnection{Connection: c, Count: func(ctx context.Context) (int, error) {
		n, err := loaders.Of(ctx, loaders.DifferenceCounts.Read, obj.GlobalID(), loaders.DifferenceCount{GroupBy: groupBy})
		if err != nil {
			return 0, err
		}
		return *n, nil
	}}, nil
}

// StartRecalculation stores what is to be calculated anew; it is done in the background.
func (r *mutationResolver) StartRecalculation(ctx context.Context, input model.StartRecalculationInput) (*model.BatchPayload, error) {
	datasets, err := rowsOf(input.DatasetIds, store.KindFactorDataset)
	if err != nil {
		return nil, fault.New(fault.NotFound, "There is no dataset with one of these ids.").At("input", "datasetIds")
	}
	b, err := r.o.Importer.StartRecalculation(ctx, r.tenant(ctx), batch.Recalculation{Reason: input.Reason, Filter: input.Filter, GwpSet: input.GwpSet,
		Datasets: datasets, Preview: input.Preview, Actor: auth.From(ctx).KeyName,
		Key: loaders.Given(input.IdempotencyKey)})
	if err != nil {
		return nil, ofInput(err)
	}
	r.o.Begun()
	return r.batch(ctx, b.ID)
}

// StartExport stores what is to be written to a file; it is done in the background.
func (r *mutationResolver) StartExport(ctx context.Context, input model.StartExportInput) (*model.BatchPayload, error) {
	b, err := r.o.Importer.StartExport(ctx, r.tenant(ctx), batch.Export{What: input.What, Format: input.Format, Activities: input.ActivityFilter,
		Emissions: input.EmissionFilter, Actor: auth.From(ctx).KeyName, Key: loaders.Given(input.IdempotencyKey)})
	if err != nil {
		return nil, ofInput(err)
	}
	r.o.Begun()
	return r.batch(ctx, b.ID)
}

// CancelBatch has a batch stop.
func (r *mutationResolver) CancelBatch(ctx context.Context, id store.GlobalID) (*model.BatchPayload, error) {
	if id.Kind != store.KindBatch {
		return nil, fault.New(fault.NotFound, "There is no batch with this id.").At("id")
	}
	if err := r.tenant(ctx).CancelBatch(ctx, id.Row); err != nil {
		return nil, err
	}
	r.o.Begun()
	return r.batch(ctx, id.Row)
}

// Batches gives a page of the organization's work in the background.
func (r *queryResolver) Batches(ctx context.Context, first *int32, after *string, last *int32, before *string, filter *store.BatchFilter) (*model.Connection[store.Batch], error) {
	c, err := r.tenant(ctx).Batches(ctx, filter, store.Page{First: first, After: after, Last: last, Before: before})
	return page(ctx, c, err, func(ctx context.Context) (int, error) { return r.tenant(ctx).CountBatches(ctx, filter) })
}

// BatchProgress gives the batch now and at each step, until it has ended.
func (r *subscriptionResolver) BatchProgress(ctx context.Context, id store.GlobalID) (<-chan *store.Batch, error) {
	return r.batches.follow(ctx, auth.From(ctx).Org, id)
}

func (r *Resolver) Batch() generated.BatchResolver { return &batchResolver{r} }

type batchResolver struct{ *Resolver }
