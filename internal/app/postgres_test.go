package app_test

import (
	"encoding/json"
	"strings"
	"testing"

	"carbongraph/store/storetest"
)

func TestServeOnPostgres(t *testing.T) {
	env := map[string]string{"DATABASE_URL": storetest.EmptyPostgresURL(t), "DATA_DIR": "/nowhere"}
	if code, _, errs := run(t, env, "serve", "--listen-addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0"); code != 1 || !strings.Contains(errs, "migrate up") {
		t.Fatalf("before migrations: %d %s", code, errs)
	}
	if code, _, errs := run(t, env, "migrate", "up"); code != 0 {
		t.Fatal(errs)
	}
	_, out, errs := run(t, env, "org", "create", "--name", "Acme", "--json")
	var made struct{ Key string }
	if err := json.Unmarshal([]byte(out), &made); err != nil {
		t.Fatalf("%v: %s%s", err, out, errs)
	}
	env["REDIS_URL"] = "redis://127.0.0.1:1"
	s := start(t, env, "serve", "--listen-addr", free(t), "--admin-addr", free(t), "--log-format", "json")
	if got := s.ask(t, made.Key, "{viewer{role organization{name}}}"); !strings.Contains(got.text, "Acme") {
		t.Error(got.text)
	}
	if got := s.ready(t); !strings.Contains(got.text, "postgres") || !strings.Contains(got.text, `"redis":"unreachable"`) {
		t.Errorf("/readyz: %d %s; Redis down degrades, it does not unready", got.status, got.text)
	}
	if got := s.get(t, s.admin+"/metrics"); !strings.Contains(got.text, "carbongraph_store_pool_connections{") {
		t.Error("the pool is not measured")
	}
	t.Run("a schema that is taken back unreadies the server", func(t *testing.T) {
		if code, _, errs := run(t, env, "migrate", "down"); code != 0 {
			t.Fatal(errs)
		}
		if got := s.get(t, s.base+"/readyz"); got.status != 503 || !strings.Contains(got.text, "migration") {
			t.Errorf("/readyz: %d %s", got.status, got.text)
		}
		if got := s.ask(t, made.Key, "{suppliers{totalCount}}"); strings.Contains(got.text, "relation") || got.code() == "" {
			t.Errorf("an answer that tells of the inside: %s", got.text)
		}
	})
	if code := s.stop(); code != 0 {
		t.Errorf("stopped with %d: %s", code, s.log)
	}
}
