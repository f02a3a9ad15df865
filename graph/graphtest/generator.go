// Package graphtest makes random valid query documents over a schema, and makes those that show a fault smaller.
package graphtest

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// What a document stays within, so that the server's limits never refuse it.
const (
	maxFields   = 300 // written in the document
	maxDepth    = 15
	maxAliases  = 30 // of an operation, fragments spread out
	maxTop      = 13 // root fields of an operation, fragments spread out; the limit is 20, and a few may come that nothing else was left for
	maxRepeats  = 150
	maxWritten  = 1100 // names and values: some 4 tokens each at most
	smallFields = 20   // of one fragment
)

// Generator makes documents. The same seed, index and pool give the same document.
type Generator struct {
	schema *ast.Schema
	seed   uint64
}

// New makes a generator of queries over a schema.
func New(schema *ast.Schema, seed uint64) *Generator { return &Generator{schema, seed} }

// Document makes the document of an index, whatever was made before it. A nil pool is an empty one.
func (g *Generator) Document(index int, pool *Pool) *Document {
	if pool == nil {
		pool = NewPool()
	}
	r := rand.New(rand.NewPCG(g.seed, uint64(index)))
	m := &maker{Rand: r, schema: g.schema, pool: pool, rash: r.Float64() < 0.22, pages: map[*ast.Field]float64{}}
	d := &Document{Seed: g.seed, Index: index, Rash: m.rash, query: &ast.QueryDocument{}, style: r.IntN(styles)}
	m.document(d)
	d.finish()
	return d
}

// Written takes a document of one operation without variables that somebody wrote, for what chance reaches too seldom.
func (g *Generator) Written(text string) (*Document, error) {
	query, errs := gqlparser.LoadQueryWithRules(g.schema, text, rules.NewDefaultRules())
	if len(errs) > 0 {
		return nil, errs
	}
	return &Document{Seed: g.seed, Index: -1, Text: text, query: query, operation: query.Operations[0]}, nil
}

// Again gives the same text with other values of its variables, and maybe another of its operations: what a server keeps of a document must serve
// those too. It is nil where the document knows only one way to be asked.
func (g *Generator) Again(d *Document, pool *Pool) *Document {
	m := &maker{Rand: rand.New(rand.NewPCG(g.seed, ^uint64(d.Index))), schema: g.schema, pool: pool}
	again := *d
	again.Variables = maps.Clone(d.Variables)
	if others := d.query.Operations; len(others) > 1 && d.OperationName != "" {
		again.operation = pick(m, others)
		again.OperationName = again.operation.Name
	}
	other := again.OperationName != d.OperationName
	for _, v := range again.operation.VariableDefinitions {
		if value := m.anotherValue(v, d.Variables[v.Variable]); value != nil {
			other = other || !reflect.DeepEqual(value, d.Variables[v.Variable])
			again.Variables[v.Variable] = value
		}
	}
	if !other {
		return nil
	}
	return &again
}

// anotherValue gives a value that the variable could have as well; nil where what it stands beside would hardly go with another.
func (m *maker) anotherValue(v *ast.VariableDefinition, was any) any {
	t := m.schema.Types[v.Type.Name()]
	sized := strings.HasPrefix(v.Variable, "first") || strings.HasPrefix(v.Variable, "last")
	switch {
	case strings.HasPrefix(v.Variable, "when"):
		return m.chance(0.5)
	case t.Name == "Int" && sized && was != nil:
		return 1 + m.IntN(5)
	case t.Name == "ID" && v.Type.Elem != nil:
		return m.list(m.IntN(6), func() any { return m.id("", true) })
	case t.Name == "ID":
		return m.id("", true)
	case t.Name == "MassUnit" || t.Name == "GwpSet":
		return pick(m, t.EnumValues).Name
	}
	return nil
}

// maker is one document in the making.
type maker struct {
	*rand.Rand
	schema *ast.Schema
	pool   *Pool
	rash   bool // asks for things that are refused, now and then

	left      int // fields that may still be written
	written   int // names and values
	repeats   int
	at        *tally
	fragments []*fragment
	variables []*variable
	pages     map[*ast.Field]float64 // how many rows a list below the field has
	names     int
	kinds     []string // the types that the ids were of that a node was asked for by
}

// tally is what the operation or fragment that is being made amounts to, fragments spread out, and what it may amount to.
type tally struct {
	aliases, maxAliases int
	top, maxTop         int // fields on the outermost level
	height, maxHeight   int // levels of fields
	rows, maxRows       float64
}

