package gate

import "sync"

// Streams bounds how many streams a caller has open at once. A nil Streams bounds nothing.
type Streams struct {
	most int
	mu   sync.Mutex
	open map[string]int
}

// NewStreams makes the bound; nil where most is 0.
func NewStreams(most int) *Streams {
	if most <= 0 {
		return nil
	}
	return &Streams{most: most, open: map[string]int{}}
}

// Open counts a stream of a caller, if it may have one more. Call close when it ends; more than once does no harm.
func (s *Streams) Open(caller string) (close func(), ok bool) {
	if s == nil {
		return func() {}, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[caller] >= s.most {
		return func() {}, false
	}
	s.open[caller]++
	return sync.OnceFunc(func() { s.close(caller) }), true
}

func (s *Streams) close(caller string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[caller]--; s.open[caller] == 0 {
		delete(s.open, caller)
	}
}
