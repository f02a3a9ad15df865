package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"carbongraph/graph/exec"
	"carbongraph/graph/generated"
	"carbongraph/graph/plan"
	"carbongraph/resolvers/loaders"
)

// examples gathers the documents that the project shows: those of the console, and those of README, docs and demo.
func examples(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	files, err := filepath.Glob("../../web/src/queries/*.graphql")
	if err != nil || len(files) == 0 {
		t.Fatalf("examples of the console: %v, %v", files, err)
	}
	for _, f := range files {
		out[f] = read(t, f)
	}
	quoted := regexp.MustCompile(`"query":"([^"]+)"|\x60(\{ [^\x60]+\})\x60`)
	for _, f := range []string{"../../README.md", "demo.go"} {
		found := quoted.FindAllStringSubmatch(read(t, f), -1)
		if len(found) == 0 {
			t.Errorf("%s shows no document", f)
		}
		for _, m := range found {
			out[f+": "+m[1]+m[2]] = m[1] + m[2]
		}
	}
	for i, text := range shown(t, "../../docs/recalculation.md") {
		out[fmt.Sprint("recalculation.md: ", i)] = text
	}
	return out
}

var block = regexp.MustCompile("(?s)```graphql\n(.+?)```")

// shown gives the documents that a page shows, one after another.
func shown(t *testing.T, page string) (out []string) {
	t.Helper()
	for _, m := range block.FindAllStringSubmatch(read(t, page), -1) {
		out = append(out, m[1])
	}
	if len(out) == 0 {
		t.Errorf("%s shows no document", page)
	}
	return out
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// longWay are the fields of documents that gqlgen's engine answers: they do not read rows, but calculate.
var longWay = map[string]bool{"../../web/src/queries/estimate.graphql": true}

// Every document that the project shows goes the short way, but for those that read no rows.
func TestExamplesGoTheShortWay(t *testing.T) {
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	engine := exec.New(exec.Options{Relations: loaders.Relations(), Roots: loaders.Roots()})
	for name, text := range examples(t) {
		doc, errs := gqlparser.LoadQueryWithRules(schema, text, rules.NewDefaultRules())
		if errs != nil {
			t.Errorf("%s: %v", name, errs)
			continue
		}
		for _, op := range doc.Operations {
			if op.Operation != ast.Query {
				continue
			}
			p, err := plan.New(schema, doc, op)
			if err == nil {
				_, err = engine.Compile(p, map[string]any{})
			}
			if (err != nil) != longWay[name] {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
