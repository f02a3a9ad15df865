package batch

import (
	"context"
	"io"
	"slices"

	"carbongraph/store"
)

// ItemResult is what became of one activity. The path of its problem begins within the activity.
type ItemResult struct {
	ExternalID string
	Status     store.ItemStatus
	Activity   *store.Activity // as it is stored; nil where it is not
	Problem    *store.Problem  // why it failed, or why it is stored without an emission
}

// Activities imports lines of the ledger and gives a result for each, in the order of the lines. They are calculated on every core and written in chunks, several
// at a time; the mode says what a line that is wrong takes along. An error may leave the first chunks stored: sending all lines again does no harm, and with a
// key it tells of each line what the first time would have told.
func (im *Importer) Activities(ctx context.Context, t *store.Tenant, in []store.ActivityInput, f Flags) ([]ItemResult, error) {
	if f.DryRun {
		f.Key = "" // what writes nothing does nothing twice
	}
	key := f.Key
	f.Key = ""
	k, err := im.claim(ctx, t, key, "importActivities", struct {
		Flags Flags
		Lines []store.ActivityInput
	}{f, in})
	if err != nil {
		return nil, err
	}
	if k.finished {
		return im.answered(ctx, k, in)
	}
	results, err := im.activities(ctx, t, in, f, k)
	return results, k.end(ctx, err)
}

func (im *Importer) activities(ctx context.Context, t *store.Tenant, in []store.ActivityInput, f Flags, k *keyed) ([]ItemResult, error) {
	r, err := im.begin(ctx, t, f, "Import of activities")
	if err != nil {
		return nil, err
	}
	r.urgent = true
	if f.Mode == store.ModeAtomic {
		r.chunk = max(1, len(in))
	}
	r.whole = len(in) <= r.chunk
	if len(k.pieces) > 0 {
		if r.started, err = t.HasRun(ctx, k.work); err != nil {
			return nil, err
		}
	}
	if k.named() {
		r.record.ID, r.stored, r.note, r.recall = k.work, k.pieces, k.note, k.recall
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

// share is how many lines of a list a worker takes at once, where all of them fit into one chunk.
const share = 100

// importLines stores a list. What fits into one chunk is written in one transaction, with its suppliers; more goes the way of files.
func (r *run) importLines(ctx context.Context, lines []*line, s *Summary) error {
	tally := func(lines []*line) error {
		for _, l := range lines {
			s.count(l)
		}
		return nil
	}
	if !r.whole || len(r.stored) > 0 {
		rest := lines
		return r.pipeline(ctx, func() (*line, error) {
			if len(rest) == 0 {
				return nil, io.EOF
			}
			l := rest[0]
			rest = rest[1:]
			return l, nil
		}, tally)
	}
	err := r.parallel(ctx, (len(lines)+share-1)/share, func(ctx context.Context, i int) error {
		return r.calculate(ctx, lines[i*share:min((i+1)*share, len(lines))])
	})
	if err != nil || len(lines) == 0 {
		return err
	}
	c := &chunk{lines: lines}
	if err := r.prepare(ctx, c); err != nil {
		return err
	}
	if err := r.write(ctx, c); err != nil {
		return err
	}
	return tally(lines)
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

// answered gives what was answered first to work that is done: what became of each line then, with the activities as they are now.
func (im *Importer) answered(ctx context.Context, k *keyed, in []store.ActivityInput) ([]ItemResult, error) {
	outcome, err := outcomeOf(k.pieces, len(in))
	if err != nil {
		return nil, err
	}
	results := make([]ItemResult, len(in))
	keys := make([]string, len(in))
	for i := range in {
		keys[i] = in[i].ExternalID
	}
	now, err := activitiesBy(ctx, k.tenant, keys, im.chunk)
	if err != nil {
		return nil, err
	}
	for i, key := range keys {
		results[i] = ItemResult{ExternalID: key, Status: outcome.status(i), Problem: outcome.Problems[i]}
		if results[i].Status != store.Failed {
			results[i].Activity = now[key]
		}
	}
	return results, nil
}

// activitiesBy reads activities by their keys, so many at a time.
func activitiesBy(ctx context.Context, t *store.Tenant, keys []string, chunk int) (map[string]*store.Activity, error) {
	now := make(map[string]*store.Activity, len(keys))
	for part := range slices.Chunk(keys, chunk) {
		found, err := t.ActivitiesByExternalID(ctx, part)
		if err != nil {
			return nil, err
		}
		for _, a := range found {
			now[a.ExternalID] = a
		}
	}
	return now, nil
}
