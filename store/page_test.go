package store_test

import (
	"context"
	"slices"
	"testing"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/internal/telemetry"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

func TestPageArguments(t *testing.T) {
	storetest.Each(t, "are checked before anything is read", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 60, nil)
		for name, tc := range map[string]struct {
			page store.Page
			rows int
			code fault.Code
			path []string
		}{
			"no argument gives 50 rows":  {store.Page{}, 50, "", nil},
			"first 1":                    {store.Page{First: new(int32(1))}, 1, "", nil},
			"first 500":                  {store.Page{First: new(int32(500))}, 60, "", nil},
			"last 500":                   {store.Page{Last: new(int32(500))}, 60, "", nil},
			"first 0":                    {store.Page{First: new(int32(0))}, 0, fault.BadUserInput, []string{"first"}},
			"first -1":                   {store.Page{First: new(int32(-1))}, 0, fault.BadUserInput, []string{"first"}},
			"first 501":                  {store.Page{First: new(int32(501))}, 0, fault.BadUserInput, []string{"first"}},
			"last 0":                     {store.Page{Last: new(int32(0))}, 0, fault.BadUserInput, []string{"last"}},
			"last -2147483648":           {store.Page{Last: new(int32(-2147483648))}, 0, fault.BadUserInput, []string{"last"}},
			"last 501":                   {store.Page{Last: new(int32(501))}, 0, fault.BadUserInput, []string{"last"}},
			"first with last":            {store.Page{First: new(int32(1)), Last: new(int32(1))}, 0, fault.BadUserInput, []string{"last"}},
			"a cursor that is none":      {store.Page{After: new("bm9wZQ")}, 0, fault.InvalidCursor, []string{"after"}},
			"an empty cursor":            {store.Page{After: new("")}, 0, fault.InvalidCursor, []string{"after"}},
			"a bad cursor before":        {store.Page{Before: new("x"), Last: new(int32(1))}, 0, fault.InvalidCursor, []string{"before"}},
			"a good after, a bad before": {store.Page{After: firstCursor(t, l), Before: new("x")}, 0, fault.InvalidCursor, []string{"before"}},
		} {
			got, err := l.Tenant.Activities(t.Context(), nil, store.ActivityOrder{}, tc.page)
			if fault.CodeOf(err) != tc.code {
				t.Errorf("%s: %v; want %q", name, err, tc.code)
				continue
			}
			if err == nil && len(got.Nodes) != tc.rows {
				t.Errorf("%s: %d rows; want %d", name, len(got.Nodes), tc.rows)
			}
			if err != nil && !slices.Equal(fault.Of(err).Path, tc.path) {
				t.Errorf("%s: path %v; want %v", name, fault.Of(err).Path, tc.path)
			}
			parent := []store.GlobalID{l.Suppliers[0].GlobalID()}
			if _, err := l.Tenant.ActivitiesOf(t.Context(), parent, nil, store.ActivityOrder{}, tc.page); tc.code != "" && fault.CodeOf(err) != tc.code && name != "a good after, a bad before" {
				t.Errorf("%s, below a supplier: %v; want %q", name, err, tc.code)
			}
		}
	})
}

func firstCursor(t *testing.T, l *storetest.Ledger) *string {
	t.Helper()
	c, err := l.Tenant.Activities(t.Context(), nil, store.ActivityOrder{}, store.Page{First: new(int32(1))})
	if err != nil {
		t.Fatal(err)
	}
	return c.PageInfo.EndCursor
}

func TestAnOrderThatIsNone(t *testing.T) {
	storetest.Each(t, "is refused", func(t *testing.T, st *store.Store) {
		tenant := storetest.Organization(t, st, "Acme")
		ctx, p := t.Context(), store.Page{}
		_, supplier := tenant.Suppliers(ctx, nil, store.SupplierOrder{Field: "X"}, p)
		_, activity := tenant.Activities(ctx, nil, store.ActivityOrder{Field: "X"}, p)
		_, emission := tenant.Emissions(ctx, nil, store.EmissionOrder{Field: "X"}, p)
		_, below := tenant.EmissionsOf(ctx, nil, nil, store.EmissionOrder{Field: "X"}, p)
		_, factor := st.Factors(ctx, nil, store.EmissionFactorOrder{Field: "X"}, p)
		_, footprint := tenant.Footprint(ctx, nil, nil, store.FootprintOrder{Field: "X"}, p)
		_, direction := tenant.Suppliers(ctx, nil, store.SupplierOrder{Direction: "SIDEWAYS"}, p)
		for i, err := range []error{supplier, activity, emission, below, factor, footprint, direction} {
			if fault.CodeOf(err) != fault.BadUserInput {
				t.Errorf("order %d: %v; want BAD_USER_INPUT", i, err)
			}
		}
	})
}

