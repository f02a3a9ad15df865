package exec

import (
	"reflect"
	"slices"
	"testing"

	"carbongraph/graph/generated"
)

// ofSums are scalars that are made of sums, which the other engine reads when they are selected.
var ofSums = []string{"ReportingYear.changeSinceLock", "ReportingYear.recalculationDue"}

func TestEveryScalarOfARowHasAnEncoder(t *testing.T) {
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	objects := described()
	for _, node := range schema.GetPossibleTypes(schema.Types["Node"]) {
		if objects[node.Name] == nil {
			t.Errorf("%s is not described", node.Name)
		}
	}
	for name, object := range objects {
		leaves := reflect.ValueOf(object).Elem().FieldByName("leaves")
		for _, f := range schema.Types[name].Fields {
			known := leaves.MapIndex(reflect.ValueOf(f.Name)).IsValid()
			if schema.Types[f.Type.Name()].IsLeafType() && !known && !slices.Contains(ofSums, name+"."+f.Name) {
				t.Errorf("%s.%s has no encoder", name, f.Name)
			}
		}
	}
}
