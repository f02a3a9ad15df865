package graph_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/lexer"

	"carbongraph/cachex"
	"carbongraph/graph"
	"carbongraph/graph/generated"
	"carbongraph/graph/model"
	"carbongraph/graph/plan"
	"carbongraph/internal/auth"
	"carbongraph/internal/fault"
	"carbongraph/internal/telemetry"
	"carbongraph/store"
)

// root resolves as few fields as the tests ask for; any other is a nil resolver, and so a panic.
type root struct {
	generated.ResolverRoot
	query
	mutation
	subscription
}

func (r *root) Query() generated.QueryResolver       { return &r.query }
func (r *root) Mutation() generated.MutationResolver { return &r.mutation }

func (r *root) Subscription() generated.SubscriptionResolver { return &r.subscription }

type query struct{ generated.QueryResolver }

func (query) Categories(context.Context) ([]*store.Category, error) {
	return []*store.Category{{Number: 1, Name: "Purchased goods and services", Direction: store.Upstream}}, nil
}

func (query) Node(ctx context.Context, id store.GlobalID) (store.Node, error) {
	switch id.Row[15] {
	case 1:
		panic("a secret of ours")
	case 2:
		return nil, errors.New("a secret of ours")
	case 3:
		<-ctx.Done()
		return nil, ctx.Err()
	case 4:
		return nil, fault.Wrap(errors.New("a secret of ours"), fault.InvalidCursor, "Bad cursor.").At("after")
	}
	return nil, nil
}

type mutation struct {
	generated.MutationResolver
	ran atomic.Int64
}

func (m *mutation) RevokeAPIKey(context.Context, store.GlobalID) (*model.DeletePayload, error) {
	m.ran.Add(1)
	return &model.DeletePayload{}, nil
}

func (m *mutation) UpsertSuppliers(context.Context, model.UpsertSuppliersInput) (*model.UpsertSuppliersPayload, error) {
	m.ran.Add(1)
	return &model.UpsertSuppliersPayload{}, nil
}

type bench struct {
	http.Handler
	graph   *graph.Handler
	root    *root
	log     *safeBuffer
	revoked atomic.Bool
	panics  atomic.Bool // whatever is begun
	begun   atomic.Int64
	plans   sync.Map // of the runs
	viewer  *auth.Viewer
}

// contract are the limits of the contract.
var contract = graph.Limits{Body: 2 << 20, List: 10, Tokens: 5000, Nesting: 15, Aliases: 30, RootFields: 20, Directives: 5, Repeats: 200, Cost: 10_000}

func newBench(t testing.TB) *bench {
	t.Helper()
	return newBenchWithin(t, contract)
}

func newBenchWithin(t testing.TB, limits graph.Limits) *bench {
	t.Helper()
	return newBenchOf(t, graph.Options{Limits: limits, Timeout: 200 * time.Millisecond})
}

// newBenchOf makes a bench of what is not its own.
func newBenchOf(t testing.TB, o graph.Options) *bench {
	t.Helper()
	b := &bench{root: &root{}, log: &safeBuffer{}, viewer: &auth.Viewer{Org: store.ID{1}, Role: store.Editor}}
	log := telemetry.NewLog(b.log, slog.LevelInfo, false)
	o.Schema = generated.NewExecutableSchema(generated.Config{Resolvers: b.root, Directives: generated.DirectiveRoot{Requires: graph.Requires}})
	o.Begin = func(ctx context.Context, p *plan.Plan, _ map[string]any) context.Context {
		b.begun.Add(1)
		if b.panics.Load() {
			panic("a secret of ours")
		}
		b.plans.Store(p, true)
		return ctx
	}
	o.Scalars = map[string]graph.ScalarCheck{"CountryCode": func(v any) error {
		if s, ok := v.(string); !ok || len(s) != 2 {
			return fault.New(fault.BadUserInput, "write two letters.")
		}
		return nil
	}}
	o.Log, o.Metrics = log, telemetry.New().GraphQL
	o.Viewer = b.who
	if o.Documents == nil {
		o.Documents = cachex.New(graph.DocumentOptions(nil))
		t.Cleanup(o.Documents.Close)
	}
	h := graph.New(o)
	b.graph = h
	b.Handler = telemetry.Observe(nil, log, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !graph.Upgrades(r) { // those say later who they are
			r = r.WithContext(auth.With(r.Context(), b.viewer))
		}
		h.ServeHTTP(w, r)
	}))
	return b
}

