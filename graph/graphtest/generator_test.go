package graphtest_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/lexer"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"carbongraph/graph/graphtest"
)

var (
	seed  = flag.Uint64("seed", 1, "seed of the documents")
	index = flag.Int("index", -1, "the one document to make; -1: 5,000 of them")
)

func loadSchema(t testing.TB) *ast.Schema {
	t.Helper()
	files, err := filepath.Glob("../schema/*.graphqls")
	if err != nil || len(files) == 0 {
		t.Fatalf("schema files: %d, %v", len(files), err)
	}
	var sources []*ast.Source
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, &ast.Source{Name: f, Input: string(text)})
	}
	s, err := gqlparser.LoadSchema(sources...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// stocked is a pool that has something of everything.
func stocked() *graphtest.Pool {
	p := graphtest.NewPool()
	for i, kind := range []string{"Organization", "Category", "Supplier", "Activity", "Emission", "EmissionFactor", "FactorDataset", "CalculationRun", "ApiKey"} {
		for n := range 3 {
			p.IDs(kind, fmt.Sprintf("%s%02dAAAAAAAAAAAAAAAAAA", string(rune('A'+i)), n))
			p.Strangers(kind, fmt.Sprintf("%s%02dZZZZZZZZZZZZZZZZZZ", string(rune('A'+i)), n))
		}
	}
	p.Words("countries", "GB", "US", "DE")
	p.Words("days", "2025-01-01", "2025-06-30", "2024-02-29")
	p.Words("categories", "1", "7", "15")
	p.Words("search", "alum", `say "hi" \ `, "ñandú 🚀", "a\tb\nc")
	p.Words("externalIds", "S1", "S\u2028")
	p.Words("accountCodes", "6000", "")
	return p
}

// each makes the documents of a run, each of them valid and read again.
func each(t *testing.T, schema *ast.Schema, see func(*graphtest.Document, *ast.QueryDocument)) {
	t.Helper()
	g := graphtest.New(schema, *seed)
	pool := stocked()
	from, to := 0, 5000
	if *index >= 0 {
		from, to = *index, *index+1
	}
	for i := from; i < to; i++ {
		d := g.Document(i, pool)
		doc, err := parser.ParseQuery(&ast.Source{Input: d.Text})
		if err != nil {
			t.Fatalf("%v\n%s", err, d)
		}
		if errs := validator.ValidateWithRules(schema, doc, rules.NewDefaultRules()); len(errs) > 0 {
			t.Fatalf("%v\n%s", errs, d)
		}
		see(d, doc)
	}
}

func TestDocumentsAreValidAndWithinLimits(t *testing.T) {
	sizes := map[int]int{}
	rash := 0
	each(t, loadSchema(t), func(d *graphtest.Document, doc *ast.QueryDocument) {
		if d.Rash {
			rash++
		}
		for _, op := range doc.Operations {
			s := measure(op.SelectionSet)
			if s.depth > 15 || s.aliases > 30 || s.top > 20 {
				t.Fatalf("%+v\n%s", s, d)
			}
			sizes[len(fmt.Sprint(s.fields))]++
		}
		if d.OperationName != "" && d.OperationName != "Nobody" && doc.Operations.ForName(d.OperationName) == nil {
			t.Fatalf("no such operation\n%s", d)
		}
		if n, r := tokens(d.Text), repeats(doc); n > 5000 || r > 200 {
			t.Fatalf("%d tokens, %d repeats\n%s", n, r, d)
		}
		if _, err := json.Marshal(d.Variables); err != nil {
			t.Fatal(err)
		}
	})
	t.Logf("operations by digits of their number of fields: %v; %d rash documents", sizes, rash)
	if *index < 0 && (sizes[1] < 500 || sizes[2] < 500 || sizes[3] < 100) {
		t.Errorf("sizes = %v; want of each", sizes)
	}
}

// size is what a selection amounts to, fragments spread out.
type size struct{ depth, aliases, top, fields int }

func measure(set ast.SelectionSet) (s size) {
	for _, sel := range set {
		var one size
		switch sel := sel.(type) {
		case *ast.Field:
			below := measure(sel.SelectionSet)
			one = size{below.depth + 1, below.aliases, 1, below.fields + 1}
			if sel.Alias != sel.Name {
				one.aliases++
			}
		case *ast.InlineFragment:
			one = measure(sel.SelectionSet)
		case *ast.FragmentSpread:
			one = measure(sel.Definition.SelectionSet)
		}
		s = size{max(s.depth, one.depth), s.aliases + one.aliases, s.top + one.top, s.fields + one.fields}
	}
	return s
}

func tokens(text string) (n int) {
	for l := lexer.New(&ast.Source{Input: text}); ; n++ {
		if t, err := l.ReadToken(); err != nil || t.Kind == lexer.EOF {
			return n
		}
	}
}

// repeats counts as the server's limit does: fields beside others of their name, each fragment once.
func repeats(doc *ast.QueryDocument) (n int) {
	var count func(ast.SelectionSet, map[string]bool)
	count = func(set ast.SelectionSet, names map[string]bool) {
		for _, sel := range set {
			switch sel := sel.(type) {
			case *ast.Field:
				if names[sel.Alias] {
					n++
				}
				names[sel.Alias] = true
				count(sel.SelectionSet, map[string]bool{})
			case *ast.InlineFragment:
				count(sel.SelectionSet, names)
			}
		}
	}
	for _, op := range doc.Operations {
		count(op.SelectionSet, map[string]bool{})
	}
	for _, f := range doc.Fragments {
		count(f.SelectionSet, map[string]bool{})
	}
	return n
}

// What a document can ask for is asked for: a part of the schema that the generator leaves out would not be proved.
func TestDocumentsCoverTheSchema(t *testing.T) {
	schema := loadSchema(t)
	missing := wanted(schema)
	constructs := map[string]bool{}
	for _, c := range []string{"alias", "merged field", "named fragment", "nested spread", "fragment on Node", "inline without type", "@skip", "@include", "@skip($)", "@include($)",
		"@ on a spread", "@ on an inline fragment", "variable", "variable in an object", "variable in a list", "null", "single for a list", "empty list", "default", "null default", "given null",
		"left to its default", "not given", "several operations", "block string", "int id", "same field with and without alias", "introspection"} {
		constructs[c] = true
	}
	each(t, schema, func(d *graphtest.Document, doc *ast.QueryDocument) {
		c := &cover{schema: schema, missing: missing, constructs: constructs}
		for _, op := range doc.Operations {
			c.set(op.SelectionSet)
			for _, v := range op.VariableDefinitions {
				c.variable(d, v)
			}
		}
		for _, f := range doc.Fragments {
			delete(constructs, "named fragment")
			if f.TypeCondition == "Node" {
				delete(constructs, "fragment on Node")
			}
			if len(measureSpreads(f.SelectionSet)) > 0 {
				delete(constructs, "nested spread")
			}
			c.set(f.SelectionSet)
		}
		if len(doc.Operations) > 1 {
			delete(constructs, "several operations")
		}
	})
	if left := slices.Sorted(maps.Keys(missing)); len(left) > 0 && *index < 0 {
		t.Errorf("never asked for: %s", strings.Join(left, ", "))
	}
	if left := slices.Sorted(maps.Keys(constructs)); len(left) > 0 && *index < 0 {
		t.Errorf("never written: %s", strings.Join(left, ", "))
	}
}

func measureSpreads(set ast.SelectionSet) (names []string) {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			names = append(names, measureSpreads(sel.SelectionSet)...)
		case *ast.InlineFragment:
			names = append(names, measureSpreads(sel.SelectionSet)...)
		case *ast.FragmentSpread:
			names = append(names, sel.Name)
		}
	}
	return names
}

