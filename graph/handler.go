// Package graph turns HTTP bytes into finished GraphQL replies: transport, limits, rights, execution, and the words of errors.
package graph

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"

	"carbongraph/cachex"
	"carbongraph/graph/exec"
	"carbongraph/graph/plan"
	"carbongraph/internal/auth"
	"carbongraph/internal/gate"
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
	Timeout       time.Duration // of an operation, and of one event of a subscription; 0: none
	Log           *slog.Logger
	Metrics       *telemetry.GraphQL

	// Viewer tells who is at the other end of a stream: by the words that stand in Authorization elsewhere, or, where they are empty, by its request.
	Viewer func(r *http.Request, authorization string) (*auth.Viewer, error)
	// Answered tells whether the work that these idempotency keys name is done; nil: nobody knows.
	Answered func(ctx context.Context, keys []string) (bool, error)
	// Asked is told of each operation that somebody waits for, before it runs; nil: nobody wants to know.
	Asked func()
	// Documents keeps the texts that clients name by their hash (DocumentOptions); nil: none are kept.
	Documents *cachex.Chain
	// Responses keeps the answers of queries; nil: none are kept.
	Responses *ResponseOptions
	// Rate, Admission and Streams bound what a caller may spend, what runs at once, and the streams of each caller.
	Rate      *gate.Rate
	Admission *gate.Admission
	Streams   *gate.Streams
	// Points and Period are those of Rate, for the header that tells them.
	Points int
	Period time.Duration
	// Origins are those whose pages may open a WebSocket beside the server's own; "*": everybody's.
	Origins []string
	// Heartbeat is how often a stream shows that it is alive; 0: every 15 seconds.
	Heartbeat time.Duration
	// InitTimeout is how long a WebSocket may take to say who is there; 0: 10 seconds.
	InitTimeout time.Duration
	// MessageTimeout is how long a client may take to read one message of a stream; 0: 10 seconds.
	MessageTimeout time.Duration
}

// Begin readies the context that the fields of one run go by: its loaders. The root fields of a mutation each begin anew,
// so that none reads what was loaded before the one ahead of it wrote.
type Begin func(ctx context.Context, p *plan.Plan, variables map[string]any) context.Context

// Handler answers GraphQL over HTTP. Whoever reaches it was authenticated.
type Handler struct {
	o          Options
	exec       *executor.Executor
	documents  *documents
	remembered *remembered
	persisted  *persisted
	responses  *responses
	packer     *packer
	plans      *plans
	coercion   coercion
	streams    *streams
	strangers  *gate.Streams
	deadlines  *deadlines
	policy     []string
}

// New makes a handler.
func New(o Options) *Handler {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Asked == nil {
		o.Asked = func() {}
	}
	o.Heartbeat, o.InitTimeout = cmp.Or(o.Heartbeat, heartbeat), cmp.Or(o.InitTimeout, initTimeout)
	o.MessageTimeout = cmp.Or(o.MessageTimeout, messageTimeout)
	packer := newPacker()
	h := &Handler{
		o:          o,
		exec:       executor.New(o.Schema),
		remembered: newRemembered(),
		persisted:  newPersisted(o.Documents),
		responses:  newResponses(o.Responses, o.Schema.Schema(), packer),
		packer:     packer,
		documents:  newDocuments(o.Schema.Schema(), o.Limits),
		plans:      newPlans(o.Schema.Schema()),
		coercion:   coercion{o.Schema.Schema(), o.Scalars},
		streams:    newStreams(),
		strangers:  gate.NewStreams(maxStrangers),
		deadlines:  newDeadlines(o.Timeout),
		policy:     policy(o.Points, o.Period),
	}
	h.exec.SetErrorPresenter(h.present)
	h.exec.SetRecoverFunc(h.recover)
	return h
}

