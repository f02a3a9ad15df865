package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// importing is a mutation that imports so many lines, as a request's body.
func importing(key string, first, n int, more string) []byte {
	type money struct {
		Amount   string `json:"amount"`
		Currency string `json:"currency"`
	}
	type line struct {
		ExternalID  string `json:"externalId"`
		Description string `json:"description"`
		OccurredOn  string `json:"occurredOn"`
		Money       money  `json:"money"`
	}
	lines := make([]line, n)
	for i := range lines {
		lines[i] = line{fmt.Sprintf("L%05d", first+i), "Laptops", "2024-05-01", money{"100", "USD"}}
	}
	input := map[string]any{"activities": lines}
	if key != "" {
		input["idempotencyKey"] = key
	}
	body, _ := json.Marshal(map[string]any{
		"query":     `mutation($input: ImportActivitiesInput!){importActivities(input:$input){created updated unchanged failed results{externalId status activity{externalId ` + more + `} error{code}}}}`,
		"variables": map[string]any{"input": input},
	})
	return body
}

// statusesIn are those of the lines of an answer to importing.
func statusesIn(t *testing.T, text string) []string {
	t.Helper()
	var answer struct {
		Data *struct {
			ImportActivities struct {
				Results []struct{ ExternalID, Status string }
			}
		}
		Errors []any
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil || answer.Data == nil || len(answer.Errors) > 0 {
		t.Fatalf("%v: %.500s", err, text)
	}
	var out []string
	for _, r := range answer.Data.ImportActivities.Results {
		out = append(out, r.ExternalID+" "+r.Status)
	}
	return out
}

const asJSON = "application/json"

// Fifty clients send the same with one key at the same moment, to two servers: it is done once, and all get the same.
func TestFiftyClientsOverHTTP(t *testing.T) {
	t.Parallel()
	f := newFiled(t, onPostgres(t))
	servers := []*served{f.serve(t), f.serve(t)}
	const n, rows = 200, 500
	file, _ := ledgerOf(rows)
	for what, ask := range map[string]func(s *served) (*told, error){
		"importActivities": func(s *served) (*told, error) {
			return s.rest(t, f.key, "POST", "/graphql", bytes.NewReader(importing("fifty", 0, n, "")), "Content-Type", asJSON)
		},
		"a file": func(s *served) (*told, error) {
			return s.rest(t, f.key, "POST", "/imports?name=x.csv", strings.NewReader(file), "Idempotency-Key", "fifty files")
		},
	} {
		answers, errs := make([]*told, 50), make([]error, 50)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() { answers[i], errs[i] = ask(servers[i%2]) })
		}
		all.Wait()
		for i, a := range answers {
			switch {
			case errs[i] != nil:
				t.Fatalf("%s: %v", what, errs[i])
			case a.status >= 300 || a.ID != answers[0].ID || what != "a file" && a.text != answers[0].text:
				t.Fatalf("%s: client %d gets %d %.300s\nthe first got %d %.300s", what, i, a.status, a.text, answers[0].status, answers[0].text)
			}
		}
		if what != "a file" {
			if !strings.Contains(answers[0].text, fmt.Sprintf(`"created":%d`, n)) {
				t.Errorf("%s: %.300s", what, answers[0].text)
			}
		} else if b := servers[0].ended(t, f.key, answers[0].ID); b.Processed != rows || b.Updated+b.Unchanged > 0 {
			t.Errorf("%s: %s", what, b.text)
		}
	}
	if got := f.number(t, "SELECT COUNT(*) FROM batches"); got != 1 {
		t.Errorf("%d batches; want 1", got)
	}
	if got := f.number(t, "SELECT COUNT(DISTINCT created_at) FROM activities WHERE description = 'Laptops'"); got != 1 {
		t.Errorf("the lines were stored at %d moments; want one", got)
	}
	eventually(t, "no copy of the file is left", func() bool { return f.number(t, "SELECT COUNT(*) FROM batch_parts") == 0 })
}

// leaves sends a whole request, and goes when it is time.
func (s *served) leaves(t *testing.T, key, path, kind, idempotency string, body []byte, time func()) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nIdempotency-Key: %s\r\nContent-Length: %d\r\n\r\n%s", path, key, kind, idempotency, len(body), body)
	if err != nil {
		t.Fatal(err)
	}
	time()
}

