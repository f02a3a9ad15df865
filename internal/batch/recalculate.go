package batch

import (
	"context"
	"encoding/json"
	"errors"
	"sync"

	"golang.org/x/sync/errgroup"

	"carbongraph/internal/calc"
	"carbongraph/internal/factors"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

// Recalculation is what is to be calculated anew, and how.
type Recalculation struct {
	Reason   string
	Filter   *store.ActivityFilter // nil: the whole ledger
	GwpSet   *store.GwpSet         // nil: the organization's
	Datasets []store.ID            // factors of the same source are taken from these releases; empty: those that rules name
	Preview  bool                  // tell what would change, and change nothing
	Actor    string                // who asks
	Key      string                // an idempotency key; empty: none
}

// recalculationSpec is a Recalculation as its batch keeps it.
type recalculationSpec struct {
	Filter   *store.ActivityFilter `json:"filter,omitempty"`
	Datasets []store.ID            `json:"datasets,omitempty"`
}

// StartRecalculation stores what is to be done and gives the batch; Background does it.
func (im *Importer) StartRecalculation(ctx context.Context, t *store.Tenant, r Recalculation) (*store.Batch, error) {
	asked := r
	asked.Key, asked.Actor = "", ""
	k, err := im.claim(ctx, t, r.Key, "startRecalculation", asked)
	if err != nil {
		return nil, err
	}
	if k.finished {
		return &store.Batch{ID: k.work}, nil
	}
	b, err := im.startRecalculation(ctx, t, r, k)
	if err != nil && k.named() {
		err = k.end(ctx, err)
	}
	return b, err
}

func (im *Importer) startRecalculation(ctx context.Context, t *store.Tenant, r Recalculation, k *keyed) (*store.Batch, error) {
	if reason := wrongText(r.Reason, maxDescription); reason != "" || r.Reason == "" {
		return nil, fault.New(fault.BadUserInput, "A recalculation needs a reason in words, of at most %d characters.", maxDescription).At("reason")
	}
	if err := t.CheckActivityFilter(r.Filter); err != nil {
		return nil, fault.Of(err).At("filter")
	}
	if err := im.checkDatasets(ctx, r.Datasets); err != nil {
		return nil, err
	}
	if !r.Preview {
		if err := t.CheckOpenYears(ctx, r.Filter); err != nil {
			return nil, err
		}
	}
	org, err := t.Organization(ctx)
	if err != nil {
		return nil, err
	}
	run := &store.CalculationRun{Preview: r.Preview, Reason: r.Reason, GwpSet: org.GwpSet}
	if r.GwpSet != nil {
		run.GwpSet = *r.GwpSet
	}
	spec, err := json.Marshal(recalculationSpec{r.Filter, r.Datasets})
	if err != nil {
		return nil, err
	}
	n, err := t.CountActivities(ctx, r.Filter)
	if err != nil {
		return nil, err
	}
	b := &store.Batch{ID: k.work, Spec: string(spec), Actor: r.Actor, Total: new(int32(n))}
	return b, t.StartRecalculation(ctx, b, run, k.finish)
}

// checkDatasets refuses datasets that are not there, and two of one source: which of them was meant cannot be told.
func (im *Importer) checkDatasets(ctx context.Context, ids []store.ID) error {
	found, err := im.store.DatasetsByID(ctx, ids)
	if err != nil {
		return err
	}
	sources := map[string]bool{}
	for _, d := range found {
		if sources[d.Source] {
			return fault.New(fault.BadUserInput, "Two datasets of %s are named; name the release that lines are to be calculated with.", d.Source).At("datasetIds")
		}
		sources[d.Source] = true
	}
	if len(found) != len(ids) {
		return fault.New(fault.NotFound, "There is no dataset with one of these ids.").At("datasetIds")
	}
	return nil
}

// recalculation is one batch at work.
type recalculation struct {
	*run
	batch   *store.Batch
	holder  store.ID
	spec    recalculationSpec
	moved   *factors.Releases
	preview bool
	changes *store.RunChanges // nil where another process has stored lines of the run

	mu          sync.Mutex
	calculators map[store.GwpSet]*calc.Calculator // of what stood before
}

// by is the calculator of a set of potentials.
func (r *recalculation) by(set store.GwpSet) *calc.Calculator {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.calculators[set]
	if c == nil {
		c = r.calculatorBy(set)
		r.calculators[set] = c
	}
	return c
}

// recalculate does the work of a batch that the caller holds, from where it was left.
func (im *Importer) recalculate(ctx context.Context, t *store.Tenant, b *store.Batch, holder store.ID) error {
	rows, err := t.RunsWith([]store.ID{*b.RunID}, 0).All(ctx)
	if err == nil && len(rows) != 1 {
		err = fault.New(fault.Internal, "The run of the batch is not there.")
	}
	if err != nil {
		return err
	}
	base, err := im.begin(ctx, t, Flags{Calculate: true}, rows[0].Reason)
	if err != nil {
		return err
	}
	base.record, base.calculator = rows[0], base.calculatorBy(rows[0].GwpSet)
	r := &recalculation{run: base, batch: b, holder: holder, preview: rows[0].Preview, calculators: map[store.GwpSet]*calc.Calculator{}}
	if err := json.Unmarshal([]byte(b.Spec), &r.spec); err != nil {
		return err
	}
	if r.moved, err = factors.NewReleases(ctx, im.store, im.catalog, r.spec.Datasets); err != nil {
		return err
	}
	if b.Position == nil {
		r.changes = store.NewRunChanges()
	}
	if err := r.forget(ctx, b.Position); err != nil { // what was stored beyond the position is made again
		return err
	}
	if err := r.walk(ctx); err != nil {
		return err
	}
	return r.conclude(ctx)
}

// forget removes what the run has stored of the lines after a place, so many at a time.
func (r *recalculation) forget(ctx context.Context, after *store.ID) error {
	for {
		more, err := r.tenant.ForgetRun(ctx, r.record.ID, after, forgottenRows)
		if err != nil || !more {
			return err
		}
		if err := r.renew(ctx); err != nil {
			return err
		}
	}
}

const forgottenRows = 20_000

func (r *recalculation) renew(ctx context.Context) error {
	return r.tenant.Write(ctx, func(ctx context.Context, w *store.Writer) error { return w.Progress(ctx, r.batch, r.holder, lease) })
}

// part is so many lines of the ledger on their way.
type part struct {
	lines  []store.StoredLine
	made   []*store.RunLine
	failed int32
	ready  chan struct{}
}

// walk reads the ledger in the order of ids, calculates on every core, and stores part by part, several at a time, as far as the position goes in order.
func (r *recalculation) walk(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	work, order := make(chan *part), make(chan *part, r.workers+r.writers)
	g.Go(guarded(func() error {
		defer close(work)
		defer close(order)
		return r.read(ctx, work, order)
	}))
	for range r.workers {
		g.Go(guarded(func() error {
			for p := range work {
				if err := r.makeAnew(ctx, p); err != nil {
					return err
				}
				close(p.ready)
			}
			return nil
		}))
	}
	g.Go(guarded(func() error { return r.storeInOrder(ctx, order) }))
	return g.Wait()
}

func (r *recalculation) read(ctx context.Context, to ...chan<- *part) error {
	for after := r.batch.Position; ; {
		lines, err := r.tenant.LinesAfter(ctx, r.spec.Filter, after, 2*r.chunk)
		if err != nil || len(lines) == 0 {
			return err
		}
		after = &lines[len(lines)-1].Activity.ID
		p := &part{lines: lines, ready: make(chan struct{})}
		for _, to := range to {
			select {
			case to <- p:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

// storeInOrder stores parts beside each other, as many as the database likes writers, and notes the progress of those that are stored without a gap.
func (r *recalculation) storeInOrder(ctx context.Context, order <-chan *part) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(r.writers)
	before := make(chan struct{})
	close(before)
	for p := range order {
		select {
		case <-p.ready:
		case <-ctx.Done():
			return errors.Join(ctx.Err(), g.Wait())
		}
		previous, done := before, make(chan struct{})
		before = done
		g.Go(guarded(func() error {
			err := r.tenant.Write(ctx, func(ctx context.Context, w *store.Writer) error {
				if err := w.Holds(ctx, r.batch, r.holder); err != nil {
					return err
				}
				return w.PutRunLines(ctx, r.record.ID, p.made)
			})
			if err != nil {
				return err
			}
			select {
			case <-previous:
			case <-ctx.Done():
				return ctx.Err()
			}
			defer close(done)
			for _, l := range p.made {
				r.changes.Add(l)
			}
			r.batch.Processed += int32(len(p.lines))
			r.batch.Failed += p.failed
			r.batch.Position = &p.lines[len(p.lines)-1].Activity.ID
			return r.renew(ctx)
		}))
	}
	return g.Wait()
}

// conclude makes the run's result the ledger's, or only tells what it would be, and ends the batch with it.
func (r *recalculation) conclude(ctx context.Context) error {
	finish := func(ctx context.Context, w *store.Writer) error {
		if err := w.Progress(ctx, r.batch, r.holder, lease); err != nil {
			return err
		}
		failed, changes := r.batch.Failed, r.changes
		if !r.preview {
			kept, err := w.Publish(ctx, r.record.ID, changes)
			if err != nil {
				return err
			}
			if failed += int32(kept); kept > 0 { // lines have gone that were added up
				changes = nil
			}
		}
		if err := w.PutDifferences(ctx, r.record.ID, changes); err != nil {
			return err
		}
		done := *r.batch
		done.Failed = failed
		status := store.RunSucceeded
		if failed > 0 {
			status = store.RunPartial
		}
		return w.EndBatch(ctx, &done, r.holder, status, nil)
	}
	write := r.tenant.WriteAlone
	if r.preview {
		write = r.tenant.Write
	}
	return write(ctx, finish)
}

// tidy removes what only the work needed, and what was never published.
func (im *Importer) tidy(ctx context.Context, t *store.Tenant, b *store.Batch, holder store.ID) error {
	if b.Kind == store.BatchExport {
		return tidyExport(ctx, t, b, holder)
	}
	if b.Kind != store.BatchRecalculation {
		if err := t.DropParts(ctx, b.ID, store.FileIn); err != nil {
			return err
		}
		return t.TidyBatch(ctx, b, holder)
	}
	for {
		more, err := t.ForgetRun(ctx, *b.RunID, nil, forgottenRows)
		if err != nil {
			return err
		}
		if !more {
			return t.TidyBatch(ctx, b, holder)
		}
	}
}
