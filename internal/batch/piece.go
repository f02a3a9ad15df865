package batch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"carbongraph/internal/fault"
	"carbongraph/store"
)

// piece is so many lines, from a place on, that one transaction stores.
type piece struct {
	first  int
	lines  []*line
	ahead  *ahead
	run    bool   // its run is stored
	read   int64  // bytes of the file that end with it, where it is a piece of one
	became []fate // by line, after an attempt to store them
}

// fate is what becomes of a line: why it failed, or why it is stored without an emission, where it is one of these.
type fate struct {
	status  store.ItemStatus
	problem *store.Problem
}

// good are the lines that are to be stored.
func (p *piece) good() []*line {
	good := make([]*line, 0, len(p.lines))
	for _, l := range p.lines {
		if l.failure == nil {
			good = append(good, l)
		}
	}
	return good
}

// become notes what an attempt makes of the lines, and tells whether the store refused any of them.
func (p *piece) become(rows []*store.Line, statuses []store.ItemStatus) (refused bool) {
	p.became = make([]fate, len(p.lines))
	at := 0
	for i, l := range p.lines {
		if l.failure != nil {
			p.became[i] = fate{store.Failed, l.failure}
			continue
		}
		p.became[i] = fate{statuses[at], l.activity.Problem}
		if f := rows[at].Refused; f != nil {
			p.became[i], refused = fate{store.Failed, problemOf(f)}, true
		}
		at++
	}
	return refused
}

// settle tells the lines what became of them, once that is certain.
func (p *piece) settle() {
	for i, l := range p.lines {
		if l.status = p.became[i].status; l.status == store.Failed && l.failure == nil {
			l.failure = p.became[i].problem
		}
	}
}

func (p *piece) halves() (a, b *piece) {
	half := len(p.lines) / 2
	return &piece{first: p.first, lines: p.lines[:half], ahead: p.ahead, run: p.run}, &piece{first: p.first + half, lines: p.lines[half:], ahead: p.ahead, run: p.run, read: p.read}
}

// write stores the chunk's lines that are right, with what is still to come ahead of them, and notes what became of each.
func (r *run) write(ctx context.Context, c *chunk) error {
	p := &piece{first: c.first, lines: c.lines, ahead: &c.ahead, run: c.run, read: c.read}
	if r.flags.Mode.Together() {
		return r.writeTogether(ctx, p)
	}
	return r.writeApart(ctx, p)
}

// writeApart keeps every line that is right. Where the database itself refuses one, the lines are stored in halves, down to the one that fails.
func (r *run) writeApart(ctx context.Context, p *piece) error {
	err := r.put(ctx, p)
	good := p.good()
	if fault.CodeOf(err) != fault.BadUserInput || len(good) == 0 {
		return err
	}
	if len(good) == 1 {
		good[0].fail(tooMuch(err))
		return r.put(ctx, p)
	}
	a, b := p.halves()
	if err := r.writeApart(ctx, a); err != nil {
		return err
	}
	return r.writeApart(ctx, b)
}

// tooMuch words why the database itself does not take a line that was found to be right.
func tooMuch(err error) *fault.Fault {
	return fault.Wrap(err, fault.BadUserInput, "The ledger cannot hold this line: one of its values, or a sum that it would be part of, is larger than can be kept.")
}

// errTogether takes a transaction back, one of whose lines was refused, where the mode keeps lines together.
var errTogether = errors.New("batch: lines that are kept together")

// writeTogether stores all lines, or none where one of them fails.
func (r *run) writeTogether(ctx context.Context, p *piece) error {
	if len(p.good()) == len(p.lines) {
		err := r.put(ctx, p)
		switch {
		case errors.Is(err, errTogether): // what was refused has failed by now
		case fault.CodeOf(err) == fault.BadUserInput:
			if err := r.suspect(ctx, p); err != nil {
				return err
			}
			if len(p.good()) == len(p.lines) { // each of them alone could be stored
				p.lines[len(p.lines)-1].fail(tooMuch(err))
			}
		default:
			return err
		}
	}
	rollBack(p)
	return r.put(ctx, p)
}

