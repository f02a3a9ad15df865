package graph

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"carbongraph/cachex"
	"carbongraph/internal/fault"
)

// persistedBytes is the memory that texts may take which clients name by their hash.
const persistedBytes = 16 << 20

// Documents is how long texts are kept that clients name by their hash.
func Documents() cachex.Strategy {
	return cachex.Strategy{Name: "persisted_documents", Lifetime: 24 * time.Hour, Compress: true}
}

// DocumentOptions are those of the chain that keeps such texts, for all servers where there is Redis.
func DocumentOptions(redis redis.UniversalClient) cachex.Options {
	return cachex.Options{Bytes: persistedBytes, Redis: redis, Prefix: "carbongraph:documents:", Strategies: []cachex.Strategy{Documents()}}
}

// What one caller may have kept in an hour: an application has some hundred documents of some kilobytes. Whoever sends more makes room for nobody else's.
const (
	registrations    = 1000
	registeredBytes  = 2 << 20
	registeredWithin = time.Hour
	registrars       = 10_000 // callers that are counted
)

// persisted keeps the texts of valid documents by their SHA-256, as automatic persisted queries ask for: from the second time on a client sends the hash alone.
// A text that had to make room for others is sent once more.
type persisted struct {
	chain    *cachex.Chain // nil: nothing is kept
	strategy cachex.Strategy

	mu      sync.Mutex
	since   time.Time
	callers map[string]registered
}

// registered is what a caller has had kept within the hour.
type registered struct{ texts, bytes int }

func newPersisted(chain *cachex.Chain) *persisted {
	return &persisted{chain: chain, strategy: Documents(), callers: map[string]registered{}}
}

// register counts a text for its caller, and tells whether it may be kept.
func (p *persisted) register(caller string, bytes int, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.since) > registeredWithin || len(p.callers) == registrars {
		p.since = now
		clear(p.callers)
	}
	r := p.callers[caller]
	r.texts, r.bytes = r.texts+1, r.bytes+bytes
	if r.texts > registrations || r.bytes > registeredBytes {
		return false
	}
	p.callers[caller] = r
	return true
}

// text is the document that a request means.
func (p *persisted) text(ctx context.Context, in *request) (string, *fault.Fault) {
	switch {
	case in.hash == "":
		return in.query, nil
	case in.query != "":
		if hashed(in.query) != in.hash {
			return "", fault.New(fault.BadUserInput, "sha256Hash is not the hash of the query beside it.")
		}
		return in.query, nil
	}
	if p.chain == nil {
		return "", fault.New(fault.PersistedQueryNotFound, "PersistedQueryNotFound")
	}
	if e, _, ok := p.chain.Get(ctx, &p.strategy, in.hash); ok {
		text := shared(e.Body)
		if hashed(text) == in.hash {
			return text, nil
		}
		_ = p.chain.Delete(ctx, &p.strategy, in.hash) // whoever wrote that to Redis was not us
	}
	return "", fault.New(fault.PersistedQueryNotFound, "PersistedQueryNotFound") // clients know it by these words
}

func hashed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// keep remembers the text that came with its hash, unless the caller has had as much kept as one may.
func (p *persisted) keep(ctx context.Context, in *request, caller string) {
	if p.chain == nil || in.hash == "" || in.query == "" {
		return
	}
	if _, _, known := p.chain.Get(ctx, &p.strategy, in.hash); known {
		return
	}
	if !p.register(caller, len(in.query), time.Now()) {
		return
	}
	p.chain.Put(ctx, &p.strategy, in.hash, cachex.Entry{Body: []byte(in.query)})
}

const badHash = `extensions.persistedQuery is an object with "version": 1 and a "sha256Hash" of 64 hexadecimal digits in small letters.`

// hashOf is the hash that a request's extensions name, empty where they name none.
func hashOf(extensions map[string]any) (hash string, ok bool) {
	v, there := extensions["persistedQuery"]
	if !there || v == nil {
		return "", true
	}
	q, ok := v.(map[string]any)
	if !ok || q["version"] != json.Number("1") {
		return "", false
	}
	hash, ok = q["sha256Hash"].(string)
	if b, err := hex.DecodeString(hash); !ok || err != nil || len(b) != sha256.Size || hex.EncodeToString(b) != hash {
		return "", false
	}
	return hash, true
}
