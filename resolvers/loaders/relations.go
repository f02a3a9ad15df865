package loaders

import (
	"carbongraph/graph/exec"
	"carbongraph/graph/model"
	"carbongraph/store"
)

// Every relation of the schema, each named by type and field. A field that leads to other rows is declared here and nowhere else.
var (
	ActivitySupplier = &One[store.Activity, store.Supplier]{Read: Suppliers,
		Start: start("Activity", "supplier", "SupplierID", func(a *store.Activity) *store.ID { return a.SupplierID })}
	ActivityCategory = &One[store.Activity, store.Category]{Read: Categories,
		Start: categoryOf("Activity", func(a *store.Activity) int32 { return a.CategoryNumber })}
	ActivityEmission = &One[store.Activity, store.Emission]{Read: CurrentEmissions, Start: own("Activity", "emission", activityID)}
	ActivityHistory  = &Many[store.Activity, HistoryPage, store.Emission]{Kind: store.KindActivity, Read: HistoryPages, Start: own("Activity", "history", activityID),
		Totals: &Beside[HistoryPage, EmissionSum, store.FootprintTotals]{Read: EmissionSums, Uses: []string{}, Of: func(HistoryPage) EmissionSum { return EmissionSum{EveryCalculation()} }}}

	BatchRun = &One[store.Batch, store.CalculationRun]{Read: Runs, Start: start("Batch", "run", "RunID", func(b *store.Batch) *store.ID { return b.RunID })}

	BatchFailures = &Many[store.Batch, FailurePage, store.BatchFailure]{Kind: store.KindBatch, Read: FailurePages,
		Start: own("Batch", "failures", func(b *store.Batch) store.ID { return b.ID }),
		Count: &Beside[FailurePage, FailureCount, int]{Read: FailureCounts, Uses: []string{}, Of: func(FailurePage) FailureCount { return FailureCount{} }}}

	CalculationRunDifferences = &Many[store.CalculationRun, DifferencePage, store.RunDifference]{Kind: store.KindCalculationRun, Read: DifferencePages,
		Start: own("CalculationRun", "differences", func(r *store.CalculationRun) store.ID { return r.ID }),
		Count: &Beside[DifferencePage, DifferenceCount, int]{Read: DifferenceCounts, Uses: []string{"groupBy"}, Of: func(a DifferencePage) DifferenceCount { return DifferenceCount{a.GroupBy} }}}

	CategoryEmissions = &Many[store.Category, EmissionPage, store.Emission]{Kind: store.KindCategory, Read: EmissionPages, Totals: pageTotals,
		Start: own("Category", "emissions", func(c *store.Category) store.ID { return c.GlobalID().Row })}

	CategoryStatementCategory = &One[model.CategoryStatement, store.Category]{Read: Categories,
		Start: categoryOf("CategoryStatement", func(s *model.CategoryStatement) int32 { return s.CategoryNumber })}

	EmissionActivity = &One[store.Emission, store.Activity]{Read: Activities,
		Start: start("Emission", "activity", "ActivityID", func(e *store.Emission) *store.ID { return &e.ActivityID })}
	EmissionSupplier = &One[store.Emission, store.Supplier]{Read: Suppliers,
		Start: start("Emission", "supplier", "SupplierID", func(e *store.Emission) *store.ID { return e.SupplierID })}
	EmissionCategory = &One[store.Emission, store.Category]{Read: Categories,
		Start: categoryOf("Emission", func(e *store.Emission) int32 { return e.CategoryNumber })}
	EmissionFactor = &One[store.Emission, store.EmissionFactor]{Read: Factors,
		Start: start("Emission", "factor", "FactorID", func(e *store.Emission) *store.ID { return &e.FactorID })}
	EmissionRun = &One[store.Emission, store.CalculationRun]{Read: Runs,
		Start: start("Emission", "run", "RunID", func(e *store.Emission) *store.ID { return &e.RunID })}

	EmissionFactorDataset      = &One[store.EmissionFactor, store.FactorDataset]{Read: Datasets, Start: start("EmissionFactor", "dataset", "DatasetID", datasetOf)}
	EmissionFactorSupersededBy = &One[store.EmissionFactor, store.EmissionFactor]{Read: Successors,
		Start: own("EmissionFactor", "supersededBy", func(f *store.EmissionFactor) store.ID { return f.ID })}

	EstimateFactor = &One[model.Estimate, store.EmissionFactor]{Read: Factors,
		Start: start("Estimate", "factor", "", func(e *model.Estimate) *store.ID { return &e.FactorID })}

	FactorDatasetSupersedes = &One[store.FactorDataset, store.FactorDataset]{Read: Predecessors,
		Start: own("FactorDataset", "supersedes", func(d *store.FactorDataset) store.ID { return d.ID })}

	FactorMappingFactor = &One[store.FactorMapping, store.EmissionFactor]{Read: Factors,
		Start: start("FactorMapping", "factor", "FactorID", func(m *store.FactorMapping) *store.ID { return m.FactorID })}
	FactorMappingCategory = &One[store.FactorMapping, store.Category]{Read: Categories,
		Start: maybeCategoryOf("FactorMapping", func(m *store.FactorMapping) *int32 { return m.CategoryNumber })}

	FootprintRowCategory = &One[store.FootprintRow, store.Category]{Read: Categories,
		Start: maybeCategoryOf("FootprintRow", func(r *store.FootprintRow) *int32 { return r.CategoryNumber })}
	FootprintRowSupplier = &One[store.FootprintRow, store.Supplier]{Read: Suppliers,
		Start: start("FootprintRow", "supplier", "SupplierID", func(r *store.FootprintRow) *store.ID { return r.SupplierID })}
	FootprintRowDataset = &One[store.FootprintRow, store.FactorDataset]{Read: Datasets,
		Start: start("FootprintRow", "dataset", "DatasetID", func(r *store.FootprintRow) *store.ID { return r.DatasetID })}
	FootprintRowFactor = &One[store.FootprintRow, store.EmissionFactor]{Read: Factors,
		Start: start("FootprintRow", "factor", "FactorID", func(r *store.FootprintRow) *store.ID { return r.FactorID })}

	SupplierActivities = &Many[store.Supplier, ActivityPage, store.Activity]{Kind: store.KindSupplier, Read: ActivityPages, Start: own("Supplier", "activities", supplierID),
		Count: &Beside[ActivityPage, ActivityCount, int]{Read: ActivityCounts, Uses: []string{"filter"}, Of: func(a ActivityPage) ActivityCount { return ActivityCount{a.Filter} }}}
	SupplierEmissions = &Many[store.Supplier, EmissionPage, store.Emission]{Kind: store.KindSupplier, Read: EmissionPages, Totals: pageTotals,
		Start: own("Supplier", "emissions", supplierID)}
	SupplierFootprint = &Sum[store.Supplier, EmissionSum]{Kind: store.KindSupplier, Read: EmissionSums, Start: own("Supplier", "footprint", supplierID)}

	ViewerOrganization = &One[model.Viewer, store.Organization]{Read: Organizations,
		Start: start("Viewer", "organization", "", func(v *model.Viewer) *store.ID { return &v.Org })}
)

