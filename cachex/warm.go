package cachex

import (
	"context"
	"time"
)

// Warm sees to it that an entry is kept in this process that is fresh for so long from now, and in Redis where it has to be loaded; loaded tells whether it had to be. Of
// servers that warm the same one loads it. Nobody asked for the entry, so no look-up is counted. A load that fails leaves what is kept as it is.
func (c *Chain) Warm(ctx context.Context, s *Strategy, name string, ahead time.Duration, load func(context.Context) (*Entry, error)) (loaded bool, err error) {
	k := key{s.Name, name}
	if e, err := c.here(ctx, k); err == nil && e.fresh(c.o.Now().Add(ahead)) {
		return false, nil
	}
	if err := ctx.Err(); err != nil {
		return false, err
	}
	f := c.warming(ctx, s, k, ahead, load)
	select {
	case <-f.done:
	case <-ctx.Done():
		c.leave(f)
		return false, ctx.Err()
	}
	return f.err == nil && f.out.Layer == None, f.err
}

// warming joins the load of a key, or begins one. It ends when all have left, like any other.
func (c *Chain) warming(ctx context.Context, s *Strategy, k key, ahead time.Duration, load func(context.Context) (*Entry, error)) *flight {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.flights[k]; f != nil {
		f.waiting++
		return f
	}
	return c.begin(ctx, &flight{strategy: s, key: k, load: load, renewal: true, ahead: ahead, quiet: true})
}

// RedisUse tells what Redis is used for now: nothing where it is away, or none is set.
type RedisUse struct{ Reading, Writing bool }

// Redis tells what Redis is used for now.
func (c *Chain) Redis() RedisUse {
	if c.l2 == nil {
		return RedisUse{}
	}
	return RedisUse{c.l2.reads.closed(), c.l2.writes.closed()}
}
