package app_test

import (
	"context"
	"io"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"carbongraph/internal/servertest"
)

// processed waits until so much of the only batch is done, and it still goes on.
func (f *filed) processed(t *testing.T, least int) {
	t.Helper()
	for end := time.Now().Add(3 * time.Minute); f.batch(t).processed <= least; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it has not come to line %d: %+v", least, f.batch(t))
		}
	}
	if b := f.batch(t); b.status != "RUNNING" {
		t.Fatalf("it has ended already: %+v", b)
	}
}

// A server that is killed while it takes a file leaves no batch, and the file can be sent again. Killed while it imports the file, it goes on when it is started again,
// and each line is there and counted once.
func TestAnImportOutlivesItsServer(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, env map[string]string) {
		n, many := faultRows(t)
		if env["DATABASE_URL"] != "" && !many {
			t.Skip("on Postgres another server takes the import over, which a test of its own sees; with FAULT_ROWS this one runs too")
		}
		f := newFiled(t, env)
		file, _ := ledgerOf(n)
		s, process := f.process(t)
		kill := func() {
			t.Helper()
			if err := process.Kill(); err != nil {
				t.Fatal(err)
			}
			_, _ = process.Wait() // it ends as one that was killed
		}
		body, sending := io.Pipe()
		broken := make(chan error, 1)
		go func() {
			_, err := s.rest(t, f.key, "POST", "/imports", body, "Idempotency-Key", "sent twice")
			body.CloseWithError(io.ErrClosedPipe)
			broken <- err
		}()
		noise := strings.NewReader(file + noise(4<<20)) // which does not compress: some parts are stored before the end
		if _, err := io.Copy(sending, noise); err != nil {
			t.Fatal(err)
		}
		eventually(t, "a part of the file is stored", func() bool { return f.number(t, "SELECT COUNT(*) FROM batch_parts") > 0 })
		kill()
		sending.Close()
		if err := <-broken; err == nil {
			t.Error("an answer from a server that was killed")
		}
		s, process = f.process(t)
		if got := f.number(t, "SELECT COUNT(*) FROM batches"); got != 0 {
			t.Fatalf("%d batches of a file that broke off", got)
		}
		if env["DATABASE_URL"] == "" {
			eventually(t, "nothing is left of the file", func() bool { return f.number(t, "SELECT COUNT(*) FROM batch_parts") == 0 })
		} else { // it may be on its way to another server, as far as this one knows
			f.exec(t, "DELETE FROM batch_parts")
		}

		f.rests(t)
		b := s.sends(t, f.key, "?name=ledger.csv", file, "Idempotency-Key", "sent twice")
		moments := []int{n / 4}
		if many {
			moments = []int{0, n / 4, n * 3 / 4}
		}
		for _, at := range moments {
			f.processed(t, at)
			kill()
			s, process = f.process(t)
		}
		f.resumes(t)
		f.holds(t, s, b.ID, n)
		if took := f.batch(t).takes; took != len(moments)+1 {
			t.Errorf("it was begun %d times; want %d", took, len(moments)+1)
		}
		if again := s.sends(t, f.key, "?name=ledger.csv", file, "Idempotency-Key", "sent twice"); again.ID != b.ID || again.Status != "PARTIAL" {
			t.Errorf("sent again with its key it is %s; want batch %s", again.text, b.ID)
		}
	})
}

// noise is so many bytes of lines that are like no others.
func noise(bytes int) string {
	var b strings.Builder
	for x := uint64(88172645463325252); b.Len() < bytes; {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b.WriteString(strconv.FormatUint(x, 36))
		b.WriteByte('\n')
	}
	return b.String()
}