// unplannable is a document within every limit that selects unreasonably much: each fragment stands under two conditions of its own.
func unplannable() string {
	var head, fragments strings.Builder
	for i := range 20 {
		fmt.Fprintf(&head, "$x%d:Boolean=true ", i)
		fmt.Fprintf(&fragments, " fragment F%d on Category{...F%d @skip(if:$x%d) ...F%d @include(if:$x%d)}", i, i+1, i, i+1, i)
	}
	return "query(" + head.String() + "){categories{...F0}}" + fragments.String() + " fragment F20 on Category{number}"
}

type reply struct {
	status int
	header http.Header
	text   string
	Data   json.RawMessage
	Errors []struct {
		Message    string
		Path       []any
		Locations  []struct{ Line, Column int }
		Extensions struct {
			Code      string
			InputPath []string
			RequestID string
		}
	}
}

func (r *reply) code() string {
	if len(r.Errors) == 0 {
		return ""
	}
	return r.Errors[0].Extensions.Code
}

func (b *bench) send(t testing.TB, r *http.Request) *reply {
	t.Helper()
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	out := &reply{status: w.Code, header: w.Header(), text: w.Body.String()}
	if err := json.Unmarshal(w.Body.Bytes(), out); err != nil {
		t.Fatalf("the reply is no JSON: %v: %.200s", err, out.text)
	}
	return out
}

