package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/sync/singleflight"

	"carbongraph/internal/fault"
	"carbongraph/store"
)

// TokenOptions are what JWTs are checked with. Issuer, Audience and KeySet must not be empty.
type TokenOptions struct {
	Issuer   string // the claim iss, exactly
	Audience string // the claim aud, or one of its list
	KeySet   string // where the identity provider lists its public keys
	// Organization gives an organization, or NOT_FOUND.
	Organization func(context.Context, store.ID) (*store.Organization, error)
	Log          *slog.Logger
	Now          func() time.Time // nil: time.Now
}

const (
	leeway     = 30 * time.Second // between the identity provider's clock and ours
	maxToken   = 16 << 10         // bytes
	maxSubject = 255              // bytes, as OpenID Connect has it
	maxKeyName = 64               // bytes
)

// algorithms are those with a key pair. With a shared secret, whoever can verify can sign.
func algorithms() []string {
	return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
}

// Tokens tells whose a JWT is. What it has verified it remembers for a second, since a signature takes longer than all else of a small request.
type Tokens struct {
	o      TokenOptions
	parser *jwt.Parser
	keys   *keySet
	flight singleflight.Group

	mu   sync.Mutex
	orgs memory[store.ID, bool] // whether they exist
}

// NewTokens makes the check. Run it as well: without that it has no keys.
func NewTokens(o TokenOptions) *Tokens {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Tokens{
		o: o, keys: newKeySet(o), orgs: memory[store.ID, bool]{},
		parser: jwt.NewParser(jwt.WithValidMethods(algorithms()), jwt.WithIssuer(o.Issuer), jwt.WithAudience(o.Audience), jwt.WithExpirationRequired(),
			jwt.WithIssuedAt(), jwt.WithLeeway(leeway), jwt.WithTimeFunc(o.Now), jwt.WithStrictDecoding()),
	}
}

// Run keeps the keys of the identity provider fresh until the context ends.
func (t *Tokens) Run(ctx context.Context) { t.keys.run(ctx) }

// Viewer tells whose the token is. One that is not valid is UNAUTHENTICATED, and the message says why without repeating it; while there are no keys to
// verify by, any is OVERLOADED.
func (t *Tokens) Viewer(ctx context.Context, token string) (*Viewer, error) {
	if len(token) > maxToken {
		return nil, fault.New(fault.Unauthenticated, "The token is longer than %d bytes.", maxToken)
	}
	held, hash, at := t.keys.holds(), sha256.Sum256([]byte(token)), t.o.Now()
	if v := held.remembered(hash, at); v != nil {
		return v, nil
	}
	claims, err := t.verified(ctx, token)
	if err != nil {
		return nil, err
	}
	v, err := t.viewer(ctx, claims)
	if err != nil {
		return nil, err
	}
	held.remember(hash, v, at, claims)
	return v, nil
}

// remembered gives whose the token was a moment ago.
func (h *heldKeys) remembered(hash [32]byte, at time.Time) *Viewer {
	if h == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	v, _ := h.verified.get(hash, at)
	return v
}

