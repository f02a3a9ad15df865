package app_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Every command that ends prints its result as JSON when asked, alone on standard output, with the keys that scripts rely on.
func TestEveryResultComesAsJSON(t *testing.T) {
	dir, _ := ledger(t, "Acme")
	folder := t.TempDir()
	own := write(t, folder, "own.csv", []byte(factorsFile))
	good := write(t, folder, "good.csv", []byte(strings.Join(strings.SplitAfter(activitiesFile, "\n")[:3], "")))
	some := write(t, folder, "some.csv", []byte(activitiesFile))
	key := ""
	for _, step := range []struct {
		args []string
		code int
		keys string
	}{
		{[]string{"migrate", "up"}, 0, "applied"},
		{[]string{"migrate", "status"}, 0, "applied name"},
		{[]string{"org", "create", "--name", "Bolt"}, 0, "id key name"},
		{[]string{"org", "update", "--org", "Bolt", "--gwp", "AR5"}, 0, "gwpSet id moneyOrder name strictValidity"},
		{[]string{"key", "create", "--org", "Bolt", "--role", "VIEWER"}, 0, "key organization role"},
		{[]string{"key", "list", "--org", "Bolt"}, 0, "createdAt expiresAt id lastUsedAt name role"},
		{[]string{"key", "revoke", "--org", "Bolt", "KEY"}, 0, "revoked"},
		{[]string{"factors", "import", "--dataset", "csv", own}, 0, "created factors gwpSet name source version"},
		{[]string{"factors", "list"}, 0, "attribution created factors gwpSet licence name source version"},
		{[]string{"import", good, "--org", "Acme"}, 0, "batchId calculated created excluded failed rows seconds unchanged updated"},
		{[]string{"import", some, "--org", "Acme"}, 3, "batchId calculated created excluded failed rows seconds unchanged updated"},
		{[]string{"import", good, "--org", "Acme", "--dry-run"}, 0, "batchId calculated created excluded failed rows seconds unchanged updated"},
		{[]string{"seed", "--org", "Bolt", "--suppliers", "3", "--activities", "20"}, 0, "batchId calculated created excluded failed rows seconds unchanged updated"},
		{[]string{"factors", "builtin"}, 0, "installed"},
		{[]string{"serve", "--print-config"}, 0, "name origin value"},
		{[]string{"migrate", "down"}, 0, "reverted"},
	} {
		t.Run(strings.Join(step.args[:2], " ")+" "+filepath.Base(step.args[len(step.args)-1]), func(t *testing.T) {
			args := slices.Clone(step.args)
			if at := slices.Index(args, "KEY"); at >= 0 {
				args[at] = key
			}
			code, out, errs := run(t, nil, append(args, "--json", "--data-dir", dir)...)
			if code != step.code {
				t.Fatalf("exit %d, want %d: %s", code, step.code, errs)
			}
			if strings.Count(out, "\n") != 1 {
				t.Fatalf("standard output: %q", out)
			}
			row := map[string]any{}
			if err := json.Unmarshal([]byte(out), &row); err != nil {
				var rows []map[string]any
				if err := json.Unmarshal([]byte(out), &rows); err != nil || len(rows) == 0 {
					t.Fatalf("%v: %s", err, out)
				}
				row = rows[0]
			}
			if got := strings.Join(slices.Sorted(maps.Keys(row)), " "); got != step.keys {
				t.Errorf("keys %q, want %q", got, step.keys)
			}
			if id, ok := row["id"].(string); ok {
				key = id
			}
		})
	}
}

// What fails prints nothing on standard output and one line on standard error, also where JSON was asked for.
func TestWhatFailsPrintsNoResult(t *testing.T) {
	env := map[string]string{"DATABASE_URL": "postgres://me:hunter2@127.0.0.1:1/x"}
	file := write(t, t.TempDir(), "own.csv", []byte(factorsFile))
	for _, args := range [][]string{
		{"serve", "--listen-addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0"}, {"migrate", "up"}, {"migrate", "down"}, {"migrate", "status"}, {"org", "create", "--name", "x"}, {"org", "update", "--org", "x", "--gwp", "AR5"},
		{"key", "create", "--org", "x", "--role", "ADMIN"}, {"key", "list", "--org", "x"}, {"factors", "import", "--dataset", "csv", file}, {"factors", "list"}, {"factors", "builtin"},
		{"import", file, "--org", "x"}, {"seed", "--org", "x"},
	} {
		for _, how := range [][]string{nil, {"--json"}} {
			t.Run(strings.Join(args[:2], " ")+strings.Join(how, " "), func(t *testing.T) {
				code, out, errs := run(t, env, append(slices.Clone(args), how...)...)
				if code != 1 || out != "" || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, "cannot be reached") || !strings.Contains(errs, "DATABASE_URL") || strings.Contains(errs, "hunter2") {
					t.Errorf("exit %d, printed %q, told %q", code, out, errs)
				}
			})
		}
	}
	if _, err := os.Stat(strings.TrimSuffix(file, ".csv") + ".failed.csv"); err == nil {
		t.Error("a file of failed rows, though nothing was read")
	}
}
