package app

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"carbongraph/graph"
	"carbongraph/internal/auth"
	"carbongraph/internal/batch"
	"carbongraph/internal/broker"
	"carbongraph/internal/config"
	"carbongraph/internal/estimate"
	"carbongraph/internal/gate"
	"carbongraph/internal/match"
	"carbongraph/internal/telemetry"
	"carbongraph/store"
	"carbongraph/web"
)

// Options are what a server is made of.
type Options struct {
	Config        *config.Config
	Log           *slog.Logger
	Introspection bool   // for everybody; ADMIN always may
	ConsoleDir    string // the console's files on disk; empty: those inside the program
	ListenFlag    string // the flags that change the addresses, for messages
	AdminFlag     string
}

// App is a server, opened: its rooms in order, not yet answering.
type App struct {
	Store    *store.Store
	Sessions *auth.Sessions
	Keys     *auth.Keys
	Tokens   *auth.Tokens // nil where JWTs are not accepted

	o         Options
	tel       *telemetry.Telemetry
	caches    *caches
	importer  *batch.Importer
	estimator *estimate.Estimator
	batches   *batch.Background
	jobs      http.Handler // what an operator sees of batches
	matcher   *match.Shelf
	broker    *broker.Broker
	rate      *gate.Rate
	admission *gate.Admission
	asked     atomic.Uint64 // operations that somebody waits for, so far
	public    *listener
	admin     *listener
	handler   func() (*public, error)
	stop      *stopping
	streams   func(context.Context) error // ends them
	closers   []closer
}

// closer is something that was opened, and how it is closed.
type closer struct {
	what  string
	close func() error
}

