package graph

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"carbongraph/internal/auth"
	"carbongraph/internal/fault"
)

const (
	// heartbeat is how often a stream shows that it is alive: below the minute after which proxies close what is silent.
	heartbeat = 15 * time.Second
	// messageTimeout is how long a client may take to read one message of a stream. One who does not read is let go, so that nothing piles up for him.
	messageTimeout = 10 * time.Second
	// initTimeout is how long a WebSocket may take to say who is there.
	initTimeout = 10 * time.Second
)

// How answers are told as they come, in the metrics.
const (
	overWebSocket = "websocket"
	overEvents    = "sse"
)

// streams are the connections on which answers are told as they come. All of them end when the server stops, with the reason.
type streams struct {
	stopping context.Context
	stop     context.CancelFunc
	all      context.Context // what WebSockets run in: they outlive the request that they began as
	abort    context.CancelFunc
	mu       sync.Mutex // none begins while they are told to end
	open     sync.WaitGroup
}

func newStreams() *streams {
	s := &streams{}
	s.stopping, s.stop = context.WithCancel(context.Background())
	s.all, s.abort = context.WithCancel(context.Background())
	return s
}

// begin counts a stream as open until end is called. It is false where the server is stopping.
func (s *streams) begin() (end func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping.Err() != nil {
		return nil, false
	}
	s.open.Add(1)
	return s.open.Done, true
}

// Stop ends the streams with a reason and waits until they have ended. What runs on them beside subscriptions is let end, until the context does.
func (h *Handler) Stop(ctx context.Context) error {
	h.streams.mu.Lock()
	h.streams.stop()
	h.streams.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		h.streams.open.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		h.streams.abort()
		<-ended
		return ctx.Err()
	}
}

func stopping() *fault.Fault {
	return fault.New(fault.Overloaded, "The server is stopping. Connect again.").After(time.Second)
}

// tooManyStreams says that a caller has as many streams as it may have. When one of them ends is for the caller to say.
func tooManyStreams() *fault.Fault {
	return fault.New(fault.RateLimited, "Too many streams are open for this key. Close one of them, or put several operations on one WebSocket.").After(time.Second)
}

// beat calls f at each heartbeat, never twice at once, until it is stopped, which waits for a call that runs. There is no goroutine in between.
func (h *Handler) beat(f func()) (stop func()) {
	var mu sync.Mutex
	stopped := false
	var timer *time.Timer
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(h.o.Heartbeat, func() {
		mu.Lock()
		defer mu.Unlock()
		if stopped {
			return
		}
		f()
		timer.Reset(h.o.Heartbeat)
	})
	return func() {
		mu.Lock()
		defer mu.Unlock()
		stopped = true
		timer.Stop()
	}
}

// recognize asks again who is at the other end of a stream, which may outlive a key. The fault says why it has to end. A database that is away for a
// moment ends no stream.
func (h *Handler) recognize(ctx context.Context, r *http.Request, authorization string) (*auth.Viewer, *fault.Fault) {
	v, err := h.o.Viewer(r, authorization)
	if err == nil {
		return v, nil
	}
	f := fault.Of(err)
	if f.Code == fault.Internal {
		h.o.Log.ErrorContext(ctx, "not authenticated", "err", err)
	}
	return nil, f
}

// lost tells whether a fault says that somebody may no longer ask.
func lost(f *fault.Fault) bool {
	return f != nil && (f.Code == fault.Unauthenticated || f.Code == fault.Forbidden)
}

// subscribe starts a subscription. Each call of what it gives waits for the next event and answers it; nil: there is nothing more. A subscription that could not
// start answers once, with the reason.
func (h *Handler) subscribe(ctx context.Context, p *prepared) (next func() *answer) {
	handle, ctx := h.exec.DispatchOperation(h.o.Begin(graphql.StartOperationTrace(ctx), p.plan, p.vars), h.operationContext(p))
	return func() *answer {
		e := &event{limit: h.o.Timeout}
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		e.cancel = cancel
		defer e.disarm()
		res := handle(h.o.Begin(context.WithValue(ctx, eventKey{}, e), p.plan, p.vars)) // its own loaders: what an event shows was read after it
		switch {
		case res == nil:
			return nil
		case errors.Is(context.Cause(ctx), context.DeadlineExceeded) && len(res.Errors) > 0:
			return h.refused(ctx, p.op, h.timeout())
		}
		return &answer{op: p.op, data: res.Data, errs: capped(res.Errors), actual: p.plan.Actual(res.Data, p.vars)}
	}
}

// event is one of a subscription while its answer is made. The time that this may take begins with its first field: until then it is being waited for.
type event struct {
	limit  time.Duration
	cancel context.CancelCauseFunc
	once   sync.Once
	timer  *time.Timer
}

type eventKey struct{}

func (e *event) arm() {
	if e.limit > 0 {
		e.once.Do(func() { e.timer = time.AfterFunc(e.limit, func() { e.cancel(context.DeadlineExceeded) }) })
	}
}

func (e *event) disarm() {
	e.once.Do(func() {})
	if e.timer != nil {
		e.timer.Stop()
	}
}
