package app

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/klauspost/compress/gzhttp"
	"github.com/rs/cors"

	"carbongraph/graph"
	"carbongraph/internal/auth"
	"carbongraph/internal/fault"
	"carbongraph/internal/telemetry"
	"carbongraph/store"
)

// public is what the public listener answers with.
type public struct {
	store   *store.Store
	door    *auth.Door
	graphql http.Handler
	refuse  auth.Refuse // of GraphQL
	console http.Handler
	sdl     string
	redis   func(context.Context) string
	warm    func(context.Context) bool // the start's warming is over, or has taken as long as it may
	imports *imports
	exports *exports
	stop    *stopping
	origins []string // whose pages may ask from a browser
}

// routes puts each address in its place. Whatever is not listed is the console's.
func (p *public) routes() http.Handler {
	mux := http.NewServeMux()
	elsewhere := p.elsewhere()
	mux.Handle("/graphql", elsewhere(p.ask()))
	mux.HandleFunc("POST /session", p.door.SignIn)
	mux.HandleFunc("DELETE /session", p.door.SignOut)
	mux.Handle("GET /session", p.door.Require(http.HandlerFunc(p.whoAmI), refuse))
	files := elsewhere(p.door.Require(p.imports.routes(), refuse))
	mux.Handle("/imports", files)
	mux.Handle("/imports/", files)
	mux.Handle("/exports/", elsewhere(p.door.Require(p.exports.routes(), refuse)))
	mux.Handle("GET /schema.graphql", elsewhere(http.HandlerFunc(p.schema)))
	mux.HandleFunc("GET /errors/{code}", explain)
	mux.HandleFunc("GET /healthz", healthy)
	mux.HandleFunc("GET /readyz", p.ready)
	mux.Handle("/", p.console)
	return mux
}

// ask is GraphQL, for those who show who they are. Over a WebSocket that may come after the handshake.
func (p *public) ask() http.Handler {
	known, invited := p.door.Require(p.graphql, p.refuse), p.door.Invite(p.graphql, p.refuse)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if graph.Upgrades(r) {
			invited.ServeHTTP(w, r)
			return
		}
		known.ServeHTTP(w, r)
	})
}

// elsewhere lets pages of other origins ask, by CORS, where there are such. They ask by key: the session's cookie is not for them.
func (p *public) elsewhere() func(http.Handler) http.Handler {
	if len(p.origins) == 0 {
		return func(next http.Handler) http.Handler { return next }
	}
	return cors.New(cors.Options{
		AllowedOrigins: p.origins, AllowedMethods: []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut},
		AllowedHeaders: []string{"Accept", "Authorization", "Content-Type", "Cache-Control", "Carbongraph-Version", "GraphQL-Cache", "GraphQL-Cost", "Idempotency-Key", "If-None-Match", "Priority", telemetry.RequestIDHeader},
		ExposedHeaders: []string{telemetry.RequestIDHeader, "Content-Disposition", "Location", "Retry-After", "RateLimit", "RateLimit-Policy", "GraphQL-Cost", "ETag", "Age", "Cache-Status", "Carbongraph-As-Of", "Carbongraph-Version"},
		MaxAge:         600,
	}).Handler
}

// outside is what stands around the routes: request id, measure and log, then headers, then compression, which GraphQL does for itself.
func outside(routes http.Handler, tel *telemetry.Telemetry, log *slog.Logger) (http.Handler, error) {
	compress, err := gzhttp.NewWrapper(gzhttp.MinSize(1024), gzhttp.EnableZstd(true), gzhttp.SuffixETag(compressedTag),
		gzhttp.ExceptContentTypes([]string{"text/event-stream", "multipart/mixed", "application/vnd.apache.parquet"}))
	if err != nil {
		return nil, err
	}
	compressed := plainTags(compress(routes))
	return telemetry.Observe(tel.HTTP, log, safeHeaders(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if graph.Upgrades(r) || r.URL.Path == "/graphql" { // the connection itself is handed over, or the answer is kept packed
			routes.ServeHTTP(w, r)
			return
		}
		compressed.ServeHTTP(w, r)
	}))), nil
}

