package app_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"carbongraph/store"
	"carbongraph/store/storetest"
)

// slowed is a ledger whose recalculation takes its time. On Postgres only the first third of the lines is stored while the test says so, on SQLite each takes long.
type slowed struct {
	env map[string]string
	key string
	db  *sql.DB
}

const slowedLines = 12_000

func newSlowed(t *testing.T, env map[string]string) *slowed {
	t.Helper()
	s := &slowed{env: env}
	for _, command := range [][]string{{"migrate", "up"}, {"org", "create", "--name", "Acme", "--json"}, {"factors", "builtin"},
		{"seed", "--org", "Acme", "--activities", strconv.Itoa(slowedLines), "--suppliers", "20"}} {
		code, out, errs := run(t, s.env, command...)
		if code != 0 {
			t.Fatalf("%v: %s", command, errs)
		}
		if command[0] == "org" {
			var made struct{ Key string }
			if err := json.Unmarshal([]byte(out), &made); err != nil {
				t.Fatal(err)
			}
			s.key = made.Key
		}
	}
	driver, address := "pgx", env["DATABASE_URL"]
	rest := []string{`CREATE FUNCTION rest() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			IF EXISTS (SELECT 1 FROM fresh WHERE activity_id > (SELECT id FROM activities ORDER BY id OFFSET 4000 LIMIT 1)) THEN
				PERFORM pg_advisory_xact_lock_shared(1);
			END IF;
			RETURN NULL;
		END $$`,
		`CREATE TRIGGER rest AFTER INSERT ON run_lines REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION rest()`}
	if address == "" {
		driver, address = "sqlite", filepath.Join(env["DATA_DIR"], "carbongraph.db")+"?_pragma=busy_timeout(60000)"
		rest = []string{`CREATE TRIGGER rest AFTER INSERT ON run_lines BEGIN
			SELECT SUM(i) FROM (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) SELECT i FROM n); END`}
	}
	var err error
	if s.db, err = sql.Open(driver, address); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.db.Close() })
	for _, text := range rest {
		if _, err := s.db.ExecContext(t.Context(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	return s
}

// begins asks a server for a recalculation and waits until it is under way.
func (s *slowed) begins(t *testing.T, at *served) {
	t.Helper()
	var text string
	if err := s.db.QueryRowContext(t.Context(), "SELECT CAST(id AS text) FROM factor_datasets WHERE source = 'epa-supply-chain' AND version = '1.2'").Scan(&text); err != nil {
		t.Fatal(err)
	}
	id, err := store.ParseID(text)
	if err != nil {
		t.Fatal(err)
	}
	got := at.ask(t, s.key, `mutation { startRecalculation(input: { reason: "an earlier release", datasetIds: ["`+store.Global(store.KindFactorDataset, id).String()+`"] }) { batch { id } } }`)
	if len(got.Errors) > 0 {
		t.Fatal(got.text)
	}
	eventually(t, "it is under way", func() bool { b := s.batch(t); return b.processed > 0 && b.processed < slowedLines })
}

// stays has no more than the first lines stored on Postgres until it is let go on, or the database is gone.
func (s *slowed) stays(t *testing.T) (goOn func()) {
	t.Helper()
	conn, err := s.db.Conn(t.Context())
	if err == nil {
		_, err = conn.ExecContext(t.Context(), "SELECT pg_advisory_lock(1)")
	}
	if err != nil {
		t.Fatal(err)
	}
	return sync.OnceFunc(func() {
		_, _ = conn.ExecContext(context.Background(), "SELECT pg_advisory_unlock(1)") // or it went with the connection
		conn.Close()
	})
}

type batchRow struct {
	status                          string
	total, processed, failed, takes int
}

func (s *slowed) batch(t *testing.T) (b batchRow) {
	t.Helper()
	err := s.db.QueryRowContext(t.Context(), "SELECT status, COALESCE(total, 0), processed, failed, takes FROM batches").Scan(&b.status, &b.total, &b.processed, &b.failed, &b.takes)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// emissions is how many emissions are current, and of how many lines.
func (s *slowed) emissions(t *testing.T) (emissions, lines int) {
	t.Helper()
	err := s.db.QueryRowContext(t.Context(), "SELECT COUNT(*), COUNT(DISTINCT activity_id) FROM emissions WHERE NOT superseded AND run_id NOT IN (SELECT run_id FROM unpublished_runs)").Scan(&emissions, &lines)
	if err != nil {
		t.Fatal(err)
	}
	return emissions, lines
}

// ends waits for the end, and checks that every line was done once.
func (s *slowed) ends(t *testing.T, before int) batchRow {
	t.Helper()
	drop := "DROP TRIGGER rest"
	if s.env["DATABASE_URL"] != "" {
		drop += " ON run_lines"
	}
	if _, err := s.db.ExecContext(t.Context(), drop); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(90 * time.Second); s.batch(t).status == "RUNNING"; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it does not end: %+v", s.batch(t))
		}
	}
	b := s.batch(t)
	if b.status != "SUCCEEDED" || b.processed != slowedLines || b.total != slowedLines || b.failed != 0 {
		t.Errorf("it ended as %+v", b)
	}
	if emissions, lines := s.emissions(t); emissions != before || lines != before {
		t.Errorf("%d emissions of %d lines are current, before there were %d", emissions, lines, before)
	}
	var changed int
	if err := s.db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM emissions WHERE superseded").Scan(&changed); err != nil || changed < slowedLines/2 {
		t.Errorf("%d lines have another figure, %v; most have", changed, err)
	}
	if code, _, errs := run(t, s.env, "check", "sums"); code != 0 {
		t.Errorf("the sums: %s", errs)
	}
	return b
}

