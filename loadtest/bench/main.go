// Command bench measures what docs/performance.md states, on a Postgres of its own, and prints it as a table. Figures are ratios of one run, interleaved.
//
//	make bench
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

func main() {
	o := options{}
	flag.StringVar(&o.binary, "binary", "bin/carbongraph", "the server to measure")
	flag.IntVar(&o.rows, "rows", 1_000_000, "activities in the ledger")
	flag.IntVar(&o.suppliers, "suppliers", 10_000, "suppliers in the ledger")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds of each pair")
	flag.DurationVar(&o.round, "round", 3*time.Second, "length of a round")
	handler := flag.String("by-hand", "", "serve the hand-written handler on this address (used by the bench itself)")
	org := flag.String("org", "", "organization of the hand-written handler")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	o.database = os.Getenv("TEST_DATABASE_URL")
	var err error
	if *handler != "" {
		err = serveByHand(ctx, o.database, *org, *handler)
	} else {
		err = measure(ctx, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type options struct {
	binary, database string
	rows, suppliers  int
	rounds           int
	round            time.Duration
}

var errMissed = errors.New("a goal was missed")

// measure makes a database, fills it, serves it, and prints the table.
func measure(ctx context.Context, o options) error {
	if o.database == "" {
		return errors.New("TEST_DATABASE_URL is not set; run `make bench`")
	}
	dir, err := os.MkdirTemp("", "carbongraph-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	database, drop, err := ownDatabase(ctx, o.database)
	if err != nil {
		return err
	}
	defer drop()
	b := &bench{options: o, database: database, dir: dir}
	defer b.stop()
	for _, step := range []func(context.Context) error{b.fill, b.serve, b.engines, b.depth, b.mutations} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if !printTable(b.figures, fmt.Sprintf("%d activities of %d suppliers on %s; medians of %d rounds of %v, spread in brackets", o.rows, o.suppliers, b.postgres, o.rounds, o.round)) {
		return errMissed
	}
	return nil
}

// ownDatabase makes a database beside the one of the address, and gives its address and what drops it.
func ownDatabase(ctx context.Context, address string) (string, func(), error) {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return "", nil, err
	}
	name := fmt.Sprintf("bench_%d", time.Now().UnixNano())
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		return "", nil, err
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", nil, err
	}
	u.Path = "/" + name
	return u.String(), func() {
		ctx := context.WithoutCancel(ctx)
		_, _ = conn.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
		_ = conn.Close(ctx)
	}, nil
}

// serveByHand serves the hand-written handler, in a process of its own as the server is.
func serveByHand(ctx context.Context, database, org, address string) error {
	pool, err := pgxpool.New(ctx, database)
	if err != nil {
		return err
	}
	defer pool.Close()
	s := &http.Server{Handler: &byHand{pool, org}, Addr: address, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = s.Close() })
	if err := s.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }
