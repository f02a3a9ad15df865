package store

import (
	"context"
	"time"

	"carbongraph/internal/exact"
)

// ExportContent is what an export writes out.
type ExportContent string

// What can be exported.
const (
	ExportActivities ExportContent = "ACTIVITIES"
	ExportEmissions  ExportContent = "EMISSIONS"
)

// ExportFormat is how an export's file is written.
type ExportFormat string

// The formats.
const (
	ExportCSV     ExportFormat = "CSV"
	ExportNDJSON  ExportFormat = "NDJSON"
	ExportParquet ExportFormat = "PARQUET"
)

// FileLife is how long the file of an export is kept after its end.
const FileLife = 24 * time.Hour

// ExportedActivity is a line of the ledger with what a file says beside it.
type ExportedActivity struct {
	Activity
	SupplierExternalID, SupplierName *string
	FactorSource, FactorCode         *string           // of the factor that the line itself names
	CO2e                             *exact.Milligrams // of the current emission; nil where there is none
}

var exportedActivities = newRelation("activities", "a", func(a *ExportedActivity) { a.Activity.pair() },
	append(carried(activityRelation.cols, func(a *ExportedActivity) *Activity { return &a.Activity }),
		maybeText("s.external_id", "", func(a *ExportedActivity) **string { return &a.SupplierExternalID }),
		maybeText("s.name", "", func(a *ExportedActivity) **string { return &a.SupplierName }),
		maybeText("d.source", "", func(a *ExportedActivity) **string { return &a.FactorSource }),
		maybeText("f.code", "", func(a *ExportedActivity) **string { return &a.FactorCode }),
		maybeLong("e.co2e_mg", "", func(a *ExportedActivity) **exact.Milligrams { return &a.CO2e }),
	)...)

// ExportedEmission is an emission with what a file says beside it: the line as it is now, supplier and factor.
type ExportedEmission struct {
	Emission
	Line                             Activity // its key and amounts alone
	SupplierExternalID, SupplierName *string
	Factor                           EmissionFactor // what it is known by, and its values
	FactorSource, FactorVersion      string
}

var exportedEmissions = newRelation("emissions", "e", func(e *ExportedEmission) { e.unpack(); e.Line.pair() },
	idColumn("e.id", "", func(e *ExportedEmission) *ID { return &e.ID }),
	intColumn("e.category_number", "", func(e *ExportedEmission) *int32 { return &e.CategoryNumber }),
	idColumn("e.run_id", "", func(e *ExportedEmission) *ID { return &e.RunID }),
	dateColumn("e.occurred_on", "", func(e *ExportedEmission) *exact.Date { return &e.OccurredOn }),
	longColumn("e.co2e_mg", "", func(e *ExportedEmission) *exact.Milligrams { return &e.CO2e }),
	longColumn("e.biogenic_mg", "", func(e *ExportedEmission) *exact.Milligrams { return &e.BiogenicCO2 }),
	maybeLong("e.low_mg", "", func(e *ExportedEmission) **exact.Milligrams { return &e.Low }),
	maybeLong("e.high_mg", "", func(e *ExportedEmission) **exact.Milligrams { return &e.High }),
	textColumn("e.method", "", func(e *ExportedEmission) *CalculationMethod { return &e.Method }),
	textColumn("e.gwp_set", "", func(e *ExportedEmission) *GwpSet { return &e.GwpSet }),
	intColumn("e.quality", "", func(e *ExportedEmission) *int32 { return &e.quality }),
	boolColumn("e.superseded", "", func(e *ExportedEmission) *bool { return &e.Superseded }),
	textColumn("a.external_id", "", func(e *ExportedEmission) *string { return &e.Line.ExternalID }),
	maybeLong("a.quantity_micros", "", func(e *ExportedEmission) **exact.Micros { return &e.Line.columns.quantity }),
	maybeText("a.quantity_unit", "", func(e *ExportedEmission) **string { return &e.Line.columns.unit }),
	maybeLong("a.money_micros", "", func(e *ExportedEmission) **exact.Micros { return &e.Line.columns.money }),
	maybeText("a.currency", "", func(e *ExportedEmission) **string { return &e.Line.columns.currency }),
	maybeText("s.external_id", "", func(e *ExportedEmission) **string { return &e.SupplierExternalID }),
	maybeText("s.name", "", func(e *ExportedEmission) **string { return &e.SupplierName }),
	textColumn("f.code", "", func(e *ExportedEmission) *string { return &e.Factor.Code }),
	textColumn("f.name", "", func(e *ExportedEmission) *string { return &e.Factor.Name }),
	textColumn("f.region", "", func(e *ExportedEmission) *string { return &e.Factor.Region }),
	textColumn("f.unit", "", func(e *ExportedEmission) *string { return &e.Factor.Unit }),
	maybeDecimal("f.value", "", func(e *ExportedEmission) **exact.Decimal { return &e.Factor.Value }),
	maybeDecimal("f.value_ar4", "", func(e *ExportedEmission) **exact.Decimal { return &e.Factor.ValueAR4 }),
	maybeDecimal("f.value_ar5", "", func(e *ExportedEmission) **exact.Decimal { return &e.Factor.ValueAR5 }),
	maybeDecimal("f.value_ar6", "", func(e *ExportedEmission) **exact.Decimal { return &e.Factor.ValueAR6 }),
	textColumn("d.gwp_set", "", func(e *ExportedEmission) *GwpSet { return &e.Factor.DatasetGwpSet }),
	textColumn("d.source", "", func(e *ExportedEmission) *string { return &e.FactorSource }),
	textColumn("d.version", "", func(e *ExportedEmission) *string { return &e.FactorVersion }),
)

