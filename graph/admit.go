package graph

import (
	"context"

	"carbongraph/internal/fault"
)

// admit lets an operation in that may cost so much, or says why not. Nothing was run then.
func (h *Handler) admit(ctx context.Context, cost int) *fault.Fault {
	if over(cost, h.o.Limits.Cost) {
		return fault.New(fault.CostLimitExceeded, "The request may have to read %s rows; at most %d are allowed. Ask for less at once, for example with smaller pages.",
			counted(cost), h.o.Limits.Cost)
	}
	return nil
}

// turnedAway answers an operation that was not let in, alone or together with those beside it. The status says so in every form: proxies and clients must see it.
func (h *Handler) turnedAway(ctx context.Context, op *operation, f *fault.Fault) *answer {
	a := h.refused(ctx, op, f)
	a.limited, a.retry = true, f.RetryAfter()
	return a
}
