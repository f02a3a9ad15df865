package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"carbongraph/store/storetest"
)

// wire stands between a server and its database, and can be cut.
type wire struct {
	to string

	mu   sync.Mutex
	l    net.Listener
	cut  bool
	held chan struct{} // while bytes wait: closed when they go on
	open map[net.Conn]bool
}

func newWire(t *testing.T, to string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{to: to, l: l, open: map[net.Conn]bool{}}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { w.join(c, &all) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		w.set(true)
		w.release()
		all.Wait()
	})
	return w
}

// join passes bytes both ways until either side ends.
func (w *wire) join(c net.Conn, all *sync.WaitGroup) {
	defer c.Close()
	there, err := net.Dial("tcp", w.to)
	if err != nil || !w.keep(c, there) {
		return
	}
	defer there.Close()
	all.Go(func() {
		io.Copy(held{there, w}, c)
		there.Close()
	})
	io.Copy(held{c, w}, there)
}

// held is an end of a wire whose bytes may have to wait.
type held struct {
	io.Writer
	w *wire
}

func (h held) Write(b []byte) (int, error) {
	h.w.mu.Lock()
	held := h.w.held
	h.w.mu.Unlock()
	if held != nil {
		<-held
	}
	return h.Writer.Write(b)
}

// hold has all bytes wait, and release lets them go on.
func (w *wire) hold() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.held == nil {
		w.held = make(chan struct{})
	}
}

func (w *wire) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.held != nil {
		close(w.held)
		w.held = nil
	}
}

func (w *wire) keep(conns ...net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range conns {
		if w.open[c] = true; w.cut {
			c.Close()
		}
	}
	return !w.cut
}

// set cuts the wire, or mends it.
func (w *wire) set(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
	for c := range w.open {
		if cut {
			c.Close()
			delete(w.open, c)
		}
	}
}

// A database that goes away while the server runs: requests fail by a code, nothing of the inside is told, readiness says so; when it is back, so is
// everything that was stored.
func TestADatabaseThatGoesAwayAndComesBack(t *testing.T) {
	address, err := url.Parse(storetest.EmptyPostgresURL(t))
	if err != nil {
		t.Fatal(err)
	}
	w := newWire(t, address.Host)
	address.Host = w.l.Addr().String()
	env := map[string]string{"DATABASE_URL": address.String(), "DATA_DIR": "/nowhere"}
	if code, _, errs := run(t, env, "migrate", "up"); code != 0 {
		t.Fatal(errs)
	}
	_, out, errs := run(t, env, "org", "create", "--name", "Acme", "--json")
	var made struct{ Key string }
	if err := json.Unmarshal([]byte(out), &made); err != nil {
		t.Fatalf("%v: %s%s", err, out, errs)
	}
	s := start(t, env, "serve", "--listen-addr", free(t), "--admin-addr", free(t), "--log-format", "json")
	upsert := func(n int) *reply {
		return s.ask(t, made.Key, fmt.Sprintf(`mutation{upsertSuppliers(input:{suppliers:[{externalId:"S%d",name:"Alum"}]}){created}}`, n))
	}
	if got := upsert(1); !strings.Contains(got.text, `"created":1`) {
		t.Fatal(got.text)
	}

	w.set(true)
	for what, ask := range map[string]func() *reply{
		"a query":    func() *reply { return s.ask(t, made.Key, `{suppliers{totalCount}}`) },
		"a mutation": func() *reply { return upsert(2) },
	} {
		got := ask()
		if code := got.code(); code != "OVERLOADED" || strings.Contains(got.text, "127.0.0.1") || strings.Contains(got.text, "pq") || strings.Contains(got.text, "EOF") {
			t.Errorf("%s: %d %s; want OVERLOADED, and nothing of the inside", what, got.status, got.text)
		}
	}
	if got := s.get(t, s.base+"/readyz"); got.status != 503 || !strings.Contains(got.text, "cannot be reached") {
		t.Errorf("/readyz: %d %s", got.status, got.text)
	}
	if got := s.get(t, s.base+"/healthz"); got.status != 200 {
		t.Errorf("/healthz: %d", got.status)
	}

	w.set(false)
	for deadline := time.Now().Add(10 * time.Second); s.get(t, s.base+"/readyz").status != 200; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the server does not find its database again")
		}
	}
	if got := s.ask(t, made.Key, `{suppliers{nodes{externalId}}}`); string(got.Data) != `{"suppliers":{"nodes":[{"externalId":"S1"}]}}` {
		t.Errorf("afterwards: %s", got.text)
	}
	if got := upsert(2); !strings.Contains(got.text, `"created":1`) {
		t.Errorf("writing again: %s", got.text)
	}
}
