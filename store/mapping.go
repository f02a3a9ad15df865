package store

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/uptrace/bun"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

var mappingRelation = newRelation("factor_mappings", "m", nil,
	idColumn("m.id", "ID GlobalID", func(m *FactorMapping) *ID { return &m.ID }),
	maybeText("m.account_code", "AccountCode", func(m *FactorMapping) **string { return &m.AccountCode }),
	maybeText("m.description", "Description", func(m *FactorMapping) **string { return &m.Description }),
	maybeText("m.country", "Country", func(m *FactorMapping) **string { return &m.Country }),
	maybeID("m.factor_id", "FactorID", func(m *FactorMapping) **ID { return &m.FactorID }),
	maybeInt("m.category_number", "Category CategoryNumber", func(m *FactorMapping) **int32 { return &m.CategoryNumber }),
	boolColumn("m.exclude", "Exclude", func(m *FactorMapping) *bool { return &m.Exclude }),
	maybeText("m.reason", "Reason", func(m *FactorMapping) **string { return &m.Reason }),
	textColumn("m.decided_by", "DecidedBy", func(m *FactorMapping) *MappingSource { return &m.DecidedBy }),
	decimalColumn("m.confidence", "Confidence", func(m *FactorMapping) *exact.Decimal { return &m.Confidence }),
	boolColumn("m.reviewed", "Reviewed", func(m *FactorMapping) *bool { return &m.Reviewed }),
)

func mappings() *relation[FactorMapping] { return mappingRelation }

func (f *FactorMappingFilter) canonical() (c FactorMappingFilter, err error) {
	if f == nil {
		return c, nil
	}
	c.Reviewed = f.Reviewed
	if m := f.MaxConfidence; m != nil {
		if m.Sign() < 0 || m.Cmp(exact.NewDecimal(1, 0)) > 0 {
			return c, fault.New(fault.BadUserInput, "%.40s is no confidence; they are 0 to 1.", m).At("filter", "maxConfidence")
		}
		c.MaxConfidence = new(exact.MustDecimal(m.Canonical())) // 0.5 and 0.50 ask the same
	}
	folded, err := canonicalSearch(f.Search)
	if err == nil && folded != nil {
		c.Search = new(strings.Join(strings.Fields(*f.Search), " "))
	}
	return c, err
}

// where adds what a canonical filter asks.
func (f FactorMappingFilter) where(b *statement) {
	if f.Reviewed != nil {
		if *f.Reviewed {
			b.where("m.reviewed")
		} else {
			b.where("NOT m.reviewed")
		}
	}
	if f.MaxConfidence != nil {
		b.fresh = true
		b.where("CAST(m.confidence AS NUMERIC) <= CAST(" + b.bind(f.MaxConfidence.Canonical()) + " AS NUMERIC)")
	}
	if f.Search != nil {
		for _, word := range strings.Fields(*f.Search) {
			b.mentions(word, "m.account_code", "m.description")
		}
	}
}

// mentions adds that a word occurs in one of the columns. They are kept as they were written, and databases fold A to Z alone: other letters have to be
// written as they stand there, or in lower case where they do.
func (b *statement) mentions(word string, columns ...string) {
	b.fresh = true
	pattern := func(s string) string { return b.bind("%" + escapeLike(s) + "%") }
	folded, written := pattern(fold(word)), pattern(word)
	var either []string
	for _, c := range columns {
		either = append(either, "LOWER("+c+") LIKE "+folded+` ESCAPE '\'`, c+" LIKE "+written+` ESCAPE '\'`)
	}
	b.where("(" + strings.Join(either, " OR ") + ")")
}

// mappingOrder is the only one: that in which they were first made, which is that of their ids.
func mappingOrder() order { return order{name: "MADE", expr: "m.id", kind: keyID} }

// FactorMappings gives one page of the mappings that meet the filter, in the order in which they were first made.
func (t *Tenant) FactorMappings(ctx context.Context, f *FactorMappingFilter, p Page) (*Connection[FactorMapping], error) {
	q, err := t.FactorMappingPage(f, p, 0)
	return connection(ctx, q, err)
}

// FactorMappingPage is the read behind FactorMappings.
func (t *Tenant) FactorMappingPage(f *FactorMappingFilter, p Page, some Columns) (*Select[FactorMapping], error) {
	c, err := f.canonical()
	if err != nil {
		return nil, err
	}
	b := t.statement("m")
	c.where(b)
	return page(t.store, b, mappings(), mappingOrder(), p, some, t.binding("factorMappings", mappingOrder(), c))
}

// CountFactorMappings tells how many mappings meet the filter.
func (t *Tenant) CountFactorMappings(ctx context.Context, f *FactorMappingFilter) (int, error) {
	q, err := t.FactorMappingCount(f)
	return one(ctx, q, err)
}

// FactorMappingCount is the read behind CountFactorMappings.
func (t *Tenant) FactorMappingCount(f *FactorMappingFilter) (*Select[int], error) {
	c, err := f.canonical()
	if err != nil {
		return nil, err
	}
	b := t.statement("m")
	c.where(b)
	return aggregate(t.store, b, mappingCount, countRows), nil
}

var mappingCount = newCount("factor_mappings", "m")

// FactorMappingsWith is the read of the mappings with these ids, in any order; those that are not there, or are another organization's, are missing.
func (t *Tenant) FactorMappingsWith(ids []ID, some Columns) *Select[FactorMapping] {
	return byID(t.store, t.statement("m"), mappings(), ids, some)
}

// Mappings gives all of the organization's factor mappings, in the order in which they were made.
func (t *Tenant) Mappings(ctx context.Context) ([]*FactorMapping, error) {
	return all(t.store, t.statement("m"), mappings(), "m.id", 0).All(ctx)
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
	q := w.tx.NewInsert().Model(&insert).On("CONFLICT (org_id, match_key) DO UPDATE").Returning("NULL")
	for _, column := range []string{"factor_id", "category_number", "exclude", "reason", "decided_by", "confidence", "reviewed"} {
		q.Set("? = EXCLUDED.?", bun.Ident(column), bun.Ident(column))
		q.WhereOr("?TableAlias.? IS DISTINCT FROM EXCLUDED.?", bun.Ident(column), bun.Ident(column)) // what says nothing new changes nothing
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
