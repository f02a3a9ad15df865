package resolvers_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"carbongraph/graph/exec"
	"carbongraph/graph/graphtest"
	"carbongraph/graph/model"
	"carbongraph/graph/plan"
	"carbongraph/resolvers"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// Every answer of every test is held against the two laws: it costs no more than was known before, and the short way counts what the answer says. Here are
// answers to documents made at random.
func TestWhatAnAnswerCosts(t *testing.T) {
	storetest.Each(t, "is the same by both engines, and never more than was estimated", func(t *testing.T, st *store.Store) {
		ledger := storetest.Awkward(t, st, "Awkward")
		s := newServer(st, ledger.Tenant.ID(), resolvers.Options{})
		short := s.shortened()
		pool := graphtest.NewPool()
		for kind, ids := range ledger.IDs {
			pool.IDs(kind, ids...)
			pool.Strangers(kind, ledger.Strangers[kind]...)
		}
		g := graphtest.New(s.schema.Schema(), 7)
		documents := 1000
		if raced {
			documents = 100
		}
		went := 0
		for i := range documents {
			d := g.Document(i, pool)
			missed := len(short.whyNot.all)
			got := short.run(t, d.Text, d.OperationName, d.Variables)
			if len(short.whyNot.all) == missed && len(got.Errors) == 0 {
				went++
			}
			if i%4 == 0 {
				pool.Harvest(g, d, s.run(t, d.Text, d.OperationName, d.Variables).Data)
			}
			if t.Failed() {
				t.Fatal(d)
			}
		}
		if went < documents/3 { // some ask for what the short way does not know
			t.Errorf("%d of %d documents went the short way: too few to prove anything", went, documents)
		}
	})
}

// weighted is the schema with other weights: old and new texts in turn.
func weighted(t *testing.T, changes ...string) *ast.Schema {
	t.Helper()
	files, err := filepath.Glob("../graph/schema/*.graphqls")
	if err != nil || len(files) == 0 {
		t.Fatalf("schema: %v, %v", files, err)
	}
	all := ""
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all += string(text) + "\n"
	}
	for i := 0; i < len(changes); i += 2 {
		if !strings.Contains(all, changes[i]) {
			t.Fatalf("the schema has no %q", changes[i])
		}
	}
	return gqlparser.MustLoadSchema(&ast.Source{Input: strings.NewReplacer(changes...).Replace(all)})
}

// points runs a document the short way, and gives what was counted and what its bytes say.
func points(t *testing.T, s *server, schema *ast.Schema, document string, sent map[string]any) (short, bytes int, err error) {
	t.Helper()
	doc := gqlparser.MustLoadQueryWithRules(schema, document, rules.NewDefaultRules())
	variables, err := validator.VariableValues(schema, doc.Operations[0], sent)
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.New(schema, doc, doc.Operations[0])
	if err != nil {
		t.Fatal(err)
	}
	program, err := s.short.Compile(p, variables)
	if err != nil {
		return 0, 0, err
	}
	made, err := s.short.Run(t.Context(), exec.Ledger{Store: s.store, Tenant: s.store.Tenant(s.viewer.Org), Viewer: &model.Viewer{Role: s.viewer.Role}}, program, variables)
	if err != nil {
		t.Fatal(err)
	}
	defer made.Release()
	var a answer
	if err := json.Unmarshal(made.Bytes(), &a); err != nil {
		t.Fatal(err)
	}
	return made.Cost, p.Actual(a.Data, variables), nil
}

func TestTheShortWayCountsByWhateverTheSchemaSays(t *testing.T) {
	storetest.Each(t, "as the answer does", func(t *testing.T, st *store.Store) {
		s := newServer(st, wide(t, st).ID(), resolvers.Options{}).shortened()
		schema := weighted(t,
			`type PageInfo @cost(weight: "0") {`, `type PageInfo @cost(weight: "3") {`,
			`  hasNextPage: Boolean!`, `  hasNextPage: Boolean! @cost(weight: "5")`,
			`type SupplierEdge @cost(weight: "0") {`, `type SupplierEdge @cost(weight: "7") {`,
			`  filter: SupplierFilter`, `  filter: SupplierFilter @cost(weight: "11")`,
			`    filter: EmissionFilter`, `    filter: EmissionFilter @cost(weight: "13")`,
			`type FootprintTotals @cost(weight: "0")`, `type FootprintTotals @cost(weight: "17")`,
			`@listSize(assumedSize: 15)`, `@listSize(assumedSize: 4)`,
			`scalar Decimal`, `scalar Decimal @cost(weight: "19")`,
			`  nodes: [Emission!]!`, `  nodes: [Emission!]! @cost(weight: "31")`,
			`  cursor: String!`, `  cursor: String! @cost(weight: "23")`,
			`type Supplier implements Node`, `type Supplier implements Node @cost(weight: "29")`,
		)
		for name, document := range map[string]string{
			"page info and edges":        `{ suppliers(first: 3) { pageInfo { hasNextPage endCursor } edges { cursor node { name } } totalCount } }`,
			"an argument in a variable":  `query($f: EmissionFilter) { suppliers(first: 3) { nodes { emissions(first: 2, filter: $f) { nodes { co2e } totals { co2e spend } } footprint(filter: $f) { intensity } } } }`,
			"an argument of a root":      `query($s: SupplierFilter) { a: suppliers(filter: $s) { totalCount } b: suppliers(first: 2, filter: {}) { nodes { id } } }`,
			"a list that is longer":      `{ categories { name emissions(first: 2) { nodes { co2e } } } }`,
			"rows that lead to others":   `{ emissions(first: 20) { nodes { co2e supplier { name } activity { supplier { id } } } edges { cursor node { factor { value } } } } }`,
			"a page of which none shows": `query($n: Int) { suppliers(first: $n) { __typename nodes { emissions(first: $n) { totalCount } } } }`,
		} {
			for _, sent := range []map[string]any{{}, {"f": map[string]any{"categories": []any{1}}, "s": map[string]any{}, "n": 5}} {
				if short, bytes, err := points(t, s, schema, document, sent); err != nil || short != bytes || short == 0 {
					t.Errorf("%s, with %v: the short way counts %d points, the answer %d: %v", name, sent, short, bytes, err)
				}
			}
		}
		var why *exec.Unknown
		if _, _, err := points(t, s, weighted(t, `type GasAmount @cost(weight: "0")`, `type GasAmount`), `{ emissions { nodes { gases { gas } } } }`, nil); !errors.As(err, &why) || why.Reason != exec.NoEncoder {
			t.Errorf("a part of a row that weighs something: %v, want %s", err, exec.NoEncoder)
		}
	})
}