func (b *bench) post(t testing.TB, body string, headers ...string) *reply {
	t.Helper()
	r := httptest.NewRequest("POST", "/graphql", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return b.send(t, r)
}

func (b *bench) ask(t testing.TB, query string, variables any) *reply {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	return b.post(t, string(body))
}

func id(n byte) string {
	return store.Global(store.KindSupplier, store.ID{15: n}).String()
}

func TestBodies(t *testing.T) {
	for name, tc := range map[string]struct {
		body, contentType string
		status            int
	}{
		"not JSON":                   {`{"query": secret`, "application/json", 400},
		"something after the object": {`{"query":"{categories{number}}"} secret`, "application/json", 400},
		"the query twice":            {`{"query":"{categories{number}}","query":"{secret}"}`, "application/json", 400},
		"a name twice, once escaped": {`{"variables":{},"query":"{categories{number}}","vari\u0061bles":{"a":"secret"}}`, "application/json", 400},
		"a name twice, further in":   {`{"query":"{categories{number}}","variables":{"a":[1,{"b":{"secret":1,"c":2,"secret":3}}]}}`, "application/json", 400},
		"one of many names twice":    {`{"query":"{categories{number}}","extensions":{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"c":1}}`, "application/json", 400},
		"a text":                     {`"secret"`, "application/json", 400},
		"nothing":                    {``, "application/json", 400},
		"no query":                   {`{"variables":{}}`, "application/json", 400},
		"a query that is a number":   {`{"query":12345}`, "application/json", 400},
		"a query that is null":       {`{"query":null}`, "application/json", 400},
		"variables that are a list":  {`{"query":"{categories{number}}","variables":["secret"]}`, "application/json", 400},
		"a name that is an object":   {`{"query":"{categories{number}}","operationName":{}}`, "application/json", 400},
		"extensions that are text":   {`{"query":"{categories{number}}","extensions":"secret"}`, "application/json", 400},
		"no media type":              {`{"query":"{categories{number}}"}`, "", 415},
		"a form":                     {`query={categories{number}}`, "application/x-www-form-urlencoded", 415},
		"another charset":            {`{"query":"{categories{number}}"}`, "application/json; charset=latin1", 415},
		"more than 2 MB":             {`{"query":"` + strings.Repeat(" ", 3<<20) + `"}`, "application/json", 413},
		"nested out of all reason":   {`{"query":"{categories{number}}","variables":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`, "application/json", 400},
	} {
		t.Run(name, func(t *testing.T) {
			got := newBench(t).post(t, tc.body, "Content-Type", tc.contentType)
			code := "BAD_USER_INPUT"
			if tc.status == http.StatusRequestEntityTooLarge {
				code = "COST_LIMIT_EXCEEDED"
			}
			if got.status != tc.status || got.code() != code || got.Data != nil {
				t.Errorf("%d %s; want %d %s without data", got.status, got.text, tc.status, code)
			}
			if strings.Contains(got.text, "secret") || strings.Contains(got.text, "map[") || strings.Contains(got.text, "json:") {
				t.Errorf("the reply repeats the body or talks Go: %s", got.text)
			}
		})
	}
}

func TestMediaTypes(t *testing.T) {
	const good, bad = `{"query":"{categories{number}}","extra":1,"variables":null}`, `{"query":"{nope}"}`
	for name, tc := range map[string]struct {
		body, accept string
		status       int
		form         string
	}{
		"nothing asked":                    {good, "", 200, "application/json"},
		"anything":                         {good, "*/*", 200, "application/json"},
		"the new one":                      {good, "application/graphql-response+json", 200, "application/graphql-response+json"},
		"the new one first":                {good, "application/graphql-response+json, application/json;q=0.9", 200, "application/graphql-response+json"},
		"the old one first":                {good, "application/graphql-response+json;q=0.1, application/json", 200, "application/json"},
		"the new one, then anything":       {good, "application/graphql-response+json, */*", 200, "application/graphql-response+json"},
		"a refused document, old":          {bad, "application/json", 200, "application/json"},
		"a refused document, new":          {bad, "application/graphql-response+json", 400, "application/graphql-response+json"},
		"a form that is not served":        {good, "text/html", 406, "application/json"},
		"a form that is expressly refused": {good, "application/json;q=0", 406, "application/json"},
	} {
		t.Run(name, func(t *testing.T) {
			got := newBench(t).post(t, tc.body, "Accept", tc.accept)
			if got.header.Get("Content-Length") != strconv.Itoa(len(got.text)) {
				t.Errorf("Content-Length: %s for %d bytes", got.header.Get("Content-Length"), len(got.text))
			}
			if form, _, _ := strings.Cut(got.header.Get("Content-Type"), ";"); got.status != tc.status || form != tc.form {
				t.Errorf("%d %s; want %d %s", got.status, form, tc.status, tc.form)
			}
		})
	}
}

func TestGet(t *testing.T) {
	b := newBench(t)
	get := func(method string, q url.Values) *reply {
		return b.send(t, httptest.NewRequest(method, "/graphql?"+q.Encode(), nil))
	}
	if got := get("GET", url.Values{"query": {"query($i:ID!){node(id:$i){id}}"}, "variables": {`{"i":"` + id(9) + `"}`}}); got.status != 200 || string(got.Data) != `{"node":null}` {
		t.Errorf("a query: %d %s", got.status, got.text)
	}
	if got := get("GET", url.Values{"query": {`mutation{revokeApiKey(id:"` + id(1) + `"){deletedId}}`}}); got.status != 405 || got.header.Get("Allow") != "POST" || b.root.ran.Load() != 0 {
		t.Errorf("a mutation: %d %s, run %d times", got.status, got.text, b.root.ran.Load())
	}
	for name, q := range map[string]url.Values{"no query": {}, "bad variables": {"query": {"{categories{number}}"}, "variables": {"{"}},
		"two queries": {"query": {"{categories{number}}", "{categories{number}}"}}, "a variable twice": {"query": {"{categories{number}}"}, "variables": {`{"a":1,"a":2}`}}, "a list": {"query": {"{categories{number}}"}, "variables": {"[]"}}} {
		if got := get("GET", q); got.status != 400 || got.code() != "BAD_USER_INPUT" {
			t.Errorf("%s: %d %s", name, got.status, got.text)
		}
	}
	if got := get("PUT", nil); got.status != 405 || got.header.Get("Allow") == "" {
		t.Errorf("PUT: %d", got.status)
	}
}

func TestDocuments(t *testing.T) {
	deep := "{a:node(id:\"x\"){...on Supplier{" + strings.Repeat("emissions{nodes{supplier{", 5) + "id" + strings.Repeat("}}}", 5) + "}}}"
	bomb := "{categories{...f0}}" // each fragment spreads the next twice: 2^40 aliases if they were spread out
	for i := range 40 {
		n := string(rune('a'+i/26)) + string(rune('a'+i%26))
		m := string(rune('a'+(i+1)/26)) + string(rune('a'+(i+1)%26))
		bomb += " fragment " + n + " on Category{x" + n + ":number ..." + m + " ..." + m + "}"
	}
	bomb = strings.Replace(bomb, "f0", "aa", 1) + " fragment bo on Category{number}"
	distinct, spreads := "", ""
	for i := range 400 {
		distinct += fmt.Sprintf(" fragment f%d on Category{number name}", i)
		spreads += fmt.Sprintf(" ...f%d", i)
	}
	distinct = "{categories{" + spreads + "}}" + distinct
	for name, tc := range map[string]struct {
		query string
		code  string
		says  string
	}{
		"not GraphQL":                    {"{categories{", "GRAPHQL_PARSE_FAILED", ""},
		"a field that is not there":      {"{nope}", "GRAPHQL_VALIDATION_FAILED", "nope"},
		"only a fragment":                {"fragment f on Category{number}", "GRAPHQL_VALIDATION_FAILED", "no operation"},
		"two operations and no name":     {"query a{categories{number}} query b{categories{number}}", "BAD_USER_INPUT", "operationName"},
		"too many tokens":                {"{categories{" + strings.Repeat("number ", 6000) + "}}", "COST_LIMIT_EXCEEDED", ""},
		"too deep":                       {deep, "COST_LIMIT_EXCEEDED", "levels deep"},
		"too many aliases":               {"{categories{" + strings.Repeat("x:number ", 31) + "}}", "COST_LIMIT_EXCEEDED", "31 aliases"},
		"aliases multiplied by spreads":  {bomb, "COST_LIMIT_EXCEEDED", "very many aliases"},
		"too many root fields":           {"{...f ...f ...f} fragment f on Query{" + strings.Repeat("categories{number} ", 7) + "}", "COST_LIMIT_EXCEEDED", "21 root fields"},
		"a field beside itself":          {"{categories{" + strings.Repeat("number ", 202) + "}}", "COST_LIMIT_EXCEEDED", "repeats 201 fields"},
		"too many directives":            {"{categories{number" + strings.Repeat(" @include(if:true)", 6) + "}}", "COST_LIMIT_EXCEEDED", "6 directives"},
		"a fragment that spreads itself": {"{categories{...f}} fragment f on Category{number ...f}", "GRAPHQL_VALIDATION_FAILED", ""},
		"a subscription":                 {"subscription{x}", "GRAPHQL_VALIDATION_FAILED", ""},
		"introspection by an EDITOR":     {"{__schema{queryType{name}}}", "FORBIDDEN", "/schema.graphql"},
		"introspection in a fragment":    {"{...f} fragment f on Query{__type(name:\"Query\"){name}}", "FORBIDDEN", ""},
		"__typename":                     {"{__typename}", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			got := newBench(t).ask(t, tc.query, nil)
			if got.code() != tc.code || tc.code != "" && (!strings.Contains(got.Errors[0].Message, tc.says) || got.Data != nil) {
				t.Errorf("%s; want %s with %q", got.text, tc.code, tc.says)
			}
			if tc.code == "COST_LIMIT_EXCEEDED" && got.status != http.StatusBadRequest {
				t.Errorf("status %d; want 400 in every form", got.status)
			}
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
	t.Run("the name picks the operation", func(t *testing.T) {
		b := newBench(t)
		body := `{"query":"query a{categories{number}} query b{node(id:\"` + id(9) + `\"){id}}","operationName":"b"}`
		if got := b.post(t, body); string(got.Data) != `{"node":null}` {
			t.Error(got.text)
		}
		if got := b.post(t, strings.Replace(body, `"b"}`, `"c"}`, 1)); got.code() != "BAD_USER_INPUT" {
			t.Error(got.text)
		}
	})
	t.Run("an ADMIN may introspect as the usual tools do", func(t *testing.T) {
		b := newBench(t)
		b.viewer.Role = store.Admin
		if got := b.ask(t, introspection, nil); len(got.Errors) > 0 || !strings.Contains(got.text, "importActivities") {
			t.Errorf("%.300s", got.text)
		}
	})
	t.Run("what cannot be planned is refused", func(t *testing.T) {
		if got := newBench(t).ask(t, unplannable(), nil); got.code() != "BAD_USER_INPUT" || got.Data != nil {
			t.Error(got.text)
		}
	})
	t.Run("what may read too many rows is refused", func(t *testing.T) {
		b := newBench(t)
		const query = `query($n:Int!){suppliers(first:$n){nodes{emissions(first:100){nodes{id}}}}}`
		got := b.ask(t, query, map[string]any{"n": 500})
		if got.code() != "COST_LIMIT_EXCEEDED" || got.status != http.StatusBadRequest || got.Data != nil || b.begun.Load() != 0 {
			t.Errorf("%d, begun %d times: %s", got.status, b.begun.Load(), got.text)
		}
		if got := b.ask(t, query, map[string]any{"n": 5}); got.code() == "COST_LIMIT_EXCEEDED" || b.begun.Load() != 1 {
			t.Errorf("few rows: %s", got.text)
		}
	})
	t.Run("as many tokens as are allowed are allowed, and not one more", func(t *testing.T) {
		for name, document := range map[string]string{
			"fields":          "{categories{number name number}}",
			"comments":        "# one\n{categories{number #two\n name}}",
			"arguments":       `query($n:Int=1){suppliers(first:$n,filter:{countries:["GB"]}){totalCount}}`,
			"nothing at last": "{categories{number}} # the end",
			"fragments":       "{categories{...F @skip(if:true)}} fragment F on Category{number}",
		} {
			n := tokensOf(document)
			limits := contract
			limits.Repeats = 0
			if limits.Tokens = n; newBenchWithin(t, limits).ask(t, document, nil).code() == "COST_LIMIT_EXCEEDED" {
				t.Errorf("%s: %d tokens are too many of %d", name, n, n)
			}
			limits.Tokens = n - 1
			if got := newBenchWithin(t, limits).ask(t, document, nil); got.code() != "COST_LIMIT_EXCEEDED" || !strings.Contains(got.text, "more than") {
				t.Errorf("%s: %d tokens of %d: %s", name, n, n-1, got.text)
			}
			if got := newBenchWithin(t, limits).ask(t, document+"}", nil); got.code() != "COST_LIMIT_EXCEEDED" { // though it cannot be read either
				t.Errorf("%s: %s", name, got.text)
			}
		}
	})
	t.Run("null decides nothing", func(t *testing.T) {
		for _, query := range []string{"query($w:Boolean=true){categories{number @include(if:$w)}}", "query($w:Boolean=true){categories @skip(if:$w){number}}"} {
			if got := newBench(t).ask(t, query, map[string]any{"w": nil}); got.code() != "BAD_USER_INPUT" || got.Data != nil {
				t.Errorf("%s: %s", query, got.text)
			}
		}
	})
	t.Run("hostile documents are answered soon", func(t *testing.T) {
		for name, query := range map[string]string{
			"one field over and over":      "{categories{" + strings.Repeat("number ", 4900) + "}}",
			"fragments that double":        strings.ReplaceAll(bomb, ":number", ""),
			"many fragments side by side":  "{categories{" + strings.Repeat("...f ", 1500) + "}} fragment f on Category{number}",
			"objects over and over":        "{suppliers{" + strings.Repeat("nodes{id name} ", 900) + "}}",
			"repeats below repeats":        "{suppliers{" + strings.Repeat("nodes{"+strings.Repeat("id ", 15)+"} ", 15) + strings.Repeat("edges{node{id}} ", 500) + "}}",
			"inline fragments":             "{categories{" + strings.Repeat("...{number} ", 1200) + "}}",
			"many fragments, all the same": distinct,
			"brackets":                     strings.Repeat("{a", 2400),
			"lists in a value":             "{node(id:" + strings.Repeat("[", 4900) + ")}",
		} {
			began := time.Now()
			newBench(t).ask(t, query, nil)
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("%s: %s", name, took)
			}
		}
	})
	t.Run("the plan is made once for a document", func(t *testing.T) {
		b := newBench(t)
		for range 3 {
			b.ask(t, "{categories{number}}", nil)
		}
		plans := 0
		b.plans.Range(func(any, any) bool { plans++; return true })
		if plans != 1 || b.begun.Load() != 3 {
			t.Errorf("%d plans, %d runs", plans, b.begun.Load())
		}
	})
}

func TestVariables(t *testing.T) {
	const suppliers = `query($first:Int,$filter:SupplierFilter,$orderBy:SupplierOrder){suppliers(first:$first,filter:$filter,orderBy:$orderBy){nodes{id}}}`
	for name, tc := range map[string]struct {
		query     string
		variables string
		says      string
		path      string
	}{
		"text where a number stands":    {suppliers, `{"first":"10"}`, `$first is an Int, a whole number of 32 bits; got "10"`, "first"},
		"a fraction":                    {suppliers, `{"first":1.5}`, "$first is an Int", "first"},
		"more than 32 bits":             {suppliers, `{"first":3000000000}`, "$first is an Int", "first"},
		"an exponent beyond reason":     {suppliers, `{"first":1e999}`, "$first is an Int", "first"},
		"a field that is not there":     {suppliers, `{"filter":{"serach":"x"}}`, `no field "serach"`, "filter"},
		"a list where an object stands": {suppliers, `{"filter":[1]}`, "$filter is a SupplierFilter, an object; got a list", "filter"},
		"an enum in small letters":      {suppliers, `{"orderBy":{"field":"name","direction":"ASC"}}`, "$orderBy.field is a SupplierOrderField", "orderBy field"},
		"a number in a list of texts":   {suppliers, `{"filter":{"externalIds":["a",1]}}`, "$filter.externalIds[1] is a String; got 1", "filter externalIds 1"},
		"a scalar of ours":              {suppliers, `{"filter":{"countries":["GB","Norway"]}}`, "$filter.countries[1] is a CountryCode: write two letters.", "filter countries 1"},
		"a null in a list":              {suppliers, `{"filter":{"countries":[null]}}`, "must not be null", "filter countries 0"},
		"one that is missing":           {`query($i:ID!){node(id:$i){id}}`, `{}`, "$i is a ID! and must be given", "i"},
		"a null where none may stand":   {`query($i:ID!){node(id:$i){id}}`, `{"i":null}`, "must not be null", "i"},
		"a null that decides":           {`query($s:Boolean=true){categories{number @include(if:$s) name}}`, `{"s":null}`, "$s decides in @skip or @include", "s"},
		"and one beside what decides":   {`query($s:Boolean=true){categories{number @skip(if:true) @include(if:$s) name}}`, `{"s":null}`, "$s decides in @skip or @include", "s"},
		"an object where an id stands":  {`query($i:ID!){node(id:$i){id}}`, `{"i":{"secret":1}}`, "$i is an ID; got an object", "i"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			got := b.ask(t, tc.query, json.RawMessage(tc.variables))
			if got.code() != "BAD_USER_INPUT" || !strings.Contains(got.Errors[0].Message, tc.says) || strings.Join(got.Errors[0].Extensions.InputPath, " ") != tc.path || got.Data != nil {
				t.Errorf("%s; want %q at %q", got.text, tc.says, tc.path)
			}
			if b.begun.Load() != 0 {
				t.Error("something was run")
			}
		})
	}
	t.Run("a malformed id in the document is the client's fault, and says so at its field", func(t *testing.T) {
		got := newBench(t).ask(t, `{a:node(id:"nope"){id} categories{number}}`, nil)
		if got.code() != "BAD_USER_INPUT" || len(got.Errors[0].Path) == 0 || got.Errors[0].Path[0] != "a" || !strings.Contains(string(got.Data), "categories") {
			t.Error(got.text)
		}
	})
	t.Run("a number in the document past 32 bits is the client's fault", func(t *testing.T) {
		got := newBench(t).ask(t, `{suppliers(first:3000000000){nodes{id}}}`, nil)
		if got.code() != "BAD_USER_INPUT" || strings.Contains(got.text, "int32") {
			t.Error(got.text)
		}
	})
}

func TestErrorsOfResolvers(t *testing.T) {
	for name, tc := range map[string]struct {
		id   byte
		code string
	}{
		"a panic":                     {1, "INTERNAL"},
		"an error of the inside":      {2, "INTERNAL"},
		"a fault":                     {4, "INVALID_CURSOR"},
		"time that runs out":          {3, "TIMEOUT"},
		"nothing wrong, nothing sent": {9, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			got := b.ask(t, `query Q($i:ID!){node(id:$i){id}}`, map[string]any{"i": id(tc.id)})
			if got.code() != tc.code || strings.Contains(got.text, "secret") {
				t.Fatalf("%s; want %s", got.text, tc.code)
			}
			switch tc.code {
			case "INTERNAL":
				request := got.Errors[0].Extensions.RequestID
				if request == "" || request != got.header.Get("X-Request-Id") || !strings.Contains(b.log.String(), request) || !strings.Contains(b.log.String(), "a secret of ours") {
					t.Errorf("request %q is not in the log, or its cause is not: %s", request, b.log)
				}
			case "INVALID_CURSOR":
				if strings.Join(got.Errors[0].Extensions.InputPath, ".") != "after" || got.Errors[0].Path[0] != "node" {
					t.Error(got.text)
				}
			case "TIMEOUT":
				if got.status != 504 || len(got.Errors) != 1 || got.Data != nil {
					t.Errorf("%d %s", got.status, got.text)
				}
			}
			if b.ask(t, "{categories{number}}", nil).status != 200 {
				t.Error("the next request fails")
			}
		})
	}
}

