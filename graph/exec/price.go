package exec

import "carbongraph/graph/plan"

// price is what it costs to show something, in points.
type price struct {
	points int
	varied []*plan.Field // whose own weight hangs on variables
}

// price is that of an object of a type which a field gives, without what its lists cost and what is below its fields.
func (c *compiler) price(of *plan.Field, object string) price {
	p := price{points: of.ObjectWeight(object)}
	for _, f := range of.Fields(object, c.variables) {
		if !f.Sized() {
			p.add(f)
		}
	}
	return p
}

// add adds what a field costs by itself.
func (p *price) add(f *plan.Field) {
	if f.Weighed() {
		p.points += f.Weight(nil)
	} else {
		p.varied = append(p.varied, f)
	}
}

// also adds what always is shown along.
func (p *price) also(q price) {
	p.points += q.points
	p.varied = append(p.varied, q.varied...)
}

// pay counts the price once.
func (p *price) pay(r *run) {
	r.cost += p.points
	for _, f := range p.varied {
		r.cost += f.Weight(r.variables)
	}
}
