package graph

import (
	"context"
	"errors"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"carbongraph/internal/auth"
	"carbongraph/internal/fault"
	"carbongraph/internal/telemetry"
)

// request is what a client asks, however it came.
type request struct {
	query     string
	name      string
	variables map[string]any
	safe      bool // by GET: nothing may be changed
}

// answer is what a client gets, before it is written.
type answer struct {
	op     *operation // nil where the document was refused
	data   []byte     // nil where nothing was run
	errs   gqlerror.List
	status int    // where it is not what the form of the answer makes of it
	allow  string // methods, where this one does not go with the operation
	// limited: the document is over a limit, and the status says so in both forms.
	limited bool
}

// answer runs a request. What is wrong with it is found before anything runs, in this order: the document, which operation, its variables, the rights to it.
func (h *Handler) answer(ctx context.Context, in *request) *answer {
	doc, errs := h.documents.document(in.query)
	if errs != nil {
		return &answer{errs: errs, status: http.StatusBadRequest, limited: errs[0].Extensions["code"] == string(fault.CostLimitExceeded)}
	}
	op, f := doc.operation(in.name)
	if f != nil {
		return h.refused(ctx, nil, f)
	}
	h.note(ctx, op)
	if op.def.Operation != ast.Query && in.safe {
		a := h.refused(ctx, op, fault.New(fault.BadUserInput, "GET runs queries alone. Send a %s by POST.", op.def.Operation))
		a.status, a.allow = http.StatusMethodNotAllowed, "POST"
		return a
	}
	vars, err := h.coercion.variables(op.def, in.variables)
	if err != nil {
		return h.refused(ctx, op, fault.Of(err))
	}
	if f := h.forbidden(ctx, op, vars); f != nil {
		return h.refused(ctx, op, f)
	}
	return h.run(ctx, doc, op, in, vars)
}

// note tells log and metrics what runs.
func (h *Handler) note(ctx context.Context, op *operation) {
	org := ""
	if v := auth.From(ctx); v != nil {
		org = v.Org.String()
	}
	telemetry.RequestFrom(ctx).Operate(string(op.def.Operation), op.def.Name, org)
}

func (h *Handler) refused(ctx context.Context, op *operation, f *fault.Fault) *answer {
	return &answer{op: op, errs: h.refuse(ctx, f), status: f.Code.Status()}
}

// forbidden tells why the viewer may not run the operation.
func (h *Handler) forbidden(ctx context.Context, op *operation, vars map[string]any) *fault.Fault {
	v := auth.From(ctx)
	if op.introspects && !h.o.Introspection && !v.Can("ADMIN") {
		return fault.New(fault.Forbidden, "Introspection is off for your role. The schema stands at /schema.graphql.")
	}
	if op.guarded {
		if role := missing(v, op.def.SelectionSet, vars, map[string]bool{}); role != "" {
			return lacks(role)
		}
	}
	return nil
}

// run executes an operation within its time.
func (h *Handler) run(ctx context.Context, doc *document, op *operation, in *request, vars map[string]any) *answer {
	op.once.Do(func() { op.begin, op.err = h.o.Prepare(doc.ast, op.def) })
	if op.err != nil {
		return h.refused(ctx, op, fault.Of(op.err))
	}
	ctx, cancel := context.WithTimeout(ctx, h.o.Timeout)
	defer cancel()

	ctx = graphql.StartOperationTrace(ctx)
	opCtx := &graphql.OperationContext{
		RawQuery: in.query, OperationName: in.name, Variables: vars, Doc: doc.ast, Operation: op.def,
		RecoverFunc: h.recover,
		ResolverMiddleware: func(ctx context.Context, next graphql.Resolver) (any, error) {
			return next(ctx)
		},
		RootResolverMiddleware: func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
			if op.def.Operation == ast.Mutation {
				ctx = op.begin(ctx, vars)
			}
			return next(ctx)
		},
	}
	ctx = op.begin(ctx, vars)
	handle, ctx := h.exec.DispatchOperation(ctx, opCtx)
	res := handle(ctx)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) && (res == nil || len(res.Errors) > 0) {
		return h.refused(ctx, op, h.timeout()) // one error says it, not one for each field
	}
	if res == nil { // the client is gone
		return h.refused(ctx, op, fault.New(fault.Timeout, "The request was given up before it was answered."))
	}
	return &answer{op: op, data: res.Data, errs: res.Errors}
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
