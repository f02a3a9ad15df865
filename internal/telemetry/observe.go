package telemetry

import (
	"context"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"

	"carbongraph/internal/fault"
)

// RequestIDHeader carries a request's id, both ways.
const RequestIDHeader = "X-Request-Id"

// Observe gives each request an id, measures it, writes its line in the log, and turns a panic into INTERNAL.
// The line holds what was asked for, how long it took and what it cost, never a variable, a key or a value.
func Observe(m *HTTP, log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		defer m.Begin()()
		req := &Request{ID: requestID(r.Header.Get(RequestIDHeader))}
		r = r.WithContext(WithRequest(r.Context(), req))
		rec := &recorder{ResponseWriter: w}
		rec.Header().Set(RequestIDHeader, req.ID)
		defer func() {
			p := recover()
			if p == http.ErrAbortHandler {
				panic(p)
			}
			if p != nil {
				log.ErrorContext(r.Context(), "panic", "panic", p, "stack", string(debug.Stack()))
				if rec.status == 0 {
					fault.WriteProblem(rec, http.StatusInternalServerError, fault.Of(nil), req.ID)
				}
			}
			finish(r.Context(), m, log, r, rec, time.Since(began))
			if p != nil && rec.status != http.StatusInternalServerError {
				panic(http.ErrAbortHandler) // the answer had begun: break it off rather than let it look whole
			}
		}()
		next.ServeHTTP(rec, r)
	})
}

func finish(ctx context.Context, m *HTTP, log *slog.Logger, r *http.Request, rec *recorder, took time.Duration) {
	status, route := rec.status, route(r.Pattern)
	if status == 0 {
		status = http.StatusOK
	}
	m.Request(route, r.Method, status, took)
	level := slog.LevelInfo
	if status >= 500 {
		level = slog.LevelError
	}
	if h, ok := log.Handler().(*inContext); ok && h.lines != nil && level == slog.LevelInfo {
		if h.Enabled(ctx, level) {
			h.lines.request(RequestFrom(ctx), knownMethod(r.Method), route, status, took, rec.bytes)
		}
		return
	}
	log.LogAttrs(ctx, level, "request",
		slog.String("method", knownMethod(r.Method)), slog.String("route", route), slog.Int("status", status),
		slog.Float64("ms", float64(took.Microseconds())/1000), slog.Int64("bytes", rec.bytes),
		slog.Int64("statements", RequestFrom(ctx).Statements()))
}

// route is the pattern that answered, without its method; "none" where nothing did.
func route(pattern string) string {
	if _, path, ok := strings.Cut(pattern, " "); ok {
		pattern = path
	}
	if pattern == "" {
		return "none"
	}
	return pattern
}

// requestID keeps a client's id when it is plain, and makes one otherwise.
func requestID(sent string) string {
	plain := strings.IndexFunc(sent, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.'
	}) < 0
	if plain && len(sent) >= 8 && len(sent) <= 64 {
		return sent
	}
	return uuid.Must(uuid.NewV7()).String()
}

// recorder notes the status and the size of an answer.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader notes the first final status.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write counts what goes out.
func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach what is below.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Flush sends what was written until now.
func (r *recorder) Flush() { http.NewResponseController(r.ResponseWriter).Flush() }
