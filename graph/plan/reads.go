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
	// which nobody knows the year ("Emission/*").
	Subjects                     []string
	MaxAge, StaleWhileRevalidate int // seconds
	Private                      bool
}

// mostYears is how many calendar years of a type are counted one by one.
const mostYears = 12

// Reads tells what an answer hangs on. Kind tells of a global id which type's row it names, empty where it is none.
func (p *Plan) Reads(variables map[string]any, kind func(id string) string) Reads {
	if p.Operation.Operation != ast.Query {
		return Reads{Private: true}
	}
	r := reading{variables: variables, kind: kind, subjects: map[string]bool{}}
	r.add(p.hanging)
	for subject := range r.subjects {
		for _, year := range r.years[subject] { // the whole type stands for its years
			delete(r.subjects, year)
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
	kind      func(id string) string
	subjects  map[string]bool
	years     map[string][]string // by type: those of its years that are among the subjects
}

func (r *reading) add(h *hanging) {
	r.meet(h.hint)
	for kind := range h.types {
		r.subjects[kind] = true
	}
	for _, y := range h.years {
		r.within(y)
	}
	for _, f := range h.order {
		if bySums(f.Args(r.variables)) {
			r.subjects["Emission"] = true
		}
	}
	for _, n := range h.nodes {
		for _, id := range ids(n.field.Args(r.variables)) {
			if of := n.by[r.kind(id)]; of != nil {
				r.add(of)
			} else { // no row, or one that nothing is said of
				r.allow(0, 0)
			}
		}
	}
}

// within adds the years that a filter lets in; where it has no end on either side, all.
func (r *reading) within(y within) {
	filter, _ := y.filter.Args(r.variables)["filter"].(map[string]any)
	from, begun := yearOf(filter["occurredFrom"])
	to, ended := yearOf(filter["occurredTo"])
	if !begun || !ended || to-from >= mostYears {
		r.subjects[y.kind] = true
		return
	}
	if r.years == nil {
		r.years = map[string][]string{}
	}
	r.year(y.kind, "*")
	for year := from; year <= to; year++ {
		r.year(y.kind, strconv.Itoa(year))
	}
}

func (r *reading) year(kind, year string) {
	subject := kind + "/" + year
	r.subjects[subject] = true
	r.years[kind] = append(r.years[kind], subject)
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
