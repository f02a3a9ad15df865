package app_test

import (
	"database/sql"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"carbongraph/internal/config"
)

func TestWrongUseIsTold(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	taken, dir := busy.Addr().String(), t.TempDir()
	file := filepath.Join(dir, "a-file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	below := filepath.Join(file, "below")
	for name, tc := range map[string]struct {
		args []string
		env  map[string]string
		code int
		says string
	}{
		"no verb":                      {nil, nil, 2, "carbongraph demo"},
		"an unknown verb":              {[]string{"sevre"}, nil, 2, "--help"},
		"an unknown flag":              {[]string{"serve", "--prot", "1"}, nil, 2, "--prot"},
		"a missing flag":               {[]string{"org", "create"}, nil, 2, "--name"},
		"a role that is none":          {[]string{"key", "create", "--org", "x", "--role", "ROOT"}, nil, 2, "VIEWER"},
		"a bad setting":                {[]string{"serve"}, map[string]string{"LOG_LEVEL": "loud"}, 2, "LOG_LEVEL"},
		"a bad currency":               {[]string{"org", "create", "--name", "x", "--currency", "euro", "--data-dir", dir}, nil, 2, "--currency"},
		"no organization":              {[]string{"key", "list", "--org", "nobody", "--data-dir", dir}, nil, 1, "org create"},
		"an id that is none":           {[]string{"key", "revoke", "--org", "x", "abc", "--data-dir", dir}, nil, 2, "UUID"},
		"a demo key of another form":   {[]string{"demo", "--key", "hunter2"}, nil, 2, "--key"},
		"a port in use":                {[]string{"serve", "--listen-addr", taken, "--data-dir", dir}, nil, 1, "in use"},
		"an admin port in use":         {[]string{"serve", "--listen-addr", "127.0.0.1:0", "--admin-addr", taken, "--data-dir", dir}, nil, 1, "ADMIN_ADDR"},
		"a demo's port in use":         {[]string{"demo", "--listen", taken, "--data", dir}, nil, 1, "--listen"},
		"a folder that cannot be made": {[]string{"serve", "--listen-addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--data-dir", below}, nil, 1, "data folder"},
		"a demo in such a folder":      {[]string{"demo", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", below}, nil, 1, "data folder"},
		"a database that is not there": {[]string{"serve", "--listen-addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0"}, map[string]string{"DATABASE_URL": "postgres://me:hunter2@127.0.0.1:1/x"}, 1, "cannot be reached"},
		"a file that is not there":     {[]string{"import", "nowhere.csv", "--org", "x", "--data-dir", dir}, nil, 1, "cannot be read"},
		"a dataset of no kind":         {[]string{"factors", "import", "--dataset", "abc", file}, nil, 2, "epa-supply-chain"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errs := run(t, tc.env, tc.args...)
			if code != tc.code || !strings.Contains(errs, tc.says) || out != "" {
				t.Errorf("exit %d, %q on standard output, told %q; want %d with %q", code, out, errs, tc.code, tc.says)
			}
			if name != "no verb" && strings.Count(errs, "\n") != 1 {
				t.Errorf("%d lines: %s", strings.Count(errs, "\n"), errs)
			}
			if strings.Contains(errs, "hunter2") {
				t.Errorf("a secret is told: %s", errs)
			}
		})
	}
}

func TestHelpIsNoError(t *testing.T) {
	code, out, errs := run(t, nil, "--help")
	if code != 0 || errs != "" || !strings.Contains(out, "demo") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
}

func TestPrintConfig(t *testing.T) {
	code, out, _ := run(t, map[string]string{"DATABASE_URL": "postgres://me:hunter2@db/x", "LISTEN_ADDR": "1.2.3.4:5"}, "serve", "--print-config", "--listen-addr", "127.0.0.1:1", "--json")
	var rows []struct{ Name, Value, Origin string }
	if err := json.Unmarshal([]byte(out), &rows); code != 0 || err != nil || len(rows) != len(config.Names()) || strings.Contains(out, "hunter2") {
		t.Fatalf("exit %d, %v: %s", code, err, out)
	}
	for _, r := range rows {
		if r.Name == "LISTEN_ADDR" && (r.Value != "127.0.0.1:1" || r.Origin != "flag") || r.Name == "DATABASE_URL" && r.Origin != "environment" {
			t.Errorf("%+v", r)
		}
	}
}

func TestMigrateGoesUpAndDown(t *testing.T) {
	dir := t.TempDir()
	if code, out, errs := run(t, nil, "migrate", "status", "--data-dir", dir); code != 1 || !strings.Contains(out, "missing") || !strings.Contains(errs, "migrate up") {
		t.Errorf("status of an empty database: %d %s %s", code, out, errs)
	}
	for range 2 {
		if code, _, errs := run(t, nil, "migrate", "up", "--data-dir", dir); code != 0 {
			t.Fatal(errs)
		}
	}
	if code, out, errs := run(t, nil, "migrate", "status", "--data-dir", dir); code != 0 || strings.Contains(out, "missing") {
		t.Errorf("status after up: %d %s %s", code, out, errs)
	}
	if code, _, errs := run(t, nil, "migrate", "down", "--data-dir", dir); code != 0 {
		t.Fatal(errs)
	}
	if code, _, _ := run(t, nil, "migrate", "status", "--data-dir", dir); code != 1 {
		t.Error("status after down is well")
	}
}

func TestKeysOnTheCommandLine(t *testing.T) {
	dir, _ := ledger(t, "Acme")
	code, secret, errs := run(t, nil, "key", "create", "--org", "Acme", "--role", "VIEWER", "--data-dir", dir)
	if code != 0 || !regexp.MustCompile(`^cg_\S+\n$`).MatchString(secret) {
		t.Fatalf("key create: %d %q %s", code, secret, errs)
	}
	_, out, _ := run(t, nil, "key", "list", "--org", "Acme", "--data-dir", dir, "--json")
	var keys []struct{ ID, Role string }
	if err := json.Unmarshal([]byte(out), &keys); err != nil || len(keys) != 2 || strings.Contains(out, strings.TrimSpace(secret)) {
		t.Fatalf("key list: %v %s", err, out)
	}
	for _, k := range keys {
		if code, _, errs := run(t, nil, "key", "revoke", "--org", "Acme", k.ID, "--data-dir", dir); code != 0 {
			t.Errorf("key revoke: %s", errs)
		}
		if code, _, _ := run(t, nil, "key", "revoke", "--org", "Acme", k.ID, "--data-dir", dir); code != 1 {
			t.Error("a key was revoked twice")
		}
	}
	if code, _, errs := run(t, nil, "org", "create", "--name", "Acme", "--data-dir", dir); code != 1 || !strings.Contains(errs, "already") {
		t.Errorf("the same name twice: %d %s", code, errs)
	}
}

func TestCheckSums(t *testing.T) {
	dir, _ := ledger(t, "Acme", "Zenith")
	for org, activities := range map[string]string{"Acme": "60", "Zenith": "20"} {
		if code, _, errs := run(t, nil, "seed", "--org", org, "--suppliers", "5", "--activities", activities, "--data-dir", dir); code > 3 || code == 1 {
			t.Fatalf("seed: %d %s", code, errs)
		}
	}
	if code, out, errs := run(t, nil, "check", "sums", "--data-dir", dir); code != 0 || strings.Count(out, "\n") != 1 || errs != "" {
		t.Fatalf("sums of a fresh ledger: %d %s %s", code, out, errs)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "carbongraph.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("UPDATE emission_sums SET co2e_mg = co2e_mg + 1 WHERE grain = 1 AND category_number = 4 AND org_id = (SELECT id FROM organizations WHERE name = 'Acme')"); err != nil {
		t.Fatal(err)
	}
	code, out, errs := run(t, nil, "check", "sums", "--data-dir", dir)
	wrong := strings.Count(out, "\n") - 1
	if code != 1 || wrong < 1 || strings.Count(out, "Acme\t20") != wrong || !strings.Contains(out, "category 4") || !strings.Contains(errs, "--repair") {
		t.Errorf("a wrong sum: %d %s %s", code, out, errs)
	}
	if code, out, _ := run(t, nil, "check", "sums", "--org", "Zenith", "--data-dir", dir, "--json"); code != 0 || out != "[]\n" {
		t.Errorf("of the other organization: %d %s", code, out)
	}
	if code, _, errs := run(t, nil, "check", "sums", "--org", "nobody", "--data-dir", dir); code != 1 || !strings.Contains(errs, "nobody") {
		t.Errorf("of nobody: %d %s", code, errs)
	}
	if code, again, errs := run(t, nil, "check", "sums", "--repair", "--data-dir", dir); code != 0 || again != out {
		t.Errorf("repair: %d %s %s; want what the check told", code, again, errs)
	}
	if code, out, errs := run(t, nil, "check", "sums", "--data-dir", dir); code != 0 || strings.Count(out, "\n") != 1 {
		t.Errorf("after the repair: %d %s %s", code, out, errs)
	}
}

// An organization's methods are changed for what is calculated from then on: what is there keeps its figures, and no other organization notices.
func TestOrgUpdate(t *testing.T) {
	t.Parallel()
	dir, keys := ledger(t, "Acme", "Bolt")
	update := func(args ...string) (int, string, string) {
		t.Helper()
		return run(t, nil, append([]string{"org", "update", "--data-dir", dir}, args...)...)
	}
	for name, tc := range map[string]struct {
		args []string
		code int
		says string
	}{
		"nothing":            {[]string{"--org", "Acme"}, 2, "Nothing is to be changed"},
		"an unknown set":     {[]string{"--org", "Acme", "--gwp", "AR9"}, 2, "AR4"},
		"an unknown order":   {[]string{"--org", "Acme", "--money-order", "both"}, 2, "deflate-first"},
		"of nobody":          {[]string{"--org", "Nobody", "--gwp", "AR5"}, 1, "no organization"},
		"without saying who": {[]string{"--gwp", "AR5"}, 2, "--org"},
	} {
		if code, out, errs := update(tc.args...); code != tc.code || out != "" || !strings.Contains(errs, tc.says) {
			t.Errorf("%s: exit %d, %q, %q", name, code, out, errs)
		}
	}
	for _, step := range []struct{ args, says string }{
		{"--gwp AR5", "AR5, deflate-first, strict validity false"},
		{"--money-order convert-first --strict-validity", "AR5, convert-first, strict validity true"},
		{"--no-strict-validity", "AR5, convert-first, strict validity false"},
	} {
		if code, out, errs := update(append([]string{"--org", "Acme"}, strings.Fields(step.args)...)...); code != 0 || !strings.Contains(out, step.says) {
			t.Errorf("%s: exit %d, %q, %q; want %s", step.args, code, out, errs, step.says)
		}
	}
	s := serve(t, dir, nil)
	for i, want := range []string{"AR5", "AR6"} {
		if got := s.ask(t, keys[i], `{ viewer { organization { gwpSet } } }`); !strings.Contains(got.text, want) {
			t.Errorf("organization %d goes by %s; want %s", i, got.text, want)
		}
	}
}
