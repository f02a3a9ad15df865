package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"carbongraph/internal/fault"
)

// maxDimensions is how many dimensions a footprint may be grouped by.
const maxDimensions = 3

// dimension is one thing that emissions are grouped by: the expression, and where its value goes in a row.
type dimension struct {
	expr string
	dest func(*FootprintRow) any
}

// spans are the dimensions of time, of which a row has room for one.
func (d FootprintDimension) span() bool { return d == ByMonth || d == ByQuarter || d == ByYear }

// dimension finds what a dimension means.
func (d FootprintDimension) dimension(b *statement) (dimension, error) {
	switch d {
	case ByCategory:
		return dimension{"e.category_number", func(r *FootprintRow) any { return &r.CategoryNumber }}, nil
	case BySupplier:
		return dimension{"e.supplier_id", func(r *FootprintRow) any { return &r.SupplierID }}, nil
	case ByCountry:
		return dimension{"e.country", func(r *FootprintRow) any { return &r.Country }}, nil
	case ByMonth, ByQuarter, ByYear:
		return dimension{b.dialect.firstDay("e.occurred_on", d), func(r *FootprintRow) any { return &r.Period }}, nil
	case ByMethod:
		return dimension{"e.method", func(r *FootprintRow) any { return &r.Method }}, nil
	case ByDataset:
		return dimension{"e.dataset_id", func(r *FootprintRow) any { return &r.DatasetID }}, nil
	case ByFactor:
		return dimension{"e.factor_id", func(r *FootprintRow) any { return &r.FactorID }}, nil
	case ByAccountCode:
		return dimension{"e.account_code", func(r *FootprintRow) any { return &r.AccountCode }}, nil
	}
	return dimension{}, fault.New(fault.BadUserInput, "There is no dimension %q.", d).At("groupBy")
}

// grouping is what a footprint is grouped by.
type grouping struct {
	dimensions []dimension
	period     string // the column of the groups that is a span of time; "" where none is
}

// newGrouping checks dimensions: at most three, none twice, one of time.
func newGrouping(b *statement, by []FootprintDimension) (g grouping, err error) {
	if len(by) > maxDimensions {
		return g, fault.New(fault.BadUserInput, "A footprint is grouped by at most %d dimensions, not %d.", maxDimensions, len(by)).At("groupBy")
	}
	seen := map[FootprintDimension]bool{}
	for i, d := range by {
		dim, err := d.dimension(b)
		if err != nil {
			return g, err
		}
		if seen[d] {
			return g, fault.New(fault.BadUserInput, "The dimension %s is there twice.", d).At("groupBy")
		}
		if d.span() {
			if g.period != "" {
				return g, fault.New(fault.BadUserInput, "Group by one of MONTH, QUARTER and YEAR.").At("groupBy")
			}
			g.period = fmt.Sprintf("d%d", i+1)
		}
		seen[d] = true
		g.dimensions = append(g.dimensions, dim)
	}
	return g, nil
}

// groups is the statement of all groups, with their dimensions as d1, d2 and d3 and their keys as k1, k2 and k3. A key is a text that is never NULL,
// so that groups without a supplier or a country are groups like others; '~' stands after every value.
func (g grouping) groups(b *statement, f EmissionFilter) string {
	var columns, keys, numbers []string
	free := b.dialect.words()["free"]
	for i, d := range g.dimensions {
		n := fmt.Sprint(i + 1)
		columns = append(columns, free+d.expr+" AS d"+n)
		keys = append(keys, "COALESCE('=' || CAST(d"+n+" AS text), '~') AS k"+n)
		numbers = append(numbers, n)
	}
	grouped := "SELECT " + strings.Join(append(columns, sums(f)), ", ") + " FROM emissions AS e WHERE " + b.all()
	if len(numbers) > 0 {
		grouped += " GROUP BY " + strings.Join(numbers, ", ")
	}
	return "SELECT " + strings.Join(append(keys, "sums.*"), ", ") + " FROM (" + grouped + ") AS sums"
}

// columns names k1, k2, k3 or d1, d2, d3, as many as there are dimensions.
func (g grouping) columns(letter string) []string {
	names := make([]string, len(g.dimensions))
	for i := range names {
		names[i] = fmt.Sprint(letter, i+1)
	}
	return names
}

// order finds the column of an order of groups. The zero order is that of the contract: by CO2e, the largest first.
func (o FootprintOrder) order(g grouping) (order, error) {
	switch o.Field {
	case "", FootprintByCO2e:
		return newOrder(FootprintByCO2e, o.Direction, Desc, keyInt, "co2e")
	case FootprintByActivityCount:
		return newOrder(o.Field, o.Direction, Desc, keyInt, "activities")
	case FootprintBySpend:
		return newOrder(o.Field, o.Direction, Desc, keyInt, "spend")
	case FootprintByPeriod:
		if g.period == "" {
			return order{}, fault.New(fault.BadUserInput, "The order PERIOD needs MONTH, QUARTER or YEAR in groupBy.").At("orderBy", "field")
		}
		return newOrder(o.Field, o.Direction, Desc, keyDate, g.period)
	}
	return order{}, unknownOrder(o.Field)
}