// fragment is a fragment that can be spread.
type fragment struct {
	def  *ast.FragmentDefinition
	on   *ast.Definition
	page float64 // rows of the connection that it was made for, where it is one's
	tally
}

func (m *maker) chance(p float64) bool { return m.Float64() < p }

func pick[T any](m *maker, list []T) T { return list[m.IntN(len(list))] }

// name makes a name that the document does not have yet.
func (m *maker) name(like string) string {
	m.names++
	return fmt.Sprintf("%s%d", like, m.names)
}

// document makes the operations, one of which is to be run, and their fragments.
func (m *maker) document(d *Document) {
	operations := 1
	if m.chance(0.12) {
		operations = 2 + m.IntN(2)
	}
	size := math.Exp(m.Float64() * math.Log(maxFields))
	for range operations {
		m.left += int(math.Ceil(size / float64(operations)))
		d.query.Operations = append(d.query.Operations, m.operation(operations > 1 || m.chance(0.3)))
	}
	for _, f := range m.fragments {
		d.query.Fragments = append(d.query.Fragments, f.def)
	}
	m.Shuffle(len(d.query.Fragments), func(i, j int) {
		d.query.Fragments[i], d.query.Fragments[j] = d.query.Fragments[j], d.query.Fragments[i]
	})
	d.operation = pick(m, d.query.Operations)
	if d.operation.Name != "" && (operations > 1 || m.chance(0.5)) {
		d.OperationName = d.operation.Name
	}
	m.define(d)
	if m.rash {
		m.mislead(d)
	}
}

func (m *maker) operation(named bool) *ast.OperationDefinition {
	op := &ast.OperationDefinition{Operation: ast.Query}
	if named {
		op.Name = m.name("Q")
	}
	m.at = &tally{maxAliases: maxAliases, maxTop: maxTop, maxHeight: 3 + m.IntN(6), maxRows: 400}
	if m.chance(0.1) {
		m.at.maxHeight = maxDepth
	}
	if m.chance(0.1) {
		m.at.maxRows = 4000
	}
	op.SelectionSet = m.selection(newScope(), m.schema.Query, 0, 1, 1)
	return op
}

// define declares the variables that each operation uses, and gives their values.
func (m *maker) define(d *Document) {
	d.Variables = map[string]any{}
	byName := map[string]*variable{}
	for _, v := range m.variables {
		byName[v.name] = v
	}
	for _, op := range d.query.Operations {
		names := d.used(op)
		m.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for _, name := range names {
			v := byName[name]
			op.VariableDefinitions = append(op.VariableDefinitions, &ast.VariableDefinition{Variable: name, Type: v.typ, DefaultValue: v.fallback})
			if v.given {
				d.Variables[name] = v.value
			}
		}
	}
	if m.chance(0.03) {
		d.Variables["nobodyAsked"] = m.IntN(10)
	}
}

// mislead sends, now and then, a value of another type, too few values, or the name of no operation.
func (m *maker) mislead(d *Document) {
	switch defs := d.operation.VariableDefinitions; {
	case m.chance(0.03):
		d.OperationName = "Nobody"
	case len(defs) > 0 && m.chance(0.05):
		delete(d.Variables, pick(m, defs).Variable)
	case len(defs) > 0 && m.chance(0.1):
		v := pick(m, defs)
		d.Variables[v.Variable] = pick(m, []any{nil, "text", 7, 1.5, -1, true, []any{}, []any{nil}, []any{"x", 1}, map[string]any{}, map[string]any{"nope": 1}})
	}
}

// conditions are the types that a fragment may stand on: the type itself, what it implements, what it can be. Where nodes were asked for by their ids,
// mostly those that they are.
func (m *maker) conditions(on *ast.Definition) []*ast.Definition {
	if on.Kind == ast.Interface && len(m.kinds) > 0 && m.chance(0.7) {
		if t := m.schema.Types[pick(m, m.kinds)]; t != nil {
			return []*ast.Definition{t}
		}
	}
	list := []*ast.Definition{on}
	list = append(list, m.schema.GetImplements(on)...)
	if on.IsAbstractType() {
		list = append(list, m.schema.GetPossibleTypes(on)...)
	}
	slices.SortFunc(list[1:], func(a, b *ast.Definition) int { return compare(a.Name, b.Name) })
	return list
}

// overlap tells whether a value can be of both types.
func (m *maker) overlap(a, b *ast.Definition) bool {
	if a == b {
		return true
	}
	for _, t := range m.schema.GetPossibleTypes(a) {
		if t == b || slices.Contains(m.schema.GetPossibleTypes(b), t) {
			return true
		}
	}
	return slices.Contains(m.schema.GetPossibleTypes(b), a)
}
