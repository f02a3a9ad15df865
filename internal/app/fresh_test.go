package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"carbongraph/store/storetest"
)

// register is a row that is written over and over, each time with the next number, and what is known of when.
type register struct {
	externalID, node string

	mu     sync.Mutex
	writes []answered
}

// answered is a write that was answered: whoever asks later must see it, or a later one.
type answered struct {
	value, server int
	token         string
	at            time.Time
}

// least is the oldest value that a read may show which begins now: at the server that wrote it every answered write is to be seen, and everywhere those whose token the
// reader shows, or that were answered more than a second ago.
func (r *register) least(server int, now time.Time) (plain, shown int, token string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.writes {
		if w.server == server || now.Sub(w.at) > time.Second {
			plain = w.value
		}
		shown, token = w.value, w.token
	}
	return plain, shown, token
}

// freshness is two servers over one database and one Redis, each with a wire of its own to Redis, and what was read and written.
type freshness struct {
	t         *testing.T
	key       string
	servers   [2]*served
	wires     [2]*wire
	registers []*register
	client    *http.Client
	reads     atomic.Int64
	hits      atomic.Int64
	old       atomic.Int64
}

// No read shows less than it must: at the server that was written to and to whoever shows the token of a write, that write at once, and everywhere within a second,
// though connections to Redis are cut, or stall, and while hits are nearly all there are.
func TestReadsAreNeverOlderThanPromised(t *testing.T) {
	f := newFreshness(t, 24)
	reads := 20_000
	if s := os.Getenv("FRESH_READS"); s != "" {
		reads, _ = strconv.Atoi(s)
	}
	if raced {
		reads /= 4
	}
	var all sync.WaitGroup
	done := make(chan struct{})
	for i := range 3 {
		all.Go(func() { f.write(done, i, 3) })
	}
	all.Go(func() { f.trouble(done) })
	var readers sync.WaitGroup
	for i := range 8 {
		readers.Go(func() { f.read(int64(reads), uint64(i)) })
	}
	readers.Wait()
	close(done)
	all.Wait()
	writes := 0
	for _, r := range f.registers {
		writes += len(r.writes)
	}
	t.Logf("%d reads, of which %d were hits, and %d writes; %d reads were too old", f.reads.Load(), f.hits.Load(), writes, f.old.Load())
	if f.hits.Load() < f.reads.Load()/4 {
		t.Errorf("%d of %d reads were hits: what is kept was hardly tried", f.hits.Load(), f.reads.Load())
	}
	if writes < 20 {
		t.Errorf("%d writes only", writes)
	}
}

func newFreshness(t *testing.T, rows int) *freshness {
	t.Helper()
	redis := os.Getenv("TEST_REDIS_URL")
	if redis == "" {
		t.Skip("TEST_REDIS_URL is not set: give the address of a Redis server, or run the tests by `make test`")
	}
	address, err := url.Parse(redis)
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"DATABASE_URL": storetest.PostgresURL(t), "DATA_DIR": "/nowhere", "RATE_LIMIT": "0"}
	f := &freshness{t: t, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}, Timeout: 30 * time.Second}}
	t.Cleanup(f.client.CloseIdleConnections)
	filed := newFiled(t, env)
	f.key = filed.key
	for i := range f.servers {
		f.wires[i] = newWire(t, address.Host)
		one := *address
		one.Host = f.wires[i].l.Addr().String()
		settings := map[string]string{"REDIS_URL": one.String()}
		for name, value := range env {
			settings[name] = value
		}
		f.servers[i] = start(t, settings, "serve", "--listen-addr", free(t), "--admin-addr", free(t), "--log-format", "json")
	}
	for i := range rows {
		r := &register{externalID: fmt.Sprintf("R%d", i)}
		f.registers = append(f.registers, r)
		if f.set(r, 0, 0); r.node == "" {
			t.FailNow()
		}
	}
	return f
}