// footprintQuestion is what cursors of a footprint are bound to beside the order.
type footprintQuestion struct {
	Filter EmissionFilter
	By     []FootprintDimension
}

// Footprint sums emissions by groups; without dimensions there is one row, the total. Of pages it knows first and after.
func (t *Tenant) Footprint(ctx context.Context, f *EmissionFilter, by []FootprintDimension, o FootprintOrder, p Page) (*Connection[FootprintRow], error) {
	b, c, err := t.emissions(f)
	if err != nil {
		return nil, err
	}
	b.fresh = true
	g, err := newGrouping(b, by)
	if err != nil {
		return nil, err
	}
	ordered, err := o.order(g)
	if err != nil {
		return nil, err
	}
	if p.Last != nil || p.Before != nil {
		return nil, fault.New(fault.BadUserInput, "A footprint is read forwards: pass first and after.").At("last")
	}
	kinds := append([]keyKind{ordered.kind}, make([]keyKind, len(g.dimensions))...)
	for i := range g.dimensions {
		kinds[i+1] = keyText
	}
	sc := newScope(t.store.cursorKey, t.org, "footprint", ordered, footprintQuestion{c, by}, kinds...)
	w, err := p.window(sc)
	if err != nil {
		return nil, err
	}
	return t.readFootprint(ctx, b, c, g, ordered, w, sc)
}

// page is the statement of one page of groups, with the CO2e of the whole beside each.
func (g grouping) page(b *statement, f EmissionFilter, o order, w window) string {
	place := append([]string{o.expr}, g.columns("k")...)
	ahead, following, preceding := " ASC", " > ", " <= "
	if o.desc {
		ahead, following, preceding = " DESC", " < ", " >= "
	}
	within, before := "TRUE", "FALSE"
	if w.after != nil {
		bound := make([]string, len(w.after))
		for i, k := range w.after {
			bound[i] = b.bind(k.arg())
		}
		row, at := "("+strings.Join(place, ", ")+")", "("+strings.Join(bound, ", ")+")"
		within, before = row+following+at, "EXISTS (SELECT 1 FROM grouped WHERE "+row+preceding+at+")"
	}
	columns := append(append(append([]string{o.expr + " AS sort_key"}, g.columns("k")...), g.columns("d")...), sumNames)
	return "WITH grouped AS MATERIALIZED (" + g.groups(b, f) + ") SELECT around.*, page.* FROM (SELECT CAST(COALESCE(SUM(co2e), 0) AS bigint) AS whole, " + before +
		" AS before_first FROM grouped) AS around LEFT JOIN (SELECT " + strings.Join(columns, ", ") + " FROM grouped WHERE " + within +
		" ORDER BY " + strings.Join(place, ahead+", ") + ahead + " LIMIT " + b.bind(w.size+1) + ") AS page ON TRUE"
}

func (t *Tenant) readFootprint(ctx context.Context, b *statement, f EmissionFilter, g grouping, o order, w window, sc *scope) (*Connection[FootprintRow], error) {
	raw := rawPage[FootprintRow]{width: 1 + len(g.dimensions)}
	err := t.store.read(ctx, "emissions", g.page(b, f, o, w), b, func(scan scanner) error {
		row := new(FootprintRow)
		at := make(place, raw.width)
		at[0].kind = o.kind
		dest := []any{&row.WholeCO2e, &raw.before, &at[0]}
		for i := range g.dimensions {
			at[i+1].kind = keyText
			dest = append(dest, &at[i+1])
		}
		for _, d := range g.dimensions {
			dest = append(dest, d.dest(row))
		}
		err := scan(append(dest, row.Totals.dest()...)...)
		if errors.Is(err, errNoRow) {
			return nil
		}
		raw.rows, raw.places = append(raw.rows, row), append(raw.places, at...)
		return err
	})
	if err != nil {
		return nil, err
	}
	return connect(&raw, w, sc), nil
}

// CountFootprint tells how many groups there are.
func (t *Tenant) CountFootprint(ctx context.Context, f *EmissionFilter, by []FootprintDimension) (n int, err error) {
	b, c, err := t.emissions(f)
	if err != nil {
		return 0, err
	}
	b.fresh = true
	g, err := newGrouping(b, by)
	if err != nil {
		return 0, err
	}
	err = t.store.read(ctx, "emissions", "SELECT COUNT(*) FROM ("+g.groups(b, c)+") AS grouped", b, func(scan scanner) error { return scan(&n) })
	return n, err
}
