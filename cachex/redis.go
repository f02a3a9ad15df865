package cachex

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/eko/gocache/lib/v4/store"
	"github.com/redis/go-redis/v9"
)

// redisStore is the layer in Redis: gocache's store interface with one round trip for each call, and none that takes longer than it may.
type redisStore struct {
	client        redis.UniversalClient
	prefix        string
	timeout       time.Duration
	lease         time.Duration
	codec         *codec
	now           func() time.Time
	reads, writes *breaker
	none          error
}

var _ store.StoreInterface = (*redisStore)(nil)

// errAway tells that Redis is not asked at present.
var errAway = errors.New("redis is away")

func newRedisStore(o Options) *redisStore {
	return &redisStore{client: o.Redis, prefix: o.Prefix, timeout: o.Timeout, lease: o.Lease, codec: newCodec(), now: o.Now,
		reads: newBreaker("read", o.Log), writes: newBreaker("write", o.Log), none: store.NotFoundWithCause(nil)}
}

// data is where an entry stands. The braces keep an entry and its lease on one node of a cluster.
func (r *redisStore) data(k key) string { return r.prefix + "{" + k.strategy + ":" + k.name + "}" }

// leaseOf is where the lease of an entry stands.
func (r *redisStore) leaseOf(k key) string {
	return r.prefix + "lease{" + k.strategy + ":" + k.name + "}"
}

// within has Redis do something, for no longer than it may, also where the client's own timeouts are longer; an answer that comes later is lost. Only what
// Redis did speaks against it: not that the caller left.
func within[T any](ctx context.Context, r *redisStore, b *breaker, f func(context.Context) (T, error)) (T, error) {
	if !b.closed() {
		var zero T
		return zero, errAway
	}
	return trying(ctx, r, b, f)
}

func trying[T any](ctx context.Context, r *redisStore, b *breaker, f func(context.Context) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var told atomic.Bool
	tell := func(err error) {
		if told.CompareAndSwap(false, true) {
			b.record(err)
		}
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.timeout)
	done := make(chan result, 1)
	go func() {
		defer cancel()
		var res result
		res.value, res.err = f(limited)
		tell(res.err)
		done <- res
	}()
	select {
	case res := <-done:
		return res.value, res.err
	default:
	}
	var res result
	select {
	case res = <-done:
	case <-ctx.Done():
		res.err = ctx.Err()
	case <-limited.Done():
		select {
		case res = <-done: // it came in time: its end cancels as well
		default:
			res.err = limited.Err()
			tell(res.err)
		}
	}
	return res.value, res.err
}

// Get gives an entry. The error is store.NotFound where there is none, with errCorrupt as its cause where there is something else.
func (r *redisStore) Get(ctx context.Context, k any) (any, error) {
	id, ok := k.(key)
	if !ok {
		return nil, errKey
	}
	at := r.data(id)
	b, err := within(ctx, r, r.reads, func(ctx context.Context) ([]byte, error) { return bytesOf(r.client.Get(ctx, at)) })
	if err != nil {
		return nil, err
	}
	return r.entry(at, b)
}

func (r *redisStore) entry(at string, b []byte) (any, error) {
	if b == nil {
		return nil, r.none
	}
	e, err := r.codec.decode(at, b)
	if err != nil {
		return nil, store.NotFoundWithCause(err)
	}
	return e, nil
}

// bytesOf gives what a key holds; nil where there is none.
func bytesOf(c *redis.StringCmd) ([]byte, error) {
	b, err := c.Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	return b, err
}

// GetWithTTL gives an entry and what is left of it, by what it says itself: Redis is not asked twice.
func (r *redisStore) GetWithTTL(ctx context.Context, k any) (any, time.Duration, error) {
	e, err := r.Get(ctx, k)
	if err != nil {
		return nil, 0, err
	}
	return e, e.(*Entry).Hard.Sub(r.now()), nil
}

// Set stores an entry until it is no more to be served, or for the expiration that is given.
func (r *redisStore) Set(ctx context.Context, k, value any, options ...store.Option) error {
	id, ok := k.(key)
	if !ok {
		return errKey
	}
	e, ok := value.(*Entry)
	if !ok || e == nil {
		return fmt.Errorf("%w: %T", errValue, value)
	}
	o := store.ApplyOptions(options...)
	if len(o.Tags) > 0 {
		return errTags
	}
	life := e.Hard.Sub(r.now())
	if o.Expiration > 0 {
		life = min(life, o.Expiration)
	}
	_, err := r.put(ctx, id, e, life, false, "")
	return err
}

