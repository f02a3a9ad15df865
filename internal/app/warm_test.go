package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"carbongraph/store/storetest"
)

// supplier writes one, so that answers about suppliers are made anew.
func (s *served) supplier(t *testing.T, key, name string) {
	t.Helper()
	if got := s.ask(t, key, fmt.Sprintf(`mutation{upsertSuppliers(input:{suppliers:[{externalId:%q,name:%q}]}){created}}`, name, name)); len(got.Errors) > 0 {
		t.Fatal(got.text)
	}
}

// onItsOwn is a database that is no copy of another: copies have one secret, and so one memory in Redis of what is asked most.
func onItsOwn(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{"DATABASE_URL": storetest.EmptyPostgresURL(t), "DATA_DIR": "/nowhere"}
}

// warmings counts operations that were run before anybody asked.
func (s *served) warmings(t *testing.T, why, result string) (n int) {
	t.Helper()
	for line := range strings.SplitSeq(s.get(t, s.admin+"/metrics").text, "\n") {
		if value, ok := strings.CutPrefix(line, fmt.Sprintf(`carbongraph_warming_operations_total{result=%q,why=%q} `, result, why)); ok {
			fmt.Sscan(value, &n)
		}
	}
	return n
}

// After a write what is popular is there again without anybody asking, on every server; what is not has to be asked for. With Redis, and in the process alone.
func TestWarmingAfterAWrite(t *testing.T) {
	for name, redis := range map[string]string{"with Redis": redisOf(t), "without": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := onItsOwn(t)
			if redis != "" {
				env["REDIS_URL"] = redis
			}
			f := newFiled(t, env)
			first, second := f.serve(t), f.serve(t)
			const once = `{suppliers{nodes{externalId}}}`
			for range 3 {
				first.ask(t, f.key, askSuppliers)
				second.ask(t, f.key, askSuppliers)
			}
			first.ask(t, f.key, once)
			first.supplier(t, f.key, "S1")
			time.Sleep(300 * time.Millisecond)
			if n := first.warmings(t, "change", "made"); n > 0 {
				t.Error("an answer is made while the ledger has not been left alone")
			}
			for i, s := range []*served{first, second} {
				eventually(t, fmt.Sprintf("server %d has warmed", i), func() bool { return s.warmings(t, "change", "made")+s.warmings(t, "change", "kept") > 0 })
				if kept, status := s.kept(t, f.key, askSuppliers); !kept {
					t.Errorf("server %d: what is popular: %s", i, status)
				}
				if got := s.ask(t, f.key, askSuppliers); !strings.Contains(got.text, "S1") {
					t.Errorf("server %d: an old answer: %s", i, got.text)
				}
			}
			first.expect(t, f.key, map[string]bool{once: false})
		})
	}
}

// A server that is started over the Redis of another has what is popular before it is ready.
func TestWarmingAtTheStart(t *testing.T) {
	t.Parallel()
	env := onItsOwn(t)
	env["REDIS_URL"] = redisOf(t)
	f := newFiled(t, env)
	first := f.serve(t)
	for range 3 {
		first.ask(t, f.key, askSuppliers)
	}
	const once = `{suppliers{nodes{externalId}}}`
	first.ask(t, f.key, once)
	if code := first.stop(); code != 0 {
		t.Fatalf("stopped with %d: %s", code, first.log)
	}
	if code, _, errs := run(t, env, "cache", "invalidate", "--org", "Acme"); code != 0 { // while no server runs
		t.Fatal(errs)
	}
	second := f.serve(t)
	second.ready(t)
	if n := second.warmings(t, "start", "made"); n != 1 {
		t.Errorf("%d answers were made; want 1", n)
	}
	if kept, status := second.kept(t, f.key, askSuppliers); !kept {
		t.Errorf("what is popular: %s", status)
	}
	second.expect(t, f.key, map[string]bool{once: false})
	o, err := redis.ParseURL(env["REDIS_URL"])
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(o)
	defer client.Close()
	keys, err := client.Keys(t.Context(), "carbongraph:asked:*").Result()
	if err != nil || len(keys) == 0 {
		t.Fatalf("keys %v, %v", keys, err)
	}
	for _, key := range keys {
		if life := client.TTL(t.Context(), key).Val(); life <= 0 || life > 24*time.Hour {
			t.Errorf("%s lives for %s", key, life)
		}
	}
}

