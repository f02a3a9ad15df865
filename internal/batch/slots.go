package batch

import (
	"context"
	"sync"
)

// slots are the transactions in which batches may write at once: a part of the connections, so that readers always find one. Those that somebody waits for come
// before those of the background; of these one in so many comes first all the same, so that they do not stand still.
type slots struct {
	mu      sync.Mutex
	free    int
	urgent  []chan struct{}
	patient []chan struct{}
	passed  int // how many urgent ones came before a patient one that waits
}

// maxPassed is how many urgent transactions come before one that waits in the background.
const maxPassed = 16

func newSlots(n int) *slots { return &slots{free: n} }

// take waits for a slot.
func (s *slots) take(ctx context.Context, urgent bool) error {
	s.mu.Lock()
	if s.free > 0 {
		s.free--
		s.mu.Unlock()
		return nil
	}
	mine, line := make(chan struct{}), s.line(urgent)
	*line = append(*line, mine)
	s.mu.Unlock()
	select {
	case <-mine:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	for i, c := range *line {
		if c == mine {
			*line = append((*line)[:i], (*line)[i+1:]...)
			s.mu.Unlock()
			return ctx.Err()
		}
	}
	s.mu.Unlock()
	s.give() // it was handed over just now
	return ctx.Err()
}

func (s *slots) line(urgent bool) *[]chan struct{} {
	if urgent {
		return &s.urgent
	}
	return &s.patient
}

// give passes the slot on to whoever is next.
func (s *slots) give() {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := &s.urgent
	switch {
	case len(s.urgent) == 0 && len(s.patient) == 0:
		s.free++
		return
	case len(s.urgent) == 0 || len(s.patient) > 0 && s.passed >= maxPassed:
		next, s.passed = &s.patient, 0
	case len(s.patient) > 0:
		s.passed++
	}
	close((*next)[0])
	*next = (*next)[1:]
}
