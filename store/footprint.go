package store

import (
	"context"
	"fmt"
	"strings"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

// maxDimensions is how many dimensions a footprint may be grouped by.
const maxDimensions = 3

// dimension is one thing that emissions are grouped by: the expression, and the column that its value is read from.
type dimension struct {
	expr   string
	column func(name string) column[FootprintRow]
}

// spans are the dimensions of time, of which a row has room for one.
func (d FootprintDimension) span() bool { return d == ByMonth || d == ByQuarter || d == ByYear }

// dimension finds what a dimension means where its columns are these.
func (d FootprintDimension) dimension(db dialect, t terms) (dimension, error) {
	switch d {
	case ByCategory:
		return dimension{t.category, func(n string) column[FootprintRow] {
			return maybeInt(n, "Category", func(r *FootprintRow) **int32 { return &r.CategoryNumber })
		}}, nil
	case BySupplier:
		return dimension{t.supplier, func(n string) column[FootprintRow] {
			return maybeID(n, "SupplierID", func(r *FootprintRow) **ID { return &r.SupplierID })
		}}, nil
	case ByCountry:
		return dimension{t.country, func(n string) column[FootprintRow] {
			return maybeText(n, "Country", func(r *FootprintRow) **string { return &r.Country })
		}}, nil
	case ByMonth, ByQuarter, ByYear:
		return dimension{db.firstDay(t.day, d), func(n string) column[FootprintRow] {
			return maybeDate(n, "Period", func(r *FootprintRow) **exact.Date { return &r.Period })
		}}, nil
	case ByMethod:
		return dimension{t.method, func(n string) column[FootprintRow] {
			return maybeText(n, "Method", func(r *FootprintRow) **CalculationMethod { return &r.Method })
		}}, nil
	case ByDataset:
		return dimension{t.dataset, func(n string) column[FootprintRow] {
			return maybeID(n, "DatasetID", func(r *FootprintRow) **ID { return &r.DatasetID })
		}}, nil
	case ByFactor:
		return dimension{t.factor, func(n string) column[FootprintRow] {
			return maybeID(n, "FactorID", func(r *FootprintRow) **ID { return &r.FactorID })
		}}, nil
	case ByAccountCode:
		return dimension{t.account, func(n string) column[FootprintRow] {
			return maybeText(n, "AccountCode", func(r *FootprintRow) **string { return &r.AccountCode })
		}}, nil
	}
	return dimension{}, fault.New(fault.BadUserInput, "There is no dimension %q.", d).At("groupBy")
}

// grouping is what a footprint is grouped by.
type grouping struct {
	*reading
	dimensions []dimension
	parts      parts
	period     string // the column of the groups that is a span of time; "" where none is
}

// newGrouping checks dimensions: at most three, none twice, one of time.
func newGrouping(r *reading, by []FootprintDimension) (g grouping, err error) {
	if len(by) > maxDimensions {
		return g, fault.New(fault.BadUserInput, "A footprint is grouped by at most %d dimensions, not %d.", maxDimensions, len(by)).At("groupBy")
	}
	g.reading = r
	seen := map[FootprintDimension]bool{}
	for i, d := range by {
		dim, err := d.dimension(r.dialect, r.terms)
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
		g.parts |= d.parts()
	}
	return g, nil
}

// groups is the statement of all groups, with their dimensions as d1, d2 and d3 and their keys as k1, k2 and k3. A key is a text that is never NULL,
// so that groups without a supplier or a country are groups like others; '~' stands after every value.
func (g grouping) groups() string {
	var columns, keys, numbers []string
	free := g.dialect.words()["free"]
	for i, d := range g.dimensions {
		n := fmt.Sprint(i + 1)
		columns = append(columns, free+d.expr+" AS d"+n)
		keys = append(keys, "COALESCE('=' || CAST(d"+n+" AS text), '~') AS k"+n)
		numbers = append(numbers, n)
	}
	sums, grouped := g.sums, " GROUP BY "+strings.Join(numbers, ", ")
	switch {
	case len(numbers) == 0:
		grouped = ""
	case g.kept():
		sums, grouped = g.plain, ""
	}
	groups := "SELECT " + strings.Join(append(columns, sums), ", ") + g.from() + grouped
	return "SELECT " + strings.Join(append(keys, "sums.*"), ", ") + " FROM (" + groups + ") AS sums"
}

// kept tells that each row is a group as it stands.
func (g grouping) kept() bool { return len(g.dimensions) > 0 && g.parts == g.key }

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
	q, err := t.FootprintPage(f, by, o, p)
	return connection(ctx, q, err)
}

