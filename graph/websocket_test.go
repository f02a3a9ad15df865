package graph_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"carbongraph/graph"
)

// client speaks graphql-transport-ws.
type client struct {
	t    *testing.T
	conn *websocket.Conn
}

// dial opens a WebSocket, without another word.
func dial(t *testing.T, s *httptest.Server, protocols ...string) *client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, s.URL+"/graphql", &websocket.DialOptions{Subprotocols: protocols})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	return &client{t, conn}
}

const (
	protocol = "graphql-transport-ws"
	hello    = `{"type":"connection_init","payload":{"Authorization":"Bearer good"}}`
	welcome  = `{"type":"connection_ack"}`
)

// connect opens a WebSocket that is acknowledged.
func connect(t *testing.T, s *httptest.Server) *client {
	t.Helper()
	c := dial(t, s, protocol)
	c.say(hello)
	c.hears(welcome)
	return c
}

func (c *client) say(text string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 10*time.Second)
	defer cancel()
	if err := c.conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		c.t.Fatalf("cannot say %.100s: %v", text, err)
	}
}

func (c *client) subscribe(id, query string) {
	c.t.Helper()
	c.say(`{"id":"` + id + `","type":"subscribe","payload":` + asJSON(c.t, map[string]string{"query": query}) + `}`)
}

// next is the next message, or how the socket was closed.
func (c *client) next() string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 10*time.Second)
	defer cancel()
	_, text, err := c.conn.Read(ctx)
	var closed websocket.CloseError
	if errors.As(err, &closed) {
		return fmt.Sprintf("%d %s", closed.Code, closed.Reason)
	}
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func (c *client) hears(want ...string) {
	c.t.Helper()
	for _, w := range want {
		if got := c.next(); got != w {
			c.t.Fatalf("heard %s\nwant %s", got, w)
		}
	}
}

func (c *client) hearsAbout(parts ...string) {
	c.t.Helper()
	got := c.next()
	for _, p := range parts {
		if !strings.Contains(got, p) {
			c.t.Fatalf("heard %s\nwant it to say %s", got, p)
		}
	}
}

func message(id, kind, payload string) string {
	return `{"id":"` + id + `","type":"` + kind + `","payload":` + payload + `}`
}

func completed(id string) string { return `{"id":"` + id + `","type":"complete"}` }

func TestSockets(t *testing.T) {
	t.Parallel()
	const categories = `{"data":{"categories":[{"number":1}]}}`
	b, s := listening(t, graph.Options{})
	t.Run("serve queries, mutations and subscriptions", func(t *testing.T) {
		c := connect(t, s)
		c.subscribe("q", "{categories{number}}")
		c.hears(message("q", "next", categories), completed("q"))
		c.subscribe("m", "mutation{upsertSuppliers(input:{suppliers:[]}){created}}")
		c.hears(message("m", "next", `{"data":{"upsertSuppliers":{"created":0}}}`), completed("m"))
		c.subscribe("s", progress(runThrice))
		c.hears(message("s", "next", running), message("s", "next", running), message("s", "next", running), completed("s"))
		b.ended(t)
		c.subscribe("s", "{categories{number}}") // the id is free again
		c.hears(message("s", "next", categories), completed("s"))
	})
	t.Run("run several operations beside each other", func(t *testing.T) {
		c := connect(t, s)
		c.subscribe("a", progress(runSilent))
		c.subscribe("b", progress(runSilent))
		c.subscribe("c", "{categories{number}}")
		c.hears(message("c", "next", categories), completed("c"))
		eventually(t, "both are followed", func() bool { return b.root.following.Load() == 2 })
		c.say(completed("a"))
		eventually(t, "one has ended", func() bool { return b.root.following.Load() == 1 })
		c.say(completed("nobody"))
		c.subscribe("a", "{categories{number}}")
		c.hears(message("a", "next", categories), completed("a"))
		_ = c.conn.CloseNow()
		b.ended(t)
	})
	t.Run("answer pings", func(t *testing.T) {
		c := dial(t, s, protocol)
		c.say(`{"type":"ping"}`)
		c.hears(`{"type":"pong"}`)
		c.say(`{"type":"ping","payload":{"a":[1,"x"]}}`)
		c.hears(`{"type":"pong","payload":{"a":[1,"x"]}}`)
		c.say(`{"type":"pong"}`)
		c.say(hello)
		c.hears(welcome)
	})
	t.Run("tell errors", func(t *testing.T) {
		c := connect(t, s)
		c.subscribe("a", "{nope}")
		c.hearsAbout(`{"id":"a","type":"error","payload":[{"message":"Cannot query field`, "GRAPHQL_VALIDATION_FAILED")
		c.subscribe("b", progress(runMissing))
		c.hearsAbout(`{"id":"b","type":"next","payload":{"errors":[`, `"NOT_FOUND"`)
		c.hears(completed("b"))
		c.subscribe("c", `{node(id:"`+id(2)+`"){id}}`)
		c.hearsAbout(`{"id":"c","type":"next"`, `"INTERNAL"`)
		c.hears(completed("c"))
		c.subscribe("d", `mutation{revokeApiKey(id:"`+id(1)+`"){__typename}}`)
		c.hearsAbout(`{"id":"d","type":"error"`, `"FORBIDDEN"`)
		c.subscribe("quote \\\" and \\u20ac", "{nope}")
		c.hearsAbout(`{"id":"quote \" and €","type":"error"`)
	})
}

