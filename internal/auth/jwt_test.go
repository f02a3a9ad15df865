package auth_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"

	"carbongraph/internal/auth"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

const (
	issuer   = "https://id.example.com/"
	audience = "https://carbongraph.example.com"
	unlisted = "key that the identity provider does not list"
)

var acme = store.ID{1, 2, 3}

// pairs are made once: an RSA pair takes a while.
var pairs = sync.OnceValue(func() map[string]crypto.Signer {
	made := map[string]crypto.Signer{}
	for kid, bits := range map[string]int{"rsa": 2048, "rsa-other": 2048, "rsa-short": 1024} {
		made[kid] = must(rsa.GenerateKey(rand.Reader, bits))
	}
	for kid, curve := range map[string]elliptic.Curve{"p256": elliptic.P256(), "p384": elliptic.P384(), "p521": elliptic.P521()} {
		made[kid] = must(ecdsa.GenerateKey(curve, rand.Reader))
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	made["ed"] = must(ed, err)
	return made
})

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func public(kid string, meta jwkset.JWKMetadataOptions) jwkset.JWKMarshal {
	meta.KID = kid
	return must(jwkset.NewJWKFromKey(pairs()[kid].Public(), jwkset.JWKOptions{Metadata: meta})).Marshal()
}

// provider is an identity provider: it lists its public keys over HTTP, or does what answer does.
type provider struct {
	mu      sync.Mutex
	keys    []jwkset.JWKMarshal
	answer  http.HandlerFunc
	fetches atomic.Int64
}

func newProvider() *provider {
	p := &provider{}
	p.list("rsa", "p256", "p384", "p521", "ed")
	return p
}

func (p *provider) list(kids ...string) {
	var keys []jwkset.JWKMarshal
	for _, kid := range kids {
		keys = append(keys, public(kid, jwkset.JWKMetadataOptions{}))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = keys
}

// be makes the provider answer otherwise; nil: as it should.
func (p *provider) be(answer http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.fetches.Add(1)
	p.mu.Lock()
	keys, answer := p.keys, p.answer
	p.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	json.NewEncoder(w).Encode(jwkset.JWKSMarshal{Keys: keys})
}

func broken(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }

func hangs(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// gate is a door that takes JWTs of the provider; its clock is the ring's.
type gate struct {
	*provider
	*ring
	tokens  *auth.Tokens
	door    http.Handler
	asked   atomic.Int64 // for an organization
	trouble atomic.Bool  // of the database
	log     safeLog
	close   func()
}

type safeLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *safeLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *safeLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newGate(t testing.TB, p *provider) *gate {
	t.Helper()
	s := httptest.NewServer(p)
	g := openGate(p, s.URL, newRing().now, nil)
	t.Cleanup(func() {
		g.close()
		s.Close()
	})
	return g
}

// openGate runs until it is closed.
func openGate(p *provider, url string, now func() time.Time, dial func(context.Context, string, string) (net.Conn, error)) *gate {
	g := &gate{provider: p, ring: newRing()}
	if now == nil {
		now = time.Now
	} else {
		now = g.now
	}
	g.tokens = auth.NewTokens(auth.TokenOptions{
		Issuer: issuer, Audience: audience, KeySet: url, Organization: g.organization, Now: now,
		Log: slog.New(slog.NewTextHandler(&g.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if dial != nil {
		g.tokens.Dial(dial)
	}
	d := &auth.Door{Keys: g.ask(), Tokens: g.tokens, Sessions: auth.NewSessions(now), Refuse: refuse}
	mux := http.NewServeMux()
	mux.Handle("/graphql", d.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := auth.From(r.Context())
		fmt.Fprintf(w, "%s %s %s", v.Role, v.KeyName, v.Caller())
	}), refuse))
	mux.HandleFunc("POST /session", d.SignIn)
	g.door = mux
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { g.tokens.Run(ctx) })
	g.close = func() {
		cancel()
		run.Wait()
	}
	return g
}

func (g *gate) organization(_ context.Context, id store.ID) (*store.Organization, error) {
	g.asked.Add(1)
	switch {
	case g.trouble.Load():
		return nil, errors.New("connection refused")
	case id != acme:
		return nil, fault.New(fault.NotFound, "There is no such organization.")
	}
	return &store.Organization{ID: id}, nil
}

// claims are those of a good token, valid from now for five minutes.
func claims(now time.Time, but ...any) jwt.MapClaims {
	c := jwt.MapClaims{"iss": issuer, "aud": audience, "sub": "ada", "org": acme.String(), "role": "EDITOR", "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix()}
	for i := 0; i < len(but); i += 2 {
		if c[but[i].(string)] = but[i+1]; but[i+1] == nil {
			delete(c, but[i].(string))
		}
	}
	return c
}

// sign makes a token, by the pair of the name that its header gives, or by another key.
func sign(method jwt.SigningMethod, kid string, c jwt.Claims, by ...any) string {
	t := jwt.NewWithClaims(method, c)
	t.Header["kid"] = kid
	if len(by) == 0 {
		by = []any{pairs()[kid]}
	}
	return must(t.SignedString(by[0]))
}

func (g *gate) good(but ...any) string {
	return sign(jwt.SigningMethodRS256, "rsa", claims(g.now(), but...))
}

func (g *gate) send(token string) (status int, body string, header http.Header) {
	res := send(g.door, "POST", "/graphql", "", "Authorization", "Bearer "+token)
	var text strings.Builder
	res.Write(&text)
	_, body, _ = strings.Cut(text.String(), "\r\n\r\n")
	return res.StatusCode, body, res.Header
}

func TestJWTsThatAreAccepted(t *testing.T) {
	g := newGate(t, newProvider())
	now := g.now()
	says := "EDITOR ada jwt:" + acme.String() + ":ada"
	long := strings.Repeat("é", 40)
	for name, tc := range map[string]struct{ token, says string }{
		"RS256":                        {g.good(), says},
		"RS384":                        {sign(jwt.SigningMethodRS384, "rsa", claims(now)), says},
		"RS512":                        {sign(jwt.SigningMethodRS512, "rsa", claims(now)), says},
		"PS256":                        {sign(jwt.SigningMethodPS256, "rsa", claims(now)), says},
		"PS384":                        {sign(jwt.SigningMethodPS384, "rsa", claims(now)), says},
		"PS512":                        {sign(jwt.SigningMethodPS512, "rsa", claims(now)), says},
		"ES256":                        {sign(jwt.SigningMethodES256, "p256", claims(now)), says},
		"ES384":                        {sign(jwt.SigningMethodES384, "p384", claims(now)), says},
		"ES512":                        {sign(jwt.SigningMethodES512, "p521", claims(now)), says},
		"EdDSA":                        {sign(jwt.SigningMethodEdDSA, "ed", claims(now)), says},
		"expired within the leeway":    {g.good("exp", now.Add(-29*time.Second).Unix()), says},
		"not valid for a moment":       {g.good("nbf", now.Add(29*time.Second).Unix(), "iat", now.Add(29*time.Second).Unix()), says},
		"no iat":                       {g.good("iat", nil), says},
		"several audiences":            {g.good("aud", []string{"x", audience}), says},
		"another role":                 {g.good("role", "VIEWER"), "VIEWER ada jwt:" + acme.String() + ":ada"},
		"a subject that is shown less": {g.good("sub", "x"+long), "EDITOR x" + strings.Repeat("é", 31) + " jwt:" + acme.String() + ":x" + long},
		"an id in capitals":            {g.good("org", strings.ToUpper(acme.String())), says},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 { // verified, then remembered
				if status, body, _ := g.send(tc.token); status != http.StatusOK || body != tc.says {
					t.Errorf("answers %d %s; want %s", status, body, tc.says)
				}
			}
		})
	}
	if n := g.fetches.Load(); n != 1 {
		t.Errorf("the keys were fetched %d times", n)
	}
}

func TestJWTsThatAreRefused(t *testing.T) {
	p := newProvider()
	p.keys = append(p.keys, public("rsa-short", jwkset.JWKMetadataOptions{}),
		jwkset.JWKMarshal{KTY: jwkset.KtyOct, KID: "shared", K: base64.RawURLEncoding.EncodeToString([]byte("secret that everybody here knows"))})
	bound := public("rsa-other", jwkset.JWKMetadataOptions{ALG: jwkset.AlgPS256})
	forEncryption := public("p256", jwkset.JWKMetadataOptions{USE: jwkset.UseEnc})
	forEncryption.KID = "p256-enc"
	p.keys = append(p.keys, bound, forEncryption)
	g := newGate(t, p)
	now := g.now()
	der := must(x509.MarshalPKIXPublicKey(pairs()["rsa"].Public()))
	asPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	parts := strings.Split(g.good(), ".")
	raw := func(header, claims string) string {
		b := base64.RawURLEncoding
		return b.EncodeToString([]byte(header)) + "." + b.EncodeToString([]byte(claims))
	}
	admin := base64.RawURLEncoding.EncodeToString(must(json.Marshal(claims(now, "role", "ADMIN"))))
	critical := jwt.NewWithClaims(jwt.SigningMethodRS256, claims(now))
	critical.Header["kid"], critical.Header["crit"] = "rsa", []string{"b64"}
	unnamed := jwt.NewWithClaims(jwt.SigningMethodRS256, claims(now))
	numbered := jwt.NewWithClaims(jwt.SigningMethodRS256, claims(now))
	numbered.Header["kid"] = 5
	const algorithm, signature, form = "an algorithm that is not accepted", "signature does not fit", "not the form of a JWT"
	for name, tc := range map[string]struct{ token, says string }{
		"alg none":                                 {sign(jwt.SigningMethodNone, "rsa", claims(now), jwt.UnsafeAllowNoneSignatureType), algorithm},
		"alg none with a signature":                {raw(`{"alg":"none","kid":"rsa"}`, `{}`) + "." + parts[2], algorithm},
		"alg None":                                 {raw(`{"alg":"None","kid":"rsa"}`, `{}`) + ".", algorithm},
		"no alg":                                   {raw(`{"kid":"rsa"}`, `{}`) + "." + parts[2], algorithm},
		"alg that is no text":                      {raw(`{"alg":5,"kid":"rsa"}`, `{}`) + "." + parts[2], algorithm},
		"HS256 by the public key, DER":             {sign(jwt.SigningMethodHS256, "rsa", claims(now), der), algorithm},
		"HS256 by the public key, PEM":             {sign(jwt.SigningMethodHS256, "rsa", claims(now), asPEM), algorithm},
		"HS256 by the public key, modulus":         {sign(jwt.SigningMethodHS256, "rsa", claims(now), pairs()["rsa"].Public().(*rsa.PublicKey).N.Bytes()), algorithm},
		"HS256 by a secret that is listed":         {sign(jwt.SigningMethodHS256, "shared", claims(now), []byte("secret that everybody here knows")), algorithm},
		"expired":                                  {g.good("exp", now.Add(-31*time.Second).Unix()), "expired"},
		"not valid yet":                            {g.good("nbf", now.Add(31*time.Second).Unix()), "not valid yet"},
		"issued in the future":                     {g.good("iat", now.Add(31*time.Second).Unix()), "not valid yet"},
		"another audience":                         {g.good("aud", "https://other.example.com"), "another audience"},
		"the audience with something after it":     {g.good("aud", audience+"/"), "another audience"},
		"another issuer":                           {g.good("iss", "https://evil.example.com/"), "another issuer"},
		"the issuer without its slash":             {g.good("iss", strings.TrimSuffix(issuer, "/")), "another issuer"},
		"no exp":                                   {g.good("exp", nil), "no claim `exp`"},
		"no iss":                                   {g.good("iss", nil), "no claim `iss`"},
		"no aud":                                   {g.good("aud", nil), "no claim `aud`"},
		"no sub":                                   {g.good("sub", nil), "no claim `sub`"},
		"an empty sub":                             {g.good("sub", ""), "no claim `sub`"},
		"a sub without end":                        {g.good("sub", strings.Repeat("x", 256)), "longer than 255 bytes"},
		"no org":                                   {g.good("org", nil), "no claim `org`"},
		"no role":                                  {g.good("role", nil), "no claim `role`"},
		"ORG in the place of org":                  {g.good("org", nil, "ORG", acme.String()), "no claim `org`"},
		"no claim at all":                          {sign(jwt.SigningMethodRS256, "rsa", jwt.MapClaims{}), "no claim `exp`"},
		"an exp that is text":                      {g.good("exp", "tomorrow"), "not of its type"},
		"an iss that is a number":                  {g.good("iss", 5), "not of its type"},
		"an empty list of audiences":               {g.good("aud", []string{}), "is missing"},
		"an unknown organization":                  {g.good("org", store.ID{9}.String()), "not the id of an organization"},
		"no organization":                          {g.good("org", store.ID{}.String()), "not the id of an organization"},
		"an organization's name":                   {g.good("org", "Acme"), "not the id of an organization"},
		"an unknown role":                          {g.good("role", "ROOT"), "none of VIEWER"},
		"a role in small letters":                  {g.good("role", "admin"), "none of VIEWER"},
		"a list of roles":                          {g.good("role", []string{"ADMIN"}), "no claim `role`"},
		"garbage":                                  {"ab.cd.ef", form},
		"nothing between dots":                     {"..", form},
		"claims that are no JSON":                  {raw(`{"alg":"RS256","kid":"rsa"}`, `{"role":`) + "." + parts[2], form},
		"padding":                                  {parts[0] + "." + parts[1] + "." + parts[2] + "==", form},
		"far too long":                             {g.good("more", strings.Repeat("x", 20_000)), "longer than"},
		"a payload that was changed":               {parts[0] + "." + admin + "." + parts[2], signature},
		"no signature":                             {parts[0] + "." + parts[1] + ".", signature},
		"the header of another algorithm":          {raw(`{"alg":"RS512","kid":"rsa"}`, `{}`) + "." + parts[2], signature},
		"the wrong kid":                            {sign(jwt.SigningMethodRS256, "rsa-other", claims(now), pairs()["rsa"]), signature},
		"a key that is not listed":                 {sign(jwt.SigningMethodRS256, "unheard-of", claims(now), pairs()["rsa"]), unlisted},
		"a key that is too short":                  {sign(jwt.SigningMethodRS256, "rsa-short", claims(now)), unlisted},
		"no kid":                                   {must(unnamed.SignedString(pairs()["rsa"])), "does not name its key"},
		"a kid that is a number":                   {must(numbered.SignedString(pairs()["rsa"])), "does not name its key"},
		"an extension that must be heeded":         {must(critical.SignedString(pairs()["rsa"])), "extension"},
		"a curve's key for RS256":                  {sign(jwt.SigningMethodRS256, "p256", claims(now), pairs()["rsa"]), signature},
		"an RSA key for ES256":                     {sign(jwt.SigningMethodES256, "rsa", claims(now), pairs()["p256"]), signature},
		"an Ed25519 key for RS256":                 {sign(jwt.SigningMethodRS256, "ed", claims(now), pairs()["rsa"]), signature},
		"a key that is for another algorithm":      {sign(jwt.SigningMethodRS256, "rsa-other", claims(now)), signature},
		"a key that is for encryption":             {sign(jwt.SigningMethodES256, "p256-enc", claims(now), pairs()["p256"]), signature},
		"another's key under a name that is known": {sign(jwt.SigningMethodRS256, "rsa", claims(now), pairs()["rsa-other"]), signature},
	} {
		t.Run(name, func(t *testing.T) {
			status, body, header := g.send(tc.token)
			if status != http.StatusUnauthorized || !strings.Contains(body, tc.says) || !strings.Contains(body, "UNAUTHENTICATED") {
				t.Errorf("answers %d %s; want 401 with %q", status, body, tc.says)
			}
			if got := header.Get("WWW-Authenticate"); got != `Bearer realm="carbongraph", error="invalid_token"` {
				t.Errorf("challenge %s", got)
			}
			for part := range strings.SplitSeq(tc.token, ".") {
				if len(part) > 8 && strings.Contains(body, part) {
					t.Errorf("the answer repeats the token: %s", body)
				}
			}
		})
	}
}

// Such a token is refused before anybody looks for its key.
func TestAnAlgorithmThatIsNotAcceptedCostsNoFetch(t *testing.T) {
	g := newGate(t, newProvider())
	g.send(g.good())
	for _, token := range []string{
		sign(jwt.SigningMethodHS256, "made up", claims(g.now()), []byte("x")), sign(jwt.SigningMethodNone, "made up", claims(g.now()), jwt.UnsafeAllowNoneSignatureType),
	} {
		if status, body, _ := g.send(token); status != 401 || !strings.Contains(body, "algorithm") {
			t.Errorf("answers %d %s", status, body)
		}
	}
	if n := g.fetches.Load(); n != 1 {
		t.Errorf("%d fetches; want the first alone", n)
	}
}

func TestTheDoorTellsKeysFromJWTs(t *testing.T) {
	g := newGate(t, newProvider())
	s, k := g.add(store.Analyst)
	const plain, told = `Bearer realm="carbongraph"`, `Bearer realm="carbongraph", error="invalid_token"`
	for name, tc := range map[string]struct {
		headers         []string
		says, challenge string
	}{
		"a key":                  {[]string{"Authorization", "Bearer " + s.Text}, "ANALYST test " + k.ID.String(), ""},
		"a JWT":                  {[]string{"Authorization", "Bearer " + g.good()}, "EDITOR ada", ""},
		"nothing":                {nil, "Send an API key", plain},
		"a scheme alone":         {[]string{"Authorization", "Bearer"}, "cg_PREFIX_SECRET", plain},
		"another scheme":         {[]string{"Authorization", "Basic " + g.good()}, "Send one header", plain},
		"a key with dots":        {[]string{"Authorization", "Bearer cg_a.b.c"}, "cg_PREFIX_SECRET", told},
		"one part":               {[]string{"Authorization", "Bearer nonsense"}, "cg_PREFIX_SECRET", told},
		"five parts":             {[]string{"Authorization", "Bearer a.b.c.d.e"}, "cg_PREFIX_SECRET", told},
		"an unknown key":         {[]string{"Authorization", "Bearer " + auth.NewSecret().Text}, "unknown, expired or revoked", told},
		"a JWT and then another": {[]string{"Authorization", "Bearer " + g.good(), "Authorization", "Bearer " + g.good()}, "Send one header", plain},
	} {
		res := send(g.door, "POST", "/graphql", "", tc.headers...)
		var text strings.Builder
		res.Write(&text)
		if !strings.Contains(text.String(), tc.says) || res.Header.Get("WWW-Authenticate") != tc.challenge {
			t.Errorf("%s: %s; want %q and the challenge %q", name, &text, tc.says, tc.challenge)
		}
	}
	t.Run("a session is for keys", func(t *testing.T) {
		res := send(g.door, "POST", "/session", `{"key":"`+g.good()+`"}`, "Content-Type", "application/json")
		var text strings.Builder
		res.Write(&text)
		if res.StatusCode != http.StatusBadRequest || len(res.Cookies()) != 0 || !strings.Contains(text.String(), "Send a JWT with each request") {
			t.Errorf("answers %s", &text)
		}
	})
	t.Run("where no identity provider is known, no JWT is good", func(t *testing.T) {
		_, h := door(g.ring)
		res := send(h, "POST", "/graphql", "", "Authorization", "Bearer "+g.good())
		var text strings.Builder
		res.Write(&text)
		if res.StatusCode != http.StatusUnauthorized || !strings.Contains(text.String(), "accepts no JWTs") || res.Header.Get("WWW-Authenticate") != told {
			t.Errorf("answers %s", &text)
		}
	})
}

func TestCallersDiffer(t *testing.T) {
	seen := map[string]string{"": "nobody"}
	long := strings.Repeat("x", 100)
	for name, v := range map[string]*auth.Viewer{
		"a key":                    {Org: acme, Key: store.ID{1}, KeyName: "ada"},
		"another key":              {Org: acme, Key: store.ID{2}, KeyName: "ada"},
		"a subject":                {Org: acme, KeyName: "ada", Subject: "ada"},
		"another organization's":   {Org: store.ID{2}, KeyName: "ada", Subject: "ada"},
		"one that begins the same": {Org: acme, KeyName: long[:64], Subject: long},
		"and goes on otherwise":    {Org: acme, KeyName: long[:64], Subject: long + "y"},
	} {
		if other, taken := seen[v.Caller()]; taken {
			t.Errorf("%s is called %q, like %s", name, v.Caller(), other)
		}
		seen[v.Caller()] = name
	}
	if got := (*auth.Viewer)(nil).Caller(); got != "" {
		t.Errorf("nobody is called %q", got)
	}
}

func TestVerifiedTokensAreRememberedForASecond(t *testing.T) {
	ok := func(t *testing.T, g *gate, token string, want int) {
		t.Helper()
		if status, body, _ := g.send(token); status != want {
			t.Errorf("answers %d %s; want %d", status, body, want)
		}
	}
	t.Run("never beyond their end", func(t *testing.T) {
		g := newGate(t, newProvider())
		token := g.good("exp", g.now().Add(-29*time.Second).Unix())
		g.wait(500 * time.Millisecond)
		ok(t, g, token, 200)
		g.wait(600 * time.Millisecond) // less than a second, and the leeway is over
		ok(t, g, token, 401)
	})
	t.Run("an organization is asked for once a second, whoever comes", func(t *testing.T) {
		g := newGate(t, newProvider())
		for i := range 20 {
			ok(t, g, g.good("sub", fmt.Sprint(i)), 200)
			ok(t, g, g.good("org", store.ID{9}.String(), "sub", fmt.Sprint(i)), 401)
		}
		if n := g.asked.Load(); n != 2 {
			t.Errorf("asked %d times for two organizations", n)
		}
		g.wait(time.Second)
		ok(t, g, g.good("sub", "0"), 200)
		if n := g.asked.Load(); n != 3 {
			t.Errorf("asked %d times; want a third after a second", n)
		}
	})
	t.Run("a database that fails is no reason to call the token bad", func(t *testing.T) {
		g := newGate(t, newProvider())
		g.trouble.Store(true)
		ok(t, g, g.good(), 500)
		g.trouble.Store(false)
		ok(t, g, g.good(), 200)
	})
	t.Run("thousands stay within bounds and all work", func(t *testing.T) {
		g := newGate(t, newProvider())
		for i := range 1100 {
			ok(t, g, sign(jwt.SigningMethodEdDSA, "ed", claims(g.now(), "sub", fmt.Sprint(i))), 200)
		}
		if n := g.tokens.Remembered(); n > 1024 {
			t.Errorf("%d tokens are remembered", n)
		}
	})
}

func TestKeysThatRotate(t *testing.T) {
	t.Run("a new key is good after exactly one fetch, however many come at once", func(t *testing.T) {
		g := newGate(t, newProvider())
		g.send(g.good()) // the first keys are there
		g.list("rsa", "rsa-other")
		token := sign(jwt.SigningMethodRS256, "rsa-other", claims(g.now()))
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if status, body, _ := g.send(token); status != 200 {
					t.Errorf("answers %d %s", status, body)
				}
			})
		}
		all.Wait()
		if n := g.fetches.Load(); n != 2 {
			t.Errorf("%d fetches; want the first and one more", n)
		}
	})
	t.Run("a key that is listed no more is worth nothing, its tokens remembered or not", func(t *testing.T) {
		g := newGate(t, newProvider())
		old := g.good()
		if status, _, _ := g.send(old); status != 200 {
			t.Fatal("refused from the start")
		}
		g.list("rsa-other")
		if status, _, _ := g.send(sign(jwt.SigningMethodRS256, "rsa-other", claims(g.now()))); status != 200 {
			t.Fatal("the new key is refused")
		}
		if status, body, _ := g.send(old); status != 401 || !strings.Contains(body, unlisted) {
			t.Errorf("answers %d %s", status, body)
		}
	})
	t.Run("a thousand made-up keys lead to one fetch, and to one more after a minute", func(t *testing.T) {
		g := newGate(t, newProvider())
		g.send(g.good())
		flood := func() {
			var all sync.WaitGroup
			for worker := range 20 {
				all.Go(func() {
					for i := range 50 {
						token := sign(jwt.SigningMethodEdDSA, fmt.Sprintf("made up %d.%d", worker, i), claims(g.now()), pairs()["ed"])
						if status, body, _ := g.send(token); status != 401 || !strings.Contains(body, unlisted) {
							t.Errorf("answers %d %s", status, body)
						}
					}
				})
			}
			all.Wait()
		}
		flood()
		if n := g.fetches.Load(); n != 2 {
			t.Errorf("%d fetches; want 2", n)
		}
		g.wait(time.Minute)
		flood()
		if n := g.fetches.Load(); n != 3 {
			t.Errorf("%d fetches after a minute; want 3", n)
		}
	})
}

