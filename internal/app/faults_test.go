package app_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"carbongraph/store/storetest"
)

// filed is a ledger that files are imported into over HTTP.
type filed struct{ *slowed }

func newFiled(t *testing.T, env map[string]string) *filed {
	t.Helper()
	f := &filed{&slowed{env: env}}
	for _, command := range [][]string{{"migrate", "up"}, {"factors", "import", "--dataset", "csv", write(t, t.TempDir(), "own.csv", []byte(refusingFactors))}} {
		if code, _, errs := run(t, env, command...); code != 0 {
			t.Fatalf("%v: %s", command, errs)
		}
	}
	f.key = f.organization(t, "Acme")
	driver, address := "pgx", env["DATABASE_URL"]
	if address == "" {
		driver, address = "sqlite", filepath.Join(env["DATA_DIR"], "carbongraph.db")+"?_pragma=busy_timeout(60000)"
	}
	var err error
	if f.db, err = sql.Open(driver, address); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.db.Close() })
	return f
}

func onPostgres(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{"DATABASE_URL": storetest.PostgresURL(t), "DATA_DIR": "/nowhere"}
}

// organization makes one, and gives its key.
func (f *filed) organization(t *testing.T, name string) string {
	t.Helper()
	code, out, errs := run(t, f.env, "org", "create", "--name", name, "--json")
	var made struct{ Key string }
	if err := json.Unmarshal([]byte(out), &made); err != nil || code != 0 {
		t.Fatalf("%v: %s%s", err, out, errs)
	}
	return made.Key
}

