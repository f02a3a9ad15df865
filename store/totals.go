package store

import (
	"context"
	"strings"
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

// dest is where the columns of sums are scanned to.
func (t *FootprintTotals) dest() []any {
	return []any{&t.CO2e, &t.BiogenicCO2, &t.ActivityCount, &t.EmissionCount, &t.Spend, &t.HasSpend, &t.SpendCO2e}
}

// EmissionTotals sums the emissions that meet the filter, and counts them.
func (t *Tenant) EmissionTotals(ctx context.Context, f *EmissionFilter) (*FootprintTotals, error) {
	b, c, err := t.emissions(f)
	if err != nil {
		return nil, err
	}
	b.fresh = true
	var totals FootprintTotals
	err = t.store.read(ctx, "emissions", "SELECT "+sums(c)+" FROM emissions AS e WHERE "+b.all(), b, func(scan scanner) error {
		return scan(totals.dest()...)
	})
	return &totals, err
}

// EmissionTotalsOf sums and counts the emissions of each supplier, category or activity that meet the filter, in the order of the parents.
func (t *Tenant) EmissionTotalsOf(ctx context.Context, parents []GlobalID, f *EmissionFilter) ([]*FootprintTotals, error) {
	b, c, err := t.emissions(f)
	if err != nil {
		return nil, err
	}
	of, err := newParentKeys(parents, emissionParents)
	if err != nil {
		return nil, err
	}
	out := make([]*FootprintTotals, of.count)
	for i := range out {
		out[i] = new(FootprintTotals)
	}
	b.fresh = true
	var one FootprintTotals
	err = of.grouped(ctx, t.store, b, "emissions", "e", sums(c), one.dest(), func(at int) { *out[at] = one })
	return out, err
}
