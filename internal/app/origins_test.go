package app_test

import (
	"net/http"
	"strings"
	"testing"
)

// send asks with headers, of which the empty ones are left out.
func (s *served) send(t *testing.T, method, path, body string, headers map[string]string) *reply {
	t.Helper()
	r, err := http.NewRequest(method, s.base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range headers {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	return s.do(t, r)
}

// Pages of other origins are let in where the settings name them, by key and never by cookie; everywhere else a browser keeps the answer from them.
func TestOtherOrigins(t *testing.T) {
	const app, stranger = "https://app.example.com", "https://evil.example.com"
	for name, tc := range map[string]struct {
		setting, origin, allowed string
	}{
		"nobody's":          {"", app, ""},
		"one that is named": {app + ", https://other.example.com", app, app},
		"one that is not":   {app, stranger, ""},
		"everybody's":       {"*", stranger, "*"},
		"no page at all":    {app, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir, keys := ledger(t, "Acme")
			s := serve(t, dir, map[string]string{"CORS_ORIGINS": tc.setting})
			preflight := s.send(t, http.MethodOptions, "/graphql", "", map[string]string{"Origin": tc.origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"})
			if got := preflight.header.Get("Access-Control-Allow-Origin"); got != tc.allowed || tc.allowed != "" && preflight.status != http.StatusNoContent {
				t.Errorf("preflight: %d for %q, want %q", preflight.status, got, tc.allowed)
			}
			for _, path := range []string{"/graphql", "/schema.graphql"} {
				method, body := http.MethodPost, `{"query":"{viewer{role}}"}`
				if path != "/graphql" {
					method, body = http.MethodGet, ""
				}
				got := s.send(t, method, path, body, map[string]string{"Origin": tc.origin, "Authorization": "Bearer " + keys[0], "Content-Type": "application/json"})
				if allowed := got.header.Get("Access-Control-Allow-Origin"); got.status != 200 || allowed != tc.allowed || got.header.Get("Access-Control-Allow-Credentials") != "" {
					t.Errorf("%s: %d, allowed to %q, want %q", path, got.status, allowed, tc.allowed)
				}
				if vary := strings.Join(got.header.Values("Vary"), ", "); tc.setting != "" && tc.setting != "*" && !strings.Contains(vary, "Origin") {
					t.Errorf("%s: Vary: %s", path, vary)
				}
			}
		})
	}
}

// Whoever came by TLS stays with it.
func TestTLSStays(t *testing.T) {
	dir, _ := ledger(t, "Acme")
	s := serve(t, dir, nil)
	for proto, want := range map[string]string{"https": "max-age=31536000", "http": "", "": ""} {
		if got := s.send(t, http.MethodGet, "/healthz", "", map[string]string{"X-Forwarded-Proto": proto}).header.Get("Strict-Transport-Security"); got != want {
			t.Errorf("behind %q: Strict-Transport-Security: %q, want %q", proto, got, want)
		}
	}
}
