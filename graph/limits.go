package graph

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/lexer"

	"carbongraph/internal/fault"
)

// Limits bound what a document may ask before anything of it is validated or run. Zero turns a limit off.
type Limits struct {
	Body       int64 // bytes of a request
	List       int   // operations of a request that is a list
	Tokens     int   // of a document
	Nesting    int   // of fields
	Aliases    int   // counted as often as their fragment is spread
	RootFields int   // of one operation
	Directives int   // on one field, fragment or operation
	// Repeats is how many fields of a document may stand beside one of the same response name. Validation compares each such pair,
	// and what stands below it, so that without this limit 5,000 tokens keep a core busy for seconds.
	Repeats int
	// Operations is how many run on one WebSocket at once.
	Operations int
	// Cost is how many points an operation may cost, as the schema, its plan and its variables tell before it runs.
	Cost int
}

// size is what a selection amounts to with its fragments spread out.
type size struct{ depth, aliases, fields int }

// measure walks a document. Each fragment is measured once, however often it is spread, so that the time is linear in the document.
type measure struct {
	fragments  map[string]size
	walking    map[string]bool
	doc        *ast.QueryDocument
	directives int // the most on one place
	repeats    int
	at         *ast.Position
}

// huge stands for any number past every limit: sums stop there instead of running over.
const huge = 1 << 30

// check refuses a document that is past a limit.
func (l Limits) check(doc *ast.QueryDocument) *gqlerror.Error {
	m := &measure{fragments: map[string]size{}, walking: map[string]bool{}, doc: doc}
	for _, op := range doc.Operations {
		m.count(op.Directives, op.Position)
		s := m.set(op.SelectionSet, map[string]bool{})
		switch {
		case over(s.depth, l.Nesting):
			return tooMuch(op.Position, "The document nests fields %s levels deep; at most %d are allowed.", s.depth, l.Nesting)
		case over(s.aliases, l.Aliases):
			return tooMuch(op.Position, "The operation has %s aliases, fragments spread out; at most %d are allowed.", s.aliases, l.Aliases)
		case over(s.fields, l.RootFields):
			return tooMuch(op.Position, "The operation asks for %s root fields; at most %d are allowed.", s.fields, l.RootFields)
		}
	}
	for _, f := range doc.Fragments { // also those that no operation spreads
		m.count(f.Directives, f.Position)
		m.fragment(f.Name)
	}
	if over(m.directives, l.Directives) {
		return tooMuch(m.at, "One place has %s directives; at most %d are allowed.", m.directives, l.Directives)
	}
	if over(m.repeats, l.Repeats) {
		return tooMuch(nil, "The document repeats %s fields beside themselves; at most %d are allowed.", m.repeats, l.Repeats)
	}
	return nil
}

// tokens counts the tokens of a document, up to one past the limit. What is not readable counts as far as it is.
func tokens(text string, limit int) int {
	l := lexer.New(&ast.Source{Input: text})
	for n := 0; ; n++ {
		if t, err := l.ReadToken(); err != nil || t.Kind == lexer.EOF || over(n, limit) {
			return n
		}
	}
}

func over(n, limit int) bool { return limit > 0 && n > limit }

func tooMuch(at *ast.Position, format string, n, limit int) *gqlerror.Error {
	return refuseAt(at, fault.CostLimitExceeded, format, counted(n), limit)
}

// set measures a selection. Names are the response names that were met beside it; those in its inline fragments stand beside it too.
func (m *measure) set(set ast.SelectionSet, names map[string]bool) size {
	var s size
	for _, sel := range set {
		var one size
		switch sel := sel.(type) {
		case *ast.Field:
			if names[sel.Alias] {
				m.repeats++
			}
			names[sel.Alias] = true
			m.count(sel.Directives, sel.Position)
			below := m.set(sel.SelectionSet, map[string]bool{})
			one = size{depth: below.depth + 1, aliases: below.aliases, fields: 1}
			if sel.Alias != sel.Name { // the parser fills in the name where there is no alias
				one.aliases++
			}
		case *ast.InlineFragment:
			m.count(sel.Directives, sel.Position)
			one = m.set(sel.SelectionSet, names)
		case *ast.FragmentSpread:
			m.count(sel.Directives, sel.Position)
			one = m.fragment(sel.Name)
		}
		s.depth = max(s.depth, one.depth)
		s.aliases = min(s.aliases+one.aliases, huge)
		s.fields = min(s.fields+one.fields, huge)
	}
	return s
}

// fragment measures a fragment once. One that spreads itself counts nothing there: validation refuses it.
func (m *measure) fragment(name string) size {
	if s, ok := m.fragments[name]; ok || m.walking[name] {
		return s
	}
	def := m.doc.Fragments.ForName(name)
	if def == nil {
		return size{}
	}
	m.walking[name] = true
	s := m.set(def.SelectionSet, map[string]bool{})
	delete(m.walking, name)
	m.fragments[name] = s
	return s
}

func (m *measure) count(d ast.DirectiveList, at *ast.Position) {
	if len(d) > m.directives {
		m.directives, m.at = len(d), at
	}
}
