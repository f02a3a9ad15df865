package store_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carbongraph/store"
	"carbongraph/store/storetest"
)

// keeping keeps the ids of rows, and what a string of each says.
type keeping[T any] struct {
	ids  []store.ID
	says []string
	page store.PageOf
	of   func(*T) (store.ID, string)
}

func (k *keeping[T]) take(row *T) {
	id, says := k.of(row)
	k.ids, k.says = append(k.ids, id), append(k.says, strings.Clone(says))
}

func (k *keeping[T]) Row(_ *store.At, row *T) error   { k.take(row); return nil }
func (k *keeping[T]) Guest(row *T) error              { k.take(row); return nil }
func (k *keeping[T]) Done(pages []store.PageOf) error { k.page = pages[0]; return nil }
func (k *keeping[T]) sorted() (ids []store.ID, _ bool) {
	ids = slices.SortedFunc(slices.Values(k.ids), func(a, b store.ID) int { return bytes.Compare(a[:], b[:]) })
	return ids, len(slices.Compact(slices.Clone(ids))) == len(ids)
}

func emissionAndMethod(e *store.Emission) (store.ID, string)  { return e.ID, string(e.Method) }
func supplierAndName(s *store.Supplier) (store.ID, string)    { return s.ID, s.Name }
func activityAndKey(a *store.Activity) (store.ID, string)     { return a.ID, a.ExternalID }
func runAndReason(r *store.CalculationRun) (store.ID, string) { return r.ID, r.Reason }
func columns[T any](t interface{ Fatalf(string, ...any) }, names ...string) (c store.Columns) {
	for _, name := range names {
		some, ok := store.Showing[T](name)
		if !ok {
			t.Fatalf("no column shows %s", name)
		}
		c |= some
	}
	return c
}

