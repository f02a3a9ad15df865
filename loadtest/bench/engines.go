package main

import (
	"context"
	"fmt"
	"time"
)

// series is what some rounds of one server came to.
type series struct {
	rates    []float64
	p50, p99 []time.Duration
}

func (s *series) add(r round) {
	s.rates, s.p50, s.p99 = append(s.rates, r.rate), append(s.p50, r.percentile(50)), append(s.p99, r.percentile(99))
}

// over gives the ratio of the answers per second, round by round.
func (s *series) over(other *series) []float64 {
	var out []float64
	for i := range s.rates {
		out = append(out, s.rates[i]/other.rates[i])
	}
	return out
}

// tail gives the ratio of the 99th percentiles, round by round.
func (s *series) tail(other *series) []float64 {
	var out []float64
	for i := range s.p99 {
		out = append(out, float64(s.p99[i])/float64(other.p99[i]))
	}
	return out
}

// interleave asks the targets in turn, A B C A B C …, so that each round of one stands beside one of each other. Before that all are warmed up.
func (b *bench) interleave(ctx context.Context, connections int, targets ...*target) ([]series, error) {
	for _, t := range targets {
		if r := t.load(ctx, connections, b.round/3); r.err != nil {
			return nil, r.err
		}
	}
	out := make([]series, len(targets))
	for range b.rounds {
		for i, t := range targets {
			r := t.load(ctx, connections, b.round)
			if r.err != nil {
				return nil, r.err
			}
			out[i].add(r)
		}
	}
	return out, nil
}

// ratios compares the server with the handler by hand and with gqlgen's engine.
func (b *bench) ratios(ctx context.Context) error {
	const connections = 64
	for _, q := range b.questions {
		all, err := b.interleave(ctx, connections, q.auto, q.byHand, q.gqlgen)
		if err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
		auto, hand, gqlgen := &all[0], &all[1], &all[2]
		b.add(atLeast(q.title()+": against the handler by hand", auto, hand, q.againstHand))
		b.add(atLeast(q.name+": against gqlgen's engine", auto, gqlgen, q.againstGqlgen))
		b.add(noSlower(fmt.Sprintf("%s: P99 at %d connections against the handler's", q.name, connections), auto, hand))
	}
	return nil
}

func atLeast(name string, auto, other *series, times float64) figure {
	ratio := auto.over(other)
	return figure{name, fmt.Sprintf("%s; %.0f against %.0f answers/s", spread(ratio), median(auto.rates), median(other.rates)), fmt.Sprintf(">= %.1f x", times), median(ratio) >= times}
}

func noSlower(name string, auto, other *series) figure {
	ratio := auto.tail(other)
	return figure{name, fmt.Sprintf("%s; %s against %s (P50 %s, %s)", spread(ratio), milliseconds(median(auto.p99)), milliseconds(median(other.p99)),
		milliseconds(median(auto.p50)), milliseconds(median(other.p50))), "<= 1 x", median(ratio) <= 1}
}
