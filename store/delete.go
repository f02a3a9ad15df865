package store

import (
	"context"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

// DeleteLines runs Writer.DeleteLines in a transaction of its own.
func (t *Tenant) DeleteLines(ctx context.Context, externalIDs []string) (refused []*fault.Fault, err error) {
	err = t.Write(ctx, func(ctx context.Context, w *Writer) (err error) {
		refused, err = w.DeleteLines(ctx, externalIDs)
		return err
	})
	return refused, err
}

// DeleteLines deletes activities by external id, with every calculation of them, and keeps the sums. It tells of each id, in order, why nothing was
// deleted by it: NOT_FOUND, PERIOD_LOCKED, or that it stands there twice; nil where the line is gone.
func (w *Writer) DeleteLines(ctx context.Context, externalIDs []string) ([]*fault.Fault, error) {
	if err := w.holdLines(ctx, true); err != nil {
		return nil, err
	}
	refused := make([]*fault.Fault, len(externalIDs))
	byExternalID := make(map[string]int, len(externalIDs))
	asked := make([]string, 0, len(externalIDs))
	for i, id := range externalIDs {
		if _, twice := byExternalID[id]; twice {
			refused[i] = fault.New(fault.BadUserInput, "externalId %.80q stands twice in one call; send each once.", id)
			continue
		}
		byExternalID[id] = i
		if storable("externalIds", id) == nil { // any other is no line's
			asked = append(asked, id)
		}
	}
	stored := make([]*storedLine, len(externalIDs))
	if err := w.lookUp(ctx, asked, byExternalID, stored); err != nil {
		return nil, err
	}
	if err := w.lockStored(ctx, stored, byExternalID, func(int) bool { return true }); err != nil {
		return nil, err
	}
	var doomed []ID
	of := newReach()
	for i, was := range stored {
		switch {
		case refused[i] != nil:
		case was == nil:
			refused[i] = fault.New(fault.NotFound, "There is no line %.80q.", externalIDs[i])
		case w.locked.hold(was.occurredOn.Year()):
			refused[i] = lineLocked(externalIDs[i], was.occurredOn.Year())
		default:
			doomed = append(doomed, was.id)
			of.add(was.occurredOn, was.supplier)
		}
	}
	return refused, w.in(of, func() error { return w.delete(ctx, doomed) })
}

// delete removes activities, which are locked, and their emissions; it runs in the parts of the activities, and tells those of emissions that were superseded.
func (w *Writer) delete(ctx context.Context, activities []ID) error {
	if len(activities) == 0 {
		return nil
	}
	own := w.statement()
	own.in("id", listUUID, activities)
	if err := w.exec(ctx, "DELETE", "activities", "DELETE FROM activities WHERE "+own.all(), own.args...); err != nil {
		return err
	}
	b := w.t.statement("e")
	if err := w.sum(ctx, b, change{-1, b.dialect.oneOf(b, "e.activity_id", listUUID, activities, false) + " AND NOT e.superseded AND " + published}); err != nil {
		return err
	}
	of := w.statement()
	of.in("activity_id", listUUID, activities)
	return w.query(ctx, "DELETE", "emissions", "DELETE FROM emissions WHERE "+of.all()+" RETURNING occurred_on, supplier_id", of.args, func(scan scanner) error {
		var day exact.Date
		var supplier *ID
		err := scan(&day, &supplier)
		w.tx.raises.within.add(day, supplier)
		return err
	})
}
