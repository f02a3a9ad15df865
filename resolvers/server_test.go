package resolvers_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"go.uber.org/goleak"

	"carbongraph/graph/exec"
	"carbongraph/graph/generated"
	"carbongraph/graph/model"
	"carbongraph/graph/plan"
	"carbongraph/internal/auth"
	"carbongraph/internal/calc"
	"carbongraph/internal/estimate"
	"carbongraph/internal/factors"
	"carbongraph/internal/fault"
	"carbongraph/internal/telemetry"
	"carbongraph/resolvers"
	"carbongraph/resolvers/loaders"
	"carbongraph/store"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("database/sql.(*DB).connectionOpener"))
}

// clock stands still, and ids count, so that two runs give the same answers.
func clock() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func counted(o *store.Options) {
	var last atomic.Uint64
	o.Now = clock
	o.NewID = func() (id store.ID) {
		binary.BigEndian.PutUint64(id[8:], last.Add(1))
		id[0], id[6], id[8] = 1, 0x70, 0x80
		return id
	}
}

// server answers documents without HTTP.
type server struct {
	exec    *executor.Executor
	schema  graphql.ExecutableSchema
	store   *store.Store
	viewer  auth.Viewer
	planned bool
	short   *exec.Engine // nil: gqlgen's alone
	whyNot  *reasons     // why the short way was not gone
}

// reasons are gathered by many clients at once.
type reasons struct {
	mu  sync.Mutex
	all []error
}

func (r *reasons) add(why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, why)
}

// went fails where the short way was meant and not gone.
func (s *server) went(t *testing.T) {
	t.Helper()
	if s.short != nil {
		for _, why := range s.whyNot.all {
			t.Errorf("not the short way: %v", why)
		}
	}
}

// shortened gives the same server with the short way before gqlgen's engine.
func (s server) shortened() *server {
	s.short = exec.New(exec.Options{Relations: loaders.Relations(), Roots: loaders.Roots(), Joins: s.store.Joins()})
	s.whyNot = &reasons{}
	return &s
}

// engines gives the server by each engine.
func (s *server) engines() map[string]*server {
	return map[string]*server{"gqlgen": s, "short": s.shortened()}
}

// engine is made once: it is the same for all.
var engine = sync.OnceValue(func() *calc.Engine {
	e, err := factors.Engine()
	if err != nil {
		panic(err)
	}
	return e
})

func estimating(st *store.Store) *estimate.Estimator {
	return estimate.New(estimate.Options{Store: st, Catalog: factors.NewCatalog(st, 0), Engine: engine()})
}

func newServer(st *store.Store, org store.ID, o resolvers.Options) *server {
	o.Store, o.Now = st, clock
	if o.Estimator == nil {
		o.Estimator = estimating(st)
	}
	cfg := resolvers.Config(o)
	cfg.Directives.Requires = func(ctx context.Context, _ any, next graphql.Resolver, role store.Role) (any, error) {
		if !auth.From(ctx).Can(role) {
			return nil, fault.New(fault.Forbidden, "not you")
		}
		return next(ctx)
	}
	es := generated.NewExecutableSchema(cfg)
	exec := executor.New(es)
	exec.SetErrorPresenter(func(ctx context.Context, err error) *gqlerror.Error {
		out := graphql.DefaultErrorPresenter(ctx, err)
		if out.Unwrap() != nil {
			f := fault.Of(err)
			out.Message, out.Extensions = f.Message, map[string]any{"code": f.Code}
		}
		return out
	})
	return &server{exec: exec, schema: es, store: st, viewer: auth.Viewer{Org: org, Role: store.Admin, KeyName: "test"}, planned: true}
}

// as gives the same server for another viewer.
func (s server) as(role store.Role) *server {
	s.viewer.Role = role
	return &s
}

// answer is a reply and how many statements it took.
type answer struct {
	Data       json.RawMessage `json:"data"`
	Errors     gqlerror.List   `json:"errors,omitempty"`
	Statements int64           `json:"statements,omitempty"`
	// Short is how many statements the short way takes, where that is not as many.
	Short int64 `json:"shortStatements,omitempty"`
}

func (s *server) ask(t testing.TB, document string, variables map[string]any) answer {
	t.Helper()
	return s.run(t, document, "", variables)
}

