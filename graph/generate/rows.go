package main

import (
	"strings"

	"github.com/99designs/gqlgen/codegen"
	"github.com/vektah/gqlparser/v2/ast"
)

// rows gives the object types that a query can reach, by name in order, without the root and what connections are made of.
func rows(data *codegen.Data) []*codegen.Object {
	reached := reachable(data.Schema)
	var out []*codegen.Object
	for _, o := range data.Objects {
		if reached[o.Name] && !o.Root && !connects(o.Name) {
			out = append(out, o)
		}
	}
	return out
}

func connects(name string) bool {
	return name == "PageInfo" || strings.HasSuffix(name, "Connection") || strings.HasSuffix(name, "Edge")
}

// reachable gives the names of the types that a query can come to, introspection aside.
func reachable(schema *ast.Schema) map[string]bool {
	reached := map[string]bool{}
	var visit func(*ast.Definition)
	visit = func(d *ast.Definition) {
		if strings.HasPrefix(d.Name, "__") || reached[d.Name] {
			return
		}
		reached[d.Name] = true
		for _, f := range d.Fields {
			visit(schema.Types[f.Type.Name()])
		}
		if d.IsAbstractType() {
			for _, possible := range schema.GetPossibleTypes(d) {
				visit(possible)
			}
		}
	}
	visit(schema.Query)
	return reached
}
