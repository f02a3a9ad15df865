package plan

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// CheckCosts refuses a schema that does not say what its operations cost: with a weight that is no whole number, a list size that names what is not there,
// or a list of objects whose length nothing tells. Lists of what weighs nothing and leads nowhere are part of a row.
func CheckCosts(schema *ast.Schema) error {
	for _, name := range slices.Sorted(maps.Keys(schema.Types)) {
		d := schema.Types[name]
		if strings.HasPrefix(name, "__") {
			continue
		}
		if err := checkWeight(d.Directives); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for _, f := range d.Fields {
			if err := checkField(schema, d, f); err != nil && !strings.HasPrefix(f.Name, "__") {
				return fmt.Errorf("%s.%s: %w", name, f.Name, err)
			}
		}
	}
	return nil
}

func checkField(schema *ast.Schema, on *ast.Definition, f *ast.FieldDefinition) error {
	if err := checkWeight(f.Directives); err != nil {
		return err
	}
	for _, a := range f.Arguments {
		if err := checkWeight(a.Directives); err != nil {
			return fmt.Errorf("argument %s: %w", a.Name, err)
		}
	}
	if on.Kind == ast.InputObject {
		return nil
	}
	d := f.Directives.ForName("listSize")
	if d == nil {
		return told(schema, on, f)
	}
	if err := checkSlices(schema, f, d); err != nil {
		return err
	}
	object := schema.Types[f.Type.Name()]
	below := sizedBy(f)
	for _, name := range below {
		if list := object.Fields.ForName(name); list == nil || !objects(schema, list.Type) {
			return fmt.Errorf("@listSize sizes %s, which is no list of objects of %s", name, object.Name)
		}
	}
	if len(below) == 0 && !objects(schema, f.Type) || len(below) > 0 && f.Type.Elem != nil {
		return fmt.Errorf("@listSize must be on a list of objects, or name such lists below the field")
	}
	return nil
}

func checkWeight(list ast.DirectiveList) error {
	d := list.ForName("cost")
	if d == nil {
		return nil
	}
	text := d.Arguments.ForName("weight").Value.Raw
	if n, err := strconv.Atoi(text); err != nil || n < 0 || n > maxCost {
		return fmt.Errorf("@cost weighs %q, which is no whole number of points from 0", text)
	}
	return nil
}

// checkSlices looks at what says how long a list is.
func checkSlices(schema *ast.Schema, f *ast.FieldDefinition, d *ast.Directive) error {
	assumed := d.Arguments.ForName("assumedSize")
	if assumed != nil {
		if n, err := strconv.Atoi(assumed.Value.Raw); err != nil || n < 0 || n > largestPage {
			return fmt.Errorf("@listSize assumes %s; it must be from 0 to %d", assumed.Value.Raw, largestPage)
		}
	}
	paths := texts(d, "slicingArguments")
	required := false
	for _, path := range paths {
		t, must := led(schema, f, strings.Split(path, "."))
		if t == nil || t.Elem == nil && t.NamedType != "Int" {
			return fmt.Errorf("@listSize slices by %s, which is no Int and no list that can be given", path)
		}
		required = required || must
	}
	one := d.Arguments.ForName("requireOneSlicingArgument")
	switch {
	case assumed == nil && !required:
		return fmt.Errorf("@listSize tells no size where no argument is given")
	case len(paths) > 0 && (one == nil || one.Value.Raw == "true") && (len(paths) > 1 || !required):
		return fmt.Errorf("@listSize requires one slicing argument, which the schema does not")
	}
	return nil
}

// led gives the type at the end of a path of arguments, and whether it always has a value; nil where it leads nowhere.
func led(schema *ast.Schema, f *ast.FieldDefinition, path []string) (t *ast.Type, must bool) {
	a := f.Arguments.ForName(path[0])
	if a == nil {
		return nil, false
	}
	t, must = a.Type, a.Type.NonNull
	for _, step := range path[1:] {
		d := schema.Types[t.NamedType]
		if d == nil || d.Kind != ast.InputObject || d.Fields.ForName(step) == nil {
			return nil, false
		}
		t = d.Fields.ForName(step).Type
		must = must && t.NonNull
	}
	return t, must
}

// told refuses a list of objects that nothing sizes, unless it is part of a row.
func told(schema *ast.Schema, on *ast.Definition, f *ast.FieldDefinition) error {
	if !objects(schema, f.Type) || part(schema, schema.Types[f.Type.Name()]) {
		return nil
	}
	sized := false
	for _, d := range schema.Types {
		for _, above := range d.Fields {
			if above.Type.Name() != on.Name {
				continue
			}
			if !slices.Contains(sizedBy(above), f.Name) {
				return fmt.Errorf("nothing tells how long the list is: %s.%s has no @listSize that names it", d.Name, above.Name)
			}
			sized = true
		}
	}
	if !sized {
		return fmt.Errorf("nothing tells how long the list is: it has no @listSize, and its type weighs something")
	}
	return nil
}

// part tells that objects of a type weigh nothing, with all that can be selected on them.
func part(schema *ast.Schema, d *ast.Definition) bool {
	return weightOf(d.Directives, 1) == 0 && !slices.ContainsFunc(d.Fields, func(f *ast.FieldDefinition) bool {
		return !schema.Types[f.Type.Name()].IsLeafType() || weightOf(f.Directives, 0) > 0
	})
}

// objects tells whether a type is a list of objects.
func objects(schema *ast.Schema, t *ast.Type) bool {
	return t.Elem != nil && schema.Types[t.Name()].IsCompositeType()
}