// A panic costs the operation that it is in, not the socket, and not the process.
func TestSocketsOutliveAPanic(t *testing.T) {
	t.Parallel()
	b, s := listening(t, graph.Options{})
	c := connect(t, s)
	b.panics.Store(true)
	c.subscribe("a", "{categories{number}}")
	c.hearsAbout(`{"id":"a","type":"error"`, `"INTERNAL"`, `"requestId"`)
	b.panics.Store(false)
	c.subscribe("a", "{categories{number}}")
	c.hears(message("a", "next", `{"data":{"categories":[{"number":1}]}}`), completed("a"))
	if log := b.log.String(); !strings.Contains(log, "a secret of ours") {
		t.Errorf("the log does not tell of it: %s", log)
	}
}

func TestSocketsAreClosed(t *testing.T) {
	t.Parallel()
	_, s := listening(t, graph.Options{InitTimeout: 100 * time.Millisecond})
	for name, tc := range map[string]struct {
		say  []string
		want string
	}{
		"for silence at the beginning":      {nil, "4408 Connection initialisation timeout"},
		"for what is not JSON":              {[]string{"nonsense"}, "4400 A message is one JSON object"},
		"for two objects":                   {[]string{hello + hello}, "4400 A message is one JSON object"},
		"for a list":                        {[]string{"[]"}, "4400 A message is an object with a type, and id and type are texts"},
		"for a type that is no text":        {[]string{`{"type":1}`}, "4400 A message is an object with a type, and id and type are texts"},
		"for an unknown type":               {[]string{`{"type":"start"}`}, "4400 Unknown message type"},
		"for a name that stands twice":      {[]string{`{"type":"ping","type":"pong"}`}, "4400 An object in the message has the same name twice"},
		"for a second beginning":            {[]string{hello, hello}, "4429 Too many initialisation requests"},
		"for an operation before the first": {[]string{message("a", "subscribe", `{"query":"{categories{number}}"}`)}, "4401 Unauthorized"},
		"for a bad key":                     {[]string{`{"type":"connection_init","payload":{"authorization":"Bearer bad"}}`}, "4401 The key is unknown, expired or revoked."},
		"for no key":                        {[]string{`{"type":"connection_init"}`}, "4401 The key is unknown, expired or revoked."},
		"for a key that is no text":         {[]string{`{"type":"connection_init","payload":{"authorization":1}}`}, "4400 The payload of connection_init is an object, with authorization as a text"},
		"for two keys":                      {[]string{`{"type":"connection_init","payload":{"authorization":"Bearer good","Authorization":"Bearer good"}}`}, "4400 The payload of connection_init is an object, with authorization as a text"},
		"for a payload that is no object":   {[]string{`{"type":"connection_init","payload":[1]}`}, "4400 The payload of connection_init is an object, with authorization as a text"},
		"for an id that is there":           {[]string{hello, message("a", "subscribe", asJSON(t, map[string]string{"query": progress(runSilent)})), message("a", "subscribe", `{"query":"{categories{number}}"}`)}, "4409 Subscriber for a already exists"},
		"for an operation without an id":    {[]string{hello, `{"type":"subscribe","payload":{"query":"{categories{number}}"}}`}, "4400 A subscribe message has an id, and a request as its payload"},
		"for an operation without a query":  {[]string{hello, message("a", "subscribe", "{}")}, "4400 A subscribe message has an id, and a request as its payload"},
		"for an id beyond reason":           {[]string{hello, message(strings.Repeat("a", 129), "subscribe", "{}")}, "4400 An id has at most 128 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := dial(t, s, protocol)
			for _, text := range tc.say {
				c.say(text)
			}
			got := c.next()
			if got == welcome {
				got = c.next()
			}
			if got != tc.want {
				t.Errorf("closed with %q; want %q", got, tc.want)
			}
		})
	}
	t.Run("for another protocol", func(t *testing.T) {
		dial(t, s, "graphql-ws").hears("4406 Subprotocol not acceptable: speak graphql-transport-ws")
		dial(t, s).hears("4406 Subprotocol not acceptable: speak graphql-transport-ws")
	})
	t.Run("for binary", func(t *testing.T) {
		c := dial(t, s, protocol)
		if err := c.conn.Write(t.Context(), websocket.MessageBinary, []byte(hello)); err != nil {
			t.Fatal(err)
		}
		c.hears("4400 Send text, not binary")
	})
	t.Run("for 100 MB", func(t *testing.T) {
		var before, after runtime.MemStats
		c := connect(t, s)
		runtime.ReadMemStats(&before)
		w, err := c.conn.Writer(t.Context(), websocket.MessageText)
		if err != nil {
			t.Fatal(err)
		}
		mb := bytes.Repeat([]byte(" "), 1<<20)
		for i := 0; i < 100 && err == nil; i++ {
			_, err = w.Write(mb)
		}
		if err == nil {
			t.Error("the server took it all")
		}
		runtime.ReadMemStats(&after)
		if grew := int64(after.TotalAlloc - before.TotalAlloc); grew > 32<<20 {
			t.Errorf("%d MB were allocated for it", grew>>20)
		}
	})
}

