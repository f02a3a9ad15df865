package graph

import (
	"context"
	"errors"
	"time"

	"carbongraph/internal/auth"
	"carbongraph/internal/fault"
	"carbongraph/internal/gate"
)

// Popular tells which operations are asked most; nil where no answers are kept.
func (h *Handler) Popular() *Popular {
	if h.responses == nil {
		return nil
	}
	return h.responses.popular
}

// Busy tells whether operations wait for their turn.
func (h *Handler) Busy() bool { return h.o.Admission.Busy() }

// Learn takes over what others have counted. What is no query of this program's schema any more is left out.
func (h *Handler) Learn(ctx context.Context, list []*Asked) {
	popular := h.responses.popular
	for _, a := range list {
		if a == nil {
			continue
		}
		if !popular.knows(a.Org, a.ID) {
			_, s, err := h.reopen(ctx, a)
			if err != nil {
				continue
			}
			a.ID = s.asked
		}
		popular.learn(a)
	}
}

// ErrNotKept tells that an operation's answer cannot be kept any more; it is forgotten.
var ErrNotKept = errors.New("graph: the answer cannot be kept")

// Warm sees to it that the answer to an operation is kept for so long from now, and tells whether it had to be made. It runs as the organization and role that asked, behind all
// that somebody waits for, is charged to nobody, and counts as nobody's asking.
func (h *Handler) Warm(ctx context.Context, a *Asked, ahead time.Duration) (made bool, err error) {
	p, s, err := h.reopen(ctx, a)
	if err != nil {
		if errors.Is(err, ErrNotKept) {
			h.responses.popular.forget(a.Org, a.ID)
		}
		return false, err
	}
	ctx = auth.With(ctx, warmer(a))
	leave, err := h.o.Admission.Enter(ctx, a.Org.String(), gate.Background)
	if err != nil {
		return false, err
	}
	defer leave()
	made, err = h.responses.Cache.Warm(ctx, h.responses.Strategy, s.key, ahead, h.maker(p, s, nil))
	var not *unkept
	if errors.As(err, &not) && not.reason == tooLong {
		h.responses.popular.forget(a.Org, a.ID)
		return false, ErrNotKept
	}
	return made, err
}

// warmer is who runs an operation that nobody asked for.
func warmer(a *Asked) *auth.Viewer {
	return &auth.Viewer{Org: a.Org, Role: a.Role, KeyName: "cache warming"}
}

// reopen prepares an operation that was asked once, and finds where its answer is kept. What could not be asked now is an error.
func (h *Handler) reopen(ctx context.Context, a *Asked) (*prepared, *slot, error) {
	ctx = auth.With(ctx, warmer(a))
	in := &request{query: a.Document, name: a.Operation, safe: true}
	if len(a.Variables) > 0 {
		value, _ := aValue(a.Variables)
		in.variables, _ = value.(map[string]any)
	}
	p, refused := h.prepare(ctx, in)
	if refused != nil {
		return nil, nil, errors.Join(ErrNotKept, refused.errs)
	}
	if over(p.cost, h.o.Limits.Cost) {
		return nil, nil, errors.Join(ErrNotKept, fault.New(fault.CostLimitExceeded, "It costs %d points.", p.cost))
	}
	switch s := h.slot(ctx, p, &conditions{}, mediaJSON); s.reason {
	case "":
		return p, s, nil
	case unversioned: // which passes
		return nil, nil, errors.New("graph: versions cannot be read")
	default:
		return nil, nil, ErrNotKept
	}
}
