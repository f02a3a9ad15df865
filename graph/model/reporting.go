package model

import (
	"context"

	"carbongraph/internal/exact"
	"carbongraph/store"
)

// Sums gives sums by year or by category; what is missing comes to nothing. It is called once for all that hold it.
type Sums func(context.Context) (map[int32]*store.FootprintTotals, error)

// of gives one of the sums.
func (s Sums) of(ctx context.Context, key int32) (*store.FootprintTotals, error) {
	all, err := s(ctx)
	if err != nil {
		return nil, err
	}
	if totals := all[key]; totals != nil {
		return totals, nil
	}
	return new(store.FootprintTotals), nil
}

// ReportingYear is a year whose sums are read when something that they tell is selected.
type ReportingYear struct {
	*store.ReportingYear
	Sums Sums // by year
}

// Totals gives the year's sums now.
func (y *ReportingYear) Totals(ctx context.Context) (*store.FootprintTotals, error) {
	return y.Sums.of(ctx, y.Year)
}

// ChangeSinceLock gives by how many percent the year has changed.
func (y *ReportingYear) ChangeSinceLock(ctx context.Context) (*exact.Decimal, error) {
	now, err := y.Totals(ctx)
	if err != nil {
		return nil, err
	}
	return y.ReportingYear.ChangeSinceLock(now), nil
}

// RecalculationDue tells whether the base year has changed by more than its threshold.
func (y *ReportingYear) RecalculationDue(ctx context.Context) (bool, error) {
	now, err := y.Totals(ctx)
	return err == nil && y.ReportingYear.RecalculationDue(now), err
}

// CategoryStatement is a statement whose sums are read when they are selected.
type CategoryStatement struct {
	*store.CategoryStatement
	Sums Sums // by category
}

// Totals gives the category's sums in the statement's year.
func (s *CategoryStatement) Totals(ctx context.Context) (*store.FootprintTotals, error) {
	return s.Sums.of(ctx, s.CategoryNumber)
}

// DeleteActivitiesInput is the input of deleteActivities.
type DeleteActivitiesInput struct {
	IdempotencyKey *string
	ExternalIds    []string
}

// DeleteActivitiesPayload is the answer of deleteActivities.
type DeleteActivitiesPayload struct {
	Deleted int
	Errors  []store.Problem
}

// SetCategoryStatementPayload is the answer of setCategoryStatement.
type SetCategoryStatementPayload struct {
	Statement *CategoryStatement
	Errors    []store.Problem
}
