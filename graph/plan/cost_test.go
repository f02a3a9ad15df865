package plan_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"carbongraph/graph/plan"
	"carbongraph/store"
)

// ledger is the schema of the program.
func ledger(t testing.TB) *ast.Schema {
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
func plannedBy(t testing.TB, schema *ast.Schema, text string) *plan.Plan {
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
		"rows that are shown twice":             {"{ suppliers(first: 10) { nodes { name } edges { cursor node { id } } } }", nil, 1 + 10 + 10},
		"a page is read where it is not shown":  {"{ suppliers(first: 10) { pageInfo { endCursor } } }", nil, 1 + 10},
		"a page of cursors":                     {"{ suppliers(first: 10) { edges { cursor } } }", nil, 1 + 10},
		"the larger of two sizes":               {"{ suppliers(first: 10, last: 20) { nodes { name } } }", nil, 1 + 20},
		"a size of null is none":                {"{ suppliers(first: null, last: 7) { nodes { name } } }", nil, 1 + 7},
		"a variable of null is none":            {"query($n: Int) { suppliers(first: $n) { nodes { name } } }", map[string]any{"n": nil}, 1 + store.DefaultPage},
		"a size that no integer holds":          {"query($n: Int) { suppliers(first: $n) { nodes { name } } }", map[string]any{"n": json.Number("99999999999")}, 1 + store.MaxPage},
		"a size beyond a page, in a variable":   {"query($n: Int) { suppliers(first: $n) { nodes { name } } }", map[string]any{"n": int64(1000)}, 1 + store.MaxPage},
		"fewer rows than none":                  {"{ suppliers(first: -3) { nodes { name } } }", nil, 1},
		"the page where none is asked for":      {"{ suppliers { nodes { name } } }", nil, 1 + store.DefaultPage},
		"the page from the end":                 {"{ suppliers(last: 7) { nodes { name } } }", nil, 1 + 7},
		"more than a page is refused later":     {"{ suppliers(first: 1000000) { nodes { name } } }", nil, 1 + store.MaxPage},
		"a size that is a variable":             {"query($n: Int) { suppliers(first: $n) { nodes { name } } }", map[string]any{"n": int64(3)}, 1 + 3},
		"children for each parent":              {"{ suppliers(first: 10) { nodes { emissions(first: 5) { nodes { co2e } } } } }", nil, 1 + 10 + 10 + 10*5},
		"what a row leads to":                   {"{ emissions(first: 10) { nodes { factor { name dataset { name } } supplier { name } } } }", nil, 1 + 10 + 10 + 10 + 10},
		"sums beside the page":                  {"{ emissions(first: 10) { totalCount totals { co2e } } }", nil, 1 + 10 + 1 + 10},
		"sums over the ledger":                  {"{ footprint(first: 10) { nodes { totals { co2e } category { name } supplier { name } } } }", nil, 10 + 1 + 10 + 10},
		"a sum for each row":                    {"{ suppliers(first: 10) { nodes { footprint { co2e } } } }", nil, 1 + 10 + 10*10},
		"parts of a row":                        {"{ activities(first: 10) { nodes { quantity { value } money { amount } category { name } calculationError { code } emission { gases { gas } provenance { step } } } } }", nil, 1 + 10 + 10},
		"the categories":                        {"{ categories { name emissions(first: 2) { nodes { id } } } }", nil, 1 + 15*(1+2)},
		"a list of an assumed length":           {"{ factorDatasets { name } }", nil, 10},
		"an id alone, for a list":               {`{ nodes(ids: "x") { id } }`, nil, 1},
		"an id alone, in a variable":            {`query($ids: [ID!]! = "x") { nodes(ids: $ids) { id } }`, map[string]any{"ids": "x"}, 1},
		"items to write":                        {`mutation($in: UpsertSuppliersInput!) { upsertSuppliers(input: $in) { created } }`, map[string]any{"in": map[string]any{"suppliers": make([]any, 10_000)}}, 10_000},
		"items to write, in the document":       {`mutation { upsertSuppliers(input: {suppliers: [{externalId: "a", name: "A"}, {externalId: "b", name: "B"}]}) { results { status error { code } } } }`, nil, 2},
		"items to write, in a part":             {`mutation($in: [SupplierInput!]!) { upsertSuppliers(input: {suppliers: $in}) { results { supplier { name emissions(first: 2) { nodes { id } } } } } }`, map[string]any{"in": make([]any, 3)}, 3 * (1 + 1 + 2)},
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

// weighty is a schema that uses what ours does not.
var weighty = gqlparser.MustLoadSchema(&ast.Source{Input: directives + `
	type Query {
		plain(a: Int @cost(weight: "5"), b: Filter, c: [Filter!] @cost(weight: "1"), d: Int): A
		dear: Heavy @cost(weight: "2")
		list(max: Int = 4): [A] @listSize(slicingArguments: ["max"], requireOneSlicingArgument: false, assumedSize: 9)
		in(where: Where = {size: {max: 6}}): [A] @listSize(slicingArguments: ["where.size.max"], requireOneSlicingArgument: false, assumedSize: 9)
		any: Any
		dark: Dark
	}
	type A @cost(weight: "3") { id: ID dark: Dark a: A }
	type B { id: ID many: [A] @listSize(assumedSize: 2) }
	type Heavy @cost(weight: "0") { a: A b: B }
	union Any = A | B
	scalar Dark @cost(weight: "7")
	input Filter { x: Int @cost(weight: "10") y: Int = 1 @cost(weight: "100") inner: Filter }
	input Where { size: Size = {} }
	input Size { max: Int = 8 }
`})

const directives = `
	directive @cost(weight: String!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR
	directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION
`

func TestWeights(t *testing.T) {
	for name, tc := range map[string]struct {
		document  string
		variables map[string]any
		want      int
	}{
		"of a type":                            {"{ plain { id } }", nil, 3},
		"of a type and its field":              {"{ dear { a { id } b { id } } }", nil, 2 + 3 + 1},
		"of a scalar":                          {"{ dark plain { dark } }", nil, 7 + 3 + 7},
		"of an argument":                       {"{ plain(a: 1) { id } }", nil, 5 + 3},
		"of an argument that is null":          {"{ plain(a: null) { id } }", nil, 3},
		"of an argument that weighs nothing":   {"{ plain(d: 1) { id } }", nil, 3},
		"of an argument that is not given":     {"query($a: Int) { plain(a: $a) { id } }", nil, 3},
		"of an argument in a variable":         {"query($a: Int) { plain(a: $a) { id } }", map[string]any{"a": 1}, 5 + 3},
		"of input fields, defaults too":        {"{ plain(b: {x: 1, inner: {x: 1, y: null}}) { id } }", nil, 10 + 100 + 10 + 3},
		"of input fields in a variable":        {"query($b: Filter) { plain(b: $b) { id } }", map[string]any{"b": map[string]any{"x": 1}}, 10 + 100 + 3},
		"of each item of a list":               {"query($y: Int) { plain(c: [{x: 1}, {y: $y}]) { id } }", map[string]any{"y": nil}, 1 + 10 + 100 + 3},
		"the dearest type counts":              {"{ any { ... on A { id } ... on B { id } } }", nil, 3},
		"with what is selected on it":          {"{ any { ... on A { id } ... on B { many { id } } } }", nil, 1 + 2*3},
		"a default says how many":              {"{ list { id } }", nil, 4 * 3},
		"null undoes the default":              {"{ list(max: null) { id } }", nil, 9 * 3},
		"a path into an input object":          {"{ in(where: {size: {max: 5}}) { id } }", nil, 5 * 3},
		"a path into a default":                {"{ in { id } }", nil, 6 * 3},
		"a path into a default on the way":     {"{ in(where: {}) { id } }", nil, 8 * 3},
		"a path into a variable":               {"query($w: Where) { in(where: $w) { id } }", map[string]any{"w": map[string]any{"size": map[string]any{"max": int64(2)}}}, 2 * 3},
		"a path past a variable":               {"query($w: Where) { in(where: $w) { id } }", map[string]any{"w": map[string]any{}}, 8 * 3},
		"a path into a variable in an object":  {"query($s: Size) { in(where: {size: $s}) { id } }", map[string]any{"s": map[string]any{"max": 1}}, 1 * 3},
		"a path into a variable that is null":  {"query($w: Where) { in(where: $w) { id } }", map[string]any{"w": nil}, 9 * 3},
		"a path to a variable that is no page": {"query($n: Int) { in(where: {size: {max: $n}}) { id } }", map[string]any{"n": 501}, 500 * 3},
	} {
		t.Run(name, func(t *testing.T) {
			if got := plannedBy(t, weighty, tc.document).Cost(tc.variables); got != tc.want {
				t.Errorf("cost = %d, want %d", got, tc.want)
			}
		})
	}
}

func TestTheSchemaSaysWhatEverythingCosts(t *testing.T) {
	if err := plan.CheckCosts(ledger(t)); err != nil {
		t.Error(err)
	}
	if err := plan.CheckCosts(weighty); err != nil {
		t.Error(err)
	}
}

func TestASchemaThatDoesNotSayWhatItCostsIsRefused(t *testing.T) {
	for name, tc := range map[string]struct{ schema, want string }{
		"a weight below nothing":             {`type Query { a: Int @cost(weight: "-1") }`, `Query.a: @cost weighs "-1"`},
		"a weight that is no number":         {`type Query { a: A } type A @cost(weight: "much") { id: ID }`, `A: @cost weighs "much"`},
		"a part of a point":                  {`type Query { a(b: Int @cost(weight: "0.5")): Int }`, `Query.a: argument b: @cost weighs "0.5"`},
		"a weight in an input":               {`type Query { a(b: I): Int } input I { c: Int @cost(weight: "") }`, `I.c: @cost weighs ""`},
		"a list of a length unknown":         {`type Query { a: [A] } type A { id: ID }`, "Query.a: nothing tells how long the list is"},
		"a part that leads somewhere":        {`type Query { a: [A] } type A @cost(weight: "0") { b: B } type B { id: ID }`, "Query.a: nothing tells how long the list is"},
		"a part with a weight in it":         {`type Query { a: [A] } type A @cost(weight: "0") { id: ID @cost(weight: "1") }`, "Query.a: nothing tells how long the list is"},
		"a connection without a size":        {`type Query { a: C } type C { nodes: [A] } type A { id: ID }`, "C.nodes: nothing tells how long the list is: Query.a has no @listSize"},
		"a connection that is half sized":    {`type Query { a(first: Int!): C @listSize(slicingArguments: ["first"], sizedFields: ["nodes"]) } type C { nodes: [A] edges: [A] } type A { id: ID }`, "C.edges: nothing tells how long the list is: Query.a"},
		"an argument that is not there":      {`type Query { a: [A] @listSize(slicingArguments: ["first"], assumedSize: 1) } type A { id: ID }`, "Query.a: @listSize slices by first"},
		"an argument that counts nothing":    {`type Query { a(first: String!): [A] @listSize(slicingArguments: ["first"]) } type A { id: ID }`, "Query.a: @listSize slices by first"},
		"a path that leads nowhere":          {`type Query { a(b: I!): [A] @listSize(slicingArguments: ["b.c.d"]) } type A { id: ID } input I { c: Int! }`, "Query.a: @listSize slices by b.c.d"},
		"a field that is not there":          {`type Query { a: C @listSize(assumedSize: 1, sizedFields: ["nodes"]) } type C { id: ID }`, "Query.a: @listSize sizes nodes"},
		"a field that is no list":            {`type Query { a: C @listSize(assumedSize: 1, sizedFields: ["node"]) } type C { node: C }`, "Query.a: @listSize sizes node"},
		"a size of what is no list":          {`type Query { a: A @listSize(assumedSize: 1) } type A { id: ID }`, "Query.a: @listSize must be on a list"},
		"a size of texts":                    {`type Query { a: [String] @listSize(assumedSize: 1) }`, "Query.a: @listSize must be on a list"},
		"no size at all":                     {`type Query { a(first: Int): [A] @listSize(slicingArguments: ["first"], requireOneSlicingArgument: false) } type A { id: ID }`, "Query.a: @listSize tells no size"},
		"a size below nothing":               {`type Query { a: [A] @listSize(assumedSize: -1) } type A { id: ID }`, "Query.a: @listSize assumes -1"},
		"an argument that nobody must give":  {`type Query { a(first: Int): [A] @listSize(slicingArguments: ["first"], assumedSize: 1) } type A { id: ID }`, "Query.a: @listSize requires one slicing argument"},
		"one of two that both must be given": {`type Query { a(b: Int!, c: Int!): [A] @listSize(slicingArguments: ["b", "c"]) } type A { id: ID }`, "Query.a: @listSize requires one slicing argument"},
	} {
		t.Run(name, func(t *testing.T) {
			err := plan.CheckCosts(gqlparser.MustLoadSchema(&ast.Source{Input: directives + tc.schema}))
			if err == nil || !strings.HasPrefix(err.Error(), tc.want) {
				t.Errorf("error = %v, want %s…", err, tc.want)
			}
		})
	}
}

const paging = `query($first: Int!, $after: String) { suppliers(first: $first, after: $after) { nodes { id name country emissions(first: 5, orderBy: { field: CO2E, direction: DESC }) {
	nodes { id co2e occurredOn method category { number name } factor { id name region unit } } } } } }`

func BenchmarkCost(b *testing.B) {
	schema := ledger(b)
	for name, bc := range map[string]struct {
		document  string
		variables map[string]any
	}{
		"variable": {paging, map[string]any{"first": int64(50), "after": "x"}},
		"fixed":    {`{ suppliers(first: 50) { nodes { id emissions(first: 5) { nodes { id } } } } }`, nil},
		"nested":   {`query($a: Int, $b: Int) { suppliers(first: $a) { nodes { id emissions(first: $b) { totalCount nodes { id factor { id dataset { id } } } } activities(first: $b) { nodes { id } } } } }`, map[string]any{"a": int64(5), "b": int64(5)}},
	} {
		b.Run(name, func(b *testing.B) {
			p := plannedBy(b, schema, bc.document)
			b.ReportAllocs()
			for b.Loop() {
				p.Cost(bc.variables)
			}
		})
	}
}
