package app_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// clumsy is a server with little patience.
func clumsy(t *testing.T) (s *served, key string) {
	t.Helper()
	dir, keys := ledger(t, "Acme")
	return serve(t, dir, map[string]string{"TIMEOUT_HEADER": "300ms", "TIMEOUT_REQUEST": "600ms", "TIMEOUT_RESPONSE": "600ms", "TIMEOUT_IDLE": "300ms"}), keys[0]
}

// raw is a connection to the server without a client's help.
func (s *served) raw(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// dribble writes a byte now and then until the server has enough.
func dribble(conn net.Conn, text string) {
	for i := 0; ; i = (i + 1) % len(text) {
		if _, err := conn.Write([]byte{text[i]}); err != nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestSlowClientsAreLetGo(t *testing.T) {
	t.Parallel()
	s, key := clumsy(t)
	const head = "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\nContent-Length: 100000\r\n"
	ended := func(t *testing.T, conn net.Conn, within time.Duration) string {
		t.Helper()
		began := time.Now()
		text, err := io.ReadAll(conn)
		if ne, ok := err.(net.Error); ok && ne.Timeout() {
			t.Fatal("the server waits for it")
		}
		if took := time.Since(began); took > within {
			t.Errorf("the server waited for %s", took)
		}
		return string(text)
	}
	t.Run("a header that drips", func(t *testing.T) {
		conn := s.raw(t)
		fmt.Fprintf(conn, "POST /graphql HTTP/1.1\r\nHost: x\r\n")
		go dribble(conn, "X-Slow: loris\r\n")
		ended(t, conn, 5*time.Second)
	})
	t.Run("a body that drips", func(t *testing.T) {
		conn := s.raw(t)
		fmt.Fprintf(conn, head+"\r\n", key)
		go dribble(conn, " ")
		if got := ended(t, conn, 5*time.Second); !strings.HasPrefix(got, "HTTP/1.1 408 ") || !strings.Contains(got, "The body took too long to come.") {
			t.Errorf("%.500s", got)
		}
	})
	t.Run("a body that does not come", func(t *testing.T) {
		conn := s.raw(t)
		fmt.Fprintf(conn, head+"\r\n", key)
		if got := ended(t, conn, 5*time.Second); !strings.HasPrefix(got, "HTTP/1.1 408 ") {
			t.Errorf("%.500s", got)
		}
	})
	t.Run("a connection that says nothing more", func(t *testing.T) {
		conn := s.raw(t)
		fmt.Fprint(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
		if got := ended(t, conn, 5*time.Second); !strings.HasPrefix(got, "HTTP/1.1 200 ") {
			t.Errorf("%.500s", got)
		}
	})
	t.Run("an answer that is not read", func(t *testing.T) {
		conn := s.raw(t)
		if err := conn.(*net.TCPConn).SetReadBuffer(4096); err != nil {
			t.Fatal(err)
		}
		const requests = 3000 // whose answers no socket holds
		go func() {
			for range requests {
				if _, err := fmt.Fprint(conn, "GET /schema.graphql HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
					return
				}
			}
		}()
		running := func() bool { return metric(t, s.admin, "carbongraph_http_requests_in_flight") > 0 }
		time.Sleep(time.Second)
		eventually(t, "the request has ended", func() bool { return !running() })
		answers, read := 0, bufio.NewReader(conn)
		for {
			res, err := http.ReadResponse(read, nil)
			if err != nil {
				break
			}
			if _, err := io.Copy(io.Discard, res.Body); err != nil {
				break
			}
			answers++
		}
		if answers == requests {
			t.Error("all was written: the test proves nothing")
		}
	})
}

// A stream lasts for longer than a request may.
func TestStreamsOutliveTheTimeouts(t *testing.T) {
	t.Parallel()
	f := newFollowed(t, map[string]string{"TIMEOUT_HEADER": "1s", "TIMEOUT_REQUEST": "1s", "TIMEOUT_RESPONSE": "1s", "TIMEOUT_IDLE": "1s"}).serve(t)
	conn := f.follows(t)
	res, err := f.events(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	time.Sleep(3 * time.Second)
	f.run.Status = "SUCCEEDED"
	if err := f.org.FinishRun(t.Context(), f.run); err != nil {
		t.Fatal(err)
	}
	if err := hear(t.Context(), conn, `"SUCCEEDED"`); err != nil {
		t.Error(err)
	}
	if text, err := io.ReadAll(res.Body); err != nil || !strings.Contains(string(text), `"SUCCEEDED"`) {
		t.Errorf("%v %s", err, text)
	}
}

// What is packed is refused as it is: nothing of it is unpacked.
func TestPackedBodiesAreRefused(t *testing.T) {
	t.Parallel()
	dir, keys := ledger(t, "Acme")
	s := serve(t, dir, nil)
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	zeros := make([]byte, 1<<20)
	for range 50 {
		if _, err := w.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, coding := range []string{"gzip", "deflate", "br", "zstd", "gzip, gzip"} {
		r, err := http.NewRequest("POST", s.base+"/graphql", bytes.NewReader(bomb.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Content-Encoding", coding)
		r.Header.Set("Authorization", "Bearer "+keys[0])
		began := time.Now()
		if got := s.do(t, r); got.status != 415 || got.code() != "BAD_USER_INPUT" || time.Since(began) > time.Second {
			t.Errorf("%s: %d %s after %s", coding, got.status, got.text, time.Since(began))
		}
	}
}
