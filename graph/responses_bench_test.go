package graph_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"carbongraph/internal/auth"
)

// nowhere takes an answer and keeps nothing of it.
type nowhere struct {
	header http.Header
	status int
	bytes  int
}

func (w *nowhere) Header() http.Header { return w.header }

func (w *nowhere) WriteHeader(status int) { w.status = status }

func (w *nowhere) Write(b []byte) (int, error) {
	w.bytes += len(b)
	return len(b), nil
}

// What a kept answer, and one that the client has already, cost from the request to the bytes, without the server of net/http around it. Goals: 15 and 8 µs.
func BenchmarkKeptAnswers(b *testing.B) {
	k := newKeeping(b)
	ctx, stop := context.WithCancel(b.Context())
	var running sync.WaitGroup
	running.Go(func() { k.versions.Run(ctx) }) // so that memory is trusted
	defer running.Wait()
	defer stop()
	query := "{categories{" + aliases(28) + "}}"
	k.get(b, query)
	tag := k.get(b, query, "Accept-Encoding", "zstd").Header().Get("ETag")
	extensions := extension(hashed(query))
	k.post(b, `{"query":"`+query+`","extensions":`+extensions+`}`)
	byHash := "/graphql?" + url.Values{"extensions": {extensions}}.Encode()
	body := []byte(`{"query":"` + query + `"}`)
	for name, tc := range map[string]struct {
		request func() *http.Request
		status  int
	}{
		"by text": {func() *http.Request { return posted(bytes.NewReader(body)) }, 200},
		"by hash": {func() *http.Request { return posted(strings.NewReader(`{"extensions":` + extensions + `}`)) }, 200},
		"by GET":  {func() *http.Request { return httptest.NewRequest("GET", byHash, nil) }, 200},
		"not modified": {func() *http.Request {
			r := httptest.NewRequest("GET", byHash, nil)
			r.Header.Set("If-None-Match", tag)
			return r
		}, 304},
	} {
		b.Run(name, func(b *testing.B) {
			r := tc.request()
			r = r.WithContext(auth.With(r.Context(), k.viewer))
			r.Header.Set("Accept-Encoding", "zstd")
			var text []byte
			if r.Body != http.NoBody && r.Body != nil {
				text, _ = io.ReadAll(r.Body)
			}
			b.ReportAllocs()
			for b.Loop() {
				if text != nil {
					r.Body = io.NopCloser(bytes.NewReader(text))
				}
				w := &nowhere{header: http.Header{}}
				k.graph.ServeHTTP(w, r)
				if w.status != tc.status {
					b.Fatal(w.status, w.header)
				}
			}
		})
	}
}

func posted(body io.Reader) *http.Request {
	r := httptest.NewRequest("POST", "/graphql", body)
	r.Header.Set("Content-Type", "application/json")
	return r
}
