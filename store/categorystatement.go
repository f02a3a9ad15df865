package store

import (
	"context"
	"strings"

	"carbongraph/internal/fault"
)

// CategoryStatement is what a year's report says of a category: that it is included, or why it is left out, and how it was calculated.
type CategoryStatement struct {
	Year           int32
	CategoryNumber int32
	Included       bool
	Reason         *string // why it is left out; may also say why it is not
	MethodText     *string
}

// Category gives the category that the statement is about.
func (s *CategoryStatement) Category() *Category { return CategoryByNumber(s.CategoryNumber) }

// SetCategoryStatementInput is what is to be said of a category. It replaces what was said before.
type SetCategoryStatementInput struct {
	Year       int32
	Category   int32
	Included   bool
	Reason     *string
	MethodText *string
}

var statementRelation = newRelation("category_statements", "c", nil,
	intColumn("c.year", "Year", func(s *CategoryStatement) *int32 { return &s.Year }),
	intColumn("c.category_number", "Category", func(s *CategoryStatement) *int32 { return &s.CategoryNumber }),
	boolColumn("c.included", "Included", func(s *CategoryStatement) *bool { return &s.Included }),
	maybeText("c.reason", "Reason", func(s *CategoryStatement) **string { return &s.Reason }),
	maybeText("c.method_text", "MethodText", func(s *CategoryStatement) **string { return &s.MethodText }),
)

// CategoryStatements gives what a year's report says of each of the 15 categories, in their order. One of which nothing was said is included.
func (t *Tenant) CategoryStatements(ctx context.Context, year int32) ([]*CategoryStatement, error) {
	if err := checkYear(year); err != nil {
		return nil, err
	}
	b := t.statement("c")
	b.is("c.year", "=", int(year))
	said, err := all(t.store, b, statementRelation, "", 0).All(ctx)
	if err != nil {
		return nil, err
	}
	statements := make([]*CategoryStatement, len(categories))
	for i := range statements {
		statements[i] = &CategoryStatement{Year: year, CategoryNumber: int32(i + 1), Included: true}
	}
	for _, s := range said {
		statements[s.CategoryNumber-1] = s
	}
	return statements, nil
}

// CategoryTotals sums the current emissions of a year by category, in one statement. A category without any is missing.
func (t *Tenant) CategoryTotals(ctx context.Context, year int32) (map[int32]*FootprintTotals, error) {
	return sumsBy(ctx, t, yearFilter(year), ByCategory, func(r *FootprintRow) int32 { return *r.CategoryNumber })
}

// SetCategoryStatement stores what a year's report says of a category. To leave one out takes a reason; where the year is locked, nothing is changed.
func (t *Tenant) SetCategoryStatement(ctx context.Context, in SetCategoryStatementInput) (*CategoryStatement, error) {
	in.Reason, in.MethodText = filled(in.Reason), filled(in.MethodText)
	if err := in.check(); err != nil {
		return nil, err
	}
	s := &CategoryStatement{Year: in.Year, CategoryNumber: in.Category, Included: in.Included, Reason: in.Reason, MethodText: in.MethodText}
	err := t.Write(ctx, func(ctx context.Context, w *Writer) error {
		if err := w.holdLines(ctx, true); err != nil {
			return err
		}
		if w.locked.hold(int(s.Year)) {
			return yearLocked(s.Year)
		}
		return w.exec(ctx, "INSERT", "category_statements", `INSERT INTO category_statements (org_id, year, category_number, included, reason, method_text)
			VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (org_id, year, category_number) DO UPDATE SET included = EXCLUDED.included, reason = EXCLUDED.reason,
			method_text = EXCLUDED.method_text`, t.org.String(), int(s.Year), int(s.CategoryNumber), s.Included, s.Reason, s.MethodText)
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (in *SetCategoryStatementInput) check() error {
	if err := checkYear(in.Year); err != nil {
		return err
	}
	if CategoryByNumber(in.Category) == nil {
		return fault.New(fault.BadUserInput, "There is no category %d; they are numbered 1 to 15.", in.Category).At("category")
	}
	if !in.Included && in.Reason == nil {
		return fault.New(fault.BadUserInput, "Category %d is left out of %d: give the reason, which the report has to state.", in.Category, in.Year).At("reason")
	}
	return checks(
		func() error { return checkWords("reason", deref(in.Reason)) },
		func() error { return checkWords("methodText", deref(in.MethodText)) },
	)
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// filled makes a text of nothing but blanks nil.
func filled(s *string) *string {
	if s == nil || strings.TrimSpace(*s) == "" {
		return nil
	}
	return new(strings.TrimSpace(*s))
}
