package auth_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"carbongraph/internal/auth"
	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

// ring is a set of keys as the database would hold it, with a clock that stands until it is moved.
type ring struct {
	mu      sync.Mutex
	keys    map[string]*store.APIKey
	hashes  map[string][]byte
	lookups atomic.Int64
	touched []map[store.ID]bool
	at      time.Time
	broken  error
	gate    chan struct{} // when set, a look-up reads, then waits here
}

func newRing() *ring {
	return &ring{keys: map[string]*store.APIKey{}, hashes: map[string][]byte{}, at: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
}

func (r *ring) add(role store.Role) (auth.Secret, *store.APIKey) {
	s := auth.NewSecret()
	k := &store.APIKey{OrgID: store.ID{1}, ID: store.ID{2, byte(len(r.keys))}, Name: "test", Role: role}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keys[s.Prefix], r.hashes[s.Prefix] = k, s.Hash
	return s, k
}

func (r *ring) lookup(_ context.Context, prefix string) (*store.APIKey, []byte, error) {
	r.lookups.Add(1)
	r.mu.Lock()
	k, h, err, gate := r.keys[prefix], r.hashes[prefix], r.broken, r.gate
	r.mu.Unlock()
	if gate != nil {
		<-gate
	}
	if err == nil && k == nil {
		err = fault.New(fault.NotFound, "no such key")
	}
	return k, h, err
}

func (r *ring) now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at
}

func (r *ring) wait(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = r.at.Add(d)
}

func (r *ring) remove(s auth.Secret) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.keys, s.Prefix)
}

func (r *ring) ask() *auth.Keys {
	return auth.NewKeys(auth.Options{Lookup: r.lookup, Now: r.now, Touch: func(_ context.Context, used map[store.ID]bool) error {
		r.touched = append(r.touched, used)
		return nil
	}})
}

func TestEachRoleHoldsTheRightsOfThoseBefore(t *testing.T) {
	roles := []store.Role{store.Viewer, store.Analyst, store.Editor, store.Admin}
	for i, has := range roles {
		for j, needs := range roles {
			if got := (&auth.Viewer{Role: has}).Can(needs); got != (i >= j) {
				t.Errorf("%s can %s = %t", has, needs, got)
			}
		}
	}
	if (&auth.Viewer{Role: "ROOT"}).Can(store.Viewer) || (&auth.Viewer{Role: store.Admin}).Can("ROOT") || (*auth.Viewer)(nil).Can(store.Viewer) {
		t.Error("an unknown role, or nobody, has rights")
	}
}

func TestSecretsAreReadAsTheyWereMade(t *testing.T) {
	a, b := auth.NewSecret(), auth.NewSecret()
	if a.Text == b.Text || a.Prefix == b.Prefix {
		t.Fatal("two secrets are the same")
	}
	got, err := auth.ParseSecret(a.Text)
	if err != nil || got.Prefix != a.Prefix || !bytes.Equal(got.Hash, a.Hash) {
		t.Errorf("ParseSecret = %v, %v", got.Prefix, err)
	}
	if bytes.Contains(a.Hash, []byte(a.Prefix)) || len(a.Hash) != 32 {
		t.Error("what is kept is no hash")
	}
}

func FuzzParseSecret(f *testing.F) {
	for _, s := range []string{"", "cg_", "cg_demo_", auth.NewSecret().Text, "cg_demo_short", "eyJhbGciOi.J9.x", "cg_demo_0123456789abcdef\x00", "cg_a_" + strings.Repeat("x", 200)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := auth.ParseSecret(s)
		if err == nil && got.Text != s {
			t.Errorf("%q was read as %q", s, got.Text)
		}
		if err != nil && len(s) > 8 && strings.Contains(err.Error(), s) {
			t.Errorf("the message repeats the secret: %v", err)
		}
	})
}