// What a page brings along is what its rows refer to, each row once; the page is the one that it is by itself.
func TestAPageBringsRowsAlong(t *testing.T) {
	clock := newClock()
	st := storetest.Postgres(t, clock.option)
	l := knotty(t, st, clock, "Acme", 60)
	knotty(t, st, clock, "Other", 12)
	emissions := currentEmissions(t, l)
	rapid.Check(t, func(r *rapid.T) {
		o := store.EmissionOrder{Field: rapid.SampledFrom([]store.EmissionOrderField{store.EmissionsByOccurredOn, store.EmissionsByCO2e}).Draw(r, "order")}
		size := rapid.Int32Range(1, 70).Draw(r, "size")
		p := store.Page{First: &size}
		if rapid.Bool().Draw(r, "backward") {
			p = store.Page{Last: &size}
		}
		if rapid.Bool().Draw(r, "from a place") {
			all, err := l.Tenant.Emissions(t.Context(), nil, o, store.Page{First: new(int32(60))})
			if err != nil {
				r.Fatal(err)
			}
			at := all.Edges[rapid.IntRange(0, len(all.Edges)-1).Draw(r, "place")].Cursor()
			if rapid.Bool().Draw(r, "after") {
				p.After = &at
			} else {
				p.Before = &at
			}
		}
		var flags store.Columns
		for _, f := range []store.Columns{store.NoPlaces, store.NoPrevious, store.NoNext} {
			if rapid.Bool().Draw(r, "without") {
				flags |= f
			}
		}
		some := columns[store.Emission](r, "ID", "Method", "SupplierID", "ActivityID", "RunID")
		page := func() *store.Select[store.Emission] {
			q, err := l.Tenant.EmissionPage(nil, o, p, some|flags)
			if err != nil {
				r.Fatal(err)
			}
			return q
		}
		alone, rows := &keeping[store.Emission]{of: emissionAndMethod}, &keeping[store.Emission]{of: emissionAndMethod}
		suppliers, activities := &keeping[store.Supplier]{of: supplierAndName}, &keeping[store.Activity]{of: activityAndKey}
		runs := &keeping[store.CalculationRun]{of: runAndReason}
		q := page()
		ofSupplier, ofActivity, ofRun := columns[store.Supplier](r, "ID", "Name"), columns[store.Activity](r, "ID", "ExternalID", "Money"), store.Columns(0)
		for _, err := range []error{
			store.Join[store.Emission, store.Supplier](q, "SupplierID", ofSupplier), store.Join[store.Emission, store.Activity](q, "ActivityID", ofActivity),
			store.Join[store.Emission, store.CalculationRun](q, "RunID", ofRun),
		} {
			if err != nil {
				r.Fatal(err)
			}
		}
		first, err := page().Into(alone)
		if err != nil {
			r.Fatal(err)
		}
		second, err := q.Into(rows, store.Along(ofSupplier, suppliers), store.Along(ofActivity, activities), store.Along(ofRun, runs))
		if err != nil {
			r.Fatal(err)
		}
		snapshot(t, st, first, second)
		if !slices.Equal(rows.ids, alone.ids) || !slices.Equal(rows.says, alone.says) || rows.page != alone.page {
			r.Fatalf("the page is\n%v %+v, by itself\n%v %+v", rows.ids, rows.page, alone.ids, alone.page)
		}
		want := map[string]map[store.ID]bool{"supplier": {}, "activity": {}, "run": {}}
		for _, e := range emissions {
			if slices.Contains(rows.ids, e.ID) {
				if e.SupplierID != nil {
					want["supplier"][*e.SupplierID] = true
				}
				want["activity"][e.ActivityID], want["run"][e.RunID] = true, true
			}
		}
		for name, got := range map[string]interface{ sorted() ([]store.ID, bool) }{"supplier": suppliers, "activity": activities, "run": runs} {
			ids, once := got.sorted()
			for id := range want[name] {
				if !slices.Contains(ids, id) {
					r.Fatalf("no %s %s came along, but %v", name, id, ids)
				}
			}
			if !once || len(ids) > len(want[name]) {
				r.Fatalf("%d rows of %s came along, want %d", len(ids), name, len(want[name]))
			}
		}
		for i, id := range suppliers.ids {
			if s := l.Suppliers[slices.IndexFunc(l.Suppliers, func(s *store.Supplier) bool { return s.ID == id })]; s.Name != suppliers.says[i] {
				r.Fatalf("supplier %s is %q, want %q", id, suppliers.says[i], s.Name)
			}
		}
	})
}

