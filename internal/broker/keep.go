package broker

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"runtime/debug"
	"sync"
	"time"

	"carbongraph/cachex"
)

// keeper keeps what a source answered, as long and where its strategy says: what it has in the process, and in Redis for all servers; that it has nothing in the
// process alone. What failed is never kept.
type keeper struct {
	chain    *cachex.Chain
	strategy *cachex.Strategy // nil: nothing is kept
	source   []byte           // what the source, its settings and the program are known by
	hashes   sync.Pool        // of HMAC with the secret
}

func newKeeper(chain *cachex.Chain, s Guarded, secret []byte) *keeper {
	k := &keeper{chain: chain, strategy: s.Policy.Strategy, source: text(nil, s.Source.Name())}
	if c, ok := s.Source.(Configured); ok {
		k.source = text(k.source, c.Settings())
	}
	if build, ok := debug.ReadBuildInfo(); ok { // another release may offer other candidates, ask in other words, or place answers in another way
		k.source = text(k.source, build.String())
	}
	k.hashes.New = func() any { return hmac.New(sha256.New, secret) }
	return k
}

// text adds a text in such a way that no two lists of texts look alike.
func text(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// name is what an answer is kept under: a digest of all that it hangs on, which tells nobody without the secret what was asked. It is empty where nothing is kept.
func (k *keeper) name(of key) string {
	if k.strategy == nil || of.state == "" {
		return ""
	}
	q := &of.question
	b := append(make([]byte, 0, 1024), q.Organization[:]...)
	b = append(b, q.SupplierID[:]...)
	for _, s := range []string{of.state, q.Description, q.AccountCode, q.Code, q.SupplierName, q.Country, q.Region, q.Unit, q.On.String()} {
		b = text(b, s)
	}
	h := k.hashes.Get().(hash.Hash)
	defer k.hashes.Put(h)
	h.Reset()
	h.Write(text(nil, string(k.source)))
	h.Write(b)
	return string(h.Sum(nil))
}

// here looks in the process, and waits for nothing.
func (k *keeper) here(name string) (got, bool) {
	if name == "" {
		return got{}, false
	}
	e, ok := k.chain.Here(context.Background(), k.strategy, name)
	if !ok {
		return got{}, false
	}
	return opened(e)
}

// anywhere looks in Redis as well.
func (k *keeper) anywhere(ctx context.Context, name string) (got, bool) {
	if name == "" {
		return got{}, false
	}
	e, _, ok := k.chain.Get(ctx, k.strategy, name)
	if !ok {
		return got{}, false
	}
	return opened(e)
}

// opened reads an entry. One that cannot be read is as good as none.
func opened(e *cachex.Entry) (got, bool) {
	found, err := decodeFound(e.Body)
	if err != nil {
		return got{}, false
	}
	g := gotOf(found)
	g.kept = true
	return g, true
}

// put keeps how a look-up ended. It does not wait for Redis.
func (k *keeper) put(name string, g got) {
	if name == "" {
		return
	}
	e := cachex.Entry{Body: encodeFound(g.found)}
	if g.status == Answered {
		k.chain.Put(context.Background(), k.strategy, name, e)
		return
	}
	if k.strategy.Negative > 0 {
		e.Hard = time.Now().Add(k.strategy.Negative)
		k.chain.PutHere(k.strategy, name, e)
	}
}
