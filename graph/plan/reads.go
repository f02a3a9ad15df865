package plan

import (
	"maps"
	"slices"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
)

// Reads is what the answer to an operation with its variables hangs on, and for how long it may be kept.
type Reads struct {
	// Subjects are what its versions count, sorted: a type ("Supplier"), or, where only some calendar years of it count, those ("Emission/2024") and the changes of
	// which nobody knows the year ("Emission/*"), or, where only some suppliers do, their parts ("Emission/@1f", "Emission/@*").
	Subjects                     []string
	MaxAge, StaleWhileRevalidate int // seconds
	Private                      bool
}

// Row is what a global id names.
type Row struct {
	Kind string // its type; empty where it names no row
	Part string // of a supplier, the part of the organization's suppliers that it is in
}

// What is counted where nobody told the parts of what was changed.
const (
	anyYear     = "*"
	anySupplier = "@*"
)

// mostParts is how many calendar years of a type, or suppliers, are counted one by one.
const mostParts = 12

// Reads tells what an answer hangs on. Row tells what a global id names.
func (p *Plan) Reads(variables map[string]any, row func(id string) Row) Reads {
	if p.Operation.Operation != ast.Query {
		return Reads{Private: true}
	}
	r := reading{variables: variables, row: row, subjects: map[string]bool{}}
	r.add(p.hanging, "")
	for subject := range r.subjects {
		for _, part := range r.parts[subject] { // the whole type stands for its parts
			delete(r.subjects, part)
		}
	}
	out := Reads{Subjects: slices.Sorted(maps.Keys(r.subjects)), Private: r.private}
	if r.hinted {
		out.MaxAge, out.StaleWhileRevalidate = r.maxAge, r.stale
	}
	return out
}

// reading is Reads on the way.
type reading struct {
	hint
	variables map[string]any
	row       func(id string) Row
	subjects  map[string]bool
	parts     map[string][]string // by type: those of its parts that are among the subjects
}

// add takes in what a selection hangs on; owner is the part of the supplier that it is below.
func (r *reading) add(h *hanging, owner string) {
	r.meet(h.hint)
	for kind := range h.types {
		r.subjects[kind] = true
	}
	for _, s := range h.some {
		r.some(s, owner)
	}
	for _, f := range h.order {
		if bySums(f.Args(r.variables)) {
			r.subjects["Emission"] = true
		}
	}
	for _, n := range h.nodes {
		for _, id := range ids(n.field.Args(r.variables)) {
			row := r.row(id)
			if of := n.by[row.Kind]; of != nil {
				r.add(of, row.Part)
			} else { // no row, or one that nothing is said of
				r.allow(0, 0)
			}
		}
	}
}

// some adds the parts of a type that a scope lets in: the suppliers, which are fewer than those of a year, or else the years; where it bounds neither, the whole type.
func (r *reading) some(s some, owner string) {
	var filter map[string]any
	if s.filter != nil {
		filter, _ = s.filter.Args(r.variables)["filter"].(map[string]any)
	}
	switch {
	case filter["includeSuperseded"] == true: // the line may be of another year and supplier by now
	case s.owner:
		r.part(s.kind, anySupplier, owner)
		return
	case r.suppliers(s.kind, filter) || r.years(s.kind, filter):
		return
	}
	r.subjects[s.kind] = true
}

// suppliers adds the parts of the suppliers that a filter names, unless it names none, or too many. An id of anything else matches nothing.
func (r *reading) suppliers(kind string, filter map[string]any) bool {
	list, _ := filter["supplierIds"].([]any)
	if len(list) == 0 || len(list) > mostParts {
		return false
	}
	r.part(kind, anySupplier)
	for _, id := range list {
		id, _ := id.(string)
		if row := r.row(id); row.Kind == "Supplier" {
			r.part(kind, row.Part)
		}
	}
	return true
}

// years adds the years between the days of a filter, unless it has no end on either side, or there are too many.
func (r *reading) years(kind string, filter map[string]any) bool {
	from, begun := yearOf(filter["occurredFrom"])
	to, ended := yearOf(filter["occurredTo"])
	if !begun || !ended || to-from >= mostParts {
		return false
	}
	r.part(kind, anyYear)
	for year := from; year <= to; year++ {
		r.part(kind, strconv.Itoa(year))
	}
	return true
}

func (r *reading) part(kind string, parts ...string) {
	if r.parts == nil {
		r.parts = map[string][]string{}
	}
	for _, part := range parts {
		subject := kind + "/" + part
		r.subjects[subject] = true
		r.parts[kind] = append(r.parts[kind], subject)
	}
}

// yearOf reads the year of a day, "2024-05-31".
func yearOf(v any) (int, bool) {
	s, _ := v.(string)
	if len(s) != len("2024-05-31") || s[4] != '-' {
		return 0, false
	}
	n, err := strconv.ParseUint(s[:4], 10, 16)
	return int(n), err == nil
}

// ids are the global ids among arguments.
func ids(args map[string]any) (all []string) {
	if id, ok := args["id"].(string); ok {
		all = append(all, id)
	}
	list, _ := args["ids"].([]any)
	for _, item := range list {
		if id, ok := item.(string); ok {
			all = append(all, id)
		}
	}
	return all
}
