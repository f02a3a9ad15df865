package broker

import (
	"time"
	"unsafe"

	"github.com/maypok86/otter/v2"
)

// keeper keeps what sources answered, up to so many bytes. What failed is never kept.
type keeper struct{ kept *otter.Cache[key, keeping] }

type keeping struct {
	got      got
	lifetime time.Duration
}

func newKeeper(bytes int) *keeper {
	return &keeper{otter.Must(&otter.Options[key, keeping]{
		MaximumWeight:    uint64(bytes),
		Weigher:          weigh,
		ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[key, keeping]) time.Duration { return e.Value.lifetime }),
	})}
}

// weigh is about how many bytes an entry takes, with what the cache needs for itself.
func weigh(k key, v keeping) uint32 {
	const entry = 128
	q := k.question
	n := entry + int(unsafe.Sizeof(k)) + int(unsafe.Sizeof(v)) + len(v.got.detail) +
		len(q.Description) + len(q.AccountCode) + len(q.Code) + len(q.SupplierName) + len(q.Country) + len(q.Region) + len(q.Unit)
	for _, a := range v.got.found.Answers {
		n += int(unsafe.Sizeof(a)) + len(a.Region) + len(a.Reason) + len(a.Source)
	}
	return uint32(n)
}

func (k *keeper) get(of key, at edition) (got, bool) {
	if !at.known {
		return got{}, false
	}
	v, ok := k.kept.GetIfPresent(of)
	return v.got, ok
}

func (k *keeper) put(of key, at edition, g got, p Policy) {
	v := keeping{g, p.NothingLifetime}
	if g.status == Answered {
		v.lifetime = p.Lifetime
	}
	if at.known && v.lifetime > 0 {
		k.kept.Set(of, v)
	}
}

func (k *keeper) close() { k.kept.StopAllGoroutines() }