func TestWhoMayOpenASocket(t *testing.T) {
	t.Parallel()
	_, s := listening(t, graph.Options{Origins: []string{"https://app.example.com"}})
	for name, tc := range map[string]struct {
		origin string
		status int
	}{
		"no browser":                  {"", 101},
		"a page of ours":              {s.URL, 101},
		"a page that is named":        {"https://app.example.com", 101},
		"the same host without TLS":   {"http://app.example.com", 403},
		"a page of another":           {"https://evil.example.com", 403},
		"a page of no origin":         {"null", 403},
		"a page with our name within": {s.URL + ".example.com", 403},
	} {
		t.Run(name, func(t *testing.T) {
			header := http.Header{}
			if tc.origin != "" {
				header.Set("Origin", tc.origin)
			}
			conn, res, err := websocket.Dial(t.Context(), s.URL+"/graphql", &websocket.DialOptions{Subprotocols: []string{protocol}, HTTPHeader: header})
			if conn != nil {
				defer conn.CloseNow()
			}
			if res == nil || res.StatusCode != tc.status {
				t.Fatalf("%v, %v; want %d", res, err, tc.status)
			}
		})
	}
}

func TestSocketsHaveLimits(t *testing.T) {
	t.Parallel()
	limits := contract
	limits.Operations = 2
	b, s := listening(t, graph.Options{Limits: limits, Streams: streamsOf(1)})
	c := connect(t, s)
	c.subscribe("a", progress(runSilent))
	c.subscribe("b", progress(runSilent))
	c.subscribe("c", progress(runSilent))
	c.hearsAbout(`{"id":"c","type":"error"`, `"RATE_LIMITED"`)
	c.say(completed("a"))
	eventually(t, "one has ended", func() bool { return b.root.following.Load() == 1 })
	c.subscribe("c", progress(runThrice))
	c.hears(message("c", "next", running))

	second := dial(t, s, protocol)
	second.say(hello)
	second.hearsAbout("1013 Too many streams are open for this key.")
	if res := listen(t, s, "POST", progress(runSilent), "text/event-stream"); res.StatusCode != 429 {
		t.Errorf("events beside the socket: %d", res.StatusCode)
	}
	_ = c.conn.CloseNow()
	b.ended(t)
	eventually(t, "a place is free", func() bool {
		third := dial(t, s, protocol)
		third.say(hello)
		return third.next() == welcome
	})
}

