package resolvers

import (
	"carbongraph/graph/generated"
	"carbongraph/resolvers/loaders"
	"carbongraph/store"
	"context"
)

// Node gives the row of an id.
func (r *queryResolver) Node(ctx context.Context, id store.GlobalID) (store.Node, error) {
	rows, err := r.nodes(ctx, []store.GlobalID{id})
	if err != nil {
		return nil, err
	}
	return rows[0], nil
}

// Nodes gives the rows of ids, in their order.
func (r *queryResolver) Nodes(ctx context.Context, ids []*store.GlobalID) ([]store.Node, error) {
	if err := tooMany("ids", len(ids), loaders.MaxNodes); err != nil {
		return nil, err
	}
	asked := make([]store.GlobalID, len(ids))
	for i, id := range ids {
		asked[i] = *id
	}
	return r.nodes(ctx, asked)
}

func (r *Resolver) Mutation() generated.MutationResolver { return &mutationResolver{r} }

func (r *Resolver) Query() generated.QueryResolver { return &queryResolver{r} }

func (r *Resolver) Subscription() generated.SubscriptionResolver { return &subscriptionResolver{r} }

type (
	mutationResolver     struct{ *Resolver }
	queryResolver        struct{ *Resolver }
	subscriptionResolver struct{ *Resolver }
)
