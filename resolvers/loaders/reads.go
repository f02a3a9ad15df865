package loaders

import (
	"context"

	"carbongraph/graph/exec"
	"carbongraph/store"
)

// Reads by id.
var (
	Suppliers = byID(exec.Keyed[store.Supplier]{Name: "supplier", Needs: "ID", Key: func(s *store.Supplier) store.ID { return s.ID },
		Query: func(from Ledger, ids []store.ID, some store.Columns) *store.Select[store.Supplier] {
			return from.Tenant.SuppliersWith(ids, some)
		}})
	Activities = byID(exec.Keyed[store.Activity]{Name: "activity", Needs: "ID", Key: func(a *store.Activity) store.ID { return a.ID },
		Query: func(from Ledger, ids []store.ID, some store.Columns) *store.Select[store.Activity] {
			return from.Tenant.ActivitiesWith(ids, some)
		}})
	Emissions = byID(exec.Keyed[store.Emission]{Name: "emission", Needs: "ID", Key: func(e *store.Emission) store.ID { return e.ID },
		Query: func(from Ledger, ids []store.ID, some store.Columns) *store.Select[store.Emission] {
			return from.Tenant.EmissionsWith(ids, some)
		}})
	CurrentEmissions = byID(exec.Keyed[store.Emission]{Name: "current-emission", Needs: "ActivityID", Key: func(e *store.Emission) store.ID { return e.ActivityID },
		Query: func(from Ledger, activities []store.ID, some store.Columns) *store.Select[store.Emission] {
			return from.Tenant.CurrentEmissionsOf(activities, some)
		}})
	Runs = byID(exec.Keyed[store.CalculationRun]{Name: "run", Needs: "ID", Key: func(r *store.CalculationRun) store.ID { return r.ID },
		Query: func(from Ledger, ids []store.ID, some store.Columns) *store.Select[store.CalculationRun] {
			return from.Tenant.RunsWith(ids, some)
		}})
	Batches = byID(exec.Keyed[store.Batch]{Name: "batch", Needs: "ID", Key: func(b *store.Batch) store.ID { return b.ID },
		Query: func(from Ledger, ids []store.ID, some store.Columns) *store.Select[store.Batch] {
			return from.Tenant.BatchesWith(ids, some)
		}})
	Keys = byID(exec.Keyed[store.APIKey]{Name: "key", Needs: "ID", Key: func(k *store.APIKey) store.ID { return k.ID },
		Query: func(from Ledger, ids []store.ID, some store.Columns) *store.Select[store.APIKey] {
			return from.Tenant.APIKeysWith(ids, some)
		}})
	Mappings = byID(exec.Keyed[store.FactorMapping]{Name: "mapping", Needs: "ID", Key: func(m *store.FactorMapping) store.ID { return m.ID },
		Query: func(from Ledger, ids []store.ID, some store.Columns) *store.Select[store.FactorMapping] {
			return from.Tenant.FactorMappingsWith(ids, some)
		}})
	// Organizations knows the viewer's own alone: every other does not exist.
	Organizations = byID(exec.Keyed[store.Organization]{Name: "organization", Needs: "ID", Key: func(o *store.Organization) store.ID { return o.ID },
		Query: func(from Ledger, ids []store.ID, some store.Columns) *store.Select[store.Organization] {
			return from.Tenant.OrganizationsWith(ids, some)
		}})
	Factors = byID(exec.Keyed[store.EmissionFactor]{Name: "factor", Needs: "ID", Key: func(f *store.EmissionFactor) store.ID { return f.ID },
		Held: func(from Ledger, id store.ID) *store.EmissionFactor { return from.Store.HeldFactor(id) },
		Query: func(from Ledger, ids []store.ID, some store.Columns) *store.Select[store.EmissionFactor] {
			return from.Store.FactorsWith(ids, some)
		}})
	Datasets = byID(exec.Keyed[store.FactorDataset]{Name: "dataset", Needs: "ID", Key: func(d *store.FactorDataset) store.ID { return d.ID },
		Held: func(from Ledger, id store.ID) *store.FactorDataset { return from.Store.HeldDataset(id) },
		Query: func(from Ledger, ids []store.ID, some store.Columns) *store.Select[store.FactorDataset] {
			return from.Store.DatasetsWith(ids, some)
		}})
	// Successors gives what supersedes each factor.
	Successors = byID(exec.Keyed[store.EmissionFactor]{Name: "factor-successor",
		Query: func(from Ledger, ids []store.ID, some store.Columns) *store.Select[store.EmissionFactor] {
			return from.Store.SuccessorsOf(ids, some)
		}})
	// Predecessors gives what each dataset supersedes.
	Predecessors = byID(exec.Keyed[store.FactorDataset]{Name: "dataset-predecessor",
		Query: func(from Ledger, ids []store.ID, some store.Columns) *store.Select[store.FactorDataset] {
			return from.Store.PredecessorsOf(ids, some)
		}})
	// Categories are always in memory.
	Categories = byID(exec.Keyed[store.Category]{Name: "category", Held: func(_ Ledger, id store.ID) *store.Category {
		return store.CategoryByNumber(int32(store.Global(store.KindCategory, id).CategoryNumber()))
	}})
)

