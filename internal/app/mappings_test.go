package app_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"carbongraph/internal/factors"
)

func TestMappingsAreProposed(t *testing.T) {
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "payments.csv")
	text := "externalId,description,accountCode,occurredOn,amount,currency,country\n" +
		"1,Office cleaning,4203,2025-01-01,10.5,GBP,GB\n2,office  CLEANING,4203,2025-01-02,1,GBP,GB\n3,\"Rates \"\"A\"\" <b>: #1\",,2025-01-03,5,GBP,GB\n" +
		"4,Zzyzx,9,2025-01-03,5,GBP,GB\n5,Taxi *,9,2025-01-03,5,GBP,GB\n6,Taxi,9,2025-13-03,5,GBP,GB\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := run(t, nil, "migrate", "up", "--data-dir", dir); code != 0 {
		t.Fatal(errs)
	}
	if code, out, errs := run(t, nil, "mappings", "propose", file, "--data-dir", dir); code != 1 || out != "" || !strings.Contains(errs, "factors builtin") {
		t.Errorf("without factors: %d %s%s", code, out, errs)
	}
	if code, _, errs := run(t, nil, "factors", "builtin", "--data-dir", dir); code != 0 {
		t.Fatal(errs)
	}
	if code, _, errs := run(t, nil, "mappings", "propose", file, "--confidence", "2", "--data-dir", dir); code != 2 || !strings.Contains(errs, "--confidence") {
		t.Errorf("a confidence that is none: %d %s", code, errs)
	}
	code, out, errs := run(t, nil, "mappings", "propose", file, "--data-dir", dir)
	if code != 0 || !strings.Contains(errs, "1 accounts mapped, 1 excluded, 2 left out") || !strings.Contains(errs, "1 rows of") {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	for _, want := range []string{"# 2 lines, 11.50 GBP · confidence 0.91 · 'office cleaning' in the text means", `{ accountCode: "4203", description: "Office cleaning", country: "GB" }`,
		`code: "561720"`, "category: 1", `description: "Rates \"A\" <b>: #1"`, `# 1 lines, 5.00 GBP: "Zzyzx", account code "9". No word`, "cannot tell its star"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
	if _, err := factors.ReadMapping(strings.NewReader(out)); err != nil {
		t.Errorf("what is proposed is no mapping file: %v\n%s", err, out)
	}
	proposed := filepath.Join(dir, "mapping.yml")
	if err := os.WriteFile(proposed, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := run(t, nil, "org", "create", "--name", "Acme", "--currency", "GBP", "--data-dir", dir); code != 0 {
		t.Fatal(errs)
	}
	if code, out, errs := run(t, nil, "import", file, "--org", "Acme", "--mapping", proposed, "--dry-run", "--data-dir", dir); code != 3 || !strings.Contains(out, "2 calculated · 1 excluded") {
		t.Errorf("imported with it: %d %s%s", code, out, errs)
	}
}

// A ledger is mapped by every source that the settings name, which is asked once for each account, however many lines it has, and not for what is no purchase.
func TestMappingsAreProposedByEverySource(t *testing.T) {
	t.Parallel()
	var asked, broken atomic.Int64
	model := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), "council tax") {
			t.Errorf("asked for what is no purchase: %s", body)
		}
		if broken.Load() > 0 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"{\"candidate\":2,\"confidence\":97,\"reason\":\"A guess.\"}"}}],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}`)
	}))
	t.Cleanup(model.Close)
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "payments.csv")
	var text strings.Builder
	text.WriteString("externalId,description,accountCode,occurredOn,amount,currency,country\n")
	for i := range 300 {
		what := []string{"Office cleaning", "Council tax", "paper goods for the canteen"}[i%3]
		fmt.Fprintf(&text, "%d,%s,%d,2025-01-01,10,GBP,GB\n", i, what, i%3)
	}
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"migrate", "up"}, {"factors", "builtin"}} {
		if code, _, errs := run(t, nil, append(args, "--data-dir", dir)...); code != 0 {
			t.Fatal(errs)
		}
	}
	propose := []string{"mappings", "propose", file, "--data-dir", dir, "--ask"}
	if code, _, errs := run(t, nil, propose...); code != 2 || !strings.Contains(errs, "nobody to --ask") {
		t.Errorf("without settings: %d %s", code, errs)
	}
	env := map[string]string{"LLM_BASE_URL": model.URL + "/v1", "LLM_MODEL": "small"}
	code, out, errs := run(t, env, propose...)
	if code != 0 || asked.Load() != 2 {
		t.Fatalf("exit %d, %d questions; want one for each of two accounts: %s", code, asked.Load(), errs)
	}
	for _, want := range []string{"by the sources of factors that the settings name", "# 100 lines, 1000.00 GBP · confidence 0.97 · by the language model · A guess.", "exclude:"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
	if _, err := factors.ReadMapping(strings.NewReader(out)); err != nil {
		t.Errorf("what is proposed is no mapping file: %v\n%s", err, out)
	}
	// A confidence that exclusions do not reach does not make purchases of them.
	if out := printed(t, env, append(propose, "--confidence", "0.96")...); !strings.Contains(out, "It may not be a purchase") {
		t.Errorf("by a high confidence:\n%s", out)
	}
	broken.Store(1)
	words := printed(t, nil, propose[:len(propose)-1]...)
	if code, out, errs := run(t, env, propose...); code != 0 || !strings.Contains(errs, "2 accounts could not be asked of every source") || rulesOf(out) != rulesOf(words) {
		t.Errorf("a model that refuses: %d %s\n%s\nwant what words propose\n%s", code, errs, out, words)
	}
}

// rulesOf leaves out the head of a mapping file.
func rulesOf(text string) string {
	_, rules, _ := strings.Cut(text, "rules:")
	return rules
}

func printed(t *testing.T, env map[string]string, args ...string) string {
	t.Helper()
	code, out, errs := run(t, env, args...)
	if code != 0 {
		t.Fatal(errs)
	}
	return out
}