func TestAnEmptyConnection(t *testing.T) {
	storetest.Each(t, "has no cursors and nothing around it", func(t *testing.T, st *store.Store) {
		tenant := storetest.Organization(t, st, "Acme")
		for _, p := range []store.Page{{}, {Last: new(int32(3))}} {
			c, err := tenant.Suppliers(t.Context(), nil, store.SupplierOrder{}, p)
			if err != nil || len(c.Edges) != 0 || c.Nodes == nil || c.PageInfo != (store.PageInfo{}) {
				t.Errorf("suppliers of nobody = %+v, %v", c, err)
			}
		}
	})
}

func TestAPageBehindTheEnd(t *testing.T) {
	storetest.Each(t, "is empty and still knows what stands before it", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 3, nil)
		all, err := l.Tenant.Activities(t.Context(), nil, store.ActivityOrder{}, store.Page{})
		if err != nil {
			t.Fatal(err)
		}
		behind, err := l.Tenant.Activities(t.Context(), nil, store.ActivityOrder{}, store.Page{After: all.PageInfo.EndCursor})
		if err != nil || len(behind.Nodes) != 0 || !behind.PageInfo.HasPreviousPage || behind.PageInfo.HasNextPage {
			t.Errorf("after the last: %+v, %v", behind, err)
		}
		ahead, err := l.Tenant.Activities(t.Context(), nil, store.ActivityOrder{}, store.Page{Last: new(int32(5)), Before: all.PageInfo.StartCursor})
		if err != nil || len(ahead.Nodes) != 0 || ahead.PageInfo.HasPreviousPage || !ahead.PageInfo.HasNextPage {
			t.Errorf("before the first: %+v, %v", ahead, err)
		}
	})
}

