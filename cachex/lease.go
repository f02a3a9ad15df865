package cachex

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// A lease says that one of all servers loads an entry. It is a key in Redis with a token that only its holder knows, and lasts for a short time that the
// holder renews as long as it loads. What was loaded is stored only by who still holds the lease: a removal takes the lease away, so what was read before
// a removal on any server is not stored in Redis after it.
var (
	// spend stores an entry and gives the lease back, if it is still held.
	spend = redis.NewScript(`
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
redis.call("SET", KEYS[2], ARGV[2], "PX", ARGV[3])
redis.call("DEL", KEYS[1])
return 1
`)
	// giveUp gives the lease back, if it is still held, and removes the entry if that is gone for good.
	giveUp = redis.NewScript(`
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
redis.call("DEL", KEYS[1])
if ARGV[2] == "1" then redis.call("DEL", KEYS[2]) end
return 1
`)
	// renew holds the lease for longer, if it is still held.
	renew = redis.NewScript(`
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call("PEXPIRE", KEYS[1], ARGV[2])
`)
)

const (
	// firstPause and longestPause are between two looks for what another server loads.
	firstPause, longestPause = 5 * time.Millisecond, 100 * time.Millisecond
	// usualWait is how long another server's load is waited for.
	usualWait = 2 * time.Second
)

// claim asks for the lease and looks for the entry, in one round trip and in this order: who gets the lease after another gave it back finds what it stored. The lease is
// also his who got it before without hearing so.
func (r *redisStore) claim(ctx context.Context, k key, token string) (e *Entry, mine bool, err error) {
	at := r.data(k)
	type both struct {
		body []byte
		mine bool
	}
	got, err := within(ctx, r, r.writes, func(ctx context.Context) (both, error) {
		p := r.client.Pipeline()
		lease := p.SetArgs(ctx, r.leaseOf(k), token, redis.SetArgs{Mode: "NX", TTL: r.lease})
		holder := p.Get(ctx, r.leaseOf(k))
		body := p.Get(ctx, at)
		_, _ = p.Exec(ctx)
		if err := lease.Err(); err != nil && !errors.Is(err, redis.Nil) {
			return both{}, err
		}
		b, err := bytesOf(body)
		return both{b, lease.Err() == nil || holder.Val() == token}, err
	})
	if err != nil {
		return nil, false, err
	}
	if found, err := r.entry(at, got.body); err == nil {
		e = found.(*Entry)
	}
	return e, got.mine, nil
}

// release gives a lease back, and removes the entry if it is gone.
func (r *redisStore) release(ctx context.Context, k key, token string, gone bool) error {
	flag := "0"
	if gone {
		flag = "1"
	}
	_, err := within(ctx, r, r.writes, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, giveUp.Run(ctx, r.client, []string{r.leaseOf(k), r.data(k)}, token, flag).Err()
	})
	return err
}

// hold renews a lease until it is told to stop, the lease is lost, or it was the longest that a load can take. The lease of a process that died is over within its time.
func (r *redisStore) hold(ctx context.Context, k key, token string, longest time.Duration) (stop func()) {
	ctx, cancel := context.WithTimeout(ctx, longest)
	go func() {
		tick := time.NewTicker(r.lease / 3)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			held, err := within(ctx, r, r.writes, func(ctx context.Context) (bool, error) {
				return renew.Run(ctx, r.client, []string{r.leaseOf(k)}, token, r.lease.Milliseconds()).Bool()
			})
			if err == nil && !held {
				return
			}
		}
	}()
	return cancel
}