// carried are the columns of a row that another row holds.
func carried[T, U any](cols []column[U], in func(*T) *U) []column[T] {
	out := make([]column[T], len(cols))
	for i, c := range cols {
		out[i] = column[T]{sql: c.sql, slot: c.slot,
			dest: func(o *T) any { return c.dest(in(o)) },
			wire: func(o *T, slot any, b []byte) error { return c.wire(in(o), slot, b) }}
	}
	return out
}

// Walk is told of the rows of an export, of which one statement reads so many at most. A row, and every text in it, is good until Row returns. Row keeps to memory: whoever has to wait for something does so in
// Page, which comes after so many rows, while no statement runs.
type Walk[T any] struct {
	Most  int
	Total func(n int) error
	Row   func(row *T) error
	Page  func() error
}

// WalkActivities goes through the lines that meet the filter, in the order of their ids. All of it is of one moment.
func (t *Tenant) WalkActivities(ctx context.Context, f *ActivityFilter, w Walk[ExportedActivity]) error {
	c, err := f.canonical()
	if err != nil {
		return err
	}
	count, err := t.ActivityCount(f)
	if err != nil {
		return err
	}
	return walk(ctx, t.store, count, w, func(a *ExportedActivity) ID { return a.ID }, func(after ID) *Select[ExportedActivity] {
		b := t.statement("a")
		c.where(b)
		b.is("a.id", ">", after.String())
		page := "(SELECT a.* FROM activities AS a WHERE " + b.all() + " ORDER BY a.id LIMIT " + b.bind(int64(w.Most)) + ") AS a"
		return exportOf(t, exportedActivities, b, page+" LEFT JOIN suppliers AS s ON s.org_id = $1 AND s.id = a.supplier_id"+
			" LEFT JOIN emission_factors AS f ON f.id = a.factor_id LEFT JOIN factor_datasets AS d ON d.id = f.dataset_id"+
			" LEFT JOIN emissions AS e ON e.org_id = $1 AND e.activity_id = a.id AND NOT e.superseded AND "+published+" ORDER BY a.id")
	})
}

// WalkEmissions goes through the emissions that meet the filter, in the order of their ids. All of it is of one moment.
func (t *Tenant) WalkEmissions(ctx context.Context, f *EmissionFilter, w Walk[ExportedEmission]) error {
	c, err := f.canonical()
	if err != nil {
		return err
	}
	count, err := t.emissionCount(f)
	if err != nil {
		return err
	}
	return walk(ctx, t.store, count, w, func(e *ExportedEmission) ID { return e.ID }, func(after ID) *Select[ExportedEmission] {
		b := t.statement("e")
		c.where(b)
		b.is("e.id", ">", after.String())
		page := "(SELECT e.* FROM emissions AS e WHERE " + b.all() + " ORDER BY e.id LIMIT " + b.bind(int64(w.Most)) + ") AS e"
		return exportOf(t, exportedEmissions, b, page+" JOIN activities AS a ON a.org_id = $1 AND a.id = e.activity_id"+
			" LEFT JOIN suppliers AS s ON s.org_id = $1 AND s.id = e.supplier_id"+
			" JOIN emission_factors AS f ON f.id = e.factor_id JOIN factor_datasets AS d ON d.id = e.dataset_id ORDER BY e.id")
	})
}

