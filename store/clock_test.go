package store_test

import (
	"sync"
	"time"

	"carbongraph/store"
)

// clock stands still until it is told to go on, so that rows are made at the same instant.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// tick goes on by so many microseconds: the least that the ledger tells apart.
func (c *clock) tick(microseconds int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(time.Duration(microseconds) * time.Microsecond)
}

// option opens a store by this clock.
func (c *clock) option(o *store.Options) { o.Now = c.now }
