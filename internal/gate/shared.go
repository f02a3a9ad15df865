package gate

import (
	"context"
	"fmt"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"
)

const (
	// prefix stands before a caller in Redis, behind the "rate:" of redis_rate.
	prefix = "carbongraph:points:"
	// probe is where it is tried whether Redis counts again. No caller has an empty name.
	probe = ""
	// patience is how long Redis may take. A point is not worth more of a request's time.
	patience = 50 * time.Millisecond
	// chunk is how many leases are given back in a round trip.
	chunk = 100
)

// move raises a caller's time of arrival in Redis to a floor, and then moves it: back where points are returned, on where they are owed; both in seconds from now.
// redis_rate has no such thing, so it keeps that time under redis_rate's key and counts from its epoch.
var move = redis.NewScript(`
local now = redis.call("TIME")
now = (now[1] - 1483228800) + (now[2] / 1000000)
local tat = tonumber(redis.call("GET", KEYS[1]) or now)
tat = math.max(tat, now + tonumber(ARGV[1])) + tonumber(ARGV[2])
if tat > now then
  redis.call("SET", KEYS[1], tat, "EX", math.ceil(tat - now))
else
  redis.call("DEL", KEYS[1])
end
return 0
`)

// question is what Redis is asked for a caller: first what to be told, then what is wanted.
type question struct {
	floor      float64 // points that are spent at least
	due        int     // points that it has back first; negative: that were used beyond
	need, want int     // all of need or nothing; where want is more, as much of that as there is
}

type answer struct {
	points int     // allowed
	spent  float64 // by all servers, these with them
}

// fetch brings a caller what it needs, and a lease beside it as far as there is one, and spends from that.
func (r *Rate) fetch(ctx context.Context, name string, points int) (s Standing) {
	var q question
	r.callers.with(name, r.o.Now(), func(c *account) {
		r.rule.drip(&c.bucket, c.used)
		q.need = points - c.held
		// A lease of the last points would be cut off at a whole one, and keep them from other servers.
		q.want = max(0, q.need, min(r.lease, int(float64(r.rule.points)-c.spent)))
		if q.due = c.due; c.astray {
			q.floor = c.spent
		}
		c.due, c.astray = 0, false
	})
	a, err := r.ask(ctx, name, q)
	r.callers.with(name, r.o.Now(), func(c *account) {
		if err != nil {
			r.rule.drip(&c.bucket, c.used)
			s = r.alone(c, points)
			return
		}
		c.held += a.points
		c.spent, c.at, c.asked = a.spent, c.used, c.used
		s = r.rule.settle(&c.bucket, points)
	})
	return s
}

// ask puts a question to Redis.
func (r *Rate) ask(ctx context.Context, name string, q question) (answer, error) {
	return within(ctx, r, func(ctx context.Context) (answer, error) {
		if q.floor > 0 || q.due != 0 {
			if err := move.Run(ctx, r.o.Redis, []string{key(name)}, r.seconds(q.floor), r.seconds(float64(-q.due))).Err(); err != nil {
				return answer{}, err
			}
		}
		limit := redis_rate.Limit{Rate: r.rule.points, Burst: r.rule.points, Period: r.o.Period}
		take, points := r.limiter.AllowAtMost, q.want
		if q.need >= q.want && q.need > 0 {
			take, points = r.limiter.AllowN, q.need
		}
		res, err := take(ctx, prefix+name, limit, points)
		if err != nil {
			return answer{}, err
		}
		return answer{res.Allowed, float64(res.ResetAfter) * r.rule.pace}, nil
	})
}

// give gives back what is due. What Redis does not take refills by itself.
func (r *Rate) give(ctx context.Context, debts []debt) {
	for len(debts) > 0 && r.shared() {
		some := debts[:min(chunk, len(debts))]
		debts = debts[len(some):]
		_, _ = within(ctx, r, func(ctx context.Context) (struct{}, error) {
			_, err := r.o.Redis.Pipelined(ctx, func(p redis.Pipeliner) error {
				for _, d := range some {
					move.Eval(ctx, p, []string{key(d.caller)}, 0, r.seconds(float64(-d.points)))
				}
				return nil
			})
			return struct{}{}, err
		})
	}
}

func key(name string) string { return "rate:" + prefix + name }

// seconds is how long points take to drip out.
func (r *Rate) seconds(points float64) float64 { return points / r.rule.pace / float64(time.Second) }

// within waits for Redis no longer than it may take, also where the client's own timeouts are longer; an answer that comes later is lost.
// It outlives who asks: a client that leaves says nothing about Redis.
func within[T any](ctx context.Context, r *Rate, f func(context.Context) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.timeout)
	defer cancel()
	done := make(chan result, 1)
	go func() {
		var res result
		defer func() {
			if p := recover(); p != nil { // redis_rate asserts the types of what it is answered
				res.err = fmt.Errorf("the answer makes no sense: %v", p)
			}
			done <- res
		}()
		res.value, res.err = f(ctx)
	}()
	var res result
	select {
	case res = <-done:
	case <-ctx.Done():
		res.err = ctx.Err()
	}
	if res.err != nil && r.away.CompareAndSwap(false, true) {
		r.o.Metrics.Shared(false)
		r.o.Log.WarnContext(ctx, "redis does not count points; this process does", "err", res.err)
	}
	return res.value, res.err
}

// Run gives idle leases back, and finds Redis again after it was away, until the context ends. Then it gives back all leases: end it when nobody takes any more.
func (r *Rate) Run(ctx context.Context) {
	if r == nil {
		return
	}
	tick := time.NewTicker(idle)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			r.tend(ctx, false)
		case <-ctx.Done():
			r.tend(ctx, true)
			return
		}
	}
}

// tend does what is to be done once a second, and for all callers at the end.
func (r *Rate) tend(ctx context.Context, all bool) {
	if r.away.Load() && !all {
		r.find(ctx)
	}
	now := r.o.Now()
	var debts []debt
	for _, s := range r.callers.shard {
		debts = append(debts, s.sweep(r, now, all)...)
	}
	r.give(ctx, debts)
}

// find tries whether Redis counts again. It takes a point of nobody: a Redis that can only be read does not count.
func (r *Rate) find(ctx context.Context) {
	if _, err := r.ask(ctx, probe, question{want: 1}); err == nil {
		r.away.Store(false)
		r.o.Metrics.Shared(true)
		r.o.Log.InfoContext(ctx, "redis counts points again")
	}
}
