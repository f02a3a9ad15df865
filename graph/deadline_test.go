package graph

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestDeadlines(t *testing.T) {
	t.Run("end what takes too long, each at its time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := newDeadlines(time.Second)
			var all []*deadline
			for range 3 {
				all = append(all, d.begin(t.Context()))
				time.Sleep(300 * time.Millisecond)
			}
			all[1].end() // in time
			for i, want := range []time.Duration{time.Second, 0, 1600 * time.Millisecond} {
				if want == 0 {
					if err := all[i].Err(); err != context.Canceled {
						t.Errorf("one that ended in time: %v", err)
					}
					continue
				}
				at, ok := all[i].Deadline()
				<-all[i].Done()
				if !ok || !time.Now().Equal(at) {
					t.Errorf("it ended at %s, due at %s", time.Now(), at)
				}
				if err := all[i].Err(); err != context.DeadlineExceeded {
					t.Errorf("it ended with %v", err)
				}
				all[i].end()
				if err := all[i].Err(); err != context.DeadlineExceeded {
					t.Errorf("afterwards: %v", err)
				}
			}
			later := d.begin(t.Context()) // when all had ended
			<-later.Done()
			if at, _ := later.Deadline(); !time.Now().Equal(at) || !errors.Is(later.Err(), context.DeadlineExceeded) {
				t.Errorf("one that begins later ended with %v at %s, due at %s", later.Err(), time.Now(), at)
			}
			later.end()
			if d.list.next != &d.list || d.list.prev != &d.list {
				t.Error("the list is not empty")
			}
		})
	})
	t.Run("end with what they are part of, and whatever is part of them", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := newDeadlines(time.Second)
			parent, leave := context.WithCancel(t.Context())
			one := d.begin(parent)
			leave()
			<-one.Done()
			if err := one.Err(); err != context.Canceled {
				t.Errorf("it ended with %v", err)
			}
			one.end()

			two := d.begin(t.Context())
			defer two.end()
			child, cancel := context.WithCancel(context.WithValue(two, eventKey{}, 1))
			defer cancel()
			<-child.Done()
			if context.Cause(child) != context.DeadlineExceeded {
				t.Errorf("its part ended because of %v", context.Cause(child))
			}
		})
	})
}

func BenchmarkDeadline(b *testing.B) {
	parent, cancel := context.WithCancel(b.Context())
	defer cancel()
	b.Run("one timer for all", func(b *testing.B) {
		b.ReportAllocs()
		d := newDeadlines(10 * time.Second)
		for b.Loop() {
			one := d.begin(parent)
			one.Done()
			one.end()
		}
	})
	b.Run("a timer for each", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			one, end := context.WithTimeout(parent, 10*time.Second)
			one.Done()
			end()
		}
	})
}
