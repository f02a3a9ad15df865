package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// A bundle is one build of the console: its files by name, and the page that names them.
type bundle struct {
	hash  string // of every name and content, in order
	files map[string]*file
	index *file // index.html with the assets' address written in
}

func read(fsys fs.FS) (*bundle, error) {
	b := &bundle{files: map[string]*file{}}
	var page []byte
	sum := sha256.New()
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		fmt.Fprintf(sum, "%s\x00%d\x00", name, len(body))
		sum.Write(body)
		if name == "index.html" {
			page = body
			return nil
		}
		b.files[name] = newFile(name, body)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if page == nil {
		return nil, errors.New("no index.html in it")
	}
	b.hash = hex.EncodeToString(sum.Sum(nil))[:16]
	b.index = newFile("index.html", bytes.ReplaceAll(page, []byte(`="./`), []byte(`="/assets/`+b.hash+`/`)))
	return b, nil
}

type file struct {
	contentType string
	etag        string // without quotes
	body        []byte
	packed      func() []byte // gzip of body, made when first asked for
}

func newFile(name string, body []byte) *file {
	sum := sha256.Sum256(body)
	return &file{
		contentType: contentType(name),
		etag:        hex.EncodeToString(sum[:])[:16],
		body:        body,
		packed:      sync.OnceValue(func() []byte { return pack(body) }),
	}
}

// pack writes to memory, which does not fail.
func pack(body []byte) []byte {
	var out bytes.Buffer
	z, _ := gzip.NewWriterLevel(&out, gzip.BestCompression)
	_, _ = z.Write(body)
	_ = z.Close()
	return out.Bytes()
}

// serve answers with the file in the coding that the client takes, or with 304 where the client has it already.
// A page that stands for a missing one is always sent whole, as a 304 would hide its status.
func (f *file) serve(w http.ResponseWriter, r *http.Request, status int) {
	h := w.Header()
	body, etag := f.body, `"`+f.etag+`"`
	h.Add("Vary", "Accept-Encoding")
	if acceptsGzip(r.Header) {
		body, etag = f.packed(), `"`+f.etag+`-gzip"`
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", etag)
	if status == http.StatusOK && holds(r.Header, etag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", f.contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a client that went away is nobody's fault
	}
}

// holds reports whether If-None-Match names the entity tag; the comparison is the weak one, as the header asks.
func holds(h http.Header, etag string) bool {
	for tag := range strings.SplitSeq(strings.Join(h.Values("If-None-Match"), ","), ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" || strings.TrimPrefix(tag, "W/") == etag {
			return true
		}
	}
	return false
}

// acceptsGzip reports whether the client takes gzip by name; a weight of zero refuses it.
func acceptsGzip(h http.Header) bool {
	for coding := range strings.SplitSeq(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		name, weight, _ := strings.Cut(coding, ";")
		if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
			continue
		}
		q, found := strings.CutPrefix(strings.TrimSpace(weight), "q=")
		value, err := strconv.ParseFloat(q, 64)
		return !found || (err == nil && value > 0)
	}
	return false
}
