package store

import (
	"context"
	"encoding/json"

	"github.com/uptrace/bun"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

var mappingRelation = newRelation("factor_mappings", "m", nil,
	idColumn("m.id", "ID", func(m *FactorMapping) *ID { return &m.ID }),
	maybeText("m.account_code", "AccountCode", func(m *FactorMapping) **string { return &m.AccountCode }),
	maybeText("m.description", "Description", func(m *FactorMapping) **string { return &m.Description }),
	maybeText("m.country", "Country", func(m *FactorMapping) **string { return &m.Country }),
	maybeID("m.factor_id", "FactorID", func(m *FactorMapping) **ID { return &m.FactorID }),
	maybeInt("m.category_number", "CategoryNumber", func(m *FactorMapping) **int32 { return &m.CategoryNumber }),
	boolColumn("m.exclude", "Exclude", func(m *FactorMapping) *bool { return &m.Exclude }),
	maybeText("m.reason", "Reason", func(m *FactorMapping) **string { return &m.Reason }),
	textColumn("m.decided_by", "DecidedBy", func(m *FactorMapping) *MappingSource { return &m.DecidedBy }),
	decimalColumn("m.confidence", "Confidence", func(m *FactorMapping) *exact.Decimal { return &m.Confidence }),
	boolColumn("m.reviewed", "Reviewed", func(m *FactorMapping) *bool { return &m.Reviewed }),
)

// Mappings gives all of the organization's factor mappings, in the order in which they were made.
func (t *Tenant) Mappings(ctx context.Context) ([]*FactorMapping, error) {
	return all(t.store, t.statement("m"), mappingRelation, "m.id", 0).All(ctx)
}

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
