package broker_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"carbongraph/cachex"
	"carbongraph/internal/servertest"
	"carbongraph/internal/telemetry"
)

// patient is how long a test's Redis may take on a machine that others use too.
const patient = 5 * time.Second

// unique is a prefix of keys that no other test has, nor another run.
func unique() string { return "carbongraph:" + servertest.Unique() + ":" }

// node is what a server has of caches, over a Redis that others use too.
type node struct {
	*cachex.Chain
	client *redis.Client
	prefix string
	tel    *telemetry.Telemetry
}

func newNode(t testing.TB, client *redis.Client, prefix string, timeout time.Duration) *node {
	t.Helper()
	n := &node{client: client, prefix: prefix, tel: telemetry.New()}
	n.Chain = cachex.New(cachex.Options{Redis: client, Prefix: prefix, Timeout: timeout, Metrics: n.tel.Cache})
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { n.Run(ctx) })
	t.Cleanup(func() {
		stop()
		running.Wait()
		n.Close()
	})
	return n
}

// keys are what stands in Redis.
func (n *node) keys(t testing.TB) []string {
	t.Helper()
	keys, err := n.client.Keys(context.Background(), n.prefix+"*").Result()
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// written waits until so many entries are in Redis.
func (n *node) written(t testing.TB, entries int) []string {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if keys := n.keys(t); len(keys) == entries {
			return keys
		}
	}
	t.Fatalf("there are %d entries in Redis; want %d", len(n.keys(t)), entries)
	return nil
}

// counted gives the counts of one layer.
func (n *node) counted(layer cachex.Layer, strategy string) cachex.LayerStats {
	for _, s := range n.Stats() {
		if s.Layer == string(layer) && s.Strategy == strategy {
			return s
		}
	}
	return cachex.LayerStats{}
}

// hangsOn gives the address of a server that takes connections and never answers.
func hangsOn(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		var held []net.Conn
		for {
			c, err := l.Accept()
			if err != nil {
				for _, c := range held {
					c.Close()
				}
				return
			}
			held = append(held, c)
		}
	})
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	return "redis://" + l.Addr().String() + "/0"
}
