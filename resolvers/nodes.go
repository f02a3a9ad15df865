package resolvers

import (
	"context"

	"carbongraph/internal/auth"
	"carbongraph/resolvers/loaders"
	"carbongraph/store"
)

// nodes gives the rows of ids, those that exist for the viewer.
func (r *Resolver) nodes(ctx context.Context, ids []store.GlobalID) ([]store.Node, error) {
	visible, places := make([]store.GlobalID, 0, len(ids)), make([]int, 0, len(ids))
	for i, id := range ids {
		if loaders.Visible(id.Kind, auth.From(ctx).Role) {
			visible, places = append(visible, id), append(places, i)
		}
	}
	found, err := loaders.Nodes(ctx, visible)
	if err != nil {
		return nil, err
	}
	out := make([]store.Node, len(ids))
	for i, at := range places {
		out[at] = found[i]
	}
	return out, nil
}
