package batch

import (
	"context"

	"carbongraph/store"
)

// Delete deletes activities by external id, in one transaction, and tells of each, in order, why it stays; nil where it is gone.
func (im *Importer) Delete(ctx context.Context, t *store.Tenant, externalIDs []string, key string) ([]*store.Problem, error) {
	k, err := im.claim(ctx, t, key, "deleteActivities", externalIDs)
	if err != nil {
		return nil, err
	}
	if len(k.pieces) == 0 {
		problems, err := im.delete(ctx, externalIDs, k)
		return problems, k.end(ctx, err)
	}
	problems := make([]*store.Problem, len(externalIDs))
	was, err := outcomeOf(k.pieces, len(externalIDs))
	if err != nil {
		return nil, err
	}
	for i, p := range was.Problems {
		problems[i] = p
	}
	if k.finished {
		return problems, nil
	}
	return problems, k.end(ctx, nil)
}

func (im *Importer) delete(ctx context.Context, externalIDs []string, k *keyed) ([]*store.Problem, error) {
	if err := im.slots.take(ctx, true); err != nil {
		return nil, err
	}
	defer im.slots.give()
	var problems []*store.Problem
	err := k.tenant.Write(ctx, func(ctx context.Context, w *store.Writer) error {
		refused, err := w.DeleteLines(ctx, externalIDs)
		if err != nil {
			return err
		}
		problems = make([]*store.Problem, len(refused))
		became := make([]fate, len(refused))
		for i, f := range refused {
			became[i].status = store.Updated
			if f != nil {
				problems[i] = problemOf(f)
				became[i] = fate{store.Failed, problems[i]}
			}
		}
		return k.keep(ctx, w, 0, became)
	})
	return problems, err
}
