package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"carbongraph/internal/servertest"
	"carbongraph/store/storetest"
)

// register is a row that is written over and over, each time with the next number, and what is known of when: a supplier by its name, or a line by its description.
type register struct {
	externalID string
	line       bool
	year       int // of the line
	// The ids of the row and, of a line, of its supplier.
	node, supplier string

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
	redis     *servertest.Redis
	servers   [2]*served
	processes [2]*os.Process
	wires     [2]*wire
	registers []*register
	client    *http.Client
	reads     atomic.Int64
	hits      atomic.Int64
	old       atomic.Int64
	troubles  atomic.Int64
	failures  atomic.Int64 // requests without an answer
}

// No read shows less than it must: at the server that was written to and to whoever shows the token of a write, that write at once, and everywhere within a second,
// though connections to Redis are cut, or stall, Redis is killed and starts empty, or a server and all that it hears stands still, and while hits are nearly all there are.
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
	t.Logf("%d reads, of which %d were hits, %d writes and %d troubles; %d reads were too old", f.reads.Load(), f.hits.Load(), writes, f.troubles.Load(), f.old.Load())
	if f.hits.Load() < f.reads.Load()/4 {
		t.Errorf("%d of %d reads were hits: what is kept was hardly tried", f.hits.Load(), f.reads.Load())
	}
	if writes < 20 {
		t.Errorf("%d writes only", writes)
	}
}

func newFreshness(t *testing.T, rows int) *freshness {
	t.Helper()
	env := map[string]string{"DATABASE_URL": storetest.PostgresURL(t), "DATA_DIR": "/nowhere", "RATE_LIMIT": "0"}
	f := &freshness{t: t, redis: servertest.NewRedis(t), client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}, Timeout: 30 * time.Second}}
	t.Cleanup(f.client.CloseIdleConnections)
	filed := newFiled(t, env)
	f.key = filed.key
	for i := range f.servers {
		f.wires[i] = newWire(t, f.redis.Address())
		settings := maps.Clone(env)
		settings["REDIS_URL"] = "redis://" + f.wires[i].l.Addr().String() + "/0"
		f.servers[i], f.processes[i] = process(t, settings)
	}
	for i := range rows {
		r := &register{externalID: fmt.Sprintf("R%d", i), line: i%2 == 1, year: 2023 + i/2%2}
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
		f.failures.Add(1)
		f.t.Errorf("%v; the server's last lines: %s", err, lastLines(f.servers[server].log.String()))
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
	query := fmt.Sprintf(`mutation { upsertSuppliers(input: {suppliers: [{externalId: %q, name: "v%d"}]}) { results { row: supplier { id } } } }`, r.externalID, value)
	if r.line {
		query = fmt.Sprintf(`mutation { importActivities(input: {calculate: false, activities: [{externalId: %q, description: "v%d", occurredOn: "%d-05-06", category: 1, money: {amount: "1", currency: "USD"}, supplierExternalId: "S%[1]s"}]}) {
			results { row: activity { id supplier { id } } } } }`, r.externalID, value, r.year)
	}
	text, header := f.ask(server, query, "")
	var got struct {
		Data map[string]struct {
			Results []struct {
				Row struct {
					ID       string
					Supplier struct{ ID string }
				}
			}
		}
	}
	err := json.Unmarshal([]byte(text), &got)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, payload := range got.Data {
		if len(payload.Results) == 1 && r.node == "" { // it stays what it is, and is read without a lock
			r.node, r.supplier = payload.Results[0].Row.ID, payload.Results[0].Row.Supplier.ID
		}
	}
	if err != nil || r.node == "" || header.Get("Carbongraph-Version") == "" {
		f.t.Errorf("not written, or without a token: %s %v", text, header)
		return
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
	for f.reads.Add(1) <= reads && f.failures.Load() < 20 {
		r, server, echo := f.registers[random.IntN(len(f.registers))], random.IntN(2), random.IntN(4) == 0
		least, shown, token := r.least(server, time.Now())
		query := r.query(random)
		if echo {
			least = shown
		} else {
			token = ""
		}
		text, header := f.ask(server, query, token)
		_, after, _ := strings.Cut(text, fmt.Sprintf(`"externalId":%q,"says":"v`, r.externalID))
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

// query is one of the ways in which the row is shown: by its id, in a list, and, of a line, among those of a year and of a supplier.
func (r *register) query(random *rand.Rand) string {
	switch n := random.IntN(4); {
	case r.line && n == 0:
		return fmt.Sprintf(`{ node(id: %q) { ... on Supplier { activities { nodes { externalId says: description } } } } }`, r.supplier)
	case r.line && n == 1:
		return fmt.Sprintf(`{ activities(first: 50, filter: {occurredFrom: "%d-01-01", occurredTo: "%[1]d-12-31"}) { nodes { externalId says: description } } }`, r.year)
	case r.line:
		return fmt.Sprintf(`{ node(id: %q) { ... on Activity { externalId says: description } } }`, r.node)
	case n == 0:
		return `{ suppliers(first: 50) { nodes { externalId says: name } } }`
	}
	return fmt.Sprintf(`{ node(id: %q) { ... on Supplier { externalId says: name } } }`, r.node)
}

// trouble troubles the servers, one or both: it cuts and stalls their connections to Redis, has Redis forget everything, kills it, and has a server stand still.
func (f *freshness) trouble(done <-chan struct{}) {
	random := rand.New(rand.NewPCG(3, 3))
	client := servertest.Connect(f.t, f.redis.URL())
	pause := func() bool {
		select {
		case <-done:
			return false
		case <-time.After(time.Duration(random.IntN(1500)) * time.Millisecond):
			return true
		}
	}
	for going := true; going; going = going && pause() {
		i := random.IntN(2)
		w := f.wires[i]
		var undo func()
		switch random.IntN(5) {
		case 0:
			w.set(true)
			undo = func() { w.set(false) }
		case 1:
			w.hold()
			undo = w.release
		case 2:
			f.redis.Kill()
			undo = func() { f.redis.Start(f.t) }
		case 3:
			if err := f.processes[i].Signal(syscall.SIGSTOP); err != nil {
				f.t.Error(err)
			}
			undo = func() { _ = f.processes[i].Signal(syscall.SIGCONT) }
		default:
			if err := client.FlushAll(f.t.Context()).Err(); err != nil {
				f.t.Error(err)
			}
			undo = func() {}
		}
		going = pause()
		undo()
		f.troubles.Add(1)
	}
}

// lastLines are those of a log that are no requests.
func lastLines(log string) string {
	lines := slices.DeleteFunc(strings.Split(strings.TrimSpace(log), "\n"), func(line string) bool { return strings.Contains(line, `"msg":"request"`) })
	return strings.Join(lines[max(0, len(lines)-60):], "\n")
}
