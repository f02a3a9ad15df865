package app_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"carbongraph/store/storetest"
)

// standby makes a server that follows this one, not yet started.
func (p *ownPostgres) standby(t *testing.T) *ownPostgres {
	t.Helper()
	root, err := os.MkdirTemp(filepath.Dir(filepath.Dir(p.data)), "carbongraph-postgres-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(root) })
	s := &ownPostgres{bin: p.bin, data: filepath.Join(root, "data"), port: storetest.FreePort(t), as: p.as}
	if err := os.Mkdir(s.data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	if s.as != nil {
		if err := os.Chown(s.data, int(s.as.Credential.Uid), int(s.as.Credential.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	backup := exec.Command(filepath.Join(p.bin, "pg_basebackup"), "--no-sync", "-R", "-X", "stream", "-c", "fast", "-h", "127.0.0.1", "-p", strconv.Itoa(p.port), "-U", "postgres", "-D", s.data)
	backup.SysProcAttr, backup.Dir = s.as, root
	if out, err := backup.CombinedOutput(); err != nil {
		t.Fatalf("pg_basebackup: %v: %s", err, out)
	}
	t.Cleanup(func() { s.kill(t) })
	return s
}

// do runs a statement on the server.
func (p *ownPostgres) do(t *testing.T, text string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), p.url())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.Exec(t.Context(), text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// replicated is a primary, a standby that follows it, and servers over both.
type replicated struct {
	primary, standby *ownPostgres
	es               *engines
	servers          []*served
}

func newReplicated(t *testing.T, servers int) *replicated {
	t.Helper()
	r := &replicated{primary: newOwnPostgres(t), es: &engines{}}
	r.primary.start(t)
	env := map[string]string{"DATABASE_URL": r.primary.url(), "DATA_DIR": "/nowhere"}
	r.es.fill(t, env)
	r.standby = r.primary.standby(t)
	r.standby.start(t)
	env = maps.Clone(env)
	env["DATABASE_REPLICA_URLS"], env["RATE_LIMIT"] = r.standby.url(), "0"
	for range servers {
		s := start(t, env, "serve", "--listen-addr", free(t), "--admin-addr", free(t), "--log-format", "json")
		s.ready(t)
		r.servers = append(r.servers, s)
	}
	return r
}

// reads tells how many operations could read from the replica, with a result.
func (r *replicated) reads(t *testing.T, s *served, result string) float64 {
	t.Helper()
	n, _ := metricIfAny(t, s.admin, `carbongraph_store_replica_reads_total{replica="127.0.0.1:`+strconv.Itoa(r.standby.port)+`",result="`+result+`"}`)
	return n
}

// askedWith asks, with the token of a write or without, and gives the answer with the token that it brought.
func askedWith(t *testing.T, s *served, key, document, token string) (*reply, string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, s.base+"/graphql", bytes.NewReader(fmt.Appendf(nil, `{"query": %q}`, document)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+key)
	if token != "" {
		r.Header.Set("Carbongraph-Version", token)
	}
	got := s.do(t, r)
	if len(got.Errors) > 0 || got.status != http.StatusOK {
		t.Fatalf("%s: %d %s", document, got.status, got.text)
	}
	return got, got.header.Get("Carbongraph-Version")
}

// A replica is read while it shows what is to be seen. One that is behind, or away, is not, and nobody notices.
func TestReplicasAreReadWhileTheyShowWhatIsToBeSeen(t *testing.T) {
	t.Parallel()
	r := newReplicated(t, 1)
	s, key := r.servers[0], r.es.keys[0]
	n := 0
	name := func(token string) string {
		n++ // another operation each time, so that none is answered from what is kept
		got, _ := askedWith(t, s, key, fmt.Sprintf(`query q%d { supplier(externalId: "replicated") { name } }`, n), token)
		return string(got.Data)
	}
	rename := func(to string) string {
		_, token := askedWith(t, s, key, `mutation { upsertSuppliers(input: {suppliers: [{externalId: "replicated", name: "`+to+`"}]}) { created updated } }`, "")
		if token == "" {
			t.Fatal("a write answers without a token")
		}
		return token
	}
	want := func(to string) string { return `{"supplier":{"name":"` + to + `"}}` }
	served := func() bool {
		before := r.reads(t, s, "served")
		name("")
		return r.reads(t, s, "served") > before
	}
	token := rename("one")
	if got := name(token); got != want("one") {
		t.Errorf("after the write: %s", got)
	}
	eventually(t, "the replica is read", served)

	r.standby.do(t, "SELECT pg_wal_replay_pause()")
	token = rename("two")
	for _, with := range []string{"", token} {
		if got := name(with); got != want("two") {
			t.Errorf("over a replica that stands still, with token %q: %s", with, got)
		}
	}
	before := r.reads(t, s, "served")
	time.Sleep(50 * time.Millisecond)
	name("")
	if r.reads(t, s, "behind") == 0 || r.reads(t, s, "served") != before {
		t.Errorf("%v reads were served by a replica that stands still, %v found it behind", r.reads(t, s, "served")-before, r.reads(t, s, "behind"))
	}
	r.standby.do(t, "SELECT pg_wal_replay_resume()")
	eventually(t, "the replica is read again", served)
	if got := name(""); got != want("two") {
		t.Errorf("by a replica that has caught up: %s", got)
	}

	r.standby.kill(t)
	for range 5 {
		if got := name(""); got != want("two") {
			t.Errorf("without the replica: %s", got)
		}
	}
	eventually(t, "the replica is missed", func() bool { name(""); return r.reads(t, s, "unreachable") > 0 })
	r.standby.start(t)
	eventually(t, "the replica is read once more", served)
	if code := s.stop(); code != 0 {
		t.Errorf("the server ends with %d", code)
	}
}

// While a replica stops and goes on at random, no read is older than the write that its reader knows of: by the server that wrote at once, by another one with the token of
// the write, and by another one without it after a second.
func TestReadsFromReplicasAreNeverOlderThanPromised(t *testing.T) {
	t.Parallel()
	r := newReplicated(t, 2)
	writer, other, key := r.servers[0], r.servers[1], r.es.keys[0]
	ctx, stop := context.WithCancel(t.Context())
	var pausing sync.WaitGroup
	pausing.Go(func() {
		random := rand.New(rand.NewPCG(1, 1))
		for ctx.Err() == nil {
			r.standby.do(t, "SELECT pg_wal_replay_pause()")
			time.Sleep(time.Duration(random.IntN(60)) * time.Millisecond)
			r.standby.do(t, "SELECT pg_wal_replay_resume()")
			time.Sleep(time.Duration(random.IntN(60)) * time.Millisecond)
		}
	})
	writes := 150
	if raced {
		writes = 40
	}
	read := func(s *served, form, token string, n int) {
		got, _ := askedWith(t, s, key, `query `+form+strconv.Itoa(n)+` { supplier(externalId: "replicated") { name } }`, token)
		if want := `{"supplier":{"name":"n` + strconv.Itoa(n) + `"}}`; string(got.Data) != want {
			t.Errorf("%s, write %d: %s", form, n, got.Data)
		}
	}
	for n := range writes {
		_, token := askedWith(t, writer, key, fmt.Sprintf(`mutation { upsertSuppliers(input: {suppliers: [{externalId: "replicated", name: "n%d"}]}) { created } }`, n), "")
		read(writer, "own", "", n)
		read(other, "told", token, n)
		if n%20 == 19 {
			time.Sleep(time.Second)
			read(other, "later", "", n)
			for again := range 10 {
				read(writer, fmt.Sprintf("again%dof", again), "", n)
				time.Sleep(10 * time.Millisecond)
			}
		}
	}
	stop()
	pausing.Wait()
	served, behind := r.reads(t, writer, "served")+r.reads(t, other, "served"), r.reads(t, writer, "behind")+r.reads(t, other, "behind")
	t.Logf("%d writes; %v reads were served by the replica, %v found it behind", writes, served, behind)
	if served < float64(writes)/10 || behind < float64(writes)/20 {
		t.Error("too few to prove anything")
	}
}