func TestRoles(t *testing.T) {
	const upsert = `upsertSuppliers(input:{suppliers:[]}){results{status}}`
	revoke := `revokeApiKey(id:"` + id(1) + `"){deletedId}`
	for name, tc := range map[string]struct {
		role  store.Role
		query string
		ran   int64
		code  string
	}{
		"an EDITOR writes suppliers":              {store.Editor, "mutation{" + upsert + "}", 1, ""},
		"an ANALYST does not":                     {store.Analyst, "mutation{" + upsert + "}", 0, "FORBIDDEN"},
		"an ADMIN does":                           {store.Admin, "mutation{" + upsert + " " + revoke + "}", 2, ""},
		"nothing is run when one field is denied": {store.Editor, "mutation{" + upsert + " " + revoke + "}", 0, "FORBIDDEN"},
		"nor when it hides in a fragment":         {store.Editor, "mutation{" + upsert + " ...f} fragment f on Mutation{" + revoke + "}", 0, "FORBIDDEN"},
		"a field that is left out is not denied":  {store.Editor, "mutation($no:Boolean=false){" + upsert + " ...f @include(if:$no)} fragment f on Mutation{" + revoke + "}", 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.viewer.Role = tc.role
			got := b.ask(t, tc.query, nil)
			if got.code() != tc.code || b.root.ran.Load() != tc.ran {
				t.Errorf("ran %d: %s; want %d, %s", b.root.ran.Load(), got.text, tc.ran, tc.code)
			}
		})
	}
	t.Run("each field of a mutation begins anew", func(t *testing.T) {
		b := newBench(t)
		b.ask(t, "mutation{a:"+upsert+" b:"+upsert+"}", nil)
		if got := b.begun.Load(); got != 3 { // the operation, and each of its fields
			t.Errorf("begun %d times", got)
		}
	})
}

