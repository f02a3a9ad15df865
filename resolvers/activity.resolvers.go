package resolvers

import (
	"carbongraph/graph/generated"
	"carbongraph/graph/model"
	"carbongraph/internal/batch"
	"carbongraph/resolvers/loaders"
	"carbongraph/store"
	"context"
	"strconv"
)

// Supplier gives who the line was bought from.
func (r *activityResolver) Supplier(ctx context.Context, obj *store.Activity) (*store.Supplier, error) {
	return loaders.ActivitySupplier.Of(ctx, obj)
}

// Emission gives the current calculation.
func (r *activityResolver) Emission(ctx context.Context, obj *store.Activity) (*store.Emission, error) {
	return loaders.ActivityEmission.Of(ctx, obj)
}

// History gives every calculation of the line, newest first.
func (r *activityResolver) History(ctx context.Context, obj *store.Activity, first *int32, after *string) (*model.Summed[store.Emission], error) {
	page, err := loaders.ActivityHistory.Of(ctx, obj, loaders.HistoryPage{Page: store.Page{First: first, After: after}})
	return childEmissions(obj.GlobalID(), loaders.EveryCalculation(), page, err)
}

// DeleteActivities deletes lines of the ledger.
func (r *mutationResolver) DeleteActivities(ctx context.Context, input model.DeleteActivitiesInput) (*model.DeleteActivitiesPayload, error) {
	if err := tooMany("externalIds", len(input.ExternalIds), maxItems); err != nil {
		return nil, err
	}
	problems, err := r.o.Importer.Delete(ctx, r.tenant(ctx), input.ExternalIds, loaders.Given(input.IdempotencyKey))
	if err != nil {
		return nil, ofInput(err)
	}
	out := &model.DeleteActivitiesPayload{Errors: []store.Problem{}}
	for i, p := range problems {
		if p == nil {
			out.Deleted++
			continue
		}
		out.Errors = append(out.Errors, store.Problem{Code: p.Code, Message: p.Message, Path: append([]string{"input", "externalIds", strconv.Itoa(i)}, p.Path...)})
	}
	return out, nil
}

// ImportActivities stores and calculates lines of the ledger.
func (r *mutationResolver) ImportActivities(ctx context.Context, input model.ImportActivitiesInput) (*model.ImportActivitiesPayload, error) {
	if err := tooMany("activities", len(input.Activities), maxItems); err != nil {
		return nil, err
	}
	items, err := r.o.Importer.Activities(ctx, r.tenant(ctx), input.Activities, batch.Flags{DryRun: input.DryRun, Calculate: input.Calculate,
		Mode: input.Mode, Key: loaders.Given(input.IdempotencyKey)})
	if err != nil {
		return nil, ofInput(err)
	}
	out := &model.ImportActivitiesPayload{Results: make([]model.ImportActivityResult, len(items))}
	stored := make([]*store.Activity, 0, len(items))
	for i, it := range items {
		if it.Activity != nil {
			stored = append(stored, it.Activity)
		}
		out.Add(it.Status)
		out.Results[i] = model.ImportActivityResult{Index: i, ExternalID: it.ExternalID, Status: it.Status, Activity: it.Activity, Error: itemProblem(it.Problem, "activities", i)}
	}
	loaders.Rows(ctx, stored, "results", "activity")
	return out, nil
}

// Activities gives a page of the ledger's lines.
func (r *queryResolver) Activities(ctx context.Context, first *int32, after *string, last *int32, before *string, filter *store.ActivityFilter, orderBy *store.ActivityOrder) (*model.Connection[store.Activity], error) {
	c, err := r.tenant(ctx).Activities(ctx, filter, loaders.Given(orderBy), store.Page{First: first, After: after, Last: last, Before: before})
	return page(ctx, c, err, func(ctx context.Context) (int, error) { return r.tenant(ctx).CountActivities(ctx, filter) })
}

func (r *Resolver) Activity() generated.ActivityResolver { return &activityResolver{r} }

type activityResolver struct{ *Resolver }
