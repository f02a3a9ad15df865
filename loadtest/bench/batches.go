package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"carbongraph/internal/seed"
)

// batches times what takes many lines at once, in an organization of its own: a list against as many calls of one line, on Postgres and on the embedded database;
// a council's payments from the file to the tables, against a bare copy of the rows into the same tables; and reads and progress while that goes on.
func (b *bench) batches(ctx context.Context) error {
	if err := b.lists(ctx, b.auto, "Postgres", 20); err != nil {
		return err
	}
	embedded, err := b.embedded(ctx)
	if err != nil {
		return err
	}
	if err := b.lists(ctx, embedded, "SQLite", 0); err != nil {
		return err
	}
	files, err := payments()
	if err != nil || len(files) == 0 {
		b.add(figure{name: "import of a council's payments", value: "left out: SHARED_DATA has no spend-devon"})
		return err
	}
	if err := b.paymentsByFile(ctx, files); err != nil {
		return err
	}
	return b.paymentsByServer(ctx, files)
}

// embedded serves the same on the embedded database.
func (b *bench) embedded(ctx context.Context) (*server, error) {
	dir := b.path("embedded")
	env := []string{"DATABASE_URL=", "DATA_DIR=" + dir}
	database := b.database
	b.database = ""
	defer func() { b.database = database }()
	key, _, err := b.organization(ctx, "Lists", "--data-dir", dir)
	if err != nil {
		return nil, err
	}
	s, err := b.carbongraph(ctx, "auto", env...)
	if err == nil {
		s.key = key
	}
	return s, err
}

// organization makes one, with the built-in factors, and gives its key and id.
func (b *bench) organization(ctx context.Context, name string, more ...string) (key, id string, err error) {
	for _, args := range [][]string{{"migrate", "up"}, {"factors", "builtin"}, {"org", "create", "--name", name, "--currency", "GBP", "--gwp", "AR5", "--json"}} {
		var out []byte
		if out, _, err = b.verb(ctx, append(args, more...)...); err != nil {
			return "", "", err
		}
		if args[0] == "org" {
			var made struct{ ID, Key string }
			err = json.Unmarshal(out, &made)
			return made.Key, made.ID, err
		}
	}
	return "", "", errors.New("no organization was made")
}

// lists compares importActivities of 1,000 lines with 1,000 calls of one line, over one connection, in turns.
func (b *bench) lists(ctx context.Context, s *server, where string, goal float64) error {
	const size, turns = 1000, 3
	one := *s
	if s == b.auto {
		key, _, err := b.organization(ctx, fmt.Sprintf("Lists %d", time.Now().UnixNano()))
		if err != nil {
			return err
		}
		one.key = key
	}
	lines := slices.Collect(seed.New(seed.Options{Suppliers: 200, Activities: 2 * turns * size, Seed: 3}).Activities())
	conn, err := dial(ctx, one.address)
	if err != nil {
		return err
	}
	defer conn.Close()
	send := func(n int) (time.Duration, error) {
		body, err := importBody(lines[:n])
		if err != nil {
			return 0, err
		}
		lines = lines[n:]
		request := one.request("", body)
		var answer bytes.Buffer
		start := time.Now()
		_, err = conn.ask(request, &answer)
		took := time.Since(start)
		if want := fmt.Appendf(nil, `"created":%d,"failed":0`, n); err == nil && !bytes.Contains(answer.Bytes(), want) {
			err = fmt.Errorf("importActivities answered %.300s, want %s in it", answer.Bytes(), want)
		}
		return took, err
	}
	var ratios, listed []float64
	for range turns {
		list, err := send(size)
		if err != nil {
			return err
		}
		var single time.Duration
		for range size {
			took, err := send(1)
			if err != nil {
				return err
			}
			single += took
		}
		ratios, listed = append(ratios, single.Seconds()/list.Seconds()), append(listed, size/list.Seconds())
	}
	f := figure{name: "importActivities of 1,000 against 1,000 of one, " + where, value: fmt.Sprintf("%.1f times as fast %s; %.0f rows/s", median(ratios), spread(ratios), median(listed))}
	if goal > 0 {
		f.goal, f.met = fmt.Sprintf(">= %.0f", goal), median(ratios) >= goal
	}
	b.add(f)
	return nil
}

// payments finds the council's files.
func payments() ([]string, error) {
	shared := os.Getenv("SHARED_DATA")
	if shared == "" {
		shared = filepath.Join("..", "shared", "data")
	}
	return filepath.Glob(filepath.Join(shared, "spend-devon", "*.csv.gz"))
}

const devon = "docs/examples/devon"

