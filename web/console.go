// Package web serves the console: pages that are part of the program itself, with nothing from another host.
package web

import (
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path"
	"slices"
	"strings"
)

//go:embed all:dist
var embedded embed.FS

// contentSecurityPolicy lets the page load scripts, styles and data of this origin alone, and turns text into script nowhere.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

// pages are the addresses the console's router knows; every other one gets the same page, which then says "not found", with status 404.
func pages() []string { return []string{"/", "/explore", "/sign-in"} }

// Options say where the console's files come from.
type Options struct {
	// Dir is a folder on disk that is read anew at each request, for work on the console. Empty means the embedded files.
	Dir string
}

// Handler serves the console's pages, and its assets under an address that changes with their content.
// It answers whatever it is asked, so it belongs at the end of a mux, under "/".
func Handler(opts Options) http.Handler {
	if opts.Dir != "" {
		return &console{immutable: false, load: func() (*bundle, error) {
			b, err := read(os.DirFS(opts.Dir))
			if err != nil {
				return nil, fmt.Errorf("console folder %s: %w", opts.Dir, err)
			}
			return b, nil
		}}
	}
	b, err := embeddedBundle()
	return &console{immutable: true, load: func() (*bundle, error) { return b, err }}
}

func embeddedBundle() (*bundle, error) {
	dist, err := fs.Sub(embedded, "dist")
	if err != nil {
		return nil, err
	}
	return read(dist)
}

type console struct {
	immutable bool
	load      func() (*bundle, error)
}

func (c *console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "The console answers GET and HEAD.", http.StatusMethodNotAllowed)
		return
	}
	b, err := c.load()
	if err != nil {
		http.Error(w, err.Error()+"; run `npm run build` in web/", http.StatusServiceUnavailable)
		return
	}
	if name, ok := strings.CutPrefix(r.URL.Path, "/assets/"); ok {
		c.asset(w, r, b, name)
		return
	}
	c.page(w, r, b)
}

// asset serves one file of the bundle. Another bundle's hash is not found: its files would not fit those of this one.
func (c *console) asset(w http.ResponseWriter, r *http.Request, b *bundle, name string) {
	hash, name, _ := strings.Cut(name, "/")
	f := b.files[name]
	if f == nil || hash != b.hash {
		http.Error(w, "No such file in this version of the console; reload the page.", http.StatusNotFound)
		return
	}
	w.Header().Set("Cache-Control", "no-cache")
	if c.immutable {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
	f.serve(w, r, http.StatusOK)
}

func (c *console) page(w http.ResponseWriter, r *http.Request, b *bundle) {
	h := w.Header()
	h.Set("Content-Security-Policy", contentSecurityPolicy)
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-cache")
	status := http.StatusOK
	if !slices.Contains(pages(), r.URL.Path) {
		status = http.StatusNotFound
	}
	b.index.serve(w, r, status)
}

// contentType is told here and not by the machine's own table, which differs from one to the next.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".txt":
		return "text/plain; charset=utf-8"
	}
	return "application/octet-stream"
}
