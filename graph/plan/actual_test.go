package plan_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"carbongraph/graph/graphtest"
	"carbongraph/graph/plan"
)

func TestActual(t *testing.T) {
	schema := ledger(t)
	for name, tc := range map[string]struct {
		document, data string
		variables      map[string]any
		want           int
	}{
		"no data":                       {"{ suppliers { nodes { name } } }", "null", nil, 0},
		"nothing":                       {"{ suppliers { nodes { name } } }", "", nil, 0},
		"the rows that are shown":       {"{ suppliers(first: 10) { nodes { name } } }", `{"suppliers":{"nodes":[{"name":"a"},{"name":"b"}]}}`, nil, 1 + 2},
		"a page without rows":           {"{ suppliers(first: 10) { nodes { name } totalCount } }", `{"suppliers":{"nodes":[],"totalCount":0}}`, nil, 1 + 1},
		"rows that are shown twice":     {"{ suppliers { nodes { name } edges { node { id } } } }", `{"suppliers":{"nodes":[{"name":"a"}],"edges":[{"node":{"id":"x"}}]}}`, nil, 1 + 1 + 1},
		"rows of which cursors show":    {"{ suppliers { edges { cursor } } }", `{"suppliers":{"edges":[{"cursor":"x"},{"cursor":"y"}]}}`, nil, 1 + 2},
		"rows of which nothing shows":   {"query($n: Int) { suppliers(first: $n) { pageInfo { hasNextPage } } }", `{"suppliers":{"pageInfo":{"hasNextPage":false}}}`, map[string]any{"n": 7}, 1 + 7},
		"what a row leads to, or not":   {"{ activities { nodes { supplier { name } emission { co2e } } } }", `{"activities":{"nodes":[{"supplier":null,"emission":{"co2e":"1"}},{"supplier":{"name":"a"},"emission":null}]}}`, nil, 1 + 2 + 2},
		"parts of a row":                {"{ activities { nodes { money { amount } category { name } } } }", `{"activities":{"nodes":[{"money":{"amount":"1"},"category":{"name":"a"}}]}}`, nil, 1 + 1},
		"the weight of what is null":    {`{ supplier(id: "x") { footprint { co2e } } }`, `{"supplier":null}`, nil, 0},
		"sums, though a field failed":   {"{ footprint { nodes { share } totals { co2e } } viewer { role } }", `{"footprint":{"nodes":[{"share":"1"}],"totals":{"co2e":"1"}},"viewer":null}`, nil, 10 + 1 + 1 + 10},
		"what is skipped":               {"query($x: Boolean!) { suppliers(first: 1) { totalCount @skip(if: $x) nodes { name } } }", `{"suppliers":{"nodes":[{"name":"a"}]}}`, map[string]any{"x": true}, 1 + 1},
		"datasets beyond what is known": {"{ factorDatasets { name } }", `{"factorDatasets":[` + strings.Repeat(`{"name":"a"},`, 19) + `{"name":"a"}]}`, nil, 10},
		"items that were written":       {`mutation($in: [SupplierInput!]!) { upsertSuppliers(input: {suppliers: $in}) { created results { supplier { name } } } }`, `{"upsertSuppliers":{"created":1,"results":[{"supplier":null},{"supplier":{"name":"a"}}]}}`, map[string]any{"in": []any{1, 2}}, 2},
		"items of which nothing shows":  {`mutation($in: [SupplierInput!]!) { upsertSuppliers(input: {suppliers: $in}) { created } }`, `{"upsertSuppliers":{"created":1}}`, map[string]any{"in": []any{1, 2, 3}}, 3},
		"a text full of JSON":           {"{ suppliers { nodes { name id } } }", `{"suppliers":{"nodes":[{"name":"\"}],{[\\","id":"{\\\"}]"}]}}`, nil, 1 + 1},
		"a name twice":                  {"{ suppliers(first: 1) { nodes { name } } }", `{"suppliers":{"nodes":[{"name":"a"}],"nodes":[{"name":"a"}]}}`, nil, 1 + 1},
		"white space":                   {"{ suppliers { nodes { name } } }", "{ \"suppliers\" :\n{\t\"nodes\" : [ {\"name\" : \"a\" } , {\"name\":\"b\"} ] } }", nil, 1 + 2},
		"the type by its name":          {`{ node(id: "x") { __typename ... on Supplier { x: emissions(first: 5) { nodes { id } } } ... on Category { x: emissions(first: 9) { nodes { id } } } } }`, `{"node":{"__typename":"Category","x":{"nodes":[{"id":"a"}]}}}`, nil, 0 + 1 + 1},
		"the type by its fields":        {`{ node(id: "x") { ... on Supplier { name } ... on Category { name number } } }`, `{"node":{"name":"a","number":1}}`, nil, 0},
		"the dearest of what it may be": {`{ node(id: "x") { ... on Supplier { name } ... on Category { name } } }`, `{"node":{"name":"a"}}`, nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			p := plannedBy(t, schema, tc.document)
			if got := p.Actual([]byte(tc.data), tc.variables); got != tc.want {
				t.Errorf("actual = %d, want %d", got, tc.want)
			}
		})
	}
}

