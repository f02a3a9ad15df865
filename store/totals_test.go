package store_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// summed adds emissions up in Go.
func summed(rows []*store.Emission) (t store.FootprintTotals) {
	lines := map[store.ID]bool{}
	for _, e := range rows {
		t.CO2e += e.CO2e
		t.BiogenicCO2 += e.BiogenicCO2
		t.EmissionCount++
		lines[e.ActivityID] = true
		if e.Spend != nil {
			t.Spend += *e.Spend
			t.HasSpend = true
			t.SpendCO2e += e.CO2e
		}
		low, high := e.CO2e, e.CO2e
		if e.Low != nil {
			low, high = min(*e.Low, *e.High), max(*e.Low, *e.High)
			t.HasInterval = true
		}
		t.Low, t.High = t.Low+low, t.High+high
		grams := int64(e.CO2e / 1000)
		if grams < 0 {
			grams = -grams
		}
		q := e.Quality
		t.Weight, t.Quality = t.Weight+grams, t.Quality+grams*int64(q.Technology+q.Time+q.Geography+q.Completeness+q.Reliability)
	}
	t.ActivityCount = int32(len(lines))
	return t
}

// question is a filter of emissions and the same in Go.
type question struct {
	filter store.EmissionFilter
	meets  func(*store.Emission) bool
}

func (q question) of(rows []*store.Emission) (out []*store.Emission) {
	for _, e := range rows {
		if q.meets(e) {
			out = append(out, e)
		}
	}
	return out
}

// drawQuestion makes a filter of a few parts.
func drawQuestion(r *rapid.T, l *storetest.Ledger) question {
	q := question{meets: func(e *store.Emission) bool { return !e.Superseded }}
	and := func(more func(*store.Emission) bool) {
		all := q.meets
		q.meets = func(e *store.Emission) bool { return all(e) && more(e) }
	}
	if rapid.IntRange(0, 3).Draw(r, "superseded too") == 0 {
		q.filter.IncludeSuperseded = new(true)
		q.meets = func(*store.Emission) bool { return true }
	}
	if rapid.Bool().Draw(r, "suppliers") {
		s := rapid.SliceOfN(rapid.SampledFrom(l.Suppliers), 1, 5).Draw(r, "of suppliers")
		for _, s := range s {
			q.filter.SupplierIds = append(q.filter.SupplierIds, s.GlobalID())
		}
		and(func(e *store.Emission) bool {
			return slices.ContainsFunc(s, func(s *store.Supplier) bool { return e.SupplierID != nil && *e.SupplierID == s.ID })
		})
	}
	if rapid.Bool().Draw(r, "categories") {
		q.filter.Categories = rapid.SliceOfN(rapid.Int32Range(1, 15), 1, 9).Draw(r, "of categories")
		and(func(e *store.Emission) bool { return slices.Contains(q.filter.Categories, e.CategoryNumber) })
	}
	if rapid.Bool().Draw(r, "days") {
		from := exact.NewDate(2023, 1, rapid.IntRange(1, 500).Draw(r, "from"))
		to := from.AddDays(rapid.IntRange(0, 500).Draw(r, "days"))
		switch rapid.IntRange(0, 2).Draw(r, "begins") {
		case 0:
			from = exact.NewDate(from.Year(), 1, 1)
		case 1:
			from = exact.NewDate(from.Year(), from.Month(), 1)
		}
		switch rapid.IntRange(0, 2).Draw(r, "ends") {
		case 0:
			to = exact.NewDate(to.Year(), 12, 31)
		case 1:
			to = exact.NewDate(to.Year(), to.Month()+1, 0)
		}
		q.filter.OccurredFrom, q.filter.OccurredTo = &from, &to
		and(func(e *store.Emission) bool { return !from.After(e.OccurredOn) && !e.OccurredOn.After(to) })
	}
	if rapid.Bool().Draw(r, "methods") {
		q.filter.Methods = []store.CalculationMethod{store.Hybrid, store.SpendBased}
		and(func(e *store.Emission) bool { return e.Method != store.AverageData })
	}
	if rapid.IntRange(0, 3).Draw(r, "countries") == 0 {
		q.filter.Countries = []string{"GB", "DE"}
		and(func(e *store.Emission) bool { return e.Country != nil && *e.Country != "FR" })
	}
	if rapid.Bool().Draw(r, "datasets") {
		d := rapid.SampledFrom(l.Factors).Draw(r, "of the dataset of").DatasetID
		q.filter.DatasetIds = []store.GlobalID{store.Global(store.KindFactorDataset, d)}
		and(func(e *store.Emission) bool { return e.DatasetID == d })
	}
	if rapid.IntRange(0, 3).Draw(r, "factors") == 0 {
		f := rapid.SliceOfN(rapid.SampledFrom(l.Factors), 1, 9).Draw(r, "of factors")
		for _, f := range f {
			q.filter.FactorIds = append(q.filter.FactorIds, f.GlobalID())
		}
		and(func(e *store.Emission) bool {
			return slices.ContainsFunc(f, func(f *store.EmissionFactor) bool { return f.ID == e.FactorID })
		})
	}
	return q
}

