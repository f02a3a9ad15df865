package plan_test

import (
	"fmt"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"carbongraph/graph/plan"
)

func Example() {
	doc := gqlparser.MustLoadQueryWithRules(schema, `query($deep: Boolean!) {
		a { list(first: 3) { id } ...More @include(if: $deep) }
	}
	fragment More on A { list(first: 3) { name } next { id } }`, rules.NewDefaultRules())
	p, err := plan.New(schema, doc, doc.Operations[0])
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, deep := range []bool{false, true} {
		variables := map[string]any{"deep": deep}
		for _, f := range p.Field("a").Fields("A", variables) {
			fmt.Print(f.Object, ".", f.Key, " → ", f.Type())
			for _, below := range f.Fields("B", variables) {
				fmt.Print(" ", below.Key)
			}
			fmt.Println()
		}
	}
	// Output:
	// A.list → B id
	// A.list → B id name
	// A.next → Node id
}