// run asks one operation of a document.
func (s *server) run(t testing.TB, document, operation string, variables map[string]any) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r := new(telemetry.Request)
	ctx = auth.With(telemetry.WithRequest(ctx, r), &s.viewer)
	ctx = graphql.StartOperationTrace(ctx)
	opCtx, errs := s.exec.CreateOperationContext(ctx, &graphql.RawParams{Query: document, OperationName: operation, Variables: sent(t, variables)})
	if errs != nil {
		return answer{Errors: errs}
	}
	p, err := plan.New(s.schema.Schema(), opCtx.Doc, opCtx.Operation)
	if err != nil {
		t.Fatalf("plan: %v", err)
	}
	if s.short != nil && opCtx.Operation.Operation == "query" {
		if a, ok := s.shortly(ctx, t, p, opCtx); ok {
			a.Statements = r.Statements()
			return a
		}
	}
	begin := func(ctx context.Context) context.Context {
		o := loaders.Options{Store: s.store, Tenant: s.store.Tenant(s.viewer.Org), Variables: opCtx.Variables}
		if s.planned {
			o.Plan = p
		}
		return loaders.Begin(ctx, o)
	}
	opCtx.RootResolverMiddleware = func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
		if opCtx.Operation.Operation == "mutation" {
			ctx = begin(ctx)
		}
		return next(ctx)
	}
	handle, ctx := s.exec.DispatchOperation(begin(ctx), opCtx)
	res := handle(ctx)
	if res == nil {
		t.Errorf("no answer: %v", ctx.Err())
		return answer{}
	}
	within(t, p, res.Data, opCtx)
	return answer{Data: res.Data, Errors: res.Errors, Statements: r.Statements()}
}

// within gives what an answer cost, and fails where that is more than was known before.
func within(t testing.TB, p *plan.Plan, data json.RawMessage, opCtx *graphql.OperationContext) int {
	t.Helper()
	estimated, actual := p.Cost(opCtx.Variables), p.Actual(data, opCtx.Variables)
	if actual > estimated {
		t.Errorf("costs %d points, estimated were %d: %.3000s\n%v\n%.3000s", actual, estimated, opCtx.RawQuery, opCtx.Variables, data)
	}
	return actual
}

// shortly answers the short way, if that can be gone. What it counts is what the answer says.
func (s *server) shortly(ctx context.Context, t testing.TB, p *plan.Plan, opCtx *graphql.OperationContext) (answer, bool) {
	program, err := s.short.Compile(p, opCtx.Variables)
	if err == nil {
		var made *exec.Answer
		made, err = s.short.Run(ctx, exec.Ledger{Store: s.store, Tenant: s.store.Tenant(s.viewer.Org),
			Viewer: &model.Viewer{Org: s.viewer.Org, Role: s.viewer.Role, KeyName: s.viewer.KeyName}}, program, opCtx.Variables)
		if err == nil {
			defer made.Release()
			var a answer
			if err := json.Unmarshal(made.Bytes(), &a); err != nil {
				t.Fatalf("no JSON: %v: %s", err, made.Bytes())
			}
			if want := within(t, p, a.Data, opCtx); made.Cost != want {
				t.Errorf("the short way counts %d points, the answer %d: %.3000s\n%v\n%.3000s", made.Cost, want, opCtx.RawQuery, opCtx.Variables, a.Data)
			}
			return a, true
		}
	}
	var why *exec.Unknown
	if !errors.As(err, &why) {
		t.Fatalf("the short way: %v", err)
	}
	s.whyNot.add(why)
	return answer{}, false
}

// sent gives variables as they come over the wire, and to each request its own: the engine fills defaults into them.
func sent(t testing.TB, variables map[string]any) (out map[string]any) {
	text, err := json.Marshal(variables)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// cursors differ with each database's key.
var cursors = regexp.MustCompile(`"(cursor|startCursor|endCursor)":"[^"]+"`)

// golden compares an answer with its file. Both engines have one.
func golden(t *testing.T, name, engine string, got answer) {
	t.Helper()
	got.Data = cursors.ReplaceAll(got.Data, []byte(`"$1":"…"`))
	var roots map[string]any
	if _ = json.Unmarshal(got.Data, &roots); len(roots) > 1 {
		got.Statements = 0 // root fields run beside each other, and share a statement when it so happens
	}
	for _, e := range got.Errors {
		e.Locations = nil
	}
	file := filepath.Join("testdata", strings.ReplaceAll(name, " ", "-")+".golden.json")
	text, err := os.ReadFile(file)
	if err != nil && !*update {
		t.Fatal(err)
	}
	var want answer
	if len(text) > 0 {
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
	}
	if engine == "short" {
		if got.Short = got.Statements; got.Short == want.Statements {
			got.Short = 0
		}
		got.Statements = want.Statements
	} else {
		got.Short = want.Short
	}
	made, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var pretty bytes.Buffer
	_ = json.Indent(&pretty, made, "", "  ")
	pretty.WriteByte('\n')
	if *update {
		if err := os.WriteFile(file, pretty.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(pretty.Bytes(), text) {
		t.Errorf("answer differs from %s:\n%s", file, pretty.Bytes())
	}
}

// codes gives the codes of an answer's errors.
func codes(a answer) (out []fault.Code) {
	for _, e := range a.Errors {
		code, _ := e.Extensions["code"].(fault.Code)
		out = append(out, code)
	}
	return out
}
