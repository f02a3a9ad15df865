package auth

import (
	"context"
	"crypto/subtle"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"carbongraph/internal/fault"
	"carbongraph/store"
)

// Options are what keys are checked with.
type Options struct {
	Lookup func(ctx context.Context, prefix string) (*store.APIKey, []byte, error) // store.KeyByPrefix
	Touch  func(ctx context.Context, used map[store.ID]bool) error                 // store.TouchKeys
	Log    *slog.Logger
	Now    func() time.Time // nil: time.Now
}

const (
	touchEvery    = time.Minute
	lookupTimeout = 5 * time.Second
)

// Keys tells whose a key is. It remembers answers for a second, so that a busy key costs no statement for each request.
type Keys struct {
	o      Options
	flight singleflight.Group

	mu      sync.Mutex
	era     uint64 // rises with each revocation, so that an answer from before one is not remembered after it
	known   memory[string, *Viewer]
	used    map[store.ID]bool
	touched map[store.ID]time.Time
}

// NewKeys makes the check. Run it as well, so that last uses are written.
func NewKeys(o Options) *Keys {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Keys{o: o, known: memory[string, *Viewer]{}, used: map[store.ID]bool{}, touched: map[store.ID]time.Time{}}
}

// Viewer tells whose the secret is. A malformed, unknown, expired or revoked one is UNAUTHENTICATED, in the same words.
func (k *Keys) Viewer(ctx context.Context, s Secret) (*Viewer, error) {
	k.mu.Lock()
	at, era := k.o.Now(), k.era
	if v, ok := k.known.get(string(s.Hash), at); ok {
		k.used[v.Key] = true
		k.mu.Unlock()
		return v, nil
	}
	k.mu.Unlock()

	// Requests that come together ask once. The question outlives the one who asked first, for the others' sake.
	flight := string(s.Hash) + strconv.FormatUint(era, 10)
	v, err, _ := k.flight.Do(flight, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupTimeout)
		defer cancel()
		return k.look(ctx, s, era)
	})
	if err != nil {
		return nil, err
	}
	return v.(*Viewer), nil
}

func (k *Keys) look(ctx context.Context, s Secret, era uint64) (*Viewer, error) {
	at := k.o.Now()
	key, hash, err := k.o.Lookup(ctx, s.Prefix)
	if fault.CodeOf(err) == fault.NotFound {
		key, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	if key == nil || subtle.ConstantTimeCompare(hash, s.Hash) != 1 || expired(key, at) {
		return nil, refused()
	}
	v := &Viewer{Org: key.OrgID, Role: key.Role, KeyName: key.Name, Key: key.ID}
	until := at.Add(remember)
	if key.ExpiresAt != nil && key.ExpiresAt.Time().Before(until) {
		until = key.ExpiresAt.Time()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.used[v.Key] = true
	if era == k.era {
		k.known.put(string(s.Hash), v, at, until)
	}
	return v, nil
}

func expired(key *store.APIKey, at time.Time) bool {
	return key.ExpiresAt != nil && !at.Before(key.ExpiresAt.Time())
}

func refused() *fault.Fault {
	return fault.New(fault.Unauthenticated, "The key is unknown, expired or revoked. Send a valid one as `Authorization: Bearer cg_…`.")
}

// Revoked forgets a key at once. Call it after the revocation is committed.
func (k *Keys) Revoked(id store.ID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.era++
	for h, a := range k.known {
		if a.value.Key == id {
			delete(k.known, h)
		}
	}
}

// Run writes last uses now and then until the context ends, and a last time then.
func (k *Keys) Run(ctx context.Context) {
	tick := time.NewTicker(touchEvery / 6)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			k.Touch(ctx, false)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupTimeout)
			defer cancel()
			k.Touch(last, true)
			return
		}
	}
}

// Touch writes the last use of the keys that were used, of each at most once a minute unless all is true. A failure costs the date, not the request.
func (k *Keys) Touch(ctx context.Context, all bool) {
	k.mu.Lock()
	at, due := k.o.Now(), map[store.ID]bool{}
	for id := range k.used {
		if last, ok := k.touched[id]; all || !ok || at.Sub(last) >= touchEvery {
			due[id] = true
			k.touched[id] = at
			delete(k.used, id)
		}
	}
	for id, last := range k.touched {
		if at.Sub(last) >= touchEvery {
			delete(k.touched, id)
		}
	}
	k.mu.Unlock()
	if len(due) == 0 {
		return
	}
	if err := k.o.Touch(ctx, due); err != nil {
		k.o.Log.WarnContext(ctx, "last use of keys not written", "err", err)
	}
}
