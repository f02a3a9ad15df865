package graph

import (
	"fmt"
	"strings"
	"testing"

	"carbongraph/graph/exec"
	"carbongraph/graph/generated"
)

// However many documents clients make up, and however many variants of one, what is kept of them stays below its bounds.
func TestWhatIsKeptOfDocumentsIsBounded(t *testing.T) {
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	d, p := newDocuments(schema, Limits{}), newPlans(schema)
	padding := strings.Repeat("#", 20<<10)
	for i := range 200 {
		if _, errs := d.document(fmt.Sprintf("{categories{number}} %s%d", padding, i), true); errs != nil {
			t.Fatal(errs)
		}
	}
	d.kept.CleanUp()
	if got := d.kept.WeightedSize(); got == 0 || got > documentBytes {
		t.Errorf("documents weigh %d, want at most %d", got, documentBytes)
	}

	names := make([]string, 30)
	for i := range names {
		names[i] = fmt.Sprintf("$v%02d: Boolean!", i)
	}
	var fields strings.Builder
	for i := range 300 {
		fmt.Fprintf(&fields, " f%d: name @include(if: $v%02d)", i, i%len(names))
	}
	doc, errs := d.document("query("+strings.Join(names, " ")+") { suppliers { nodes {"+fields.String()+"} } }", true)
	if errs != nil {
		t.Fatal(errs)
	}
	op, engine := doc.ops[0], exec.New(exec.Options{})
	made, err := p.plan(op)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		variables := map[string]any{}
		for v := range names {
			variables[fmt.Sprintf("v%02d", v)] = i&(1<<v) != 0
		}
		_, _ = p.program(engine, op, made, variables) // there is no root: what is kept is that there is none, which weighs as much
	}
	p.kept.CleanUp()
	if got := p.kept.WeightedSize(); got == 0 || got > planBytes {
		t.Errorf("plans weigh %d, want at most %d", got, planBytes)
	}
}
