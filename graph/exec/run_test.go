package exec_test

import (
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"carbongraph/graph/exec"
	"carbongraph/graph/plan"
	"carbongraph/store"
)

// Rows in memory: what is left is writing them and putting them together.
func BenchmarkRun(b *testing.B) {
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: "type Query { categories: [Category!]! } type Category { number: Int! name: String! direction: Direction! } enum Direction { UPSTREAM }"})
	doc := gqlparser.MustLoadQueryWithRules(schema, "{ categories { number name direction } }", rules.NewDefaultRules())
	p, err := plan.New(schema, doc, doc.Operations[0])
	if err != nil {
		b.Fatal(err)
	}
	var rows []*store.Category
	for range 20 {
		rows = append(rows, store.Categories()...)
	}
	e := exec.New(exec.Options{Roots: []exec.Root{exec.List[store.Category]{Field: "categories", Held: func(exec.Ledger) []*store.Category { return rows }}}})
	program, err := e.Compile(p, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		a, err := e.Run(b.Context(), exec.Ledger{}, program, nil)
		if err != nil {
			b.Fatal(err)
		}
		a.Release()
	}
}
