package resolvers

import (
	"carbongraph/graph/model"
	"carbongraph/internal/auth"
	"carbongraph/store"
	"context"
)

// LockReportingYear decides on a year.
func (r *mutationResolver) LockReportingYear(ctx context.Context, input store.LockReportingYearInput) (*model.ReportingYearPayload, error) {
	y, err := r.tenant(ctx).LockReportingYear(ctx, input, auth.From(ctx).KeyName)
	if err != nil {
		return nil, ofInput(err)
	}
	return &model.ReportingYearPayload{ReportingYear: &model.ReportingYear{ReportingYear: y, Sums: r.yearSums(ctx)}}, nil
}

// ReportingYears gives the ledger's years.
func (r *queryResolver) ReportingYears(ctx context.Context) ([]*model.ReportingYear, error) {
	years, err := r.tenant(ctx).ReportingYears(ctx)
	sums, out := r.yearSums(ctx), make([]*model.ReportingYear, len(years))
	for i, y := range years {
		out[i] = &model.ReportingYear{ReportingYear: y, Sums: sums}
	}
	return out, err
}
