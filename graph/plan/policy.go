package plan

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Policy is what an answer hangs on, and for how long it may be kept. It counts everything that the operation can select, whatever its variables leave out, and every
// row that a node may be; Reads tells more closely.
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
	// A union: errors hang on the same, since an id or a key may mean a factor tomorrow.
	"EstimateResult": {"EmissionFactor", "FactorDataset", "Organization"},
}

// narrowed are the objects below which rows are of the same calendar years and suppliers as above: an emission is of its activity's, and a group and its sums are of the
// lines that the filter of the footprint lets in.
var narrowed = map[string]bool{
	"Activity": true, "ActivityConnection": true, "ActivityEdge": true,
	"Emission": true, "EmissionConnection": true, "EmissionEdge": true,
	"FootprintConnection": true, "FootprintEdge": true, "FootprintRow": true, "FootprintTotals": true,
}

// parted tells whether the rows of a type are counted by their calendar years and suppliers too.
func parted(kind string) bool { return kind == "Activity" || kind == "Emission" }

// hanging is what a selection hangs on, as far as it is known before the variables are.
type hanging struct {
	hint
	types map[string]bool // of which all rows count
	some  []some          // and of which only some do
	order []*Field        // whose rows may be asked for in the order of sums
	nodes []*either       // what may be of any type, until its id is known
}

// some are the rows of a type that a scope lets in.
type some struct {
	kind string
	scope
}

// scope narrows rows to some years or suppliers.
type scope struct {
	filter *Field // by whose filter; nil: by none
	owner  bool   // they are of the supplier that a field names by its id: the node that they stand below
}

// either is a field that shows rows by their global ids, and what those of each type hang on.
type either struct {
	field *Field
	by    map[string]*hanging
}

// hint is for how long, and for whom, what was looked at may be kept.
type hint struct {
	maxAge, stale   int
	hinted, private bool
}

// allow keeps the least of what is allowed.
func (h *hint) allow(maxAge, stale int) {
	if h.hinted {
		maxAge, stale = min(maxAge, h.maxAge), min(stale, h.stale)
	}
	h.maxAge, h.stale, h.hinted = maxAge, stale, true
}

// meet takes another in.
func (h *hint) meet(o hint) {
	if o.hinted {
		h.allow(o.maxAge, o.stale)
	}
	h.private = h.private || o.private
}

// policy reads the hints of everything planned.
func (b *builder) policy() Policy {
	b.plan.hanging = &hanging{types: map[string]bool{}}
	(&policing{b, b.plan.hanging}).group(&b.plan.root, scope{})
	all := &hanging{types: map[string]bool{}}
	all.unite(b.plan.hanging)
	if !all.hinted || b.plan.Operation.Operation != ast.Query {
		all.maxAge, all.stale = 0, 0
	}
	return Policy{Types: slices.Sorted(maps.Keys(all.types)), MaxAge: all.maxAge, StaleWhileRevalidate: all.stale, Private: all.private}
}

// unite takes in all that another may hang on.
func (h *hanging) unite(o *hanging) {
	h.meet(o.hint)
	maps.Copy(h.types, o.types)
	for _, s := range o.some {
		h.types[s.kind] = true
	}
	for _, f := range o.order {
		if !f.Fixed() || bySums(f.Args(nil)) {
			h.types["Emission"] = true
		}
	}
	for _, n := range o.nodes {
		for _, of := range n.by {
			h.unite(of)
		}
	}
}

// policing finds what a selection hangs on.
type policing struct {
	*builder
	*hanging
}

// group looks at a selection whose rows are those that a scope lets in.
func (p *policing) group(g *group, in scope) {
	for _, f := range g.fields {
		if strings.HasPrefix(f.Name(), "__") && f.Name() != "__typename" { // what it shows depends on rights, not on rows
			p.allow(0, 0)
		}
		own := f.Definition.Directives.ForName("cacheControl")
		p.take(own)
		below := in.under(f)
		if p.schema.Types[f.Type()].Kind == ast.Union {
			for _, name := range hangsOn[f.Type()] {
				p.read(name, below)
			}
		}
		if f.ordersBySums() {
			p.order = append(p.order, f)
		}
		at := p
		var any *either
		if f.Type() == "Node" && (f.Definition.Arguments.ForName("id") != nil || f.Definition.Arguments.ForName("ids") != nil) {
			any = &either{f, map[string]*hanging{}}
			p.nodes = append(p.nodes, any)
		}
		for object, selected := range f.children {
			below := below
			if any != nil {
				at = &policing{p.builder, &hanging{types: map[string]bool{}}}
				any.by[object] = at.hanging
				below = scope{owner: object == "Supplier"}
			}
			d := p.schema.Types[object]
			at.reads(d, below)
			if own == nil {
				at.take(p.rowsOf(d).Directives.ForName("cacheControl"))
			}
			at.group(selected, below)
		}
	}
}

// under is the scope of the rows that a field of the scope's rows shows. A supplier's lines are its own, and so is what they show but for suppliers: an emission that was
// superseded may be of another.
func (in scope) under(f *Field) scope {
	out := scope{owner: in.owner && (f.Object == "Supplier" || narrowed[f.Object]) && f.Type() != "Supplier"}
	switch {
	case f.filters():
		out.filter = f
	case narrowed[f.Object]:
		out.filter = in.filter
	}
	return out
}

// filters tells whether a field's rows can be narrowed to days.
func (f *Field) filters() bool {
	a := f.Definition.Arguments.ForName("filter")
	return a != nil && f.schema.Types[a.Type.Name()].Fields.ForName("occurredFrom") != nil
}

// ordersBySums tells whether a field's rows can be asked for in the order of the emissions that they come to. They carry these sums, and are not changed by them otherwise.
func (f *Field) ordersBySums() bool {
	a := f.Definition.Arguments.ForName("orderBy")
	return a != nil && f.schema.Types[a.Type.Name()].Name == "SupplierOrder"
}

// bySums tells whether arguments ask for that order.
func bySums(args map[string]any) bool {
	by, _ := args["orderBy"].(map[string]any)
	return by["field"] == "CO2E"
}

// reads notes whose rows an object is made of.
func (p *policing) reads(object *ast.Definition, in scope) {
	row := p.rowsOf(object)
	if slices.Contains(row.Interfaces, "Node") {
		p.read(row.Name, in)
	}
	for _, name := range hangsOn[row.Name] {
		p.read(name, in)
	}
}

func (p *policing) read(kind string, in scope) {
	if in != (scope{}) && parted(kind) || in.owner && kind == "Supplier" {
		p.some = append(p.some, some{kind, in})
		return
	}
	p.types[kind] = true
}

// rowsOf gives the type of a connection's rows; any other type is its own. A connection hangs on its rows even where it only counts them.
func (p *policing) rowsOf(object *ast.Definition) *ast.Definition {
	if nodes := object.Fields.ForName("nodes"); nodes != nil && strings.HasSuffix(object.Name, "Connection") {
		return p.schema.Types[nodes.Type.Name()]
	}
	return object
}

// take takes what one @cacheControl allows.
func (p *policing) take(d *ast.Directive) {
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
		p.private = true
	}
}