// pipes is a network within the process, so that its waiting counts as waiting under a clock that is made to pass.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// inTime runs a test whose clock passes by itself, against a provider that begins with an answer.
func inTime(t *testing.T, answer http.HandlerFunc, f func(t *testing.T, g *gate)) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider()
		p.be(answer)
		network := &pipes{make(chan net.Conn), make(chan struct{})}
		s := &http.Server{Handler: p}
		var serving sync.WaitGroup
		serving.Go(func() { s.Serve(network) })
		g := openGate(p, "http://me:hunter2@id.example.com/keys?password=hunter2", nil, network.dial)
		f(t, g)
		g.close()
		s.Close()
		serving.Wait()
		if strings.Contains(g.log.String(), "hunter2") {
			t.Errorf("the log tells the password: %s", &g.log)
		}
	})
}

// expect asks with a token that is valid at this time.
func (g *gate) expect(t *testing.T, status int, retry string) {
	t.Helper()
	got, body, header := g.send(sign(jwt.SigningMethodRS256, "rsa", claims(time.Now())))
	if got != status || header.Get("Retry-After") != retry {
		t.Errorf("answers %d %s, Retry-After %q; want %d, %q", got, body, header.Get("Retry-After"), status, retry)
	}
}

func TestAnIdentityProviderInTrouble(t *testing.T) {
	listed := must(json.Marshal(public("rsa", jwkset.JWKMetadataOptions{})))
	tenMB := []byte(`{"keys":[` + string(listed) + `],"padding":"` + strings.Repeat("x", 10<<20) + `"}`)
	for name, answer := range map[string]http.HandlerFunc{
		"is down":          broken,
		"hangs":            hangs,
		"sends 10 MB":      func(w http.ResponseWriter, _ *http.Request) { w.Write(tenMB) },
		"sends a page":     func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) },
		"sends other JSON": func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{"error":"x"}`)) },
		"sends us elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1/", http.StatusFound)
		},
		"begins and hangs": func(w http.ResponseWriter, r *http.Request) {
			w.Write([]byte(`{"keys":[`))
			w.(http.Flusher).Flush()
			hangs(w, r)
		},
	} {
		t.Run(name+" at the start: JWTs wait, and are good soon after it is back", func(t *testing.T) {
			inTime(t, answer, func(t *testing.T, g *gate) {
				g.expect(t, http.StatusServiceUnavailable, "10")
				time.Sleep(time.Minute)
				g.expect(t, http.StatusServiceUnavailable, "10")
				if n := g.fetches.Load(); n > 8 {
					t.Errorf("%d fetches within a minute", n)
				}
				if told := strings.Count(g.log.String(), "not read"); told != 1 {
					t.Errorf("the log tells it %d times: %s", told, &g.log)
				}
				g.be(nil)
				time.Sleep(20 * time.Second)
				g.expect(t, http.StatusOK, "")
			})
		})
		t.Run(name+" later: the keys that are held stay good", func(t *testing.T) {
			inTime(t, nil, func(t *testing.T, g *gate) {
				g.expect(t, http.StatusOK, "")
				g.be(answer)
				time.Sleep(2 * time.Hour)
				g.expect(t, http.StatusOK, "")
				if n := g.fetches.Load(); n < 50 || n > 64 {
					t.Errorf("%d fetches; want one after an hour, then one a minute", n)
				}
				began := time.Now()
				status, body, _ := g.send(sign(jwt.SigningMethodRS256, "rsa-other", claims(time.Now())))
				if took := time.Since(began); status != 401 || !strings.Contains(body, unlisted) || took > 5*time.Second {
					t.Errorf("an unknown key: %d %s after %v", status, body, took)
				}
			})
		})
	}
	t.Run("of 10 MB, 1 MB is read", func(t *testing.T) {
		var sent atomic.Int64
		inTime(t, func(w http.ResponseWriter, _ *http.Request) {
			for range 10 << 10 {
				n, err := w.Write(make([]byte, 1<<10))
				if sent.Add(int64(n)); err != nil {
					return
				}
			}
		}, func(t *testing.T, g *gate) { g.expect(t, http.StatusServiceUnavailable, "10") })
		if n := sent.Load(); n < 1<<20 || n > 11<<17 {
			t.Errorf("%d bytes were sent", n)
		}
	})
	t.Run("keys are as old as an hour at most", func(t *testing.T) {
		inTime(t, nil, func(t *testing.T, g *gate) {
			g.expect(t, http.StatusOK, "")
			g.list("p256")
			time.Sleep(59 * time.Minute)
			g.expect(t, http.StatusOK, "")
			time.Sleep(2 * time.Minute)
			g.expect(t, http.StatusUnauthorized, "")
		})
	})
	t.Run("one that lists no key any more is believed", func(t *testing.T) {
		inTime(t, nil, func(t *testing.T, g *gate) {
			g.expect(t, http.StatusOK, "")
			g.be(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{"keys":[]}`)) })
			time.Sleep(61 * time.Minute)
			g.expect(t, http.StatusServiceUnavailable, "10")
		})
	})
	t.Run("one bad key does not cost the others", func(t *testing.T) {
		inTime(t, func(w http.ResponseWriter, _ *http.Request) {
			bad := []jwkset.JWKMarshal{{KTY: jwkset.KtyRSA, KID: "half", N: "AQAB"}, {KTY: "new", KID: "x"}, {KTY: jwkset.KtyEC, CRV: "P-256", X: "AA", Y: "AA", KID: "off"}}
			json.NewEncoder(w).Encode(jwkset.JWKSMarshal{Keys: append(bad, public("rsa", jwkset.JWKMetadataOptions{}))})
		}, func(t *testing.T, g *gate) { g.expect(t, http.StatusOK, "") })
	})
	t.Run("a request that is given up waits no longer", func(t *testing.T) {
		inTime(t, hangs, func(t *testing.T, g *gate) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			began := time.Now()
			_, err := g.tokens.Viewer(ctx, sign(jwt.SigningMethodRS256, "rsa", claims(time.Now())))
			if took := time.Since(began); fault.CodeOf(err) != fault.Overloaded || took != time.Second {
				t.Errorf("err = %v after %v", err, took)
			}
		})
	})
}

