package plan_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
	"pgregory.net/rapid"

	"carbongraph/graph/plan"
	"carbongraph/internal/fault"
)

var schema = gqlparser.MustLoadSchema(&ast.Source{Input: `
	interface Node { id: ID! next: Node a: A }
	type A implements Node { id: ID! next: Node a: A name: String list(first: Int = 50, order: Order = {field: NAME}, tags: [String!]): [B] }
	type B implements Node { id: ID! next: Node a: A name: String node: Node }
	input Order { field: Field! direction: Direction! = ASC inner: Order }
	enum Field { NAME DATE }
	enum Direction { ASC DESC }
	type Query { a: A node: Node b: B }
	type Mutation { b: B }
`})

// document reads a document and lets the validator name its fields; it does not have to be valid otherwise.
func document(t interface{ Fatalf(string, ...any) }, text string) *ast.QueryDocument {
	doc, err := parser.ParseQuery(&ast.Source{Input: text})
	if err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}
	validator.ValidateWithRules(schema, doc, rules.NewRules())
	return doc
}

func planOf(t interface{ Fatalf(string, ...any) }, text string) *plan.Plan {
	doc := document(t, text)
	p, err := plan.New(schema, doc, doc.Operations[0])
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return p
}

// show writes a plan's fields as a document does, with what stands on each type.
func show(fields []*plan.Field, variables map[string]any) string {
	var out []string
	for _, f := range fields {
		s := f.Key
		if f.Key != f.Name() {
			s += ":" + f.Name()
		}
		for _, object := range []string{"A", "B"} {
			if below := f.Fields(object, variables); len(below) > 0 {
				s += " " + object + "{" + show(below, variables) + "}"
			}
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func TestNew(t *testing.T) {
	for name, tc := range map[string]struct {
		document  string
		variables map[string]any
		want      string
	}{
		"fields stand in the order of the document": {
			document: `{ b {name id} a {id} }`, want: "b B{name id} a A{id}"},
		"fields of one key are merged": {
			document: `{ a {id} a {name} }`, want: "a A{id name}"},
		"aliases stay apart": {
			document: `{ x: a {id} y: a {id} }`, want: "x:a A{id} y:a A{id}"},
		"fragments are written out": {
			document: `{ a {...F} } fragment F on A { id ...G } fragment G on Node { next {id} }`, want: "a A{id next A{id} B{id}}"},
		"a fragment counts on the types that it names": {
			document: `{ node { id ... on A {name} ... on B {node {id}} } }`, want: "node A{id name} B{id node A{id} B{id}}"},
		"a fragment on an interface counts on all of its types": {
			document: `{ a { ... on Node {id} ... {name} } }`, want: "a A{id name}"},
		"what is skipped for good is not there": {
			document: `{ a {id name @skip(if: true)} b @include(if: false) {id} }`, want: "a A{id}"},
		"what a variable skips is not selected": {
			document: `query($x: Boolean!) { a {id name @skip(if: $x)} }`, variables: map[string]any{"x": true}, want: "a A{id}"},
		"what a variable includes is selected": {
			document: `query($x: Boolean!) { a {id name @include(if: $x)} }`, variables: map[string]any{"x": true}, want: "a A{id name}"},
		"both directives must agree": {
			document: `query($x: Boolean!, $y: Boolean!) { a {id name @include(if: $x) @skip(if: $y)} }`, variables: map[string]any{"x": true, "y": true}, want: "a A{id}"},
		"directives that contradict each other leave nothing": {
			document: `query($x: Boolean!) { a {id name @include(if: $x) @skip(if: $x)} }`, variables: map[string]any{"x": true}, want: "a A{id}"},
		"a selection counts only where its own place does": {
			document: `query($x: Boolean!) { a @include(if: $x) {name} a {id} }`, variables: map[string]any{"x": false}, want: "a A{id}"},
		"a field stands where the first place that counts is": {
			document: `query($x: Boolean!) { a {name @include(if: $x) id name} }`, variables: map[string]any{"x": false}, want: "a A{id name}"},
		"a fragment that was skipped can come later": {
			document: `query($x: Boolean!) { a {...F @include(if: $x) id ...F} } fragment F on A {name}`, variables: map[string]any{"x": false}, want: "a A{id name}"},
		"a fragment's own fields can be skipped": {
			document: `query($x: Boolean!) { a { ... on A @skip(if: $x) {name} id } }`, variables: map[string]any{"x": true}, want: "a A{id}"},
		"typename is a field": {
			document: `{ node {__typename} }`, want: "node A{__typename} B{__typename}"},
		"a mutation has its own root": {
			document: `mutation { b {id} }`, want: "b B{id}"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := show(planOf(t, tc.document).Fields(tc.variables), tc.variables); got != tc.want {
				t.Errorf("plan = %s\nwant   %s", got, tc.want)
			}
		})
	}
}

func TestField(t *testing.T) {
	p := planOf(t, `query($x: Boolean!, $y: Boolean!) { one: a @include(if: $y) { two: next @skip(if: $x) { ... on B { name } } } }`)
	one := p.Field("one")
	two := one.Field("A", "two")
	name := two.Field("B", "name")
	if two.Parent != one || one.Parent != nil || name.Parent != two {
		t.Error("parents do not lead back to the root")
	}
	if name.Object != "B" || name.Type() != "String" || two.Type() != "Node" {
		t.Errorf("types = %s.name: %s, two: %s; want B.name: String, two: Node", name.Object, name.Type(), two.Type())
	}
	if p.Field("a") != nil || one.Field("B", "two") != nil || two.Field("A", "name") != nil {
		t.Error("a field was found where none is")
	}
	if want := []string{"x", "y"}; !slices.Equal(p.Switches, want) {
		t.Errorf("switches = %q, want %q", p.Switches, want)
	}
	ids := map[int]bool{one.ID: true, two.ID: true, name.ID: true}
	if p.Size != len(ids) {
		t.Errorf("size = %d, ids = %v; want as many ids as fields", p.Size, ids)
	}
}

func TestArgs(t *testing.T) {
	for name, tc := range map[string]struct {
		head, args string
		variables  map[string]any
		want       string
		fixed      bool
	}{
		"defaults are filled in": {
			want: `{"first":50,"order":{"field":"NAME","direction":"ASC"}}`, fixed: true},
		"what is given stands before the default": {
			args: `(first: 3, order: {field: DATE, direction: DESC})`, want: `{"first":3,"order":{"field":"DATE","direction":"DESC"}}`, fixed: true},
		"null is not absent": {
			args: `(first: null)`, want: `{"first":null,"order":{"field":"NAME","direction":"ASC"}}`, fixed: true},
		"defaults reach into objects": {
			args: `(order: {field: DATE, inner: {field: NAME}})`, want: `{"first":50,"order":{"field":"DATE","direction":"ASC","inner":{"field":"NAME","direction":"ASC"}}}`, fixed: true},
		"one value makes a list": {
			args: `(tags: "x")`, want: `{"first":50,"order":{"field":"NAME","direction":"ASC"},"tags":["x"]}`, fixed: true},
		"a variable stands for its value": {
			head: `($n: Int)`, args: `(first: $n)`, variables: map[string]any{"n": 7}, want: `{"first":7,"order":{"field":"NAME","direction":"ASC"}}`},
		"a variable without a value is as if nothing stood there": {
			head: `($n: Int)`, args: `(first: $n)`, want: `{"first":50,"order":{"field":"NAME","direction":"ASC"}}`},
		"a variable can be null": {
			head: `($n: Int)`, args: `(first: $n)`, variables: map[string]any{"n": nil}, want: `{"first":null,"order":{"field":"NAME","direction":"ASC"}}`},
		"defaults reach into variables": {
			head: `($o: Order)`, args: `(order: $o)`, variables: map[string]any{"o": map[string]any{"field": "DATE", "inner": map[string]any{"field": "NAME"}}},
			want: `{"first":50,"order":{"field":"DATE","direction":"ASC","inner":{"field":"NAME","direction":"ASC"}}}`},
		"a variable can be a part of an object": {
			head: `($f: Field!, $d: Direction)`, args: `(order: {field: $f, direction: $d})`, variables: map[string]any{"f": "DATE"},
			want: `{"first":50,"order":{"field":"DATE","direction":"ASC"}}`},
		"a variable can be a part of a list": {
			head: `($s: String!)`, args: `(tags: ["x", $s])`, variables: map[string]any{"s": "y"},
			want: `{"first":50,"order":{"field":"NAME","direction":"ASC"},"tags":["x","y"]}`},
		"a variable's single value makes a list": {
			head: `($s: [String!])`, args: `(tags: $s)`, variables: map[string]any{"s": "y"},
			want: `{"first":50,"order":{"field":"NAME","direction":"ASC"},"tags":["y"]}`},
		"a number that is too large is kept for its reader to refuse": {
			args: `(first: 99999999999999999999)`, want: `{"first":99999999999999999999,"order":{"field":"NAME","direction":"ASC"}}`, fixed: true},
	} {
		t.Run(name, func(t *testing.T) {
			f := planOf(t, `query Q`+tc.head+` { a { list`+tc.args+` {id} } }`).Field("a").Field("A", "list")
			got, err := json.Marshal(f.Args(tc.variables))
			if err != nil {
				t.Fatal(err)
			}
			var g, w any
			_ = json.Unmarshal(got, &g)
			_ = json.Unmarshal([]byte(tc.want), &w)
			if !reflect.DeepEqual(g, w) {
				t.Errorf("args = %s\nwant   %s", got, tc.want)
			}
			if f.Fixed() != tc.fixed {
				t.Errorf("fixed = %v, want %v", f.Fixed(), tc.fixed)
			}
		})
	}
}

// A document whose fragments double at each step must not cost more than its size times a constant.
func TestNewRefusesWhatExplodes(t *testing.T) {
	var s strings.Builder
	s.WriteString(`{ a {...F0} }`)
	for i := range 30 {
		fmt.Fprintf(&s, ` fragment F%d on A { x: a {...F%d} y: a {...F%d} }`, i, i+1, i+1)
	}
	s.WriteString(` fragment F30 on A { id }`)
	doc := document(t, s.String())
	if _, err := plan.New(schema, doc, doc.Operations[0]); fault.CodeOf(err) != fault.BadUserInput {
		t.Errorf("err = %v, want %s", err, fault.BadUserInput)
	}
}

// The same for conditions: each fragment is spread under two conditions of its own.
func TestNewRefusesConditionsThatExplode(t *testing.T) {
	var s strings.Builder
	s.WriteString(`query($x0: Boolean!) { a {...F0} }`)
	for i := range 30 {
		fmt.Fprintf(&s, ` fragment F%d on A { ...F%d @skip(if: $x%d) ...F%d @include(if: $x%d) }`, i, i+1, i, i+1, i)
	}
	s.WriteString(` fragment F30 on A { id }`)
	doc := document(t, s.String())
	if _, err := plan.New(schema, doc, doc.Operations[0]); fault.CodeOf(err) != fault.BadUserInput {
		t.Errorf("err = %v, want %s", err, fault.BadUserInput)
	}
}

// Whatever the document and the variables, a plan selects what gqlgen's engine collects, in the same order.
func TestPlanAgreesWithTheEngine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := randomDocument(t)
		doc := document(t, text)
		op := doc.Operations[0]
		p, err := plan.New(schema, doc, op)
		if fault.CodeOf(err) == fault.BadUserInput {
			t.Skip("chance nested so many spreads that the document is refused")
		}
		if err != nil {
			t.Fatalf("New: %v in:\n%s", err, text)
		}
		variables := map[string]any{"x": rapid.Bool().Draw(t, "x"), "y": rapid.Bool().Draw(t, "y"), "z": rapid.Bool().Draw(t, "z")}
		reqCtx := &graphql.OperationContext{Doc: doc, Operation: op, Variables: variables}
		want := collected(reqCtx, op.SelectionSet, schema.Query)
		if got := planned(p.Fields(variables), variables); got != want {
			t.Fatalf("plan = %s\nwant   %s\nvariables %v in:\n%s", got, want, variables, text)
		}
	})
}

