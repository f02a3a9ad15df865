package batch

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"carbongraph/internal/fault"
	"carbongraph/store"
)

// Background does batches that wait, one after the other, whoever stored them: those of a process that is gone as well, from where it left them. Several processes
// may look at one database; each batch is held by one at a time.
type Background struct {
	importer *Importer
	log      *slog.Logger
	every    time.Duration
	wake     chan struct{}
}

const (
	lookEvery = 2 * time.Second
	// maxTakes bounds how often a batch is begun again that fails without a reason of its own.
	maxTakes = 5
)

// NewBackground makes it; Run works.
func NewBackground(im *Importer, log *slog.Logger) *Background {
	return &Background{importer: im, log: log, every: lookEvery, wake: make(chan struct{}, 1)}
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
	tick := time.NewTicker(b.every)
	defer tick.Stop()
	away := false
	for {
		err := b.Drain(ctx)
		if err != nil && !away && ctx.Err() == nil {
			b.log.WarnContext(ctx, "batches cannot be looked for", "err", err)
		}
		away = err != nil
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-b.wake:
		}
	}
}

// Drain does every batch that waits, and returns.
func (b *Background) Drain(ctx context.Context) error {
	for {
		open, err := b.importer.store.OpenBatches(ctx)
		if err != nil {
			return err
		}
		worked := false
		for _, o := range open {
			t, holder := b.importer.store.Tenant(o.Org), b.importer.store.NewID()
			taken, err := t.TakeBatch(ctx, o.ID, holder, lease)
			if err != nil {
				return err
			}
			if taken != nil {
				worked = true
				b.work(ctx, t, taken, holder)
			}
		}
		if !worked || ctx.Err() != nil {
			return nil
		}
	}
}

// work does a batch, and sees to its end.
func (b *Background) work(ctx context.Context, t *store.Tenant, taken *store.Batch, holder store.ID) {
	log := b.log.With("batch", store.Global(store.KindBatch, taken.ID).String(), "kind", taken.Kind)
	var err error
	if taken.FinishedAt == nil {
		if err = guarded(func() error { return b.importer.recalculate(ctx, t, taken, holder) })(); err != nil {
			err = b.failed(ctx, t, taken, holder, err, log)
		}
	}
	if err == nil {
		err = b.importer.tidy(ctx, t, taken, holder)
	}
	if err != nil && !errors.Is(err, store.ErrNotHeld) {
		log.WarnContext(ctx, "batch left for later", "err", err)
		b.release(ctx, t, taken, holder, log)
	}
}

// failed ends a batch that cannot be done, and gives the error back where it may be done later.
func (b *Background) failed(ctx context.Context, t *store.Tenant, taken *store.Batch, holder store.ID, err error, log *slog.Logger) error {
	status, problem := store.RunFailed, problemOf(fault.Of(err))
	f := fault.Of(err)
	switch {
	case ctx.Err() != nil:
		return err
	case errors.Is(err, store.ErrNotHeld):
		status, problem = store.RunCancelled, nil
	case f.Code == fault.Internal || f.Code == fault.Timeout || f.Code == fault.Overloaded:
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
		return w.EndBatch(ctx, taken, holder, status, problem)
	})
	return end
}

// release gives a batch back, so that nobody waits for the lease to end.
func (b *Background) release(ctx context.Context, t *store.Tenant, taken *store.Batch, holder store.ID, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := t.ReleaseBatch(ctx, taken.ID, holder); err != nil {
		log.WarnContext(ctx, "batch not given back; its lease ends by itself", "err", err)
	}
}
