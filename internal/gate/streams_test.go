package gate_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"carbongraph/internal/gate"
	"carbongraph/internal/servertest"
)

func TestStreamsOfACallerAreBounded(t *testing.T) {
	s := gate.NewStreams(3)
	var all sync.WaitGroup
	var closes [20]func()
	var opened atomic.Int64
	for i := range closes {
		all.Go(func() {
			var ok bool
			if closes[i], ok = s.Open("a"); ok {
				opened.Add(1)
			}
		})
	}
	all.Wait()
	if opened.Load() != 3 {
		t.Errorf("%d streams are open; want 3", opened.Load())
	}
	if _, ok := s.Open("b"); !ok {
		t.Error("another caller has streams of its own")
	}
	for _, c := range closes {
		c()
		c()
	}
	for range 3 {
		if _, ok := s.Open("a"); !ok {
			t.Error("closed streams are still counted")
		}
	}
	if _, ok := s.Open("a"); ok {
		t.Error("a stream that was closed twice was counted twice")
	}
}

func TestClosedStreamsTakeNoMemory(t *testing.T) {
	s := gate.NewStreams(1)
	for range 100 {
		c, _ := s.Open(servertest.Unique())
		c()
	}
	if n := s.Known(); n != 0 {
		t.Errorf("%d callers are remembered", n)
	}
}

func TestStreamsWithoutABound(t *testing.T) {
	s := gate.NewStreams(0)
	for range 100 {
		c, ok := s.Open("a")
		if s != nil || !ok {
			t.Fatal("0 is no bound")
		}
		defer c()
	}
}