// A client that goes as soon as it has sent, or in the middle of the work, and sends the same again with its key, gets the answer that it would have had at first: every
// line is there once, and told of as if it had been done in one go.
func TestAClientThatLeavesAndComesBack(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, env map[string]string) {
		env["LIMIT_TIME"] = "2m" // however slow the machine is
		f := newFiled(t, env)
		s := f.serve(t)
		const n, known = 2500, 40
		ask := func(body []byte) string {
			t.Helper()
			got, err := s.rest(t, f.key, "POST", "/graphql", bytes.NewReader(body), "Content-Type", asJSON)
			if err != nil || got.status != 200 {
				t.Fatalf("%v %+v", err, got)
			}
			return got.text
		}
		f.rests(t)
		moments := map[string]func(){
			"at once": func() {},
			"in the middle of it": func() {
				eventually(t, "a piece is stored", func() bool { return f.number(t, "SELECT COUNT(*) FROM work_pieces") > 0 })
			},
		}
		first := 0
		for name, moment := range moments {
			f.exec(t, "DELETE FROM work_pieces")
			ask(importing("", first, known, "")) // what was there before
			body := importing(name, first, n, "")
			s.leaves(t, f.key, "/graphql", asJSON, "", body, moment)
			got := ask(body)
			for i, status := range statusesIn(t, got) {
				want := fmt.Sprintf("L%05d CREATED", first+i)
				if i < known {
					want = fmt.Sprintf("L%05d UNCHANGED", first+i)
				}
				if status != want {
					t.Fatalf("%s: line %d is told as %s; want %s", name, i, status, want)
				}
			}
			if again := ask(body); again != got {
				t.Errorf("%s: a third time it is told as\n%.300s\nand not as\n%.300s", name, again, got)
			}
			first += n
		}
		f.resumes(t)
		for _, text := range []string{"SELECT COUNT(*) FROM activities", "SELECT COUNT(DISTINCT external_id) FROM activities"} {
			if got := f.number(t, text); got != first {
				t.Errorf("%d lines; want %d", got, first)
			}
		}
		f.exec(t, "DELETE FROM activities")
		file, _ := ledgerOf(1000)
		for i, wait := range []time.Duration{0, time.Millisecond, 20 * time.Millisecond} {
			key := fmt.Sprint("file ", i)
			s.leaves(t, f.key, "/imports", "text/csv", key, []byte(file), func() { time.Sleep(wait) })
			b := s.sends(t, f.key, "", file, "Idempotency-Key", key)
			if done := s.ended(t, f.key, b.ID); done.Processed != 1000 || i == 0 && done.Updated+done.Unchanged > 0 {
				t.Errorf("%s", done.text)
			}
			if again := s.sends(t, f.key, "", file, "Idempotency-Key", key); again.ID != b.ID {
				t.Errorf("a third time it is batch %s; want %s", again.ID, b.ID)
			}
			if got := f.number(t, "SELECT COUNT(*) FROM batches"); got != i+1 {
				t.Errorf("%d batches; want %d", got, i+1)
			}
		}
		eventually(t, "no file is left", func() bool { return f.number(t, "SELECT COUNT(*) FROM batch_parts") == 0 })
		if code, _, errs := run(t, env, "check", "sums"); code != 0 {
			t.Errorf("the sums: %s", errs)
		}
	})
}

