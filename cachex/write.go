package cachex

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"carbongraph/internal/telemetry"
)

const (
	// writers is how many write to Redis at once. Writes of one key stay in their order.
	writers = 4
	// waiting is how many writes may wait for each writer, and waitingBytes for all.
	waiting, waitingBytes = 256, 32 << 20
	// parting is how long is still written at the end.
	parting = 3 * time.Second
)

// deed is what is to be done in Redis.
type deed struct {
	key      key
	entry    *Entry // nil: the lease is given back
	gone     bool   // and the entry with it
	compress bool
	token    string // of the lease; empty: there is none
	hold     func() // ends the holding of the lease; nil: nobody holds it
	since    uint64 // where the key's fence stood
}

// end is called once when the deed is done, or will not be.
func (d deed) end() {
	if d.hold != nil {
		d.hold()
	}
}

func (d deed) weight() int64 {
	if d.entry == nil {
		return 0
	}
	return int64(d.entry.size())
}

// drops counts what was not written.
type drops struct{ full, away, failed, fenced, large atomic.Uint64 }

func (d *drops) state() telemetry.CacheDropped {
	return telemetry.CacheDropped{Full: d.full.Load(), Away: d.away.Load(), Failed: d.failed.Load(), Fenced: d.fenced.Load(), Large: d.large.Load()}
}

// desk takes what is to be written to Redis, so that no caller waits for it. What it cannot take is dropped: it is loaded again.
type desk struct {
	store   *redisStore
	fences  *fences
	queues  [writers]chan deed
	bytes   atomic.Int64 // that wait
	dropped drops
}

func newDesk(r *redisStore, f *fences) *desk {
	d := &desk{store: r, fences: f}
	for i := range d.queues {
		d.queues[i] = make(chan deed, waiting)
	}
	return d
}

// take lets a deed wait for its writer.
func (d *desk) take(w deed) {
	if w.entry != nil && w.entry.size() > largest {
		d.dropped.large.Add(1)
		w.entry = nil
	}
	switch {
	case w.entry == nil && w.token == "":
	case !d.store.writes.closed():
		d.dropped.away.Add(1)
	case d.wait(w):
		return
	default:
		d.dropped.full.Add(1)
	}
	w.end()
}

// wait queues a deed where there is room.
func (d *desk) wait(w deed) bool {
	if d.bytes.Add(w.weight()) <= waitingBytes {
		select {
		case d.queues[d.fences.number(w.key)%writers] <- w:
			return true
		default:
		}
	}
	d.bytes.Add(-w.weight())
	return false
}

// run writes until the context ends, and then what still waits, for a moment.
func (d *desk) run(ctx context.Context) {
	var all sync.WaitGroup
	for _, q := range d.queues {
		all.Go(func() {
			for {
				select {
				case w := <-q:
					d.do(ctx, w)
					continue
				case <-ctx.Done():
				}
				break
			}
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), parting)
			defer cancel()
			for last.Err() == nil {
				select {
				case w := <-q:
					d.do(last, w)
				default:
					return
				}
			}
		})
	}
	all.Wait()
}

func (d *desk) do(ctx context.Context, w deed) {
	defer w.end()
	d.bytes.Add(-w.weight())
	fenced := d.fences.at(w.key) != w.since
	if w.entry == nil || fenced {
		if fenced {
			d.dropped.fenced.Add(1)
		}
		if w.token != "" {
			_ = d.store.release(context.WithoutCancel(ctx), w.key, w.token, w.gone && !fenced) // otherwise it is over soon by itself
		}
		return
	}
	// The end of Run is no reason to leave a write half done.
	stored, err := d.store.put(context.WithoutCancel(ctx), w.key, w.entry, w.entry.Hard.Sub(d.store.now()), w.compress, w.token)
	switch {
	case errors.Is(err, errAway):
		d.dropped.away.Add(1)
	case errors.Is(err, errLarge):
		d.dropped.large.Add(1)
	case err != nil:
		d.dropped.failed.Add(1)
	case !stored && w.token != "":
		d.dropped.fenced.Add(1)
	}
	// A removal that began meanwhile may have come to Redis before the write, which may have come there even where nobody answered.
	if d.fences.at(w.key) != w.since {
		_ = d.store.Delete(context.WithoutCancel(ctx), w.key)
	}
}
