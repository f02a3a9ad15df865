package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// A target is a server with the requests that it is asked in turn, and how long the answer to each is.
type target struct {
	server   *server
	requests [][]byte
	lengths  []int
}

// learn asks every request once, notes how long the answers are, and gives them without the space around them.
func (t *target) learn(ctx context.Context) ([][]byte, error) {
	conn, err := dial(ctx, t.server.address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	answers := make([][]byte, len(t.requests))
	t.lengths = make([]int, len(t.requests))
	for i, request := range t.requests {
		var answer bytes.Buffer
		if t.lengths[i], err = conn.ask(request, &answer); err != nil {
			return nil, fmt.Errorf("%s: %w", t.server.name, err)
		}
		answers[i] = bytes.TrimSpace(answer.Bytes())
	}
	return answers, nil
}

// A round is what came of asking for a while.
type round struct {
	rate   float64         // answers per second
	took   []time.Duration // by each answer, the shortest first
	failed int             // connections that broke off
	err    error           // why the first of them did
}

// patience is how long an answer may take after a round has ended.
const patience = 30 * time.Second

// load asks over so many connections for a while. What is under way at the end is waited for and counted, so that slow answers weigh as they should.
// Connections are there before the clock starts. A connection ends with its first error; an answer of another length than the known one is one.
func (t *target) load(ctx context.Context, connections int, d time.Duration) round {
	conns := make([]*connection, connections)
	for i := range conns {
		conn, err := dial(ctx, t.server.address)
		if err != nil {
			return round{failed: connections - i, err: err}
		}
		defer conn.Close()
		conns[i] = conn
	}
	took, errs := make([][]time.Duration, connections), make([]error, connections)
	var wg sync.WaitGroup
	start := time.Now()
	for i, conn := range conns {
		wg.Go(func() { took[i], errs[i] = t.walk(conn, i, start.Add(d)) })
	}
	wg.Wait()
	elapsed := time.Since(start)
	r := round{took: slices.Concat(took...)}
	slices.Sort(r.took)
	r.rate = float64(len(r.took)) / elapsed.Seconds()
	for _, err := range errs {
		if err != nil {
			r.failed++
			r.err = err
		}
	}
	return r
}

// walk asks one request after the other until the end, from the nth on.
func (t *target) walk(conn *connection, n int, end time.Time) ([]time.Duration, error) {
	if err := conn.SetDeadline(end.Add(patience)); err != nil {
		return nil, err
	}
	took := make([]time.Duration, 0, 1024)
	for ; ; n++ {
		i := n % len(t.requests)
		start := time.Now()
		if !start.Before(end) && len(took) > 0 {
			return took, nil
		}
		length, err := conn.ask(t.requests[i], nil)
		if err == nil && length != t.lengths[i] {
			err = fmt.Errorf("an answer of %d bytes, want %d", length, t.lengths[i])
		}
		if err != nil {
			return took, fmt.Errorf("%s: %w", t.server.name, err)
		}
		took = append(took, time.Since(start))
	}
}

// percentile is the time that so many of a hundred answers took at most.
func (r round) percentile(p int) time.Duration {
	if len(r.took) == 0 {
		return 0
	}
	return r.took[(len(r.took)-1)*p/100]
}

// timings asks each request in turn, so many rounds over one connection, and gives the median time of each.
func (t *target) timings(ctx context.Context, rounds int) ([]time.Duration, error) {
	conn, err := dial(ctx, t.server.address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	all := make([][]time.Duration, len(t.requests))
	for range rounds {
		for i, request := range t.requests {
			start := time.Now()
			if _, err := conn.ask(request, nil); err != nil {
				return nil, err
			}
			all[i] = append(all[i], time.Since(start))
		}
	}
	out := make([]time.Duration, len(t.requests))
	for i := range all {
		out[i] = median(all[i])
	}
	return out, nil
}
