package batch

import (
	"context"
	"time"

	"carbongraph/store"
)

// Does has batches done in another way: tests of who begins which batch, where and when, have no use for what it does.
func (b *Background) Does(f func(ctx context.Context, t *store.Tenant, taken *store.Batch, holder store.ID)) {
	b.does = f
}

// Sweep looks for jobs that run nowhere, whenever that was done last.
func (b *Background) Sweep(ctx context.Context) error {
	c := *b.carrier
	c.swept = time.Time{}
	return c.sweep(ctx)
}
