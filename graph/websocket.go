package graph

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"carbongraph/internal/auth"
	"carbongraph/internal/fault"
	"carbongraph/internal/gate"
	"carbongraph/internal/telemetry"
)

// subprotocol is what is spoken over a WebSocket.
const subprotocol = "graphql-transport-ws"

// How a WebSocket is closed: the codes of graphql-transport-ws, and from 1000 on those of RFC 6455.
const (
	closeGoingAway       = websocket.StatusGoingAway
	closeInternal        = websocket.StatusInternalError
	closeTryAgain        = websocket.StatusTryAgainLater
	closeBadRequest      = websocket.StatusCode(4400)
	closeUnauthorized    = websocket.StatusCode(4401)
	closeForbidden       = websocket.StatusCode(4403)
	closeSubprotocol     = websocket.StatusCode(4406)
	closeInitTimeout     = websocket.StatusCode(4408)
	closeSubscriberThere = websocket.StatusCode(4409)
	closeTooManyInits    = websocket.StatusCode(4429)
)

// maxStrangers is how many sockets there may be that have not said yet who they are.
const maxStrangers = 1024

// socket is one WebSocket. Several operations run on it beside each other.
type socket struct {
	h    *Handler
	r    *http.Request // of the handshake
	conn *websocket.Conn
	ctx  context.Context // ends with the socket
	end  context.CancelFunc
	work sync.WaitGroup // operations that run

	mu            sync.Mutex
	viewer        *auth.Viewer // nil until the connection is acknowledged
	authorization string       // as the client sent it when it began
	running       map[string]context.CancelCauseFunc
	stopping      bool
	leave         func() // gives the place among the caller's streams back
}

// Upgrades tells whether a request asks for a WebSocket.
func Upgrades(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// socket opens a WebSocket, which is served by a goroutine of its own: that of the request would keep alive all that the request went through. Whoever asks was
// authenticated, or says who he is in the first message.
func (h *Handler) socket(w http.ResponseWriter, r *http.Request) {
	if !h.welcome(r) {
		h.Refuse(w, r, fault.New(fault.Forbidden, "Pages of this origin may not connect. Name it in CORS_ORIGINS."))
		return
	}
	end, ok := h.streams.begin()
	if !ok {
		h.Refuse(w, r, stopping())
		return
	}
	leave, ok := h.strangers.Open("")
	if !ok {
		end()
		h.Refuse(w, r, fault.New(fault.Overloaded, "Too many connections are being opened at once. Try again.").After(time.Second))
		return
	}
	// The origin was looked at above.
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{subprotocol}, InsecureSkipVerify: true})
	if err != nil { // which Accept has answered
		end()
		leave()
		return
	}
	conn.SetReadLimit(-1)
	if h.o.Limits.Body > 0 {
		conn.SetReadLimit(h.o.Limits.Body)
	}
	s := &socket{h: h, conn: conn, running: map[string]context.CancelCauseFunc{}, leave: leave}
	s.ctx, s.end = context.WithCancel(telemetry.WithRequest(h.streams.all, telemetry.RequestFrom(telemetry.Part(r.Context()))))
	s.r = (&http.Request{Method: r.Method, URL: r.URL, Host: r.Host, Header: r.Header, TLS: r.TLS}).WithContext(s.ctx)
	h.o.Metrics.StreamOpened(overWebSocket)
	go func() {
		defer end()
		s.serve()
	}()
}

// welcome tells whether a page of the request's origin may connect: browsers let every page open a WebSocket to everywhere, and send cookies along.
func (h *Handler) welcome(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true // no browser
	}
	if u, err := url.Parse(origin); err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host) {
		return true
	}
	for _, o := range h.o.Origins {
		if o == "*" || strings.EqualFold(o, origin) {
			return true
		}
	}
	return false
}

