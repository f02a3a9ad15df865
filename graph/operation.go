package graph

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"carbongraph/cachex"
	"carbongraph/graph/exec"
	"carbongraph/graph/plan"
	"carbongraph/internal/auth"
	"carbongraph/internal/fault"
	"carbongraph/internal/telemetry"
	"carbongraph/store"
)

// request is what a client asks, however it came.
type request struct {
	query     string // empty where the hash alone is sent
	hash      string // of the document, in hexadecimal, where automatic persisted queries are asked for
	name      string
	variables map[string]any
	safe      bool // by GET: nothing may be changed
	events    bool // the client takes answers as they come
}

// answer is what a client gets, before it is written.
type answer struct {
	op     *operation   // nil where the document was refused
	data   []byte       // nil where nothing was run
	body   *exec.Answer // the whole reply, where the short way made it
	errs   gqlerror.List
	status int    // where it is not what the form of the answer makes of it
	allow  string // methods, where this one does not go with the operation
	retry  string // seconds after which to ask again
	ran    bool
	took   time.Duration // where it ran
	// What it may cost, as the plan tells, and what it cost, in points.
	estimated, actual int
	report            bool // the answer tells its cost
	quoted            bool // the answer tells what it would cost, and nothing else
	// limited: the request is over a limit, and the status says so in both forms.
	limited bool

	raw     []byte  // the whole reply, shared with others who get the same: nobody may change it
	slot    *slot   // where it is kept, or why not; nil: it never was a question
	cached  *cached // how it came about, where it might have been kept
	explain bool    // the answer tells that
	token   string  // by which a client sees what it wrote
}

// prepared is a request that may run.
type prepared struct {
	in   *request
	text string // of the document
	doc  *document
	op   *operation
	vars map[string]any
	plan *plan.Plan
	cost int
	// Of a query that may come again, found once: what its answer hangs on, and its variables in their one form. nil: not found yet.
	reads *plan.Reads
	form  []byte
	found atomic.Pointer[found] // the slot that was found last
}

// subscription tells whether the operation is one.
func (p *prepared) subscription() bool { return p.op.def.Operation == ast.Subscription }

// answerList runs requests, one after the other: each begins when the one before it has ended. What is wrong with them is found before any runs.
func (h *Handler) answerList(ctx context.Context, list []*request, terms terms) ([]*answer, *turn) {
	out := make([]*answer, len(list))
	ready := make([]*prepared, len(list))
	one := terms.conditions
	one.match, one.coding = nil, plain // these are of the list
	cost, some := 0, false
	for i, in := range list {
		ready[i], out[i] = h.prepare(ctx, in)
		if p := ready[i]; p != nil && terms.validate {
			ready[i], out[i] = nil, quote(p)
		} else if p != nil {
			cost, some = cost+p.cost, true
		}
	}
	if len(list) > 1 {
		telemetry.RequestFrom(ctx).Operate("LIST", "", organization(ctx))
	}
	if !some {
		return out, nil
	}
	t, f := h.admit(ctx, cost, terms.class)
	defer t.end()
	for i, p := range ready {
		switch {
		case p == nil:
		case f != nil:
			out[i] = h.turnedAway(ctx, p.op, f)
		default:
			out[i] = t.answer(ctx, p, &one) // when its turn has come: it sees what those before it wrote
			out[i].report, out[i].explain = terms.report, terms.explain
		}
	}
	return out, t
}

// ready prepares a request of one operation, unless the same came before.
func (h *Handler) ready(ctx context.Context, in *incoming, events bool) (*prepared, *answer) {
	if p := in.prepared; p != nil {
		telemetry.RequestFrom(ctx).Operate(string(p.op.def.Operation), p.op.def.Name, organization(ctx))
		return p, nil
	}
	in.list[0].events = events
	p, a := h.prepare(ctx, in.list[0])
	if p != nil {
		if h.responses != nil {
			p.reads, p.form = p.hangsOn(), h.responses.inputs.canonical(nil, p)
		}
		h.remembered.keep(in.requestKey, p)
	}
	return p, a
}

// prepare finds what is wrong with a request, in this order: the document, which operation, its variables, the rights to it, what it selects.
func (h *Handler) prepare(ctx context.Context, in *request) (*prepared, *answer) {
	text, f := h.persisted.text(ctx, in)
	if f != nil {
		return nil, h.refused(ctx, nil, f)
	}
	doc, errs := h.documents.document(text, h.mayIntrospect(ctx))
	if errs != nil {
		return nil, &answer{errs: errs, status: http.StatusBadRequest, limited: errs[0].Extensions["code"] == string(fault.CostLimitExceeded)}
	}
	h.persisted.keep(ctx, in, auth.From(ctx).Caller()) // what is not valid is not kept
	op, f := doc.operation(in.name)
	if f != nil {
		return nil, h.refused(ctx, nil, f)
	}
	telemetry.RequestFrom(ctx).Operate(string(op.def.Operation), op.def.Name, organization(ctx))
	switch {
	case op.def.Operation == ast.Mutation && in.safe:
		a := h.refused(ctx, op, fault.New(fault.BadUserInput, "GET changes nothing. Send a mutation by POST."))
		a.status, a.allow = http.StatusMethodNotAllowed, "POST"
		return nil, a
	case op.def.Operation == ast.Subscription && !in.events:
		a := h.refused(ctx, op, fault.New(fault.BadUserInput, "A subscription is told as it happens: send it by itself and accept text/event-stream, or over a WebSocket."))
		a.status = http.StatusNotAcceptable
		return nil, a
	}
	vars, err := h.coercion.variables(op.def, in.variables)
	if err != nil {
		return nil, h.refused(ctx, op, fault.Of(err))
	}
	if f := h.forbidden(ctx, op, vars); f != nil {
		return nil, h.refused(ctx, op, f)
	}
	p, err := h.plans.plan(op)
	if err != nil {
		return nil, h.refused(ctx, op, fault.Of(err))
	}
	for _, name := range p.Switches { // one with a default may be null for all that validation knows
		if _, ok := vars[name].(bool); !ok {
			return nil, h.refused(ctx, op, fault.New(fault.BadUserInput, "Variable $%s decides in @skip or @include: it must be true or false.", name).At(name))
		}
	}
	return &prepared{in: in, text: text, doc: doc, op: op, vars: vars, plan: p, cost: p.Cost(vars)}, nil
}

