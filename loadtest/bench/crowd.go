package main

import (
	"context"
	"fmt"
)

// crowd asks over more connections than there is work for: answers may come later then, but each has to come.
func (b *bench) crowd(ctx context.Context) error {
	for _, q := range b.questions {
		name := fmt.Sprintf("%s: P99 at 256 connections against the handler's, no errors", q.name)
		all, err := b.interleave(ctx, 256, q.auto, q.byHand)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			b.add(figure{name, err.Error(), "<= 1 x", false})
		} else {
			b.add(noSlower(name, &all[0], &all[1]))
		}
		r := q.auto.load(ctx, 1000, b.round)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		value := fmt.Sprintf("%d answers, %.0f/s, P99 %s", len(r.took), r.rate, milliseconds(r.percentile(99)))
		if r.err != nil {
			value += fmt.Sprintf("; %d connections broke off: %v", r.failed, r.err)
		}
		b.add(figure{q.name + ": 1000 connections, all answered", value, "no errors", r.err == nil})
	}
	return nil
}
