package resolvers

import (
	"context"
	"strconv"

	"carbongraph/internal/fault"
	"carbongraph/resolvers/loaders"
	"carbongraph/store"
)

// cacheable gives the types of the rows that ids name. A row that is not there for the viewer is NOT_FOUND, whoever's it is.
func (r *Resolver) cacheable(ctx context.Context, ids []*store.GlobalID) ([]store.CacheableType, error) {
	if err := tooMany("ids", len(ids), loaders.MaxNodes); err != nil {
		return nil, err
	}
	asked, types := make([]store.GlobalID, len(ids)), make([]store.CacheableType, len(ids))
	for i, id := range ids {
		if asked[i], types[i] = *id, id.Kind.Cacheable(); types[i] == "" {
			return nil, fault.New(fault.BadUserInput, "No CacheableType has a row like that of %.60q.", id).At("ids", strconv.Itoa(i))
		}
	}
	if len(asked) == 0 {
		return nil, nil
	}
	found, err := r.nodes(ctx, asked)
	if err != nil {
		return nil, err
	}
	for i, row := range found {
		if row == nil {
			return nil, fault.New(fault.NotFound, "There is nothing with the id %.60q.", ids[i]).At("ids", strconv.Itoa(i))
		}
	}
	return types, nil
}
