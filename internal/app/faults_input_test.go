package app_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// form makes the body of a form of these fields, name and content by turns, and its type.
func form(t *testing.T, fields ...string) (body, kind string) {
	t.Helper()
	var b strings.Builder
	w := multipart.NewWriter(&b)
	for i := 0; i < len(fields); i += 2 {
		part, err := w.CreateFormFile(fields[i], fields[i]+".csv")
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(part, fields[i+1]) // it goes to a builder
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String(), w.FormDataContentType()
}

// zipped packs a text so many times over.
func zipped(t *testing.T, text string, times int) string {
	t.Helper()
	var once bytes.Buffer
	z := gzip.NewWriter(&once)
	io.WriteString(z, text)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return strings.Repeat(once.String(), times)
}

// peak is the most memory that a process had, in MB; 0 where nobody can tell.
func peak(process *os.Process) int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process.Pid))
	if m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(text); err == nil && m != nil {
		kb, _ := strconv.Atoi(string(m[1]))
		return kb >> 10
	}
	return 0
}

// What a client may get wrong is told to it with a code and in words that say what to do, at once or as the end of the batch, and costs the server little.
func TestFilesThatAreWrong(t *testing.T) {
	t.Parallel()
	f := newFiled(t, onPostgres(t))
	s, process := f.process(t)
	const header = "externalId,description,occurredOn,amount,currency\n"
	good := header + "A1,x,2024-01-01,1,USD\n"
	noFile, noFileType := form(t, "columns", "format: csv\n")
	unknown, unknownType := form(t, "data", good)
	behind, behindType := form(t, "file", good, "columns", "format: csv\n")
	large, largeType := form(t, "file", good+noise(1<<20), "columns", "format: csv\n")
	zeros, far := strings.Repeat("\x00", 16<<20), ""
	for i := range 2000 {
		far += fmt.Sprintf("F%d,%s,2024-01-01,1,USD\n", i, strings.Repeat("x", 200))
	}
	for name, tc := range map[string]struct {
		query, body, kind string
		status            int // of the answer; 202: the batch's end is looked at
		end, code, says   string
	}{
		"an option that is not known":      {query: "?colour=red", body: good, status: 400, code: "BAD_USER_INPUT", says: "known are columns"},
		"an option given twice":            {query: "?mode=ITEM&mode=CHUNK", body: good, status: 400, code: "BAD_USER_INPUT", says: "give it once"},
		"a mode that is none":              {query: "?mode=SOME", body: good, status: 400, code: "BAD_USER_INPUT", says: "it is ITEM, CHUNK or ATOMIC"},
		"a truth that is none":             {query: "?dryRun=yes", body: good, status: 400, code: "BAD_USER_INPUT", says: "true or false"},
		"a columns file that is not kept":  {query: "?columns=nope", body: good, status: 404, code: "NOT_FOUND", says: "PUT /imports/columns/NAME"},
		"a form without a file":            {body: noFile, kind: noFileType, status: 400, code: "BAD_USER_INPUT", says: `no field "file"`},
		"a form with another field":        {body: unknown, kind: unknownType, status: 400, code: "BAD_USER_INPUT", says: "file behind them"},
		"a field behind the file":          {body: behind, kind: behindType, status: 400, code: "BAD_USER_INPUT", says: "put the file last"},
		"a field behind a large file":      {body: large, kind: largeType, status: 400, code: "BAD_USER_INPUT", says: "put the file last"},
		"a form that breaks off":           {body: behind[:200], kind: behindType, status: 400, code: "BAD_USER_INPUT", says: "broke off"},
		"nothing":                          {body: "", status: 400, code: "BAD_USER_INPUT", says: "empty"},
		"a header alone":                   {body: header, status: 202, end: "SUCCEEDED"},
		"no header":                        {body: "A1,x,2024-01-01,1,USD\n", status: 400, code: "BAD_USER_INPUT", says: "column"},
		"two columns of one name":          {body: "externalId,description,occurredOn,amount,amount\nA1,x,2024-01-01,1,1\n", status: 400, code: "BAD_USER_INPUT", says: "amount"},
		"a zip":                            {body: "PK\x03\x04" + noise(1000), status: 400, code: "BAD_USER_INPUT", says: "zip"},
		"a large zip":                      {body: "PK\x03\x04" + noise(1<<20), status: 202, end: "FAILED", code: "BAD_USER_INPUT", says: "zip"},
		"a gzip that is none":              {body: "\x1f\x8b" + noise(1000), status: 400, code: "BAD_USER_INPUT", says: "gzip"},
		"a bomb of zeros, in gzip":         {body: zipped(t, zeros, 64), status: 202, end: "FAILED", code: "BAD_USER_INPUT", says: "not text"},
		"a bomb of one line, in gzip":      {body: zipped(t, good, 1) + zipped(t, strings.Repeat("x", 16<<20), 64), status: 202, end: "FAILED", code: "BAD_USER_INPUT", says: "does not end"},
		"a bomb of lines, in gzip":         {body: zipped(t, good, 1) + zipped(t, strings.Repeat("A1,"+strings.Repeat("x", 100_000)+",2024-01-01,1,USD\n", 160), 64), status: 202, end: "FAILED", code: "BAD_USER_INPUT", says: "200 times"},
		"a line of 50 MB":                  {body: good + "A2," + strings.Repeat("x", 50<<20) + ",2024-01-01,1,USD\n", status: 202, end: "FAILED", code: "BAD_USER_INPUT", says: "line"},
		"a field of 50 MB that never ends": {body: good + "A2,\"" + strings.Repeat("x\n", 25<<20), status: 202, end: "FAILED", code: "BAD_USER_INPUT", says: "line"},
		"NUL at the beginning":             {body: good + "N1,a\x00b,2024-01-01,1,USD\n", status: 400, code: "BAD_USER_INPUT", says: "which no text has"},
		"NUL in a description, far behind": {body: good + far + "N1,a\x00b,2024-01-01,1,USD\n", status: 202, end: "PARTIAL"},
		"NUL in a key, far behind":         {body: good + far + "N\x002,ab,2024-01-01,1,USD\n", status: 202, end: "PARTIAL"},
		"bytes that are no text":           {body: good + "N3,a\xff\xfeb,2024-01-01,1,USD\n", status: 202, end: "PARTIAL"},
		"bytes that are no text, in a key": {body: good + "N\xff4,ab,2024-01-01,1,USD\n", status: 202, end: "PARTIAL"},
		"a name that is no text":           {query: "?name=a%00b.csv", body: good, status: 400, code: "BAD_USER_INPUT", says: "name"},
		"a name that is no text, in bytes": {query: "?name=a%ffb.csv", body: good, status: 400, code: "BAD_USER_INPUT", says: "name"},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			headers := []string{}
			if tc.kind != "" {
				headers = append(headers, "Content-Type", tc.kind)
			}
			got, err := s.rest(t, f.key, "POST", "/imports"+tc.query, strings.NewReader(tc.body), headers...)
			if err != nil {
				t.Fatal(err)
			}
			if got.status != tc.status {
				t.Fatalf("%d %.500s", got.status, got.text)
			}
			code, says := got.Code, got.Detail
			if tc.status == 202 {
				b := s.ended(t, f.key, got.ID)
				if b.Status != tc.end {
					t.Errorf("it ended as %.500s; want %s", b.text, tc.end)
				}
				if b.Problem != nil {
					code, says = b.Problem.Code, b.Problem.Message
				}
				if tc.end == "PARTIAL" {
					rows, err := s.rest(t, f.key, "GET", *b.FailedRowsURL, nil)
					if err != nil || rows.status != 200 || strings.Count(rows.text, "\n") != 2 || b.Failed != 1 {
						t.Errorf("what failed: %v %d %q; want one line", err, rows.status, rows.text)
					}
				}
			}
			if code != tc.code || !strings.Contains(says, tc.says) {
				t.Errorf("it is told as %s: %.300s; want %s and %q", code, says, tc.code, tc.says)
			}
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
	most := 400
	if raced {
		most = 1200
	}
	if mb := peak(process); mb > most {
		t.Errorf("the server took %d MB", mb)
	} else {
		t.Logf("the server took %d MB at most", mb)
	}
	eventually(t, "nothing is left of any file", func() bool { return f.number(t, "SELECT COUNT(*) FROM batch_parts") == 0 })
}

// Whoever may not import, or asks for another organization's import, is told so and learns nothing.
func TestImportsOfOthers(t *testing.T) {
	t.Parallel()
	f := newFiled(t, onPostgres(t))
	s := f.serve(t)
	file, _ := ledgerOf(100)
	b := s.ended(t, f.key, s.sends(t, f.key, "", file).ID)
	code, out, errs := run(t, f.env, "key", "create", "--org", "Acme", "--role", "VIEWER", "--name", "viewer")
	if code != 0 {
		t.Fatal(errs)
	}
	viewer, other := strings.TrimSpace(out), f.organization(t, "Bolt")
	for _, tc := range []struct {
		key, method, path string
		status            int
		code              string
	}{
		{viewer, "POST", "/imports", 403, "FORBIDDEN"},
		{viewer, "POST", "/imports/preview", 403, "FORBIDDEN"},
		{viewer, "PUT", "/imports/columns/x", 403, "FORBIDDEN"},
		{viewer, "GET", b.URL, 200, ""},
		{viewer, "GET", *b.FailedRowsURL, 200, ""},
		{other, "GET", b.URL, 404, "NOT_FOUND"},
		{other, "GET", *b.FailedRowsURL, 404, "NOT_FOUND"},
		{"nobody's", "POST", "/imports", 401, "UNAUTHENTICATED"},
		{f.key, "GET", "/imports/nothing", 404, "NOT_FOUND"},
	} {
		got, err := s.rest(t, tc.key, tc.method, tc.path, strings.NewReader(file))
		if err != nil || got.status != tc.status || got.Code != tc.code {
			t.Errorf("%s %s: %v %d %.300s; want %d %s", tc.method, tc.path, err, got.status, got.text, tc.status, tc.code)
		}
	}
	if got := s.cancel(t, other, b.ID); got.code() != "NOT_FOUND" {
		t.Errorf("another's batch is cancelled: %s", got.text)
	}
	if got := s.cancel(t, viewer, b.ID); got.code() != "FORBIDDEN" {
		t.Errorf("a VIEWER cancels: %s", got.text)
	}
	for n, want := range map[int]string{10_000: "", 10_001: "at most 10000 are allowed. Ask for less at once"} {
		got, err := s.rest(t, f.key, "POST", "/graphql", bytes.NewReader(importing("", 0, n, "")), "Content-Type", asJSON)
		if err != nil || strings.Contains(got.text, `"errors"`) != (want != "") || !strings.Contains(got.text, want) {
			t.Errorf("%d lines: %v %d %.300s", n, err, got.status, got.text)
		}
	}
}

// A client that breaks off leaves nothing, one that stalls is let go, and one that is slow but goes on has the time that it needs.
func TestUploadsThatAreSlow(t *testing.T) {
	t.Parallel()
	env := onPostgres(t)
	env["TIMEOUT_REQUEST"], env["TIMEOUT_RESPONSE"] = "1s", "1s"
	f := newFiled(t, env)
	s := f.serve(t)
	file, _ := ledgerOf(2000)
	large := file + noise(3<<20)
	begin := func(size int) net.Conn {
		t.Helper()
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		fmt.Fprintf(conn, "POST /imports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n", f.key, size)
		return conn
	}
	parts := func() int { return f.number(t, "SELECT COUNT(*) FROM batch_parts") }
	t.Run("slow but steady", func(t *testing.T) {
		conn := begin(len(file))
		for i := range 30 {
			from, to := len(file)*i/30, len(file)*(i+1)/30
			if _, err := io.WriteString(conn, file[from:to]); err != nil {
				t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		answer := make([]byte, 4096)
		n, err := conn.Read(answer)
		if !strings.HasPrefix(string(answer[:n]), "HTTP/1.1 202 ") {
			t.Fatalf("%v: %.300s", err, answer[:n])
		}
		id := regexp.MustCompile(`"id":"([^"]+)"`).FindSubmatch(answer[:n])
		f.holds(t, s, string(id[1]), 2000)
	})
	t.Run("breaks off", func(t *testing.T) {
		conn := begin(len(large) + 1000)
		if _, err := io.WriteString(conn, large); err != nil {
			t.Fatal(err)
		}
		eventually(t, "parts are stored", func() bool { return parts() > 0 })
		conn.Close()
		eventually(t, "nothing is left", func() bool { return parts() == 0 })
		conn = begin(len(file) + 1)
		if _, err := io.WriteString(conn, file); err != nil {
			t.Fatal(err)
		}
		conn.Close()
	})
	t.Run("stalls", func(t *testing.T) {
		conn := begin(len(large) + 1000)
		if _, err := io.WriteString(conn, large); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := conn.SetReadDeadline(began.Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(conn)
		if took := time.Since(began); err != nil || took > 5*time.Second {
			t.Errorf("it is let go after %s: %v", took, err)
		}
		if !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") || !strings.Contains(string(answer), "broke off") {
			t.Errorf("it is told %.500q", answer)
		}
		eventually(t, "nothing is left", func() bool { return parts() == 0 })
	})
	if got := f.number(t, "SELECT COUNT(*) FROM batches"); got != 1 {
		t.Errorf("%d batches; want that of the slow one alone", got)
	}
}
