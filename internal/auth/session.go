package auth

import (
	"crypto/sha256"
	"sync"
	"time"
)

const (
	sessionLife = 12 * time.Hour
	codeLife    = time.Hour
	maxSessions = 10_000
	tokenLen    = 52 // 260 bits
)

// Sessions holds who is signed in with the console, in this process alone: a restart signs everybody out.
// Of tokens and codes only hashes are kept, and a session holds no more of its key than the database does.
type Sessions struct {
	now func() time.Time

	mu       sync.Mutex
	sessions map[[32]byte]ticket
	codes    map[[32]byte]ticket
}

// ticket stands for a key until it expires.
type ticket struct {
	key   Secret // without its text
	until time.Time
}

// NewSessions makes an empty set of sessions; a nil clock is the real one.
func NewSessions(now func() time.Time) *Sessions {
	if now == nil {
		now = time.Now
	}
	return &Sessions{now: now, sessions: map[[32]byte]ticket{}, codes: map[[32]byte]ticket{}}
}

// Open starts a session for a key and gives its token.
func (s *Sessions) Open(key Secret) (token string, until time.Time) {
	return s.put(s.sessions, key, sessionLife)
}

// Code makes a one-time code that signs in with the key, for the hour that follows.
func (s *Sessions) Code(key Secret) string {
	code, _ := s.put(s.codes, key, codeLife)
	return code
}

// Redeem takes a one-time code: the second time it is worth nothing.
func (s *Sessions) Redeem(code string) (Secret, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := sha256.Sum256([]byte(code))
	t, ok := s.codes[h]
	delete(s.codes, h)
	return t.key, ok && s.now().Before(t.until)
}

// Key gives the key of an open session.
func (s *Sessions) Key(token string) (Secret, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.sessions[sha256.Sum256([]byte(token))]
	return t.key, ok && s.now().Before(t.until)
}

// Close ends a session.
func (s *Sessions) Close(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, sha256.Sum256([]byte(token)))
}

func (s *Sessions) put(into map[[32]byte]ticket, key Secret, life time.Duration) (string, time.Time) {
	token := text(tokenLen)
	key.Text = ""
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.now()
	if len(into) >= maxSessions {
		s.makeRoom(into, at)
	}
	t := ticket{key, at.Add(life)}
	into[sha256.Sum256([]byte(token))] = t
	return token, t.until
}

// makeRoom drops what has expired, or the oldest where nothing has.
func (s *Sessions) makeRoom(of map[[32]byte]ticket, at time.Time) {
	var oldest [32]byte
	first := time.Time{}
	for h, t := range of {
		if !at.Before(t.until) {
			delete(of, h)
		} else if first.IsZero() || t.until.Before(first) {
			oldest, first = h, t.until
		}
	}
	if len(of) >= maxSessions {
		delete(of, oldest)
	}
}
