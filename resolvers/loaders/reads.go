package loaders

import (
	"context"

	"github.com/graph-gophers/dataloader/v7"

	"carbongraph/store"
)

// Reads by key.
var (
	Suppliers = byKey("supplier", func(ctx context.Context, from Ledger, ids []store.ID) ([]*store.Supplier, error) {
		return from.Tenant.SuppliersByID(ctx, ids)
	}, func(s *store.Supplier) store.ID { return s.ID })
	SuppliersByExternalID = byKey("supplier-external", func(ctx context.Context, from Ledger, ids []string) ([]*store.Supplier, error) {
		return from.Tenant.SuppliersByExternalID(ctx, ids)
	}, func(s *store.Supplier) string { return *s.ExternalID })
	Activities = byKey("activity", func(ctx context.Context, from Ledger, ids []store.ID) ([]*store.Activity, error) {
		return from.Tenant.ActivitiesByID(ctx, ids)
	}, func(a *store.Activity) store.ID { return a.ID })
	Emissions = byKey("emission", func(ctx context.Context, from Ledger, ids []store.ID) ([]*store.Emission, error) {
		return from.Tenant.EmissionsByID(ctx, ids)
	}, func(e *store.Emission) store.ID { return e.ID })
	CurrentEmissions = byKey("current-emission", func(ctx context.Context, from Ledger, activities []store.ID) ([]*store.Emission, error) {
		return from.Tenant.CurrentEmissions(ctx, activities)
	}, func(e *store.Emission) store.ID { return e.ActivityID })
	Runs = byKey("run", func(ctx context.Context, from Ledger, ids []store.ID) ([]*store.CalculationRun, error) {
		return from.Tenant.RunsByID(ctx, ids)
	}, func(r *store.CalculationRun) store.ID { return r.ID })
	Keys = byKey("key", func(ctx context.Context, from Ledger, ids []store.ID) ([]*store.APIKey, error) {
		return from.Tenant.APIKeysByID(ctx, ids)
	}, func(k *store.APIKey) store.ID { return k.ID })
	Factors = byKey("factor", func(ctx context.Context, from Ledger, ids []store.ID) ([]*store.EmissionFactor, error) {
		return from.Store.FactorsByID(ctx, ids)
	}, func(f *store.EmissionFactor) store.ID { return f.ID })
	Datasets = byKey("dataset", func(ctx context.Context, from Ledger, ids []store.ID) ([]*store.FactorDataset, error) {
		return from.Store.DatasetsByID(ctx, ids)
	}, func(d *store.FactorDataset) store.ID { return d.ID })
	// Organizations knows the viewer's own alone: every other does not exist.
	Organizations = byKey("organization", func(ctx context.Context, from Ledger, ids []store.ID) ([]*store.Organization, error) {
		for _, id := range ids {
			if id == from.Tenant.ID() {
				o, err := from.Tenant.Organization(ctx)
				return []*store.Organization{o}, err
			}
		}
		return nil, nil
	}, func(o *store.Organization) store.ID { return o.ID })
	// Successors gives what supersedes each factor.
	Successors = &Read[store.ID, *store.EmissionFactor]{"factor-successor", func(ctx context.Context, from Ledger, ids []store.ID) []*dataloader.Result[*store.EmissionFactor] {
		found, err := from.Store.SupersededBy(ctx, ids)
		out := failed[*store.EmissionFactor](len(ids), err)
		for i, id := range ids {
			out[i].Data = found[id]
		}
		return out
	}}
)

// Reads by parent.
var (
	EmissionPages = byParent("emissions", func(ctx context.Context, from Ledger, parents []store.GlobalID, a *EmissionPage) ([]*store.Connection[store.Emission], error) {
		return from.Tenant.EmissionsOf(ctx, parents, a.Filter, Given(a.OrderBy), a.Page)
	})
	ActivityPages = byParent("activities", func(ctx context.Context, from Ledger, parents []store.GlobalID, a *ActivityPage) ([]*store.Connection[store.Activity], error) {
		return from.Tenant.ActivitiesOf(ctx, parents, a.Filter, Given(a.OrderBy), a.Page)
	})
	HistoryPages = byParent("history", func(ctx context.Context, from Ledger, parents []store.GlobalID, a *HistoryPage) ([]*store.Connection[store.Emission], error) {
		newestFirst := store.EmissionOrder{Field: store.EmissionsByCalculatedAt, Direction: store.Desc}
		return from.Tenant.EmissionsOf(ctx, parents, EveryCalculation(), newestFirst, a.Page)
	})
	EmissionSums = byParent("emission-sums", func(ctx context.Context, from Ledger, parents []store.GlobalID, a *EmissionSum) ([]*store.FootprintTotals, error) {
		return from.Tenant.EmissionTotalsOf(ctx, parents, a.Filter)
	})
	ActivityCounts = byParent("activity-counts", func(ctx context.Context, from Ledger, parents []store.GlobalID, a *ActivityCount) ([]int, error) {
		return from.Tenant.CountActivitiesOf(ctx, parents, a.Filter)
	})
)
