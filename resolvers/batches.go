package resolvers

import (
	"context"

	"carbongraph/graph/model"
	"carbongraph/internal/auth"
	"carbongraph/internal/batch"
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

// recalculateBy starts a recalculation: mappings know no case of codes and descriptions, so that no filter tells which lines they are about. They are stored by then,
// whether it can be started or not.
func (r *Resolver) recalculateBy(ctx context.Context, out *model.SetFactorMappingsPayload) error {
	b, err := r.o.Importer.StartRecalculation(ctx, r.tenant(ctx), batch.Recalculation{Reason: "Mappings were decided", Actor: auth.From(ctx).KeyName})
	switch fault.CodeOf(err) {
	case "":
	case fault.Internal, fault.Timeout:
		return err
	default:
		f := fault.Of(err)
		out.Errors = append(out.Errors, store.Problem{Code: string(f.Code), Message: f.Message, Path: []string{"input", "recalculate"}})
		return nil
	}
	r.o.Begun()
	payload, err := r.batch(ctx, b.ID)
	if err == nil {
		out.Batch = payload.Batch
	}
	return err
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