func (h *heldKeys) remember(hash [32]byte, v *Viewer, at time.Time, claims jwt.MapClaims) {
	exp, err := claims.GetExpirationTime()
	if h == nil || err != nil || exp == nil {
		return
	}
	until := at.Add(remember)
	if exp.Before(until) {
		until = exp.Time
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.verified.put(hash, v, at, until)
}

// verified gives the claims of a token whose signature, times, issuer and audience are right.
func (t *Tokens) verified(ctx context.Context, token string) (jwt.MapClaims, error) {
	claims := jwt.MapClaims{} // a map, since a struct would take ORG for org
	parsed, err := t.parser.ParseWithClaims(token, claims, func(parsed *jwt.Token) (any, error) {
		if kid, _ := parsed.Header["kid"].(string); kid == "" {
			return nil, fault.New(fault.Unauthenticated, "The token does not name its key: `kid` is missing in its header.")
		}
		if _, is := parsed.Header["crit"]; is {
			return nil, fault.New(fault.Unauthenticated, "The token asks for an extension that is not known here: `crit` stands in its header.")
		}
		return t.keys.find(ctx, parsed)
	})
	if err != nil {
		return nil, wrong(parsed, claims, err)
	}
	return claims, nil
}

// wrong says in general what is wrong with a token.
func wrong(t *jwt.Token, claims jwt.MapClaims, err error) error {
	if f, ok := errors.AsType[*fault.Fault](err); ok {
		return f
	}
	says := func(format string, args ...any) error { return fault.New(fault.Unauthenticated, format, args...) }
	alg := ""
	if t != nil {
		alg, _ = t.Header["alg"].(string)
	}
	switch {
	case errors.Is(err, jwt.ErrTokenMalformed):
		return says("The token cannot be read: it has not the form of a JWT.")
	case !slices.Contains(algorithms(), alg):
		return says("The token is signed by an algorithm that is not accepted. Those that are: %s.", strings.Join(algorithms(), ", "))
	case missing(err):
		return says("The token is signed with a key that the identity provider does not list.")
	case errors.Is(err, jwt.ErrTokenSignatureInvalid), errors.Is(err, jwt.ErrTokenUnverifiable):
		return says("The token's signature does not fit its key.")
	case errors.Is(err, jwt.ErrTokenExpired):
		return says("The token has expired. Get a new one from the identity provider.")
	case errors.Is(err, jwt.ErrTokenNotValidYet), errors.Is(err, jwt.ErrTokenUsedBeforeIssued):
		return says("The token is not valid yet.")
	case errors.Is(err, jwt.ErrTokenInvalidIssuer):
		return says("The token comes from another issuer.")
	case errors.Is(err, jwt.ErrTokenInvalidAudience):
		return says("The token is meant for another audience.")
	}
	for _, name := range []string{"exp", "iss", "aud"} {
		if claims[name] == nil || claims[name] == "" {
			return without(name)
		}
	}
	return says("A claim of the token is missing, or not of its type.")
}

func without(claim string) *fault.Fault {
	return fault.New(fault.Unauthenticated, "The token has no claim `%s`.", claim)
}

// viewer tells whom the claims name.
func (t *Tokens) viewer(ctx context.Context, claims jwt.MapClaims) (*Viewer, error) {
	said := map[string]string{}
	for _, name := range []string{"sub", "org", "role"} {
		if said[name], _ = claims[name].(string); said[name] == "" {
			return nil, without(name)
		}
	}
	sub, role := said["sub"], store.Role(said["role"])
	if len(sub) > maxSubject {
		return nil, fault.New(fault.Unauthenticated, "The token's claim `sub` is longer than %d bytes.", maxSubject)
	}
	if !slices.Contains(roles(), role) {
		return nil, fault.New(fault.Unauthenticated, "The token's claim `role` is none of VIEWER, ANALYST, EDITOR and ADMIN.")
	}
	org, err := store.ParseID(said["org"])
	there := err == nil // what is no id is no organization's
	if there {
		if there, err = t.exists(ctx, org); err != nil {
			return nil, err
		}
	}
	if !there {
		return nil, fault.New(fault.Unauthenticated, "The token's claim `org` is not the id of an organization. `carbongraph org create` prints it.")
	}
	return &Viewer{Org: org, Role: role, KeyName: cut(sub, maxKeyName), Subject: sub}, nil
}

// exists tells whether there is such an organization, and remembers it for a second.
func (t *Tokens) exists(ctx context.Context, org store.ID) (bool, error) {
	t.mu.Lock()
	at := t.o.Now()
	there, known := t.orgs.get(org, at)
	t.mu.Unlock()
	if known {
		return there, nil
	}
	// As with keys: those that come together ask once, and the question outlives the one who asked first.
	_, err, _ := t.flight.Do(org.String(), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupTimeout)
		defer cancel()
		return t.o.Organization(ctx, org)
	})
	there = err == nil
	if err != nil && fault.CodeOf(err) != fault.NotFound {
		return false, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.orgs.put(org, there, at, at.Add(remember))
	return there, nil
}

// cut gives the first n bytes of s, less where a character would be cut in two.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
