package store

import (
	"context"
	"strings"

	"carbongraph/internal/exact"
)

// reading is how sums are read: a statement over the emissions themselves, or over the grain that has them in the fewest rows.
type reading struct {
	*statement
	table, alias string
	terms        terms
	sums         string // the columns of FootprintTotals over many rows
	plain        string // the same of one row
	key          parts  // what each row has apart; of emissions nothing
}

// sumsAlias is what emission_sums is called in statements.
const sumsAlias = "s"

func (r *reading) from() string { return " FROM " + r.table + " AS " + r.alias + " WHERE " + r.all() }

// reading finds where sums that tell these parts apart are read, narrowed by the canonical filter. What is best depends on the values, each time.
func (t *Tenant) reading(f EmissionFilter, needed parts) *reading {
	g, kept := coarsest(needed)
	if !kept {
		r := &reading{statement: t.statement("e"), table: "emissions", alias: "e", terms: emissionTerms, sums: sumsOfEmissions(f)}
		r.fresh = true
		f.where(r.statement)
		return r
	}
	r := &reading{statement: t.statement(sumsAlias), table: "emission_sums", alias: sumsAlias, terms: sumTerms, sums: sumsOfSums, plain: plainSums, key: g.parts}
	r.fresh = true
	r.where("s.grain = " + g.number)
	r.where("s.emissions <> 0") // what is left of a group that has gone
	r.ofSuppliers(f.SupplierIds != nil)
	f.narrow(r.statement, r.terms)
	return r
}

// ofSuppliers leaves the sums out that are of no supplier, where only those of some are asked for. The column is then what it says, and an index finds it.
func (r *reading) ofSuppliers(only bool) {
	if only {
		r.where("s.supplier_id <> " + noUUID)
		r.terms.supplier = "s.supplier_id"
	}
}

var sumTerms = terms{supplier: "NULLIF(s.supplier_id, " + noUUID + ")", category: "s.category_number", day: "s.period", method: "s.method", dataset: "s.dataset_id"}

// sumsOfEmissions are the columns of FootprintTotals over emissions. Only a line's current emission counts it, so that without superseded ones lines are as
// many as emissions. The casts hold sums to 64 bits: Postgres would widen them, and fails instead.
func sumsOfEmissions(f EmissionFilter) string {
	activities := "COUNT(*)"
	if f.IncludeSuperseded != nil {
		activities = "COUNT(DISTINCT e.activity_id)"
	}
	return columnsOfSums(func(sum string) string {
		switch sum {
		case "emissions":
			return "COUNT(*)"
		case "with_spend":
			return "COUNT(e.spend_micros)"
		}
		for _, s := range summed {
			if s.column == sum {
				return "CAST(COALESCE(SUM(" + s.of + "), 0) AS bigint)"
			}
		}
		return activities
	})
}

// sumsOfSums are the same over rows of emission_sums, plainSums of one of them.
var (
	sumsOfSums = columnsOfSums(func(sum string) string { return "CAST(COALESCE(SUM(s." + lines(sum) + "), 0) AS bigint)" })
	plainSums  = columnsOfSums(func(sum string) string { return "s." + lines(sum) })
)

// lines: where nothing is superseded there are as many as emissions.
func lines(sum string) string {
	if sum == "activities" {
		return "emissions"
	}
	return sum
}

// columnsOfSums names the columns of FootprintTotals. of gives the sum of a column of emission_sums, and the number of activities.
func columnsOfSums(of func(sum string) string) string {
	return strings.Join([]string{
		of("co2e_mg") + " AS co2e",
		of("biogenic_mg") + " AS biogenic",
		of("activities") + " AS activities",
		of("emissions") + " AS emissions",
		of("spend_micros") + " AS spend",
		of("with_spend") + " > 0 AS has_spend",
		of("spend_co2e_mg") + " AS spend_co2e",
		of("low_mg") + " AS low",
		of("high_mg") + " AS high",
		of("with_interval") + " > 0 AS has_interval",
		of("weight") + " AS weight",
		of("quality") + " AS quality",
	}, ", ")
}