// Of two servers the one that imports is killed: the other goes on within 30 seconds, and each line is there and counted once.
func TestAnImportOfAKilledServerGoesOnElsewhere(t *testing.T) {
	t.Parallel()
	f := newFiled(t, onPostgres(t))
	n, _ := faultRows(t)
	file, _ := ledgerOf(n)
	first, process := f.process(t)
	f.rests(t)
	b := first.sends(t, f.key, "", file)
	f.processed(t, n/4)
	other := f.serve(t)
	if err := process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	was := f.batch(t)
	for f.batch(t).takes == 1 {
		if time.Since(killed) > 30*time.Second {
			t.Fatalf("nobody has taken it up after 30 s: %+v", f.batch(t))
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Logf("taken up after %.1f s, at line %d of %d", time.Since(killed).Seconds(), was.processed, n)
	f.resumes(t)
	f.holds(t, other, b.ID, n)
	t.Logf("ended after %.1f s", time.Since(killed).Seconds())
}

// A Postgres that is killed and comes back in the middle of an import, and one whose connections an operator ends five times a second: imports end by themselves, and
// each line is there and counted once.
func TestAnImportOutlivesItsDatabase(t *testing.T) {
	t.Parallel()
	p := newOwnPostgres(t)
	p.start(t)
	f := newFiled(t, map[string]string{"DATABASE_URL": p.url(), "DATA_DIR": "/nowhere"})
	n, _ := faultRows(t)
	file, _ := ledgerOf(n)
	s := f.serve(t)
	f.rests(t)
	b := s.sends(t, f.key, "", file)
	f.processed(t, n/4)
	p.kill(t)
	time.Sleep(time.Second)
	p.start(t)
	f.resumes(t)
	f.holds(t, s, b.ID, n)

	for _, table := range []string{"emission_sums", "emissions", "activities", "suppliers", "batches", "batch_failures", "work_pieces"} {
		f.exec(t, "DELETE FROM "+table)
	}
	n = max(2000, n/5)
	file, _ = ledgerOf(n)
	b = s.sends(t, f.key, "", file)
	ended, stop := make(chan int, 1), make(chan struct{})
	var ending sync.WaitGroup
	ending.Go(func() {
		count := 0
		defer func() { ended <- count }()
		for {
			var some int
			err := f.db.QueryRowContext(context.WithoutCancel(t.Context()), `SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
				WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`).Scan(&some)
			if err == nil {
				count += some
			}
			select {
			case <-stop:
				return
			case <-time.After(200 * time.Millisecond):
			}
		}
	})
	// The test's own look goes the same way as all others, and may fail.
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		var finished int
		if err := f.db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM batches WHERE finished_at IS NOT NULL").Scan(&finished); err == nil && finished == 1 {
			break
		}
	}
	close(stop)
	ending.Wait()
	t.Logf("%d connections were ended; it was begun %d times", <-ended, f.batch(t).takes)
	f.holds(t, s, b.ID, n)
	if code := s.stop(); code != 0 {
		t.Errorf("stopped with %d: %s", code, s.log)
	}
	if log := s.log.String(); strings.Contains(log, "goroutine ") {
		t.Errorf("something panicked: %s", log)
	}
}

// A Redis that is killed in the middle of an import, and comes back, is noticed by nobody: the import goes on, and no operation fails.
func TestAnImportDoesNotNoticeRedis(t *testing.T) {
	t.Parallel()
	r := servertest.NewRedis(t)
	env := onPostgres(t)
	env["REDIS_URL"] = r.URL()
	f := newFiled(t, env)
	const n = 6000
	file, _ := ledgerOf(n)
	s := f.serve(t)
	if got := s.ready(t); !strings.Contains(got.text, `"redis":"reachable"`) {
		t.Fatal(got.text)
	}
	f.rests(t)
	b := s.sends(t, f.key, "", file)
	eventually(t, "it is begun", func() bool { return f.batch(t).status == "RUNNING" })
	asks := func() {
		t.Helper()
		for range 5 {
			for _, query := range []string{`{suppliers{totalCount}}`, `mutation{upsertSuppliers(input:{suppliers:[{externalId:"S1",name:"S1"}]}){results{status}}}`} {
				if got := s.ask(t, f.key, query); got.status != 200 || len(got.Errors) > 0 {
					t.Errorf("%s: %d %s", query, got.status, got.text)
				}
			}
		}
	}
	r.Kill()
	if f.batch(t).status != "RUNNING" {
		t.Error("Redis was away too late")
	}
	asks()
	r.Start(t)
	asks()
	f.resumes(t)
	f.holds(t, s, b.ID, n)
	if takes := f.batch(t).takes; takes != 1 {
		t.Errorf("it was begun %d times", takes)
	}
}
