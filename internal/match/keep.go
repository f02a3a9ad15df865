package match

import (
	"context"
	"crypto/sha256"
	"encoding/binary"

	"carbongraph/cachex"
	"carbongraph/internal/exact"
)

// keeper keeps what lines mean, in the process alone: a match takes as long as Redis does, and of what a ledger says nothing has to leave the process for it. Nothing
// goes stale, since the datasets stand in the name.
type keeper struct {
	cache    *cachex.Chain // nil: nothing is kept
	strategy *cachex.Strategy
}

// usual is how many suggestions are made at least: who asks for few, and who asks for more of the same line, are given of one answer.
const usual = 10

func newKeeper(cache *cachex.Chain) *keeper {
	s := cachex.Named(cachex.EntityResolution)
	s.Alone = true // whatever the table says: what is written here is for this process
	return &keeper{cache, s}
}

// match is Index.Match, of an index that a shelf made. That a line says nothing is found out anew: that is fast.
func (k *keeper) match(ctx context.Context, x *Index, line Line, first int) (Answer, error) {
	if k.cache == nil {
		return x.Match(line, first)
	}
	n := max(first, usual)
	name := nameOf(x, line, n)
	if e, _, ok := k.cache.Get(ctx, k.strategy, name); ok {
		return x.decode(e.Body).cut(first), nil
	}
	a, err := x.Match(line, n)
	if err != nil {
		return a, err
	}
	if a.Exclusion != nil || len(a.Suggestions) > 0 {
		k.cache.Put(ctx, k.strategy, name, cachex.Entry{Body: a.encode()})
	}
	return a.cut(first), nil
}

func (a Answer) cut(first int) Answer {
	a.Suggestions = a.Suggestions[:min(first, len(a.Suggestions))]
	return a
}

// nameOf is a digest of all that an answer hangs on.
func nameOf(x *Index, line Line, n int) string {
	b := binary.AppendUvarint(make([]byte, 0, 512), uint64(n))
	for _, s := range []string{x.of, line.Description, line.AccountCode, line.Supplier, line.Country, line.Unit} {
		b = text(b, s)
	}
	sum := sha256.Sum256(b)
	return string(sum[:])
}

func text(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// encode writes the answer for decode, in this process: a factor is its place in the index, and a category is one more than its number. Places are the same in every
// index of the same datasets.
func (a Answer) encode() []byte {
	var b []byte
	if a.Exclusion != nil {
		return text(text(append(b, 1), a.Exclusion.Confidence.String()), a.Exclusion.Reason)
	}
	b = append(b, 0)
	for _, s := range a.Suggestions {
		var category uint64
		if s.Category != nil {
			category = uint64(*s.Category) + 1
		}
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(s.entry)), category)
		b = text(text(b, s.Confidence.String()), s.Reason)
	}
	return b
}

// decode reads what encode wrote.
func (x *Index) decode(b []byte) (a Answer) {
	number := func() uint64 {
		n, size := binary.Uvarint(b)
		b = b[size:]
		return n
	}
	text := func() string {
		n := number()
		s := string(b[:n])
		b = b[n:]
		return s
	}
	if number() == 1 {
		return Answer{Exclusion: &Exclusion{Confidence: exact.MustDecimal(text()), Reason: text()}}
	}
	for len(b) > 0 {
		s := Suggestion{entry: int32(number())}
		s.Factor = x.entries[s.entry].factor
		if category := number(); category > 0 {
			s.Category = new(int32(category - 1))
		}
		s.Confidence, s.Reason = exact.MustDecimal(text()), text()
		a.Suggestions = append(a.Suggestions, s)
	}
	return a
}
