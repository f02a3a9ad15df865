// Package gate tells who may run now: how many cost points a caller may still spend, and how many operations run at once.
package gate

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"

	"carbongraph/internal/telemetry"
)

// RateOptions are what points are counted with.
type RateOptions struct {
	Points  int                   // what a caller may spend in a Period, and also at once; 0: no limit, NewRate gives nil
	Period  time.Duration         // 0: a minute
	Redis   redis.UniversalClient // where all servers count together; nil: each counts for itself
	Log     *slog.Logger
	Metrics *telemetry.Gate
	Now     func() time.Time // nil: time.Now
}

const (
	// part of a caller's points is leased at a time: no more stands idle with a server.
	part = 100
	// idle is how long a lease rests before it is given back, and how often that is looked after.
	idle = time.Second
	// fresh is how long a refusal is believed: another server may return points at any time.
	fresh = 100 * time.Millisecond
)

// Rate bounds how many cost points a caller spends. A nil Rate lets everything through.
//
// With Redis, all servers together keep the bound. A server takes a lease of points there and spends them without asking again;
// docs/decisions/0011-points-in-leases.md says why. While Redis does not answer, each server counts for itself.
type Rate struct {
	o       RateOptions
	rule    rule
	lease   int
	callers callers
	limiter *redis_rate.Limiter // nil without Redis
	timeout time.Duration       // for Redis
	away    atomic.Bool         // Redis does not answer
}

// Standing is how a caller stands.
type Standing struct {
	Allowed          bool
	Limit, Remaining int           // points at most, and those left; 0 where there is no limit
	Reset            time.Duration // until everything may be spent again
	Retry            time.Duration // until what was asked for may be spent; 0 where waiting does not help: more than Limit was asked for at once
}

// NewRate makes the bound; nil where Points is 0. Run it as well, so that idle leases are given back and Redis is found again.
func NewRate(o RateOptions) *Rate {
	if o.Points <= 0 {
		return nil
	}
	if o.Period <= 0 {
		o.Period = time.Minute
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	r := &Rate{o: o, rule: rule{o.Points, float64(o.Points) / float64(o.Period)}, lease: max(1, o.Points/part), callers: newCallers(maxCallers), timeout: patience}
	if o.Redis != nil {
		r.limiter = redis_rate.NewLimiter(o.Redis)
	}
	o.Metrics.Shared(r.shared())
	return r
}

// shared tells whether points are counted in Redis now.
func (r *Rate) shared() bool { return r.limiter != nil && !r.away.Load() }

// Take spends points of a caller: all, or none.
func (r *Rate) Take(ctx context.Context, caller string, points int) Standing {
	if r == nil {
		return Standing{Allowed: true}
	}
	points = max(points, 0)
	s := r.take(ctx, caller, points)
	if s.Allowed {
		r.o.Metrics.Taken(points)
	} else {
		r.o.Metrics.Refused(telemetry.RefusedRate)
	}
	return s
}

func (r *Rate) take(ctx context.Context, name string, points int) Standing {
	s, known, c := r.spend(name, points)
	if known {
		return s
	}
	// Requests of one caller that come together ask once: the first brings a lease, the others find it.
	c.asking.Lock()
	defer c.asking.Unlock()
	if s, known, _ = r.spend(name, points); known {
		return s
	}
	return r.fetch(ctx, name, points)
}

// alone counts in this process.
func (r *Rate) alone(c *account, points int) Standing {
	c.count(r.limiter != nil)
	return r.rule.charge(&c.bucket, points)
}

// spend takes points as far as this process knows that it may, or knows that it may not; otherwise Redis is to be asked.
func (r *Rate) spend(name string, points int) (s Standing, known bool, of *account) {
	r.callers.with(name, r.o.Now(), func(c *account) {
		r.rule.drip(&c.bucket, c.used)
		if r.shared() {
			short := points - c.held
			if known = short <= 0 || c.used.Sub(c.asked) < fresh && !r.rule.fits(&c.bucket, short); known {
				s = r.rule.settle(&c.bucket, points)
			}
		} else {
			s, known = r.alone(c, points), true
		}
		of = c
	})
	return s, known, of
}

// Return gives back what was taken and not used. A negative number takes what was used beyond: it is owed, and nothing is refused.
func (r *Rate) Return(caller string, points int) {
	if r == nil || points == 0 {
		return
	}
	if points > 0 {
		r.o.Metrics.Returned(points)
	} else {
		r.o.Metrics.Taken(-points)
	}
	r.callers.with(caller, r.o.Now(), func(c *account) {
		r.rule.drip(&c.bucket, c.used)
		if !r.shared() {
			c.count(r.limiter != nil)
			c.spent = max(0, c.spent-float64(points))
			return
		}
		c.held += points
		if c.held < 0 { // Redis is to be told of it
			c.due += c.held
			c.spent -= float64(c.held)
			c.held = 0
		}
		r.rule.drip(&c.bucket, c.used)
	})
}

// Look tells how a caller stands. It takes nothing, and keeps nothing of a caller that is not known here.
func (r *Rate) Look(ctx context.Context, caller string) Standing {
	if r == nil {
		return Standing{Allowed: true}
	}
	now := r.o.Now()
	b := r.callers.look(caller)
	if r.shared() && now.Sub(b.asked) >= idle {
		if a, err := r.ask(ctx, caller, question{}); err == nil {
			b.spent, b.at = a.spent, now
		}
	}
	r.rule.drip(&b, now)
	return r.rule.standing(&b, true, 0)
}