// ask sends an operation to a server.
func (f *freshness) ask(server int, query, token string) (text string, header http.Header) {
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		f.t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, f.servers[server].base+"/graphql", bytes.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+f.key)
	if token != "" {
		r.Header.Set("Carbongraph-Version", token)
	}
	res, err := f.client.Do(r)
	if err != nil {
		f.t.Error(err)
		return "", http.Header{}
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil || bytes.Contains(answer, []byte(`"errors"`)) {
		f.t.Errorf("%s: %s %v", query, answer, err)
	}
	return string(answer), res.Header
}

// set writes a value, and notes it when it is answered.
func (f *freshness) set(r *register, value, server int) {
	text, header := f.ask(server, fmt.Sprintf(`mutation { upsertSuppliers(input: {suppliers: [{externalId: %q, name: "v%d"}]}) { results { supplier { id } } } }`, r.externalID, value), "")
	_, id, found := strings.Cut(text, `"id":"`)
	if !found {
		f.t.Errorf("not written: %s", text)
		return
	}
	if header.Get("Carbongraph-Version") == "" {
		f.t.Errorf("a write has no token: %v", header)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.node == "" { // it stays what it is, and is read without a lock
		r.node, _, _ = strings.Cut(id, `"`)
	}
	r.writes = append(r.writes, answered{value, server, header.Get("Carbongraph-Version"), time.Now()})
}

// write counts the registers that are this writer's up, each write at either server.
func (f *freshness) write(done <-chan struct{}, nth, of int) {
	random := rand.New(rand.NewPCG(1, uint64(nth)))
	for value := 1; ; value++ {
		select {
		case <-done:
			return
		case <-time.After(time.Duration(20+random.IntN(200)) * time.Millisecond):
		}
		r := f.registers[(random.IntN(len(f.registers)/of))*of+nth]
		f.set(r, r.writes[len(r.writes)-1].value+1, random.IntN(2)) // nobody else writes it
	}
}

// read reads until so many reads were made by all, one by its id or all in a list, and looks whether they show what they must.
func (f *freshness) read(reads int64, nth uint64) {
	random := rand.New(rand.NewPCG(2, nth))
	for f.reads.Add(1) <= reads {
		r, server, echo := f.registers[random.IntN(len(f.registers))], random.IntN(2), random.IntN(4) == 0
		least, shown, token := r.least(server, time.Now())
		query := fmt.Sprintf(`{ node(id: %q) { ... on Supplier { externalId name } } }`, r.node)
		if random.IntN(3) == 0 {
			query = `{ suppliers(first: 50) { nodes { externalId name } } }`
		}
		if echo {
			least = shown
		} else {
			token = ""
		}
		text, header := f.ask(server, query, token)
		_, after, _ := strings.Cut(text, fmt.Sprintf(`"externalId":%q,"name":"v`, r.externalID))
		digits, _, _ := strings.Cut(after, `"`)
		value, err := strconv.Atoi(digits)
		status := header.Get("Cache-Status")
		if strings.Contains(status, "hit") {
			f.hits.Add(1)
		}
		if err != nil || value < least {
			f.old.Add(1)
			f.t.Errorf("server %d shows %q of %s, and has to show v%d (with token: %t; %s)", server, digits, r.externalID, least, echo, status)
		}
	}
}

// trouble cuts and stalls the servers' connections to Redis, one or both.
func (f *freshness) trouble(done <-chan struct{}) {
	random := rand.New(rand.NewPCG(3, 3))
	for {
		w := f.wires[random.IntN(2)]
		undo := func() { w.set(false) }
		if random.IntN(2) == 0 {
			w.set(true)
		} else {
			w.hold()
			undo = w.release
		}
		select {
		case <-done:
			undo()
			return
		case <-time.After(time.Duration(random.IntN(1500)) * time.Millisecond):
		}
		undo()
		select {
		case <-done:
			return
		case <-time.After(time.Duration(random.IntN(1500)) * time.Millisecond):
		}
	}
}
