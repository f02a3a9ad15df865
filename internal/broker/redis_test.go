package broker_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"carbongraph/cachex"
	"carbongraph/internal/telemetry"
	"carbongraph/store/storetest"
)

// variable names the Redis that tests share. Each test has a prefix of its own there.
const variable = "TEST_REDIS_URL"

// patient is how long a test's Redis may take on a machine that others use too.
const patient = 5 * time.Second

func connect(t testing.TB, address string) *redis.Client {
	t.Helper()
	o, err := redis.ParseURL(address)
	if err != nil {
		t.Fatalf("%q is no address", address)
	}
	c := redis.NewClient(o)
	t.Cleanup(func() { c.Close() })
	return c
}

func common(t testing.TB) *redis.Client {
	t.Helper()
	address := os.Getenv(variable)
	if address == "" {
		t.Skip(variable + " is not set")
	}
	return connect(t, address)
}

var prefixes atomic.Int64

func unique() string {
	return fmt.Sprintf("carbongraph:test:broker:%d:%d:%d:", os.Getpid(), time.Now().UnixNano(), prefixes.Add(1))
}

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

// ownRedis is a server that a test may kill.
type ownRedis struct {
	port int
	cmd  *exec.Cmd
}

func newRedis(t testing.TB) *ownRedis {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("redis-server is not on PATH")
	}
	s := &ownRedis{port: storetest.FreePort(t)}
	s.start(t)
	t.Cleanup(s.kill)
	return s
}

func (s *ownRedis) url() string { return fmt.Sprintf("redis://127.0.0.1:%d/0", s.port) }

func (s *ownRedis) start(t testing.TB) {
	t.Helper()
	s.cmd = exec.Command("redis-server", "--port", fmt.Sprint(s.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir())
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.port)); err == nil {
			c.Close()
			return
		}
	}
	t.Fatal("redis-server did not answer within 20 s")
}

func (s *ownRedis) kill() {
	if s.cmd.ProcessState == nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	}
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
