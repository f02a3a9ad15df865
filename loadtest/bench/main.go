// Command bench measures what docs/performance.md states, on a Postgres of its own, and prints it as a table. Figures are ratios of one run, interleaved.
//
//	make bench
//
// While something is being made faster, a server that stays and a ledger that is kept save the import:
//
//	TEST_DATABASE_URL=postgres://… go run ./loadtest/bench -reuse big -only engines -documents Q2 -profile cpu
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"
)

type options struct {
	binary, database string
	rows, suppliers  int
	rounds           int
	round            time.Duration
	only, documents  words
	reuse, profile   string
}

func main() {
	o := options{database: os.Getenv("TEST_DATABASE_URL")}
	flag.StringVar(&o.binary, "binary", "bin/carbongraph", "the server to measure")
	flag.IntVar(&o.rows, "rows", 1_000_000, "activities in the ledger")
	flag.IntVar(&o.suppliers, "suppliers", 10_000, "suppliers in the ledger")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds of each comparison")
	flag.DurationVar(&o.round, "round", 3*time.Second, "length of a round")
	flag.Var(&o.only, "only", "measure these alone, with commas between: engines (that is ratios, crowd, memory), limits, depth, sums, recalculation, batches, responses, mix, visibility, mutations")
	flag.Var(&o.documents, "documents", "of the engines' documents these alone: Q1, Q2, Q3")
	flag.StringVar(&o.reuse, "reuse", "", "keep the database bench_`NAME` and use it again where it is there, with as many rows as it has; mutations are left out")
	flag.StringVar(&o.profile, "profile", "", "write CPU and allocation profiles of the server to `FILE`.Q1.cpu, FILE.Q1.allocs and so on")
	handler := flag.String("by-hand", "", "serve the hand-written handler on this address (used by the bench itself)")
	org := flag.String("org", "", "organization of the hand-written handler")
	bare := flag.String("bare", "", "serve the bytes of this file on the address of -by-hand (used by the bench itself)")
	cursors := flag.String("cursors", "", "what cursors stand for, for the hand-written handler")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch {
	case *bare != "":
		err = serveBare(ctx, *bare, *handler)
	case *handler != "":
		err = serveByHand(ctx, o.database, *org, *cursors, *handler)
	default:
		err = measure(ctx, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is one run: a database, the servers on it, what they are asked, and what was measured so far.
type bench struct {
	options
	dir, postgres        string
	org, key             string
	auto, byHand, gqlgen *server
	running              []*server
	deep                 string // the cursor at row deepRow
	questions            []*question
	figures              []figure
}

// A step measures some rows of the table. It is chosen by its name or by that of its group.
type step struct {
	name, group string
	run         func(*bench, context.Context) error
}

func steps() []step {
	return []step{
		{"ratios", "engines", (*bench).ratios},
		{"crowd", "engines", (*bench).crowd},
		{"memory", "engines", (*bench).memory},
		{"limits", "", (*bench).limits},
		{"profile", "", (*bench).profiles},
		{"depth", "", (*bench).depth},
		{"sums", "", (*bench).sums},
		{"recalculation", "", (*bench).recalculation},
		{"batches", "", (*bench).batches},
		{"responses", "", (*bench).responses},
		{"mix", "", (*bench).mix},
		{"visibility", "", (*bench).visibility},
		{"mutations", "", (*bench).mutations},
	}
}

var errMissed = errors.New("a goal was missed")

// measure finds or makes a database, serves it, and prints the table.
func measure(ctx context.Context, o options) error {
	chosen, err := choose(o)
	if err != nil {
		return err
	}
	if o.database == "" {
		return errors.New("TEST_DATABASE_URL is not set; run `make bench`")
	}
	dir, err := os.MkdirTemp("", "carbongraph-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{options: o, dir: dir}
	closeDatabase, err := b.open(ctx)
	if err != nil {
		return err
	}
	defer closeDatabase()
	defer b.stop()
	if err := b.serve(ctx); err != nil {
		return err
	}
	for _, s := range chosen {
		if err := s.run(b, ctx); err != nil {
			return err
		}
	}
	if !printTable(b.figures, fmt.Sprintf("%d activities of %d suppliers on %s; medians of %d rounds of %v, spread in brackets", b.rows, b.suppliers, b.postgres, o.rounds, o.round)) {
		return errMissed
	}
	return nil
}

// choose gives the steps that were asked for. Profiles are taken where there is a file for them.
func choose(o options) ([]step, error) {
	names := words{}
	var chosen []step
	for _, s := range steps() {
		names = append(names, s.name, s.group)
		asked := o.only.has(s.name) || o.only.has(s.group)
		switch s.name {
		case "profile":
			asked = o.profile != ""
		case "mutations":
			asked = asked && o.reuse == "" // they would change the ledger that is kept
		}
		if asked {
			chosen = append(chosen, s)
		}
	}
	if err := o.only.known(names); err != nil {
		return nil, fmt.Errorf("-only: %w", err)
	}
	if err := o.documents.known(words{"Q1", "Q2", "Q3"}); err != nil {
		return nil, fmt.Errorf("-documents: %w", err)
	}
	return chosen, nil
}

func (b *bench) add(f figure) {
	b.figures = append(b.figures, f)
	fmt.Fprintf(os.Stderr, "  %s: %s\n", f.name, f.value)
}

func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }
