package store_test

import (
	"testing"

	"carbongraph/store"
	"carbongraph/store/storetest"
)

func TestSmoke(t *testing.T) {
	storetest.Each(t, "smoke", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 40, nil)
		ctx := t.Context()
		ten := int32(10)
		chk := func(name string, got any, err error) {
			t.Helper()
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			_ = got
		}
		s, err := l.Tenant.Suppliers(ctx, nil, store.SupplierOrder{}, store.Page{First: &ten})
		chk("suppliers", s, err)
		t.Log(len(s.Nodes), s.PageInfo)
		a, err := l.Tenant.Activities(ctx, nil, store.ActivityOrder{Field: store.ActivitiesByMoney}, store.Page{First: &ten})
		chk("activities", a, err)
		a, err = l.Tenant.Activities(ctx, nil, store.ActivityOrder{Field: store.ActivitiesByMoney}, store.Page{First: &ten, After: a.PageInfo.EndCursor})
		chk("activities", a, err)
		t.Log(len(a.Nodes), a.PageInfo.HasNextPage, a.PageInfo.HasPreviousPage, a.Nodes[0].Money)
		var parents []store.GlobalID
		for _, x := range l.Suppliers {
			parents = append(parents, x.GlobalID())
		}
		two := int32(2)
		es, err := l.Tenant.EmissionsOf(ctx, parents, nil, store.EmissionOrder{}, store.Page{First: &two})
		chk("emissionsOf", es, err)
		for _, e := range es {
			t.Log(len(e.Nodes), e.PageInfo.HasNextPage, e.Nodes[0].OccurredOn)
		}
		es, err = l.Tenant.EmissionsOf(ctx, []store.GlobalID{store.CategoryID(3), store.CategoryID(4)}, nil, store.EmissionOrder{}, store.Page{First: &two})
		chk("emissionsOf", es, err)
		t.Log(len(es[0].Nodes))
		as, err := l.Tenant.ActivitiesOf(ctx, parents, nil, store.ActivityOrder{}, store.Page{First: &two})
		chk("activitiesOf", as, err)
		tot, err := l.Tenant.EmissionTotals(ctx, nil)
		chk("tot", tot, err)
		t.Log(*tot)
		tots, err := l.Tenant.EmissionTotalsOf(ctx, parents, nil)
		chk("tots", tots, err)
		t.Log(*tots[0])
		for _, d := range []store.FootprintDimension{store.ByCategory, store.BySupplier, store.ByCountry, store.ByMonth, store.ByQuarter, store.ByYear, store.ByMethod, store.ByDataset, store.ByFactor, store.ByAccountCode} {
			fp, err := l.Tenant.Footprint(ctx, nil, []store.FootprintDimension{d}, store.FootprintOrder{}, store.Page{First: &two})
			chk("fp", fp, err)
			if err == nil {
				t.Logf("%s %+v", d, *fp.Nodes[0])
				fp, err = l.Tenant.Footprint(ctx, nil, []store.FootprintDimension{d}, store.FootprintOrder{}, store.Page{First: &two, After: fp.PageInfo.EndCursor})
				chk("fp2", fp, err)
			}
			n, err := l.Tenant.CountFootprint(ctx, nil, []store.FootprintDimension{d})
			chk("fp2", n, err)
			t.Log(n)
		}
		fp, err := l.Tenant.Footprint(ctx, nil, nil, store.FootprintOrder{}, store.Page{First: &two})
		chk("fp", fp, err)
		fs, err := st.Factors(ctx, &store.EmissionFactorFilter{Search: new("electr")}, store.EmissionFactorOrder{Field: store.FactorsByRelevance, Direction: store.Desc}, store.Page{})
		chk("factors", fs, err)
		t.Log(len(fs.Nodes), fs.Nodes[0].Name)
		for _, f := range []store.EmissionFactorOrderField{store.FactorsByCode, store.FactorsByName, store.FactorsByValue} {
			for _, dir := range []store.OrderDirection{store.Asc, store.Desc} {
				fs, err = st.Factors(ctx, &store.EmissionFactorFilter{Current: new(true)}, store.EmissionFactorOrder{Field: f, Direction: dir}, store.Page{First: &two})
				chk("factors", fs, err)
				fs, err = st.Factors(ctx, &store.EmissionFactorFilter{Current: new(true)}, store.EmissionFactorOrder{Field: f, Direction: dir}, store.Page{First: &two, After: fs.PageInfo.EndCursor})
				chk("factors", fs, err)
				t.Log(len(fs.Nodes))
			}
		}
		x, err := st.SupersededBy(ctx, []store.ID{l.Factors[0].ID})
		chk("superseded", x, err)
		d, err := st.Datasets(ctx)
		chk("datasets", d, err)
		m, err := l.Tenant.Mappings(ctx)
		chk("mappings", m, err)
		r, err := l.Tenant.RunsByID(ctx, []store.ID{l.Run.ID})
		chk("runs", r, err)
		ce, err := l.Tenant.CurrentEmissions(ctx, []store.ID{l.Lines[0].Activity.ID})
		chk("current", ce, err)
		t.Log(len(r), len(ce), len(d))
	})
}
