package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A target is one server that answers the same question as the others.
type target struct {
	name   string
	url    string
	header http.Header
	body   []byte
}

// ask sends the question once and gives the whole answer.
func (t *target) ask(ctx context.Context, client *http.Client) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url, bytes.NewReader(t.body))
	if err != nil {
		return nil, err
	}
	req.Header = t.header.Clone()
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answered %d: %.300s", t.name, res.StatusCode, answer)
	}
	return answer, err
}

// throughput asks over so many connections for a while, and gives answers per second. What is under way at the end is waited for and counted, so that
// slow answers weigh as they should. Every answer must be as long as the expected one.
func (t *target) throughput(ctx context.Context, connections int, length int, d time.Duration) (float64, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections, DisableCompression: true}}
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var answers atomic.Int64
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	start := time.Now()
	for range connections {
		wg.Go(func() {
			for ctx.Err() == nil && time.Since(start) < d {
				answer, err := t.ask(ctx, client)
				if err == nil && len(answer) != length {
					err = fmt.Errorf("%s: an answer of %d bytes, want %d", t.name, len(answer), length)
				}
				if err != nil {
					failed.Store(&err)
					cancel()
					return
				}
				answers.Add(1)
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return float64(answers.Load()) / time.Since(start).Seconds(), nil
}

// ratios measures two targets in turn, A B A B …, and gives the ratio A/B of each round with the medians of both.
func ratios(ctx context.Context, a, b *target, connections, length, rounds int, d time.Duration) (ratio []float64, medianA, medianB float64, err error) {
	var as, bs []float64
	for range rounds {
		ra, err := a.throughput(ctx, connections, length, d)
		if err != nil {
			return nil, 0, 0, err
		}
		rb, err := b.throughput(ctx, connections, length, d)
		if err != nil {
			return nil, 0, 0, err
		}
		as, bs, ratio = append(as, ra), append(bs, rb), append(ratio, ra/rb)
	}
	return ratio, median(as), median(bs), nil
}

// timings asks each target in turn, so many rounds, and gives the median time of each.
func timings(ctx context.Context, rounds int, targets ...*target) ([]time.Duration, error) {
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	defer client.CloseIdleConnections()
	all := make([][]float64, len(targets))
	for range rounds {
		for i, t := range targets {
			start := time.Now()
			if _, err := t.ask(ctx, client); err != nil {
				return nil, err
			}
			all[i] = append(all[i], float64(time.Since(start)))
		}
	}
	out := make([]time.Duration, len(targets))
	for i := range all {
		out[i] = time.Duration(median(all[i]))
	}
	return out, nil
}

func median(xs []float64) float64 {
	s := slices.Sorted(slices.Values(xs))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

func spread(xs []float64) string {
	return fmt.Sprintf("%.3f (%.3f..%.3f)", median(xs), slices.Min(xs), slices.Max(xs))
}