func TestTheLogHasOneLineARequestAndNoValues(t *testing.T) {
	b := newBench(t)
	b.ask(t, "query "+strings.Repeat("Long", 50)+"($i:ID!){node(id:$i){id}}", map[string]any{"i": id(9), "other": "a-value"})
	lines := strings.Split(strings.TrimSpace(b.log.String()), "\n")
	if len(lines) != 1 || strings.Contains(lines[0], "a-value") || strings.Contains(lines[0], id(9)) || len(lines[0]) > 600 {
		t.Fatalf("the log: %s", b.log)
	}
	var line map[string]any
	if err := json.Unmarshal([]byte(lines[0]), &line); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"method", "route", "status", "ms", "bytes", "statements", "requestId", "operation", "kind", "org"} {
		if _, ok := line[key]; !ok {
			t.Errorf("the line has no %s: %s", key, lines[0])
		}
	}
}

// introspection is what GraphiQL and code generators send.
const introspection = `query IntrospectionQuery { __schema { description queryType { name } mutationType { name } subscriptionType { name }
  types { ...FullType } directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } } } }
fragment FullType on __Type { kind name description specifiedByURL isOneOf fields(includeDeprecated: true) { name description args(includeDeprecated: true) { ...InputValue }
  type { ...TypeRef } isDeprecated deprecationReason } inputFields(includeDeprecated: true) { ...InputValue } interfaces { ...TypeRef }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } }
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated deprecationReason }
fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
  ofType { kind name ofType { kind name } } } } } } } } } }`

// tokensOf counts the tokens of a document.
func tokensOf(document string) (n int) {
	for l := lexer.New(&ast.Source{Input: document}); ; n++ {
		if token, err := l.ReadToken(); err != nil || token.Kind == lexer.EOF {
			return n
		}
	}
}
