package batch

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"carbongraph/internal/fault"
	"carbongraph/internal/telemetry"
	"carbongraph/store"
)

// BackgroundOptions are what a Background is made of.
type BackgroundOptions struct {
	Importer *Importer
	Log      *slog.Logger
	Metrics  *telemetry.Batch
	Workers  int // batches that this process does at once; 0: 2
	AtOnce   int // batches of an organization that all processes together do at once; 0: 2
}

// Background does batches that wait, whoever stored them: those of a process that is gone as well, from where it left them. Several processes may look at one database;
// each batch is held by one at a time, and organizations take turns.
type Background struct {
	importer *Importer
	log      *slog.Logger
	metrics  *telemetry.Batch
	workers  int
	atOnce   int
	wake     chan struct{}
	places   chan struct{} // of the workers here, those that are taken
	working  sync.WaitGroup
	// does does a batch, and sees to its end.
	does func(ctx context.Context, t *store.Tenant, taken *store.Batch, holder store.ID)
	// carrier hands batches to whichever process has a place; nil: they are done here.
	carrier *Carrier
}

const (
	lookEvery = 2 * time.Second
	// forgetEvery is how often what is kept for a day is looked through.
	forgetEvery = 10 * time.Minute
	// maxTakes bounds how often a batch is begun again that fails without a reason of its own.
	maxTakes = 5
)

// NewBackground makes it; Run works.
func NewBackground(o BackgroundOptions) *Background {
	b := &Background{importer: o.Importer, log: o.Log, metrics: o.Metrics, workers: o.Workers, atOnce: o.AtOnce, wake: make(chan struct{}, 1)}
	if b.workers == 0 {
		b.workers = 2
	}
	if b.atOnce == 0 {
		b.atOnce = 2
	}
	b.does, b.places = b.work, make(chan struct{}, b.workers)
	return b
}

