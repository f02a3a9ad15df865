package graphtest

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// How much of what answers hold is kept.
const (
	maxIDs       = 400 // of a type
	maxQuestions = 150 // of a field
	maxCursors   = 12  // of a question
)

// Pool is what documents ask for: ids, words for filters, and cursors of earlier answers.
type Pool struct {
	ids     map[string][]string // by type
	nobody  map[string][]string // ids that name no row that the viewer can see
	words   map[string][]string // by argument
	cursors map[string][]*question
}

// question is a connection as it was asked for, and cursors of its answer.
type question struct {
	args    map[string]any
	key     string
	cursors []string
}

// NewPool makes an empty pool.
func NewPool() *Pool {
	return &Pool{ids: map[string][]string{}, nobody: map[string][]string{}, words: map[string][]string{}, cursors: map[string][]*question{}}
}

// Clone makes a pool of its own with the same content.
func (p *Pool) Clone() *Pool {
	c := NewPool()
	maps.Copy(c.words, p.words)
	maps.Copy(c.nobody, p.nobody)
	for kind, list := range p.ids {
		c.ids[kind] = slices.Clone(list)
	}
	for at, list := range p.cursors {
		for _, q := range list {
			c.cursors[at] = append(c.cursors[at], &question{q.args, q.key, slices.Clone(q.cursors)})
		}
	}
	return c
}

// Strangers adds ids of a type that name no row that the viewer can see.
func (p *Pool) Strangers(kind string, ids ...string) { p.nobody[kind] = append(p.nobody[kind], ids...) }

// IDs adds ids of rows of a type.
func (p *Pool) IDs(kind string, ids ...string) {
	for _, id := range ids {
		if len(p.ids[kind]) < maxIDs && !slices.Contains(p.ids[kind], id) {
			p.ids[kind] = append(p.ids[kind], id)
		}
	}
}

// Words adds values that a filter or an argument of this name can be given.
func (p *Pool) Words(argument string, words ...string) {
	p.words[argument] = append(p.words[argument], words...)
}

// Cursors tells how many cursors there are.
func (p *Pool) Cursors() (n int) {
	for _, list := range p.cursors {
		for _, q := range list {
			n += len(q.cursors)
		}
	}
	return n
}

// Harvest takes ids and cursors from what a document was answered. What is no answer gives nothing, nor does a rash document: its values may not be of their types.
func (p *Pool) Harvest(g *Generator, d *Document, data json.RawMessage) {
	if !d.Rash {
		read(g, d, data, p, nil)
	}
}

// read walks through an answer and tells pool or sights of what is there.
func read(g *Generator, d *Document, data json.RawMessage, p *Pool, s *Sights) {
	var root map[string]any
	if json.Unmarshal(data, &root) == nil {
		h := &harvest{p, s, g.schema, d}
		h.object(g.schema.Query, []scopedSet{{g.schema.Query, d.operation.SelectionSet}}, root, nil)
	}
}

// harvest reads one answer.
type harvest struct {
	*Pool          // nil: nobody asks
	sights *Sights // nil: nobody asks
	schema *ast.Schema
	d      *Document
}

type scopedSet struct {
	on  *ast.Definition
	set ast.SelectionSet
}

// asked is a name of an answer, and the field that it stands for.
type asked struct {
	on    *ast.Definition
	field *ast.Field
	below []scopedSet
	mixed bool // on other objects it stands for another
}

// collect gathers what the selections ask for, fragments spread out, in their order.
func (h *harvest) collect(sets []scopedSet, order []string, found map[string]*asked) []string {
	for _, s := range sets {
		for _, sel := range s.set {
			switch sel := sel.(type) {
			case *ast.InlineFragment:
				on := s.on
				if sel.TypeCondition != "" {
					on = h.schema.Types[sel.TypeCondition]
				}
				order = h.collect([]scopedSet{{on, sel.SelectionSet}}, order, found)
			case *ast.FragmentSpread:
				f := h.d.query.Fragments.ForName(sel.Name)
				order = h.collect([]scopedSet{{h.schema.Types[f.TypeCondition], f.SelectionSet}}, order, found)
			case *ast.Field:
				a := found[sel.Alias]
				if a == nil {
					a = &asked{on: s.on, field: sel}
					found[sel.Alias] = a
					order = append(order, sel.Alias)
				}
				a.mixed = a.mixed || a.on != s.on || a.field.Name != sel.Name
				if def := definition(s.on, sel.Name); def != nil && len(sel.SelectionSet) > 0 {
					a.below = append(a.below, scopedSet{h.schema.Types[def.Type.Name()], sel.SelectionSet})
				}
			}
		}
	}
	return order
}