// made plans a document made at random; false where it is refused.
func made(t testing.TB, schema *ast.Schema, d *graphtest.Document) (p *plan.Plan, variables map[string]any, ok bool) {
	t.Helper()
	doc, err := parser.ParseQuery(&ast.Source{Input: d.Text})
	if err != nil {
		t.Fatal(err)
	}
	if errs := validator.ValidateWithRules(schema, doc, rules.NewDefaultRules()); errs != nil {
		t.Fatal(errs)
	}
	op := doc.Operations[0]
	if d.OperationName != "" {
		op = doc.Operations.ForName(d.OperationName)
	}
	if op == nil {
		return nil, nil, false
	}
	variables, err = validator.VariableValues(schema, op, d.Variables)
	if err != nil {
		return nil, nil, false
	}
	if p, err = plan.New(schema, doc, op); err != nil {
		t.Fatal(err)
	}
	return p, variables, true
}

// filler writes answers to a plan: full ones, or with less at random.
type filler struct {
	variables map[string]any
	random    *rand.Rand // nil: nothing is missing
}

func (w *filler) less() bool { return w.random != nil && w.random.IntN(6) == 0 }

func (w *filler) object(fields []*plan.Field, object string, page int) string {
	var out []string
	for _, f := range fields {
		value := `"a \"text\" \\"`
		switch {
		case f.Name() == "__typename":
			value = `"` + object + `"`
		case len(types(f)) > 0 && w.less():
			value = "null"
		case len(types(f)) > 0:
			value = w.value(f, page)
		}
		out = append(out, `"`+f.Key+`":`+value)
	}
	return "{" + strings.Join(out, ",") + "}"
}

func (w *filler) value(f *plan.Field, page int) string {
	below := f.Size(w.variables)
	if f.Definition.Type.Elem == nil {
		return w.item(f, below)
	}
	n := below
	if f.Sized() {
		n = page
	}
	if w.random != nil {
		n = w.random.IntN(n + 2) // more than may be, too
	}
	items := make([]string, n)
	for i := range items {
		if items[i] = "null"; !w.less() {
			items[i] = w.item(f, below)
		}
	}
	return "[" + strings.Join(items, ",") + "]"
}

// item writes a value of the type that costs most, or of any.
func (w *filler) item(f *plan.Field, page int) string {
	all := types(f)
	if w.random != nil {
		object := all[w.random.IntN(len(all))]
		return w.object(f.Fields(object, w.variables), object, page)
	}
	most, best := -1, ""
	for _, object := range all {
		text := w.object(f.Fields(object, w.variables), object, page)
		if n := f.ItemCost([]byte(text), w.variables); n > most {
			most, best = n, text
		}
	}
	return best
}