var emissionCount = newCount("emissions", "e")

func (t *Tenant) emissionCount(f *EmissionFilter) (*Select[int], error) {
	b, _, err := t.emissions(f)
	if err != nil {
		return nil, err
	}
	return aggregate(t.store, b, emissionCount, countRows), nil
}

// CountEmissions tells how many emissions meet the filter.
func (t *Tenant) CountEmissions(ctx context.Context, f *EmissionFilter) (int, error) {
	q, err := t.emissionCount(f)
	return one(ctx, q, err)
}

// CheckEmissionFilter tells what is wrong with a filter.
func (t *Tenant) CheckEmissionFilter(f *EmissionFilter) error {
	_, err := f.canonical()
	return err
}

func exportOf[T any](t *Tenant, rel *relation[T], b *statement, from string) *Select[T] {
	return &Select[T]{store: t.store, rel: rel, statement: b, keysAt: none, text: "SELECT " + rel.columns + " FROM " + from}
}

// walk counts, and then reads page after page in one snapshot.
func walk[T any](ctx context.Context, s *Store, count *Select[int], w Walk[T], id func(*T) ID, page func(after ID) *Select[T]) error {
	sn, err := s.Snapshot(ctx, nil)
	if err != nil {
		return err
	}
	defer sn.Close()
	total := 0
	if err := readInto(sn, count, func(n *int) error { total = *n; return nil }); err != nil {
		return err
	}
	if err := w.Total(total); err != nil {
		return err
	}
	for last := (ID{}); ; {
		rows := 0
		err := readInto(sn, page(last), func(row *T) error {
			rows++
			last = id(row)
			return w.Row(row)
		})
		if err != nil || rows == 0 {
			return err
		}
		if err := w.Page(); err != nil || rows < w.Most {
			return err
		}
	}
}

// readInto hands the rows of one read over, and leaves the snapshot open.
func readInto[T any](sn Snapshot, q *Select[T], row rowSink[T]) error {
	st, err := q.Into(row)
	if err != nil {
		return err
	}
	return sn.Read(true, st)
}

// rowSink takes rows that stand on no page.
type rowSink[T any] func(*T) error

// Row hands the row on.
func (f rowSink[T]) Row(_ *At, row *T) error { return f(row) }

// Done has nothing to end.
func (f rowSink[T]) Done([]PageOf) error { return nil }

// EndExport stores that an export has written its file, of so many bytes, at a moment. Whoever does not hold the batch any more, or holds one that was cancelled, gets ErrNotHeld.
func (w *Writer) EndExport(ctx context.Context, b *Batch, holder ID, at exact.Instant, size int64) error {
	n, err := w.affected(ctx, "batches", `UPDATE batches SET status = $4, total = $5, processed = $5, size_bytes = $6, updated_at = $7, finished_at = $7
		WHERE org_id = $1 AND id = $2 AND holder = $3 AND finished_at IS NULL AND NOT cancelled`,
		w.t.org, b.ID, holder, string(RunSucceeded), b.Processed, size, at)
	if err == nil && n == 0 {
		err = ErrNotHeld
	}
	return err
}

// DropParts is Tenant.DropParts within a transaction.
func (w *Writer) DropParts(ctx context.Context, batch ID, d Direction) error {
	return w.exec(ctx, "DELETE", "batch_parts", "DELETE FROM batch_parts WHERE org_id = $1 AND batch_id = $2 AND direction = $3", w.t.org, batch, string(d))
}

// DownloadURL is where the file of an export is to be had; nil where there is none: the batch is no export, has not ended, or not well, or ended a day ago.
func (b *Batch) DownloadURL() *string {
	if !b.Downloadable(time.Now()) {
		return nil
	}
	return new("/exports/" + Global(KindBatch, b.ID).String())
}

// DownloadExpiresAt is until when it is to be had there.
func (b *Batch) DownloadExpiresAt() *exact.Instant {
	if !b.Downloadable(time.Now()) {
		return nil
	}
	return b.fileUntil()
}

// Downloadable tells whether the batch has a file at a moment.
func (b *Batch) Downloadable(now time.Time) bool {
	return b.Kind == BatchExport && b.Status == RunSucceeded && b.FinishedAt != nil && now.Before(b.fileUntil().Time())
}

func (b *Batch) fileUntil() *exact.Instant { return new(later(*b.FinishedAt, FileLife)) }