// SuppliersByExternalID reads by the key of the system that a supplier came from.
var SuppliersByExternalID = byKey("supplier-external", func(ctx context.Context, from Ledger, ids []string) ([]*store.Supplier, error) {
	return from.Tenant.SuppliersByExternalID(ctx, ids)
}, func(s *store.Supplier) string { return *s.ExternalID })

// Reads by parent.
var (
	EmissionPages = pages("emissions", func(from Ledger, kind store.Kind, parents []store.ID, a *EmissionPage, some store.Columns) (*store.Select[store.Emission], error) {
		return from.Tenant.EmissionPages(kind, parents, a.Filter, Given(a.OrderBy), a.Page, some)
	})
	ActivityPages = pages("activities", func(from Ledger, kind store.Kind, parents []store.ID, a *ActivityPage, some store.Columns) (*store.Select[store.Activity], error) {
		return from.Tenant.ActivityPages(kind, parents, a.Filter, Given(a.OrderBy), a.Page, some)
	})
	HistoryPages = pages("history", func(from Ledger, kind store.Kind, parents []store.ID, a *HistoryPage, some store.Columns) (*store.Select[store.Emission], error) {
		newestFirst := store.EmissionOrder{Field: store.EmissionsByCalculatedAt, Direction: store.Desc}
		return from.Tenant.EmissionPages(kind, parents, EveryCalculation(), newestFirst, a.Page, some)
	})
	DifferencePages = pages("differences", func(from Ledger, kind store.Kind, parents []store.ID, a *DifferencePage, some store.Columns) (*store.Select[store.RunDifference], error) {
		return from.Tenant.DifferencePages(kind, parents, a.GroupBy, a.Page, some)
	})
	DifferenceCounts = sums("difference-counts", func(from Ledger, kind store.Kind, parents []store.ID, a *DifferenceCount) (*store.Select[int], error) {
		return from.Tenant.DifferenceCounts(kind, parents, a.GroupBy)
	})
	FailurePages = pages("failures", func(from Ledger, kind store.Kind, parents []store.ID, a *FailurePage, some store.Columns) (*store.Select[store.BatchFailure], error) {
		return from.Tenant.FailurePages(kind, parents, a.Page, some)
	})
	FailureCounts = sums("failure-counts", func(from Ledger, kind store.Kind, parents []store.ID, _ *FailureCount) (*store.Select[int], error) {
		return from.Tenant.FailureCounts(kind, parents)
	})
	EmissionSums = sums("emission-sums", func(from Ledger, kind store.Kind, parents []store.ID, a *EmissionSum) (*store.Select[store.FootprintTotals], error) {
		return from.Tenant.EmissionSums(kind, parents, a.Filter)
	})
	ActivityCounts = sums("activity-counts", func(from Ledger, kind store.Kind, parents []store.ID, a *ActivityCount) (*store.Select[int], error) {
		return from.Tenant.ActivityCounts(kind, parents, a.Filter)
	})
)