// FootprintPage is the read behind Footprint.
func (t *Tenant) FootprintPage(f *EmissionFilter, by []FootprintDimension, o FootprintOrder, p Page) (*Select[FootprintRow], error) {
	g, c, err := t.groups(f, by)
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
	sc := t.binding("footprint", ordered, footprintQuestion{c, by}, kinds...)
	w, err := p.window(sc)
	if err != nil {
		return nil, err
	}
	return &Select[FootprintRow]{store: t.store, rel: g.relation(), statement: g.statement, lead: leadPage, placed: true, window: w, parents: 1, bound: sc, keysAt: none,
		text: g.page(ordered, w)}, nil
}

// groups starts a read of groups: the grouping, and the canonical filter.
func (t *Tenant) groups(f *EmissionFilter, by []FootprintDimension) (g grouping, c EmissionFilter, err error) {
	if c, err = f.canonical(); err != nil {
		return g, c, err
	}
	needed := c.parts()
	for _, d := range by {
		needed |= d.parts()
	}
	g, err = newGrouping(t.reading(c, needed), by)
	return g, c, err
}

// relation is how the rows of the groups are read.
func (g grouping) relation() *relation[FootprintRow] {
	cols := []column[FootprintRow]{longColumn("whole", "Share", func(r *FootprintRow) *exact.Milligrams { return &r.WholeCO2e })}
	for i, name := range g.columns("d") {
		cols = append(cols, g.dimensions[i].column(name))
	}
	return newRelation(g.table, g.alias, nil, append(cols, totalsColumns(func(r *FootprintRow) *FootprintTotals { return &r.Totals })...)...)
}

// page is the statement of one page of groups, with the CO2e of the whole beside each.
func (g grouping) page(o order, w window) string {
	place := append([]string{o.expr}, g.columns("k")...)
	ahead, following, preceding := " ASC", " > ", " <= "
	if o.desc {
		ahead, following, preceding = " DESC", " < ", " >= "
	}
	within, before := "TRUE", "FALSE"
	if w.after != nil {
		bound := make([]string, len(w.after))
		for i, k := range w.after {
			bound[i] = g.bind(k.arg())
		}
		row, at := "("+strings.Join(place, ", ")+")", "("+strings.Join(bound, ", ")+")"
		within, before = row+following+at, "EXISTS (SELECT 1 FROM grouped WHERE "+row+preceding+at+")"
	}
	keys, own := append([]string{o.expr + " AS sort_key"}, g.columns("k")...), g.columns("d")
	shown := []string{"around.parent", "around.before_first", "FALSE AS after_last", "page.sort_key"}
	for _, name := range g.columns("k") {
		shown = append(shown, "page."+name)
	}
	shown = append(shown, "around.whole")
	for _, name := range own {
		shown = append(shown, "page."+name)
	}
	once := " AS MATERIALIZED ("
	if g.kept() {
		once = " AS NOT MATERIALIZED (" // to read the rows again costs less than to put them aside
	}
	return "WITH grouped" + once + g.groups() + ") SELECT " + strings.Join(shown, ", ") + ", " + prefixed("page.", sumNames) +
		" FROM (SELECT 0 AS parent, CAST(COALESCE(SUM(co2e), 0) AS bigint) AS whole, " + before +
		" AS before_first FROM grouped) AS around LEFT JOIN (SELECT " + strings.Join(append(append(keys, own...), sumNames), ", ") + " FROM grouped WHERE " + within +
		" ORDER BY " + strings.Join(place, ahead+", ") + ahead + " LIMIT " + g.bind(w.size+1) + ") AS page ON TRUE"
}

// prefixed puts a prefix before each name of a list.
func prefixed(prefix, names string) string {
	return prefix + strings.ReplaceAll(names, ", ", ", "+prefix)
}

// CountFootprint tells how many groups there are.
func (t *Tenant) CountFootprint(ctx context.Context, f *EmissionFilter, by []FootprintDimension) (n int, err error) {
	q, err := t.FootprintCount(f, by)
	return one(ctx, q, err)
}

// FootprintCount is the read behind CountFootprint.
func (t *Tenant) FootprintCount(f *EmissionFilter, by []FootprintDimension) (*Select[int], error) {
	g, _, err := t.groups(f, by)
	if err != nil {
		return nil, err
	}
	return &Select[int]{store: t.store, rel: newCount(g.table, g.alias), statement: g.statement, keysAt: none,
		text: "SELECT COUNT(*) FROM (" + g.groups() + ") AS grouped"}, nil
}
