package graph_test

import (
	"fmt"
	"strings"
	"testing"

	"carbongraph/store"
)

// Who may not introspect the schema is not told its names by the errors of documents either.
func TestHints(t *testing.T) {
	for name, document := range map[string]string{
		"a field":     "{ categoris { number } }",
		"a leaf":      "{ categories }",
		"an argument": `{ node(idd: "x") { id } }`,
		"a type":      "{ categories { ... on Categori { number } } }",
		"a variable":  "query($f: SupplierFilte) { suppliers(filter: $f) { totalCount } }",
		"an enum":     "{ suppliers(orderBy: {field: NAM}) { totalCount } }",
		"an input":    `{ suppliers(filter: {countrie: ["GB"]}) { totalCount } }`,
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			for _, role := range []store.Role{store.Editor, store.Admin} {
				b.viewer.Role = role
				got := b.ask(t, document, nil)
				// the rules give no hints for types, to nobody
				hints := role == store.Admin && name != "a type" && name != "a variable"
				if got.code() != "GRAPHQL_VALIDATION_FAILED" || strings.Contains(got.text, "Did you mean") != hints {
					t.Errorf("as %s: %s", role, got.text)
				}
			}
		})
	}
}

// A document that is wrong in very many ways is told some of them.
func TestADocumentWrongInManyWays(t *testing.T) {
	var fields strings.Builder
	for i := range 900 {
		fmt.Fprintf(&fields, " wrong%d", i)
	}
	got := newBench(t).ask(t, "{ categories {"+fields.String()+"} }", nil)
	if len(got.Errors) != 50 || len(got.text) > 16<<10 || !strings.Contains(got.Errors[49].Message, "And 850 errors more.") {
		t.Errorf("%d errors in %d bytes, the last: %+v", len(got.Errors), len(got.text), got.Errors[len(got.Errors)-1])
	}
}