func TestACursorOfElsewhere(t *testing.T) {
	storetest.Each(t, "is refused and never means the first page", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 12, nil)
		other := storetest.NewLedger(t, st, "Other", 12, nil)
		ctx := t.Context()
		one := store.Page{First: new(int32(1))}
		suppliers, err := l.Tenant.Suppliers(ctx, nil, store.SupplierOrder{}, one)
		if err != nil {
			t.Fatal(err)
		}
		emissions, err := l.Tenant.Emissions(ctx, nil, store.EmissionOrder{}, one)
		if err != nil {
			t.Fatal(err)
		}
		below, err := l.Tenant.EmissionsOf(ctx, []store.GlobalID{l.Suppliers[0].GlobalID()}, nil, store.EmissionOrder{}, one)
		if err != nil {
			t.Fatal(err)
		}
		s, e, b := store.Page{After: suppliers.PageInfo.EndCursor}, store.Page{After: emissions.PageInfo.EndCursor}, store.Page{After: below[0].PageInfo.EndCursor}
		for name, use := range map[string]func() error{
			"of another organization": func() error { return second(other.Tenant.Suppliers(ctx, nil, store.SupplierOrder{}, s)) },
			"of another field":        func() error { return second(l.Tenant.Suppliers(ctx, nil, store.SupplierOrder{}, e)) },
			"of another order": func() error {
				return second(l.Tenant.Suppliers(ctx, nil, store.SupplierOrder{Field: store.SuppliersByCountry}, s))
			},
			"of another direction": func() error {
				return second(l.Tenant.Suppliers(ctx, nil, store.SupplierOrder{Direction: store.Desc}, s))
			},
			"of another filter": func() error {
				return second(l.Tenant.Suppliers(ctx, &store.SupplierFilter{Tiers: []int32{1}}, store.SupplierOrder{}, s))
			},
			"of the top, below": func() error {
				return second(l.Tenant.EmissionsOf(ctx, []store.GlobalID{l.Suppliers[0].GlobalID()}, nil, store.EmissionOrder{}, e))
			},
			"of below, at the top": func() error { return second(l.Tenant.Emissions(ctx, nil, store.EmissionOrder{}, b)) },
			"of below another type": func() error {
				return second(l.Tenant.EmissionsOf(ctx, []store.GlobalID{store.CategoryID(1)}, nil, store.EmissionOrder{}, b))
			},
			"of rows, in a footprint":   func() error { return second(l.Tenant.Footprint(ctx, nil, nil, store.FootprintOrder{}, e)) },
			"of a ledger, with factors": func() error { return second(st.Factors(ctx, nil, store.EmissionFactorOrder{}, s)) },
		} {
			if err := use(); fault.CodeOf(err) != fault.InvalidCursor {
				t.Errorf("%s: %v; want INVALID_CURSOR", name, err)
			}
		}
		same := &store.SupplierFilter{Countries: []string{}, Search: new("  ")}
		if _, err := l.Tenant.Suppliers(ctx, same, store.SupplierOrder{Field: store.SuppliersByName, Direction: store.Asc}, s); err != nil {
			t.Errorf("the same question in other words: %v", err)
		}
		if _, err := l.Tenant.EmissionsOf(ctx, []store.GlobalID{l.Suppliers[1].GlobalID()}, nil, store.EmissionOrder{}, b); err != nil {
			t.Errorf("a place below one supplier is a place below all: %v", err)
		}
		text := *suppliers.PageInfo.EndCursor
		for i := range text {
			altered := text[:i] + string(text[i]^1) + text[i+1:]
			if _, err := l.Tenant.Suppliers(ctx, nil, store.SupplierOrder{}, store.Page{After: &altered}); fault.CodeOf(err) != fault.InvalidCursor {
				t.Errorf("altered at %d: %v; want INVALID_CURSOR", i, err)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestReadsAreSingleStatements(t *testing.T) {
	storetest.Each(t, "however many parents and rows there are", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 60, nil)
		var parents []store.GlobalID
		var ids []store.ID
		for _, s := range l.Suppliers {
			parents = append(parents, s.GlobalID())
		}
		for _, line := range l.Lines {
			ids = append(ids, line.Activity.ID)
		}
		first, err := l.Tenant.EmissionsOf(t.Context(), parents, nil, store.EmissionOrder{}, store.Page{First: new(int32(2))})
		if err != nil {
			t.Fatal(err)
		}
		after := store.Page{First: new(int32(2)), After: first[0].PageInfo.EndCursor}
		filter := &store.EmissionFilter{SupplierIds: parents, OccurredFrom: new(exact.NewDate(2025, 1, 1))}
		for name, run := range map[string]func(context.Context) error{
			"a page": func(ctx context.Context) error {
				return second(l.Tenant.Emissions(ctx, filter, store.EmissionOrder{}, store.Page{}))
			},
			"pages below parents": func(ctx context.Context) error {
				return second(l.Tenant.EmissionsOf(ctx, parents, filter, store.EmissionOrder{}, store.Page{}))
			},
			"later pages": func(ctx context.Context) error {
				return second(l.Tenant.EmissionsOf(ctx, parents, nil, store.EmissionOrder{}, after))
			},
			"totals below parents": func(ctx context.Context) error { return second(l.Tenant.EmissionTotalsOf(ctx, parents, filter)) },
			"counts below parents": func(ctx context.Context) error { return second(l.Tenant.CountActivitiesOf(ctx, parents, nil)) },
			"a footprint with a share": func(ctx context.Context) error {
				return second(l.Tenant.Footprint(ctx, filter, []store.FootprintDimension{store.ByMonth}, store.FootprintOrder{}, store.Page{}))
			},
			"rows by id": func(ctx context.Context) error { return second(l.Tenant.ActivitiesByID(ctx, ids)) },
		} {
			var r telemetry.Request
			if err := run(telemetry.WithRequest(t.Context(), &r)); err != nil || r.Statements() != 1 {
				t.Errorf("%s took %d statements, %v; want 1", name, r.Statements(), err)
			}
		}
	})
}
