// Package graph turns HTTP bytes into finished GraphQL replies: transport, limits, rights, execution, and the words of errors.
package graph

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"

	"carbongraph/graph/exec"
	"carbongraph/graph/plan"
	"carbongraph/internal/telemetry"
)

// Options are what a handler is made of.
type Options struct {
	Schema graphql.ExecutableSchema
	// Short is the engine that queries go through where it knows everything that they ask for; nil rules it out.
	Short *exec.Engine
	// Ledger is what the short way reads from, for whoever asks.
	Ledger func(ctx context.Context) exec.Ledger
	// Begin readies gqlgen's engine for one run.
	Begin Begin
	// Scalars check the variables of our own scalars before anything runs.
	Scalars map[string]ScalarCheck
	// Introspection lets everybody introspect; ADMIN always may.
	Introspection bool
	Limits        Limits
	Timeout       time.Duration // of an operation; 0: none
	Log           *slog.Logger
	Metrics       *telemetry.GraphQL
}

// Begin readies the context that the fields of one run go by: its loaders. The root fields of a mutation each begin anew,
// so that none reads what was loaded before the one ahead of it wrote.
type Begin func(ctx context.Context, p *plan.Plan, variables map[string]any) context.Context

// Handler answers GraphQL over HTTP. Whoever reaches it was authenticated.
type Handler struct {
	o         Options
	exec      *executor.Executor
	documents *documents
	plans     *plans
	coercion  coercion
}

// New makes a handler.
func New(o Options) *Handler {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	h := &Handler{
		o:         o,
		exec:      executor.New(o.Schema),
		documents: newDocuments(o.Schema.Schema(), o.Limits),
		plans:     newPlans(o.Schema.Schema()),
		coercion:  coercion{o.Schema.Schema(), o.Scalars},
	}
	h.exec.SetErrorPresenter(h.present)
	h.exec.SetRecoverFunc(h.recover)
	return h
}

// ServeHTTP answers one request: POST with JSON, an operation or a list of them, or GET with a query.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	form, ok := negotiate(r.Header.Values("Accept"))
	if !ok {
		h.fail(w, r, mediaJSON, &refusal{status: http.StatusNotAcceptable, message: "Accept application/json or application/graphql-response+json."})
		return
	}
	var list []*request
	var listed bool
	var why *refusal
	switch r.Method {
	case http.MethodPost:
		list, listed, why = h.readPost(w, r)
	case http.MethodGet, http.MethodHead:
		list = make([]*request, 1)
		list[0], why = readGet(r)
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		h.fail(w, r, form, &refusal{status: http.StatusMethodNotAllowed, message: "GraphQL is asked by POST or GET."})
		return
	}
	if why != nil {
		h.fail(w, r, form, why)
		return
	}
	all := h.answer(r.Context(), list)
	if listed {
		h.writeList(w, form, all)
		return
	}
	a := all[0]
	if a.allow != "" {
		w.Header().Set("Allow", a.allow)
	}
	h.measure(a, time.Since(began))
	h.write(w, form, a)
}

func (h *Handler) measure(a *answer, took time.Duration) {
	result := "ok"
	switch {
	case len(a.errs) > 0 && (len(a.data) == 0 || string(a.data) == "null"):
		result = "failed"
	case len(a.errs) > 0:
		result = "partial"
	}
	kind := "none"
	if a.op != nil {
		kind = strings.ToLower(string(a.op.def.Operation))
	}
	h.o.Metrics.Operation(kind, result, took)
	for _, e := range a.errs {
		code, _ := e.Extensions["code"].(string)
		h.o.Metrics.Error(known(code))
	}
}
