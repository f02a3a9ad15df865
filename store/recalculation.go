package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

// figures are how the current emissions of lines are read that are calculated anew: all that says whether anything changed.
var figures = newRelation("emissions", "e", (*Emission).unpack,
	idColumn("e.id", "", func(e *Emission) *ID { return &e.ID }),
	idColumn("e.activity_id", "", func(e *Emission) *ID { return &e.ActivityID }),
	maybeID("e.supplier_id", "", func(e *Emission) **ID { return &e.SupplierID }),
	dateColumn("e.occurred_on", "", func(e *Emission) *exact.Date { return &e.OccurredOn }),
	intColumn("e.category_number", "", func(e *Emission) *int32 { return &e.CategoryNumber }),
	idColumn("e.factor_id", "", func(e *Emission) *ID { return &e.FactorID }),
	idColumn("e.dataset_id", "", func(e *Emission) *ID { return &e.DatasetID }),
	longColumn("e.co2e_mg", "", func(e *Emission) *exact.Milligrams { return &e.CO2e }),
	longColumn("e.biogenic_mg", "", func(e *Emission) *exact.Milligrams { return &e.BiogenicCO2 }),
	maybeLong("e.low_mg", "", func(e *Emission) **exact.Milligrams { return &e.Low }),
	maybeLong("e.high_mg", "", func(e *Emission) **exact.Milligrams { return &e.High }),
	maybeLong("e.spend_micros", "", func(e *Emission) **exact.Micros { return &e.Spend }),
	textColumn("e.method", "", func(e *Emission) *CalculationMethod { return &e.Method }),
	textColumn("e.gwp_set", "", func(e *Emission) *GwpSet { return &e.GwpSet }),
	intColumn("e.quality", "", func(e *Emission) *int32 { return &e.quality }),
	idColumn("e.formula_id", "", func(e *Emission) *ID { return &e.FormulaID }),
	longColumn("e.amount_micros", "", func(e *Emission) *exact.Micros { return &e.Amount }),
)

// StoredLine is a line with its current emission: nil where it has none. Of the emission's formula there is the id alone.
type StoredLine struct {
	Activity *Activity
	Emission *Emission
}

// LinesAfter gives the next lines that meet the filter, in the order of their ids. It is for walks over a whole ledger, however large.
func (t *Tenant) LinesAfter(ctx context.Context, f *ActivityFilter, after *ID, n int) ([]StoredLine, error) {
	c, err := f.canonical()
	if err != nil {
		return nil, err
	}
	b := t.statement("a")
	c.where(b)
	if after != nil {
		b.is("a.id", ">", *after)
	}
	rows, err := all(t.store, b, activities(), "a.id LIMIT "+strconv.Itoa(n), 0).All(ctx)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	ids, at := make([]ID, len(rows)), make(map[ID]int, len(rows))
	lines := make([]StoredLine, len(rows))
	for i, a := range rows {
		ids[i], at[a.ID], lines[i].Activity = a.ID, i, a
	}
	b = t.statement("e")
	b.where("NOT e.superseded")
	b.where(published)
	current, err := byKey(t.store, b, figures, "e.activity_id", listUUID, ids, 0).All(ctx)
	if err != nil {
		return nil, err
	}
	for _, e := range current {
		lines[at[e.ActivityID]].Emission = e
	}
	return lines, nil
}

// SaysTheSame tells whether two calculations say the same: neither when they were made, nor in which run.
func (e *Emission) SaysTheSame(as *Emission) bool {
	return e.CategoryNumber == as.CategoryNumber && e.said() == as.said()
}

