package telemetry_test

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"carbongraph/internal/telemetry"
)

// A line that is written without slog tells the same, in the same order.
func TestTheLineOfARequestIsTheSameBehindABuffer(t *testing.T) {
	line := func(w io.Writer) {
		mux := http.NewServeMux()
		mux.HandleFunc("POST /graphql", func(w http.ResponseWriter, r *http.Request) {
			telemetry.RequestFrom(r.Context()).Operate("QUERY", "Näme \"of\" it \x01", "an org")
			io.WriteString(w, "four")
		})
		r := httptest.NewRequest("POST", "/graphql", nil)
		r.Header.Set("X-Request-Id", "request-1")
		telemetry.Observe(nil, telemetry.NewLog(w, slog.LevelInfo, false), mux).ServeHTTP(httptest.NewRecorder(), r)
	}
	var plain, behind strings.Builder
	line(&plain)
	b := telemetry.NewBuffer(&behind)
	line(b)
	if err := b.Flush(); err != nil {
		t.Fatal(err)
	}
	names := func(text string) (out []string, values map[string]any) {
		d := json.NewDecoder(strings.NewReader(text))
		for depth := 0; ; depth++ {
			token, err := d.Token()
			if err != nil {
				break
			}
			if s, ok := token.(string); ok && depth%2 == 1 {
				out = append(out, s)
			}
		}
		if err := json.Unmarshal([]byte(text), &values); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		return out, values
	}
	wantNames, want := names(plain.String())
	gotNames, got := names(behind.String())
	if !slices.Equal(gotNames, wantNames) {
		t.Errorf("names %v, want %v", gotNames, wantNames)
	}
	for name, v := range want {
		if name != "time" && name != "ms" && got[name] != v {
			t.Errorf("%s = %v, want %v", name, got[name], v)
		}
	}
	if at, err := time.Parse(time.RFC3339Nano, got["time"].(string)); err != nil || time.Since(at) > time.Minute {
		t.Errorf("time %v, %v", got["time"], err)
	}
}

func TestLinesWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &noted{}
		log := telemetry.NewLog(telemetry.NewBuffer(w), slog.LevelInfo, false)
		log.Info("one")
		log.Info("two")
		if w.calls() != 0 {
			t.Error("a line was written at once")
		}
		time.Sleep(time.Second)
		if w.calls() != 1 || strings.Count(w.text.String(), "\n") != 2 {
			t.Errorf("%d calls: %s", w.calls(), &w.text)
		}
		log.Warn("three")
		if w.calls() != 2 {
			t.Error("a warning waits")
		}
		log.Info(strings.Repeat("x", 40<<10))
		if w.calls() != 3 {
			t.Error("much waits")
		}
		time.Sleep(time.Second)
		if w.calls() != 3 {
			t.Error("nothing was written")
		}
	})
}

func TestABufferTellsThatNothingCouldBeWritten(t *testing.T) {
	broken := errors.New("no space")
	b := telemetry.NewBuffer(&noted{err: broken})
	if _, err := b.Write([]byte("line\n")); err != nil {
		t.Errorf("error = %v before anything was written", err)
	}
	if err := b.Flush(); !errors.Is(err, broken) {
		t.Errorf("error = %v, want %v", err, broken)
	}
}

// noted counts what is written to it.
type noted struct {
	mu   sync.Mutex
	n    int
	text strings.Builder
	err  error
}

func (n *noted) Write(b []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.n++
	n.text.Write(b)
	return len(b), n.err
}

func (n *noted) calls() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.n
}