// A Redis that does not answer, or holds what nobody can read, delays no start by more than it may, and is no reason not to warm by what the process knows.
func TestWarmingWithoutItsMemory(t *testing.T) {
	t.Parallel()
	env := onItsOwn(t)
	env["REDIS_URL"] = "redis://127.0.0.1:1"
	f := newFiled(t, env)
	s := f.serve(t)
	began := time.Now()
	s.ready(t)
	if took := time.Since(began); took > 6*time.Second {
		t.Errorf("ready after %s", took)
	}
	for range 3 {
		s.ask(t, f.key, askSuppliers)
	}
	s.supplier(t, f.key, "S1")
	eventually(t, "what is popular is made anew", func() bool { return s.warmings(t, "change", "made") > 0 })
	s.expect(t, f.key, map[string]bool{askSuppliers: true})
}

// While the answers of one organization take long to make, and there are many of them, those of another are made as soon as they are due.
func TestOneFloodStarvesNoOther(t *testing.T) {
	t.Parallel()
	env := onItsOwn(t)
	env["LIMIT_TIME"] = "1s"
	f := newFiled(t, env)
	other := f.organization(t, "Bolt")
	s := f.serve(t)
	for i := range 30 {
		for range 2 {
			s.ask(t, f.key, fmt.Sprintf(`{a%d:factorMappings{totalCount}}`, i))
		}
	}
	for range 2 {
		s.ask(t, other, askSuppliers)
	}
	lock, err := f.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Rollback()
	if _, err := lock.Exec("LOCK TABLE factor_mappings IN ACCESS EXCLUSIVE MODE"); err != nil { // all of the first organization's take a second
		t.Fatal(err)
	}
	if got := s.ask(t, f.key, `mutation{invalidateCache{invalidated}}`); len(got.Errors) > 0 {
		t.Fatal(got.text)
	}
	eventually(t, "one of them is being made", func() bool { return s.warmings(t, "change", "failed") > 0 })
	s.supplier(t, other, "S1")
	eventually(t, "the other's is made", func() bool { return s.warmings(t, "change", "made") > 0 })
	if n := s.warmings(t, "change", "failed"); n > 6 {
		t.Errorf("%d of the first organization's came before", n)
	}
	s.expect(t, other, map[string]bool{askSuppliers: true})
}

// What is being made is broken off when the server stops.
func TestWarmingStopsWithItsServer(t *testing.T) {
	t.Parallel()
	f := newFiled(t, onItsOwn(t))
	s := f.serve(t)
	for range 3 {
		s.ask(t, f.key, askSuppliers)
	}
	s.supplier(t, f.key, "S1")
	lock, err := f.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Rollback()
	if _, err := lock.Exec("LOCK TABLE suppliers IN ACCESS EXCLUSIVE MODE"); err != nil { // it waits for this
		t.Fatal(err)
	}
	eventually(t, "it is being made", func() bool {
		return f.number(t, "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())") > 0
	})
	began := time.Now()
	if code := s.stop(); code != 0 {
		t.Errorf("stopped with %d: %s", code, s.log)
	}
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("it took %s to stop", took)
	}
}

