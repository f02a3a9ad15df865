package resolvers

import (
	"carbongraph/graph/model"
	"carbongraph/store"
	"context"
)

// InvalidateCache has answers made anew that are kept.
func (r *mutationResolver) InvalidateCache(ctx context.Context, types []store.CacheableType, ids []*store.GlobalID) (*model.InvalidateCachePayload, error) {
	named, err := r.cacheable(ctx, ids)
	if err != nil {
		return nil, err
	}
	all, err := r.tenant(ctx).Invalidate(ctx, append(named, types...))
	if err != nil {
		return nil, err
	}
	return &model.InvalidateCachePayload{Invalidated: all}, nil
}