// Publish makes a run's emissions those of the ledger, in one step: readers see all of them or none. What stood before is superseded, activities, suppliers'
// sums and roll-ups follow. Lines that another writer has changed since the run looked at them keep what that one wrote: how many they are is told.
// It belongs into WriteAlone: what is summed has to be what becomes current. changes is what was added up while the run's lines were stored; nil where nobody did, or
// did not from the first line on.
func (w *Writer) Publish(ctx context.Context, run ID, changes *RunChanges) (kept int64, err error) {
	if err := w.checkOpen(ctx, run); err != nil {
		return 0, err
	}
	if roomy := w.t.store.dialect.words()["roomy"]; roomy != "" { // what follows joins and sorts as many rows as the run has; otherwise by way of files
		if err := w.exec(ctx, "SET", "run_lines", roomy); err != nil {
			return 0, err
		}
	}
	if kept, err = w.dropStale(ctx, run); err != nil {
		return 0, err
	}
	for _, step := range []struct{ operation, table, text string }{
		{"UPDATE", "emissions", "UPDATE emissions SET superseded = TRUE WHERE org_id = $1 AND NOT superseded AND id IN (SELECT previous_id FROM run_lines WHERE org_id = $1 AND run_id = $2 AND previous_id IS NOT NULL)"},
		{"UPDATE", "activities", `UPDATE activities SET category_number = r.category_number, calculated = r.emission_id IS NOT NULL, problem_code = r.problem_code,
			problem_message = r.problem_message, content_hash = r.content_after FROM run_lines AS r
			WHERE activities.org_id = $1 AND r.org_id = $1 AND r.run_id = $2 AND r.touches_activity AND activities.id = r.activity_id`},
		{"DELETE", "unpublished_runs", "DELETE FROM unpublished_runs WHERE org_id = $1 AND run_id = $2"},
	} {
		if err := w.exec(ctx, step.operation, step.table, step.text, w.t.org, run); err != nil {
			return 0, err
		}
	}
	if kept == 0 && changes.exact() {
		return 0, w.addChanges(ctx, run, changes)
	}
	b := w.t.statement("e")
	of := "e.id IN (SELECT %s FROM run_lines WHERE org_id = $1 AND run_id = " + b.bind(run) + ")"
	return kept, w.sum(ctx, b, change{-1, fmt.Sprintf(of, "previous_id")}, change{1, fmt.Sprintf(of, "emission_id")})
}

// addChanges adds what was added up to the sums. Like sum it belongs at the end of a transaction.
func (w *Writer) addChanges(ctx context.Context, run ID, c *RunChanges) error {
	if err := w.settle(ctx); err != nil {
		return err
	}
	rows, suppliers := c.rows(), []ID(nil)
	for _, k := range rows {
		if grains[k.grain] == bySupplierAlone && !k.supplier.IsZero() {
			suppliers = append(suppliers, k.supplier)
		}
	}
	if _, err := w.lockSuppliers(ctx, suppliers); err != nil {
		return err
	}
	// By way of a table, which takes many rows at once, and gives them in order.
	columns := append([]string{"org_id", "run_id", "grain"}, strings.Split(sumKeys+", "+sumColumns(", ", "%s"), ", ")...)
	err := w.insert(ctx, "run_sums", columns, len(rows), func(i int) []any {
		k := rows[i]
		grain, _ := strconv.Atoi(grains[k.grain].number)                                                                                   // a digit
		out := []any{w.t.org, run, grain, k.supplier.String(), dayOf(k.period).String(), k.category, string(k.method), k.dataset.String()} // zeros would be NULL
		for _, n := range c.sums[k] {
			out = append(out, n)
		}
		return out
	})
	if err != nil {
		return err
	}
	text := "INSERT INTO emission_sums (org_id, grain, " + sumKeys + ", " + sumColumns(", ", "%s") + ") SELECT org_id, grain, " + sumKeys + ", " + sumColumns(", ", "%s") +
		" FROM run_sums WHERE org_id = $1 AND run_id = $2 ORDER BY grain, " + sumKeys + addedUp()
	if err := w.exec(ctx, "INSERT", "emission_sums", text, w.t.org, run); err != nil {
		return err
	}
	if err := w.exec(ctx, "DELETE", "run_sums", "DELETE FROM run_sums WHERE org_id = $1 AND run_id = $2", w.t.org, run); err != nil || len(suppliers) == 0 {
		return err
	}
	return w.tellSuppliers(ctx, suppliers)
}

// checkOpen refuses a run that changes lines of a year that was locked meanwhile.
func (w *Writer) checkOpen(ctx context.Context, run ID) error {
	years, err := w.LockedYears(ctx)
	if err != nil {
		return err
	}
	for _, year := range years {
		found := false
		err := w.query(ctx, "SELECT", "run_lines", "SELECT 1 FROM run_lines WHERE org_id = $1 AND run_id = $2 AND occurred_on BETWEEN $3 AND $4 LIMIT 1",
			[]any{w.t.org, run, exact.NewDate(int(year), 1, 1), exact.NewDate(int(year), 12, 31)}, func(scan scanner) error {
				found = true
				return nil
			})
		if err != nil {
			return err
		}
		if found {
			return recalculationLocked(year)
		}
	}
	return nil
}