// types gives the types that a field's values may have, where something is selected on them.
func types(f *plan.Field) []string {
	switch object := f.Type(); {
	case len(f.Selection.SelectionSet) == 0:
		return nil
	case object == "Node":
		return []string{"Activity", "ApiKey", "Batch", "CalculationRun", "Category", "Emission", "EmissionFactor", "FactorDataset", "FactorMapping", "Organization", "Supplier"}
	case object == "EstimateResult":
		return []string{"Estimate", "UserError"}
	default:
		return []string{object}
	}
}

func TestAFullAnswerCostsWhatWasEstimated(t *testing.T) {
	schema := ledger(t)
	g := graphtest.New(schema, 3)
	seen := 0
	for i := range 500 {
		d := g.Document(i, nil)
		p, variables, ok := made(t, schema, d)
		if !ok || p.Cost(variables) > 3000 || strings.Contains(d.Text, "__schema") || strings.Contains(d.Text, "__type(") {
			continue
		}
		seen++
		estimated := p.Cost(variables)
		w := &filler{variables: variables}
		data := w.object(p.Fields(variables), "Query", 0)
		if !json.Valid([]byte(data)) {
			t.Fatalf("no JSON: %.500s", data)
		}
		if got := p.Actual([]byte(data), variables); got != estimated {
			t.Fatalf("actual = %d, estimated %d\n%s\n%.3000s", got, estimated, d, data)
		}
	}
	if seen < 200 {
		t.Errorf("%d documents: too few to prove anything", seen)
	}
}

func TestNoAnswerCostsMoreThanWasEstimated(t *testing.T) {
	schema := ledger(t)
	g := graphtest.New(schema, 4)
	for i := range 500 {
		d := g.Document(i, nil)
		p, variables, ok := made(t, schema, d)
		if !ok || p.Cost(variables) > 3000 {
			continue
		}
		estimated := p.Cost(variables)
		for n := range uint64(4) {
			w := &filler{variables: variables, random: rand.New(rand.NewPCG(uint64(i), n))}
			if data := w.object(p.Fields(variables), "Query", 0); p.Actual([]byte(data), variables) > estimated {
				t.Fatalf("actual = %d, estimated %d\n%s\n%.3000s", p.Actual([]byte(data), variables), estimated, d, data)
			}
		}
	}
}

// Whatever the bytes are, they cost no more than was estimated.
func FuzzActual(f *testing.F) {
	schema := ledger(f)
	var plans []*plan.Plan
	for _, text := range []string{
		`{ suppliers(first: 3) { totalCount nodes { name emissions(first: 2) { edges { cursor node { id supplier { name } } } pageInfo { endCursor } } } } categories { name } }`,
		`{ nodes(ids: ["a", "b"]) { __typename ... on Supplier { x: emissions(first: 5) { nodes { id } } } ... on Category { x: emissions(first: 9) { totals { co2e } } } ... on Activity { id } } }`,
	} {
		plans = append(plans, plannedBy(f, schema, text))
	}
	for _, text := range []string{
		`{"suppliers":{"totalCount":3,"nodes":[{"name":"a","emissions":{"edges":[{"cursor":"x","node":{"id":"y","supplier":null}}],"pageInfo":{"endCursor":null}}}]},"categories":[{"name":"\\"}]}`,
		`{"nodes":[{"__typename":"Supplier","x":{"nodes":[{"id":"a"}]}},null,{"__typename":"Activity","id":"x"}]}`,
		`{"suppliers":{"nodes":[{},{},{},{}],"nodes":[{}]`, `{"a`, `{"suppliers":]`, `["`, `"\`, `{"nodes":[}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, p := range plans {
			if got, most := p.Actual(data, nil), p.Cost(nil); got < 0 || got > most {
				t.Errorf("actual = %d, estimated %d", got, most)
			}
		}
	})
}

func BenchmarkActual(b *testing.B) {
	schema := ledger(b)
	variables := map[string]any{"first": int64(50)}
	p := plannedBy(b, schema, paging)
	data := []byte((&filler{variables: variables}).object(p.Fields(variables), "Query", 0))
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		p.Actual(data, variables)
	}
}