// New opens what a server needs. What was opened before something failed is closed again.
func New(ctx context.Context, o Options) (*App, error) {
	a := &App{o: o, tel: telemetry.New(), stop: &stopping{}}
	if err := a.open(ctx); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

// open takes the addresses first, so that a port in use is told before a database is touched.
func (a *App) open(ctx context.Context) (err error) {
	c := a.o.Config
	if a.public, err = listen(c.ListenAddr, "LISTEN_ADDR", a.o.ListenFlag); err != nil {
		return err
	}
	if a.admin, err = listen(c.AdminAddr, "ADMIN_ADDR", a.o.AdminFlag); err != nil {
		return err
	}
	redis, err := openRedis(ctx, c.RedisURL, a.o.Log)
	if err != nil {
		return err
	}
	if redis != nil {
		a.opened("redis", redis.Close)
	}
	a.caches = a.newCaches(redis)
	a.opened("caches", a.caches.close)
	committed := func(org store.ID) { a.caches.versions.Committed(org) }
	if a.Store, err = open(ctx, store.Options{Log: a.o.Log, Metrics: a.tel.Store, Committed: committed, ReplicaURLs: c.ReplicaURLs}, c); err != nil {
		return err
	}
	a.opened("database", a.Store.Close)
	a.opened("versions", a.caches.run(ctx))
	a.bound(ctx, redis)
	a.Sessions = auth.NewSessions(nil)
	a.Keys = auth.NewKeys(auth.Options{Lookup: a.Store.KeyByPrefix, Touch: a.Store.TouchKeys, Log: a.o.Log})
	a.opened("keys", background(ctx, a.Keys.Run))
	if a.Tokens = a.tokens(); a.Tokens != nil {
		a.opened("tokens", background(ctx, a.Tokens.Run))
	}
	a.opened("reference", background(ctx, a.Store.HoldReference))
	if err = a.calculating(); err != nil {
		return err
	}
	a.sources()
	if err = a.inBackground(ctx); err != nil {
		return err
	}
	a.handler = func() (*public, error) {
		return a.routes(ctx, func(ctx context.Context) string { return stateOf(ctx, redis) })
	}
	return nil
}

// bound makes the bounds of what callers may spend and of what runs at once. Points are counted in Redis where there is one.
func (a *App) bound(ctx context.Context, client *redis.Client) {
	c := a.o.Config
	o := gate.RateOptions{Points: c.RateLimit, Log: a.o.Log, Metrics: a.tel.Gate}
	if client != nil {
		o.Redis = client
	}
	if a.rate = gate.NewRate(o); a.rate != nil {
		a.opened("points", background(ctx, a.rate.Run))
	}
	a.admission = gate.NewAdmission(gate.AdmissionOptions{Most: c.Limits.InFlight, Patience: c.Limits.Wait, Metrics: a.tel.Gate, Log: a.o.Log})
}

func (a *App) opened(what string, close func() error) {
	a.closers = append(a.closers, closer{what, close})
}

// background runs f until close is called, which waits for its end.
func background(ctx context.Context, f func(context.Context)) (close func() error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var wait sync.WaitGroup
	wait.Go(func() { f(ctx) })
	return func() error {
		cancel()
		wait.Wait()
		return nil
	}
}

// routes makes what the public listener answers with.
func (a *App) routes(ctx context.Context, redis func(context.Context) string) (*public, error) {
	schema, err := a.schema()
	if err != nil {
		return nil, err
	}
	door := &auth.Door{Keys: a.Keys, Tokens: a.Tokens, Sessions: a.Sessions, Refuse: refuse}
	gql := graph.New(graph.Options{
		Schema: schema, Short: a.shortWay(), Ledger: a.ledger, Begin: a.begin, Scalars: scalars(), Introspection: a.o.Introspection,
		Limits: limits(a.o.Config.Limits), Timeout: a.o.Config.Limits.Timeout, Log: a.o.Log, Metrics: a.tel.GraphQL,
		Answered: func(ctx context.Context, keys []string) (bool, error) {
			return a.Store.Tenant(auth.From(ctx).Org).Answered(ctx, keys)
		},
		Asked:     func() { a.asked.Add(1) },
		Responses: a.responses(), Documents: a.caches.documents,
		Viewer: door.Who, Rate: a.rate, Points: a.o.Config.RateLimit, Period: time.Minute, Admission: a.admission,
		Streams: gate.NewStreams(a.o.Config.Limits.Streams), Origins: a.o.Config.CORSOrigins,
	})
	a.streams = gql.Stop
	a.warm(ctx, gql)
	return &public{
		store:   a.Store,
		door:    door,
		graphql: gql,
		refuse:  gql.Refuse,
		console: web.Handler(web.Options{Dir: a.o.ConsoleDir}),
		sdl:     graph.SDL(schema.Schema()),
		redis:   redis,
		warm:    a.settled,
		imports: &imports{store: a.Store, importer: a.importer, rate: a.rate, begun: a.batches.Wake, patience: a.o.Config.Timeouts.Request},
		exports: &exports{store: a.Store, importer: a.importer, patience: a.o.Config.Timeouts.Request},
		stop:    a.stop,
		origins: a.o.Config.CORSOrigins,
	}, nil
}

// Serve answers until the context ends, and then lets running requests end.
func (a *App) Serve(ctx context.Context) error {
	if err := a.Start(); err != nil {
		return err
	}
	<-ctx.Done()
	return a.Close()
}

// Start begins to answer.
func (a *App) Start() error {
	p, err := a.handler()
	if err != nil {
		return err
	}
	h, err := outside(p.routes(), a.tel, a.o.Log)
	if err != nil {
		return err
	}
	// A profile of the admin listener takes as long as it is asked to.
	a.admin.serve(admin(a.tel, a.jobs, a.caching(p.redis)), config.Timeouts{Header: a.o.Config.Timeouts.Header, Idle: a.o.Config.Timeouts.Idle}, a.o.Log)
	a.public.serve(h, a.o.Config.Timeouts, a.o.Log)
	return nil
}

// Address is where the server answers.
func (a *App) Address() string { return a.public.Addr().String() }

// AdminAddress is where the admin listener answers.
func (a *App) AdminAddress() string { return a.admin.Addr().String() }

// Close stops. First the server is not ready, so that nothing more is sent to it. Then it takes no new requests, and those that run get some time to end; streams end
// with a reason. Then what they stood on is closed, in reverse. What fails is logged, and the rest is closed all the same.
func (a *App) Close() error {
	a.stop.Store(true)
	t := a.o.Config.Timeouts
	if a.streams != nil {
		time.Sleep(t.StopDelay)
	}
	ctx, cancel := within(t.Stop)
	defer cancel()
	all := a.closers
	if l := a.admin; l != nil {
		all = append(all, closer{l.Addr().String(), func() error { return l.close(ctx, nothing) }})
	}
	if l := a.public; l != nil {
		all = append(all, closer{l.Addr().String(), func() error { return l.close(ctx, a.streams) }})
	}
	var errs []error
	for _, c := range slices.Backward(all) {
		if err := c.close(); err != nil {
			a.o.Log.Warn("not closed cleanly", "what", c.what, "err", err)
			errs = append(errs, err)
		}
	}
	a.closers, a.admin, a.public, a.streams = nil, nil, nil, nil
	return errors.Join(errs...)
}

func nothing(context.Context) error { return nil }

// within is a context of so much time; 0: of any.
func within(d time.Duration) (context.Context, context.CancelFunc) {
	if d == 0 {
		return context.WithCancel(context.Background())
	}
	return context.WithTimeout(context.Background(), d)
}