func recalculationLocked(year int32) *fault.Fault {
	return fault.New(fault.PeriodLocked, "The reporting year %d is locked, and its figures stay. Leave it out by occurredFrom and occurredTo, ask for a preview, or have an ADMIN unlock it by lockReportingYear.", year)
}

// CheckOpenYears refuses, with PERIOD_LOCKED, a recalculation of lines of a locked year.
func (t *Tenant) CheckOpenYears(ctx context.Context, f *ActivityFilter) error {
	c, err := f.canonical()
	if err != nil {
		return err
	}
	var years []int32
	err = t.Write(ctx, func(ctx context.Context, w *Writer) (err error) {
		years, err = w.LockedYears(ctx)
		return err
	})
	if err != nil {
		return err
	}
	for _, year := range years {
		from, to := exact.NewDate(int(year), 1, 1), exact.NewDate(int(year), 12, 31)
		if c.OccurredFrom != nil && c.OccurredFrom.After(to) || c.OccurredTo != nil && from.After(*c.OccurredTo) {
			continue
		}
		part := c
		if part.OccurredFrom == nil || from.After(*part.OccurredFrom) {
			part.OccurredFrom = &from
		}
		if part.OccurredTo == nil || part.OccurredTo.After(to) {
			part.OccurredTo = &to
		}
		n, err := t.CountActivities(ctx, &part)
		if err != nil {
			return err
		}
		if n > 0 {
			return recalculationLocked(year).At("filter")
		}
	}
	return nil
}

// CheckActivityFilter tells what is wrong with a filter.
func (t *Tenant) CheckActivityFilter(f *ActivityFilter) error {
	_, err := f.canonical()
	return err
}

// dropStale drops the run's lines that are not any more as the run found them: with another emission, with one where there was none, changed, or gone.
func (w *Writer) dropStale(ctx context.Context, run ID) (n int64, err error) {
	const current = "SELECT 1 FROM emissions AS e WHERE e.org_id = $1 AND NOT e.superseded AND " + published
	var emissions []ID
	for _, stale := range []string{
		"previous_id IS NOT NULL AND NOT EXISTS (" + current + " AND e.id = run_lines.previous_id)",
		"previous_id IS NULL AND EXISTS (" + current + " AND e.activity_id = run_lines.activity_id)",
		"previous_id IS NULL AND NOT EXISTS (SELECT 1 FROM activities AS a WHERE a.org_id = $1 AND a.id = run_lines.activity_id AND a.content_hash = run_lines.content_before)",
	} {
		err := w.query(ctx, "DELETE", "run_lines", "DELETE FROM run_lines WHERE org_id = $1 AND run_id = $2 AND "+stale+" RETURNING emission_id", []any{w.t.org, run},
			func(scan scanner) error {
				var id *ID
				err := scan(&id)
				if n++; id != nil {
					emissions = append(emissions, *id)
				}
				return err
			})
		if err != nil {
			return 0, err
		}
	}
	for part := range slices.Chunk(emissions, 10_000) {
		b := w.statement()
		b.in("id", listUUID, part)
		if err := w.exec(ctx, "DELETE", "emissions", "DELETE FROM emissions WHERE "+b.all(), b.args...); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// ForgetRun removes what a run left behind, so many lines at a time, and tells whether there is more. Emissions that were never published go too.
func (t *Tenant) ForgetRun(ctx context.Context, run ID, after *ID, n int) (more bool, err error) {
	err = t.Write(ctx, func(ctx context.Context, w *Writer) error {
		from := ID{}
		if after != nil {
			from = *after
		}
		const some = "org_id = $1 AND run_id = $2 AND activity_id > $3"
		last := "(SELECT activity_id FROM (SELECT activity_id FROM run_lines WHERE " + some + " ORDER BY activity_id LIMIT " + strconv.Itoa(n) + ") AS part ORDER BY activity_id DESC LIMIT 1)"
		these := some + " AND activity_id <= " + last
		err := w.unseen(func() error {
			return w.exec(ctx, "DELETE", "emissions", "DELETE FROM emissions WHERE org_id = $1 AND id IN (SELECT emission_id FROM run_lines WHERE "+these+
				" AND emission_id IS NOT NULL) AND run_id IN (SELECT run_id FROM unpublished_runs WHERE org_id = $1)", w.t.org, run, from.String())
		})
		if err != nil {
			return err
		}
		gone, err := w.affected(ctx, "run_lines", "DELETE FROM run_lines WHERE "+these, w.t.org, run, from.String())
		more = gone == int64(n)
		return err
	})
	return more, err
}