// organization is whose ledger is read, for log and metrics.
func organization(ctx context.Context) string {
	if v := auth.From(ctx); v != nil {
		return v.Org.String()
	}
	return ""
}

func (h *Handler) refused(ctx context.Context, op *operation, f *fault.Fault) *answer {
	return &answer{op: op, errs: h.refuse(ctx, f), status: f.Code.Status()}
}

// mayIntrospect tells whether the viewer may ask for the schema itself.
func (h *Handler) mayIntrospect(ctx context.Context) bool {
	return h.o.Introspection || auth.From(ctx).Can("ADMIN")
}

// forbidden tells why the viewer may not run the operation.
func (h *Handler) forbidden(ctx context.Context, op *operation, vars map[string]any) *fault.Fault {
	v := auth.From(ctx)
	if op.introspects && !h.mayIntrospect(ctx) {
		return fault.New(fault.Forbidden, "Introspection is off for your role. The schema stands at /schema.graphql.")
	}
	if op.guarded {
		if role := missing(v, op.def.SelectionSet, vars, map[string]bool{}); role != "" {
			return lacks(role)
		}
	}
	return nil
}

// run executes an operation within its time: the short way where it can be gone, else by gqlgen's engine, from the start. Where it is told which versions are to be seen
// at least, the short way may read from a replica that shows them.
func (h *Handler) run(ctx context.Context, p *prepared, v *cachex.Vector) *answer {
	if h.o.Timeout > 0 {
		timed := h.deadlines.begin(ctx)
		defer timed.end()
		ctx = timed
	}
	body, err := h.short(ctx, p, v)
	var why *exec.Unknown
	switch {
	case err == nil:
		h.o.Metrics.Engine("short", "")
		return &answer{op: p.op, body: body, actual: body.Cost}
	case errors.As(err, &why):
		h.o.Metrics.Engine("gqlgen", why.Reason)
		return h.long(ctx, p)
	}
	return h.refused(ctx, p.op, fault.Of(err))
}

// short answers the short way. An Unknown tells why that cannot be gone.
func (h *Handler) short(ctx context.Context, p *prepared, v *cachex.Vector) (*exec.Answer, error) {
	op := p.op
	switch {
	case h.o.Short == nil:
		return nil, &exec.Unknown{Reason: exec.RuledOut}
	case op.def.Operation != ast.Query:
		return nil, &exec.Unknown{Reason: exec.NoQuery}
	case op.introspects:
		return nil, &exec.Unknown{Reason: exec.Introspection}
	}
	program, err := h.plans.program(h.o.Short, op, p.plan, p.vars)
	if err != nil {
		return nil, err
	}
	from := h.o.Ledger(ctx)
	if v != nil {
		from.At = &store.AsOf{Org: auth.From(ctx).Org, Number: v.Number(), Own: v.Own, All: v.All}
	}
	return h.o.Short.Run(ctx, from, program, p.vars)
}

// long runs gqlgen's engine.
func (h *Handler) long(ctx context.Context, p *prepared) *answer {
	op := p.op
	ctx = h.o.Begin(graphql.StartOperationTrace(ctx), p.plan, p.vars)
	handle, ctx := h.exec.DispatchOperation(ctx, h.operationContext(p))
	res := handle(ctx)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) && (res == nil || len(res.Errors) > 0) {
		return h.refused(ctx, op, h.timeout()) // one error says it, not one for each field
	}
	if res == nil { // the client is gone
		return h.refused(ctx, op, fault.New(fault.Timeout, "The request was given up before it was answered."))
	}
	return &answer{op: op, data: res.Data, errs: capped(res.Errors), actual: p.plan.Actual(res.Data, p.vars)}
}

// operationContext is what gqlgen's engine is told of an operation.
func (h *Handler) operationContext(p *prepared) *graphql.OperationContext {
	c := &graphql.OperationContext{
		RawQuery: p.text, OperationName: p.in.name, Variables: p.vars, Doc: p.doc.ast, Operation: p.op.def,
		RecoverFunc: h.recover,
		ResolverMiddleware: func(ctx context.Context, next graphql.Resolver) (any, error) {
			return next(ctx)
		},
		RootResolverMiddleware: func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
			if p.op.def.Operation == ast.Mutation {
				ctx = h.o.Begin(ctx, p.plan, p.vars)
			}
			return next(ctx)
		},
	}
	if p.subscription() {
		c.ResolverMiddleware = func(ctx context.Context, next graphql.Resolver) (any, error) {
			if e, ok := ctx.Value(eventKey{}).(*event); ok {
				e.arm()
			}
			return next(ctx)
		}
	}
	return c
}

// known keeps the metric's label to codes of ours.
func known(code string) fault.Code {
	for _, c := range fault.Codes() {
		if string(c) == code {
			return c
		}
	}
	return fault.Internal
}