// paymentsByFile imports the files by command, and copies the rows that came of them into empty tables with the same indexes.
func (b *bench) paymentsByFile(ctx context.Context, files []string) error {
	_, id, err := b.organization(ctx, fmt.Sprintf("Devon %d", time.Now().UnixNano()))
	if err != nil {
		return err
	}
	args := append([]string{"import", "--org", id, "--columns", filepath.Join(devon, "columns.yml"), "--mapping", filepath.Join(devon, "mapping.yml"), "--json"}, files...)
	out, state, err := b.verb(ctx, args...)
	if err != nil {
		return err
	}
	var sum struct {
		Rows, Created, Calculated int
		Seconds                   float64
	}
	if err := json.Unmarshal(out, &sum); err != nil {
		return err
	}
	rate := float64(sum.Rows) / sum.Seconds
	b.add(figure{"import of a council's payments, all steps, rows/s", fmt.Sprintf("%.0f (%d rows, %d calculated, %.1f s)", rate, sum.Rows, sum.Calculated, sum.Seconds), ">= 10000", rate >= 10_000})
	resident := float64(maxResident(state)) / (1 << 20)
	b.add(figure{"its peak resident", fmt.Sprintf("%.0f MB", resident), "< 256 MB", resident < 256})
	bare, err := b.bareCopy(ctx, id)
	if err != nil {
		return err
	}
	ratio := bare.Seconds() / sum.Seconds
	b.add(figure{"its speed against a bare COPY of the same rows", fmt.Sprintf("%.2f (COPY of lines and emissions alone: %.1f s)", ratio, bare.Seconds()), ">= 0.3", ratio >= 0.3})
	return nil
}

// bareCopy takes an organization's lines and emissions out, and times COPY of them into tables like those that they came from, indexes and all.
func (b *bench) bareCopy(ctx context.Context, org string) (time.Duration, error) {
	conn, err := pgx.Connect(ctx, b.database)
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	var took time.Duration
	for _, table := range []string{"activities", "emissions"} {
		file, err := os.Create(b.path(table + ".copy"))
		if err != nil {
			return 0, err
		}
		defer file.Close()
		var row string
		if err := conn.QueryRow(ctx, "SELECT org_id::text FROM "+table+" GROUP BY org_id ORDER BY MAX(id::text) DESC LIMIT 1").Scan(&row); err != nil {
			return 0, err
		}
		if _, err := conn.PgConn().CopyTo(ctx, file, "COPY (SELECT * FROM "+table+" WHERE org_id = '"+row+"') TO STDOUT (FORMAT binary)"); err != nil {
			return 0, err
		}
		if _, err := conn.Exec(ctx, "CREATE TABLE bare_"+table+" (LIKE "+table+" INCLUDING ALL)"); err != nil {
			return 0, err
		}
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return 0, err
		}
		start := time.Now()
		if _, err := conn.PgConn().CopyFrom(ctx, bufio.NewReaderSize(file, 1<<20), "COPY bare_"+table+" FROM STDIN (FORMAT binary)"); err != nil {
			return 0, err
		}
		took += time.Since(start)
		if _, err := conn.Exec(ctx, "DROP TABLE bare_"+table); err != nil {
			return 0, err
		}
	}
	return took, nil
}

// paymentsByServer sends a file to the server, and reads first pages and progress while it is imported.
func (b *bench) paymentsByServer(ctx context.Context, files []string) error {
	key, _, err := b.organization(ctx, fmt.Sprintf("Devon by HTTP %d", time.Now().UnixNano()))
	if err != nil {
		return err
	}
	s := *b.auto
	s.key = key
	body, err := json.Marshal(map[string]any{"query": `{ activities(first: 50) { nodes { externalId description supplier { name } emission { co2e factor { name } } } } }`})
	if err != nil {
		return err
	}
	page := b.auto.request("", body) // of the large ledger, whoever imports
	conn, err := dial(ctx, b.auto.address)
	if err != nil {
		return err
	}
	defer conn.Close()
	read := func(until func(n int) bool) (p95 time.Duration, n int, err error) {
		var all []time.Duration
		for !until(len(all)) {
			start := time.Now()
			if _, err := conn.ask(page, nil); err != nil {
				return 0, 0, err
			}
			all = append(all, time.Since(start))
			time.Sleep(5 * time.Millisecond)
		}
		slices.Sort(all)
		return all[len(all)*95/100], len(all), nil
	}
	idle, _, err := read(func(n int) bool { return n == 500 })
	if err != nil {
		return err
	}
	id, err := s.send(ctx, files[0])
	if err != nil {
		return err
	}
	watched := make(chan progress, 1)
	go func() { watched <- b.watch(ctx, &s, id) }()
	var seen progress
	done := false
	busy, n, err := read(func(int) bool {
		select {
		case seen = <-watched:
			done = true
		default:
		}
		return done
	})
	if err != nil {
		return err
	}
	if seen.err != nil {
		return seen.err
	}
	again, _, err := read(func(n int) bool { return n == 500 })
	if err != nil {
		return err
	}
	idle = min(idle, again) // what other work on the machine made slower is no idle value
	times := busy.Seconds() / idle.Seconds()
	b.add(figure{"P95 of a first page beside an import, against idle", fmt.Sprintf("%.1f times (%s of %d read, %s idle)", times, milliseconds(busy), n, milliseconds(idle)), "< 3", times < 3})
	b.add(figure{"progress is late by, at most", fmt.Sprintf("%s (%d messages, median %s)", milliseconds(seen.worst), seen.messages, milliseconds(seen.median)), "< 300 ms", seen.worst < 300*time.Millisecond})
	return nil
}

