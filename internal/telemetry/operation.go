package telemetry

import (
	"context"
	"sync/atomic"
)

// Request is what the log and the metrics know of one request while it runs. A nil Request notes nothing.
type Request struct {
	ID         string
	statements atomic.Int64
	operation  atomic.Pointer[operation]
}

type operation struct{ kind, name, org string }

type requestKey struct{}

// WithRequest gives a context that carries the request.
func WithRequest(ctx context.Context, r *Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// RequestFrom gives the context's request, nil outside one.
func RequestFrom(ctx context.Context) *Request {
	r, _ := ctx.Value(requestKey{}).(*Request)
	return r
}

// Part gives a context for one of several operations of the context's request. It is counted by itself, under the same id.
func Part(ctx context.Context) context.Context {
	if r := RequestFrom(ctx); r != nil {
		return WithRequest(ctx, &Request{ID: r.ID})
	}
	return ctx
}

// Statements tells how many statements were sent for the request until now.
func (r *Request) Statements() int64 {
	if r == nil {
		return 0
	}
	return r.statements.Load()
}

// Operate notes what the request runs: QUERY, MUTATION or SUBSCRIPTION, the client's name for it, and whose ledger it reads.
func (r *Request) Operate(kind, name, org string) {
	if r != nil {
		r.operation.Store(&operation{kind, bounded(name), org})
	}
}

func (r *Request) running() operation {
	if r == nil {
		return operation{}
	}
	if o := r.operation.Load(); o != nil {
		return *o
	}
	return operation{}
}

// maxName bounds a client's own name for its operation in the log.
const maxName = 64

func bounded(name string) string {
	if len(name) > maxName {
		return name[:maxName] + "…"
	}
	return name
}