// wanted lists every field that a query reaches, every argument, and what those are made of.
func wanted(schema *ast.Schema) map[string]bool {
	out := map[string]bool{}
	seen := map[string]bool{}
	var visit func(name string, input bool)
	visit = func(name string, input bool) {
		def := schema.Types[name]
		if seen[name] || strings.HasPrefix(name, "__") {
			return
		}
		seen[name] = true
		for _, f := range def.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			out[name+"."+f.Name] = true
			for _, a := range f.Arguments {
				out[name+"."+f.Name+"("+a.Name+")"] = true
				visit(a.Type.Name(), true)
			}
			visit(f.Type.Name(), input)
		}
		if input && def.Kind == ast.Enum {
			for _, v := range def.EnumValues {
				out[name+"."+v.Name] = true
			}
		}
		if def.Kind == ast.Object {
			out[name+".__typename"] = true
		}
		for _, t := range schema.GetPossibleTypes(def) {
			visit(t.Name, false)
		}
	}
	visit("Query", false)
	return out
}

// cover strikes off what a document has.
type cover struct {
	schema     *ast.Schema
	missing    map[string]bool
	constructs map[string]bool
}

func (c *cover) set(set ast.SelectionSet) {
	names := map[string]string{}
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			c.field(sel)
			if had, ok := names[sel.Name]; ok {
				if had == sel.Alias && len(sel.SelectionSet) > 0 {
					delete(c.constructs, "merged field")
				}
				if (had == sel.Name) != (sel.Alias == sel.Name) {
					delete(c.constructs, "same field with and without alias")
				}
			}
			names[sel.Name] = sel.Alias
		case *ast.InlineFragment:
			if sel.TypeCondition == "" {
				delete(c.constructs, "inline without type")
			}
			c.directives(sel.Directives, "@ on an inline fragment")
			c.set(sel.SelectionSet)
		case *ast.FragmentSpread:
			c.directives(sel.Directives, "@ on a spread")
		}
	}
}