// Whatever stands in the header, it is answered, lets nobody in, and is not repeated.
func FuzzAuthorization(f *testing.F) {
	g := newGate(f, newProvider())
	parts := strings.Split(g.good(), ".")
	for _, s := range []string{"", "Bearer", "Bearer ", "bearer  cg_", "Basic a:b", "Bearer ..", "Bearer a.b.c", "Bearer cg_demo_0123456789abcdef", "Bearer " + parts[0] + "." + parts[1] + ".",
		"Bearer " + parts[0] + "." + parts[1] + "." + parts[2], "Bearer eyJhbGciOiJub25lIn0.e30.", "Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6W119.e30.e30"} {
		f.Add(s)
	}
	const marker = "q7Zk2xVw"
	f.Fuzz(func(t *testing.T, s string) {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("POST", "/graphql", nil)
		r.Header["Authorization"] = []string{s + marker}
		g.door.ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Bearer ") || strings.Contains(w.Body.String(), marker) {
			t.Errorf("%q is answered with %d %s", s, w.Code, w.Body)
		}
	})
}

func BenchmarkTokens(b *testing.B) {
	g := newGate(b, newProvider())
	for name, token := range map[string]string{
		"RS256": g.good("exp", g.now().Add(1e6*time.Hour).Unix()),
		"ES256": sign(jwt.SigningMethodES256, "p256", claims(g.now(), "exp", g.now().Add(1e6*time.Hour).Unix())),
		"EdDSA": sign(jwt.SigningMethodEdDSA, "ed", claims(g.now(), "exp", g.now().Add(1e6*time.Hour).Unix())),
	} {
		for how, pass := range map[string]time.Duration{"verified": time.Second, "remembered": 0} {
			b.Run(name+"/"+how, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					g.wait(pass)
					if _, err := g.tokens.Viewer(b.Context(), token); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
