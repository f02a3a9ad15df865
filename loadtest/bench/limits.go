package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"carbongraph/internal/config"
)

// limits compares a server that bounds what a request may ask, what a key may spend and what runs at once with one that bounds nothing. Both are asked in turn,
// over one connection each, so that whatever else the machine does meets both alike.
func (b *bench) limits(ctx context.Context) error {
	const allowed = 1.02
	bounded, err := b.carbongraph(ctx, "auto", "RATE_LIMIT=1000000000", "REDIS_URL="+os.Getenv("TEST_REDIS_URL"))
	if err != nil {
		return err
	}
	free, err := b.carbongraph(ctx, "auto", unbounded()...)
	if err != nil {
		return err
	}
	for _, q := range b.questions {
		p, err := newPair(ctx, q, bounded, free)
		if err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
		var ratios []float64
		var with, without []time.Duration
		for i := range 2*b.rounds + 1 {
			took, err := p.round(b.round)
			if err != nil {
				return fmt.Errorf("%s: %w", q.name, err)
			}
			if i == 0 {
				continue // it warms up
			}
			with, without = append(with, median(took[0])), append(without, median(took[1]))
			ratios = append(ratios, float64(median(took[0]))/float64(median(took[1])))
		}
		b.add(figure{q.name + ": time of an answer, with every limit against with none", fmt.Sprintf("%.3f (%s); %d against %d µs", median(ratios), spread(ratios),
			median(with).Microseconds(), median(without).Microseconds()), fmt.Sprintf("<= %.2f x", allowed), median(ratios) <= allowed})
		p.close()
	}
	return nil
}

// unbounded turns every limit off.
func unbounded() (env []string) {
	for _, name := range config.Names() {
		if strings.HasPrefix(name, "LIMIT_") {
			env = append(env, name+"=0")
		}
	}
	return append(env, "LIMIT_TIME=0s", "LIMIT_WAIT=0s", "RATE_LIMIT=0")
}

// pair is two servers that are asked the same.
type pair struct {
	conns    [2]*connection
	requests [2][][]byte
	asked    int
}

func newPair(ctx context.Context, q *question, servers ...*server) (*pair, error) {
	p := &pair{}
	for i, s := range servers {
		conn, err := dial(ctx, s.address)
		if err != nil {
			return nil, err
		}
		p.conns[i] = conn
		for _, body := range q.bodies {
			p.requests[i] = append(p.requests[i], s.request(q.name, body))
		}
	}
	return p, nil
}

func (p *pair) close() {
	for _, c := range p.conns {
		_ = c.Close()
	}
}

// turn is how many requests one server gets before it is the other's turn: enough for the caches of the machine to be its own.
const turn = 100

// round asks both for a while, each first as often as the other.
func (p *pair) round(d time.Duration) (took [2][]time.Duration, err error) {
	for end := time.Now().Add(d); time.Now().Before(end); p.asked++ {
		for k := range 2 {
			k = (k + p.asked) % 2
			for i := range turn {
				request := p.requests[k][(p.asked*turn+i)%len(p.requests[k])]
				began := time.Now()
				if _, err := p.conns[k].ask(request, nil); err != nil {
					return took, err
				}
				took[k] = append(took[k], time.Since(began))
			}
		}
	}
	return took, nil
}