// serve reads messages until the socket is closed, from whichever side.
func (s *socket) serve() {
	defer func() {
		if p := recover(); p != nil {
			_ = s.h.recover(s.ctx, p)
		}
		s.h.o.Metrics.StreamClosed(overWebSocket)
		s.end()
		s.work.Wait()
		_ = s.conn.CloseNow() // closed already, most often
		s.mu.Lock()
		defer s.mu.Unlock()
		s.leave()
	}()
	if s.conn.Subprotocol() != subprotocol {
		s.close(closeSubprotocol, "Subprotocol not acceptable: speak "+subprotocol)
		return
	}
	init := time.AfterFunc(s.h.o.InitTimeout, func() { s.close(closeInitTimeout, "Connection initialisation timeout") })
	defer init.Stop()
	defer context.AfterFunc(s.h.streams.stopping, s.stop)()
	defer s.h.beat(s.beat)()
	initialised := false
	for {
		kind, text, err := s.conn.Read(s.ctx)
		if err != nil {
			return
		}
		if kind != websocket.MessageText {
			s.close(closeBadRequest, "Send text, not binary")
			return
		}
		m, why := parseMessage(text)
		switch {
		case why != "":
			s.close(closeBadRequest, why)
			return
		case m.kind == "connection_init" && initialised:
			s.close(closeTooManyInits, "Too many initialisation requests")
			return
		case m.kind == "connection_init":
			initialised = true
			init.Stop()
		}
		if code, why := s.take(m); code != 0 {
			s.close(code, why)
			return
		}
	}
}

// close tells the client why and closes.
func (s *socket) close(code websocket.StatusCode, why string) {
	const longest = 123 // bytes, in a close frame
	if len(why) > longest {
		why = strings.ToValidUTF8(why[:longest], "")
	}
	_ = s.conn.Close(code, why) // a client that does not answer is let go all the same
	s.end()
}

// stop ends the socket because the server stops: subscriptions at once, so that they are taken up elsewhere, and what else runs when it is done.
func (s *socket) stop() {
	s.mu.Lock()
	s.stopping = true
	s.mu.Unlock()
	s.work.Wait()
	s.close(closeGoingAway, stopping().Message)
}

// beat makes sure that the client is still there, and still somebody who may ask.
func (s *socket) beat() {
	ctx, cancel := context.WithTimeout(s.ctx, s.h.o.MessageTimeout)
	defer cancel()
	if err := s.conn.Ping(ctx); err != nil {
		s.end()
		_ = s.conn.CloseNow()
		return
	}
	if _, f := s.who(); lost(f) {
		s.close(closeCode(f), f.Message)
	}
}

// take does what a message asks for. A code says that the client broke the protocol, and why.
func (s *socket) take(m *message) (websocket.StatusCode, string) {
	switch m.kind {
	case "connection_init":
		return s.begin(m)
	case "ping":
		s.send(&message{kind: "pong", payload: m.payload})
	case "pong":
	case "subscribe":
		return s.subscribe(m)
	case "complete":
		s.mu.Lock()
		defer s.mu.Unlock()
		if cancel := s.running[m.id]; cancel != nil {
			cancel(nil)
			delete(s.running, m.id)
		}
	default:
		return closeBadRequest, "Unknown message type"
	}
	return 0, ""
}

// begin finds out who is there, and acknowledges the connection. A browser cannot send headers with a WebSocket, so that credentials may stand in the first message.
func (s *socket) begin(m *message) (websocket.StatusCode, string) {
	authorization, ok := m.authorization()
	if !ok {
		return closeBadRequest, "The payload of connection_init is an object, with authorization as a text"
	}
	s.mu.Lock()
	s.authorization = authorization
	s.mu.Unlock()
	v, f := s.who()
	if f != nil {
		return closeCode(f), f.Message
	}
	leave, ok := s.h.o.Streams.Open(v.Caller())
	if !ok {
		return closeTryAgain, tooManyStreams().Message
	}
	s.mu.Lock()
	s.leave()
	s.leave, s.viewer = leave, v
	s.mu.Unlock()
	s.send(&message{kind: "connection_ack"})
	return 0, ""
}

// who asks who is at the other end.
func (s *socket) who() (*auth.Viewer, *fault.Fault) {
	s.mu.Lock()
	authorization := s.authorization
	s.mu.Unlock()
	return s.h.recognize(s.ctx, s.r, authorization)
}

func closeCode(f *fault.Fault) websocket.StatusCode {
	switch f.Code {
	case fault.Unauthenticated:
		return closeUnauthorized
	case fault.Forbidden:
		return closeForbidden
	case fault.Overloaded:
		return closeTryAgain
	}
	return closeInternal
}

