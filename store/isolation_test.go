package store_test

import (
	"context"
	"testing"

	"carbongraph/internal/fault"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

func TestTwoOrganizations(t *testing.T) {
	storetest.Each(t, "reach nothing of each other, by id, filter, parent or cursor", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 12, nil)
		spy := storetest.NewLedger(t, st, "Spy", 3, nil).Tenant
		mapping := &store.FactorMapping{AccountCode: new("6000"), FactorID: &l.Factors[0].ID, DecidedBy: store.ByRule}
		storetest.Write(t, l.Tenant, func(ctx context.Context, w *store.Writer) error {
			return w.PutMappings(ctx, []*store.FactorMapping{mapping, {AccountCode: new("6001"), Exclude: true, DecidedBy: store.ByRule}})
		})
		key := &store.APIKey{Name: "key", Role: store.Admin}
		if err := l.Tenant.CreateKey(t.Context(), key, "prefix", make([]byte, 32)); err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		batches, _ := worked(t, l.Tenant)
		supplier, line := l.Suppliers[0], l.Lines[0]
		emission := currentEmissions(t, l)[0]
		rows := func(tenant *store.Tenant) map[string]func() (int, error) {
			top := func(f *store.EmissionFilter) func() (int, error) {
				return func() (int, error) {
					c, err := tenant.Emissions(ctx, f, store.EmissionOrder{}, store.Page{})
					return counted(c, err)
				}
			}
			return map[string]func() (int, error){
				"suppliers by id":          func() (int, error) { return lengths(tenant.SuppliersByID(ctx, []store.ID{supplier.ID})) },
				"suppliers by external id": func() (int, error) { return matching(ctx, tenant, supplier) },
				"activities by id":         func() (int, error) { return lengths(tenant.ActivitiesByID(ctx, []store.ID{line.Activity.ID})) },
				"emissions by id":          func() (int, error) { return lengths(tenant.EmissionsByID(ctx, []store.ID{emission.ID})) },
				"current emissions":        func() (int, error) { return lengths(tenant.CurrentEmissions(ctx, []store.ID{line.Activity.ID})) },
				"runs by id":               func() (int, error) { return lengths(tenant.RunsByID(ctx, []store.ID{l.Run.ID})) },
				"keys by id":               func() (int, error) { return lengths(tenant.APIKeysByID(ctx, []store.ID{key.ID})) },
				"mappings":                 func() (int, error) { return lengths(tenant.Mappings(ctx)) },
				"mappings by id":           func() (int, error) { return lengths(tenant.FactorMappingsWith([]store.ID{mapping.ID}, 0).All(ctx)) },
				"mappings by page": func() (int, error) {
					c, err := tenant.FactorMappings(ctx, nil, store.Page{})
					return counted(c, err)
				},
				"batches by id": func() (int, error) { return lengths(tenant.BatchesWith([]store.ID{batches[0]}, 0).All(ctx)) },
				"batches by page": func() (int, error) {
					c, err := tenant.Batches(ctx, nil, store.Page{})
					return counted(c, err)
				},
				"batches counted": func() (int, error) { return tenant.CountBatches(ctx, nil) },
				"the run by page": func() (int, error) {
					c, err := tenant.CalculationRuns(ctx, store.Page{})
					return holding(c, err, l.Run.ID)
				},
				"mappings counted":        func() (int, error) { return tenant.CountFactorMappings(ctx, nil) },
				"emissions of a supplier": top(&store.EmissionFilter{SupplierIds: []store.GlobalID{supplier.GlobalID()}}),
				"emissions of a run":      top(&store.EmissionFilter{RunID: new(l.Run.GlobalID())}),
				"activities of a supplier": func() (int, error) {
					c, err := tenant.Activities(ctx, &store.ActivityFilter{SupplierIds: []store.GlobalID{supplier.GlobalID()}}, store.ActivityOrder{}, store.Page{})
					return counted(c, err)
				},
				"emissions below a supplier": func() (int, error) {
					c, err := tenant.EmissionsOf(ctx, []store.GlobalID{supplier.GlobalID()}, nil, store.EmissionOrder{}, store.Page{})
					return counted(c[0], err)
				},
				"emissions below an activity": func() (int, error) {
					c, err := tenant.EmissionsOf(ctx, []store.GlobalID{line.Activity.GlobalID()}, nil, store.EmissionOrder{}, store.Page{})
					return counted(c[0], err)
				},
				"activities below a supplier": func() (int, error) {
					c, err := tenant.ActivitiesOf(ctx, []store.GlobalID{supplier.GlobalID()}, nil, store.ActivityOrder{}, store.Page{})
					return counted(c[0], err)
				},
				"totals below a supplier": func() (int, error) {
					c, err := tenant.EmissionTotalsOf(ctx, []store.GlobalID{supplier.GlobalID()}, nil)
					return int(c[0].EmissionCount), err
				},
				"counts below a supplier": func() (int, error) {
					c, err := tenant.CountActivitiesOf(ctx, []store.GlobalID{supplier.GlobalID()}, nil)
					return c[0], err
				},
				"activities of an export": func() (n int, err error) {
					f := &store.ActivityFilter{SupplierIds: []store.GlobalID{supplier.GlobalID()}}
					err = tenant.WalkActivities(ctx, f, walking[store.ExportedActivity](&n))
					return n, err
				},
				"emissions of an export": func() (n int, err error) {
					f := &store.EmissionFilter{SupplierIds: []store.GlobalID{supplier.GlobalID()}}
					err = tenant.WalkEmissions(ctx, f, walking[store.ExportedEmission](&n))
					return n, err
				},
				"a footprint of a supplier": func() (int, error) {
					c, err := tenant.Footprint(ctx, &store.EmissionFilter{SupplierIds: []store.GlobalID{supplier.GlobalID()}}, []store.FootprintDimension{store.BySupplier}, store.FootprintOrder{}, store.Page{})
					return counted(c, err)
				},
			}
		}
		own, foreign := rows(l.Tenant), rows(spy)
		for name := range own {
			if n, err := own[name](); err != nil || n == 0 {
				t.Errorf("%s, one's own: %d rows, %v; the test proves nothing", name, n, err)
			}
			if n, err := foreign[name](); err != nil || n != 0 {
				t.Errorf("%s, another's: %d rows, %v; want none", name, n, err)
			}
		}
		checkForeignCursors(t, l, spy)
	})
}

