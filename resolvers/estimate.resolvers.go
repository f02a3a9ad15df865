package resolvers

import (
	"carbongraph/graph/generated"
	"carbongraph/graph/model"
	"carbongraph/internal/estimate"
	"carbongraph/internal/fault"
	"carbongraph/resolvers/loaders"
	"carbongraph/store"
	"context"
	"strconv"
)

// Factor gives the factor that was used.
func (r *estimateResolver) Factor(ctx context.Context, obj *model.Estimate) (*store.EmissionFactor, error) {
	return loaders.EstimateFactor.Of(ctx, obj)
}

// Estimates gives what amounts would emit.
func (r *queryResolver) Estimates(ctx context.Context, inputs []*estimate.Input) ([]model.EstimateResult, error) {
	if err := tooMany("inputs", len(inputs), maxEstimates); err != nil {
		return nil, fault.Of(err).At("inputs")
	}
	org, err := r.tenant(ctx).Organization(ctx)
	if err != nil {
		return nil, err
	}
	results, err := r.o.Estimator.Estimate(ctx, org, inputs)
	if err != nil {
		return nil, err
	}
	out, made := make([]model.EstimateResult, len(results)), make([]*model.Estimate, 0, len(results))
	for i, result := range results {
		if p := result.Problem; p != nil {
			out[i] = &store.Problem{Code: p.Code, Message: p.Message, Path: append([]string{"inputs", strconv.Itoa(i)}, p.Path...)}
			continue
		}
		e := &model.Estimate{Emission: result.Emission}
		out[i], made = e, append(made, e)
	}
	loaders.Objects(ctx, "Estimate", made)
	return out, nil
}

func (r *Resolver) Estimate() generated.EstimateResolver { return &estimateResolver{r} }

type estimateResolver struct{ *Resolver }
