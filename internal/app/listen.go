package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"sync/atomic"
	"syscall"
	"time"

	"carbongraph/internal/fault"
	"carbongraph/internal/telemetry"
)

// drain is how long requests that run may take to end once the server is told to stop.
const drain = 10 * time.Second

// listener is one address that is listened on, before anything is served on it: so that a port in use is known before a database is touched.
type listener struct {
	net.Listener
	server *http.Server
}

// listen takes an address. The setting and the flag are what to change when it is taken.
func listen(address, setting, flag string) (*listener, error) {
	l, err := net.Listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fault.Wrap(err, fault.Conflict, "The address %s is in use. Stop what listens there, or choose another with %s or %s.", address, setting, flag)
	case errors.Is(err, syscall.EACCES):
		return nil, fault.Wrap(err, fault.Forbidden, "The address %s is not open to this user. Choose a port above 1023 with %s or %s.", address, setting, flag)
	case err != nil:
		return nil, fault.Wrap(err, fault.BadUserInput, "The address %s cannot be listened on. Choose another with %s or %s.", address, setting, flag)
	}
	return &listener{Listener: l}, nil
}

// serve answers on the listener until close is called.
func (l *listener) serve(h http.Handler, log *slog.Logger) {
	l.server = &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	go func() {
		if err := l.server.Serve(l.Listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
			log.Error("listener ended", "address", l.Addr().String(), "err", err)
		}
	}()
}

// close lets running requests end, for a while, and takes no new ones.
func (l *listener) close() error {
	if l.server == nil {
		return l.Listener.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	if err := l.server.Shutdown(ctx); err != nil {
		return errors.Join(err, l.server.Close())
	}
	return nil
}

// admin serves what operators read: metrics, profiles, and a sign of life.
func admin(tel *telemetry.Telemetry) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", tel.Handler())
	mux.HandleFunc("GET /healthz", healthy)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}

func healthy(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]string{"status": "up"})
}

// stopping tells readiness that the server takes no more requests.
type stopping struct{ atomic.Bool }
