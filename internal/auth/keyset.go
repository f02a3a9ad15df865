package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"

	"carbongraph/internal/fault"
)

const (
	fetchTimeout = 5 * time.Second
	maxKeySet    = 1 << 20 // bytes
	minRSA       = 2048    // bits, as RFC 7518 has it
	refreshEvery = time.Hour
	retryEvery   = 10 * time.Second
	// askEvery is how often at most a key that is missing leads to a fetch: whoever makes keys up must not reach the identity provider by that.
	askEvery = time.Minute
)

// keySet holds the public keys of the identity provider. run alone fetches them; who misses a key asks it to, and waits for the end.
// jwkset's own client is left aside: it bounds neither what it reads nor how long a start waits for it.
type keySet struct {
	url    string
	client *http.Client
	now    func() time.Time
	log    *slog.Logger
	wanted chan struct{} // has room for one: a fetch serves everybody

	mu    sync.Mutex
	held  *heldKeys     // nil while there are none
	due   chan struct{} // closed when the fetch that runs, or will at once, has ended; nil where there is none
	asked time.Time     // when a missing key last led to a fetch
	lost  bool          // whether the last fetch failed
}

// heldKeys are the keys of one fetch, and whose the tokens are that were verified by them, which is forgotten with them.
type heldKeys struct {
	keyfunc.Keyfunc

	mu       sync.Mutex
	verified memory[[32]byte, *Viewer]
}

func newKeySet(o TokenOptions) *keySet {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true // an hour is long for a connection
	return &keySet{
		url: o.KeySet, now: o.Now, log: o.Log, wanted: make(chan struct{}, 1),
		// Keys come from the address of the settings alone.
		client: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		due:    make(chan struct{}), // whoever comes before run has begun waits for it
	}
}

// run fetches the keys at once, then every hour, after a failure every minute, or sooner while none are held, and whenever one is missed.
func (s *keySet) run(ctx context.Context) {
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		case <-s.wanted:
		}
		next.Reset(s.refresh(ctx))
	}
}

// refresh fetches the keys and puts them in the place of those held; where that fails, what is held stays. It tells when to come again.
func (s *keySet) refresh(ctx context.Context) time.Duration {
	s.mu.Lock()
	if s.due == nil {
		s.due = make(chan struct{})
	}
	select {
	case <-s.wanted: // this is the fetch that was asked for
	default:
	}
	s.mu.Unlock()

	keys, err := s.fetch(ctx)

	s.mu.Lock()
	defer s.mu.Unlock()
	had := s.held != nil
	if err == nil {
		if s.held = hold(keys); s.held == nil {
			err = errors.New("it lists no key that can be used")
		}
	}
	switch {
	case ctx.Err() != nil: // the server is stopping
	case err != nil && !s.lost:
		s.log.WarnContext(ctx, "key set of the identity provider not read", "err", err, "held", s.held != nil)
	case err == nil && (s.lost || !had):
		s.log.InfoContext(ctx, "key set of the identity provider read", "keys", len(keys))
	}
	s.lost = err != nil
	close(s.due)
	s.due = nil
	switch {
	case err == nil:
		return refreshEvery
	case s.held != nil:
		return askEvery
	}
	return retryEvery
}

// fetch reads the keys that tokens may be signed with. One that cannot be used is passed over: it must not cost the others.
func (s *keySet) fetch(ctx context.Context) ([]jwkset.JWK, error) {
	body, err := s.get(ctx)
	if err != nil {
		return nil, err
	}
	var set jwkset.JWKSMarshal
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, fmt.Errorf("no JSON Web Key Set: %w", err)
	}
	if set.Keys == nil {
		return nil, errors.New("no JSON Web Key Set: it has no keys")
	}
	var keys []jwkset.JWK
	for _, m := range set.Keys {
		m.X5C, m.X5U = nil, "" // certificates are of no use here
		if k, err := jwkset.NewJWKFromMarshal(m, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{}); err == nil && usable(k) {
			keys = append(keys, k)
		} else {
			s.log.DebugContext(ctx, "key of the identity provider passed over", "kid", m.KID, "err", err)
		}
	}
	return keys, nil
}

func usable(k jwkset.JWK) bool {
	switch key := k.Key().(type) {
	case *rsa.PublicKey:
		return key.N.BitLen() >= minRSA
	case *ecdsa.PublicKey, ed25519.PublicKey:
		return true
	}
	return false // a secret that is shared
}

func (s *keySet) get(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return nil, withoutAddress(err)
	}
	r.Header.Set("Accept", "application/json")
	res, err := s.client.Do(r)
	if err != nil {
		return nil, withoutAddress(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answered with %s", res.Status)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxKeySet+1))
	if err == nil && len(body) > maxKeySet {
		err = fmt.Errorf("more than %d bytes", maxKeySet)
	}
	return body, err
}

// withoutAddress takes the address off an error: it may hold a password.
func withoutAddress(err error) error {
	if of, ok := errors.AsType[*url.Error](err); ok {
		return of.Err
	}
	return err
}

// hold makes keys ready to verify with; nil where there are none.
func hold(keys []jwkset.JWK) *heldKeys {
	if len(keys) == 0 {
		return nil
	}
	storage := jwkset.NewMemoryStorage()
	storage.KeyReplaceAll(context.Background(), keys) // in memory, it never fails
	find, err := keyfunc.New(keyfunc.Options{Storage: storage, UseWhitelist: []jwkset.USE{"", jwkset.UseSig}})
	if err != nil {
		return nil // only without a storage
	}
	return &heldKeys{Keyfunc: find, verified: memory[[32]byte, *Viewer]{}}
}

func (s *keySet) holds() *heldKeys {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held
}

// find gives the key that a token names, after one more fetch where it is not among those held. While none are held, that is OVERLOADED.
func (s *keySet) find(ctx context.Context, t *jwt.Token) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	for range 2 { // a fetch that ran already may have begun before the key was there
		if key, err := s.look(t); !missing(err) {
			return key, err
		}
		if !s.again(ctx) {
			break
		}
	}
	return s.look(t) // a fetch may have ended meanwhile
}

func (s *keySet) look(t *jwt.Token) (any, error) {
	held := s.holds()
	if held == nil {
		return nil, fault.New(fault.Overloaded, "The keys of the identity provider could not be read yet, so that no token can be verified. Try again soon.").After(retryEvery)
	}
	return held.Keyfunc.Keyfunc(t)
}

func missing(err error) bool {
	return errors.Is(err, jwkset.ErrKeyNotFound) || fault.CodeOf(err) == fault.Overloaded
}

// again waits for the end of the fetch that runs, or of one that it asks for. It tells whether there was any. While no keys are held it asks for none, as
// run does so soon by itself.
func (s *keySet) again(ctx context.Context) bool {
	s.mu.Lock()
	if at := s.now(); s.due == nil && s.held != nil && at.Sub(s.asked) >= askEvery {
		s.asked, s.due = at, make(chan struct{})
		s.wanted <- struct{}{} // there is room: what was in it went with the fetch before
	}
	due := s.due
	s.mu.Unlock()
	if due == nil {
		return false
	}
	select {
	case <-due:
		return true
	case <-ctx.Done():
		return false
	}
}
