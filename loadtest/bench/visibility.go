package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// How many writes are watched, and how far apart they are.
const (
	watchedWrites = 200
	writesApart   = 50 * time.Millisecond
	// readers are the connections that keep both servers busy, half of them each.
	visibilityReaders = 64
)

// visibility measures how long after a write was answered by one server another shows it, to who shows no token: with nobody else there, and under full load; and that
// the server that was written to shows it at once.
func (b *bench) visibility(ctx context.Context) error {
	var servers [2]*server
	for i := range servers {
		var err error
		if servers[i], err = b.carbongraph(ctx, "auto", "RESPONSE_CACHE=on", "REDIS_URL="+os.Getenv("TEST_REDIS_URL")); err != nil {
			return err
		}
	}
	t, err := b.tenant(ctx, servers[0], 0)
	if err != nil {
		return err
	}
	for i := range servers {
		servers[i].key = t.key
	}
	idle, err := watch(ctx, servers, t)
	if err != nil {
		return err
	}
	b.shown("idle", idle, 100*time.Millisecond, "")
	busy, stop := context.WithCancel(ctx)
	defer stop()
	var all sync.WaitGroup
	var reads atomic.Int64
	errs := make(chan error, visibilityReaders)
	for i := range visibilityReaders {
		all.Go(func() {
			if err := read(busy, servers[i%2], t, i, &reads); err != nil && busy.Err() == nil {
				errs <- err
			}
		})
	}
	began := time.Now()
	loaded, err := watch(ctx, servers, t)
	rate := float64(reads.Load()) / time.Since(began).Seconds()
	stop()
	all.Wait()
	close(errs)
	if err = errors.Join(err, <-errs); err != nil {
		return err
	}
	b.shown("under full load", loaded, time.Second, fmt.Sprintf(", beside %.0f reads/s of %d connections", rate, visibilityReaders))
	return nil
}

// read reads what the mixed load reads, one request after the other from the nth on, until the context ends.
func read(ctx context.Context, s *server, t *tenant, n int, reads *atomic.Int64) error {
	conn, err := dial(ctx, s.address)
	if err != nil {
		return err
	}
	defer conn.Close()
	for ; ctx.Err() == nil; n++ {
		if _, err := conn.ask(s.request("", asked(t.request(n%mixRequests))), nil); err != nil {
			return err
		}
		reads.Add(1)
	}
	return nil
}

// shown adds the row of what was watched.
func (b *bench) shown(how string, took []time.Duration, goal time.Duration, beside string) {
	slices.Sort(took)
	p := func(n int) time.Duration { return took[(len(took)-1)*n/100] }
	b.add(figure{fmt.Sprintf("a write is shown by another server, %s: P99 of %d", how, len(took)),
		fmt.Sprintf("%s (median %s, longest %s)%s", milliseconds(p(99)), milliseconds(p(50)), milliseconds(took[len(took)-1]), beside), "< " + goal.String(), p(99) < goal})
}

// watch writes to one server and asks both until they show it. The one that was written to has to at once.
func watch(ctx context.Context, servers [2]*server, t *tenant) ([]time.Duration, error) {
	var conns [2]*connection
	for i, s := range servers {
		conn, err := dial(ctx, s.address)
		if err != nil {
			return nil, err
		}
		defer conn.Close()
		conns[i] = conn
	}
	var took []time.Duration
	for n := range watchedWrites {
		i := n % len(t.nodes)
		name := fmt.Sprintf("Shown %d %d", n, time.Now().UnixNano())
		write := servers[0].request("", asked(fmt.Sprintf(`mutation { upsertSuppliers(input: {suppliers: [{externalId: %q, name: %q}]}) { updated } }`, t.suppliers[i], name)))
		look := asked(fmt.Sprintf(`{ node(id: %q) { ... on Supplier { name } } }`, t.nodes[i]))
		if _, err := shows(conns[1], servers[1].request("", look), name); err != nil { // so that it is kept there
			return nil, err
		}
		var answer bytes.Buffer
		if _, err := conns[0].ask(write, &answer); err != nil {
			return nil, err
		}
		answered := time.Now()
		if ok, err := shows(conns[0], servers[0].request("", look), name); err != nil || !ok {
			return nil, fmt.Errorf("the server that was written to does not show it: %s (%w)", answer.Bytes(), err)
		}
		for ok := false; !ok; {
			var err error
			if ok, err = shows(conns[1], servers[1].request("", look), name); err != nil {
				return nil, err
			}
			if time.Since(answered) > 10*time.Second {
				return nil, errors.New("a write is not shown within ten seconds")
			}
		}
		took = append(took, time.Since(answered))
		time.Sleep(writesApart)
	}
	return took, nil
}

// shows asks once whether an answer shows a text.
func shows(conn *connection, request []byte, text string) (bool, error) {
	var answer bytes.Buffer
	_, err := conn.ask(request, &answer)
	return bytes.Contains(answer.Bytes(), []byte(`"`+text+`"`)), err
}
