package cachex_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/eko/gocache/lib/v4/cache"

	"carbongraph/cachex"
	"carbongraph/internal/servertest"
)

// answer is about as large and as regular as 50 rows of a list.
func answer() []byte {
	var b []byte
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 50 {
		b = fmt.Appendf(b, `{"node":{"id":"0197%012x","description":"Freight, road, articulated %d","co2e":{"kg":"%d.%03d"},"supplier":{"name":"Supplier %d","country":"DE"}},"cursor":"%x"},`,
			r.Uint64()>>16, i, r.IntN(10000), r.IntN(1000), r.IntN(100), r.Uint64())
	}
	return b
}

func BenchmarkGet(b *testing.B) {
	c, s := newChain(b, cachex.Options{}), strategy()
	names := make([]string, 1024)
	for i := range names {
		names[i] = fmt.Sprintf("%064x", i)
		c.Put(b.Context(), s, names[i], cachex.Entry{Body: answer()})
	}
	c.Settle()
	ctx := context.Background()
	b.Run("L1", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, from, ok := c.Get(ctx, s, names[i%len(names)]); !ok || from != cachex.L1 {
				b.Fatal("a miss")
			}
		}
	})
	b.Run("L1, by Load", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, out, _ := c.Load(ctx, s, names[i%len(names)], nil); out.Layer != cachex.L1 {
				b.Fatal("a miss")
			}
		}
	})
	b.Run("L1, of all cores", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				c.Get(ctx, s, names[i%len(names)])
			}
		})
	})
	b.Run("gocache's chain over our L1", func(b *testing.B) {
		l1, _ := c.Stores()
		chain := cache.NewChain[*cachex.Entry](cache.New[*cachex.Entry](keyed{l1, s.Name}))
		defer chain.Close()
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, err := chain.Get(ctx, names[i%len(names)]); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkGetL2(b *testing.B) {
	c, s := newChain(b, cachex.Options{Redis: servertest.Shared(b), Prefix: unique()}), strategy()
	for _, size := range []string{"small", "12 kB compressed"} {
		e := body("x")
		if size != "small" {
			e.Body = answer()
		}
		c.Put(b.Context(), s, size, e)
		written(b, c, s, size)
		b.Run(size, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.Forget(s.Name, size)
				if _, from, ok := c.Get(context.Background(), s, size); !ok || from != cachex.L2 {
					b.Fatal("a miss")
				}
			}
		})
	}
}

func BenchmarkPut(b *testing.B) {
	for name, redis := range map[string]bool{"alone": false, "with Redis": true} {
		b.Run(name, func(b *testing.B) {
			o := cachex.Options{}
			if redis {
				o.Redis, o.Prefix = servertest.Shared(b), unique()
			}
			c, s, e := newChain(b, o), strategy(), cachex.Entry{Body: answer()}
			names := make([]string, 1024)
			for i := range names {
				names[i] = fmt.Sprintf("%064x", i)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				c.Put(context.Background(), s, names[i%len(names)], e)
			}
		})
	}
}

func BenchmarkEnvelope(b *testing.B) {
	encode, decode := cachex.NewCodec()
	e := &cachex.Entry{Body: answer(), Head: []byte("head")}
	for name, compress := range map[string]bool{"plain": false, "zstd": true} {
		coded, err := encode("k", e, compress)
		if err != nil {
			b.Fatal(err)
		}
		b.Run("encode "+name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(e.Body)))
			for b.Loop() {
				if _, err := encode("k", e, compress); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(coded)), "stored-bytes")
		})
		b.Run("decode "+name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(e.Body)))
			for b.Loop() {
				if _, err := decode("k", coded); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