// allEmissions gives every emission of a ledger, superseded ones too.
func allEmissions(t testing.TB, l *storetest.Ledger) []*store.Emission {
	t.Helper()
	c, err := l.Tenant.Emissions(t.Context(), &store.EmissionFilter{IncludeSuperseded: new(true)}, store.EmissionOrder{}, store.Page{First: new(int32(500))})
	if err != nil || c.PageInfo.HasNextPage {
		t.Fatalf("not all emissions in one page, %v", err)
	}
	return c.Nodes
}

func TestTotalsAreTheSumOfTheRows(t *testing.T) {
	clock := newClock()
	storetest.Each(t, "whatever is asked, at the top, below parents and by groups", func(t *testing.T, st *store.Store) {
		l := knotty(t, st, clock, "Acme", 80)
		knotty(t, st, clock, "Other", 20)
		rows := allEmissions(t, l)
		if current := currentEmissions(t, l); len(current) == len(rows) || len(current) < 40 {
			t.Fatalf("%d of %d emissions are current: the ledger proves nothing", len(current), len(rows))
		}
		rapid.Check(t, func(r *rapid.T) {
			q := drawQuestion(r, l)
			met := q.of(rows)
			got, err := l.Tenant.EmissionTotals(t.Context(), &q.filter)
			if err != nil || *got != summed(met) {
				r.Fatalf("totals = %+v, %v; want %+v", got, err, summed(met))
			}
			page, err := l.Tenant.Emissions(t.Context(), &q.filter, store.EmissionOrder{}, store.Page{First: new(int32(500))})
			if err != nil || summed(page.Nodes) != *got {
				r.Errorf("the rows that are listed sum up to %+v, %v; want %+v", summed(page.Nodes), err, got)
			}
			checkTotalsOf(r, t, l, q, met)
			checkFootprint(r, t, l, q, met)
		})
	}, clock.option)
}

func checkTotalsOf(r *rapid.T, t *testing.T, l *storetest.Ledger, q question, met []*store.Emission) {
	kind := rapid.SampledFrom([]store.Kind{store.KindSupplier, store.KindCategory, store.KindActivity}).Draw(r, "kind")
	checkTotalsOfParents(r, t, l, q, met, drawParents(r, l, l, kind))
}

func checkTotalsOfParents(r *rapid.T, t *testing.T, l *storetest.Ledger, q question, met []*store.Emission, parents []store.GlobalID) {
	got, err := l.Tenant.EmissionTotalsOf(t.Context(), parents, &q.filter)
	if err != nil || len(got) != len(parents) {
		r.Fatalf("%d totals of %d parents, %v", len(got), len(parents), err)
	}
	for i, parent := range parents {
		var own []*store.Emission
		for _, e := range met {
			if ownerOfEmission(e, parent) {
				own = append(own, e)
			}
		}
		if *got[i] != summed(own) {
			r.Errorf("totals of %#v = %+v; want %+v", parent, got[i], summed(own))
		}
	}
}

