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

	"carbongraph/internal/config"
	"carbongraph/internal/fault"
	"carbongraph/internal/telemetry"
)

// listener is one address that is listened on, before anything is served on it: so that a port in use is known before a database is touched.
type listener struct {
	net.Listener
	server *http.Server
	abort  context.CancelFunc // ends every request that runs
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

// serve answers on the listener until close is called. Streams are bounded message by message instead, and set their own deadlines.
func (l *listener) serve(h http.Handler, t config.Timeouts, log *slog.Logger) {
	base, abort := context.WithCancel(context.Background())
	l.abort = abort
	l.server = &http.Server{
		Handler:           h,
		ReadHeaderTimeout: t.Header,
		ReadTimeout:       t.Request,
		WriteTimeout:      t.Request + t.Response, // it counts from the header on
		IdleTimeout:       t.Idle,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		BaseContext:       func(net.Listener) context.Context { return base },
	}
	go func() {
		if err := l.server.Serve(l.Listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
			log.Error("listener ended", "address", l.Addr().String(), "err", err)
		}
	}()
}

// close takes no new requests and lets those that run end, until the context does: then they are broken off. Streams, which would never end, are told to.
func (l *listener) close(ctx context.Context, streams func(context.Context) error) error {
	if l.server == nil {
		return l.Listener.Close()
	}
	defer l.abort()
	ended := make(chan error, 1)
	go func() { ended <- streams(ctx) }()
	err := errors.Join(l.server.Shutdown(ctx), <-ended)
	if err != nil {
		l.abort()
		err = errors.Join(err, l.server.Close())
	}
	return err
}

// admin serves what operators read: metrics, profiles, jobs, caches, and a sign of life.
func admin(tel *telemetry.Telemetry, jobs, caches http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", tel.Handler())
	mux.HandleFunc("GET /healthz", healthy)
	mux.Handle(jobsPath+"/", jobs)
	mux.Handle(cachesPath, caches)
	mux.Handle(cachesPath+"/", caches)
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
