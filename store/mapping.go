package store

import (
	"context"
	"encoding/json"

	"github.com/uptrace/bun"

	"carbongraph/internal/fault"
)

// PutMappings replaces mappings of the same (account code, description, country): what is there keeps its id.
func (w *Writer) PutMappings(ctx context.Context, rows []*FactorMapping) error {
	if len(rows) == 0 {
		return nil
	}
	seen := make(map[string]bool, len(rows))
	insert := make([]*mappingRow, len(rows))
	for i, m := range rows {
		key, err := json.Marshal([]*string{m.AccountCode, m.Description, m.Country})
		if err != nil {
			return err
		}
		if seen[string(key)] {
			return fault.New(fault.BadUserInput, "Two mappings are for %s (account code, description, country); give one.", key)
		}
		seen[string(key)] = true
		if m.ID.IsZero() {
			m.ID = w.t.store.newID()
		}
		insert[i] = &mappingRow{OrgID: w.t.org, ID: m.ID, MatchKey: string(key), AccountCode: m.AccountCode, Description: m.Description, Country: m.Country,
			FactorID: m.FactorID, CategoryNumber: m.CategoryNumber, Exclude: m.Exclude, Reason: m.Reason, DecidedBy: m.DecidedBy, Confidence: m.Confidence,
			Reviewed: m.Reviewed}
	}
	q := w.tx.NewInsert().Model(&insert).On("CONFLICT (org_id, match_key) DO UPDATE")
	for _, column := range []string{"factor_id", "category_number", "exclude", "reason", "decided_by", "confidence", "reviewed"} {
		q.Set("? = EXCLUDED.?", bun.Ident(column), bun.Ident(column))
	}
	if _, err := q.Exec(ctx); err != nil {
		return err
	}
	// Rows that were there kept their ids: tell them.
	var stored []struct {
		ID       ID     `bun:"id"`
		MatchKey string `bun:"match_key"`
	}
	if err := w.tx.NewSelect().Model((*mappingRow)(nil)).Column("id", "match_key").Where("org_id = ?", w.t.org).Scan(ctx, &stored); err != nil {
		return err
	}
	ids := make(map[string]ID, len(stored))
	for _, s := range stored {
		ids[s.MatchKey] = s.ID
	}
	for i, m := range rows {
		m.ID = ids[insert[i].MatchKey]
	}
	return nil
}