func (c *cover) field(f *ast.Field) {
	delete(c.missing, f.ObjectDefinition.Name+"."+f.Name)
	if f.Alias != f.Name {
		delete(c.constructs, "alias")
	}
	if f.Name == "__schema" || f.Name == "__type" {
		delete(c.constructs, "introspection")
	}
	for _, a := range f.Arguments {
		delete(c.missing, f.ObjectDefinition.Name+"."+f.Name+"("+a.Name+")")
		if def := f.Definition.Arguments.ForName(a.Name); def != nil {
			c.value(a.Value, def.Type, "variable")
		}
	}
	c.directives(f.Directives, "")
	c.set(f.SelectionSet)
}

func (c *cover) directives(list ast.DirectiveList, where string) {
	for _, d := range list {
		delete(c.constructs, where)
		delete(c.constructs, "@"+d.Name)
		if d.Arguments[0].Value.Kind == ast.Variable {
			delete(c.constructs, "@"+d.Name+"($)")
		}
	}
}

func (c *cover) value(v *ast.Value, t *ast.Type, where string) {
	switch {
	case v.Kind == ast.Variable:
		delete(c.constructs, where)
		return
	case v.Kind == ast.NullValue:
		delete(c.constructs, "null")
		return
	case t.Elem != nil && v.Kind != ast.ListValue:
		delete(c.constructs, "single for a list")
		c.value(v, t.Elem, where)
		return
	case t.Elem != nil && len(v.Children) == 0:
		delete(c.constructs, "empty list")
	case v.Kind == ast.BlockValue:
		delete(c.constructs, "block string")
	case v.Kind == ast.IntValue && t.NamedType == "ID":
		delete(c.constructs, "int id")
	case v.Kind == ast.EnumValue:
		delete(c.missing, t.NamedType+"."+v.Raw)
	}
	for _, child := range v.Children {
		if t.Elem != nil {
			c.value(child.Value, t.Elem, "variable in a list")
			continue
		}
		delete(c.missing, t.NamedType+"."+child.Name)
		c.value(child.Value, c.schema.Types[t.NamedType].Fields.ForName(child.Name).Type, "variable in an object")
	}
}

