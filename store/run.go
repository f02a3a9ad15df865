package store

import (
	"context"

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
	_, err := t.store.writes.NewInsert().Model(&row).Exec(ctx)
	return t.store.fault(err, "start run")
}

// FinishRun stores how a run ended; the end is now where it is not given.
func (t *Tenant) FinishRun(ctx context.Context, r *CalculationRun) error {
	if r.FinishedAt == nil {
		now := t.store.Now()
		r.FinishedAt = &now
	}
	res, err := t.store.writes.NewUpdate().Model((*runRow)(nil)).Set("status = ?", r.Status).Set("finished_at = ?", r.FinishedAt).
		Where("org_id = ?", t.org).Where("id = ?", r.ID).Exec(ctx)
	if err != nil {
		return t.store.fault(err, "finish run")
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		return fault.New(fault.NotFound, "There is no such calculation run.")
	}
	return err
}

// RunsByID gives the calculation runs with these ids, in any order; those that are not there, or are another organization's, are missing.
func (t *Tenant) RunsByID(ctx context.Context, ids []ID) ([]*CalculationRun, error) {
	return byID(ctx, t.store, t.statement("r"), relation[CalculationRun]{
		table: "calculation_runs", alias: "r",
		columns: "r.id, r.status, r.preview, r.reason, r.gwp_set, r.started_at, r.finished_at",
		row: func(scan scanner) (*CalculationRun, error) {
			r := new(CalculationRun)
			return r, scan(&r.ID, &r.Status, &r.Preview, &r.Reason, &r.GwpSet, &r.StartedAt, &r.FinishedAt)
		},
	}, ids)
}

// APIKeysByID gives the keys with these ids, in any order; those that are not there, or are another organization's, are missing.
func (t *Tenant) APIKeysByID(ctx context.Context, ids []ID) ([]*APIKey, error) {
	return byID(ctx, t.store, t.statement("k"), relation[APIKey]{
		table: "api_keys", alias: "k",
		columns: "k.org_id, k.id, k.name, k.role, k.created_at, k.last_used_at, k.expires_at",
		row: func(scan scanner) (*APIKey, error) {
			k := new(APIKey)
			return k, scan(&k.OrgID, &k.ID, &k.Name, &k.Role, &k.CreatedAt, &k.LastUsedAt, &k.ExpiresAt)
		},
	}, ids)
}

// Mappings gives all of the organization's factor mappings, in the order in which they were made.
func (t *Tenant) Mappings(ctx context.Context) ([]*FactorMapping, error) {
	return all(ctx, t.store, t.statement("m"), relation[FactorMapping]{
		table: "factor_mappings", alias: "m",
		columns: "m.id, m.account_code, m.description, m.country, m.factor_id, m.category_number, m.exclude, m.reason, m.decided_by, m.confidence, m.reviewed",
		row: func(scan scanner) (*FactorMapping, error) {
			m := new(FactorMapping)
			return m, scan(&m.ID, &m.AccountCode, &m.Description, &m.Country, &m.FactorID, &m.CategoryNumber, &m.Exclude, &m.Reason, &m.DecidedBy,
				&m.Confidence, &m.Reviewed)
		},
	}, "m.id")
}
