package cachex

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/eko/gocache/lib/v4/store"
	"github.com/redis/go-redis/v9"
)

// Key names an entry to the stores.
func Key(strategy, name string) any { return key{strategy, name} }

// Stores are the chain's layers as gocache sees them.
func (c *Chain) Stores() (l1, l2 store.StoreInterface) { return c.l1, c.l2 }

// Data and Lease are where an entry and its lease stand in Redis.
func (c *Chain) Data(strategy, name string) string  { return c.l2.data(key{strategy, name}) }
func (c *Chain) Lease(strategy, name string) string { return c.l2.leaseOf(key{strategy, name}) }

// Encode and Decode are the envelope.
func Encode(under string, e *Entry, compress bool) ([]byte, error) {
	return newCodec().encode(under, e, compress)
}
func Decode(under string, b []byte) (*Entry, error) { return newCodec().decode(under, b) }

// NewCodec gives a function that encodes and one that decodes.
func NewCodec() (func(string, *Entry, bool) ([]byte, error), func(string, []byte) (*Entry, error)) {
	c := newCodec()
	return c.encode, c.decode
}

// ErrCorrupt is what Decode gives for what is no entry.
var ErrCorrupt = errCorrupt

// Weigh is what an entry counts against the bound of the process.
func Weigh(name string, e *Entry) int { return int(weigh(key{"", name}, kept{entry: e})) }

// Forget removes an entry from the process alone.
func (c *Chain) Forget(strategy, name string) { c.l1.kept.Invalidate(key{strategy, name}) }

// Using tells whether Redis is read and written.
func (c *Chain) Using() (reads, writes bool) { return c.l2.reads.closed(), c.l2.writes.closed() }

// Dropped tells how many writes were dropped, by why.
func (c *Chain) Dropped() (full, away, failed, fenced, large uint64) {
	d := c.desk.dropped.state()
	return d.Full, d.Away, d.Failed, d.Fenced, d.Large
}

// Flights tells how many loads are under way.
func (c *Chain) Flights() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.flights)
}

// Waiting tells how many wait for a load.
func (c *Chain) Waiting(strategy, name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.flights[key{strategy, name}]; f != nil {
		return f.waiting
	}
	return 0
}

// Claim takes the lease of an entry as another server would.
func (c *Chain) Claim(ctx context.Context, strategy, name, token string, life time.Duration) error {
	return c.l2.client.SetArgs(ctx, c.Lease(strategy, name), token, redis.SetArgs{Mode: "NX", TTL: life}).Err()
}

// Settle evicts what is too much, at once.
func (c *Chain) Settle() { c.l1.kept.CleanUp() }

// Rest, Skew and Large are the constants of those names.
const (
	Rest  = rest
	Large = large
)

// Resum alters the bytes of an entry and makes its checksum right again.
func Resum(under string, b []byte, alter func([]byte)) []byte {
	out := append([]byte(nil), b...)
	alter(out)
	binary.BigEndian.PutUint32(out[len(magic)+1:], sum(under, out[summed:]))
	return out
}
