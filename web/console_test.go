package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func get(t *testing.T, h http.Handler, method, path string, header http.Header) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	if header != nil {
		r.Header = header
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, res *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// asset is the address of a file as the page names it.
func asset(t *testing.T, h http.Handler, name string) string {
	t.Helper()
	page := text(t, get(t, h, "GET", "/", nil))
	address := regexp.MustCompile(`"(/assets/[0-9a-f]{16}/` + regexp.QuoteMeta(name) + `)"`).FindStringSubmatch(page)
	if address == nil {
		t.Fatalf("the page does not name %s:\n%s", name, page)
	}
	return address[1]
}

func TestPages(t *testing.T) {
	h := Handler(Options{})
	for name, tc := range map[string]struct {
		method, path string
		status       int
	}{
		"the first page":                           {"GET", "/", 200},
		"explore":                                  {"GET", "/explore", 200},
		"explore with an example":                  {"GET", "/explore?x=top-suppliers", 200},
		"sign-in":                                  {"GET", "/sign-in", 200},
		"HEAD":                                     {"HEAD", "/explore", 200},
		"an unknown page":                          {"GET", "/nothing", 404},
		"a page below a page":                      {"GET", "/explore/deeper", 404},
		"a folder of the bundle is no page":        {"GET", "/assets", 404},
		"index.html has no address of its own":     {"GET", "/index.html", 404},
		"a path that climbs":                       {"GET", "/../console.go", 404},
		"an unknown page is not found by HEAD too": {"HEAD", "/nothing", 404},
	} {
		t.Run(name, func(t *testing.T) {
			res := get(t, h, tc.method, tc.path, nil)
			body := text(t, res)
			if res.StatusCode != tc.status {
				t.Errorf("status = %d, want %d", res.StatusCode, tc.status)
			}
			if hasBody := body != ""; hasBody != (tc.method == "GET") {
				t.Errorf("%s sent %d bytes", tc.method, len(body))
			}
			got := maps.Clone(res.Header)
			for _, varying := range []string{"Etag", "Content-Length"} {
				if got.Get(varying) == "" {
					t.Errorf("no %s", varying)
				}
				got.Del(varying)
			}
			want := http.Header{
				"Content-Security-Policy": {"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"},
				"X-Content-Type-Options":  {"nosniff"}, "Referrer-Policy": {"same-origin"}, "Cross-Origin-Opener-Policy": {"same-origin"},
				"Cache-Control": {"no-cache"}, "Content-Type": {"text/html; charset=utf-8"}, "Vary": {"Accept-Encoding"},
			}
			if !maps.EqualFunc(got, want, slices.Equal) {
				t.Errorf("headers = %v\nwant      %v", got, want)
			}
		})
	}
}

func TestOtherMethodsAreRefused(t *testing.T) {
	res := get(t, Handler(Options{}), "POST", "/explore", nil)
	if res.StatusCode != 405 || res.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("status %d, Allow %q; want 405 and GET, HEAD", res.StatusCode, res.Header.Get("Allow"))
	}
}

func TestAssets(t *testing.T) {
	h := Handler(Options{})
	app := asset(t, h, "app.js")
	hash := strings.Split(app, "/")[2]
	for name, tc := range map[string]struct {
		path, contentType string
		status            int
	}{
		"a script named by the page":         {app, "text/javascript; charset=utf-8", 200},
		"a style":                            {asset(t, h, "app.css"), "text/css; charset=utf-8", 200},
		"an icon":                            {asset(t, h, "icon.svg"), "image/svg+xml", 200},
		"the licences":                       {asset(t, h, "licences.txt"), "text/plain; charset=utf-8", 200},
		"a chunk named by a script":          {"/assets/" + hash + "/explore.js", "text/javascript; charset=utf-8", 200},
		"a file of another build":            {"/assets/0123456789abcdef/app.js", "text/plain; charset=utf-8", 404},
		"a file that is not there":           {"/assets/" + hash + "/other.js", "text/plain; charset=utf-8", 404},
		"a path that climbs":                 {"/assets/" + hash + "/../console.go", "text/plain; charset=utf-8", 404},
		"the page itself is no asset":        {"/assets/" + hash + "/index.html", "text/plain; charset=utf-8", 404},
		"a hash alone names no file":         {"/assets/" + hash, "text/plain; charset=utf-8", 404},
		"a name without its hash is nothing": {"/assets/app.js", "text/plain; charset=utf-8", 404},
	} {
		t.Run(name, func(t *testing.T) {
			res := get(t, h, "GET", tc.path, nil)
			if res.StatusCode != tc.status || res.Header.Get("Content-Type") != tc.contentType {
				t.Errorf("status %d, type %q; want %d, %q", res.StatusCode, res.Header.Get("Content-Type"), tc.status, tc.contentType)
			}
			caching := "public, max-age=31536000, immutable"
			if tc.status != 200 {
				caching = ""
			}
			if got := res.Header.Get("Cache-Control"); got != caching {
				t.Errorf("Cache-Control = %q, want %q", got, caching)
			}
			if got := res.Header.Get("X-Content-Type-Options"); got != "nosniff" {
				t.Errorf("X-Content-Type-Options = %q, want nosniff", got)
			}
		})
	}
}

