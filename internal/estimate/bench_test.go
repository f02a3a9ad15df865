package estimate_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"carbongraph/cachex"
	"carbongraph/internal/estimate"
	"carbongraph/internal/exact"
	"carbongraph/internal/factors"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

// What results cost to make, by ids and by keys, and to find again: in the process, and in Redis.
func BenchmarkEstimate(b *testing.B) {
	st := storetest.Postgres(b)
	if _, err := factors.Install(b.Context(), st); err != nil {
		b.Fatal(err)
	}
	org := &store.Organization{Currency: "GBP", GwpSet: store.AR6, MoneyOrder: store.DeflateThenConvert}
	engine, err := factors.Engine()
	if err != nil {
		b.Fatal(err)
	}
	c, err := st.Factors(b.Context(), &store.EmissionFactorFilter{Units: []string{"USD"}, Current: new(true)}, store.EmissionFactorOrder{}, store.Page{First: new(int32(500))})
	if err != nil {
		b.Fatal(err)
	}
	day := exact.NewDate(2024, 5, 6)
	near := cachex.New(cachex.Options{})
	defer near.Close()
	chains := map[string]*cachex.Chain{"calculated": nil, "in the process": near, "in Redis": far(b)}
	for _, n := range []int{1, 32, 1000} {
		for _, by := range []string{"ids", "keys"} {
			in := make([]*estimate.Input, n)
			for i := range in {
				f := c.Nodes[i%len(c.Nodes)]
				in[i] = &estimate.Input{Money: &store.MoneyInput{Amount: exact.NewDecimal(int64(i+1), 0), Currency: "GBP"}, OccurredOn: &day}
				if by == "keys" {
					in[i].FactorKey = &estimate.FactorKeyInput{Source: "epa-supply-chain", Code: f.Code}
				} else {
					in[i].FactorID = new(f.GlobalID())
				}
			}
			for _, where := range []string{"calculated", "in the process", "in Redis"} {
				if by == "ids" && where != "calculated" || n == 1 && where == "in Redis" {
					continue // they are not kept there
				}
				b.Run(fmt.Sprintf("%d by %s, %s", n, by, where), func(b *testing.B) {
					e := estimate.New(estimate.Options{Store: st, Catalog: factors.NewCatalog(st, 0), Engine: engine, Cache: chains[where]})
					b.ReportAllocs()
					for b.Loop() {
						out, err := e.Estimate(b.Context(), org, in)
						if err != nil || out[0].Emission == nil {
							b.Fatal(err, out[0].Problem)
						}
					}
				})
			}
		}
	}
}

// far is a chain whose process holds nothing.
func far(b *testing.B) *cachex.Chain {
	url := os.Getenv("TEST_REDIS_URL")
	if url == "" {
		b.Skip("TEST_REDIS_URL is not set: give the address of a Redis server")
	}
	o, err := redis.ParseURL(url)
	if err != nil {
		b.Fatal(err)
	}
	client := redis.NewClient(o)
	chain := cachex.New(cachex.Options{Bytes: 1, Redis: client, Prefix: b.Name() + time.Now().String()})
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { chain.Run(ctx) })
	b.Cleanup(func() {
		stop()
		running.Wait()
		chain.Close()
		client.Close()
	})
	return chain
}
