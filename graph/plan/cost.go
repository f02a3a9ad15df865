package plan

// maxCost is where counting stops.
const maxCost = 1 << 40

// Cost is what the operation may take with these variables, in points, by the weights and list sizes of the schema: for each field its own weight, and for each
// object that it may show the weight of the object's type and the cost of its selection. It is known before anything is read.
func (p *Plan) Cost(variables map[string]any) int {
	if p.fixedCost >= 0 {
		return p.fixedCost
	}
	return p.root.cost(nil, 0, variables)
}

// cost is that of the selection on one object, which the field gives; page is how many rows its sized lists have.
func (g *group) cost(of *Field, page int, variables map[string]any) int {
	cost, rows := 0, 0
	for _, f := range g.fields {
		switch {
		case !f.Selected(variables):
		case f.sized:
			rows = plus(rows, f.cost(page, variables))
		default:
			cost = plus(cost, f.cost(1, variables))
		}
	}
	if of.pages() {
		rows = max(rows, page) // all are read, however little is shown of them
	}
	return plus(plus(g.weight, cost), rows)
}

// cost is that of the field on one object. page is how many values it has, where the field above says so.
func (f *Field) cost(page int, variables map[string]any) int {
	items := 1
	if f.sized {
		items = page
	} else if f.list {
		items = f.Size(variables)
	}
	return plus(f.Weight(variables), times(items, f.item(variables)))
}

// item is the cost of one value of the field: of the types that it may be, the dearest.
func (f *Field) item(variables map[string]any) int {
	if f.each >= 0 {
		return f.each
	}
	most, size := 0, f.Size(variables)
	for _, g := range f.children {
		most = max(most, g.cost(f, size, variables))
	}
	return most
}

// settle notes what one value of the field costs, where no variable decides on it. What is selected below it is planned.
func (f *Field) settle() {
	f.each = 0
	for _, g := range f.children {
		if !g.fixed(f) {
			f.each = -1
			return
		}
	}
	if f.children != nil {
		f.each = -1
		f.each = f.item(nil)
	}
}

// fixed tells that no variable decides on the cost of the selection.
func (g *group) fixed(of *Field) bool {
	if !g.steady || of.pages() && of.sizing.varies {
		return false
	}
	for _, f := range g.fields {
		if f.each < 0 || len(f.weighty) > 0 || f.list && !f.sized && f.sizing != nil && f.sizing.varies {
			return false
		}
	}
	return true
}

func plus(a, b int) int { return min(a+b, maxCost) }

func times(a, b int) int {
	if a > 0 && b > maxCost/a {
		return maxCost
	}
	return a * b
}
