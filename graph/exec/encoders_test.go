package exec

import (
	"reflect"
	"testing"

	"carbongraph/graph/generated"
)

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
			if schema.Types[f.Type.Name()].IsLeafType() && !known {
				t.Errorf("%s.%s has no encoder", name, f.Name)
			}
		}
	}
}
