package batch

import (
	"math"
	"sync"
	"time"
)

// Bounds of the size that is found while an import runs, in lines of one transaction.
const (
	leastRows = 100
	mostRows  = 10_000
)

const (
	// firstStep is how much larger or smaller the next size is; each time that turns out wrong, the step is halved, down to leastStep.
	firstStep, leastStep = 0.5, 0.05
	// windowChunks is over how many chunks a size is measured, so that one slow commit decides nothing.
	windowChunks = 8
)

// sizer finds with how many lines to a transaction an import is fastest: it climbs as long as lines are stored faster, and turns round where they are not.
type sizer struct {
	most  float64 // lines of one transaction
	mu    sync.Mutex
	now   func() time.Time
	size  float64
	step  float64 // negative: down
	rate  float64 // lines a second, of the size before
	lines int     // in this window
	since time.Time
}

// newSizer begins with what suits most, and goes no further than most.
func newSizer(now func() time.Time, most int) *sizer {
	return &sizer{now: now, most: float64(most), size: float64(min(chunkRows, most)), step: firstStep}
}

// rows is the size of the next chunk.
func (s *sizer) rows() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int(s.size)
}

// add tells that a chunk is stored.
func (s *sizer) add(lines int) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if s.since.IsZero() {
		s.since = now
		return
	}
	if s.lines += lines; s.lines < windowChunks*int(s.size) {
		return
	}
	rate := float64(s.lines) / max(1e-9, now.Sub(s.since).Seconds())
	s.lines, s.since = 0, now
	if s.rate > 0 && rate < s.rate {
		s.step /= -2
		if math.Abs(s.step) < leastStep {
			s.step = math.Copysign(leastStep, s.step)
		}
	}
	s.rate = rate
	if s.step > 0 {
		s.size *= 1 + s.step
	} else {
		s.size /= 1 - s.step
	}
	s.size = max(leastRows, min(s.most, s.size))
}

// pause tells that the import rested: what is measured begins anew.
func (s *sizer) pause() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines, s.since = 0, s.now()
}