// process runs a server in a process of its own, to be killed.
func (s *slowed) process(t *testing.T) (*served, *os.Process) {
	t.Helper()
	return process(t, s.env)
}

// process starts a server as a process of its own.
func process(t *testing.T, env map[string]string) (*served, *os.Process) {
	t.Helper()
	listen, admin := free(t), free(t)
	cmd := exec.Command(program(t), "serve", "--listen-addr", listen, "--admin-addr", admin, "--log-format", "json")
	cmd.Env = append(os.Environ(), asProgram+"=1")
	for name, v := range env {
		cmd.Env = append(cmd.Env, settingOf+name+"="+v)
	}
	at := &served{base: "http://" + listen, admin: "http://" + admin, log: &safeBuffer{}}
	cmd.Stdout, cmd.Stderr = at.log, at.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	eventually(t, "the server answers", func() bool {
		res, err := http.Get(at.base + "/healthz")
		if err == nil {
			res.Body.Close()
		}
		return err == nil
	})
	return at, cmd.Process
}

func (s *slowed) serve(t *testing.T) *served {
	t.Helper()
	return start(t, s.env, "serve", "--listen-addr", free(t), "--admin-addr", free(t), "--log-format", "json")
}

// Of a server that is killed, another takes up the batch within 30 seconds, from the lines that were stored last, and no line is done twice.
func TestABatchOfAKilledServerGoesOnElsewhere(t *testing.T) {
	t.Parallel()
	s := newSlowed(t, map[string]string{"DATABASE_URL": storetest.EmptyPostgresURL(t), "DATA_DIR": "/nowhere"})
	before, _ := s.emissions(t)
	first, process := s.process(t)
	goOn := s.stays(t)
	defer goOn()
	s.begins(t, first)
	s.serve(t)
	if err := process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	was := s.batch(t)
	for s.batch(t).takes == 1 {
		if time.Since(killed) > 30*time.Second {
			t.Fatalf("nobody has taken it up after 30 s: %+v", s.batch(t))
		}
		time.Sleep(100 * time.Millisecond)
	}
	took := time.Since(killed)
	if now := s.batch(t); now.takes != 2 || now.processed < was.processed {
		t.Errorf("it was %+v when the server was killed, and is %+v", was, now)
	}
	goOn()
	if b := s.ends(t, before); b.takes != 2 {
		t.Errorf("it was taken %d times", b.takes)
	}
	t.Logf("taken up after %.1f s, at %d of %d lines", took.Seconds(), was.processed, was.total)
}

