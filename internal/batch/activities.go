package batch

import (
	"context"

	"carbongraph/store"
)

// ItemResult is what became of one activity. The path of its problem begins within the activity.
type ItemResult struct {
	ExternalID string
	Status     store.ItemStatus
	Activity   *store.Activity // as it is stored; nil where it is not
	Problem    *store.Problem  // why it failed, or why it is stored without an emission
}

// Activities imports lines of the ledger and gives a result for each, in the order of the lines. Lines that are wrong fail alone. They are written in
// chunks, so an error may leave the first of them stored: sending all of them again does no harm.
func (im *Importer) Activities(ctx context.Context, t *store.Tenant, in []store.ActivityInput, f Flags) ([]ItemResult, error) {
	r, err := im.begin(ctx, t, f, "Import of activities")
	if err != nil {
		return nil, err
	}
	lines := make([]*line, len(in))
	seen := make(map[string]bool, len(in))
	for i := range in {
		l := r.fromInput(&in[i])
		if l.failure == nil && seen[l.activity.ExternalID] {
			l.fail(duplicate(l.activity.ExternalID))
		}
		seen[l.activity.ExternalID] = seen[l.activity.ExternalID] || l.failure == nil
		lines[i] = l
	}
	s := &Summary{}
	if err := r.finish(ctx, s, r.importLines(ctx, lines, s)); err != nil {
		return nil, err
	}
	results := make([]ItemResult, len(lines))
	for i, l := range lines {
		results[i] = r.result(l)
	}
	return results, nil
}

// share is how many lines a worker takes at once.
const share = 100

// importLines stores one chunk at a time, with its suppliers in the same transaction: a server has many clients, who write beside each other anyway.
func (r *run) importLines(ctx context.Context, lines []*line, s *Summary) error {
	err := r.parallel(ctx, (len(lines)+share-1)/share, func(ctx context.Context, i int) error {
		return r.calculate(ctx, lines[i*share:min((i+1)*share, len(lines))])
	})
	if err != nil {
		return err
	}
	for start := 0; start < len(lines); start += r.chunk {
		c := &chunk{lines: lines[start:min(start+r.chunk, len(lines))]}
		if err := r.prepare(ctx, c); err != nil {
			return err
		}
		if err := r.write(ctx, c); err != nil {
			return err
		}
		if !r.flags.DryRun {
			r.remember(&c.ahead)
		}
		for _, l := range c.lines {
			s.count(l)
		}
	}
	return nil
}

func (r *run) result(l *line) ItemResult {
	res := ItemResult{ExternalID: l.activity.ExternalID, Status: l.status, Problem: l.activity.Problem}
	switch {
	case l.failure != nil:
		res.Problem = l.failure
	case !r.flags.DryRun || l.status == store.Unchanged:
		res.Activity = &l.activity
	}
	return res
}