func TestCacheCommands(t *testing.T) {
	t.Parallel()
	env := onItsOwn(t)
	env["REDIS_URL"] = redisOf(t)
	f := newFiled(t, env)
	s := f.serve(t)
	admin := strings.TrimPrefix(s.admin, "http://")
	s.fill(t, f.key, askSuppliers, askActivities)
	s.fill(t, f.key, askSuppliers, askActivities)

	code, out, errs := run(t, env, "cache", "invalidate", "--org", "Acme", "--type", "supplier", "--type", "EMISSION_FACTOR", "--json")
	var dropped struct{ Invalidated []string }
	if err := json.Unmarshal([]byte(out), &dropped); code != 0 || err != nil || fmt.Sprint(dropped.Invalidated) != "[SUPPLIER EMISSION_FACTOR]" {
		t.Errorf("invalidate: %d %s %s", code, out, errs)
	}
	time.Sleep(900 * time.Millisecond)
	s.expect(t, f.key, map[string]bool{askSuppliers: false, askActivities: true})
	if code, out, _ := run(t, env, "cache", "invalidate", "--org", "Acme"); code != 0 || !strings.Contains(out, "CALCULATION_RUN are made anew") {
		t.Errorf("invalidate: %d %s", code, out)
	}

	var done struct{ Operations, Made, Kept, Failed, Left int }
	eventually(t, "the server has seen it", func() bool {
		code, out, errs = run(t, env, "cache", "warm", "--admin", admin, "--json")
		return code == 0 && json.Unmarshal([]byte(out), &done) == nil && done.Operations == 2
	})
	if done.Made+done.Kept != 2 {
		t.Errorf("warm: %d %s %s", code, out, errs)
	}
	time.Sleep(time.Second)
	run(t, env, "cache", "warm", "--admin", admin)
	s.expect(t, f.key, map[string]bool{askSuppliers: true, askActivities: true})
	if code, out, _ := run(t, env, "cache", "warm", "--admin", admin); code != 0 || out == "" || !strings.Contains(out, "2 were there") {
		t.Errorf("warm: %d %s", code, out)
	}

	code, out, errs = run(t, env, "cache", "stats", "--admin", admin, "--json")
	var stats struct {
		Responses bool
		Asked     int
		Layers    []struct {
			Layer, Strategy string
			Hits, Misses    uint64
			Entries, Bytes  int64
			HitRatio        *string
		}
		Redis struct {
			State            string
			Reading, Writing bool
		}
		Versions struct {
			Trusted       bool
			Organizations int
		}
	}
	if err := json.Unmarshal([]byte(out), &stats); code != 0 || err != nil || !stats.Responses || stats.Asked != 2 || stats.Redis.State != "reachable" || !stats.Redis.Reading || !stats.Redis.Writing || !stats.Versions.Trusted || stats.Versions.Organizations != 1 {
		t.Fatalf("stats: %d %v %s %s", code, err, out, errs)
	}
	for _, l := range stats.Layers {
		if l.Layer == "L1" && l.Strategy == "api_responses" && (l.Hits == 0 || l.Entries == 0 || l.Bytes == 0 || l.HitRatio == nil || !strings.HasPrefix(*l.HitRatio, "0.")) {
			t.Errorf("%+v", l)
		}
	}
	if code, out, _ := run(t, env, "cache", "stats", "--admin", admin); code != 0 || !strings.Contains(out, "L1\tapi_responses\t") || !strings.Contains(out, "REDIS\treachable\tread yes") {
		t.Errorf("stats: %d %s", code, out)
	}
}

func TestCacheCommandsThatFail(t *testing.T) {
	t.Parallel()
	env := map[string]string{"DATA_DIR": t.TempDir(), "RESPONSE_CACHE": "off"}
	f := newFiled(t, env)
	s := f.serve(t)
	admin, public := strings.TrimPrefix(s.admin, "http://"), strings.TrimPrefix(s.base, "http://")
	behind := map[string]string{"DATABASE_URL": storetest.EmptyPostgresURL(t), "DATA_DIR": "/nowhere"}
	for name, tc := range map[string]struct {
		args []string
		env  map[string]string
		code int
		says string
	}{
		"no server there":                 {[]string{"stats", "--admin", free(t)}, env, 1, "No server answers at 127.0.0.1"},
		"none to warm":                    {[]string{"warm", "--admin", free(t)}, env, 1, "carbongraph serve"},
		"an address that is none":         {[]string{"stats", "--admin", "nowhere"}, env, 2, "ADMIN_ADDR"},
		"the public address":              {[]string{"stats", "--admin", public}, env, 1, "--admin"},
		"answers are not kept":            {[]string{"warm", "--admin", admin}, env, 1, "RESPONSE_CACHE"},
		"a word too much":                 {[]string{"stats", "more"}, env, 2, "more"},
		"a type that is none":             {[]string{"invalidate", "--org", "Acme", "--type", "CATEGORY"}, env, 2, "EMISSION_FACTOR"},
		"without saying whose":            {[]string{"invalidate"}, env, 2, "--org"},
		"of nobody":                       {[]string{"invalidate", "--org", "Nobody"}, env, 1, "no organization"},
		"a database that is not migrated": {[]string{"invalidate", "--org", "Acme"}, behind, 1, "migrate up"},
	} {
		if code, out, errs := run(t, tc.env, append([]string{"cache"}, tc.args...)...); code != tc.code || out != "" || !strings.Contains(errs, tc.says) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%s: exit %d, %q, %q; want %d with %q", name, code, out, errs, tc.code, tc.says)
		}
	}
	if code, out, errs := run(t, env, "cache", "stats", "--admin", admin); code != 0 || !strings.Contains(out, "ANSWERS KEPT\tno") || !strings.Contains(out, "REDIS\toff") {
		t.Errorf("stats without caches: %d %s %s", code, out, errs)
	}
	r, err := http.NewRequest("POST", s.admin+"/caches/warm", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if got := s.do(t, r); got.status != http.StatusForbidden {
		t.Errorf("a page of another origin: %d %s", got.status, got.text)
	}
	if got := s.get(t, s.base+"/caches"); strings.Contains(got.text, "layers") {
		t.Error("the public listener tells of caches")
	}
}
