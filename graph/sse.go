package graph

import (
	"bytes"
	"context"
	"net/http"
	"sync"
	"time"

	"carbongraph/internal/auth"
	"carbongraph/internal/fault"
)

// What is sent beside answers, in the words of GraphQL over server-sent events in distinct connections. An event without data would not be told to those
// who listen by EventSource, so the last one has an empty line of them. What begins with a colon nobody is told.
var (
	eventNext     = []byte("event: next\ndata: ")
	eventEnd      = []byte("\n\n")
	eventComplete = []byte("event: complete\ndata:\n\n")
	eventAlive    = []byte(":\n\n")
)

// sent is a connection by which events go out.
type sent struct {
	mu sync.Mutex
	w  http.ResponseWriter
	rc *http.ResponseController
	// limit is how long the client may take to read what is written.
	limit time.Duration
	err   error // the client is gone, or reads nothing
}

func (s *sent) write(parts ...[]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	if s.err = s.rc.SetWriteDeadline(time.Now().Add(s.limit)); s.err != nil {
		return s.err
	}
	for _, b := range parts {
		if _, s.err = s.w.Write(b); s.err != nil {
			return s.err
		}
	}
	s.err = s.rc.Flush()
	return s.err
}

// events answers by server-sent events: a subscription as long as it lasts, anything else with one event. What is wrong with the operation is told by an event too,
// for a browser hides the body of any other answer from whoever listens to events.
func (h *Handler) events(w http.ResponseWriter, r *http.Request, p *prepared, wrong *answer, t *turn) {
	if p != nil && p.subscription() {
		leave, ok := h.o.Streams.Open(auth.From(r.Context()).Caller())
		if !ok {
			h.Refuse(w, r, tooManyStreams())
			return
		}
		defer leave()
		end, ok := h.streams.begin()
		if !ok {
			h.Refuse(w, r, stopping())
			return
		}
		defer end()
	}
	s := &sent{w: w, rc: http.NewResponseController(w), limit: h.o.MessageTimeout}
	header := w.Header()
	header["Content-Type"] = []string{mediaEvents + "; charset=utf-8"}
	header["Cache-Control"] = []string{"private, no-store"}
	header["X-Accel-Buffering"] = []string{"no"} // nginx would hold them back
	varies(header)
	if t != nil {
		t.tell(header)
	}
	if err := s.rc.SetReadDeadline(time.Time{}); err != nil { // the request is read; its deadline is not for the stream
		h.o.Log.WarnContext(r.Context(), "the deadline of a stream stands", "err", err)
	}
	if r.Method == http.MethodHead {
		w.WriteHeader(http.StatusOK)
		return
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	if p != nil && p.subscription() {
		h.o.Metrics.StreamOpened(overEvents)
		defer h.o.Metrics.StreamClosed(overEvents)
		defer context.AfterFunc(h.streams.stopping, func() { cancel(stopping()) })()
	}
	defer h.beat(func() {
		if s.write(eventAlive) != nil {
			cancel(nil)
		}
		if _, f := h.recognize(ctx, r, ""); lost(f) {
			cancel(f)
		}
	})()
	if s.write(eventAlive) != nil { // so that the client knows at once that it is heard
		return
	}
	began := time.Now()
	next := h.following(ctx, p, wrong, t)
	var buf bytes.Buffer
	var last *answer
	for a := next(); a != nil; a = next() {
		buf.Reset()
		h.append(&buf, a)
		if last = a; s.write(eventNext, buf.Bytes(), eventEnd) != nil {
			break
		}
	}
	if f := reason(ctx); f != nil {
		buf.Reset()
		h.append(&buf, &answer{errs: h.refuse(ctx, f)})
		if s.write(eventNext, buf.Bytes(), eventEnd) != nil {
			return
		}
	}
	if last == nil {
		last = &answer{op: p.op}
	}
	h.measureOperation(last, time.Since(began))
	_ = s.write(eventComplete) // a client that is gone needs no end
}

// following gives the answers to a request one after the other, nil after the last.
func (h *Handler) following(ctx context.Context, p *prepared, wrong *answer, t *turn) func() *answer {
	switch {
	case wrong != nil:
		return once(func() *answer {
			h.countErrors(wrong)
			return wrong
		})
	case !p.subscription():
		return once(func() *answer {
			defer t.end()
			a := t.answer(ctx, p, &conditions{})
			h.countErrors(a)
			return a
		})
	}
	next := h.subscribe(ctx, p)
	t.leave() // its place is for others while it waits
	return func() *answer {
		a := next()
		if a != nil {
			t.event(a)
			h.countErrors(a)
		}
		return a
	}
}

func once(f func() *answer) func() *answer {
	done := false
	return func() *answer {
		if done {
			return nil
		}
		done = true
		return f()
	}
}

// reason is why the server ended a stream, nil where it did not.
func reason(ctx context.Context) *fault.Fault {
	if f, ours := context.Cause(ctx).(*fault.Fault); ours {
		return f
	}
	return nil
}
