package store

import (
	"context"
	"maps"
	"slices"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

// RunDifference is how a recalculation changed one group of emissions.
type RunDifference struct {
	ID            ID
	Key           string
	Before, After exact.Milligrams
	Causes        Causes
}

// Change is After less Before: the sum of the causes.
func (d *RunDifference) Change() exact.Milligrams { return d.After - d.Before }

// MassBefore is what was current before, in kilograms.
func (d *RunDifference) MassBefore() exact.Decimal { return d.Before.Decimal() }

// MassAfter is what stands now, in kilograms.
func (d *RunDifference) MassAfter() exact.Decimal { return d.After.Decimal() }

// MassChange is the change in kilograms.
func (d *RunDifference) MassChange() exact.Decimal { return d.Change().Decimal() }

// CausePart is the part of a change that is due to a cause, in kilograms.
type CausePart struct {
	Cause  Cause
	Change exact.Decimal
}

// Parts are the causes that change something.
func (d *RunDifference) Parts() []CausePart {
	parts := []CausePart{}
	for _, cause := range causesInOrder() {
		if mg := *d.Causes.Of(cause); mg != 0 {
			parts = append(parts, CausePart{cause, mg.Decimal()})
		}
	}
	return parts
}

// differing is a dimension of a run's lines: the group that a line was in, and the one that it is in.
type differing struct {
	dimension     FootprintDimension
	before, after string
	kind          Kind // of the ids that groups are named by; 0: groups are named by text
}

// differings are the dimensions. What an activity says itself is the same on both sides.
func differings(d dialect) []differing {
	same := func(by FootprintDimension, expr string, kind Kind) differing { return differing{by, expr, expr, kind} }
	text := func(expr string) string { return "CAST(" + expr + " AS text)" }
	return []differing{
		{ByCategory, text("category_before"), text("category_after"), 0},
		{ByMethod, "method_before", "method_after", 0},
		{ByDataset, text("dataset_before"), text("dataset_after"), KindFactorDataset},
		{ByFactor, text("factor_before"), text("factor_after"), KindEmissionFactor},
		same(BySupplier, text("supplier_id"), KindSupplier),
		same(ByCountry, "country", 0),
		same(ByAccountCode, "account_code", 0),
		same(ByMonth, text(d.firstDay("occurred_on", ByMonth)), 0),
		same(ByQuarter, text(d.firstDay("occurred_on", ByQuarter)), 0),
		same(ByYear, text(d.firstDay("occurred_on", ByYear)), 0),
	}
}

// statement sums a run's lines by group. A line whose emission moves from one group to another takes its whole figure out of the one and into the other, for
// the reason that it moves.
func (d differing) statement() string {
	const causes = "data_mg, version_mg, gwp_mg, rate_mg, mapping_mg"
	moving := func(amount string) string {
		out := ""
		for _, cause := range causesInOrder() {
			out += ", CASE WHEN moved = '" + string(cause) + "' THEN " + amount + " ELSE 0 END"
		}
		return out
	}
	const of = " FROM run_lines WHERE org_id = $1 AND run_id = $2 AND "
	sums := ""
	for _, column := range []string{"before_mg", "after_mg", "data_mg", "version_mg", "gwp_mg", "rate_mg", "mapping_mg"} {
		sums += ", CAST(SUM(" + column + ") AS bigint)"
	}
	var parts string
	if d.before == d.after {
		parts = "SELECT " + d.before + " AS group_key, before_mg, after_mg, " + causes + of + "TRUE"
	} else {
		stays := "(previous_id IS NULL OR method_after IS NULL OR " + d.before + " = " + d.after + ")"
		parts = "SELECT COALESCE(" + d.after + ", " + d.before + ") AS group_key, before_mg, after_mg, " + causes + of + stays +
			" UNION ALL SELECT " + d.before + ", before_mg, 0" + moving("-before_mg") + of + "NOT " + stays +
			" UNION ALL SELECT " + d.after + ", 0, after_mg" + moving("after_mg") + of + "NOT " + stays
	}
	return "SELECT group_key" + sums + " FROM (" + parts + ") AS lines GROUP BY group_key"
}

// PutDifferences stores what a run changed by every dimension: what was added up while its lines were stored, or, where that is nil or not exact, what the stored lines
// add up to. Lines that the run does not change are in no group.
func (w *Writer) PutDifferences(ctx context.Context, run ID, changes *RunChanges) error {
	if err := w.exec(ctx, "DELETE", "run_differences", "DELETE FROM run_differences WHERE org_id = $1 AND run_id = $2", w.t.org, run); err != nil {
		return err
	}
	var found map[FootprintDimension][]*RunDifference
	if changes.exact() {
		found = changes.differences(w.t.store.dialect, w.t.store.newID)
	} else {
		var err error
		if found, err = w.differences(ctx, run); err != nil {
			return err
		}
	}
	columns := []string{"org_id", "id", "run_id", "dimension", "group_key", "size_mg", "before_mg", "after_mg", "data_mg", "version_mg", "gwp_mg", "rate_mg", "mapping_mg"}
	for _, dimension := range slices.Sorted(maps.Keys(found)) {
		rows := found[dimension]
		err := w.insert(ctx, "run_differences", columns, len(rows), func(i int) []any {
			r := rows[i]
			c, size := r.Causes, max(r.Change(), -r.Change())
			return []any{w.t.org, r.ID, run, string(dimension), r.Key, int64(size), int64(r.Before), int64(r.After), int64(c.Data), int64(c.Version), int64(c.GwpSet),
				int64(c.Rate), int64(c.Mapping)}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *Writer) differences(ctx context.Context, run ID) (map[FootprintDimension][]*RunDifference, error) {
	found := map[FootprintDimension][]*RunDifference{}
	for _, d := range differings(w.t.store.dialect) {
		err := w.query(ctx, "SELECT", "run_lines", d.statement(), []any{w.t.org, run}, func(scan scanner) error {
			r := &RunDifference{ID: w.t.store.newID()}
			var key *string
			c := &r.Causes
			err := scan(&key, &r.Before, &r.After, &c.Data, &c.Version, &c.GwpSet, &c.Rate, &c.Mapping)
			if err == nil {
				r.Key, err = d.key(key)
			}
			found[d.dimension] = append(found[d.dimension], r)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// NoGroup is the key of the lines that a dimension has nothing for, such as those without a supplier.
const NoGroup = ""

// key names a group: rows by their global id, spans of time by their first day.
func (d differing) key(text *string) (string, error) {
	if text == nil {
		return NoGroup, nil
	}
	if d.kind == 0 {
		return *text, nil
	}
	id, err := ParseID(*text)
	return Global(d.kind, id).String(), err
}

var differenceRelation = newRelation("run_differences", "d", nil,
	idColumn("d.id", "ID", func(d *RunDifference) *ID { return &d.ID }),
	textColumn("d.group_key", "Key", func(d *RunDifference) *string { return &d.Key }),
	longColumn("d.before_mg", "MassBefore MassChange", func(d *RunDifference) *exact.Milligrams { return &d.Before }),
	longColumn("d.after_mg", "MassAfter MassChange", func(d *RunDifference) *exact.Milligrams { return &d.After }),
	longColumn("d.data_mg", "Parts", func(d *RunDifference) *exact.Milligrams { return &d.Causes.Data }),
	longColumn("d.version_mg", "Parts", func(d *RunDifference) *exact.Milligrams { return &d.Causes.Version }),
	longColumn("d.gwp_mg", "Parts", func(d *RunDifference) *exact.Milligrams { return &d.Causes.GwpSet }),
	longColumn("d.rate_mg", "Parts", func(d *RunDifference) *exact.Milligrams { return &d.Causes.Rate }),
	longColumn("d.mapping_mg", "Parts", func(d *RunDifference) *exact.Milligrams { return &d.Causes.Mapping }),
)

var differenceCount = newCount("run_differences", "d")

func differences() *relation[RunDifference] { return differenceRelation }

// differences starts a read of what runs changed by a dimension.
func (t *Tenant) differences(by FootprintDimension) (*statement, error) {
	b := t.statement("d")
	if _, err := by.dimension(b.dialect, emissionTerms); err != nil {
		return nil, err
	}
	b.is("d.dimension", "=", string(by))
	return b, nil
}

func differenceParents(kind Kind) (column, name string) {
	if kind == KindCalculationRun {
		return "d.run_id", "CalculationRun"
	}
	return "", ""
}

// DifferencePages is the read of one page of what each run changed, the largest change first: rows in the order of the runs.
func (t *Tenant) DifferencePages(kind Kind, runs []ID, by FootprintDimension, p Page, some Columns) (*Select[RunDifference], error) {
	if p.Last != nil || p.Before != nil {
		return nil, fault.New(fault.BadUserInput, "Differences are read forwards: pass first and after.").At("last")
	}
	b, err := t.differences(by)
	if err != nil {
		return nil, err
	}
	of, err := newParentKeys(kind, runs, differenceParents)
	if err != nil {
		return nil, err
	}
	o := order{"SIZE", "d.size_mg", keyInt, true}
	return pagesOf(t.store, b, differences(), of, o, p, some, t.binding(of.name+".differences", o, by))
}

// DifferenceCounts is the read of how many groups each run changed; runs that changed none are missing.
func (t *Tenant) DifferenceCounts(kind Kind, runs []ID, by FootprintDimension) (*Select[int], error) {
	b, err := t.differences(by)
	if err != nil {
		return nil, err
	}
	of, err := newParentKeys(kind, runs, differenceParents)
	if err != nil {
		return nil, err
	}
	return grouped(t.store, b, differenceCount, countRows, of), nil
}
