package batch

import (
	"context"

	"carbongraph/internal/calc"
	"carbongraph/internal/exact"
	"carbongraph/internal/factors"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

// anew is one line on its way through a recalculation.
type anew struct {
	was  store.StoredLine
	line line
	kept bool // its calculation stays: the datasets asked for do not have its factor
	from *factors.Entry
	to   *factors.Entry
}

// makeAnew calculates the lines of a part and keeps those that change.
func (r *recalculation) makeAnew(ctx context.Context, p *part) error {
	lines, decisions, ids := make([]anew, len(p.lines)), make([]factors.Decision, len(p.lines)), make([]store.ID, 0, 2*len(p.lines))
	for i, was := range p.lines {
		l := &lines[i]
		l.was = was
		l.line = line{activity: *was.Activity, factorID: was.Activity.FactorID, category: was.Activity.GivenCategory}
		l.line.activity.Problem = nil
		var err error
		if decisions[i], err = r.decide(ctx, &l.line); err != nil {
			return err
		}
		if d := &decisions[i]; d.FactorID == nil && !d.Exclude && was.Emission != nil {
			d.FactorID, d.Match = &was.Emission.FactorID, calc.ByRule // a rule that is gone found it: what lines name themselves is remembered
		}
		if id := decisions[i].FactorID; id != nil {
			ids = append(ids, *id)
		}
		if was.Emission != nil {
			ids = append(ids, was.Emission.FactorID)
		}
	}
	found, err := r.catalog.Factors(ctx, ids)
	if err != nil {
		return err
	}
	if err := r.moved.Load(ctx, found); err != nil {
		return err
	}
	for i := range lines {
		l, d := &lines[i], &decisions[i]
		if l.was.Emission != nil {
			l.from = found[l.was.Emission.FactorID]
		}
		if d.FactorID != nil {
			if l.to = found[*d.FactorID]; l.to != nil {
				l.to, l.kept = r.moved.Of(l.to)
			}
		}
		if l.kept {
			p.failed++
			continue
		}
		if err := l.line.refuse(r.settle(&l.line, d, l.to)); err != nil {
			return err
		}
		if l.line.failure != nil { // what is too large for the ledger now was not when it was stored
			p.failed++
			continue
		}
		if made := r.compare(l); made != nil {
			p.made = append(p.made, made)
		}
	}
	return nil
}

// compare gives what changes of a line, and why; nil where nothing does.
func (r *recalculation) compare(l *anew) *store.RunLine {
	was, now := l.was.Emission, l.line.emission
	if now != nil {
		now.SupplierID = l.line.activity.SupplierID
	}
	same := (was == nil) == (now == nil) && (was == nil || was.SaysTheSame(now))
	if same && l.line.activity.CategoryNumber == l.was.Activity.CategoryNumber && sameProblem(l.line.activity.Problem, l.was.Activity.Problem) {
		return nil
	}
	out := &store.RunLine{Activity: &l.line.activity, Was: l.was.Activity, Previous: was, Emission: now, After: now, Moved: store.CauseMapping}
	if r.preview {
		out.Emission = nil
	}
	r.causes(l, out)
	return out
}

func sameProblem(a, b *store.Problem) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Code == b.Code && a.Message == b.Message
}

// causes takes one difference after the other into account, from the figure before to the one after: rates and prices first, by the factor and the potentials of
// before; then the potentials; then the factor. What each step adds is its part, so that the parts are the change, to the milligram.
func (r *recalculation) causes(l *anew, out *store.RunLine) {
	was, now := out.Previous, out.After
	switch {
	case was == nil && now == nil:
		return
	case was == nil: // it had no figure: a rule or a rate is there now, or the line is new content that nobody calculated
		out.Moved = cameBy(l.was.Activity.Problem)
		*out.Causes.Of(out.Moved) = now.CO2e
		return
	case now == nil:
		out.Moved = cameBy(l.line.activity.Problem)
		*out.Causes.Of(out.Moved) = -was.CO2e
		return
	}
	factor := factorCause(l.from, l.to)
	if was.FactorID != now.FactorID {
		out.Moved = factor
	}
	before := was.CO2e
	step := func(cause store.Cause, to exact.Milligrams) {
		*out.Causes.Of(cause) += to - before
		before = to
	}
	if l.from != nil && (was.FactorID != now.FactorID || was.GwpSet != now.GwpSet) {
		if by, ok := r.figure(l, l.from, was.GwpSet); ok {
			step(store.CauseRate, by)
		}
		if was.FactorID != now.FactorID && was.GwpSet != now.GwpSet {
			if by, ok := r.figure(l, l.from, now.GwpSet); ok {
				step(store.CauseGwpSet, by)
			}
		}
	}
	switch {
	case was.FactorID != now.FactorID:
		step(factor, now.CO2e)
	case was.GwpSet != now.GwpSet:
		step(store.CauseGwpSet, now.CO2e)
	default:
		step(store.CauseRate, now.CO2e)
	}
}

// cameBy tells why a line has a figure now that had a problem before, or the other way round.
func cameBy(p *store.Problem) store.Cause {
	switch {
	case p == nil:
		return store.CauseData
	case p.Code == string(fault.NoExchangeRate):
		return store.CauseRate
	case p.Code == string(fault.UnknownUnit):
		return store.CauseData
	}
	return store.CauseMapping
}

// factorCause tells a later release of the same factor from another factor.
func factorCause(from, to *factors.Entry) store.Cause {
	if from != nil && to != nil && from.Calc.Source == to.Calc.Source && from.Calc.Code == to.Calc.Code && from.Calc.Region == to.Calc.Region {
		return store.CauseVersion
	}
	return store.CauseMapping
}

// figure is what the line would emit by a factor and a set of potentials; false where it cannot be told.
func (r *recalculation) figure(l *anew, f *factors.Entry, set store.GwpSet) (exact.Milligrams, bool) {
	in := lineOf(&l.line.activity, calc.Named)
	result, err := r.by(set).Calculate(&in, f.Calc)
	if err != nil || result.GwpSet != string(set) {
		return 0, false
	}
	return result.CO2e, true
}