func (c *cover) variable(d *graphtest.Document, v *ast.VariableDefinition) {
	value, given := d.Variables[v.Variable]
	switch {
	case v.DefaultValue != nil && !given:
		delete(c.constructs, "left to its default")
	case !given:
		delete(c.constructs, "not given")
	case value == nil:
		delete(c.constructs, "given null")
	}
	if v.DefaultValue != nil {
		delete(c.constructs, "default")
		if v.DefaultValue.Kind == ast.NullValue {
			delete(c.constructs, "null default")
		}
	}
}

func TestDocumentsDependOnSeedAndIndexAlone(t *testing.T) {
	schema := loadSchema(t)
	pool := stocked()
	a, b := graphtest.New(schema, 7), graphtest.New(schema, 7)
	for i := range 300 {
		a.Document(i+1, pool)
		x, y := a.Document(i, pool), b.Document(i, pool)
		if x.Text != y.Text || x.OperationName != y.OperationName || !reflect.DeepEqual(x.Variables, y.Variables) {
			t.Fatalf("%s\n\nis another time\n\n%s", x, y)
		}
		if other := graphtest.New(schema, 8).Document(i, pool); len(x.Text) > 100 && other.Text == x.Text {
			t.Fatalf("another seed gives the same:\n%s", x)
		}
	}
}

// Cursors come back to the field that they came from, with the filter and the order that they are bound to.
func TestCursorsOfAnswersAreUsed(t *testing.T) {
	schema := loadSchema(t)
	g := graphtest.New(schema, 3)
	pool := graphtest.NewPool()
	var answer func(def *ast.Definition, set ast.SelectionSet) map[string]any
	answer = func(def *ast.Definition, set ast.SelectionSet) map[string]any {
		out := map[string]any{}
		for _, sel := range set {
			switch sel := sel.(type) {
			case *ast.Field:
				switch {
				case sel.Name == "cursor" || sel.Name == "endCursor":
					out[sel.Alias] = "cursor of " + def.Name
				case len(sel.SelectionSet) > 0:
					below := answer(schema.Types[sel.Definition.Type.Name()], sel.SelectionSet)
					out[sel.Alias] = below
					if sel.Definition.Type.Elem != nil {
						out[sel.Alias] = []any{below}
					}
				}
			case *ast.InlineFragment:
				maps.Copy(out, answer(sel.ObjectDefinition, sel.SelectionSet))
			case *ast.FragmentSpread:
				maps.Copy(out, answer(schema.Types[sel.Definition.TypeCondition], sel.Definition.SelectionSet))
			}
		}
		return out
	}
	used := 0
	for i := range 600 {
		d := g.Document(i, pool)
		used += strings.Count(d.Text+fmt.Sprint(d.Variables), "cursor of")
		doc, errs := gqlparser.LoadQueryWithRules(schema, d.Text, rules.NewDefaultRules())
		if errs != nil {
			t.Fatal(errs)
		}
		op := doc.Operations.ForName(d.OperationName)
		if op == nil {
			continue
		}
		data, err := json.Marshal(answer(schema.Query, op.SelectionSet))
		if err != nil {
			t.Fatal(err)
		}
		pool.Harvest(g, d, data)
	}
	if pool.Cursors() < 10 || used < 30 {
		t.Errorf("%d cursors were harvested, %d used", pool.Cursors(), used)
	}
}

func TestShrinkKeepsWhatFails(t *testing.T) {
	schema := loadSchema(t)
	g := graphtest.New(schema, 5)
	pool := stocked()
	shrunk := 0
	for i := 0; i < 2000 && shrunk < 20; i++ {
		d := g.Document(i, pool)
		fails := func(d *graphtest.Document) bool {
			_, errs := gqlparser.LoadQueryWithRules(schema, d.Text, rules.NewDefaultRules())
			return errs == nil && strings.Contains(d.Text, "intensity") && strings.Contains(d.Text, "hasNextPage")
		}
		if !fails(d) || len(d.Text) < 1000 {
			continue
		}
		shrunk++
		small := d.Shrink(2000, fails)
		if !fails(small) || len(small.Text) > 700 {
			t.Errorf("%s\n\nwas made of\n\n%s", small, d)
		}
	}
	if shrunk < 20 {
		t.Errorf("%d documents were long enough", shrunk)
	}
}