// compressedTag marks the ETag of a compressed answer, which must differ from that of the plain one; the coding's name follows it.
const compressedTag = "-c"

// plainTags takes the mark off again on the way in: whoever made the answer knows its own ETag alone.
func plainTags(next http.Handler) http.Handler {
	marks := strings.NewReplacer(compressedTag+`-gzip"`, `"`, compressedTag+`-zstd"`, `"`)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tags := r.Header.Values("If-None-Match"); len(tags) > 0 {
			r.Header.Set("If-None-Match", marks.Replace(strings.Join(tags, ", ")))
		}
		next.ServeHTTP(w, r)
	})
}

// safe are the headers of an answer that is no page, made once: nobody may change the lists.
var safe = map[string][]string{
	"X-Content-Type-Options":       {"nosniff"},
	"Referrer-Policy":              {"same-origin"},
	"Cross-Origin-Opener-Policy":   {"same-origin"},
	"Cross-Origin-Resource-Policy": {"same-origin"},
	"Content-Security-Policy":      {"default-src 'none'; frame-ancestors 'none'"},
}

// hsts keeps browsers that came by TLS from ever coming without it.
var hsts = []string{"max-age=31536000"}

// safeHeaders sets them. The console sets its own policy over them.
func safeHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), safe)
		if auth.Encrypted(r) {
			w.Header()["Strict-Transport-Security"] = hsts
		}
		next.ServeHTTP(w, r)
	})
}

// refuse answers a REST request with its fault.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	f, id := fault.Of(err), ""
	if req := telemetry.RequestFrom(r.Context()); req != nil {
		id = req.ID
	}
	fault.WriteProblem(w, f.Code.Status(), f, id)
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body) // a client that is gone needs no answer
}

// whoAmI tells the console who is signed in.
func (p *public) whoAmI(w http.ResponseWriter, r *http.Request) {
	v := auth.From(r.Context())
	org, err := p.store.Tenant(v.Org).Organization(r.Context())
	if err != nil {
		refuse(w, r, err)
		return
	}
	reply(w, http.StatusOK, map[string]string{"organization": org.Name, "role": string(v.Role), "keyName": v.KeyName})
}

// schema serves the SDL, also where introspection is off.
func (p *public) schema(w http.ResponseWriter, r *http.Request) {
	sum := sha256.Sum256([]byte(p.sdl))
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", `"`+base64.RawURLEncoding.EncodeToString(sum[:12])+`"`)
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(p.sdl))
}

// explain is the page that the type of a problem points at.
func explain(w http.ResponseWriter, r *http.Request) {
	for _, c := range fault.Codes() {
		if string(c) == r.PathValue("code") {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.Write([]byte(string(c) + "\n" + c.Title() + ".\n\n" + c.Advice() + "\n"))
			return
		}
	}
	refuse(w, r, fault.New(fault.NotFound, "There is no such code."))
}

// warmPatience is how long one question waits for the end of the start's warming.
const warmPatience = time.Second

// ready tells whether requests can be answered: the database is reachable and migrated, and what is asked most is kept, unless that takes longer than a start may. Redis only
// degrades.
func (p *public) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if err := p.notReady(ctx); err != nil {
		refuse(w, r, err)
		return
	}
	reply(w, http.StatusOK, map[string]string{"status": "ready", "database": p.store.Dialect(), "redis": p.redis(ctx)})
}

func (p *public) notReady(ctx context.Context) error {
	if p.stop.Load() {
		return fault.New(fault.Overloaded, "The server is stopping.")
	}
	if p.store.Ping(ctx) != nil {
		return fault.New(fault.Overloaded, "The database cannot be reached.")
	}
	all, err := p.store.Migrations(ctx)
	if err != nil {
		return fault.New(fault.Overloaded, "The database cannot be read.")
	}
	for _, m := range all {
		if !m.Applied {
			return fault.New(fault.Overloaded, "The database lacks migration %s.", m.Name)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, warmPatience)
	defer cancel()
	if !p.warm(ctx) {
		return fault.New(fault.Overloaded, "The server fills its caches.").After(warmPatience)
	}
	return nil
}
