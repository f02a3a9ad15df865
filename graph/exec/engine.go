package exec

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"carbongraph/graph/model"
	"carbongraph/graph/plan"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

// Ledger is what one run reads from: reference data from the store, the organization's own rows through its tenant, and who asks.
type Ledger struct {
	Store  *store.Store
	Tenant *store.Tenant
	Viewer *model.Viewer
	// At is what the run is to see at least, so that it may read from a replica; nil: it reads from the primary.
	At *store.AsOf
}

// Options are what an engine is made of.
type Options struct {
	Relations []Relation // that lead from rows to rows
	Roots     []Root     // the fields of Query
	// Operations is how many run at once; others wait, and hold nothing meanwhile. 0: twice the cores.
	Operations int
	// Joins: a page can bring other rows along (store.Store.Joins).
	Joins bool
	// Bytes is what one operation may hold. 0: 64 MB.
	Bytes int
}

// Engine runs queries the short way.
type Engine struct {
	objects   map[string]any // by type: *object[T]
	relations map[string]Relation
	roots     map[string]Root
	admitted  chan struct{}
	bytes     int
	joins     bool
	runs      sync.Pool
	answers   sync.Pool
}

// New makes an engine.
func New(o Options) *Engine {
	if o.Operations == 0 {
		o.Operations = 2 * runtime.GOMAXPROCS(0)
	}
	if o.Bytes == 0 {
		o.Bytes = 64 << 20
	}
	e := &Engine{objects: described(), relations: map[string]Relation{}, roots: map[string]Root{}, admitted: make(chan struct{}, o.Operations), bytes: o.Bytes, joins: o.Joins}
	for _, r := range o.Relations {
		e.relations[r.name()] = r
	}
	for _, r := range o.Roots {
		e.roots[r.name()] = r
	}
	e.runs.New = func() any { return &run{} }
	e.answers.New = func() any { return &Answer{} }
	return e
}

// Unknown is why an operation cannot go the short way: what it asks for, or what came of it. The other engine runs it then, from the start.
type Unknown struct {
	Reason string // one of a few words, for a metric
	err    error
}

// The reasons.
const (
	RuledOut      = "off"      // ENGINE=gqlgen
	NoQuery       = "kind"     // a mutation or a subscription
	Introspection = "schema"   // it asks for the schema itself
	NoEncoder     = "field"    // a field that no encoder, relation or root is known of
	BadArguments  = "argument" // arguments that are refused
	Failed        = "error"    // a read failed
	Null          = "null"     // a value that the schema says is there is not
)

// Error says what is unknown.
func (u *Unknown) Error() string {
	if u.err != nil {
		return u.Reason + ": " + u.err.Error()
	}
	return u.Reason
}

// Unwrap gives the cause.
func (u *Unknown) Unwrap() error { return u.err }

func unknown(reason, format string, args ...any) *Unknown {
	return &Unknown{reason, fmt.Errorf(format, args...)}
}

// Answer is a finished reply, {"data":…}.
type Answer struct {
	Cost   int // what it shows, in points: what plan.Actual counts of the same bytes
	engine *Engine
	buf    []byte
}

// Bytes is the reply. It is good until Release.
func (a *Answer) Bytes() []byte { return a.buf }

// Release gives the memory back. One that grew large goes to the collector.
func (a *Answer) Release() {
	if cap(a.buf) <= keep {
		a.engine.answers.Put(a)
	}
}

// keep is the largest buffer that is used again.
const keep = 1 << 20

// Run answers an operation. An *Unknown sends it to the other engine; any other error is the operation's end.
func (e *Engine) Run(ctx context.Context, from Ledger, p *Program, variables map[string]any) (*Answer, error) {
	select {
	case e.admitted <- struct{}{}:
	case <-ctx.Done():
		return nil, &Unknown{Failed, ctx.Err()}
	}
	defer func() { <-e.admitted }()
	r := e.runs.Get().(*run)
	r.begin(ctx, e, from, p, variables)
	a := e.answers.Get().(*Answer)
	a.engine = e
	var err error
	a.buf, err = r.answer(a.buf[:0])
	a.Cost = r.cost
	if r.end() {
		e.runs.Put(r)
	}
	if err != nil {
		a.Release()
		var known *Unknown
		var limit *fault.Fault
		if errors.As(err, &known) || errors.As(err, &limit) && limit.Code == fault.CostLimitExceeded {
			return nil, err
		}
		return nil, &Unknown{Failed, err}
	}
	return a, nil
}

// Compile makes the program of a planned query for what its variables select, and for the arguments of its leaves.
func (e *Engine) Compile(p *plan.Plan, variables map[string]any) (*Program, error) {
	c := &compiler{engine: e, variables: variables, shared: map[string]node{}, reads: map[string][]borrower{}}
	out := &Program{}
	out.lit("{\"data\":{")
	for i, f := range p.Fields(variables) {
		if i > 0 {
			out.lit(",")
		}
		out.price.add(f)
		out.lit("\"" + f.Key + "\":")
		if f.Name() == "__typename" {
			out.lit("\"" + p.Object.Name + "\"")
			continue
		}
		root := e.roots[f.Name()]
		if root == nil {
			return nil, unknown(NoEncoder, "%s.%s", p.Object.Name, f.Name())
		}
		r, err := root.compile(c, f)
		if err != nil {
			return nil, err
		}
		out.steps = append(out.steps, step{show: r})
	}
	out.lit("}}")
	c.lend()
	c.join()
	out.levels = c.levels()
	for i, level := range out.levels {
		if slices.ContainsFunc(level, node.reads) {
			out.last = i
		}
	}
	out.nodes = c.nodes
	return out, nil
}