// put stores an entry; where a token is given only if that still holds the lease, which it gives back. It tells whether the entry was stored.
func (r *redisStore) put(ctx context.Context, k key, e *Entry, life time.Duration, compress bool, token string) (bool, error) {
	if life < time.Millisecond {
		return false, nil
	}
	at := r.data(k)
	b, err := r.codec.encode(at, e, compress)
	if err != nil {
		return false, err
	}
	return within(ctx, r, r.writes, func(ctx context.Context) (bool, error) {
		if token != "" {
			return spend.Run(ctx, r.client, []string{r.leaseOf(k), at}, token, b, life.Milliseconds()).Bool()
		}
		return true, r.client.Set(ctx, at, b, life).Err()
	})
}

// Delete removes an entry, and the lease of whoever loads it: what is loaded now is not stored.
func (r *redisStore) Delete(ctx context.Context, k any) error {
	id, ok := k.(key)
	if !ok {
		return errKey
	}
	_, err := within(ctx, r, r.writes, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, r.client.Unlink(ctx, r.data(id), r.leaseOf(id)).Err()
	})
	return err
}

// Invalidate refuses: there are no tags.
func (r *redisStore) Invalidate(context.Context, ...store.InvalidateOption) error { return errTags }

// Clear removes what stands under the prefix, and nothing else.
func (r *redisStore) Clear(ctx context.Context) error {
	_, err := r.clear(ctx, "")
	return err
}

// GetType is "redis".
func (*redisStore) GetType() string { return "redis" }

// clear removes the entries of a strategy, or all where it is empty, with their leases, and tells the keys of the entries.
func (r *redisStore) clear(ctx context.Context, strategy string) (map[key]bool, error) {
	inside := "*"
	if strategy != "" {
		inside = literal(strategy) + ":*"
	}
	gone := map[key]bool{}
	err := r.eachNode(ctx, func(ctx context.Context, node redis.UniversalClient) error {
		for _, begin := range []string{"lease{", "{"} { // leases first: nobody stores what it began to load before
			keys, err := sweep(ctx, node, literal(r.prefix)+begin+inside+"}")
			if err != nil {
				return err
			}
			for _, at := range keys {
				inner := strings.TrimSuffix(strings.TrimPrefix(at, r.prefix+"{"), "}")
				if s, name, ok := strings.Cut(inner, ":"); ok && begin == "{" {
					gone[key{s, name}] = true
				}
			}
		}
		return nil
	})
	return gone, err
}

// eachNode runs over every node that has keys of its own.
func (r *redisStore) eachNode(ctx context.Context, f func(context.Context, redis.UniversalClient) error) error {
	if cluster, ok := r.client.(*redis.ClusterClient); ok {
		var one = make(chan struct{}, 1) // a node at a time
		return cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
			one <- struct{}{}
			defer func() { <-one }()
			return f(ctx, node)
		})
	}
	return f(ctx, r.client)
}

// swept is how many keys a round trip looks at.
const swept = 1000

// sweep unlinks the keys of a pattern, and tells those that it did. It never blocks Redis for longer than a part of them takes.
func sweep(ctx context.Context, node redis.UniversalClient, pattern string) ([]string, error) {
	var gone []string
	var cursor uint64
	for {
		keys, next, err := node.Scan(ctx, cursor, pattern, swept).Result()
		if err != nil {
			return gone, err
		}
		if len(keys) > 0 {
			unlinked, err := node.Pipelined(ctx, func(p redis.Pipeliner) error {
				for _, k := range keys { // one by one: keys of a cluster's node may be of several slots
					p.Unlink(ctx, k)
				}
				return nil
			})
			if err != nil {
				return gone, err
			}
			for i, c := range unlinked {
				if c.(*redis.IntCmd).Val() > 0 {
					gone = append(gone, keys[i])
				}
			}
		}
		if cursor = next; cursor == 0 {
			return gone, nil
		}
	}
}

// literal keeps a text from meaning anything in a pattern.
func literal(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(s)
}

// find tries whether Redis can be used again, where it cannot.
func (r *redisStore) find(ctx context.Context) {
	at := r.prefix + "probe"
	r.reads.probe(func() error {
		_, err := trying(ctx, r, r.reads, func(ctx context.Context) ([]byte, error) { return bytesOf(r.client.Get(ctx, at)) })
		return err
	})
	r.writes.probe(func() error {
		_, err := trying(ctx, r, r.writes, func(ctx context.Context) (string, error) {
			return r.client.Set(ctx, at, "", time.Second).Result()
		})
		return err
	})
}