// rollBack fails the lines that are right because of the first that is not.
func rollBack(p *piece) {
	at := 0
	for p.lines[at].failure == nil {
		at++
	}
	culprit := p.lines[at]
	name := fmt.Sprintf("item %d", p.first+at)
	if culprit.row > 0 {
		name = fmt.Sprintf("line %d", culprit.row)
	}
	because := fault.New(fault.RolledBack, "Right, but not stored: %s failed with %s. Correct it and send them all again.", name, culprit.failure.Code)
	for _, l := range p.lines {
		if l.failure == nil {
			l.fail(because)
			l.emission, l.activity.Problem = nil, nil
		}
	}
}

// suspect finds the lines that the database refuses: it tries halves of them, and takes each back.
func (r *run) suspect(ctx context.Context, p *piece) error {
	err := r.attempt(ctx, p, true)
	if fault.CodeOf(err) != fault.BadUserInput {
		return err
	}
	if len(p.lines) == 1 {
		p.lines[0].fail(tooMuch(err))
		return nil
	}
	a, b := p.halves()
	if err := r.suspect(ctx, a); err != nil {
		return err
	}
	return r.suspect(ctx, b)
}

// put stores a piece, or, in a dry run, finds out what would become of it.
func (r *run) put(ctx context.Context, p *piece) error {
	dry := r.flags.DryRun
	err := r.attempt(ctx, p, dry)
	if err == nil && dry && r.note != nil {
		err = r.patiently(ctx, func() error {
			return r.tenant.Write(ctx, func(ctx context.Context, w *store.Writer) error { return r.note(ctx, w, p) })
		})
	}
	if err == nil || errors.Is(err, errTogether) {
		p.settle()
	}
	return err
}

// attempt stores the lines that are right, and what becomes of all of them, in one transaction; tried alone, it is taken back, and nothing is noted.
func (r *run) attempt(ctx context.Context, p *piece, tried bool) error {
	good := p.good()
	if len(good) == 0 && (r.note == nil || tried) {
		p.become(nil, nil)
		return nil
	}
	if err := r.slots.take(ctx, r.urgent); err != nil {
		return err
	}
	defer r.slots.give()
	err := r.patiently(ctx, func() error {
		return r.tenant.Write(ctx, func(ctx context.Context, w *store.Writer) error {
			rows, statuses, err := putLines(ctx, w, p.ahead, good)
			if err != nil {
				return err
			}
			switch refused := p.become(rows, statuses); {
			case refused && r.flags.Mode.Together():
				return errTogether
			case tried:
				return errDryRun
			case r.note != nil:
				return r.note(ctx, w, p)
			}
			return nil
		})
	})
	if errors.Is(err, errDryRun) {
		err = nil
	}
	return err
}

// putLines writes lines and what comes ahead of them.
func putLines(ctx context.Context, w *store.Writer, ahead *ahead, good []*line) (rows []*store.Line, statuses []store.ItemStatus, err error) {
	if len(good) == 0 {
		return nil, nil, nil
	}
	if err := ahead.put(ctx, w); err != nil {
		return nil, nil, err
	}
	rows = make([]*store.Line, len(good))
	for i, l := range good {
		rows[i] = l.stored()
	}
	statuses, err = w.PutLines(ctx, rows)
	return rows, statuses, err
}

// patiently tries again what a database could not do that is away or too busy: work that nobody waits for has time until it is back. What somebody waits for was
// tried several times by the store already. What may be done after all is not for here: whoever takes the work up anew sees what is stored.
func (r *run) patiently(ctx context.Context, f func() error) error {
	until := time.Now().Add(r.patience)
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		err := f()
		if fault.CodeOf(err) != fault.Overloaded || errors.Is(err, store.ErrUncertain) || !time.Now().Add(wait).Before(until) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
}