func collected(c *graphql.OperationContext, set ast.SelectionSet, on *ast.Definition) string {
	var out []string
	for _, f := range graphql.CollectFields(c, set, append([]string{on.Name}, on.Interfaces...)) {
		s := f.Alias + ":" + f.Name
		for _, object := range schema.GetPossibleTypes(schema.Types[f.Definition.Type.Name()]) {
			s += "|" + object.Name + "{" + collected(c, f.Selections, object) + "}"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func planned(fields []*plan.Field, variables map[string]any) string {
	var out []string
	for _, f := range fields {
		s := f.Key + ":" + f.Name()
		for _, object := range schema.GetPossibleTypes(schema.Types[f.Type()]) {
			s += "|" + object.Name + "{" + planned(f.Fields(object.Name, variables), variables) + "}"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

const fragments = 4

func randomDocument(t *rapid.T) string {
	types := []string{"A", "B", "Node"}
	var s strings.Builder
	on := make([]string, fragments)
	for i := range on {
		on[i] = rapid.SampledFrom(types).Draw(t, "on")
	}
	s.WriteString("query($x: Boolean!, $y: Boolean!, $z: Boolean!) {" + randomSelection(t, "Query", 0, 4) + "}")
	for i := range on {
		fmt.Fprintf(&s, "\nfragment F%d on %s {%s}", i, on[i], randomSelection(t, on[i], i+1, 3))
	}
	return s.String()
}

// randomSelection writes fields of a type and fragments from the one of a number on, so that none goes in circles.
func randomSelection(t *rapid.T, on string, from, depth int) string {
	var s strings.Builder
	for range rapid.IntRange(1, 4).Draw(t, "selections") {
		when := rapid.SampledFrom([]string{"", "", "", " @skip(if: $x)", " @include(if: $y)", " @skip(if: $z) @include(if: $x)", " @skip(if: false)", " @include(if: false)"}).Draw(t, "when")
		switch k := rapid.IntRange(0, 5).Draw(t, "kind"); {
		case k == 0 && on != "Query":
			cond := rapid.SampledFrom([]string{"", " on A", " on B", " on Node"}).Draw(t, "condition")
			inner := on
			if cond != "" {
				inner = strings.TrimPrefix(cond, " on ")
			}
			if depth > 0 {
				fmt.Fprintf(&s, " ...%s%s {%s}", cond, when, randomSelection(t, inner, from, depth-1))
			}
		case k == 1 && on != "Query" && from < fragments:
			fmt.Fprintf(&s, " ...F%d%s", rapid.IntRange(from, fragments-1).Draw(t, "fragment"), when)
		default:
			names := []string{"id", "next", "a"}
			if on == "Query" {
				names = []string{"a", "node", "b"}
			}
			name := rapid.SampledFrom(names).Draw(t, "field")
			alias := name + rapid.SampledFrom([]string{"", "1"}).Draw(t, "alias")
			of := schema.Types[on].Fields.ForName(name).Type.Name()
			switch {
			case name == "id":
				fmt.Fprintf(&s, " %s: id%s", alias, when)
			case depth > 0:
				fmt.Fprintf(&s, " %s: %s%s {%s}", alias, name, when, randomSelection(t, of, from, depth-1))
			}
		}
	}
	if strings.TrimSpace(s.String()) == "" {
		if on == "Query" {
			return "b {id}"
		}
		return "id"
	}
	return s.String()
}