// send uploads a file and gives the batch.
func (s *server) send(ctx context.Context, file string) (string, error) {
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for name, path := range map[string]string{"columns": filepath.Join(devon, "columns.yml"), "mapping": filepath.Join(devon, "mapping.yml")} {
		text, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		if err := w.WriteField(name, string(text)); err != nil {
			return "", err
		}
	}
	part, err := w.CreateFormFile("file", filepath.Base(file))
	if err != nil {
		return "", err
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	if _, err := part.Write(content); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.address+"/imports", &form)
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Authorization", "Bearer "+s.key)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	var batch struct{ ID, Detail string }
	if err := json.NewDecoder(answer.Body).Decode(&batch); err != nil || answer.StatusCode != http.StatusAccepted {
		return "", fmt.Errorf("POST /imports: %s %s %w", answer.Status, batch.Detail, err)
	}
	return batch.ID, nil
}

// progress is how late the messages of a subscription came.
type progress struct {
	worst, median time.Duration
	messages      int
	err           error
}

// watch follows a batch to its end, and compares when each state was told with when the database had it.
func (b *bench) watch(ctx context.Context, s *server, id string) progress {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var mu sync.Mutex
	first := map[int]time.Time{} // by rows that are done with
	conn, err := pgx.Connect(ctx, b.database)
	if err != nil {
		return progress{err: err}
	}
	var looks sync.WaitGroup
	looks.Go(func() {
		defer conn.Close(context.WithoutCancel(ctx))
		for ctx.Err() == nil {
			var n int
			if conn.QueryRow(ctx, "SELECT processed FROM batches WHERE kind = 'IMPORT' ORDER BY created_at DESC LIMIT 1").Scan(&n) == nil {
				mu.Lock()
				if _, known := first[n]; !known {
					first[n] = time.Now()
				}
				mu.Unlock()
			}
			time.Sleep(5 * time.Millisecond)
		}
	})
	defer looks.Wait()
	defer stop()
	body, err := json.Marshal(map[string]any{"query": `subscription { batchProgress(id: "` + id + `") { status processed failed } }`})
	if err != nil {
		return progress{err: err}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.address+"/graphql", bytes.NewReader(body))
	if err != nil {
		return progress{err: err}
	}
	for name, value := range map[string]string{"Content-Type": "application/json", "Accept": "text/event-stream", "Authorization": "Bearer " + s.key} {
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return progress{err: err}
	}
	defer answer.Body.Close()
	var late []time.Duration
	status := ""
	told := 0 // rows that the last message told of
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		text, found := strings.CutPrefix(lines.Text(), "data:")
		if !found || strings.TrimSpace(text) == "" {
			continue
		}
		var m struct {
			Data struct {
				BatchProgress struct {
					Status    string
					Processed int
				}
			}
		}
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			return progress{err: fmt.Errorf("%s: %w", text, err)}
		}
		p, now := m.Data.BatchProgress, time.Now()
		mu.Lock()
		var since time.Time // when the database first had more than the message before told
		for rows, at := range first {
			if rows > told && rows <= p.Processed && (since.IsZero() || at.Before(since)) {
				since = at
			}
		}
		mu.Unlock()
		if !since.IsZero() {
			late = append(late, now.Sub(since))
		}
		status, told = p.Status, p.Processed
	}
	if status != "SUCCEEDED" || len(late) == 0 {
		return progress{err: fmt.Errorf("the import ended as %q after %d messages", status, len(late))}
	}
	slices.Sort(late)
	return progress{worst: late[len(late)-1], median: late[len(late)/2], messages: len(late)}
}