func TestKeys(t *testing.T) {
	t.Run("a valid key gives its viewer, and costs one look-up a second", func(t *testing.T) {
		r := newRing()
		s, k := r.add(store.Editor)
		keys := r.ask()
		for range 10 {
			v, err := keys.Viewer(t.Context(), s)
			if err != nil || *v != (auth.Viewer{Org: k.OrgID, Role: store.Editor, KeyName: "test", Key: k.ID}) {
				t.Fatalf("viewer = %v, %v", v, err)
			}
		}
		if n := r.lookups.Load(); n != 1 {
			t.Errorf("%d look-ups within a second; want 1", n)
		}
		r.wait(time.Second)
		keys.Viewer(t.Context(), s)
		if n := r.lookups.Load(); n != 2 {
			t.Errorf("%d look-ups after a second; want 2", n)
		}
	})
	t.Run("a secret with a known prefix and another rest is refused", func(t *testing.T) {
		r := newRing()
		s, _ := r.add(store.Admin)
		forged := auth.NewSecretNamed(s.Prefix)
		keys := r.ask()
		keys.Viewer(t.Context(), s)
		if v, err := keys.Viewer(t.Context(), forged); fault.CodeOf(err) != fault.Unauthenticated || v != nil {
			t.Errorf("viewer = %v, %v", v, err)
		}
	})
	t.Run("an unknown key is refused", func(t *testing.T) {
		if _, err := newRing().ask().Viewer(t.Context(), auth.NewSecret()); fault.CodeOf(err) != fault.Unauthenticated {
			t.Errorf("err = %v", err)
		}
	})
	t.Run("a key dies the moment it expires, remembered or not", func(t *testing.T) {
		r := newRing()
		s, k := r.add(store.Admin)
		end := exact.InstantOf(r.at.Add(300 * time.Millisecond))
		k.ExpiresAt = &end
		keys := r.ask()
		if _, err := keys.Viewer(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		r.wait(300 * time.Millisecond)
		if _, err := keys.Viewer(t.Context(), s); fault.CodeOf(err) != fault.Unauthenticated {
			t.Errorf("err = %v", err)
		}
	})
	t.Run("a key revoked here dies at once", func(t *testing.T) {
		r := newRing()
		s, k := r.add(store.Admin)
		keys := r.ask()
		keys.Viewer(t.Context(), s)
		r.remove(s)
		keys.Revoked(k.ID)
		if _, err := keys.Viewer(t.Context(), s); fault.CodeOf(err) != fault.Unauthenticated {
			t.Errorf("err = %v", err)
		}
	})
	t.Run("a key revoked elsewhere dies within a second", func(t *testing.T) {
		r := newRing()
		s, _ := r.add(store.Admin)
		keys := r.ask()
		keys.Viewer(t.Context(), s)
		r.remove(s)
		r.wait(time.Second)
		if _, err := keys.Viewer(t.Context(), s); fault.CodeOf(err) != fault.Unauthenticated {
			t.Errorf("err = %v", err)
		}
	})
	t.Run("an answer read before a revocation is not remembered after it", func(t *testing.T) {
		r := newRing()
		s, k := r.add(store.Admin)
		gate := make(chan struct{})
		r.gate = gate
		keys := r.ask()
		first := make(chan struct{})
		go func() {
			defer close(first)
			keys.Viewer(context.Background(), s)
		}()
		for r.lookups.Load() == 0 {
			time.Sleep(time.Millisecond)
		}
		r.remove(s)
		keys.Revoked(k.ID)
		close(gate)
		<-first
		if _, err := keys.Viewer(t.Context(), s); fault.CodeOf(err) != fault.Unauthenticated {
			t.Errorf("err = %v", err)
		}
	})
	t.Run("a database that fails is no reason to call the key bad", func(t *testing.T) {
		r := newRing()
		s, _ := r.add(store.Admin)
		r.broken = errors.New("connection refused")
		if _, err := r.ask().Viewer(t.Context(), s); fault.CodeOf(err) != fault.Internal {
			t.Errorf("err = %v", err)
		}
	})
	t.Run("thousands of keys stay within bounds and all work", func(t *testing.T) {
		r := newRing()
		keys := r.ask()
		for range 3000 {
			s, _ := r.add(store.Viewer)
			if _, err := keys.Viewer(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		if n := keys.Remembered(); n > 1024 {
			t.Errorf("%d keys are remembered", n)
		}
	})
	t.Run("the last use is written once a minute, and at the end", func(t *testing.T) {
		r := newRing()
		s, k := r.add(store.Viewer)
		keys := r.ask()
		use := func() { keys.Viewer(t.Context(), s); keys.Touch(t.Context(), false) }
		use()
		r.wait(30 * time.Second)
		use()
		r.wait(30 * time.Second)
		use()
		if len(r.touched) != 2 || !r.touched[0][k.ID] {
			t.Fatalf("written %v; want twice", r.touched)
		}
		r.wait(time.Second)
		keys.Viewer(t.Context(), s)
		ctx, stop := context.WithCancel(t.Context())
		stop()
		keys.Run(ctx)
		if len(r.touched) != 3 {
			t.Errorf("written %d times; the end writes what is left", len(r.touched))
		}
	})
}

func door(r *ring) (*auth.Door, http.Handler) {
	d := &auth.Door{Keys: r.ask(), Sessions: auth.NewSessions(r.now), Refuse: refuse}
	mux := http.NewServeMux()
	mux.Handle("/graphql", d.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(auth.From(r.Context()).Role))
	}), refuse))
	mux.HandleFunc("POST /session", d.SignIn)
	mux.HandleFunc("DELETE /session", d.SignOut)
	return d, mux
}

