package app_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"carbongraph/internal/app"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// exported is an export as its batch tells of it.
type exported struct {
	ID, Status        string
	Processed         int
	DownloadURL       *string
	DownloadExpiresAt *time.Time
}

// export starts one, and waits for its end.
func (s *served) export(t *testing.T, key, input string) (x exported) {
	t.Helper()
	const fields = `id status processed downloadUrl downloadExpiresAt`
	var begun struct{ StartExport struct{ Batch exported } }
	got := s.ask(t, key, `mutation { startExport(input: {`+input+`}) { batch { `+fields+` } } }`)
	if err := json.Unmarshal(got.Data, &begun); err != nil || len(got.Errors) > 0 {
		t.Fatalf("%v %s", err, got.text)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		var data struct{ Node exported }
		if err := json.Unmarshal(s.ask(t, key, `{ node(id: "`+begun.StartExport.Batch.ID+`") { ... on Batch { `+fields+` } } }`).Data, &data); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains("QUEUED RUNNING", data.Node.Status) {
			return data.Node
		}
		if data.Node.DownloadURL != nil {
			t.Error("a file is told of before it is there")
		}
		if time.Now().After(deadline) {
			t.Fatalf("it does not end: %+v", data.Node)
		}
	}
}

// fetch asks for an address with a key.
func (s *served) fetch(t *testing.T, method, path, key string, header ...string) *reply {
	t.Helper()
	r, err := http.NewRequest(method, s.base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return s.do(t, r)
}

func TestExportsOverHTTP(t *testing.T) {
	t.Parallel()
	dir, keys := ledger(t, "Acme", "Bolt")
	file := write(t, t.TempDir(), "spend.csv", []byte("externalId,description,occurredOn,amount,currency\nA1,\"=1+1, \"\"quoted\"\"\",2024-03-01,12.5,EUR\nA2,Łódź,2024-03-02,-3,EUR\n"))
	if code, _, errs := run(t, nil, "import", "--org", "Acme", "--data-dir", dir, file); code != 0 {
		t.Fatal(errs)
	}
	_, viewer, _ := run(t, nil, "key", "create", "--org", "Acme", "--role", "VIEWER", "--data-dir", dir)
	_, analyst, _ := run(t, nil, "key", "create", "--org", "Acme", "--role", "ANALYST", "--data-dir", dir)
	viewer, analyst = strings.TrimSpace(viewer), strings.TrimSpace(analyst)
	s := serve(t, dir, nil)

	if got := s.ask(t, viewer, `mutation { startExport(input: {what: ACTIVITIES, format: CSV}) { batch { id } } }`); got.code() != "FORBIDDEN" {
		t.Errorf("a VIEWER starts an export: %s", got.text)
	}
	for input, code := range map[string]string{
		`what: EMISSIONS, format: CSV, activityFilter: {}`:                            "BAD_USER_INPUT",
		`what: ACTIVITIES, format: CSV, emissionFilter: {}`:                           "BAD_USER_INPUT",
		`what: ACTIVITIES, format: CSV, activityFilter: {categories: [99]}`:           "BAD_USER_INPUT",
		`what: ACTIVITIES, format: CSV, idempotencyKey: "` + strings.Repeat("k", 300): "BAD_USER_INPUT",
	} {
		if strings.Count(input, `"`)%2 == 1 {
			input += `"`
		}
		if got := s.ask(t, analyst, `mutation { startExport(input: {`+input+`}) { batch { id } } }`); got.code() != code {
			t.Errorf("%.80s: %s; want %s", input, got.text, code)
		}
	}
	for format, want := range map[string]struct{ name, media, says string }{
		"CSV":     {"csv", "text/csv", `A1,,,,"'=1+1, ""quoted""",,2024-03-01,,,12.5,EUR,`},
		"NDJSON":  {"ndjson", "application/x-ndjson", `"description":"=1+1, \"quoted\""`},
		"PARQUET": {"parquet", "application/vnd.apache.parquet", "PAR1"},
	} {
		x := s.export(t, analyst, `what: ACTIVITIES, format: `+format)
		if x.Status != "SUCCEEDED" || x.Processed != 2 || x.DownloadURL == nil || x.DownloadExpiresAt == nil || time.Until(*x.DownloadExpiresAt) < 23*time.Hour {
			t.Fatalf("%s: %+v", format, x)
		}
		got := s.fetch(t, "GET", *x.DownloadURL, viewer)
		name := "activities-" + time.Now().UTC().Format(time.DateOnly) + "." + want.name
		if got.status != 200 || !strings.HasPrefix(got.header.Get("Content-Type"), want.media) || !strings.Contains(got.header.Get("Content-Disposition"), "filename="+name) ||
			got.header.Get("Cache-Control") != "private, no-store" || got.header.Get("ETag") == "" || !strings.Contains(got.text, want.says) {
			t.Errorf("%s: %d %v %s", format, got.status, got.header, got.text)
		}
		head := s.fetch(t, "HEAD", *x.DownloadURL, viewer, "Accept-Encoding", "identity")
		if head.status != 200 || head.text != "" || head.header.Get("Content-Length") != fmt.Sprint(len(got.text)) || head.header.Get("ETag") == "" {
			t.Errorf("%s: HEAD: %d %v; the file has %d bytes", format, head.status, head.header, len(got.text))
		}
		if again := s.fetch(t, "GET", *x.DownloadURL, viewer, "If-None-Match", got.header.Get("ETag")); again.status != 304 || again.text != "" {
			t.Errorf("%s: asked again: %d", format, again.status)
		}
	}

	x := s.export(t, analyst, `what: EMISSIONS, format: CSV`)
	problem := func(path, key string, status int, code, says string) {
		t.Helper()
		got := s.fetch(t, "GET", path, key)
		if got.status != status || got.header.Get("Content-Type") != "application/problem+json" || !strings.Contains(got.text, `"code":"`+code+`"`) || !strings.Contains(got.text, says) ||
			got.header.Get("Content-Disposition") != "" {
			t.Errorf("%s: %d %s %v; want %d %s, %q", path, got.status, got.text, got.header, status, code, says)
		}
	}
	problem(*x.DownloadURL, keys[1], 404, "NOT_FOUND", "no export with this id")
	problem(*x.DownloadURL, "cg_none", 401, "UNAUTHENTICATED", "")
	problem("/exports/nonsense", viewer, 404, "NOT_FOUND", "no export")
	problem("/exports/"+store.Global(store.KindSupplier, store.ID{1}).String(), viewer, 404, "NOT_FOUND", "no export")
	problem("/exports/", viewer, 404, "NOT_FOUND", "GET /exports/ID")

	st, err := store.Open(t.Context(), store.Options{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	acme, err := st.FindOrganization(t.Context(), "Acme")
	if err != nil {
		t.Fatal(err)
	}
	at := func(b *store.Batch) string { return "/exports/" + b.GlobalID().String() }
	failed, cancelled := store.RunFailed, store.RunCancelled
	problem(at(storetest.Export(t, st.Tenant(acme.ID), 1, nil, 0)), viewer, 409, "CONFLICT", "RUNNING")
	problem(at(storetest.Export(t, st.Tenant(acme.ID), 1, &failed, 0)), viewer, 409, "CONFLICT", "failed and left no file")
	problem(at(storetest.Export(t, st.Tenant(acme.ID), 1, &cancelled, 0)), viewer, 409, "CONFLICT", "left no file")
	problem(at(storetest.Export(t, st.Tenant(acme.ID), 1, new(store.RunSucceeded), 2024)), viewer, 410, "NOT_FOUND", "until 2024-03-03T00:00:00Z")
	problem(at(storetest.Import(t, st.Tenant(acme.ID), 1, 0, new(store.RunStatus("")))), viewer, 404, "NOT_FOUND", "no export")
}

// large is a ledger whose file is larger than what the sockets between hold.
func large(t *testing.T) (dir, key string) {
	t.Helper()
	dir, keys := ledger(t, "Acme")
	random := rand.New(rand.NewPCG(1, 2))
	var lines bytes.Buffer
	lines.WriteString("externalId,description,occurredOn,amount,currency\n")
	for i := range 8000 {
		fmt.Fprintf(&lines, "A%d,%s,2024-03-01,1,EUR\n", i, strings.Repeat(fmt.Sprintf("%x", random.Uint64()), 240))
	}
	if code, _, errs := run(t, nil, "import", "--org", "Acme", "--data-dir", dir, write(t, t.TempDir(), "spend.csv", lines.Bytes())); code != 0 {
		t.Fatal(errs)
	}
	return dir, keys[0]
}

// A client is given time for each piece of the file, and none that takes nothing.
func TestSlowClientsOfExports(t *testing.T) {
	t.Parallel()
	dir, key := large(t)
	const patience = 700 * time.Millisecond
	s := serve(t, dir, map[string]string{"TIMEOUT_REQUEST": patience.String()})
	x := s.export(t, key, `what: ACTIVITIES, format: CSV`)
	open := func() *http.Response {
		t.Helper()
		r, err := http.NewRequest("GET", s.base+*x.DownloadURL, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+key)
		r.Header.Set("Accept-Encoding", "identity")
		res, err := http.DefaultClient.Do(r)
		if err != nil || res.StatusCode != 200 {
			t.Fatal(res, err)
		}
		return res
	}
	res := open()
	defer res.Body.Close()
	began, n := time.Now(), int64(0)
	for {
		got, err := io.CopyN(io.Discard, res.Body, 2<<20)
		if n += got; err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("a slow client is cut off after %d bytes and %s: %v", n, time.Since(began), err)
		}
		time.Sleep(patience / 5)
	}
	if n != res.ContentLength || time.Since(began) < patience {
		t.Errorf("%d bytes of %d in %s", n, res.ContentLength, time.Since(began))
	}
	res = open()
	defer res.Body.Close()
	time.Sleep(3 * patience)
	if n, err := io.Copy(io.Discard, res.Body); err == nil {
		t.Errorf("a client that took nothing got all of %d bytes", n)
	}
}

func TestExportCommand(t *testing.T) {
	t.Parallel()
	dir, _ := stocked(t)
	folder := t.TempDir()
	good := write(t, folder, "good.csv", []byte(strings.Join(strings.SplitAfter(activitiesFile, "\n")[:3], "")))
	if code, _, errs := run(t, nil, "import", "--org", "Acme", "--data-dir", dir, good); code != 0 {
		t.Fatal(errs)
	}
	export := func(args ...string) (int, string, string) {
		return run(t, nil, append([]string{"export", "--data-dir", dir}, args...)...)
	}
	code, out, errs := export("--org", "Acme", "--what", "activities")
	if code != app.ExitDone || errs != "" || !strings.HasPrefix(out, "externalId,supplierExternalId,") || !strings.Contains(out, "A1,S1,Alum,") || strings.Count(out, "\n") != 3 {
		t.Errorf("exit %d, %s, told %q", code, out, errs)
	}
	file := filepath.Join(folder, "out.ndjson")
	code, told, errs := export("--org", "Acme", "--what", "emissions", "--format", "ndjson", "--output", file, "--json")
	text, err := os.ReadFile(file)
	var sum struct{ Rows, Bytes int }
	if code != app.ExitDone || err != nil || json.Unmarshal([]byte(told), &sum) != nil || sum.Rows != 2 || sum.Bytes != len(text) || strings.Count(string(text), `"factorCode":"STEEL-1"`) != 2 {
		t.Errorf("exit %d, %s, told %q %q", code, text, told, errs)
	}
	if code, told, errs = export("--org", "Acme", "--what", "activities", "--format", "parquet", "--output", os.DevNull); code != app.ExitDone || !strings.Contains(told, "2 rows") {
		t.Errorf("to the null device: exit %d, %q %q", code, told, errs)
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Errorf("the null device is %v, %v", info, err)
	}
	for name, tc := range map[string]struct {
		args []string
		code int
		says string
	}{
		"no such organization":       {[]string{"--org", "Nobody", "--what", "activities"}, app.ExitFailed, "Nobody"},
		"no such format":             {[]string{"--org", "Acme", "--what", "activities", "--format", "xlsx"}, app.ExitWrongUse, "csv"},
		"nothing":                    {[]string{"--org", "Acme"}, app.ExitWrongUse, "--what"},
		"a result beside the rows":   {[]string{"--org", "Acme", "--what", "activities", "--json"}, app.ExitWrongUse, "--output"},
		"a folder that is not there": {[]string{"--org", "Acme", "--what", "activities", "--output", filepath.Join(folder, "none", "x.csv")}, app.ExitFailed, "cannot be written"},
		"a folder":                   {[]string{"--org", "Acme", "--what", "activities", "--output", folder}, app.ExitFailed, "cannot be written"},
	} {
		if code, out, errs := export(tc.args...); code != tc.code || out != "" || !strings.Contains(errs, tc.says) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%s: exit %d, printed %q, told %q; want %d, %q", name, code, out, errs, tc.code, tc.says)
		}
	}
	// What fails leaves what was there.
	db, err := sql.Open("sqlite", filepath.Join(dir, "carbongraph.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "ALTER TABLE suppliers RENAME TO elsewhere"); err != nil {
		t.Fatal(err)
	}
	if code, _, _ := export("--org", "Acme", "--what", "activities", "--output", file); code != app.ExitFailed {
		t.Errorf("exit %d", code)
	}
	if after, err := os.ReadFile(file); err != nil || !bytes.Equal(after, text) {
		t.Errorf("the file is %s, %v", after, err)
	}
	if left, _ := filepath.Glob(filepath.Join(folder, ".out*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
