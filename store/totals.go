package store

import (
	"context"
	"strings"

	"carbongraph/internal/exact"
)

// sums are the columns of FootprintTotals over emissions. Only a line's current emission counts it, so that without superseded ones lines are as
// many as emissions. The casts hold sums to 64 bits: Postgres would widen them, and fails instead.
func sums(f EmissionFilter) string {
	activities := "COUNT(*)"
	if f.IncludeSuperseded != nil {
		activities = "COUNT(DISTINCT e.activity_id)"
	}
	return strings.Join([]string{
		"CAST(COALESCE(SUM(e.co2e_mg), 0) AS bigint) AS co2e",
		"CAST(COALESCE(SUM(e.biogenic_mg), 0) AS bigint) AS biogenic",
		activities + " AS activities",
		"COUNT(*) AS emissions",
		"CAST(COALESCE(SUM(e.spend_micros), 0) AS bigint) AS spend",
		"COUNT(e.spend_micros) > 0 AS has_spend",
		"CAST(COALESCE(SUM(CASE WHEN e.spend_micros IS NOT NULL THEN e.co2e_mg END), 0) AS bigint) AS spend_co2e",
	}, ", ")
}

// sumNames are the names of the columns of sums, in their order.
const sumNames = "co2e, biogenic, activities, emissions, spend, has_spend, spend_co2e"

// totalsColumns are the columns of sums, for rows that hold totals.
func totalsColumns[T any](at func(*T) *FootprintTotals) []column[T] {
	return []column[T]{
		longColumn("co2e", "CO2e", func(o *T) *exact.Milligrams { return &at(o).CO2e }),
		longColumn("biogenic", "BiogenicCO2", func(o *T) *exact.Milligrams { return &at(o).BiogenicCO2 }),
		intColumn("activities", "ActivityCount", func(o *T) *int32 { return &at(o).ActivityCount }),
		intColumn("emissions", "EmissionCount", func(o *T) *int32 { return &at(o).EmissionCount }),
		longColumn("spend", "Spend", func(o *T) *exact.Micros { return &at(o).Spend }),
		boolColumn("has_spend", "HasSpend", func(o *T) *bool { return &at(o).HasSpend }),
		longColumn("spend_co2e", "SpendCO2e", func(o *T) *exact.Milligrams { return &at(o).SpendCO2e }),
	}
}

var emissionTotals = newRelation("emissions", "e", nil, totalsColumns(func(t *FootprintTotals) *FootprintTotals { return t })...)

// EmissionTotals sums the emissions that meet the filter, and counts them.
func (t *Tenant) EmissionTotals(ctx context.Context, f *EmissionFilter) (*FootprintTotals, error) {
	q, err := t.EmissionSum(f)
	totals, err := one(ctx, q, err)
	return &totals, err
}

// EmissionSum is the read behind EmissionTotals.
func (t *Tenant) EmissionSum(f *EmissionFilter) (*Select[FootprintTotals], error) {
	b, c, err := t.emissions(f)
	if err != nil {
		return nil, err
	}
	return aggregate(t.store, b, emissionTotals, sums(c)), nil
}

// EmissionSums is the read of the sums over the emissions of each supplier, category or activity that meet the filter; parents without emissions are missing.
func (t *Tenant) EmissionSums(kind Kind, parents []ID, f *EmissionFilter) (*Select[FootprintTotals], error) {
	b, c, err := t.emissions(f)
	if err != nil {
		return nil, err
	}
	of, err := newParentKeys(kind, parents, emissionParents)
	if err != nil {
		return nil, err
	}
	return grouped(t.store, b, emissionTotals, sums(c), of), nil
}

const countRows = "COUNT(*)"

// newCount is how the number of rows of a table is read.
func newCount(table, alias string) *relation[int] {
	return newRelation(table, alias, nil, longColumn(countRows, "", func(n *int) *int { return n }))
}
