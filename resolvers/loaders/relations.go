package loaders

import "carbongraph/store"

// Every relation of the schema, each named by type and field. A field that leads to other rows is declared here and nowhere else.
var (
	ActivitySupplier = &One[store.Activity, store.ID, store.Supplier]{
		Type: "Activity", Field: "supplier", Read: Suppliers, Key: func(a *store.Activity) (store.ID, bool) { return known(a.SupplierID) }}
	ActivityCategory = &Direct[store.Activity, store.Category]{Type: "Activity", Field: "category", Get: (*store.Activity).Category}
	ActivityEmission = &One[store.Activity, store.ID, store.Emission]{
		Type: "Activity", Field: "emission", Read: CurrentEmissions, Key: func(a *store.Activity) (store.ID, bool) { return a.ID, true }}
	ActivityHistory = &Many[store.Activity, HistoryPage, store.Emission]{
		Type: "Activity", Field: "history", Read: HistoryPages, Key: (*store.Activity).GlobalID,
		Sums: func(lv *level, parent store.GlobalID, _ HistoryPage) { sumEmissions(lv, parent, EveryCalculation()) }}

	CategoryEmissions = &Many[store.Category, EmissionPage, store.Emission]{
		Type: "Category", Field: "emissions", Read: EmissionPages, Key: (*store.Category).GlobalID, Sums: sumPage}

	EmissionActivity = &One[store.Emission, store.ID, store.Activity]{
		Type: "Emission", Field: "activity", Read: Activities, Key: func(e *store.Emission) (store.ID, bool) { return e.ActivityID, true }}
	EmissionSupplier = &One[store.Emission, store.ID, store.Supplier]{
		Type: "Emission", Field: "supplier", Read: Suppliers, Key: func(e *store.Emission) (store.ID, bool) { return known(e.SupplierID) }}
	EmissionCategory = &Direct[store.Emission, store.Category]{Type: "Emission", Field: "category", Get: (*store.Emission).Category}
	EmissionFactor   = &One[store.Emission, store.ID, store.EmissionFactor]{
		Type: "Emission", Field: "factor", Read: Factors, Key: func(e *store.Emission) (store.ID, bool) { return e.FactorID, true }}
	EmissionRun = &One[store.Emission, store.ID, store.CalculationRun]{
		Type: "Emission", Field: "run", Read: Runs, Key: func(e *store.Emission) (store.ID, bool) { return e.RunID, true }}

	EmissionFactorDataset = &One[store.EmissionFactor, store.ID, store.FactorDataset]{
		Type: "EmissionFactor", Field: "dataset", Read: Datasets, Key: datasetOf}
	// EmissionFactorValue needs the dataset to know whether the GWP set asked for is the dataset's own.
	EmissionFactorValue = &One[store.EmissionFactor, store.ID, store.FactorDataset]{
		Type: "EmissionFactor", Field: "value", Read: Datasets, Key: datasetOf, If: func(args map[string]any) bool { return args["gwpSet"] != nil }}
	EmissionFactorSupersededBy = &One[store.EmissionFactor, store.ID, store.EmissionFactor]{
		Type: "EmissionFactor", Field: "supersededBy", Read: Successors, Key: func(f *store.EmissionFactor) (store.ID, bool) { return f.ID, true }}

	FactorDatasetSupersedes = &One[store.FactorDataset, store.ID, store.FactorDataset]{
		Type: "FactorDataset", Field: "supersedes", Read: Datasets, Key: func(d *store.FactorDataset) (store.ID, bool) { return known(d.SupersedesID) }}

	FootprintRowCategory = &Direct[store.FootprintRow, store.Category]{Type: "FootprintRow", Field: "category", Get: (*store.FootprintRow).Category}
	FootprintRowSupplier = &One[store.FootprintRow, store.ID, store.Supplier]{
		Type: "FootprintRow", Field: "supplier", Read: Suppliers, Key: func(r *store.FootprintRow) (store.ID, bool) { return known(r.SupplierID) }}
	FootprintRowDataset = &One[store.FootprintRow, store.ID, store.FactorDataset]{
		Type: "FootprintRow", Field: "dataset", Read: Datasets, Key: func(r *store.FootprintRow) (store.ID, bool) { return known(r.DatasetID) }}
	FootprintRowFactor = &One[store.FootprintRow, store.ID, store.EmissionFactor]{
		Type: "FootprintRow", Field: "factor", Read: Factors, Key: func(r *store.FootprintRow) (store.ID, bool) { return known(r.FactorID) }}

	SupplierActivities = &Many[store.Supplier, ActivityPage, store.Activity]{
		Type: "Supplier", Field: "activities", Read: ActivityPages, Key: (*store.Supplier).GlobalID,
		Sums: func(lv *level, parent store.GlobalID, a ActivityPage) {
			ask(lv, ActivityCounts, Child[ActivityCount]{parent, keep(lv.l, ActivityCount{a.Filter})})
		}}
	SupplierEmissions = &Many[store.Supplier, EmissionPage, store.Emission]{
		Type: "Supplier", Field: "emissions", Read: EmissionPages, Key: (*store.Supplier).GlobalID, Sums: sumPage}
	SupplierFootprint = &Sum[store.Supplier, EmissionSum, *store.FootprintTotals]{
		Type: "Supplier", Field: "footprint", Read: EmissionSums, Key: (*store.Supplier).GlobalID}
)

var relations = index(
	ActivitySupplier, ActivityCategory, ActivityEmission, ActivityHistory, CategoryEmissions,
	EmissionActivity, EmissionSupplier, EmissionCategory, EmissionFactor, EmissionRun,
	EmissionFactorDataset, EmissionFactorValue, EmissionFactorSupersededBy, FactorDatasetSupersedes,
	FootprintRowCategory, FootprintRowSupplier, FootprintRowDataset, FootprintRowFactor,
	SupplierActivities, SupplierEmissions, SupplierFootprint,
)

func index(all ...relation) map[string]relation {
	out := make(map[string]relation, len(all))
	for _, r := range all {
		out[r.field()] = r
	}
	return out
}

func known(id *store.ID) (store.ID, bool) {
	if id == nil {
		return store.ID{}, false
	}
	return *id, true
}

func datasetOf(f *store.EmissionFactor) (store.ID, bool) { return f.DatasetID, true }

func sumPage(lv *level, parent store.GlobalID, a EmissionPage) { sumEmissions(lv, parent, a.Filter) }

func sumEmissions(lv *level, parent store.GlobalID, f *store.EmissionFilter) {
	ask(lv, EmissionSums, Child[EmissionSum]{parent, keep(lv.l, EmissionSum{f})})
}
