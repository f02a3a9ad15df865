package batch

import (
	"context"
	"errors"
	"time"

	"carbongraph/internal/telemetry"
	"carbongraph/store"
)

const (
	// lease is how long a batch is held without a sign of life; then another process takes it up.
	lease = 15 * time.Second
	// beat is how often a sign of life is given, however slow the work is.
	beat = lease / 5
)

// held is a batch that this process holds, by a token of its own.
type held struct {
	tenant *store.Tenant
	batch  *store.Batch
	holder store.ID
}

// take takes a batch if it may be begun now; nil where another was faster, or the organization has as many at work as it may.
func (b *Background) take(ctx context.Context, org, id store.ID) (*held, error) {
	h := &held{tenant: b.importer.store.Tenant(org), holder: b.importer.store.NewID()}
	var err error
	if h.batch, err = h.tenant.TakeTurn(ctx, id, h.holder, lease, b.atOnce); err != nil || h.batch == nil {
		return nil, err
	}
	return h, nil
}

// do does a batch for as long as it is held, and tells how it stands then.
func (b *Background) do(ctx context.Context, h *held) telemetry.BatchResult {
	began, kind := time.Now(), string(h.batch.Kind)
	b.metrics.Begun(kind)
	working, stop := context.WithCancel(ctx)
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		keep(working, stop, h.tenant, h.batch.ID, h.holder)
	}()
	b.does(working, h.tenant, h.batch, h.holder)
	stop()
	<-beating
	result := b.result(ctx, h)
	b.metrics.Ended(kind, result, time.Since(began))
	return result
}

// keep renews the lease beside the work, which is too slow to do so with each step, and ends the work when the batch is another's. While the database is away nothing
// can be renewed; nothing can be written either, and whoever writes afterwards is asked whether it still holds the batch.
func keep(ctx context.Context, stop context.CancelFunc, t *store.Tenant, batch, holder store.ID) {
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := t.KeepBatch(ctx, batch, holder, lease); errors.Is(err, store.ErrNotHeld) {
			stop()
		}
	}
}

// result reads how a batch ended. One that goes on elsewhere, or later, is left.
func (b *Background) result(ctx context.Context, h *held) telemetry.BatchResult {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	rows, err := h.tenant.BatchesWith([]store.ID{h.batch.ID}, 0).All(ctx)
	if err != nil || len(rows) != 1 {
		return telemetry.BatchLeft
	}
	switch rows[0].Status {
	case store.RunSucceeded:
		return telemetry.BatchSucceeded
	case store.RunPartial:
		return telemetry.BatchPartial
	case store.RunFailed:
		return telemetry.BatchFailed
	case store.RunCancelled:
		return telemetry.BatchCancelled
	}
	return telemetry.BatchLeft
}
