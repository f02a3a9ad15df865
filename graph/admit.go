package graph

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"carbongraph/internal/auth"
	"carbongraph/internal/fault"
	"carbongraph/internal/gate"
)

// terms are what a client says about the cost of its request, and about its haste.
type terms struct {
	report   bool // tell the cost in the answer too
	validate bool // tell what it would cost, and run nothing
	class    gate.Class
	conditions
}

// Headers are written as their specifications spell them, which net/http would change.
var (
	costHeader   = "GraphQL-Cost"
	pointsHeader = "RateLimit"
	policyHeader = "RateLimit-Policy"
)

// readTerms reads GraphQL-Cost, and Priority (RFC 9218), by which a client says that nobody waits for the answer.
func readTerms(header http.Header) (t terms, why *refusal) {
	if t.conditions, why = readConditions(header); why != nil {
		return t, why
	}
	for _, line := range header["Graphql-Cost"] {
		for word := range strings.SplitSeq(line, ",") {
			switch strings.ToLower(strings.TrimSpace(word)) {
			case "report":
				t.report = true
			case "validate":
				t.validate = true
			case "":
			default:
				return t, &refusal{status: http.StatusBadRequest, message: "The header GraphQL-Cost of a request is report or validate."}
			}
		}
	}
	for _, line := range header["Priority"] {
		for word := range strings.SplitSeq(line, ",") {
			if urgency, ok := strings.CutPrefix(strings.TrimSpace(word), "u="); ok && len(urgency) == 1 && urgency >= "5" && urgency <= "7" {
				t.class = gate.Background
			}
		}
	}
	if t.report || t.explain { // an answer with a report is another than the one that is kept: it has no validator, and is packed once it is whole
		t.match, t.coding = nil, plain
	}
	return t, nil
}

// turn is a request's leave to run. What it was charged and did not use goes back when it ends.
type turn struct {
	h         *Handler
	caller    string
	class     gate.Class
	estimated int
	actual    int
	charged   int
	standing  gate.Standing
	leave     func()
}

// least is what any operation is charged: one that reads no row is work too.
const least = 1

// admit lets in what may cost so much, or says why not. Nothing was run then. The turn tells how the caller stands either way.
func (h *Handler) admit(ctx context.Context, cost int, class gate.Class) (*turn, *fault.Fault) {
	v := auth.From(ctx)
	t := &turn{h: h, caller: v.Caller(), class: class, estimated: cost, leave: func() {}}
	if over(cost, h.o.Limits.Cost) {
		t.standing = h.o.Rate.Look(ctx, t.caller)
		return t, fault.New(fault.CostLimitExceeded, "The request may cost %s points; at most %d are allowed. Ask for less at once, for example with smaller pages.",
			counted(cost), h.o.Limits.Cost)
	}
	points := max(cost, least)
	if t.standing = h.o.Rate.Take(ctx, t.caller, points); !t.standing.Allowed {
		return t, outOfPoints(points, t.standing)
	}
	leave, err := h.o.Admission.Enter(ctx, organization(ctx), class)
	if err != nil {
		h.o.Rate.Return(t.caller, points)
		return t, h.faultOf(ctx, err)
	}
	t.charged, t.leave = points, leave // from here on there is something to give back
	if class == gate.Interactive {
		h.o.Asked()
	}
	return t, nil
}

// enter lets an operation in. One that is answered already costs nothing and takes no place; what it may select is bounded as ever.
func (h *Handler) enter(ctx context.Context, p *prepared, class gate.Class) (*turn, *fault.Fault) {
	if !over(p.cost, h.o.Limits.Cost) && h.answered(ctx, p) {
		caller := auth.From(ctx).Caller()
		return &turn{h: h, caller: caller, estimated: p.cost, standing: h.o.Rate.Look(ctx, caller), leave: func() {}}, nil
	}
	return h.admit(ctx, p.cost, class)
}

func outOfPoints(points int, s gate.Standing) *fault.Fault {
	if s.Retry <= 0 {
		return fault.New(fault.RateLimited, "The request costs %d points; a key may spend %d at once. Ask for less.", points, s.Limit)
	}
	return fault.New(fault.RateLimited, "The request costs %d points, and this key has %d of %d left. Ask again later, or for less.", points, s.Remaining, s.Limit).After(s.Retry)
}

