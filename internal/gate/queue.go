package gate

import (
	"container/list"
	"context"
	"math"
	"time"
)

// waiter is an operation that stands in line.
type waiter struct {
	ctx     context.Context
	org     string
	class   Class
	since   time.Time
	number  uint64
	at      *list.Element
	decided chan struct{} // closed when one of these stands:
	leave   func()
	err     error
}

// queue holds those who wait, in a line for each organization and class.
type queue struct {
	lines   [classes]map[string]*list.List
	waiting [classes]int
	came    uint64
}

func newQueue() (q queue) {
	for c := range q.lines {
		q.lines[c] = map[string]*list.List{}
	}
	return q
}

func (q *queue) len() int {
	n := 0
	for _, w := range q.waiting {
		n += w
	}
	return n
}

func (q *queue) push(w *waiter) {
	line := q.lines[w.class][w.org]
	if line == nil {
		line = list.New()
		q.lines[w.class][w.org] = line
	}
	q.came++
	w.number = q.came
	w.at = line.PushBack(w)
	q.waiting[w.class]++
}

func (q *queue) remove(w *waiter) {
	line := q.lines[w.class][w.org]
	line.Remove(w.at)
	if line.Len() == 0 {
		delete(q.lines[w.class], w.org)
	}
	q.waiting[w.class]--
}

// next is whose turn it is: of the first class that has any, and there of the organization with the fewest running; the longest waiting among equals.
func (q *queue) next(running map[string]int) *waiter {
	var best *waiter
	for class := range q.lines {
		for org, line := range q.lines[class] {
			w := line.Front().Value.(*waiter)
			if best == nil || running[org] < running[best.org] || running[org] == running[best.org] && w.number < best.number {
				best = w
			}
		}
		if best != nil {
			break
		}
	}
	return best
}

// ahead is how many will have their turn before a newcomer: all of the classes before it, those of its own line, and as many of each other line.
func (q *queue) ahead(org string, class Class) int {
	n, own := 0, 0
	for c := range class {
		n += q.waiting[c]
	}
	if line := q.lines[class][org]; line != nil {
		own = line.Len()
	}
	for o, line := range q.lines[class] {
		if o == org {
			n += own
		} else {
			n += min(line.Len(), own+1)
		}
	}
	return n
}

// yields is who has to go so that a newcomer can stand in line: the newest of the longest line, of the last class that has any; nil where that is the newcomer.
func (q *queue) yields(org string, class Class) *waiter {
	last := class
	for c := range classes {
		if q.waiting[c] > 0 {
			last = max(last, c)
		}
	}
	var longest *list.List
	for o, line := range q.lines[last] {
		own := last == class && o == org
		if !own && (longest == nil || line.Len() > longest.Len()) {
			longest = line
		}
	}
	if last == class {
		own := 1 // with the newcomer
		if line := q.lines[class][org]; line != nil {
			own += line.Len()
		}
		if longest == nil || own >= longest.Len() {
			return nil
		}
	}
	return longest.Back().Value.(*waiter)
}

// pace is how fast operations end while others wait: an average that fades.
type pace struct {
	over           float64 // seconds in which it fades
	ended, seconds float64
	all            int // that ended, unfaded
	at             time.Time
}

// enough operations make an average.
const enough = 8

func (p *pace) pass(now time.Time) {
	passed := now.Sub(p.at).Seconds()
	fade := math.Exp(-passed / p.over)
	p.ended, p.seconds, p.at = p.ended*fade, p.over*(1-fade)+p.seconds*fade, now
}

func (p *pace) end(now time.Time) {
	p.pass(now)
	p.ended++
	p.all++
}

// wait is how long it takes until so many have ended. It is known once enough have, or once it took long that they did not; and not before a while has passed: where many
// come at once, the first of them end late, as the cores are busy with taking all of them in.
func (p *pace) wait(operations int, now time.Time) (d time.Duration, known bool) {
	p.pass(now)
	if p.seconds < p.over/4 || p.all < enough && p.seconds < p.over*(1-1/math.E) {
		return 0, false
	}
	seconds := float64(operations) * p.seconds / max(p.ended, 1e-9)
	return time.Duration(min(seconds, longest.Seconds()) * float64(time.Second)), true
}