func (f *filed) exec(t *testing.T, text string) {
	t.Helper()
	if _, err := f.db.ExecContext(t.Context(), text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// number reads one number from the database.
func (f *filed) number(t *testing.T, text string) (n int) {
	t.Helper()
	if err := f.db.QueryRowContext(t.Context(), text).Scan(&n); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return n
}

// rests has each piece of an import take its time, in the middle of its transaction, and resumes takes that back.
func (f *filed) rests(t *testing.T) {
	t.Helper()
	if f.env["DATABASE_URL"] == "" {
		f.exec(t, `CREATE TRIGGER rest AFTER INSERT ON work_pieces BEGIN
			SELECT SUM(i) FROM (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600000) SELECT i FROM n); END`)
		return
	}
	f.exec(t, `CREATE FUNCTION rest() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.7); RETURN NULL; END $$`)
	f.exec(t, `CREATE TRIGGER rest AFTER INSERT ON work_pieces FOR EACH STATEMENT EXECUTE FUNCTION rest()`)
}

func (f *filed) resumes(t *testing.T) {
	t.Helper()
	if f.env["DATABASE_URL"] == "" {
		f.exec(t, "DROP TRIGGER rest")
		return
	}
	f.exec(t, "DROP FUNCTION rest CASCADE")
}

// wrongEvery is how many lines of a file there are to one that is wrong.
const wrongEvery = 97

// ledgerOf is a file of so many lines, and what comes back of it.
func ledgerOf(n int) (file, failures string) {
	const header = "externalId,description,occurredOn,amount,currency,supplierExternalId,factorSource,factorCode"
	var all, wrong strings.Builder
	fmt.Fprintln(&all, header)
	fmt.Fprintln(&wrong, header+",line,reason")
	for i := range n {
		row := fmt.Sprintf("R%06d,row %d,2024-05-01,%d,USD,S%d,acme-labs,SPEND-1", i, i, i+1, i%10)
		if i%wrongEvery == 50 {
			row = fmt.Sprintf("R%06d,row %d,2024-05-01,%d,dollars,S%d,acme-labs,SPEND-1", i, i, i+1, i%10)
			fmt.Fprintf(&wrong, "%s,%d,", row, i+2)
			wrong.WriteString("\n")
		}
		fmt.Fprintln(&all, row)
	}
	return all.String(), wrong.String()
}

// told is a batch as REST tells of it.
type told struct {
	ID, URL, Status                                                              string
	Total                                                                        *int
	Processed, Created, Updated, Unchanged, Failed, Calculated, Excluded, status int
	Problem                                                                      *struct{ Code, Message string }
	FailedRowsURL                                                                *string
	Code, Detail                                                                 string // where it was refused

	text   string
	header http.Header
}

// rest asks a REST address. Headers are name and value by turns.
func (s *served) rest(t *testing.T, key, method, path string, body io.Reader, headers ...string) (*told, error) {
	r, err := http.NewRequestWithContext(t.Context(), method, s.base+path, body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+key)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	out := &told{}
	_ = json.Unmarshal(text, out) // what is no JSON has no such parts
	out.status, out.text, out.header = res.StatusCode, string(text), res.Header
	return out, err
}

// sends sends a file that is taken.
func (s *served) sends(t *testing.T, key, query, file string, headers ...string) *told {
	t.Helper()
	b, err := s.rest(t, key, "POST", "/imports"+query, strings.NewReader(file), headers...)
	if err != nil {
		t.Fatal(err)
	}
	if b.status != http.StatusAccepted || b.ID == "" || b.header.Get("Location") != b.URL {
		t.Fatalf("POST /imports%s: %d %s", query, b.status, b.text)
	}
	return b
}

// ended waits for the end of a batch.
func (s *served) ended(t *testing.T, key, id string) *told {
	t.Helper()
	for end := time.Now().Add(3 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		b, err := s.rest(t, key, "GET", "/imports/"+id, nil)
		if err == nil && b.status == 200 && b.Status != "QUEUED" && b.Status != "RUNNING" {
			return b
		}
		if time.Now().After(end) {
			t.Fatalf("it does not end: %v, %+v\n%s", err, b, s.log)
		}
	}
}

// holds checks that a file of so many lines, and nothing else, is imported once, and that its batch says so.
func (f *filed) holds(t *testing.T, s *served, id string, n int) {
	t.Helper()
	_, failures := ledgerOf(n)
	wrong := strings.Count(failures, "\n") - 1
	b := s.ended(t, f.key, id)
	if b.Status != "PARTIAL" || b.Total == nil || *b.Total != n || b.Processed != n || b.Created != n-wrong || b.Updated+b.Unchanged+b.Excluded != 0 || b.Failed != wrong || b.Calculated != n-wrong || b.Problem != nil {
		t.Errorf("it ended as %s; want %d lines, of which %d are wrong", b.text, n, wrong)
	}
	got, err := s.rest(t, f.key, "GET", "/imports/"+id+"/failures.csv", nil)
	if err != nil {
		t.Fatal(err)
	}
	reasons := strings.Split(strings.TrimSuffix(got.text, "\n"), "\n")
	for i, want := range strings.Split(strings.TrimSuffix(failures, "\n"), "\n") {
		if i >= len(reasons) || !strings.HasPrefix(reasons[i], want) || i > 0 && len(reasons[i]) == len(want) {
			t.Errorf("failed line %d is not as it came, with its reason:\n%q\nwant %q", i, reasons[min(i, len(reasons)-1)], want)
			break
		}
	}
	if len(reasons) != wrong+1 {
		t.Errorf("%d lines came back; want %d", len(reasons)-1, wrong)
	}
	for what, text := range map[string]string{
		"lines":         "SELECT COUNT(*) FROM activities WHERE description = 'row ' || (money_micros / 1000000 - 1)",
		"keys of lines": "SELECT COUNT(DISTINCT external_id) FROM activities",
		"lines in all":  "SELECT COUNT(*) FROM activities",
		"emissions":     "SELECT COUNT(*) FROM emissions",
		"their lines":   "SELECT COUNT(DISTINCT activity_id) FROM emissions WHERE NOT superseded",
	} {
		if got := f.number(t, text); got != n-wrong {
			t.Errorf("%s: %d; want %d", what, got, n-wrong)
		}
	}
	if got := f.number(t, "SELECT COUNT(*) FROM suppliers"); got != 10 {
		t.Errorf("%d suppliers; want 10", got)
	}
	eventually(t, "its file is gone", func() bool { return f.number(t, "SELECT COUNT(*) FROM batch_parts") == 0 })
	if code, _, errs := run(t, f.env, "check", "sums"); code != 0 {
		t.Errorf("the sums: %s", errs)
	}
}

// faultRows is how many lines the file has that a fault comes into. FAULT_ROWS sets it: with more there are more moments, too.
func faultRows(t *testing.T) (n int, many bool) {
	t.Helper()
	text := os.Getenv("FAULT_ROWS")
	if text == "" {
		return 6000, false
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 6000 {
		t.Fatalf("FAULT_ROWS=%s: it is a number from 6000 on", text)
	}
	return n, true
}