// sumNames are the names of these columns, in their order.
const sumNames = "co2e, biogenic, activities, emissions, spend, has_spend, spend_co2e, low, high, has_interval, weight, quality"

// totalsColumns are these columns, for rows that hold totals.
func totalsColumns[T any](at func(*T) *FootprintTotals) []column[T] {
	return []column[T]{
		longColumn("co2e", "CO2e", func(o *T) *exact.Milligrams { return &at(o).CO2e }),
		longColumn("biogenic", "BiogenicCO2", func(o *T) *exact.Milligrams { return &at(o).BiogenicCO2 }),
		intColumn("activities", "ActivityCount", func(o *T) *int32 { return &at(o).ActivityCount }),
		intColumn("emissions", "EmissionCount", func(o *T) *int32 { return &at(o).EmissionCount }),
		longColumn("spend", "Spend", func(o *T) *exact.Micros { return &at(o).Spend }),
		boolColumn("has_spend", "HasSpend", func(o *T) *bool { return &at(o).HasSpend }),
		longColumn("spend_co2e", "SpendCO2e", func(o *T) *exact.Milligrams { return &at(o).SpendCO2e }),
		longColumn("low", "Low", func(o *T) *exact.Milligrams { return &at(o).Low }),
		longColumn("high", "High", func(o *T) *exact.Milligrams { return &at(o).High }),
		boolColumn("has_interval", "HasInterval", func(o *T) *bool { return &at(o).HasInterval }),
		longColumn("weight", "Weight", func(o *T) *int64 { return &at(o).Weight }),
		longColumn("quality", "Quality", func(o *T) *int64 { return &at(o).Quality }),
	}
}

// How totals are read from either table.
var totalsOf = map[string]*relation[FootprintTotals]{
	"emissions":     newRelation("emissions", "e", nil, totalsColumns(func(t *FootprintTotals) *FootprintTotals { return t })...),
	"emission_sums": newRelation("emission_sums", "s", nil, totalsColumns(func(t *FootprintTotals) *FootprintTotals { return t })...),
}

// EmissionTotals sums the emissions that meet the filter, and counts them.
func (t *Tenant) EmissionTotals(ctx context.Context, f *EmissionFilter) (*FootprintTotals, error) {
	q, err := t.EmissionSum(f)
	totals, err := one(ctx, q, err)
	return &totals, err
}

// EmissionSum is the read behind EmissionTotals.
func (t *Tenant) EmissionSum(f *EmissionFilter) (*Select[FootprintTotals], error) {
	c, err := f.canonical()
	if err != nil {
		return nil, err
	}
	r := t.reading(c, c.parts())
	return aggregate(t.store, r.statement, totalsOf[r.table], r.sums), nil
}

// EmissionSums is the read of the sums over the emissions of each supplier, category or activity that meet the filter; parents without emissions are missing.
func (t *Tenant) EmissionSums(kind Kind, parents []ID, f *EmissionFilter) (*Select[FootprintTotals], error) {
	c, err := f.canonical()
	if err != nil {
		return nil, err
	}
	needed := c.parts()
	switch kind {
	case KindSupplier:
		needed |= partSupplier
	case KindCategory:
		needed |= partCategory
	default:
		needed |= partOther
	}
	r := t.reading(c, needed)
	belongs := emissionParents
	if r.alias == sumsAlias {
		r.ofSuppliers(kind == KindSupplier)
		belongs = r.terms.parents
	}
	of, err := newParentKeys(kind, parents, belongs)
	if err != nil {
		return nil, err
	}
	return grouped(t.store, r.statement, totalsOf[r.table], r.sums, of), nil
}

const countRows = "COUNT(*)"

// newCount is how the number of rows of a table is read.
func newCount(table, alias string) *relation[int] {
	return newRelation(table, alias, nil, longColumn(countRows, "", func(n *int) *int { return n }))
}
