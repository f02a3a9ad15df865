package store

import (
	"context"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

// StartRun stores a run that begins. Id, status and start are filled in where they are not given.
func (t *Tenant) StartRun(ctx context.Context, r *CalculationRun) error {
	if r.ID.IsZero() {
		r.ID = t.store.newID()
	}
	if r.Status == "" {
		r.Status = RunRunning
	}
	if r.StartedAt.IsZero() {
		r.StartedAt = t.store.Now()
	}
	row := runRow{OrgID: t.org, ID: r.ID, Status: r.Status, Preview: r.Preview, Reason: r.Reason, GwpSet: r.GwpSet, StartedAt: r.StartedAt, FinishedAt: r.FinishedAt}
	return t.store.transact(ctx, "start run", t.org, func(ctx context.Context, tx *transaction) error {
		_, err := tx.NewInsert().Model(&row).Exec(ctx)
		return err
	})
}

// HasRun tells whether a run is there.
func (t *Tenant) HasRun(ctx context.Context, id ID) (bool, error) {
	rows, err := t.RunsWith([]ID{id}, 0).All(ctx)
	return len(rows) > 0, err
}

// FinishRun stores how a run ended; the end is now where it is not given.
func (t *Tenant) FinishRun(ctx context.Context, r *CalculationRun) error {
	if r.FinishedAt == nil {
		now := t.store.Now()
		r.FinishedAt = &now
	}
	return t.store.transact(ctx, "finish run", t.org, func(ctx context.Context, tx *transaction) error {
		res, err := tx.NewUpdate().Model((*runRow)(nil)).Set("status = ?", r.Status).Set("finished_at = ?", r.FinishedAt).
			Where("org_id = ?", t.org).Where("id = ?", r.ID).Exec(ctx)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err == nil && n == 0 {
			return fault.New(fault.NotFound, "There is no such calculation run.")
		}
		return err
	})
}

var runRelation = newRelation("calculation_runs", "r", nil,
	idColumn("r.id", "ID GlobalID", func(r *CalculationRun) *ID { return &r.ID }),
	textColumn("r.status", "Status", func(r *CalculationRun) *RunStatus { return &r.Status }),
	boolColumn("r.preview", "Preview", func(r *CalculationRun) *bool { return &r.Preview }),
	textColumn("r.reason", "Reason", func(r *CalculationRun) *string { return &r.Reason }),
	textColumn("r.gwp_set", "GwpSet", func(r *CalculationRun) *GwpSet { return &r.GwpSet }),
	instantColumn("r.started_at", "StartedAt", func(r *CalculationRun) *exact.Instant { return &r.StartedAt }),
	maybeInstant("r.finished_at", "FinishedAt", func(r *CalculationRun) **exact.Instant { return &r.FinishedAt }),
)

func runs() *relation[CalculationRun] { return runRelation }

// RunsWith is the read of the calculation runs with these ids, in any order; those that are not there, or are another organization's, are missing.
func (t *Tenant) RunsWith(ids []ID, some Columns) *Select[CalculationRun] {
	return byID(t.store, t.statement("r"), runs(), ids, some)
}

// runOrder is the only one: the newest first, which is that of their ids from the end.
func runOrder() order { return order{name: "MADE", expr: "r.id", kind: keyID, desc: true} }

// CalculationRuns gives one page of the organization's runs, newest first: imports, recalculations and previews, whether they have ended or not.
func (t *Tenant) CalculationRuns(ctx context.Context, p Page) (*Connection[CalculationRun], error) {
	q, err := t.CalculationRunPage(p, 0)
	return connection(ctx, q, err)
}

// CalculationRunPage is the read behind CalculationRuns.
func (t *Tenant) CalculationRunPage(p Page, some Columns) (*Select[CalculationRun], error) {
	return page(t.store, t.statement("r"), runs(), runOrder(), p, some, t.binding("calculationRuns", runOrder(), nil))
}

// CountCalculationRuns tells how many runs the organization has.
func (t *Tenant) CountCalculationRuns(ctx context.Context) (int, error) {
	return one(ctx, t.CalculationRunCount(), nil)
}

// CalculationRunCount is the read behind CountCalculationRuns.
func (t *Tenant) CalculationRunCount() *Select[int] {
	return aggregate(t.store, t.statement("r"), runCount, countRows)
}

var runCount = newCount("calculation_runs", "r")

// Ended tells whether nothing more is done about the run.
func (r *CalculationRun) Ended() bool { return r.FinishedAt != nil }

var keyRelation = newRelation("api_keys", "k", nil,
	idColumn("k.org_id", "OrgID", func(k *APIKey) *ID { return &k.OrgID }),
	idColumn("k.id", "ID GlobalID", func(k *APIKey) *ID { return &k.ID }),
	textColumn("k.name", "Name", func(k *APIKey) *string { return &k.Name }),
	textColumn("k.role", "Role", func(k *APIKey) *Role { return &k.Role }),
	instantColumn("k.created_at", "CreatedAt", func(k *APIKey) *exact.Instant { return &k.CreatedAt }),
	maybeInstant("k.last_used_at", "LastUsedAt", func(k *APIKey) **exact.Instant { return &k.LastUsedAt }),
	maybeInstant("k.expires_at", "ExpiresAt", func(k *APIKey) **exact.Instant { return &k.ExpiresAt }),
)

func keys() *relation[APIKey] { return keyRelation }

// APIKeysWith is the read of the keys with these ids, in any order; those that are not there, or are another organization's, are missing.
func (t *Tenant) APIKeysWith(ids []ID, some Columns) *Select[APIKey] {
	return byID(t.store, t.statement("k"), keys(), ids, some)
}
