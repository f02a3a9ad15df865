package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// bench is one run: a database, the server on it, the hand-written handler beside it, and what was measured so far.
type bench struct {
	options
	database, dir, postgres string
	org, key                string
	figures                 []figure
	server, byHand          *target
	running                 []*exec.Cmd
}

func (b *bench) add(f figure) {
	b.figures = append(b.figures, f)
	fmt.Fprintf(os.Stderr, "  %s: %s\n", f.name, f.value)
}

func (b *bench) stop() {
	for _, cmd := range b.running {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}
}

// verb runs a command of the program and gives what it printed, with what the operating system counted of it.
func (b *bench) verb(ctx context.Context, args ...string) ([]byte, *os.ProcessState, error) {
	cmd := exec.CommandContext(ctx, b.binary, args...)
	cmd.Env = append(os.Environ(), "DATABASE_URL="+b.database)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() == 3 {
		err = nil // some rows failed: the summary tells
	}
	if err != nil {
		err = fmt.Errorf("carbongraph %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	return out, cmd.ProcessState, err
}

// fill makes the organization and imports the generated file: the import is itself a measurement.
func (b *bench) fill(ctx context.Context) error {
	if _, _, err := b.verb(ctx, "migrate", "up"); err != nil {
		return err
	}
	out, _, err := b.verb(ctx, "org", "create", "--name", "Bench", "--currency", "GBP", "--gwp", "AR5", "--json")
	if err != nil {
		return err
	}
	var made struct{ ID, Key string }
	if err := json.Unmarshal(out, &made); err != nil {
		return err
	}
	b.org, b.key = made.ID, made.Key
	if _, _, err := b.verb(ctx, "factors", "builtin"); err != nil {
		return err
	}
	if err := writeLedger(b.path("ledger.csv"), b.path("mapping.yml"), b.suppliers, b.rows); err != nil {
		return err
	}
	out, state, err := b.verb(ctx, "import", b.path("ledger.csv"), "--org", b.org, "--mapping", b.path("mapping.yml"), "--json")
	if err != nil {
		return err
	}
	var summary struct {
		Rows, Created, Failed, Calculated int
		Seconds                           float64
	}
	if err := json.Unmarshal(out, &summary); err != nil {
		return fmt.Errorf("the import's summary: %w: %s", err, out)
	}
	if summary.Created != b.rows {
		return fmt.Errorf("the import created %d of %d rows: %s", summary.Created, b.rows, out)
	}
	rate := float64(summary.Rows) / summary.Seconds
	b.add(figure{"import, rows/s calculated and stored", fmt.Sprintf("%.0f (%d rows, %d calculated, %.1f s)", rate, summary.Rows, summary.Calculated, summary.Seconds), ">= 5000", rate >= 5000})
	resident := float64(maxResident(state)) / (1 << 20)
	b.add(figure{fmt.Sprintf("import of %d rows, peak resident", b.rows), fmt.Sprintf("%.0f MB", resident), "< 256 MB", resident < 256})
	return b.vacuum(ctx)
}

// vacuum brings the tables to the state that autovacuum would bring them to soon.
func (b *bench) vacuum(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, b.database)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "VACUUM ANALYZE"); err != nil {
		return err
	}
	if err := conn.QueryRow(ctx, "SHOW server_version").Scan(&b.postgres); err != nil {
		return err
	}
	b.postgres = "Postgres " + b.postgres
	return nil
}

// maxResident is the largest resident set of a finished process, in bytes.
func maxResident(state *os.ProcessState) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return int64(usage.Maxrss)
	}
	return int64(usage.Maxrss) << 10
}

// serve starts the server and the hand-written handler, each a process of its own.
func (b *bench) serve(ctx context.Context) error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	admin, err := freeAddress()
	if err != nil {
		return err
	}
	if err := b.start(ctx, b.binary, "serve", "--listen-addr", address, "--admin-addr", admin); err != nil {
		return err
	}
	hand, err := freeAddress()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := b.start(ctx, self, "-by-hand", hand, "-org", b.org); err != nil {
		return err
	}
	question, err := json.Marshal(map[string]any{"query": nested, "variables": map[string]any{"first": 50}})
	if err != nil {
		return err
	}
	header := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}, "Authorization": {"Bearer " + b.key}}
	b.server = &target{"carbongraph", "http://" + address + "/graphql", header, question}
	b.byHand = &target{"by hand", "http://" + hand + "/", header, question}
	for _, t := range []*target{b.server, b.byHand} {
		if err := ready(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) start(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "DATABASE_URL="+b.database, "TEST_DATABASE_URL="+b.database, "LOG_LEVEL=warn")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	b.running = append(b.running, cmd)
	return nil
}

func ready(ctx context.Context, t *target) error {
	var err error
	for range 100 {
		if _, err = t.ask(ctx, http.DefaultClient); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return fmt.Errorf("%s does not answer: %w", t.name, err)
}
