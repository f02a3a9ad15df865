package store

import "context"

func (f *BatchFilter) canonical() (c BatchFilter, err error) {
	if f == nil {
		return c, nil
	}
	err = checks(
		set(&c.Kinds, func() ([]BatchKind, error) { return canonicalTexts("kinds", f.Kinds) }),
		set(&c.Statuses, func() ([]RunStatus, error) { return canonicalTexts("statuses", f.Statuses) }),
	)
	return c, err
}

// where adds what a canonical filter asks.
func (f BatchFilter) where(b *statement) {
	texted(b, "b.kind", f.Kinds)
	texted(b, "b.status", f.Statuses)
}

// batchOrder is the only one: the newest first, which is that of their ids from the end.
func batchOrder() order { return order{name: "MADE", expr: "b.id", kind: keyID, desc: true} }

// Batches gives one page of the batches that meet the filter, newest first.
func (t *Tenant) Batches(ctx context.Context, f *BatchFilter, p Page) (*Connection[Batch], error) {
	q, err := t.BatchPage(f, p, 0)
	return connection(ctx, q, err)
}

// BatchPage is the read behind Batches.
func (t *Tenant) BatchPage(f *BatchFilter, p Page, some Columns) (*Select[Batch], error) {
	c, err := f.canonical()
	if err != nil {
		return nil, err
	}
	b := t.statement("b")
	c.where(b)
	return page(t.store, b, batches(), batchOrder(), p, some, t.binding("batches", batchOrder(), c))
}

// CountBatches tells how many batches meet the filter.
func (t *Tenant) CountBatches(ctx context.Context, f *BatchFilter) (int, error) {
	q, err := t.BatchCount(f)
	return one(ctx, q, err)
}

// BatchCount is the read behind CountBatches.
func (t *Tenant) BatchCount(f *BatchFilter) (*Select[int], error) {
	c, err := f.canonical()
	if err != nil {
		return nil, err
	}
	b := t.statement("b")
	c.where(b)
	return aggregate(t.store, b, batchCount, countRows), nil
}

var batchCount = newCount("batches", "b")

// Ended tells whether nothing more is done about the batch.
func (b *Batch) Ended() bool { return b.FinishedAt != nil }
