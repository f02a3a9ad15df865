package plan

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Policy is what an answer hangs on, and for how long it may be kept. It counts everything that the operation can select, whatever its variables leave out.
type Policy struct {
	// Types are the types whose rows the answer is made of, sorted: it stays right while no row of them changes. A list hangs on rows that are not in it yet.
	Types []string
	// MaxAge is for how many seconds an answer may be kept, and StaleWhileRevalidate for how many more while a new one is made: the least that anything
	// selected allows by @cacheControl. A mutation, introspection, and what nothing is said of: 0.
	MaxAge, StaleWhileRevalidate int
	// Private tells that the answer is one organization's.
	Private bool
}

// hangsOn tells which rows, beside its own, a type is made of.
var hangsOn = map[string][]string{
	"EmissionFactor":   {"FactorDataset"}, // whose potentials its value goes by
	"FactorSuggestion": {"EmissionFactor", "FactorDataset"},
	"FootprintTotals":  {"Emission"},
	"FootprintRow":     {"Emission"},
	"RunDifference":    {"RunDifference"}, // they are made with their run, and have no id of their own
	// They have no id of their own, and are rows all the same. A year is there where a line is, and tells how its sums have changed.
	"ReportingYear":     {"ReportingYear", "Activity", "Emission"},
	"CategoryStatement": {"CategoryStatement"},
}

// policy reads the hints of everything planned.
func (b *builder) policy() Policy {
	p := &policing{builder: b, types: map[string]bool{}}
	p.group(&b.plan.root)
	if !p.hinted || b.plan.Operation.Operation != ast.Query {
		p.MaxAge, p.StaleWhileRevalidate = 0, 0
	}
	p.Types = slices.Sorted(maps.Keys(p.types))
	return p.Policy
}

// policing is a policy on the way.
type policing struct {
	*builder
	Policy
	types  map[string]bool
	hinted bool
}

func (p *policing) group(g *group) {
	for _, f := range g.fields {
		if strings.HasPrefix(f.Name(), "__") && f.Name() != "__typename" { // what it shows depends on rights, not on rows
			p.allow(0, 0)
		}
		own := f.Definition.Directives.ForName("cacheControl")
		p.hint(own)
		for object, below := range f.children {
			d := p.schema.Types[object]
			p.reads(d)
			if own == nil {
				p.hint(p.rowsOf(d).Directives.ForName("cacheControl"))
			}
			p.group(below)
		}
	}
}

// reads notes whose rows an object is made of.
func (p *policing) reads(object *ast.Definition) {
	row := p.rowsOf(object)
	if slices.Contains(row.Interfaces, "Node") {
		p.types[row.Name] = true
	}
	for _, name := range hangsOn[row.Name] {
		p.types[name] = true
	}
}

// rowsOf gives the type of a connection's rows; any other type is its own. A connection hangs on its rows even where it only counts them.
func (p *policing) rowsOf(object *ast.Definition) *ast.Definition {
	if nodes := object.Fields.ForName("nodes"); nodes != nil && strings.HasSuffix(object.Name, "Connection") {
		return p.schema.Types[nodes.Type.Name()]
	}
	return object
}

// hint takes what one @cacheControl allows.
func (p *policing) hint(d *ast.Directive) {
	if d == nil {
		return
	}
	seconds := func(name string) int {
		if a := d.Arguments.ForName(name); a != nil {
			n, err := strconv.Atoi(a.Value.Raw)
			if err == nil && n > 0 {
				return n
			}
		}
		return 0
	}
	p.allow(seconds("maxAge"), seconds("staleWhileRevalidate"))
	if a := d.Arguments.ForName("scope"); a != nil && a.Value.Raw == "PRIVATE" {
		p.Private = true
	}
}

// allow keeps the least of what is allowed.
func (p *policing) allow(maxAge, stale int) {
	if p.hinted {
		maxAge, stale = min(maxAge, p.MaxAge), min(stale, p.StaleWhileRevalidate)
	}
	p.MaxAge, p.StaleWhileRevalidate, p.hinted = maxAge, stale, true
}
