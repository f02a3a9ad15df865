package store_test

import (
	"context"
	"errors"
	"testing"

	"carbongraph/store"
	"carbongraph/store/storetest"
)

// everyRead runs each read of a store once.
func everyRead(ctx context.Context, st *store.Store, l *storetest.Ledger) map[string]error {
	tenant, ids, parents := l.Tenant, []store.ID{l.Lines[0].Activity.ID}, []store.GlobalID{l.Suppliers[0].GlobalID()}
	return map[string]error{
		"Suppliers":             second(tenant.Suppliers(ctx, nil, store.SupplierOrder{}, store.Page{})),
		"Activities":            second(tenant.Activities(ctx, nil, store.ActivityOrder{}, store.Page{})),
		"Emissions":             second(tenant.Emissions(ctx, nil, store.EmissionOrder{}, store.Page{})),
		"Footprint":             second(tenant.Footprint(ctx, nil, nil, store.FootprintOrder{}, store.Page{})),
		"ActivitiesOf":          second(tenant.ActivitiesOf(ctx, parents, nil, store.ActivityOrder{}, store.Page{})),
		"EmissionsOf":           second(tenant.EmissionsOf(ctx, parents, nil, store.EmissionOrder{}, store.Page{})),
		"CountSuppliers":        second(tenant.CountSuppliers(ctx, nil)),
		"CountActivities":       second(tenant.CountActivities(ctx, nil)),
		"CountActivitiesOf":     second(tenant.CountActivitiesOf(ctx, parents, nil)),
		"CountFootprint":        second(tenant.CountFootprint(ctx, nil, nil)),
		"EmissionTotals":        second(tenant.EmissionTotals(ctx, nil)),
		"EmissionTotalsOf":      second(tenant.EmissionTotalsOf(ctx, parents, nil)),
		"SuppliersByID":         second(tenant.SuppliersByID(ctx, ids)),
		"SuppliersByExternalID": second(tenant.SuppliersByExternalID(ctx, []string{"Alum"})),
		"ActivitiesByID":        second(tenant.ActivitiesByID(ctx, ids)),
		"EmissionsByID":         second(tenant.EmissionsByID(ctx, ids)),
		"CurrentEmissions":      second(tenant.CurrentEmissions(ctx, ids)),
		"RunsByID":              second(tenant.RunsByID(ctx, ids)),
		"APIKeysByID":           second(tenant.APIKeysByID(ctx, ids)),
		"Batches":               second(tenant.Batches(ctx, nil, store.Page{})),
		"CountBatches":          second(tenant.CountBatches(ctx, nil)),
		"CalculationRuns":       second(tenant.CalculationRuns(ctx, store.Page{})),
		"CountCalculationRuns":  second(tenant.CountCalculationRuns(ctx)),
		"WalkActivities":        tenant.WalkActivities(ctx, nil, walking[store.ExportedActivity](new(int))),
		"WalkEmissions":         tenant.WalkEmissions(ctx, nil, walking[store.ExportedEmission](new(int))),
		"Mappings":              second(tenant.Mappings(ctx)),
		"Factors":               second(st.Factors(ctx, nil, store.EmissionFactorOrder{}, store.Page{})),
		"CountFactors":          second(st.CountFactors(ctx, nil)),
		"FactorsByID":           second(st.FactorsByID(ctx, ids)),
		"DatasetFactors":        second(st.DatasetFactors(ctx, l.Dataset.ID)),
		"FactorsByCode":         second(st.FactorsByCode(ctx, l.Dataset.ID, []string{"electricity"})),
		"SupersededBy":          second(st.SupersededBy(ctx, ids)),
		"Datasets":              second(st.Datasets(ctx)),
		"DatasetsByID":          second(st.DatasetsByID(ctx, ids)),
	}
}

func TestReadsStopWithTheirContext(t *testing.T) {
	storetest.Each(t, "and give nothing half read", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 2, nil)
		for name, err := range everyRead(t.Context(), st, l) {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for name, err := range everyRead(ctx, st, l) {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s, cancelled: %v", name, err)
			}
		}
	})
}

func TestReadsOfNoRows(t *testing.T) {
	storetest.Each(t, "ask the database nothing", func(t *testing.T, st *store.Store) {
		tenant := storetest.Organization(t, st, "Acme")
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // whoever asks all the same fails
		for i, read := range []func() (int, error){
			func() (int, error) { return lengths(tenant.SuppliersByID(ctx, nil)) },
			func() (int, error) { return lengths(tenant.SuppliersByExternalID(ctx, nil)) },
			func() (int, error) { return lengths(tenant.CurrentEmissions(ctx, nil)) },
			func() (int, error) { return lengths(st.FactorsByID(ctx, nil)) },
			func() (int, error) {
				return lengths(tenant.EmissionsOf(ctx, nil, nil, store.EmissionOrder{}, store.Page{}))
			},
		} {
			if n, err := read(); n != 0 || err != nil {
				t.Errorf("read %d: %d rows, %v", i, n, err)
			}
		}
	})
}
