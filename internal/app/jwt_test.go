package app_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
)

// Two people of one organization ask by JWTs, each with their own role; what either sees and writes is that organization's alone.
func TestJWTsAsk(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var away atomic.Bool
	keys := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != "hunter2" || away.Load() {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		k, err := jwkset.NewJWKFromKey(key.Public(), jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: "one", USE: jwkset.UseSig, ALG: jwkset.AlgES256}})
		if err != nil {
			t.Error(err)
		}
		json.NewEncoder(w).Encode(jwkset.JWKSMarshal{Keys: []jwkset.JWKMarshal{k.Marshal()}})
	}))
	defer keys.Close()
	eachDatabase(t, func(t *testing.T, env map[string]string) {
		must := func(args ...string) (out string) {
			t.Helper()
			code, out, errs := run(t, env, args...)
			if code != 0 {
				t.Fatalf("%v: %d %s", args, code, errs)
			}
			return out
		}
		must("migrate", "up")
		orgs := map[string]string{}
		for _, name := range []string{"Acme", "Bolt"} {
			var made struct{ ID string }
			if err := json.Unmarshal([]byte(must("org", "create", "--name", name, "--json")), &made); err != nil {
				t.Fatal(err)
			}
			orgs[name] = made.ID
		}
		env["JWT_ISSUER"], env["JWT_AUDIENCE"], env["JWT_JWKS_URL"] = "https://id.example.com/", "carbongraph", strings.Replace(keys.URL, "//", "//me:hunter2@", 1)+"/keys"
		s := start(t, env, "serve", "--listen-addr", free(t), "--admin-addr", free(t), "--log-format", "json")
		token := func(sub, org, role string, life time.Duration) string {
			made := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{
				"iss": "https://id.example.com/", "aud": "carbongraph", "sub": sub, "org": orgs[org], "role": role, "exp": time.Now().Add(life).Unix(),
			})
			made.Header["kid"] = "one"
			text, err := made.SignedString(key)
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		ada, bob, eve := token("ada", "Acme", "EDITOR", time.Minute), token("bob", "Acme", "VIEWER", time.Minute), token("eve", "Bolt", "ADMIN", time.Minute)
		for who, says := range map[string]string{ada: `"EDITOR","keyName":"ada","organization":{"name":"Acme"}`, bob: `"VIEWER","keyName":"bob","organization":{"name":"Acme"}`,
			eve: `"ADMIN","keyName":"eve","organization":{"name":"Bolt"}`} {
			if got := s.ask(t, who, `{viewer{role keyName organization{name}}}`); string(got.Data) != `{"viewer":{"role":`+says+`}}` {
				t.Errorf("viewer = %s; want %s", got.text, says)
			}
		}
		const upsert = `mutation{upsertSuppliers(input:{suppliers:[{externalId:"S1",name:"Alum"}]}){created}}`
		if got := s.ask(t, bob, upsert); got.code() != "FORBIDDEN" {
			t.Errorf("a VIEWER writes: %s", got.text)
		}
		if got := s.ask(t, ada, upsert); !strings.Contains(got.text, `"created":1`) {
			t.Errorf("an EDITOR does not: %s", got.text)
		}
		for who, count := range map[string]int{bob: 1, eve: 0} {
			if got := s.ask(t, who, `{suppliers{totalCount}}`); string(got.Data) != fmt.Sprintf(`{"suppliers":{"totalCount":%d}}`, count) {
				t.Errorf("suppliers: %s; want %d", got.text, count)
			}
		}
		old := s.ask(t, token("ada", "Acme", "EDITOR", -time.Minute), `{viewer{role}}`)
		if old.status != http.StatusUnauthorized || old.code() != "UNAUTHENTICATED" || !strings.Contains(old.text, "expired") || old.header.Get("WWW-Authenticate") != `Bearer realm="carbongraph", error="invalid_token"` {
			t.Errorf("an old token: %d %s", old.status, old.text)
		}
		if code := s.stop(); code != 0 {
			t.Errorf("stopped with %d: %s", code, s.log)
		}

		away.Store(true)
		defer away.Store(false)
		s = start(t, env, "serve", "--listen-addr", free(t), "--admin-addr", free(t), "--log-format", "json")
		if got := s.ask(t, ada, `{viewer{role}}`); got.status != http.StatusServiceUnavailable || got.code() != "OVERLOADED" || got.header.Get("Retry-After") != "10" {
			t.Errorf("without keys: %d %s, Retry-After %s", got.status, got.text, got.header.Get("Retry-After"))
		}
		s.stop()
		if log := s.log.String(); strings.Contains(log, "hunter2") || !strings.Contains(log, "403") {
			t.Errorf("the log tells the password, or not that the provider is away: %s", log)
		}
	})
	t.Run("settings of which one is missing stop the start", func(t *testing.T) {
		code, _, errs := run(t, map[string]string{"JWT_ISSUER": "i", "JWT_AUDIENCE": "a", "DATA_DIR": t.TempDir()}, "serve")
		if code == 0 || !strings.Contains(errs, "JWT_JWKS_URL is not set") {
			t.Errorf("ended with %d: %s", code, errs)
		}
	})
}