func refuse(w http.ResponseWriter, _ *http.Request, err error) {
	f := fault.Of(err)
	fault.WriteProblem(w, f.Code.Status(), f, "")
}

func send(h http.Handler, method, path, body string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, "http://console.test"+path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestDoor(t *testing.T) {
	r := newRing()
	s, _ := r.add(store.Editor)
	d, h := door(r)
	signIn := func(t *testing.T, body string) string {
		t.Helper()
		res := send(h, "POST", "/session", body, "Content-Type", "application/json", "Sec-Fetch-Site", "same-origin")
		if res.StatusCode != http.StatusNoContent || len(res.Cookies()) != 1 {
			t.Fatalf("sign-in answers %s", res.Status)
		}
		c := res.Cookies()[0]
		if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Name != auth.Cookie || strings.Contains(c.Value, s.Text) {
			t.Errorf("cookie = %v", c)
		}
		return c.Name + "=" + c.Value
	}
	session := signIn(t, `{"key":"`+s.Text+`"}`)

	for name, tc := range map[string]struct {
		method  string
		headers []string
		want    int
	}{
		"no credentials":                               {"POST", nil, 401},
		"a key":                                        {"POST", []string{"Authorization", "Bearer " + s.Text}, 200},
		"the scheme in lower case":                     {"POST", []string{"Authorization", "bearer " + s.Text}, 200},
		"another scheme":                               {"POST", []string{"Authorization", "Basic " + s.Text}, 401},
		"two headers":                                  {"POST", []string{"Authorization", "Bearer " + s.Text, "Authorization", "Bearer " + s.Text}, 401},
		"no key after the scheme":                      {"POST", []string{"Authorization", "Bearer"}, 401},
		"a bad key beside a good session":              {"GET", []string{"Authorization", "Bearer nope", "Cookie", session}, 401},
		"a session that reads":                         {"GET", []string{"Cookie", session}, 200},
		"a session that writes from our page":          {"POST", []string{"Cookie", session, "Sec-Fetch-Site", "same-origin"}, 200},
		"a session that writes from a neighbour":       {"POST", []string{"Cookie", session, "Sec-Fetch-Site", "same-site", "Origin", "http://console.test"}, 403},
		"a session that writes from another site":      {"POST", []string{"Cookie", session, "Sec-Fetch-Site", "cross-site"}, 403},
		"a session that writes and says nothing of it": {"POST", []string{"Cookie", session}, 403},
		"an old browser on our page":                   {"POST", []string{"Cookie", session, "Origin", "http://console.test"}, 200},
		"an old browser on another page":               {"POST", []string{"Cookie", session, "Origin", "http://evil.test"}, 403},
		"a page without origin":                        {"POST", []string{"Cookie", session, "Origin", "null"}, 403},
		"a made-up session":                            {"GET", []string{"Cookie", auth.Cookie + "=abc"}, 401},
	} {
		t.Run(name, func(t *testing.T) {
			res := send(h, tc.method, "/graphql", "", tc.headers...)
			if res.StatusCode != tc.want || (tc.want == 401) != (res.Header.Get("WWW-Authenticate") != "") {
				t.Errorf("answers %s, challenge %q; want %d", res.Status, res.Header.Get("WWW-Authenticate"), tc.want)
			}
		})
	}

	t.Run("sign-in refuses", func(t *testing.T) {
		for name, tc := range map[string]struct {
			body    string
			headers []string
			want    int
		}{
			"a form":                {"key=" + s.Text, []string{"Content-Type", "application/x-www-form-urlencoded"}, 400},
			"text that holds JSON":  {`{"key":"` + s.Text + `"}`, []string{"Content-Type", "text/plain"}, 400},
			"another site's page":   {`{"key":"` + s.Text + `"}`, []string{"Content-Type", "application/json", "Sec-Fetch-Site", "cross-site"}, 403},
			"nothing":               {`{}`, []string{"Content-Type", "application/json"}, 400},
			"key and code together": {`{"key":"a","code":"b"}`, []string{"Content-Type", "application/json"}, 400},
			"broken JSON":           {`{"key":`, []string{"Content-Type", "application/json"}, 400},
			"a wrong key":           {`{"key":"` + auth.NewSecret().Text + `"}`, []string{"Content-Type", "application/json"}, 401},
			"a wrong code":          {`{"code":"x"}`, []string{"Content-Type", "application/json"}, 401},
			"far too much":          {`{"key":"` + strings.Repeat("x", 8<<10) + `"}`, []string{"Content-Type", "application/json"}, 400},
		} {
			if res := send(h, "POST", "/session", tc.body, tc.headers...); res.StatusCode != tc.want || len(res.Cookies()) != 0 {
				t.Errorf("%s: %s with %d cookies; want %d", name, res.Status, len(res.Cookies()), tc.want)
			}
		}
	})
	t.Run("a one-time code signs in once", func(t *testing.T) {
		code := d.Sessions.Code(s)
		signIn(t, `{"code":"`+code+`"}`)
		if res := send(h, "POST", "/session", `{"code":"`+code+`"}`, "Content-Type", "application/json"); res.StatusCode != 401 {
			t.Errorf("the second time answers %s", res.Status)
		}
	})
	t.Run("a code and a session end in time", func(t *testing.T) {
		code, own := d.Sessions.Code(s), signIn(t, `{"key":"`+s.Text+`"}`)
		r.wait(12 * time.Hour)
		if _, ok := d.Sessions.Redeem(code); ok {
			t.Error("an old code works")
		}
		if res := send(h, "GET", "/graphql", "", "Cookie", own); res.StatusCode != 401 {
			t.Errorf("an old session answers %s", res.Status)
		}
	})
	t.Run("signing out ends the session, from our page alone", func(t *testing.T) {
		own := signIn(t, `{"key":"`+s.Text+`"}`)
		if res := send(h, "DELETE", "/session", "", "Cookie", own, "Sec-Fetch-Site", "cross-site"); res.StatusCode != 403 {
			t.Errorf("another site signs out: %s", res.Status)
		}
		if res := send(h, "DELETE", "/session", "", "Cookie", own, "Sec-Fetch-Site", "same-origin"); res.StatusCode != 204 || res.Cookies()[0].MaxAge >= 0 {
			t.Errorf("sign-out answers %s", res.Status)
		}
		if res := send(h, "GET", "/graphql", "", "Cookie", own); res.StatusCode != 401 {
			t.Errorf("after it: %s", res.Status)
		}
	})
	t.Run("a session dies with its key", func(t *testing.T) {
		own := signIn(t, `{"key":"`+s.Text+`"}`)
		r.remove(s)
		r.wait(time.Second)
		if res := send(h, "GET", "/graphql", "", "Cookie", own); res.StatusCode != 401 {
			t.Errorf("answers %s", res.Status)
		}
	})
}
