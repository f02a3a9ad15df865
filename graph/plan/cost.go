package plan

import (
	"encoding/json"
	"strings"
)

// defaultPage is how many rows a connection gives where neither first nor last says so; the schema's descriptions promise it.
const defaultPage = 50

// largestPage is what counts where more is asked for: the field refuses that, in its own words.
const largestPage = 500

// maxCost is where counting stops.
const maxCost = 1 << 40

// Cost is how many rows the operation may have to read and show with these variables: a point for each object of each page, and for each object
// that a row leads to. It is known before anything is read.
func (p *Plan) Cost(variables map[string]any) int {
	if p.fixedCost >= 0 {
		return p.fixedCost
	}
	cost := 0
	for _, f := range p.Fields(variables) {
		cost = min(cost+f.cost(1, variables), maxCost)
	}
	return cost
}

// cost is that of the field on so many objects.
func (f *Field) cost(objects int, variables map[string]any) int {
	if f.children == nil {
		return 0
	}
	rows := objects
	if list := f.Definition.Type.Elem != nil; list {
		rows = min(objects*f.listed(variables), maxCost)
	}
	cost := rows
	most := 0
	for object := range f.children {
		below := 0
		if strings.HasSuffix(object, "Connection") {
			below = f.page(object, rows, variables)
		} else {
			for _, child := range f.Fields(object, variables) {
				below = min(below+child.cost(rows, variables), maxCost)
			}
		}
		most = max(most, below)
	}
	return min(cost+most, maxCost)
}

// page is the cost of a connection on so many objects: its rows once, and whatever is below them.
func (f *Field) page(object string, objects int, variables map[string]any) int {
	rows := min(objects*f.size(variables), maxCost)
	cost := 0
	for _, part := range f.Fields(object, variables) {
		switch part.Name() {
		case "nodes":
			cost = min(cost+part.below(rows, variables), maxCost)
		case "edges":
			for _, node := range part.Fields(part.Type(), variables) {
				cost = min(cost+node.below(rows, variables), maxCost)
			}
		case "totalCount", "totals":
			cost = min(cost+objects, maxCost)
		}
	}
	return min(cost+rows, maxCost)
}

// below is the cost of what is selected below a field that so many objects are shown by.
func (f *Field) below(objects int, variables map[string]any) int {
	cost := 0
	for object := range f.children {
		for _, child := range f.Fields(object, variables) {
			cost = min(cost+child.cost(objects, variables), maxCost)
		}
	}
	return cost
}

// sizes are the arguments that say how many rows there may be.
var sizes = []string{"first", "last", "ids"}

// size is how many rows a page has at most.
func (f *Field) size(variables map[string]any) int {
	args := f.Args(variables)
	for _, name := range sizes[:2] {
		if n, ok := number(args[name]); ok {
			return min(max(n, 0), largestPage)
		}
	}
	return defaultPage
}

// listed is how many objects a list holds: as many as ids were given, or one for what is part of a row.
func (f *Field) listed(variables map[string]any) int {
	if ids, ok := f.Args(variables)["ids"].([]any); ok {
		return len(ids)
	}
	return 1
}

func number(v any) (int, bool) {
	switch v := v.(type) {
	case json.Number:
		n, err := v.Int64()
		return int(min(n, maxCost)), err == nil
	case int64:
		return int(min(v, maxCost)), true
	case int:
		return min(v, maxCost), true
	}
	return 0, false
}