// ServeHTTP answers one request: POST with JSON, an operation or a list of them, or GET with a query. A client that takes events gets them, and one that asks for
// a WebSocket gets that.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if Upgrades(r) {
		h.socket(w, r)
		return
	}
	accepts := negotiate(r.Header.Values("Accept"))
	if accepts.none() {
		h.fail(w, r, formOf(r, mediaJSON), &refusal{status: http.StatusNotAcceptable, message: "Accept application/json, application/graphql-response+json or text/event-stream."})
		return
	}
	form := formOf(r, accepts.one())
	terms, why := readTerms(r.Header)
	if why != nil {
		h.fail(w, r, form, why)
		return
	}
	in := incoming{requestKey: requestKey{introspects: h.mayIntrospect(r.Context())}}
	if v := auth.From(r.Context()); v != nil {
		in.role = v.Role
	}
	if why = h.read(w, r, &in); why != nil {
		h.fail(w, r, form, why)
		return
	}
	if in.prepared = h.remembered.find(in.requestKey); in.prepared == nil {
		if why = h.parse(&in); why != nil {
			h.fail(w, r, form, why)
			return
		}
	}
	if in.listed {
		h.serveList(w, r, form, in.list, terms)
		return
	}
	h.serveOne(w, r, accepts, form, &in, terms)
}

// incoming is what came, and what it was read to.
type incoming struct {
	requestKey
	body     []byte
	prepared *prepared // where the same came before
	list     []*request
	listed   bool
}

// read takes the bytes of a request.
func (h *Handler) read(w http.ResponseWriter, r *http.Request, in *incoming) (why *refusal) {
	switch r.Method {
	case http.MethodPost:
		in.body, why = h.readPost(w, r)
		in.text = shared(in.body)
	case http.MethodGet, http.MethodHead:
		in.text, in.safe = r.URL.RawQuery, true
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		why = &refusal{status: http.StatusMethodNotAllowed, message: "GraphQL is asked by POST or GET."}
	}
	return why
}

// parse reads them.
func (h *Handler) parse(in *incoming) (why *refusal) {
	if in.safe {
		in.list = make([]*request, 1)
		in.list[0], why = readGet(in.text)
		return why
	}
	in.list, in.listed, why = h.o.Limits.parse(in.body)
	return why
}

// serveOne answers a request of one operation.
func (h *Handler) serveOne(w http.ResponseWriter, r *http.Request, accepts accepted, form form, in *incoming, terms terms) {
	began := time.Now()
	ctx := r.Context()
	p, a := h.ready(ctx, in, accepts.events)
	if p != nil && terms.validate {
		p, a = nil, quote(p)
	}
	if p == nil && accepts.form != "" {
		h.finish(w, form, a, began)
		return
	}
	if p == nil {
		h.events(w, r, nil, a, nil)
		return
	}
	var s *slot
	if accepts.form != "" && !p.subscription() {
		s = h.slot(ctx, p, &terms.conditions, accepts.form)
		if a = h.held(ctx, p, s, &terms.conditions); a == nil && terms.only && s.reason == "" {
			a = h.missing(ctx, p, s)
		}
	}
	t, f := h.let(ctx, p, a, terms.class)
	defer t.end() // whatever happens
	switch {
	case f != nil:
		t.tell(w.Header())
		h.finish(w, form, h.turnedAway(ctx, p.op, f), began)
	case s == nil:
		h.events(w, r, p, nil, t)
	default:
		if a == nil {
			a = t.run(ctx, p, s, &terms.conditions)
		}
		t.count(ctx, p, s, a)
		a.estimated, a.report, a.explain = p.cost, terms.report, terms.explain
		t.end() // so that nobody waits for a client who reads slowly
		t.tell(w.Header())
		h.finish(w, form, a, began)
	}
}

// finish measures an answer and writes it.
func (h *Handler) finish(w http.ResponseWriter, form form, a *answer, began time.Time) {
	if a.allow != "" {
		w.Header().Set("Allow", a.allow)
	}
	if a.quoted {
		w.Header()[costHeader] = []string{costs(a.estimated, 0)}
	}
	h.measure(a, time.Since(began))
	h.write(w, form, a)
}

func (h *Handler) measure(a *answer, took time.Duration) {
	h.measureOperation(a, took)
	h.countErrors(a)
}

func (h *Handler) measureOperation(a *answer, took time.Duration) {
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
}

func (h *Handler) countErrors(a *answer) {
	for _, e := range a.errs {
		code, _ := e.Extensions["code"].(string)
		h.o.Metrics.Error(known(code))
	}
}