// let lets an operation in. One whose answer is there already costs the least that any does, and takes no place: there is nothing to run.
func (h *Handler) let(ctx context.Context, p *prepared, held *answer, class gate.Class) (*turn, *fault.Fault) {
	if held == nil || over(p.cost, h.o.Limits.Cost) {
		return h.enter(ctx, p, class)
	}
	t := &turn{h: h, caller: auth.From(ctx).Caller(), class: class, estimated: p.cost, leave: func() {}}
	if t.standing = h.o.Rate.Take(ctx, t.caller, least); !t.standing.Allowed {
		return t, outOfPoints(least, t.standing)
	}
	return t, nil
}

// answer gives the kept answer to an operation that was let in, or runs it.
func (t *turn) answer(ctx context.Context, p *prepared, c *conditions) *answer {
	s := t.h.slot(ctx, p, c, mediaJSON)
	a := t.h.held(ctx, p, s, c)
	switch {
	case a != nil:
	case c.only && s.reason == "":
		a = t.h.missing(ctx, p, s)
	default:
		a = t.run(ctx, p, s, c)
	}
	t.count(ctx, p, s, a)
	a.estimated = p.cost
	return a
}

// count counts an operation as asked that somebody waits for, where its answer is kept.
func (t *turn) count(ctx context.Context, p *prepared, s *slot, a *answer) {
	if s.reason != "" || t.class != gate.Interactive || a.cached == nil || a.cached.state == stateMiss && !a.cached.kept {
		return
	}
	t.h.responses.popular.note(auth.From(ctx), p, s)
}

// run runs an operation of the request, and keeps its answer where that may be.
func (t *turn) run(ctx context.Context, p *prepared, s *slot, c *conditions) *answer {
	began := time.Now()
	var a *answer
	if s.reason == "" {
		a = t.h.fill(ctx, p, s, c)
	} else {
		a = t.h.run(ctx, p, nil)
		a.slot = s
	}
	if p.op.def.Operation == ast.Mutation {
		a.token = t.h.responses.token(ctx)
	}
	a.ran, a.took, a.estimated = true, time.Since(began), p.cost
	t.actual += a.actual
	t.h.o.Metrics.Cost(a.estimated, a.actual)
	return a
}

// event counts what the answer to an event cost. The first is what was charged for; what others cost is taken from what the caller has, or will have.
func (t *turn) event(a *answer) {
	t.h.o.Metrics.Cost(t.estimated, a.actual)
	t.actual = a.actual
	if t.charged > 0 {
		t.end()
		return
	}
	t.h.o.Rate.Return(t.caller, -max(a.actual, least))
}

// end gives the place back, and the points that were not used, once.
func (t *turn) end() {
	t.leave()
	if t.charged == 0 {
		return
	}
	back := t.charged - max(t.actual, least)
	t.charged = 0
	t.h.o.Rate.Return(t.caller, back)
	t.standing.Remaining = min(max(t.standing.Remaining+back, 0), t.standing.Limit)
}

// tell writes what the request cost, and how the caller stands after it. The names are those of draft-ietf-httpapi-ratelimit-headers.
func (t *turn) tell(header http.Header) {
	values := make([]string, 2)
	values[0] = costs(t.estimated, t.actual)
	header[costHeader] = values[:1:1]
	if t.standing.Limit == 0 {
		return
	}
	b := make([]byte, 0, 48)
	b = strconv.AppendInt(append(b, `"points";r=`...), int64(t.standing.Remaining), 10)
	b = strconv.AppendInt(append(b, ";t="...), int64((t.standing.Reset+time.Second-1)/time.Second), 10)
	values[1] = string(b)
	header[policyHeader], header[pointsHeader] = t.h.policy, values[1:]
}

// costs is the header GraphQL-Cost.
func costs(estimated, actual int) string {
	b := make([]byte, 0, 48)
	b = strconv.AppendInt(append(b, "estimated="...), int64(estimated), 10)
	return string(strconv.AppendInt(append(b, ", actual="...), int64(actual), 10))
}

// policy is the header RateLimit-Policy.
func policy(points int, period time.Duration) []string {
	return []string{`"points";q=` + strconv.Itoa(points) + ";w=" + strconv.Itoa(int(period/time.Second))}
}

// turnedAway answers an operation that was not let in, alone or together with those beside it. The status says so in every form: proxies and clients must see it.
func (h *Handler) turnedAway(ctx context.Context, op *operation, f *fault.Fault) *answer {
	a := h.refused(ctx, op, f)
	a.limited, a.retry = f.Code != fault.Timeout, f.RetryAfter()
	return a
}

// quote answers what an operation would cost.
func quote(p *prepared) *answer { return &answer{op: p.op, estimated: p.cost, quoted: true} }
