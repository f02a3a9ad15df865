package resolvers

import (
	"carbongraph/graph/generated"
	"carbongraph/graph/model"
	"carbongraph/internal/batch"
	"carbongraph/internal/fault"
	"carbongraph/resolvers/loaders"
	"carbongraph/store"
	"context"
)

// UpsertSuppliers stores suppliers.
func (r *mutationResolver) UpsertSuppliers(ctx context.Context, input model.UpsertSuppliersInput) (*model.UpsertSuppliersPayload, error) {
	if err := tooMany("suppliers", len(input.Suppliers), maxItems); err != nil {
		return nil, err
	}
	items, err := r.o.Importer.Suppliers(ctx, r.tenant(ctx), input.Suppliers,
		batch.Flags{DryRun: input.DryRun, Mode: input.Mode, Key: loaders.Given(input.IdempotencyKey)})
	if err != nil {
		return nil, ofInput(err)
	}
	out := &model.UpsertSuppliersPayload{Results: make([]model.UpsertSupplierResult, len(items))}
	stored := make([]*store.Supplier, 0, len(items))
	for i, it := range items {
		if it.Supplier != nil {
			stored = append(stored, it.Supplier)
		}
		out.Add(it.Status)
		out.Results[i] = model.UpsertSupplierResult{Index: i, ExternalID: it.ExternalID, Status: it.Status, Supplier: it.Supplier, Error: itemProblem(it.Problem, "suppliers", i)}
	}
	loaders.Rows(ctx, stored, "results", "supplier")
	return out, nil
}

// Supplier gives one supplier.
func (r *queryResolver) Supplier(ctx context.Context, id *store.GlobalID, externalID *string) (*store.Supplier, error) {
	if (id == nil) == (externalID == nil) {
		return nil, fault.New(fault.BadUserInput, "Pass exactly one of id and externalId.")
	}
	var found *store.Supplier
	var err error
	switch {
	case externalID != nil:
		found, err = loaders.SuppliersByExternalID.Now(ctx, *externalID)
	case id.Kind == store.KindSupplier:
		found, err = loaders.Suppliers.Now(ctx, id.Row)
	}
	if err != nil || found == nil {
		return nil, err
	}
	loaders.Rows(ctx, []*store.Supplier{found})
	return found, nil
}

// Suppliers gives a page of the organization's suppliers.
func (r *queryResolver) Suppliers(ctx context.Context, first *int32, after *string, last *int32, before *string, filter *store.SupplierFilter, orderBy *store.SupplierOrder) (*model.Connection[store.Supplier], error) {
	c, err := r.tenant(ctx).Suppliers(ctx, filter, loaders.Given(orderBy), store.Page{First: first, After: after, Last: last, Before: before})
	return page(ctx, c, err, func(ctx context.Context) (int, error) { return r.tenant(ctx).CountSuppliers(ctx, filter) })
}

// Activities gives a page of the lines that name the supplier.
func (r *supplierResolver) Activities(ctx context.Context, obj *store.Supplier, first *int32, after *string, last *int32, before *string, filter *store.ActivityFilter, orderBy *store.ActivityOrder) (*model.Connection[store.Activity], error) {
	c, err := loaders.SupplierActivities.Of(ctx, obj, loaders.ActivityPage{Page: store.Page{First: first, After: after, Last: last, Before: before}, Filter: filter, OrderBy: orderBy})
	if err != nil {
		return nil, err
	}
	return &model.ActivityConnection{Connection: c, Count: func(ctx context.Context) (int, error) {
		n, err := loaders.Of(ctx, loaders.ActivityCounts.Read, obj.GlobalID(), loaders.ActivityCount{Filter: filter})
		if err != nil {
			return 0, err
		}
		return *n, nil
	}}, nil
}

// Emissions gives a page of the emissions of lines that name the supplier.
func (r *supplierResolver) Emissions(ctx context.Context, obj *store.Supplier, first *int32, after *string, last *int32, before *string, filter *store.EmissionFilter, orderBy *store.EmissionOrder) (*model.Summed[store.Emission], error) {
	page, err := loaders.SupplierEmissions.Of(ctx, obj, loaders.EmissionPage{Page: store.Page{First: first, After: after, Last: last, Before: before}, Filter: filter, OrderBy: orderBy})
	return childEmissions(obj.GlobalID(), filter, page, err)
}

// Footprint gives sums over the supplier's emissions.
func (r *supplierResolver) Footprint(ctx context.Context, obj *store.Supplier, filter *store.EmissionFilter) (*store.FootprintTotals, error) {
	return loaders.SupplierFootprint.Of(ctx, obj, loaders.EmissionSum{Filter: filter})
}

func (r *Resolver) Supplier() generated.SupplierResolver { return &supplierResolver{r} }

type supplierResolver struct{ *Resolver }