// walking counts the rows of an export.
func walking[T any](n *int) store.Walk[T] {
	nothing := func() error { return nil }
	return store.Walk[T]{Most: 2, Total: func(int) error { return nil }, Row: func(*T) error { *n++; return nil }, Page: nothing}
}

// checkForeignCursors gives cursors of every connection of a ledger to another organization.
func checkForeignCursors(t *testing.T, l *storetest.Ledger, spy *store.Tenant) {
	t.Helper()
	spied := *l
	spied.Tenant = spy
	own, foreign := connections(l), connections(&spied)
	for i := range own {
		c, err := own[i](t.Context(), store.Page{First: new(int32(1))})
		if err != nil || c.info.EndCursor == nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		if _, err := foreign[i](t.Context(), store.Page{After: c.info.EndCursor}); fault.CodeOf(err) != fault.InvalidCursor {
			t.Errorf("connection %d with another organization's cursor: %v; want INVALID_CURSOR", i, err)
		}
	}
}

func connections(l *storetest.Ledger) []func(context.Context, store.Page) (shown, error) {
	below := []store.GlobalID{l.Suppliers[0].GlobalID()}
	return []func(context.Context, store.Page) (shown, error){
		func(c context.Context, p store.Page) (shown, error) {
			x, err := l.Tenant.Suppliers(c, nil, store.SupplierOrder{}, p)
			return show(x, err, func(s *store.Supplier) store.ID { return s.ID })
		},
		func(c context.Context, p store.Page) (shown, error) {
			x, err := l.Tenant.Activities(c, nil, store.ActivityOrder{}, p)
			return show(x, err, activityID)
		},
		func(c context.Context, p store.Page) (shown, error) {
			x, err := l.Tenant.Emissions(c, nil, store.EmissionOrder{}, p)
			return show(x, err, emissionID)
		},
		func(c context.Context, p store.Page) (shown, error) {
			x, err := l.Tenant.FactorMappings(c, nil, p)
			return show(x, err, func(m *store.FactorMapping) store.ID { return m.ID })
		},
		func(c context.Context, p store.Page) (shown, error) {
			x, err := l.Tenant.Batches(c, nil, p)
			return show(x, err, batchID)
		},
		func(c context.Context, p store.Page) (shown, error) {
			x, err := l.Tenant.CalculationRuns(c, p)
			return show(x, err, runID)
		},
		func(c context.Context, p store.Page) (shown, error) {
			x, err := l.Tenant.EmissionsOf(c, below, nil, store.EmissionOrder{}, p)
			if err != nil {
				return shown{}, err
			}
			return show(x[0], nil, emissionID)
		},
		func(c context.Context, p store.Page) (shown, error) {
			x, err := l.Tenant.ActivitiesOf(c, below, nil, store.ActivityOrder{}, p)
			if err != nil {
				return shown{}, err
			}
			return show(x[0], nil, activityID)
		},
		func(c context.Context, p store.Page) (shown, error) {
			x, err := l.Tenant.Footprint(c, nil, []store.FootprintDimension{store.ByCategory}, store.FootprintOrder{}, p)
			return show(x, err, func(*store.FootprintRow) store.ID { return store.ID{} })
		},
	}
}

func lengths[T any](rows []T, err error) (int, error) { return len(rows), err }

func counted[T any](c *store.Connection[T], err error) (int, error) {
	if err != nil {
		return 0, err
	}
	return len(c.Nodes), nil
}

// holding counts the rows that are the run: another organization has runs too.
func holding(c *store.Connection[store.CalculationRun], err error, id store.ID) (n int, _ error) {
	if err != nil {
		return 0, err
	}
	for _, r := range c.Nodes {
		if r.ID == id {
			n++
		}
	}
	return n, nil
}

// matching counts the suppliers of the external id that are the supplier itself: another organization may well use the same.
func matching(ctx context.Context, tenant *store.Tenant, s *store.Supplier) (n int, err error) {
	rows, err := tenant.SuppliersByExternalID(ctx, []string{*s.ExternalID})
	for _, row := range rows {
		if row.ID == s.ID {
			n++
		}
	}
	return n, err
}
