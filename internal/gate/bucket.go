package gate

import (
	"math"
	"time"
)

// rule is the rule named GCRA, told in points: what was spent drips out of a bucket at a steady pace, and nothing may flow over.
type rule struct {
	points int
	pace   float64 // points a nanosecond
}

// bucket is what this process knows of a caller's points.
type bucket struct {
	spent  float64   // by all servers and not dripped out yet, what is held with it
	at     time.Time // when that was so
	held   int       // the lease: taken from Redis and not spent yet
	due    int       // what Redis is to have back; negative: what it is to be told of
	asked  time.Time // when Redis was asked last
	astray bool      // points were counted here that Redis does not know of
}

const (
	// grain is less than a point, and more than the error of adding floats for years.
	grain = 1e-6
	// margin covers what Redis rounds, so that who waits as long as it is told gets through.
	margin = time.Millisecond
)

// drip brings the bucket up to the time. What is held cannot be more than what is spent: otherwise a lease and a full refill could be spent at once.
func (l rule) drip(b *bucket, now time.Time) {
	if passed := now.Sub(b.at); passed > 0 {
		b.spent, b.at = max(0, b.spent-float64(passed)*l.pace), now
	}
	if most := int(math.Ceil(b.spent - grain)); b.held > most {
		b.due += b.held - most
		b.held = most
	}
}

func (l rule) fits(b *bucket, points int) bool {
	return b.spent+float64(points) <= float64(l.points)+grain
}

// settle spends what is held.
func (l rule) settle(b *bucket, points int) Standing {
	allowed := points <= b.held
	if allowed {
		b.held -= points
	}
	return l.standing(b, allowed, points)
}

// charge spends by the bucket alone.
func (l rule) charge(b *bucket, points int) Standing {
	allowed := points == 0 || l.fits(b, points)
	if allowed {
		b.spent += float64(points)
	}
	return l.standing(b, allowed, points)
}

// count gives up the lease: from here on the bucket alone tells.
func (b *bucket) count(astray bool) {
	b.spent = max(0, b.spent-float64(b.held))
	b.held, b.due, b.astray = 0, 0, astray
}

func (l rule) standing(b *bucket, allowed bool, points int) Standing {
	used := b.spent - float64(b.held)
	s := Standing{Allowed: allowed, Limit: l.points, Remaining: min(l.points, max(0, int(math.Floor(float64(l.points)-used+grain)))), Reset: l.time(used)}
	if !allowed && points <= l.points {
		s.Retry = max(0, l.time(used+float64(points-l.points))) + margin
	}
	return s
}

// time is how long so many points take to drip out.
func (l rule) time(points float64) time.Duration {
	if points <= grain {
		return 0
	}
	return time.Duration(math.Ceil(points / l.pace))
}
