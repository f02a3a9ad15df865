package store

import (
	"context"

	"carbongraph/internal/exact"
)

// Cause is why a figure of a recalculation differs from the one before.
type Cause string

// The causes.
const (
	CauseData    Cause = "ACTIVITY_DATA"
	CauseVersion Cause = "FACTOR_VERSION"
	CauseGwpSet  Cause = "GWP_SET"
	CauseRate    Cause = "EXCHANGE_RATE" // rates, price series, and the order in which they are applied
	CauseMapping Cause = "MAPPING"
)

// Causes are by how much each cause changes a figure; together they are the change.
type Causes struct {
	Data, Version, GwpSet, Rate, Mapping exact.Milligrams
}

func causesInOrder() [5]Cause {
	return [5]Cause{CauseData, CauseVersion, CauseGwpSet, CauseRate, CauseMapping}
}

// Of gives the part of a cause.
func (c *Causes) Of(cause Cause) *exact.Milligrams {
	switch cause {
	case CauseData:
		return &c.Data
	case CauseVersion:
		return &c.Version
	case CauseGwpSet:
		return &c.GwpSet
	case CauseRate:
		return &c.Rate
	}
	return &c.Mapping
}

// RunLine is what a recalculation makes of a line that it changes.
type RunLine struct {
	Activity *Activity // as it is to be: category and problem may have changed
	Was      *Activity // as it is stored
	Previous *Emission // the current emission; nil where there is none
	Emission *Emission // the new one; nil where none is possible, or for a preview
	After    *Emission // what is compared: the new one, also of a preview
	Causes   Causes
	Moved    Cause // why the line's emission is in another group than before
}

var runLineColumns = []string{"org_id", "run_id", "activity_id", "previous_id", "emission_id", "supplier_id", "factor_before", "factor_after", "dataset_before",
	"dataset_after", "before_mg", "after_mg", "data_mg", "version_mg", "gwp_mg", "rate_mg", "mapping_mg", "occurred_on", "category_before", "category_after",
	"category_number", "moved", "method_before", "method_after", "country", "account_code", "touches_activity", "content_before", "content_after", "problem_code",
	"problem_message"}

// PutRunLines stores what a recalculation makes of lines. Of a run that is not published, nobody sees it.
func (w *Writer) PutRunLines(ctx context.Context, run ID, lines []*RunLine) error {
	var pending []pendingLine
	for _, l := range lines {
		if e := l.Emission; e != nil {
			p, err := prepare(&Line{Activity: l.Activity, Emission: e})
			if err != nil {
				return err
			}
			e.ActivityID, e.ID, e.CalculatedAt = l.Activity.ID, w.t.store.newID(), w.t.store.Now()
			pending = append(pending, p)
		}
	}
	if err := w.putFormulas(ctx, pending); err != nil {
		return err
	}
	err := w.unseen(func() error {
		return w.insert(ctx, "emissions", emissionColumns, len(pending), func(i int) []any { return w.emissionValues(&pending[i]) })
	})
	if err != nil {
		return err
	}
	return w.insert(ctx, "run_lines", runLineColumns, len(lines), func(i int) []any { return w.runLineValues(run, lines[i]) })
}

// runLineValues gives the values of runLineColumns.
func (w *Writer) runLineValues(run ID, l *RunLine) []any {
	a, was := l.Activity, l.Was
	before, after := sideOf(l.Previous), sideOf(l.After)
	var emission *ID
	if l.Emission != nil {
		emission = &l.Emission.ID
	}
	var code, message *string
	if a.Problem != nil {
		code, message = &a.Problem.Code, &a.Problem.Message
	}
	c := l.Causes
	content, now := contentDigest(was), contentDigest(a)
	touches := content != now || (l.Previous == nil) != (l.After == nil) || saidOf(was.Problem) != saidOf(a.Problem)
	return []any{w.t.org, run, a.ID, before.id, emission, a.SupplierID, before.factor, after.factor, before.dataset, after.dataset, before.co2e, after.co2e,
		int64(c.Data), int64(c.Version), int64(c.GwpSet), int64(c.Rate), int64(c.Mapping), a.OccurredOn, before.category, after.category, a.CategoryNumber,
		string(l.Moved), before.method, after.method, a.Country, a.AccountCode, touches, content[:], now[:], code, message}
}

// saidOf gives what the activity's row has of a problem.
func saidOf(p *Problem) [2]string {
	if p == nil {
		return [2]string{}
	}
	return [2]string{p.Code, p.Message}
}

// side is what stands before a recalculation, or after it.
type side struct {
	id, factor, dataset *ID
	category            *int32
	method              *string
	co2e                int64
}

func sideOf(e *Emission) side {
	if e == nil {
		return side{}
	}
	return side{&e.ID, &e.FactorID, &e.DatasetID, &e.CategoryNumber, (*string)(&e.Method), int64(e.CO2e)}
}