// subscribe starts an operation, of whatever kind.
func (s *socket) subscribe(m *message) (websocket.StatusCode, string) {
	in, why := parseOne(m.payload)
	if why != nil || m.id == "" {
		return closeBadRequest, "A subscribe message has an id, and a request as its payload"
	}
	in.events = true
	code, closing, f := s.start(m.id, in)
	if f != nil { // told by the goroutine that reads, so that whoever sends a flood of them is held up himself
		s.refuse(m.id, f)
	}
	return code, closing
}

// start starts an operation in a goroutine of its own, or tells why not: by a code that closes the socket, or by a fault that concerns the operation alone.
func (s *socket) start(id string, in *request) (websocket.StatusCode, string, *fault.Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	most := s.h.o.Limits.Operations
	switch {
	case s.viewer == nil:
		return closeUnauthorized, "Unauthorized", nil
	case s.running[id] != nil:
		return closeSubscriberThere, "Subscriber for " + id + " already exists", nil
	case s.stopping:
		return 0, "", stopping()
	case over(len(s.running)+1, most):
		return 0, "", fault.New(fault.RateLimited, "At most %d operations run on one connection at once. Complete one, or open another connection.", most)
	}
	ctx, cancel := context.WithCancelCause(telemetry.Part(s.ctx))
	s.running[id] = cancel
	s.work.Go(func() {
		defer cancel(nil)
		s.operate(ctx, cancel, id, in)
	})
	return 0, "", nil
}

// operate runs an operation and tells what comes of it.
func (s *socket) operate(ctx context.Context, cancel context.CancelCauseFunc, id string, in *request) {
	began := time.Now()
	defer func() {
		if p := recover(); p != nil {
			_ = s.h.recover(ctx, p)
			s.finish(id, &message{id: id, kind: "error", payload: s.h.errors(s.h.refuse(ctx, fault.Of(nil)))})
		}
	}()
	v, f := s.who()
	if lost(f) {
		go s.close(closeCode(f), f.Message) // which waits for this
		return
	}
	if f != nil {
		s.fail(id, s.h.refused(ctx, nil, f), began)
		return
	}
	ctx = auth.With(ctx, v)
	p, wrong := s.h.prepare(ctx, in)
	if wrong != nil {
		s.fail(id, wrong, began)
		return
	}
	t, f := s.h.enter(ctx, p, gate.Interactive)
	defer t.end()
	if f != nil {
		s.fail(id, s.h.turnedAway(ctx, p.op, f), began)
		return
	}
	if p.subscription() {
		defer context.AfterFunc(s.h.streams.stopping, func() { cancel(stopping()) })()
	}
	last := &answer{op: p.op}
	next := s.h.following(ctx, p, nil, t)
	for a := next(); a != nil && ctx.Err() == nil; a = next() {
		last = a
		var buf bytes.Buffer
		s.h.append(&buf, a)
		s.send(&message{id: id, kind: "next", payload: buf.Bytes()})
	}
	s.h.measureOperation(last, time.Since(began))
	s.h.o.Log.InfoContext(ctx, "operation", "ms", float64(time.Since(began).Microseconds())/1000, "statements", telemetry.RequestFrom(ctx).Statements())
	if ctx.Err() == nil { // else the client has completed it, or the socket ends
		s.finish(id, &message{id: id, kind: "complete"})
	}
}

// fail ends an operation that was not run.
func (s *socket) fail(id string, wrong *answer, began time.Time) {
	s.h.measure(wrong, time.Since(began))
	s.finish(id, &message{id: id, kind: "error", payload: s.h.errors(wrong.errs)})
}

// finish sends the last message of an operation. Its id is free before the client hears of it.
func (s *socket) finish(id string, m *message) {
	s.mu.Lock()
	delete(s.running, id)
	s.mu.Unlock()
	s.send(m)
}

// refuse answers an operation that is not run.
func (s *socket) refuse(id string, f *fault.Fault) {
	errs := s.h.refuse(s.ctx, f)
	s.h.measure(&answer{errs: errs}, 0)
	s.send(&message{id: id, kind: "error", payload: s.h.errors(errs)})
}

// send writes a message. A client that does not read it in time is let go.
func (s *socket) send(m *message) {
	ctx, cancel := context.WithTimeout(s.ctx, s.h.o.MessageTimeout)
	defer cancel()
	if err := s.conn.Write(ctx, websocket.MessageText, m.bytes()); err != nil {
		s.end()
	}
}
