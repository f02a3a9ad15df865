package plan_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"carbongraph/graph/plan"
	"carbongraph/store"
)

// ledger is the schema of the program: costs go by the names of its connections and their arguments.
func ledger(t *testing.T) *ast.Schema {
	t.Helper()
	files, err := filepath.Glob("../schema/*.graphqls")
	if err != nil || len(files) == 0 {
		t.Fatalf("schema: %v, %v", files, err)
	}
	var sources []*ast.Source
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, &ast.Source{Name: f, Input: string(text)})
	}
	return gqlparser.MustLoadSchema(sources...)
}

// plannedBy plans the one operation of a document.
func plannedBy(t *testing.T, schema *ast.Schema, text string) *plan.Plan {
	t.Helper()
	doc, errs := gqlparser.LoadQueryWithRules(schema, text, rules.NewDefaultRules())
	if errs != nil {
		t.Fatal(errs)
	}
	p, err := plan.New(schema, doc, doc.Operations[0])
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestCost(t *testing.T) {
	schema := ledger(t)
	for name, tc := range map[string]struct {
		document  string
		variables map[string]any
		want      int
	}{
		"a connection and its rows":             {"{ suppliers(first: 10) { nodes { name } } }", nil, 1 + 10},
		"rows are counted once":                 {"{ suppliers(first: 10) { nodes { name } edges { cursor node { id } } } }", nil, 1 + 10},
		"the page where none is asked for":      {"{ suppliers { nodes { name } } }", nil, 1 + store.DefaultPage},
		"the page from the end":                 {"{ suppliers(last: 7) { nodes { name } } }", nil, 1 + 7},
		"more than a page is refused later":     {"{ suppliers(first: 1000000) { nodes { name } } }", nil, 1 + store.MaxPage},
		"a size that is a variable":             {"query($n: Int) { suppliers(first: $n) { nodes { name } } }", map[string]any{"n": int64(3)}, 1 + 3},
		"children for each parent":              {"{ suppliers(first: 10) { nodes { emissions(first: 5) { nodes { co2e } } } } }", nil, 1 + 10 + 10 + 10*5},
		"what a row leads to":                   {"{ emissions(first: 10) { nodes { factor { name dataset { name } } supplier { name } } } }", nil, 1 + 10 + 10 + 10 + 10},
		"sums beside the page":                  {"{ emissions(first: 10) { totalCount totals { co2e } } }", nil, 1 + 10 + 1 + 1},
		"as many nodes as ids":                  {`query($ids: [ID!]!) { nodes(ids: $ids) { id } }`, map[string]any{"ids": []any{"a", "b", "c"}}, 3},
		"the dearest of the types it may be":    {`{ node(id: "x") { ... on Supplier { emissions(first: 5) { nodes { co2e } } } ... on Activity { emission { co2e } } } }`, nil, 1 + 1 + 5},
		"aliases each":                          {"{ a: suppliers(first: 10) { nodes { name } } b: suppliers(first: 20) { nodes { name } } }", nil, 1 + 10 + 1 + 20},
		"what is left out costs nothing":        {"query($all: Boolean!) { suppliers(first: 10) { nodes { emissions(first: 5) @include(if: $all) { nodes { co2e } } } } }", map[string]any{"all": false}, 1 + 10},
		"what is let in does":                   {"query($all: Boolean!) { suppliers(first: 10) { nodes { emissions(first: 5) @include(if: $all) { nodes { co2e } } } } }", map[string]any{"all": true}, 1 + 10 + 10 + 50},
		"scalars cost nothing":                  {"{ __typename }", nil, 0},
		"pages within pages stop being counted": {"{ suppliers(first: 500) { nodes { emissions(first: 500) { nodes { category { emissions(first: 500) { nodes { category { emissions(first: 500) { nodes { category { emissions(first: 500) { nodes { category { emissions(first: 500) { nodes { id } } } } } } } } } } } } } } } } }", nil, 1 << 40},
	} {
		t.Run(name, func(t *testing.T) {
			p := plannedBy(t, schema, tc.document)
			for range 2 { // the same each time
				if got := p.Cost(tc.variables); got != tc.want {
					t.Errorf("cost = %d, want %d", got, tc.want)
				}
			}
		})
	}
}
