package batch

import (
	"context"
	"testing"
	"testing/synctest"
)

func TestWhatSomebodyWaitsForWritesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(1)
		if err := s.take(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		var order []bool
		wait := func(urgent bool) {
			go func() {
				if err := s.take(t.Context(), urgent); err != nil {
					t.Error(err)
				}
				order = append(order, urgent)
				s.give()
			}()
			synctest.Wait()
		}
		for range 3 {
			wait(false)
		}
		for range 2 * maxPassed {
			wait(true)
		}
		s.give()
		synctest.Wait()
		var places []int
		for i, urgent := range order {
			if !urgent {
				places = append(places, i)
			}
		}
		if len(order) != 3+2*maxPassed || len(places) != 3 || places[0] != maxPassed || places[1] != 2*maxPassed+1 || places[2] != 2*maxPassed+2 {
			t.Errorf("%d wrote, the background at %v; want one after every %d urgent ones, and the rest last", len(order), places, maxPassed)
		}
	})
}

func TestASlotIsNeverLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(2)
		for range 2 {
			if err := s.take(t.Context(), true); err != nil {
				t.Fatal(err)
			}
		}
		gone, cancel := context.WithCancel(t.Context())
		for i := range 5 {
			go func() {
				if s.take(gone, i%2 == 0) == nil {
					s.give()
				}
			}()
		}
		synctest.Wait()
		go s.give()
		cancel()
		s.give()
		synctest.Wait()
		for range 2 {
			if err := s.take(t.Context(), false); err != nil {
				t.Fatal(err)
			}
		}
		if s.free != 0 || len(s.urgent)+len(s.patient) != 0 {
			t.Errorf("slots = %+v; want none free and nobody waiting", s)
		}
	})
}
