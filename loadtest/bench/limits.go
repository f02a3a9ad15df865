package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"carbongraph/internal/config"
)

// limits compares a server that bounds what a request may ask, what a key may spend and what runs at once with one that bounds nothing: by the time that the
// process spends on an answer, which differs less from round to round than answers per second.
func (b *bench) limits(ctx context.Context) error {
	const connections, allowed = 64, 1.02
	bounded, err := b.carbongraph(ctx, "auto", "RATE_LIMIT=1000000000", "REDIS_URL="+os.Getenv("TEST_REDIS_URL"))
	if err != nil {
		return err
	}
	free, err := b.carbongraph(ctx, "auto", unbounded()...)
	if err != nil {
		return err
	}
	for _, q := range b.questions {
		targets := [2]*target{{server: bounded}, {server: free}}
		for _, t := range targets {
			for _, body := range q.bodies {
				t.requests = append(t.requests, t.server.request(q.name, body))
			}
			if _, err := t.learn(ctx); err != nil {
				return fmt.Errorf("%s: %w", q.name, err)
			}
			if r := t.load(ctx, connections, b.round/3); r.err != nil {
				return fmt.Errorf("%s: %w", q.name, r.err)
			}
		}
		var ratios []float64
		spent := [2][]float64{}
		for i := range 2 * b.rounds {
			for k := range targets {
				k = (i + k) % 2 // each goes first as often as the other
				cost, err := targets[k].each(ctx, connections, b.round)
				if err != nil {
					return fmt.Errorf("%s: %w", q.name, err)
				}
				spent[k] = append(spent[k], float64(cost))
			}
			ratios = append(ratios, spent[0][i]/spent[1][i])
		}
		b.add(figure{q.name + ": time of the server for an answer, with every limit against with none",
			fmt.Sprintf("%.3f (%s); %.0f against %.0f µs", median(ratios), spread(ratios), median(spent[0])/1e3, median(spent[1])/1e3), fmt.Sprintf("<= %.2f x", allowed), median(ratios) <= allowed})
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

// each is how long the server's process works for one answer.
func (t *target) each(ctx context.Context, connections int, d time.Duration) (time.Duration, error) {
	before, err := t.server.worked()
	if err != nil {
		return 0, err
	}
	r := t.load(ctx, connections, d)
	if r.err != nil {
		return 0, r.err
	}
	after, err := t.server.worked()
	return (after - before) / time.Duration(max(len(r.took), 1)), err
}

// worked is the time that the server's process has had of the cores.
func (s *server) worked() (time.Duration, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(s.cmd.Process.Pid) + "/stat")
	if err != nil {
		return 0, err
	}
	const tick = 10 * time.Millisecond // of every Linux that Go runs on
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	var ticks int64
	for _, f := range fields[11:13] { // in user mode, and in the kernel
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, nil
}