// On the embedded database a server that is started again goes on with what it was killed at.
func TestABatchOfAKilledServerGoesOnAtItsStart(t *testing.T) {
	t.Parallel()
	s := newSlowed(t, map[string]string{"DATA_DIR": t.TempDir()})
	before, _ := s.emissions(t)
	first, process := s.process(t)
	s.begins(t, first)
	if err := process.Kill(); err != nil {
		t.Fatal(err)
	}
	was := s.batch(t)
	s.serve(t)
	if b := s.ends(t, before); b.takes != 2 || was.processed == 0 {
		t.Errorf("it was %+v, and was taken %d times", was, b.takes)
	}
}

// A database that is killed in the middle of a batch and comes back: the batch goes on, and so do those that come after it.
func TestABatchOutlivesItsDatabase(t *testing.T) {
	t.Parallel()
	p := newOwnPostgres(t)
	p.start(t)
	s := newSlowed(t, map[string]string{"DATABASE_URL": p.url(), "DATA_DIR": "/nowhere"})
	before, _ := s.emissions(t)
	at := s.serve(t)
	goOn := s.stays(t)
	defer goOn()
	s.begins(t, at)
	p.kill(t)
	time.Sleep(2 * time.Second) // long enough to be noticed by all that looks
	p.start(t)
	s.ends(t, before)
	if code := at.stop(); code != 0 {
		t.Errorf("stopped with %d: %s", code, at.log)
	}
	if log := at.log.String(); strings.Contains(log, "goroutine ") {
		t.Errorf("something panicked: %s", log)
	}
}

// ownPostgres is a server of the test's own, to be killed.
type ownPostgres struct {
	bin, data string
	port      int
	as        *syscall.SysProcAttr
	cmd       *exec.Cmd
}

func newOwnPostgres(t *testing.T) *ownPostgres {
	t.Helper()
	p := &ownPostgres{port: storetest.FreePort(t)}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is right
	if name, err := exec.LookPath("initdb"); err == nil {
		found = append(found, name)
	}
	if len(found) == 0 {
		t.Skip("initdb is not on PATH: a Postgres that may be killed cannot be made")
	}
	real, err := filepath.EvalSymlinks(slices.Max(found)) // beside it stand the others
	if err != nil {
		t.Fatal(err)
	}
	p.bin = filepath.Dir(real)
	root, err := os.MkdirTemp("", "carbongraph-postgres-") // not t.TempDir: another user must be able to pass through
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(root) })
	p.data = filepath.Join(root, "data")
	if err := errors.Join(os.Chmod(root, 0o755), os.Mkdir(p.data, 0o700)); err != nil {
		t.Fatal(err)
	}
	if u, err := user.Lookup("postgres"); os.Geteuid() == 0 && err == nil { // Postgres refuses to run as root
		uid, _ := strconv.Atoi(u.Uid) // they are numbers, as we are root
		gid, _ := strconv.Atoi(u.Gid)
		if err := os.Chown(p.data, uid, gid); err != nil {
			t.Fatal(err)
		}
		p.as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	initdb := exec.Command(filepath.Join(p.bin, "initdb"), "--no-sync", "-A", "trust", "--no-locale", "-E", "UTF8", "-U", "postgres", "-D", p.data)
	initdb.SysProcAttr, initdb.Dir = p.as, root
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v: %s", err, out)
	}
	t.Cleanup(func() { p.kill(t) })
	return p
}

func (p *ownPostgres) url() string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", p.port)
}

func (p *ownPostgres) start(t *testing.T) {
	t.Helper()
	p.cmd = exec.Command(filepath.Join(p.bin, "postgres"), "-D", p.data, "-k", p.data, "-h", "127.0.0.1", "-p", strconv.Itoa(p.port), "-c", "fsync=off")
	p.cmd.SysProcAttr, p.cmd.Dir = p.as, p.data
	log := &safeBuffer{}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "Postgres takes connections", func() bool {
		conn, err := pgx.Connect(t.Context(), p.url())
		if err == nil {
			conn.Close(t.Context())
		}
		return err == nil
	})
}

// kill has it drop everything at once, as in a crash.
func (p *ownPostgres) kill(t *testing.T) {
	if p.cmd == nil {
		return
	}
	if err := p.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Errorf("kill Postgres: %v", err)
	}
	_ = p.cmd.Wait() // it ends as one that was killed
	p.cmd = nil
	if conn, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(p.port)); err == nil {
		conn.Close()
		t.Error("Postgres still answers")
	}
}