// groupKey tells the group of an emission by one dimension, and that of a row.
var groupKeys = map[store.FootprintDimension]struct {
	emission func(*store.Emission) string
	row      func(*store.FootprintRow) string
}{
	store.ByCategory: {func(e *store.Emission) string { return fmt.Sprint(e.CategoryNumber) }, func(r *store.FootprintRow) string { return text(r.CategoryNumber) }},
	store.BySupplier: {func(e *store.Emission) string { return text(e.SupplierID) }, func(r *store.FootprintRow) string { return text(r.SupplierID) }},
	store.ByCountry:  {func(e *store.Emission) string { return text(e.Country) }, func(r *store.FootprintRow) string { return text(r.Country) }},
	store.ByMonth: {func(e *store.Emission) string {
		return exact.NewDate(e.OccurredOn.Year(), e.OccurredOn.Month(), 1).String()
	},
		func(r *store.FootprintRow) string { return text(r.Period) }},
	store.ByQuarter: {func(e *store.Emission) string {
		return exact.NewDate(e.OccurredOn.Year(), (e.OccurredOn.Month()-1)/3*3+1, 1).String()
	}, func(r *store.FootprintRow) string { return text(r.Period) }},
	store.ByYear:        {func(e *store.Emission) string { return exact.NewDate(e.OccurredOn.Year(), 1, 1).String() }, func(r *store.FootprintRow) string { return text(r.Period) }},
	store.ByMethod:      {func(e *store.Emission) string { return string(e.Method) }, func(r *store.FootprintRow) string { return text(r.Method) }},
	store.ByDataset:     {func(e *store.Emission) string { return e.DatasetID.String() }, func(r *store.FootprintRow) string { return text(r.DatasetID) }},
	store.ByFactor:      {func(e *store.Emission) string { return e.FactorID.String() }, func(r *store.FootprintRow) string { return text(r.FactorID) }},
	store.ByAccountCode: {func(e *store.Emission) string { return text(e.AccountCode) }, func(r *store.FootprintRow) string { return text(r.AccountCode) }},
}

func text[T any](v *T) string {
	if v == nil {
		return "none"
	}
	return fmt.Sprint(*v)
}

// drawDimensions picks at most three, at most one of time.
func drawDimensions(r *rapid.T) (by []store.FootprintDimension) {
	timed := false
	for _, d := range rapid.Permutation(slices.Sorted(maps.Keys(groupKeys))).Draw(r, "dimensions")[:rapid.IntRange(0, 3).Draw(r, "how many")] {
		if span := d == store.ByMonth || d == store.ByQuarter || d == store.ByYear; !span || !timed {
			by, timed = append(by, d), timed || span
		}
	}
	return by
}

