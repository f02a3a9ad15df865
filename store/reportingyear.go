package store

import (
	"context"

	"carbongraph/internal/exact"
)

// ReportingYear is a calendar year of the ledger: what is decided of it, and what was published.
type ReportingYear struct {
	Year                          int32
	Locked                        bool
	Base                          bool           // later years are compared with it; an organization has one at most
	LockedAt                      *exact.Instant // when it was locked last, also where it is open again; nil where it never was
	RecalculationThresholdPercent exact.Decimal
	Reason                        string           // of the last decision; empty where there was none
	LockedTotals                  *FootprintTotals // as they were when it was locked last; nil where it never was
}

// ReportingYearEvent is one decision on a reporting year, as it was made.
type ReportingYearEvent struct {
	Year                          int32
	DecidedAt                     exact.Instant
	Actor                         string
	Locked                        bool
	Base                          bool
	RecalculationThresholdPercent exact.Decimal
	Reason                        string
	CO2e                          exact.Milligrams // what the year came to then
}

// defaultThreshold is the change, in percent, that a base year is commonly recalculated at.
var defaultThreshold = exact.NewDecimal(5, 0)

// storedYear is a row of the table. Its sums stand under the names that sums have everywhere.
type storedYear struct {
	ReportingYear
	sums FootprintTotals
}

var yearRelation = newRelation("reporting_years", "y",
	func(y *storedYear) {
		if y.LockedAt != nil {
			y.LockedTotals = &y.sums
		}
	},
	append([]column[storedYear]{
		intColumn("y.year", "Year", func(y *storedYear) *int32 { return &y.Year }),
		boolColumn("y.locked", "Locked", func(y *storedYear) *bool { return &y.Locked }),
		boolColumn("y.base", "Base", func(y *storedYear) *bool { return &y.Base }),
		maybeInstant("y.locked_at", "LockedAt", func(y *storedYear) **exact.Instant { return &y.LockedAt }),
		decimalColumn("y.threshold_percent", "RecalculationThresholdPercent", func(y *storedYear) *exact.Decimal { return &y.RecalculationThresholdPercent }),
		textColumn("y.reason", "Reason", func(y *storedYear) *string { return &y.Reason }),
	}, totalsColumns(func(y *storedYear) *FootprintTotals { return &y.sums })...)...)

// newYear is a year of which nothing was decided yet.
func newYear(year int32) *ReportingYear {
	return &ReportingYear{Year: year, RecalculationThresholdPercent: defaultThreshold}
}

var yearOfDay = newRelation("activities", "a", nil, dateColumn("day", "", func(d *exact.Date) *exact.Date { return d }))

// ReportingYears gives the years that have lines, and those of which something was decided, newest first.
func (t *Tenant) ReportingYears(ctx context.Context) ([]*ReportingYear, error) {
	decided, err := all(t.store, t.statement("y"), yearRelation, "y.year DESC", 0).All(ctx)
	if err != nil {
		return nil, err
	}
	days, err := t.lastDays().All(ctx)
	if err != nil {
		return nil, err
	}
	years := make([]*ReportingYear, 0, len(decided)+len(days))
	for len(decided)+len(days) > 0 {
		switch {
		case len(decided) == 0 || len(days) > 0 && int32(days[0].Year()) > decided[0].Year:
			years, days = append(years, newYear(int32(days[0].Year()))), days[1:]
		case len(days) > 0 && int32(days[0].Year()) == decided[0].Year:
			days = days[1:]
		default:
			years, decided = append(years, &decided[0].ReportingYear), decided[1:]
		}
	}
	return years, nil
}

// lastDays is the read of the last day with a line of each year that has one, the latest first: a look at the index for each year, however many lines it has.
func (t *Tenant) lastDays() *Select[exact.Date] {
	b := t.statement("a")
	last := "SELECT MAX(a.occurred_on) FROM activities AS a WHERE " + b.all()
	text := "WITH RECURSIVE years (day) AS (" + last + " UNION ALL SELECT (" + last + " AND a.occurred_on < " + b.dialect.firstDay("years.day", ByYear) +
		") FROM years WHERE years.day IS NOT NULL) SELECT day FROM years WHERE day IS NOT NULL ORDER BY day DESC"
	return &Select[exact.Date]{store: t.store, rel: yearOfDay, statement: b, text: text, keysAt: none}
}

// YearTotals sums the current emissions of each year that has any, in one statement.
func (t *Tenant) YearTotals(ctx context.Context) (map[int32]*FootprintTotals, error) {
	return sumsBy(ctx, t, nil, ByYear, func(r *FootprintRow) int32 { return int32(r.Period.Year()) })
}

// sumsBy sums emissions by one dimension that has few values.
func sumsBy(ctx context.Context, t *Tenant, f *EmissionFilter, by FootprintDimension, key func(*FootprintRow) int32) (map[int32]*FootprintTotals, error) {
	page := Page{First: new(int32(MaxPage))}
	found := map[int32]*FootprintTotals{}
	for {
		c, err := t.Footprint(ctx, f, []FootprintDimension{by}, FootprintOrder{}, page)
		if err != nil {
			return nil, err
		}
		for _, row := range c.Nodes {
			found[key(row)] = &row.Totals
		}
		if !c.PageInfo.HasNextPage {
			return found, nil
		}
		page.After = c.PageInfo.EndCursor
	}
}

// yearFilter narrows emissions to a calendar year.
func yearFilter(year int32) *EmissionFilter {
	return &EmissionFilter{OccurredFrom: new(exact.NewDate(int(year), 1, 1)), OccurredTo: new(exact.NewDate(int(year), 12, 31))}
}

// ReportingYearEvents gives every decision on a year, in the order in which they were made.
func (t *Tenant) ReportingYearEvents(ctx context.Context, year int32) ([]*ReportingYearEvent, error) {
	b := t.statement("v")
	b.is("v.year", "=", int(year))
	return all(t.store, b, yearEventRelation, "v.id", 0).All(ctx)
}

var yearEventRelation = newRelation("reporting_year_events", "v", nil,
	intColumn("v.year", "Year", func(v *ReportingYearEvent) *int32 { return &v.Year }),
	instantColumn("v.decided_at", "DecidedAt", func(v *ReportingYearEvent) *exact.Instant { return &v.DecidedAt }),
	textColumn("v.actor", "Actor", func(v *ReportingYearEvent) *string { return &v.Actor }),
	boolColumn("v.locked", "Locked", func(v *ReportingYearEvent) *bool { return &v.Locked }),
	boolColumn("v.base", "Base", func(v *ReportingYearEvent) *bool { return &v.Base }),
	decimalColumn("v.threshold_percent", "RecalculationThresholdPercent", func(v *ReportingYearEvent) *exact.Decimal { return &v.RecalculationThresholdPercent }),
	textColumn("v.reason", "Reason", func(v *ReportingYearEvent) *string { return &v.Reason }),
	longColumn("v.co2e_mg", "CO2e", func(v *ReportingYearEvent) *exact.Milligrams { return &v.CO2e }),
)
