package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"carbongraph/graph/graphtest"
	"carbongraph/graph/plan"
	"carbongraph/store"
)

const everyNode = "Activity ApiKey Batch CalculationRun Category Emission EmissionFactor FactorDataset FactorMapping Organization Supplier"

func TestPolicy(t *testing.T) {
	schema := ledger(t)
	for name, tc := range map[string]struct {
		document string
		types    string
		maxAge   int
		private  bool
	}{
		"what everybody has":                            {"{ categories { name } emissionFactors { nodes { name } } }", "Category EmissionFactor FactorDataset", 3600, false},
		"one private row makes it private":              {"{ categories { name emissions { nodes { id } } } }", "Category Emission", 1800, true},
		"a list hangs on rows it does not show":         {"{ suppliers { totalCount } }", "Supplier", 1800, true},
		"and one of which the page alone is told":       {"{ activities { pageInfo { hasNextPage } } }", "Activity", 1800, true},
		"a suggestion hangs on factors it may not show": {`{ factorSuggestions(description: "x") { confidence } }`, "EmissionFactor FactorDataset", 0, true},
		"an estimate hangs on choices and factors":      {`{ estimates(inputs: []) { ... on Estimate { co2e } } }`, "EmissionFactor FactorDataset Organization", 1800, true},
		"and so does why there is none":                 {`{ estimates(inputs: []) { ... on UserError { code } } }`, "EmissionFactor FactorDataset Organization", 1800, true},
		"or which of them it is":                        {`{ estimates(inputs: []) { __typename } }`, "EmissionFactor FactorDataset Organization", 1800, true},
		"sums hang on what is summed":                   {"{ suppliers { nodes { footprint { co2e } } } }", "Emission Supplier", 1800, true},
		"groups too":                                    {"{ footprint(groupBy: [SUPPLIER]) { nodes { share supplier { name } } } }", "Emission Supplier", 1800, true},
		"what a variable leaves out counts":             {"query($no: Boolean!) { suppliers { nodes { activities @include(if: $no) { nodes { id } } } } }", "Activity Supplier", 1800, true},
		"what a literal leaves out does not":            {"{ suppliers { nodes { name activities @skip(if: true) { nodes { id } } } } }", "Supplier", 1800, true},
		"in fragments and under aliases":                {"{ s: suppliers { edges { node { ...F } } } } fragment F on Supplier { e: emissions { nodes { r: run { id } } } }", "CalculationRun Emission Supplier", 1800, true},
		"a node may be of any type":                     {`{ node(id: "x") { id } }`, everyNode, 0, true},
		"also where one is asked for":                   {`{ nodes(ids: ["x"]) { ... on Category { name } } }`, everyNode, 0, true},
		"who asks":                                      {"{ viewer { keyName } }", "", 0, true},
		"who asks, beside what is kept":                 {"{ categories { name } viewer { organization { name } } }", "Category Organization", 0, true},
		"introspection":                                 {"{ categories { name } __schema { queryType { name } } }", "Category", 0, false},
		"a mutation":                                    {"mutation { upsertSuppliers(input: {suppliers: []}) { results { supplier { name } } } }", "Supplier", 0, true},
		"what nothing is said of":                       {"{ __typename }", "", 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			got := plannedBy(t, schema, tc.document).Policy
			if types := strings.Join(got.Types, " "); types != tc.types || got.MaxAge != tc.maxAge || got.Private != tc.private || got.StaleWhileRevalidate != 0 {
				t.Errorf("%+v, want types %s, %d s, private %t", got, tc.types, tc.maxAge, tc.private)
			}
		})
	}
}

// An answer that may be kept is made of types that have versions: it can be known when they change.
func TestWhatIsKeptHasVersions(t *testing.T) {
	schema := ledger(t)
	g := graphtest.New(schema, 5)
	seen := map[string]bool{}
	for i := range 500 {
		d := g.Document(i, nil)
		p, _, ok := made(t, schema, d)
		if !ok || p.Policy.MaxAge == 0 {
			continue
		}
		for _, kind := range p.Policy.Types {
			seen[kind] = true
			if !store.Versioned(kind) {
				t.Errorf("%s has no version, and may be kept\n%s", kind, d)
			}
		}
	}
	if len(seen) < 10 {
		t.Errorf("saw %v alone", seen)
	}
}

// A hint on a field stands in place of its type's, and each of the three has its own least.
func TestHintsOfFields(t *testing.T) {
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: `
		directive @cacheControl(maxAge: Int, staleWhileRevalidate: Int, scope: CacheScope) on FIELD_DEFINITION | OBJECT
		enum CacheScope { PUBLIC PRIVATE }
		type Query { a: A b: A @cacheControl(maxAge: 10, staleWhileRevalidate: 90) c: Int @cacheControl(maxAge: 20, staleWhileRevalidate: 5) d: Int @cacheControl(scope: PRIVATE) e: Int }
		type A @cacheControl(maxAge: 60, staleWhileRevalidate: 30) { x: Int }`})
	for document, want := range map[string]plan.Policy{
		"{ a { x } }":     {MaxAge: 60, StaleWhileRevalidate: 30},
		"{ a { x } e }":   {MaxAge: 60, StaleWhileRevalidate: 30},
		"{ b { x } }":     {MaxAge: 10, StaleWhileRevalidate: 90},
		"{ b { x } c }":   {MaxAge: 10, StaleWhileRevalidate: 5},
		"{ a { x } d }":   {Private: true},
		"{ e }":           {},
		"{ c a { x } }":   {MaxAge: 20, StaleWhileRevalidate: 5},
		"{ x: a { y:x} }": {MaxAge: 60, StaleWhileRevalidate: 30},
	} {
		got := plannedBy(t, schema, document).Policy
		if got.MaxAge != want.MaxAge || got.StaleWhileRevalidate != want.StaleWhileRevalidate || got.Private != want.Private || !slices.Equal(got.Types, want.Types) {
			t.Errorf("%s: %+v, want %+v", document, got, want)
		}
	}
}