// Wake has it look now rather than soon.
func (b *Background) Wake() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// Run works until the context ends. What it is at then is given back for others to go on with.
func (b *Background) Run(ctx context.Context) {
	defer b.working.Wait()
	b.working.Go(func() { b.sweep(ctx) })
	away := false
	for {
		err := b.look(ctx)
		if err != nil && !away && ctx.Err() == nil {
			b.log.WarnContext(ctx, "batches cannot be looked for", "err", err)
		}
		away = err != nil
		soon := time.NewTimer(lookEvery*9/10 + rand.N(lookEvery/5)) // so that several processes do not look at the same moment
		select {
		case <-ctx.Done():
		case <-soon.C:
		case <-b.wake:
		}
		soon.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// sweep forgets what is kept for a day, at once and now and then. Several processes may do so at the same time.
func (b *Background) sweep(ctx context.Context) {
	for {
		b.forget(ctx)
		soon := time.NewTimer(forgetEvery*9/10 + rand.N(forgetEvery/5))
		select {
		case <-ctx.Done():
			soon.Stop()
			return
		case <-soon.C:
		}
	}
}

// forget removes keys that are old, what is known of work that is done, files that nobody may fetch any more, and those that never became a batch. What it cannot do
// now it does later.
func (b *Background) forget(ctx context.Context) {
	err := errors.Join(b.importer.store.SweepWork(ctx), b.importer.store.SweepParts(ctx))
	if err != nil && ctx.Err() == nil {
		b.log.WarnContext(ctx, "what is kept for a day cannot be swept", "err", err)
	}
}

// look begins what may be begun.
func (b *Background) look(ctx context.Context) error {
	if b.carrier != nil {
		return b.carrier.look(ctx)
	}
	_, err := b.fill(ctx)
	return err
}

// Drain does every batch that waits, and returns.
func (b *Background) Drain(ctx context.Context) error {
	defer b.working.Wait()
	for {
		begun, err := b.fill(ctx)
		if err != nil && ctx.Err() == nil {
			return err
		}
		if begun == 0 && len(b.places) == 0 || ctx.Err() != nil {
			return nil
		}
		select {
		case <-ctx.Done():
		case <-b.wake: // one has ended
		}
	}
}

// fill takes batches for the workers here that have none, and tells how many.
func (b *Background) fill(ctx context.Context) (begun int, err error) {
	for free := b.workers - len(b.places); free > 0 && ctx.Err() == nil; free = b.workers - len(b.places) {
		queue, err := b.importer.store.Queue(ctx, b.atOnce, free)
		if err != nil {
			return begun, err
		}
		before := begun
		for _, q := range queue {
			h, err := b.take(ctx, q.Org, q.ID)
			if err != nil {
				return begun, err
			}
			if h == nil {
				continue
			}
			begun++
			b.places <- struct{}{}
			b.working.Go(func() {
				b.do(ctx, h)
				<-b.places
				b.Wake()
			})
		}
		if begun == before {
			break
		}
	}
	return begun, nil
}

// work does a batch, and sees to its end.
func (b *Background) work(ctx context.Context, t *store.Tenant, taken *store.Batch, holder store.ID) {
	log := b.log.With("batch", store.Global(store.KindBatch, taken.ID).String(), "kind", taken.Kind)
	var err error
	if taken.FinishedAt == nil {
		if err = guarded(func() error { return b.importer.do(ctx, t, taken, holder) })(); err != nil {
			err = b.failed(ctx, t, taken, holder, err, log)
		}
	}
	if err == nil {
		err = b.importer.tidy(ctx, t, taken, holder)
	}
	if err != nil && !errors.Is(err, store.ErrNotHeld) {
		log.WarnContext(ctx, "batch left for later", "err", err)
		if ctx.Err() != nil { // what failed rests until its lease ends
			b.release(ctx, t, taken, holder, log)
		}
	}
}

// failed ends a batch that cannot be done, and gives the error back where it may be done later.
func (b *Background) failed(ctx context.Context, t *store.Tenant, taken *store.Batch, holder store.ID, err error, log *slog.Logger) error {
	f := fault.Of(err)
	status, problem := store.RunFailed, problemOf(f)
	switch {
	case ctx.Err() != nil:
		return err
	case errors.Is(err, store.ErrNotHeld):
		status, problem = store.RunCancelled, nil
	case taken.Kind == store.BatchExport && errors.Is(err, store.ErrFull): // trying again would fill it again
		problem.Message = "The database has no space left for the file; make some, and start the export again."
	case f.Code == fault.Overloaded: // the database is away or too busy: that passes, however often the batch was begun meanwhile
		log.WarnContext(ctx, "batch waits for the database", "takes", taken.Takes, "err", err)
		return err
	case f.Code == fault.Internal || f.Code == fault.Timeout:
		log.ErrorContext(ctx, "batch failed", "takes", taken.Takes, "err", err)
		if taken.Takes < maxTakes {
			return err
		}
		problem = &store.Problem{Code: string(fault.Internal), Message: "The batch was begun several times and failed each time; the log says why."}
	}
	end := t.Write(ctx, func(ctx context.Context, w *store.Writer) error {
		if status == store.RunCancelled {
			return w.EndCancelled(ctx, taken, holder)
		}
		if taken.Kind != store.BatchImport {
			return w.EndBatch(ctx, taken, holder, status, problem)
		}
		return w.EndImport(ctx, taken, holder, status, problem)
	})
	return end
}

// do does what a batch is for, from where it was left.
func (im *Importer) do(ctx context.Context, t *store.Tenant, b *store.Batch, holder store.ID) error {
	switch b.Kind {
	case store.BatchRecalculation:
		return im.recalculate(ctx, t, b, holder)
	case store.BatchImport:
		return im.importFile(ctx, t, b, holder)
	case store.BatchExport:
		return im.export(ctx, t, b, holder)
	}
	return fault.New(fault.BadUserInput, "This program does not know batches of the kind %s; a newer one does.", b.Kind)
}

// release gives a batch back, so that nobody waits for the lease to end.
func (b *Background) release(ctx context.Context, t *store.Tenant, taken *store.Batch, holder store.ID, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := t.ReleaseBatch(ctx, taken.ID, holder); err != nil {
		log.WarnContext(ctx, "batch not given back; its lease ends by itself", "err", err)
	}
}
