package graph

import (
	"strings"
	"testing"

	"carbongraph/graph/generated"
)

// What it takes to parse, measure and validate a document that is accepted and was not sent before.
func BenchmarkDocuments(b *testing.B) {
	d := newDocuments(generated.NewExecutableSchema(generated.Config{}).Schema(), Limits{Tokens: 5000, Nesting: 15, Aliases: 30, RootFields: 20, Directives: 5, Repeats: 200})
	for name, text := range map[string]string{
		"1 MB of a comment":                "{categories{number}}#" + strings.Repeat("x", 1<<20),
		"1 MB of commas":                   "{categories{number}}" + strings.Repeat(",", 1<<20),
		"as many repeats as are allowed":   "query($x:Boolean!){categories{...F}} fragment F on Category{" + strings.Repeat("number @skip(if:$x) ", 200) + "}",
		"as many root fields as there may": "{" + strings.Repeat("suppliers{nodes{id name country tier createdAt updatedAt}} ", 20) + "}",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				d.kept.InvalidateAll()
				if _, errs := d.document(text, true); errs != nil {
					b.Fatal(errs)
				}
			}
		})
	}
}
