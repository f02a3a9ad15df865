package app_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"carbongraph/store/storetest"
)

// A language model and a factor source that the settings name are asked, and what they say is told as theirs; what is wrong with them keeps nobody from an answer.
func TestFactorSuggestionsAskEverySource(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	answers := make(chan string, 1)
	answer := `{"choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"{\"candidate\":2,\"confidence\":97,\"reason\":\"A guess.\"}"}}],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}`
	model := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		body, _ := io.ReadAll(r.Body)
		if r.Header.Get("Authorization") != "Bearer sesame" || !strings.Contains(string(body), "paper goods for the canteen") {
			t.Errorf("the model is asked %s %s", r.Header, body)
		}
		w.Header().Set("Content-Type", "application/json")
		select {
		case text := <-answers:
			io.WriteString(w, text)
		default:
			io.WriteString(w, answer)
		}
	}))
	t.Cleanup(model.Close)
	dir, keys := ledger(t, "Acme")
	if code, _, errs := run(t, nil, "factors", "builtin", "--data-dir", dir); code != 0 {
		t.Fatal(errs)
	}
	type suggestion struct {
		Factor     struct{ Code string }
		DecidedBy  string
		Confidence string
	}
	suggest := func(s *served, text string) (got []suggestion) {
		t.Helper()
		r := s.ask(t, keys[0], `{ factorSuggestions(description: "`+text+`", unit: "USD") { factor { code } decidedBy confidence reason } }`)
		var data struct{ FactorSuggestions []suggestion }
		if err := json.Unmarshal(r.Data, &data); err != nil || len(r.Errors) > 0 {
			t.Fatalf("%s: %v %s", text, err, r.text)
		}
		return data.FactorSuggestions
	}
	// The first question waits for two indexes of all factors, which the race detector makes slowly.
	s := serve(t, dir, map[string]string{"LIMIT_TIME": "2m", "LLM_BASE_URL": model.URL + "/v1", "LLM_MODEL": "small", "LLM_API_KEY": "sesame"})
	first := suggest(s, "paper goods for the canteen")
	if asked.Load() != 1 || len(first) == 0 || first[0].DecidedBy != "LANGUAGE_MODEL" || first[0].Confidence != "0.97" {
		t.Fatalf("%d requests, %+v", asked.Load(), first)
	}
	if again := suggest(s, "paper goods for the canteen"); asked.Load() != 1 || again[0] != first[0] {
		t.Errorf("asked again: %d requests, %+v", asked.Load(), again)
	}
	answers <- `{"choices":`
	if words := suggest(s, "paper goods for the canteen, again"); len(words) == 0 || words[0].DecidedBy != "TEXT_MATCH" {
		t.Errorf("a model that answers nonsense leaves %+v", words)
	}
	if none := suggest(s, "council tax"); len(none) != 0 {
		t.Errorf("what is no purchase gets %+v", none)
	}
	if strings.Contains(s.log.String(), "sesame") {
		t.Error("the key stands in the log")
	}
}

// Two servers over one database and one Redis pay for one answer.
func TestServersShareWhatAModelAnswered(t *testing.T) {
	t.Parallel()
	redis := os.Getenv("TEST_REDIS_URL")
	if redis == "" {
		t.Skip("TEST_REDIS_URL is not set: give the address of a Redis server, or run the tests by `make test`")
	}
	var asked atomic.Int64
	model := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"{\"candidate\":2,\"confidence\":97,\"reason\":\"A guess.\"}"}}],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}`)
	}))
	t.Cleanup(model.Close)
	env := map[string]string{"DATABASE_URL": storetest.PostgresURL(t), "DATA_DIR": "/nowhere", "REDIS_URL": redis, "LIMIT_TIME": "2m", "LLM_BASE_URL": model.URL + "/v1", "LLM_MODEL": "small"}
	key := newFiled(t, env).key
	if code, _, errs := run(t, env, "factors", "builtin"); code != 0 {
		t.Fatal(errs)
	}
	var answers [2]string
	for i := range answers {
		s := start(t, env, "serve", "--listen-addr", free(t), "--admin-addr", free(t), "--log-format", "json")
		// With a name of its own: otherwise the whole answer is kept.
		r := s.ask(t, key, `query of`+string(rune('A'+i))+` { factorSuggestions(description: "paper goods for the canteen", unit: "USD") { factor { code } decidedBy confidence reason } }`)
		if len(r.Errors) > 0 || !strings.Contains(r.text, "LANGUAGE_MODEL") {
			t.Fatalf("server %d: %s", i, r.text)
		}
		answers[i] = string(r.Data)
		if code := s.stop(); code != 0 { // with what waited for Redis written
			t.Fatalf("server %d ends with %d", i, code)
		}
	}
	if asked.Load() != 1 || answers[0] != answers[1] {
		t.Errorf("%d requests; %s, then %s", asked.Load(), answers[0], answers[1])
	}
}

// Where a source says nothing until the operation's time is over, so does the answer: it does not pass off what the words alone know as all there is.
func TestFactorSuggestionsRunOutOfTime(t *testing.T) {
	t.Parallel()
	model := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // only then does the server see that nobody waits any more
		<-r.Context().Done()
	}))
	t.Cleanup(model.Close)
	dir, keys := ledger(t, "Acme")
	if code, _, errs := run(t, nil, "factors", "builtin", "--data-dir", dir); code != 0 {
		t.Fatal(errs)
	}
	s := serve(t, dir, map[string]string{"LIMIT_TIME": "2s", "LLM_BASE_URL": model.URL + "/v1", "LLM_MODEL": "small", "LLM_API_KEY": "sesame"})
	r := s.ask(t, keys[0], `{ factorSuggestions(description: "paper goods for the canteen", unit: "USD") { reason } }`)
	if r.status != http.StatusGatewayTimeout || r.code() != "TIMEOUT" || len(r.Data) > 0 {
		t.Errorf("%d %s", r.status, r.text)
	}
}
