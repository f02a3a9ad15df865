package resolvers

import (
	"context"
	"log/slog"

	"carbongraph/store"
)

// FollowBatches gives how batches are followed that read reads.
func FollowBatches(read func(ctx context.Context, org store.ID, ids []store.ID) ([]*store.Batch, error)) func(ctx context.Context, org store.ID, id store.GlobalID) (<-chan *store.Batch, error) {
	return newWatches(store.KindBatch, "batch", read, slog.New(slog.DiscardHandler)).follow
}