func checkFootprint(r *rapid.T, t *testing.T, l *storetest.Ledger, q question, met []*store.Emission) {
	by := drawDimensions(r)
	want := map[string][]*store.Emission{}
	if len(by) == 0 {
		want[""] = nil // the total is there even of nothing
	}
	for _, e := range met {
		k := ""
		for _, d := range by {
			k += groupKeys[d].emission(e) + "|"
		}
		want[k] = append(want[k], e)
	}
	order := store.FootprintOrder{Field: rapid.SampledFrom([]store.FootprintOrderField{"", store.FootprintByCO2e, store.FootprintByActivityCount, store.FootprintBySpend}).Draw(r, "order"),
		Direction: direction(rapid.Bool().Draw(r, "desc"))}
	if slices.ContainsFunc(by, func(d store.FootprintDimension) bool {
		return d == store.ByMonth || d == store.ByQuarter || d == store.ByYear
	}) && rapid.Bool().Draw(r, "by period") {
		order.Field = store.FootprintByPeriod
	}
	var previous *store.FootprintRow
	p := store.Page{First: new(rapid.Int32Range(1, 40).Draw(r, "size"))}
	whole := summed(met).CO2e
	for {
		c, err := l.Tenant.Footprint(t.Context(), &q.filter, by, order, p)
		if err != nil {
			r.Fatalf("footprint by %v: %v", by, err)
		}
		if c.PageInfo.HasPreviousPage != (previous != nil) {
			r.Errorf("by %v: a previous page: %t, row %v", by, c.PageInfo.HasPreviousPage, previous)
		}
		for _, row := range c.Nodes {
			k := ""
			for _, d := range by {
				k += groupKeys[d].row(row) + "|"
			}
			own, there := want[k]
			delete(want, k)
			if !there || row.Totals != summed(own) || row.WholeCO2e != whole {
				r.Errorf("by %v: group %q (expected: %t) = %+v of %d; want %+v of %d", by, k, there, row.Totals, row.WholeCO2e, summed(own), whole)
			}
			if previous != nil && !inOrder(order, previous, row) {
				r.Errorf("by %v: %+v stands before %+v in order %+v", by, previous, row, order)
			}
			previous = row
		}
		if !c.PageInfo.HasNextPage {
			break
		}
		p.After = c.PageInfo.EndCursor
	}
	if len(want) > 0 {
		r.Errorf("by %v: groups are missing: %v", by, slices.Collect(maps.Keys(want)))
	}
}

func inOrder(o store.FootprintOrder, a, b *store.FootprintRow) bool {
	value := func(r *store.FootprintRow) int64 {
		switch o.Field {
		case store.FootprintByActivityCount:
			return int64(r.Totals.ActivityCount)
		case store.FootprintBySpend:
			return int64(r.Totals.Spend)
		case store.FootprintByPeriod:
			return r.Period.Time().Unix()
		}
		return int64(r.Totals.CO2e)
	}
	if o.Direction == store.Desc {
		return value(a) >= value(b)
	}
	return value(a) <= value(b)
}

func TestCountsAreThoseOfTheRows(t *testing.T) {
	clock := newClock()
	storetest.Each(t, "at the top and below parents", func(t *testing.T, st *store.Store) {
		l := knotty(t, st, clock, "Acme", 50)
		knotty(t, st, clock, "Other", 10)
		ctx := t.Context()
		suppliers, err := l.Tenant.CountSuppliers(ctx, nil)
		if err != nil || suppliers != len(l.Suppliers) {
			t.Errorf("suppliers = %d, %v; want %d", suppliers, err, len(l.Suppliers))
		}
		activities, err := l.Tenant.CountActivities(ctx, nil)
		if err != nil || activities != len(l.Lines) {
			t.Errorf("activities = %d, %v; want %d", activities, err, len(l.Lines))
		}
		parents := []store.GlobalID{l.Suppliers[3].GlobalID(), l.Suppliers[4].GlobalID(), l.Suppliers[3].GlobalID(), store.Global(store.KindSupplier, store.ID{9})}
		counts, err := l.Tenant.CountActivitiesOf(ctx, parents, &store.ActivityFilter{Calculated: new(true)})
		want := make([]int, len(parents))
		for _, line := range l.Lines {
			for i, p := range parents {
				if line.Emission != nil && ownerOfActivity(line.Activity, p) {
					want[i]++
				}
			}
		}
		if err != nil || !slices.Equal(counts, want) || want[0] == 0 {
			t.Errorf("activities of suppliers = %v, %v; want %v", counts, err, want)
		}
		for _, by := range [][]store.FootprintDimension{nil, {store.ByCategory}, {store.ByCountry, store.ByMonth}} {
			c, errRows := l.Tenant.Footprint(ctx, nil, by, store.FootprintOrder{}, store.Page{First: new(int32(500))})
			n, err := l.Tenant.CountFootprint(ctx, nil, by)
			if err != nil || errRows != nil || n != len(c.Nodes) {
				t.Errorf("groups by %v = %d, %v; want %d, %v", by, n, err, len(c.Nodes), errRows)
			}
		}
	}, clock.option)
}

