package graph

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/maypok86/otter/v2"

	"carbongraph/internal/fault"
)

// persistedBytes is the memory that texts may take which clients name by their hash.
const persistedBytes = 16 << 20

// persisted keeps the texts of valid documents by their SHA-256, as automatic persisted queries ask for: from the second time on a client sends the hash alone.
// A text that had to make room for others is sent once more.
type persisted struct{ kept *otter.Cache[string, string] }

func newPersisted() *persisted {
	return &persisted{otter.Must(&otter.Options[string, string]{
		MaximumWeight: persistedBytes, Weigher: func(hash, text string) uint32 { return uint32(min(len(hash)+len(text)+64, persistedBytes)) },
	})}
}

// text is the document that a request means.
func (p *persisted) text(in *request) (string, *fault.Fault) {
	if in.hash == "" {
		return in.query, nil
	}
	if in.query != "" {
		if sum := sha256.Sum256([]byte(in.query)); hex.EncodeToString(sum[:]) != in.hash {
			return "", fault.New(fault.BadUserInput, "sha256Hash is not the hash of the query beside it.")
		}
		return in.query, nil
	}
	text, ok := p.kept.GetIfPresent(in.hash)
	if !ok {
		return "", fault.New(fault.PersistedQueryNotFound, "PersistedQueryNotFound") // clients know it by these words
	}
	return text, nil
}

// keep remembers the text that came with its hash.
func (p *persisted) keep(in *request) {
	if in.hash != "" && in.query != "" {
		p.kept.Set(in.hash, in.query)
	}
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
