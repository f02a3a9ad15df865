package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// memory measures what Q2 takes: resident memory after 256 connections, and allocations per answer on one. The server is fresh, so that nothing
// that was measured before counts.
func (b *bench) memory(ctx context.Context) error {
	for _, q := range b.questions {
		if q.name != "Q2" {
			continue
		}
		s, err := b.carbongraph(ctx, "auto")
		if err != nil {
			return err
		}
		fresh := &target{server: s, requests: q.auto.requests, lengths: q.auto.lengths}
		if err := b.resident(ctx, fresh); err != nil {
			return err
		}
		return b.allocations(ctx, fresh)
	}
	return nil
}

func (b *bench) resident(ctx context.Context, t *target) error {
	const name = "Q2: resident memory after 256 connections"
	if runtime.GOOS != "linux" {
		b.add(figure{name: name, value: "can be read on Linux alone"})
		return nil
	}
	if r := t.load(ctx, 256, time.Duration(b.rounds)*b.round); r.err != nil {
		return r.err
	}
	now, err := t.server.status("VmRSS")
	if err != nil {
		return err
	}
	peak, err := t.server.status("VmHWM")
	if err != nil {
		return err
	}
	b.add(figure{name, fmt.Sprintf("%.0f MB (at most %.0f MB before)", now, peak), "<= 80 MB", now <= 80})
	return nil
}

// status reads a size of the process from Linux, in MB.
func (s *server) status(field string) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); name == field {
			kilobytes, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 64)
			return kilobytes / 1024, err
		}
	}
	return 0, fmt.Errorf("/proc has no %s", field)
}

// allocations counts those of many answers on one connection, less those that reading the counter takes.
func (b *bench) allocations(ctx context.Context, t *target) error {
	const answers = 20 * variety
	if _, err := t.learn(ctx); err != nil {
		return err
	}
	conn, err := dial(ctx, t.server.address)
	if err != nil {
		return err
	}
	defer conn.Close()
	var counts [3]float64
	for i := range counts {
		for n := 0; i == 2 && n < answers; n++ {
			if _, err := conn.ask(t.requests[n%len(t.requests)], nil); err != nil {
				return err
			}
		}
		if counts[i], err = t.server.metric(ctx, "go_memstats_mallocs_total"); err != nil {
			return err
		}
	}
	each := (counts[2] - counts[1] - (counts[1] - counts[0])) / answers
	b.add(figure{"Q2: allocations per answer", fmt.Sprintf("%.0f (%d answers)", each, answers), "<= 300", each <= 300})
	return nil
}

// metric reads a metric without labels from the admin listener.
func (s *server) metric(ctx context.Context, name string) (float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.admin+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, fmt.Errorf("there is no metric %s", name)
}