func TestASumThatIsTooLarge(t *testing.T) {
	storetest.Each(t, "is refused with a word that helps, and never wraps around", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 2, nil)
		ctx := t.Context()
		for _, table := range []string{"emissions", "emission_sums"} {
			if err := st.Exec(ctx, "UPDATE "+table+" SET co2e_mg = $1", int64(math.MaxInt64)); err != nil {
				t.Fatal(err)
			}
		}
		_, total := l.Tenant.EmissionTotals(ctx, nil)
		_, of := l.Tenant.EmissionTotalsOf(ctx, []store.GlobalID{l.Suppliers[1].GlobalID()}, nil)
		_, one := l.Tenant.EmissionTotals(ctx, &store.EmissionFilter{Countries: []string{"US"}})
		_, grouped := l.Tenant.Footprint(ctx, nil, nil, store.FootprintOrder{}, store.Page{})
		_, whole := l.Tenant.Footprint(ctx, nil, []store.FootprintDimension{store.ByMonth}, store.FootprintOrder{}, store.Page{})
		for i, err := range []error{total, one, grouped, whole} {
			if fault.CodeOf(err) != fault.BadUserInput {
				t.Errorf("sum %d: %v; want BAD_USER_INPUT", i, err)
			}
		}
		if of != nil {
			t.Errorf("the sum of one supplier fits: %v", of)
		}
	})
}

func TestAFootprintThatCannotBeAsked(t *testing.T) {
	storetest.Each(t, "is refused", func(t *testing.T, st *store.Store) {
		l := storetest.NewLedger(t, st, "Acme", 2, nil)
		type dims = []store.FootprintDimension
		for name, tc := range map[string]struct {
			by    dims
			order store.FootprintOrder
			page  store.Page
		}{
			"four dimensions":          {by: dims{store.ByCategory, store.BySupplier, store.ByCountry, store.ByMethod}},
			"a dimension twice":        {by: dims{store.ByCategory, store.ByCategory}},
			"two of time":              {by: dims{store.ByMonth, store.ByYear}},
			"one that is none":         {by: dims{"PLANET"}},
			"by period without time":   {by: dims{store.ByCategory}, order: store.FootprintOrder{Field: store.FootprintByPeriod}},
			"backwards":                {page: store.Page{Last: new(int32(1))}},
			"before a cursor":          {page: store.Page{Before: new("x")}},
			"pages of no row":          {page: store.Page{First: new(int32(0))}},
			"a direction that is none": {order: store.FootprintOrder{Direction: "UP"}},
		} {
			if _, err := l.Tenant.Footprint(t.Context(), nil, tc.by, tc.order, tc.page); fault.CodeOf(err) != fault.BadUserInput {
				t.Errorf("%s: %v; want BAD_USER_INPUT", name, err)
			}
		}
		if _, err := l.Tenant.CountFootprint(t.Context(), nil, dims{store.ByMonth, store.ByQuarter}); fault.CodeOf(err) != fault.BadUserInput {
			t.Errorf("a count by two of time: %v; want BAD_USER_INPUT", err)
		}
		c, err := l.Tenant.Footprint(t.Context(), nil, dims{store.ByMonth}, store.FootprintOrder{}, store.Page{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Tenant.Footprint(t.Context(), nil, dims{store.ByCategory}, store.FootprintOrder{}, store.Page{After: c.PageInfo.EndCursor}); fault.CodeOf(err) != fault.InvalidCursor {
			t.Errorf("a cursor of other dimensions: %v; want INVALID_CURSOR", err)
		}
	})
}