func TestCompression(t *testing.T) {
	h := Handler(Options{})
	path := asset(t, h, "app.js")
	plain := text(t, get(t, h, "GET", path, nil))
	for name, tc := range map[string]struct {
		accept []string
		packed bool
	}{
		"nothing said":              {nil, false},
		"gzip":                      {[]string{"gzip"}, true},
		"gzip among others":         {[]string{"br, GZIP;q=0.5, zstd"}, true},
		"gzip on a second line":     {[]string{"br", "gzip"}, true},
		"gzip refused":              {[]string{"gzip;q=0, br"}, false},
		"gzip refused in long form": {[]string{"gzip; q=0.000"}, false},
		"a weight that is none":     {[]string{"gzip;q=high"}, false},
		"others only":               {[]string{"br, zstd"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			res := get(t, h, "GET", path, http.Header{"Accept-Encoding": tc.accept})
			if got := res.Header.Get("Content-Encoding") == "gzip"; got != tc.packed {
				t.Fatalf("packed = %v, want %v", got, tc.packed)
			}
			body := io.Reader(res.Body)
			if tc.packed {
				unpacked, err := gzip.NewReader(res.Body)
				if err != nil {
					t.Fatal(err)
				}
				body = unpacked
			}
			got, err := io.ReadAll(body)
			if err != nil || string(got) != plain {
				t.Errorf("%d bytes (%v) differ from the %d of the file", len(got), err, len(plain))
			}
		})
	}
}

func TestRevalidation(t *testing.T) {
	h := Handler(Options{})
	plain := get(t, h, "GET", "/explore", nil).Header.Get("ETag")
	packed := get(t, h, "GET", "/explore", http.Header{"Accept-Encoding": {"gzip"}}).Header.Get("ETag")
	if plain == packed {
		t.Fatalf("both codings have the entity tag %s", plain)
	}
	for name, tc := range map[string]struct {
		path, ifNoneMatch, accept string
		status                    int
	}{
		"the same":                     {"/explore", plain, "", 304},
		"the same, packed":             {"/explore", packed, "gzip", 304},
		"the tag of the other coding":  {"/explore", plain, "gzip", 200},
		"one of a list":                {"/explore", `"a", ` + plain, "", 304},
		"a weak one":                   {"/explore", "W/" + plain, "", 304},
		"any":                          {"/explore", "*", "", 304},
		"another":                      {"/explore", `"a"`, "", 200},
		"a missing page stays missing": {"/nothing", plain, "", 404},
	} {
		t.Run(name, func(t *testing.T) {
			res := get(t, h, "GET", tc.path, http.Header{"If-None-Match": {tc.ifNoneMatch}, "Accept-Encoding": {tc.accept}})
			if res.StatusCode != tc.status {
				t.Errorf("status = %d, want %d", res.StatusCode, tc.status)
			}
			if body := text(t, res); (body == "") != (tc.status == 304) {
				t.Errorf("status %d with %d bytes", res.StatusCode, len(body))
			}
			if res.Header.Get("Content-Security-Policy") == "" {
				t.Error("no Content-Security-Policy")
			}
		})
	}
}

func TestConsoleFolderIsReadAnew(t *testing.T) {
	dir := t.TempDir()
	h := Handler(Options{Dir: dir})
	if res := get(t, h, "GET", "/", nil); res.StatusCode != 503 || !strings.Contains(text(t, res), dir) {
		t.Errorf("an empty folder answers %d, want 503 with its name", res.StatusCode)
	}
	write := func(name, body string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("index.html", `<script src="./app.js"></script>`)
	write("app.js", "1")
	first := asset(t, h, "app.js")
	res := get(t, h, "GET", first, nil)
	if body := text(t, res); body != "1" || res.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("%q with Cache-Control %q; want 1, no-cache", body, res.Header.Get("Cache-Control"))
	}
	write("app.js", "2")
	if second := asset(t, h, "app.js"); second == first || text(t, get(t, h, "GET", second, nil)) != "2" {
		t.Errorf("after a change the page still names %s", second)
	}
}

func BenchmarkPage(b *testing.B) {
	h := Handler(Options{})
	r := httptest.NewRequest("GET", "/explore", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	for b.Loop() {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if !bytes.HasPrefix(w.Body.Bytes(), []byte{0x1f, 0x8b}) {
			b.Fatal("not packed")
		}
	}
}
