package app_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"carbongraph/internal/app"
)

// later asks, and gives the answer when it is there.
func (f *followed) later(query string) <-chan *http.Response {
	answered := make(chan *http.Response, 1)
	go func() {
		defer close(answered)
		if res, err := f.post(context.Background(), query, "application/json"); err == nil {
			answered <- res
		}
	}()
	return answered
}

// A server that is told to stop is not ready, answers what it has begun, ends streams with a reason, and then ends itself.
func TestStopping(t *testing.T) {
	t.Parallel()
	f := newFollowed(t, map[string]string{"STOP_DELAY": "3s"}).serve(t)
	b := newBlocked(t, f.env["DATABASE_URL"])
	f.ask(t, f.key, "{viewer{keyName}}") // so that the key is known
	conn := f.follows(t)
	res, err := f.events(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b.exec("BEGIN")
	b.exec("LOCK TABLE suppliers IN ACCESS EXCLUSIVE MODE")
	query, mutation := f.later("{suppliers{totalCount}}"), f.later(`mutation{upsertSuppliers(input:{suppliers:[{externalId:\"late\",name:\"Late\"}]}){created}}`)
	if !b.waiting(true) {
		t.Fatal("no statement waits")
	}

	stopped := make(chan int, 1)
	go func() { stopped <- f.stop() }()
	eventually(t, "it is not ready", func() bool { return f.get(t, f.base+"/readyz").status == 503 })
	if got := f.ask(t, f.key, "{viewer{keyName}}"); got.status != 200 { // from whoever has not heard yet
		t.Errorf("while it is not ready: %d %s", got.status, got.text)
	}
	text, err := io.ReadAll(res.Body)
	if err != nil || !strings.HasSuffix(string(text), `event: next`+"\n"+`data: {"errors":[{"message":"The server is stopping. Connect again.","extensions":{"code":"OVERLOADED"}}]}`+"\n\nevent: complete\ndata:\n\n") {
		t.Errorf("the stream of events: %v: %s", err, text)
	}
	if err := hear(t.Context(), conn, "nothing that is said"); websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("the socket: %v", err)
	}
	if _, err := http.Get(f.base + "/healthz"); err == nil {
		t.Error("a new request is taken")
	}
	time.Sleep(time.Second) // what runs has its time
	select {
	case code := <-stopped:
		t.Fatalf("it ended with %d, and what ran with it", code)
	default:
	}
	b.exec("ROLLBACK")
	for what, answered := range map[string]<-chan *http.Response{"the query": query, "the mutation": mutation} {
		res := <-answered
		if res == nil {
			t.Errorf("%s was lost", what)
			continue
		}
		text, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != 200 || !strings.Contains(string(text), `{"data":`) || strings.Contains(string(text), "errors") {
			t.Errorf("%s: %d %v %s", what, res.StatusCode, err, text)
		}
	}
	if code := <-stopped; code != app.ExitDone {
		t.Errorf("it ended with %d: %s", code, f.log)
	}
}

// What takes longer than the server has to stop is broken off, its statement too; the rest is closed all the same.
func TestStoppingTakesNoLongerThanItMay(t *testing.T) {
	t.Parallel()
	f := newFollowed(t, map[string]string{"TIMEOUT_STOP": "300ms"}).serve(t)
	b := newBlocked(t, f.env["DATABASE_URL"])
	conn := f.follows(t)
	b.exec("BEGIN")
	b.exec("LOCK TABLE suppliers IN ACCESS EXCLUSIVE MODE")
	query := f.later("{suppliers{totalCount}}")
	if err := conn.Write(t.Context(), websocket.MessageText, []byte(`{"id":"2","type":"subscribe","payload":{"query":"{suppliers{totalCount}}"}}`)); err != nil {
		t.Fatal(err)
	}
	if !b.waiting(true) {
		t.Fatal("no statement waits")
	}
	began := time.Now()
	if code := f.stop(); code != app.ExitFailed || !strings.Contains(f.log.String(), "not closed cleanly") {
		t.Errorf("it ended with %d: %s", code, f.log)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	if !b.waiting(false) {
		t.Error("a statement runs on without its server")
	}
	if res := <-query; res != nil {
		t.Errorf("an answer, %d, from a table that nobody can read", res.StatusCode)
		res.Body.Close()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := hear(ctx, conn, "nothing that is said"); err == nil || ctx.Err() != nil {
		t.Errorf("the socket: %v", err)
	}
}
