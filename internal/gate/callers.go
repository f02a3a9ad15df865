package gate

import (
	"hash/maphash"
	"sync"
	"time"
)

const (
	shards = 64
	// maxCallers bounds the memory that callers take. Beyond it one that rested longer than a few others is forgotten, and its lease given back.
	maxCallers = 100_000
	others     = 5
)

// account is one caller's bucket, and its use.
type account struct {
	bucket
	used   time.Time
	asking sync.Mutex // held while Redis is asked for this caller
}

// callers are those who spent points a short while ago. No lock is held while Redis is asked, but a caller's own.
type callers struct {
	seed  maphash.Seed
	shard [shards]*shard
}

type shard struct {
	mu      sync.Mutex
	callers map[string]*account
	most    int
	left    []debt // of those who were forgotten
}

// debt is what Redis is to have back of a caller.
type debt struct {
	caller string
	points int
}

func newCallers(most int) callers {
	c := callers{seed: maphash.MakeSeed()}
	for i := range c.shard {
		c.shard[i] = &shard{callers: map[string]*account{}, most: most / shards}
	}
	return c
}

func (cs *callers) of(name string) *shard {
	return cs.shard[maphash.String(cs.seed, name)%shards]
}

// with changes a caller, who is known from then on.
func (cs *callers) with(name string, now time.Time, change func(*account)) {
	s := cs.of(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.callers[name]
	if c == nil {
		s.makeRoom()
		c = &account{}
		s.callers[name] = c
	}
	c.used = now
	change(c)
}

// look gives what is known of a caller, also where that is nothing.
func (cs *callers) look(name string) bucket {
	s := cs.of(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.callers[name]; c != nil {
		return c.bucket
	}
	return bucket{}
}

// makeRoom forgets one caller when there are too many. A map is walked from anywhere, so the few that are compared are random.
func (s *shard) makeRoom() {
	if len(s.callers) < s.most {
		return
	}
	var oldest string
	seen := 0
	for name, c := range s.callers {
		if seen == 0 || c.used.Before(s.callers[oldest].used) {
			oldest = name
		}
		if seen++; seen == others {
			break
		}
	}
	if c := s.callers[oldest]; c.held+c.due != 0 && len(s.left) < s.most {
		s.left = append(s.left, debt{oldest, c.held + c.due})
	}
	delete(s.callers, oldest)
}

// sweep collects what Redis is to have back, and forgets callers of whom nothing is to be remembered.
func (s *shard) sweep(r *Rate, now time.Time, all bool) []debt {
	s.mu.Lock()
	defer s.mu.Unlock()
	debts := s.left
	s.left = nil
	for name, c := range s.callers {
		r.rule.drip(&c.bucket, now)
		keep := r.lease
		if all || now.Sub(c.used) >= idle {
			keep = 0
		}
		if more := c.held - keep; more > 0 {
			c.held, c.due = keep, c.due+more
			c.spent = max(0, c.spent-float64(more))
		}
		if c.due != 0 {
			debts = append(debts, debt{name, c.due})
			c.due = 0
		}
		if c.held == 0 && c.spent == 0 {
			delete(s.callers, name)
		}
	}
	return debts
}
