package exec

import "carbongraph/store"

// joint is a relation of which the rows come along with those of a page that lead there, in one statement.
type joint[P any] interface {
	join(q *store.Select[P]) error
	companion(r *run) store.Companion
}

// pair is two sources of which the second may come along with the first.
type pair interface {
	joins(c *compiler)
}

// pairOf is a pair, and the field of the first one's rows that leads to the second's.
type pairOf[P, V any] struct {
	from  *source[P]
	to    *source[V]
	field string
	byID  bool // the second's rows are read by their own id
}

// join finds the rows that come along: those of a root field's page, where nothing else leads to them and none of them were read before. All of an operation is
// then of one moment without a transaction, if there are no other levels.
func (c *compiler) join() {
	if !c.engine.joins {
		return
	}
	for _, p := range c.joinable {
		p.joins(c)
	}
}

func (p *pairOf[P, V]) joins(c *compiler) {
	from, to := p.from, p.to
	if to.brought || !from.paged || !from.roots || to.at != from.at+1 || to.held != nil || !p.byID || len(to.lenders) > 0 || !store.Joinable[P, V](p.field) {
		return
	}
	here := 0
	for _, other := range c.joinable {
		if o, ok := other.(*pairOf[P, V]); ok && o.from == from && o.to == to && o.field == p.field {
			here++
		}
	}
	if here < len(to.feeds) {
		return
	}
	to.brought = true
	from.joints = append(from.joints, p)
}

func (p *pairOf[P, V]) join(q *store.Select[P]) error { return store.Join[P, V](q, p.field, p.to.some) }

func (p *pairOf[P, V]) companion(r *run) store.Companion {
	return store.Along(p.to.some, &guests[V]{p.to, r})
}

// guests takes the rows of a source that come along with another's.
type guests[V any] struct {
	*source[V]
	r *run
}

func (g *guests[V]) Guest(row *V) error {
	set := &g.r.sets[g.id]
	set.ask(g.keyOf(row))
	set.rowAt = append(set.rowAt, set.rows)
	return g.keep(g.r, set, row)
}
