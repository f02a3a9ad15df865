package resolvers

import (
	"context"

	"carbongraph/graph/model"
	"carbongraph/internal/fault"
	"carbongraph/resolvers/loaders"
	"carbongraph/store"
)

// batch gives a batch as it is stored now.
func (r *Resolver) batch(ctx context.Context, id store.ID) (*model.BatchPayload, error) {
	rows, err := r.tenant(ctx).BatchesWith([]store.ID{id}, 0).All(ctx)
	if err != nil {
		return nil, err
	}
	if len(rows) != 1 {
		return nil, fault.New(fault.NotFound, "There is no batch with this id.").At("id")
	}
	loaders.Rows(ctx, rows, "batch")
	return &model.BatchPayload{Batch: rows[0]}, nil
}

// rowsOf gives the rows of ids of a kind; an id of another kind is an error.
func rowsOf(ids []*store.GlobalID, kind store.Kind) ([]store.ID, error) {
	rows := make([]store.ID, len(ids))
	for i, id := range ids {
		if id == nil || id.Kind != kind {
			return nil, fault.New(fault.NotFound, "There is nothing of this kind with one of these ids.")
		}
		rows[i] = id.Row
	}
	return rows, nil
}