// object reads the fields of one object. Of is the connection that it is a part of.
func (h *harvest) object(on *ast.Definition, sets []scopedSet, object map[string]any, of *question) {
	found := map[string]*asked{}
	for _, name := range h.collect(sets, nil, found) {
		a := found[name]
		value, ok := object[name]
		if !ok {
			continue
		}
		if h.sights != nil && !a.mixed {
			h.sights.see(a.on.Name+"."+a.field.Name, value)
		}
		text, isText := value.(string)
		switch {
		case isText && h.Pool == nil:
		case isText && a.field.Name == "id" && a.on.Kind == ast.Object && !a.mixed:
			h.IDs(a.on.Name, text)
		case isText && of != nil && strings.HasSuffix(strings.ToLower(a.field.Name), "cursor"):
			h.cursor(of, text)
		case value != nil && len(a.below) > 0:
			h.below(a, value, of)
		}
	}
}

// below reads what stands below a field: one object, or a list of them.
func (h *harvest) below(a *asked, value any, of *question) {
	def := definition(a.on, a.field.Name)
	switch {
	case h.Pool == nil || def.Arguments.ForName("after") != nil && a.mixed:
		of = nil
	case def.Arguments.ForName("after") != nil:
		of = h.question(a)
	case a.field.Name != "edges" && a.field.Name != "pageInfo":
		of = nil
	}
	on := h.schema.Types[def.Type.Name()]
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	for _, item := range list {
		if object, ok := item.(map[string]any); ok {
			h.object(on, a.below, object, of)
		}
	}
}

// question finds the connection among those that were asked before; nil where there is no room for more.
func (h *harvest) question(a *asked) *question {
	args := map[string]any{}
	for _, arg := range a.field.Arguments {
		if v, ok := h.plain(arg.Value); ok && !slices.Contains([]string{"first", "last", "after", "before"}, arg.Name) {
			args[arg.Name] = v
		}
	}
	text, err := json.Marshal(args)
	if err != nil {
		return nil
	}
	at := a.on.Name + "." + a.field.Name
	for _, q := range h.cursors[at] {
		if q.key == string(text) {
			return q
		}
	}
	if len(h.cursors[at]) >= maxQuestions {
		return nil
	}
	return &question{args: args, key: at + "\n" + string(text)}
}

// cursor keeps a cursor of a question.
func (h *harvest) cursor(q *question, text string) {
	if at, key, fresh := strings.Cut(q.key, "\n"); fresh {
		q.key = key
		h.cursors[at] = append(h.cursors[at], q)
	}
	if len(q.cursors) < maxCursors && !slices.Contains(q.cursors, text) {
		q.cursors = append(q.cursors, text)
	}
}

// plain gives the value of an argument as the server sees it; false where a variable is not given.
func (h *harvest) plain(v *ast.Value) (any, bool) {
	switch v.Kind {
	case ast.Variable:
		if value, ok := h.d.Variables[v.Raw]; ok {
			return value, true
		}
		if def := h.d.operation.VariableDefinitions.ForName(v.Raw); def != nil && def.DefaultValue != nil {
			return h.plain(def.DefaultValue)
		}
		return nil, false
	case ast.ListValue:
		list := make([]any, len(v.Children))
		for i, c := range v.Children {
			list[i], _ = h.plain(c.Value)
		}
		return list, true
	case ast.ObjectValue:
		object := map[string]any{}
		for _, c := range v.Children {
			if x, ok := h.plain(c.Value); ok {
				object[c.Name] = x
			}
		}
		return object, true
	case ast.IntValue:
		n, err := strconv.Atoi(v.Raw)
		return n, err == nil
	case ast.NullValue:
		return nil, true
	case ast.BooleanValue:
		return v.Raw == "true", true
	}
	return v.Raw, true
}