var relations = index(
	BatchRun, BatchFailures, CalculationRunDifferences, ActivitySupplier, ActivityCategory, ActivityEmission, ActivityHistory, CategoryEmissions, CategoryStatementCategory,
	EmissionActivity, EmissionSupplier, EmissionCategory, EmissionFactor, EmissionRun,
	EmissionFactorDataset, EmissionFactorSupersededBy, FactorDatasetSupersedes, EstimateFactor,
	FactorMappingFactor, FactorMappingCategory, FootprintRowCategory, FootprintRowSupplier, FootprintRowDataset, FootprintRowFactor,
	SupplierActivities, SupplierEmissions, SupplierFootprint, ViewerOrganization,
)

func index(all ...relation) map[string]relation {
	out := make(map[string]relation, len(all))
	for _, r := range all {
		out[r.field()] = r
	}
	return out
}

// Relations gives every relation for the short way.
func Relations() []exec.Relation {
	out := make([]exec.Relation, 0, len(relations))
	for _, r := range relations {
		out = append(out, r.short())
	}
	return out
}

// start is where a relation starts whose key is a part of the row.
func start[P any](typeName, field, needs string, key func(*P) *store.ID) exec.Start[P] {
	return exec.Start[P]{Type: typeName, Field: field, Needs: needs, Key: func(p *P) (store.ID, bool) {
		if id := key(p); id != nil {
			return *id, true
		}
		return store.ID{}, false
	}}
}

// own is where a relation starts whose key is the row's own id.
func own[P any](typeName, field string, key func(*P) store.ID) exec.Start[P] {
	return exec.Start[P]{Type: typeName, Field: field, Needs: "ID", Own: true, Key: func(p *P) (store.ID, bool) { return key(p), true }}
}

func categoryOf[P any](typeName string, number func(*P) int32) exec.Start[P] {
	return exec.Start[P]{Type: typeName, Field: "category", Needs: "Category", Key: func(p *P) (store.ID, bool) {
		return store.CategoryID(int(number(p))).Row, true
	}}
}

func maybeCategoryOf[P any](typeName string, number func(*P) *int32) exec.Start[P] {
	return exec.Start[P]{Type: typeName, Field: "category", Needs: "Category", Key: func(p *P) (store.ID, bool) {
		if n := number(p); n != nil {
			return store.CategoryID(int(*n)).Row, true
		}
		return store.ID{}, false
	}}
}

func activityID(a *store.Activity) store.ID { return a.ID }

func supplierID(s *store.Supplier) store.ID { return s.ID }

func datasetOf(f *store.EmissionFactor) *store.ID { return &f.DatasetID }

// pageTotals are the totals of a connection of emissions.
var pageTotals = &Beside[EmissionPage, EmissionSum, store.FootprintTotals]{Read: EmissionSums, Uses: []string{"filter"},
	Of: func(a EmissionPage) EmissionSum { return EmissionSum{a.Filter} }}