// A page on which nothing is brings nothing along.
func TestAnEmptyPageBringsNothingAlong(t *testing.T) {
	st := storetest.Postgres(t)
	l := storetest.NewLedger(t, st, "Acme", 5, nil)
	end, err := l.Tenant.Emissions(t.Context(), nil, store.EmissionOrder{}, store.Page{})
	if err != nil {
		t.Fatal(err)
	}
	q, err := l.Tenant.EmissionPage(nil, store.EmissionOrder{}, store.Page{After: end.PageInfo.EndCursor}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Join[store.Emission, store.Supplier](q, "SupplierID", 0); err != nil {
		t.Fatal(err)
	}
	rows, suppliers := &keeping[store.Emission]{of: emissionAndMethod}, &keeping[store.Supplier]{of: supplierAndName}
	statement, err := q.Into(rows, store.Along(0, suppliers))
	if err != nil {
		t.Fatal(err)
	}
	snapshot(t, st, statement)
	if len(rows.ids) > 0 || len(suppliers.ids) > 0 || !rows.page.Prev || rows.page.Next {
		t.Errorf("rows %v, suppliers %v, page %+v", rows.ids, suppliers.ids, rows.page)
	}
}

func TestWhatCannotComeAlong(t *testing.T) {
	storetest.Each(t, "is said", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 3, nil)
		emissions := func() *store.Select[store.Emission] {
			q, err := l.Tenant.EmissionPage(nil, store.EmissionOrder{}, store.Page{}, 0)
			if err != nil {
				t.Fatal(err)
			}
			return q
		}
		children, err := l.Tenant.EmissionPages(store.KindSupplier, []store.ID{l.Suppliers[0].ID}, nil, store.EmissionOrder{}, store.Page{}, 0)
		if err != nil {
			t.Fatal(err)
		}
		shared, err := st.FactorPage(nil, store.EmissionFactorOrder{}, store.Page{}, 0)
		if err != nil {
			t.Fatal(err)
		}
		activities, err := l.Tenant.ActivityPage(nil, store.ActivityOrder{}, store.Page{}, 0)
		if err != nil {
			t.Fatal(err)
		}
		name := columns[store.Supplier](t, "Name")
		for what, err := range map[string]error{
			"rows that everybody has":      store.Join[store.Emission, store.EmissionFactor](emissions(), "FactorID", 0),
			"by a field of two columns":    store.Join[store.Activity, store.Supplier](activities, "Money", 0),
			"with a page of each parent":   store.Join[store.Emission, store.Supplier](children, "SupplierID", 0),
			"with rows that everybody has": store.Join[store.EmissionFactor, store.FactorDataset](shared, "DatasetID", 0),
			"without ids":                  store.Join[store.Emission, store.Supplier](emissions(), "SupplierID", name),
		} {
			if err == nil {
				t.Errorf("%s: no error", what)
			}
		}
		if err := store.Join[store.Emission, store.Supplier](emissions(), "SupplierID", 0); (err == nil) != st.Joins() || st.Joins() != (st.Dialect() == "postgres") {
			t.Errorf("%s joins: %t; error %v", st.Dialect(), st.Joins(), err)
		}
		for field, joinable := range map[string]bool{"SupplierID": true, "Money": false, "Nothing": false} {
			if got := store.Joinable[store.Activity, store.Supplier](field); got != joinable {
				t.Errorf("Joinable by %s = %t", field, got)
			}
		}
		if store.Joinable[store.Emission, store.APIKey]("SupplierID") || store.Joinable[store.Emission, store.Organization]("SupplierID") || store.Joinable[store.FootprintRow, store.Supplier]("SupplierID") {
			t.Error("keys, organizations or what groups refer to come along")
		}
	})
}

// The rows that come along are found by their index, however many there are of them.
func TestWhatComesAlongIsFoundByIndex(t *testing.T) {
	p := planned{storetest.Postgres(t, func(o *store.Options) { o.MaxConns = 1 }), t, map[string]bool{}}
	l := storetest.NewLedger(t, p.Store, "Acme", 0, nil)
	for i, text := range bulk {
		args := []any{l.Tenant.ID().String(), 20_000}
		if err := p.Exec(t.Context(), text, args[:2-min(i, 1)]...); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Exec(t.Context(), "VACUUM ANALYZE"); err != nil {
		t.Fatal(err)
	}
	p.query("SELECT set_config('plan_cache_mode', 'force_generic_plan', false)")
	q, err := l.Tenant.EmissionPage(nil, store.EmissionOrder{}, store.Page{First: new(int32(50))}, store.NoPlaces)
	if err != nil {
		t.Fatal(err)
	}
	suppliers, activities := &keeping[store.Supplier]{of: supplierAndName}, &keeping[store.Activity]{of: activityAndKey}
	for _, err := range []error{store.Join[store.Emission, store.Supplier](q, "SupplierID", 0), store.Join[store.Emission, store.Activity](q, "ActivityID", 0)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := p.touched(func() error {
		statement, err := q.Into(&nobody[store.Emission]{}, store.Along(0, suppliers), store.Along(0, activities))
		snapshot(t, p.Store, statement)
		return err
	}); n > 4*51 {
		t.Errorf("%d rows and index entries are touched for 50 emissions and what comes along", n)
	}
	if len(activities.ids) != 50 || len(suppliers.ids) < 2 {
		t.Errorf("%d activities and %d suppliers came along", len(activities.ids), len(suppliers.ids))
	}
}
