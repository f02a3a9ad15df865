package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"carbongraph/graph"
	"carbongraph/graph/generated"
	"carbongraph/internal/auth"
	"carbongraph/internal/fault"
	"carbongraph/internal/gate"
	"carbongraph/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// safeBuffer is a log that several goroutines write.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// subscription tells what the test wants, by the last byte of the id.
type subscription struct {
	generated.SubscriptionResolver
	following atomic.Int64  // those that were begun and have not ended
	pause     time.Duration // before each event
}

const (
	runThrice  = 1 // three events, then the end
	runSilent  = 2 // no event, until the client goes
	runMissing = 3 // there is no such run
	runFlood   = 4 // large events without end
	runBroken  = 5 // an event that cannot be shown
)

func (s *subscription) CalculationRunProgress(ctx context.Context, id store.GlobalID) (<-chan *store.CalculationRun, error) {
	if id.Row[15] == runMissing {
		return nil, fault.New(fault.NotFound, "There is no calculation run with this id.").At("id")
	}
	run := func() *store.CalculationRun {
		return &store.CalculationRun{ID: id.Row, Status: store.RunRunning, Reason: "test", GwpSet: store.AR5}
	}
	s.following.Add(1)
	rows := make(chan *store.CalculationRun)
	go func() {
		defer s.following.Add(-1)
		defer close(rows)
		for i := 0; ; i++ {
			r := run()
			time.Sleep(s.pause)
			switch {
			case id.Row[15] == runSilent:
				<-ctx.Done()
				return
			case id.Row[15] == runThrice && i == 3, id.Row[15] == runBroken && i == 1:
				return
			case id.Row[15] == runFlood:
				r.Reason = string(bytes.Repeat([]byte("flood "), 50_000))
			case id.Row[15] == runBroken:
				r = nil
			}
			select {
			case rows <- r:
			case <-ctx.Done():
				return
			}
		}
	}()
	return rows, nil
}

// who knows one key, and nobody once it is revoked.
func (b *bench) who(r *http.Request, authorization string) (*auth.Viewer, error) {
	shown := authorization == "Bearer good" || authorization == "" && !graph.Upgrades(r)
	if b.revoked.Load() || !shown {
		return nil, fault.New(fault.Unauthenticated, "The key is unknown, expired or revoked.")
	}
	return b.viewer, nil
}

// listening serves a bench by HTTP until the test ends.
func listening(t *testing.T, o graph.Options) (*bench, *httptest.Server) {
	t.Helper()
	if o.Limits == (graph.Limits{}) {
		o.Limits = contract
	}
	b := newBenchOf(t, o)
	s := httptest.NewServer(b)
	t.Cleanup(func() {
		s.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return b, s
}

func streamsOf(most int) *gate.Streams { return gate.NewStreams(most) }

// eventually waits for what comes soon.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}

func (b *bench) ended(t *testing.T) {
	t.Helper()
	eventually(t, "the source of the subscription ends", func() bool { return b.root.following.Load() == 0 })
}

// progress asks for a run.
func progress(behaviour int) string {
	id := store.ID{1}
	id[15] = byte(behaviour)
	return `subscription{calculationRunProgress(id:"` + store.Global(store.KindCalculationRun, id).String() + `"){status}}`
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