func TestSocketsEnd(t *testing.T) {
	t.Parallel()
	t.Run("when the server stops: subscriptions at once, anything else when it is done", func(t *testing.T) {
		b, s := listening(t, graph.Options{Timeout: 300 * time.Millisecond})
		c := connect(t, s)
		c.subscribe("s", progress(runSilent))
		c.subscribe("q", `{node(id:"`+id(3)+`"){id}}`) // as long as it may
		eventually(t, "both run", func() bool { return b.begun.Load() >= 3 })
		stopped := make(chan error, 1)
		go func() { stopped <- b.graph.Stop(t.Context()) }()
		b.ended(t)
		c.subscribe("late", "{categories{number}}")
		c.hearsAbout(`{"id":"late","type":"error"`, `"OVERLOADED"`)
		c.hearsAbout(`{"id":"q","type":"next"`, `"TIMEOUT"`)
		c.hears(completed("q"), "1001 The server is stopping. Connect again.")
		if err := <-stopped; err != nil {
			t.Error(err)
		}
		_, res, err := websocket.Dial(t.Context(), s.URL+"/graphql", nil)
		if err == nil || res.StatusCode != 503 {
			t.Errorf("a server that has stopped takes another: %v", err)
		}
	})
	t.Run("when the key is revoked", func(t *testing.T) {
		b, s := listening(t, graph.Options{Heartbeat: 10 * time.Millisecond})
		c := connect(t, s)
		c.subscribe("s", progress(runSilent))
		eventually(t, "it runs", func() bool { return b.root.following.Load() == 1 })
		b.revoked.Store(true)
		c.hears("4401 The key is unknown, expired or revoked.")
		b.ended(t)
	})
	t.Run("when a revoked key asks", func(t *testing.T) {
		b, s := listening(t, graph.Options{})
		c := connect(t, s)
		b.revoked.Store(true)
		c.subscribe("q", "{categories{number}}")
		c.hears("4401 The key is unknown, expired or revoked.")
	})
	t.Run("when nobody reads", func(t *testing.T) {
		b, s := listening(t, graph.Options{MessageTimeout: 50 * time.Millisecond})
		connect(t, s).subscribe("s", strings.Replace(progress(runFlood), "status", "reason", 1))
		eventually(t, "it runs", func() bool { return b.begun.Load() > 3 })
		b.ended(t)
	})
	t.Run("when nobody answers a ping", func(t *testing.T) {
		b, s := listening(t, graph.Options{Heartbeat: 20 * time.Millisecond, MessageTimeout: 50 * time.Millisecond})
		c := connect(t, s)
		c.subscribe("s", progress(runSilent)) // and nobody reads, so that no pong is sent
		eventually(t, "it runs", func() bool { return b.root.following.Load() == 1 })
		b.ended(t)
	})
	t.Run("when half a message comes", func(t *testing.T) {
		_, s := listening(t, graph.Options{Heartbeat: 20 * time.Millisecond, MessageTimeout: 50 * time.Millisecond})
		conn, err := net.Dial("tcp", s.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "GET /graphql HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: %s\r\n\r\n\x81\xfe\x10", protocol)
		text := make([]byte, 4096)
		for err == nil {
			_, err = conn.Read(text)
		}
		if !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the connection ended with %v", err)
		}
	})
}

// The time that an event may take begins when it is there, not when it is waited for.
func TestAnEventHasItsTime(t *testing.T) {
	t.Parallel()
	b, s := listening(t, graph.Options{Timeout: 50 * time.Millisecond})
	b.root.subscription.pause = 120 * time.Millisecond
	c := connect(t, s)
	c.subscribe("s", progress(runThrice))
	c.hears(message("s", "next", running), message("s", "next", running), message("s", "next", running), completed("s"))
}
