package graph_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"carbongraph/graph"
	"carbongraph/graph/exec"
	"carbongraph/graph/generated"
	"carbongraph/graph/plan"
	"carbongraph/internal/auth"
	"carbongraph/internal/telemetry"
	"carbongraph/store"
)

func TestAnAnswerTellsWhatItCost(t *testing.T) {
	held := exec.New(exec.Options{Roots: []exec.Root{exec.List[store.Category]{Field: "categories", Held: func(exec.Ledger) []*store.Category { return store.Categories() }}}})
	for name, tc := range map[string]struct {
		document          string
		short             *exec.Engine
		estimated, actual int
	}{
		"a query":                         {document: "{categories{number}}", estimated: 1, actual: 1},
		"the short way":                   {document: "{categories{number}}", short: held, estimated: 1, actual: 1},
		"what the short way cannot":       {document: `{categories{number} node(id:"` + id(5) + `"){id}}`, short: held, estimated: 2, actual: 1},
		"a part of an answer":             {document: `{categories{number} node(id:"` + id(2) + `"){id}}`, estimated: 2, actual: 1},
		"no answer in time":               {document: `{node(id:"` + id(3) + `"){id}}`, estimated: 1},
		"no data":                         {document: `mutation{createApiKey(input:{name:"a",role:VIEWER}){secret}}`, estimated: 1},
		"what was written":                {document: `mutation{upsertSuppliers(input:{suppliers:[{externalId:"a",name:"A"},{externalId:"b",name:"B"}]}){created}}`, estimated: 2, actual: 2},
		"what is too dear":                {document: "{suppliers(first:500){nodes{emissions(first:500){nodes{id}}}}}", estimated: 1 + 500 + 500*501},
		"a document that is refused":      {document: "{nope}"},
		"the schema, of lists one object": {document: "{__schema{types{name}}}", estimated: 2, actual: 2},
	} {
		t.Run(name, func(t *testing.T) {
			root := &root{}
			h := graph.New(graph.Options{
				Schema: generated.NewExecutableSchema(generated.Config{Resolvers: root, Directives: generated.DirectiveRoot{Requires: graph.Requires}}), Short: tc.short,
				Ledger: func(context.Context) exec.Ledger { return exec.Ledger{} }, Introspection: true,
				Begin:  func(ctx context.Context, _ *plan.Plan, _ map[string]any) context.Context { return ctx },
				Limits: contract, Timeout: 200 * time.Millisecond, Metrics: telemetry.New().GraphQL,
			})
			w, r := httptest.NewRecorder(), httptest.NewRequest("POST", "/graphql", strings.NewReader(asJSON(t, map[string]string{"query": tc.document})))
			r.Header.Set("Content-Type", "application/json")
			h.ServeHTTP(w, r.WithContext(auth.With(telemetry.WithRequest(t.Context(), new(telemetry.Request)), &auth.Viewer{Org: store.ID{1}, Role: store.Admin})))
			if got, want := spelt(w.Header(), "GraphQL-Cost"), fmt.Sprintf("estimated=%d, actual=%d", tc.estimated, tc.actual); got != want {
				t.Errorf("%s; want %s", got, want)
			}
		})
	}
}