// What was answered is answered again with its key, whatever the caller may still spend and however busy the server is.
func TestAnAnswerThatIsThereCostsNothing(t *testing.T) {
	t.Parallel()
	env := onPostgres(t)
	env["RATE_LIMIT"], env["LIMIT_IN_FLIGHT"] = "60", "1"
	f := newFiled(t, env)
	s := f.serve(t)
	file, _ := ledgerOf(20)
	mutate := func(key string) *told {
		t.Helper()
		got, err := s.rest(t, f.key, "POST", "/graphql", bytes.NewReader(importing(key, 0, 3, "")), "Content-Type", asJSON)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	send := func(key string) *told {
		t.Helper()
		got, err := s.rest(t, f.key, "POST", "/imports", strings.NewReader(file), "Idempotency-Key", key)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	first, sent := mutate("m"), send("f")
	if first.status != 200 || sent.status != 202 {
		t.Fatalf("%d %s\n%d %s", first.status, first.text, sent.status, sent.text)
	}
	spent := false
	for range 200 {
		if spent = mutate("").status == http.StatusTooManyRequests; spent {
			break
		}
	}
	if !spent {
		t.Fatal("the points do not come to an end")
	}
	if got := mutate("m"); got.status != 200 || unversioned(got.text) != unversioned(first.text) {
		t.Errorf("sent again: %d %s; want %s", got.status, got.text, first.text)
	}
	const page = `history(first:500){nodes{id run{id} factor{id dataset{id}}}}`
	large, err := s.rest(t, f.key, "POST", "/graphql", bytes.NewReader(importing("m", 0, 3, "a:"+page+" b:"+page+" c:"+page)), "Content-Type", asJSON)
	if err != nil || !strings.Contains(large.text, "COST_LIMIT_EXCEEDED") {
		t.Errorf("sent again with more to show than an operation may: %s, %v", large.text, err)
	}
	if got := send("f"); got.status != 202 || got.ID != sent.ID {
		t.Errorf("the file sent again: %d %s; want batch %s", got.status, got.text, sent.ID)
	}
	for what, got := range map[string]*told{"a mutation": mutate("another"), "a mutation without a key": mutate(""), "a file": send("another file"), "a file without a key": send("")} {
		if got.status != http.StatusTooManyRequests || !strings.Contains(got.text, "RATE_LIMITED") || got.header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", what, got.status, got.text)
		}
	}

	b := newBlocked(t, env["DATABASE_URL"])
	env["RATE_LIMIT"] = "0"
	s = f.serve(t)
	b.exec("BEGIN")
	b.exec("LOCK TABLE suppliers IN ACCESS EXCLUSIVE MODE")
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	for range 2 { // one runs, one waits for its turn
		go func() {
			r, _ := http.NewRequestWithContext(ctx, "POST", s.base+"/graphql", strings.NewReader(`{"query":"{suppliers{totalCount}}"}`))
			r.Header.Set("Content-Type", asJSON)
			r.Header.Set("Authorization", "Bearer "+f.key)
			if res, err := http.DefaultClient.Do(r); err == nil {
				res.Body.Close()
			}
		}()
	}
	if !b.waiting(true) {
		t.Fatal("nothing runs")
	}
	if got := mutate("m"); got.status != 200 || unversioned(got.text) != unversioned(first.text) {
		t.Errorf("sent again to a busy server: %d %s", got.status, got.text)
	}
	leave()
	b.exec("ROLLBACK")
}

// unversioned is an answer to a mutation without its token, which tells of the ledger as it is when the answer is given.
func unversioned(text string) string {
	data, _, _ := strings.Cut(text, `,"extensions":{"version":`)
	return data
}

// cancel cancels a batch over GraphQL, and gives its status then.
func (s *served) cancel(t *testing.T, key, id string) *reply {
	t.Helper()
	return s.ask(t, key, `mutation{cancelBatch(id:"`+id+`"){batch{status}}}`)
}

// An import that is cancelled stops soon: what is stored stays and is counted. One that waits is cancelled at once, and one that has ended stays as it is.
func TestAnImportIsCancelled(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, env map[string]string) {
		env["BATCHES_PER_ORGANIZATION"] = "1"
		f := newFiled(t, env)
		s := f.serve(t)
		const n = 20_000
		file, _ := ledgerOf(n)
		f.rests(t)
		running := s.sends(t, f.key, "", file)
		f.processed(t, 0)
		waiting := s.sends(t, f.key, "", strings.ReplaceAll(file, "\nR", "\nQ"))
		if got := s.cancel(t, f.key, waiting.ID); len(got.Errors) > 0 {
			t.Fatal(got.text)
		}
		if b, err := s.rest(t, f.key, "GET", waiting.URL, nil); err != nil || b.Status != "CANCELLED" || b.Processed != 0 {
			t.Errorf("the batch that waited: %v %s", err, b.text)
		}
		if got := s.cancel(t, f.key, running.ID); len(got.Errors) > 0 {
			t.Fatal(got.text)
		}
		began := time.Now()
		b := s.ended(t, f.key, running.ID)
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("it stopped after %s", took)
		}
		if b.Status != "CANCELLED" || b.Processed == 0 || b.Processed >= n || b.Created+b.Failed != b.Processed || b.Problem != nil {
			t.Errorf("it ended as %s", b.text)
		}
		eventually(t, "nothing is left of the files", func() bool { return f.number(t, "SELECT COUNT(*) FROM batch_parts") == 0 })
		if got := f.number(t, "SELECT COUNT(*) FROM activities"); got != b.Created {
			t.Errorf("%d lines are there, %d were counted", got, b.Created)
		}
		if got := f.number(t, "SELECT COUNT(*) FROM batch_failures"); got != b.Failed {
			t.Errorf("%d lines that failed are there, %d were counted", got, b.Failed)
		}
		if got := f.number(t, "SELECT COUNT(*) FROM activities WHERE external_id LIKE 'Q%'"); got != 0 {
			t.Errorf("%d lines of the batch that waited", got)
		}
		f.resumes(t)
		small, _ := ledgerOf(20)
		ended := s.ended(t, f.key, s.sends(t, f.key, "", small).ID)
		for _, id := range []string{ended.ID, running.ID, waiting.ID} {
			before, _ := s.rest(t, f.key, "GET", "/imports/"+id, nil)
			if got := s.cancel(t, f.key, id); len(got.Errors) > 0 {
				t.Error(got.text)
			}
			if after, err := s.rest(t, f.key, "GET", "/imports/"+id, nil); err != nil || after.text != before.text || after.Status == "RUNNING" {
				t.Errorf("cancelled after its end it is %s; it was %s", after.text, before.text)
			}
		}
		if code, _, errs := run(t, env, "check", "sums"); code != 0 {
			t.Errorf("the sums: %s", errs)
		}
	})
}
