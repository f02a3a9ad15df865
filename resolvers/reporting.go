package resolvers

import (
	"context"
	"errors"

	"carbongraph/graph/model"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

// yearSums gives each year's sums, read once, when the first of them is selected.
func (r *Resolver) yearSums(ctx context.Context) model.Sums {
	return once(ctx, r.tenant(ctx).YearTotals)
}

// categorySums gives the sums of a year by category, read once, when the first of them is selected.
func (r *Resolver) categorySums(ctx context.Context, year int32) model.Sums {
	return once(ctx, func(ctx context.Context) (map[int32]*store.FootprintTotals, error) {
		return r.tenant(ctx).CategoryTotals(ctx, year)
	})
}

// ofInput points a fault at the argument input.
func ofInput(err error) error {
	var f *fault.Fault
	if errors.As(err, &f) {
		return f.At("input")
	}
	return err
}

// refusal makes what was wrong with an input a problem that stands beside data; nil where nothing was, or something else.
func refusal(err error) *store.Problem {
	switch fault.CodeOf(err) {
	case fault.BadUserInput, fault.NotFound, fault.Conflict, fault.PeriodLocked:
		return new(problem(fault.Of(err), "input"))
	}
	return nil
}

// problem is a fault as it stands beside data.
func problem(f *fault.Fault, at ...string) store.Problem {
	f = f.At(at...)
	return store.Problem{Code: string(f.Code), Message: f.Message, Path: f.Path}
}
