package cachex_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"carbongraph/store/storetest"
)

// variable names the Redis that tests share. Each test has a prefix of its own there.
const variable = "TEST_REDIS_URL"

// connect gives a client that goes with the test. Its timeouts are go-redis' own, which are long: the cache has to mind the time itself.
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

// common gives a client of the Redis that tests share.
func common(t testing.TB) *redis.Client {
	t.Helper()
	address := os.Getenv(variable)
	if address == "" {
		t.Skip(variable + " is not set")
	}
	return connect(t, address)
}

var names atomic.Int64

// unique is a prefix that no other test has, nor another run.
func unique() string {
	return fmt.Sprintf("carbongraph:test:%d:%d:%d:", os.Getpid(), time.Now().UnixNano(), names.Add(1))
}

// ownRedis is a server that a test may empty and kill.
type ownRedis struct {
	port int
	args []string
	cmd  *exec.Cmd
}

func newRedis(t testing.TB, args ...string) *ownRedis {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("redis-server is not on PATH")
	}
	s := &ownRedis{port: storetest.FreePort(t), args: args}
	s.start(t)
	t.Cleanup(s.kill)
	return s
}

func (s *ownRedis) url() string { return fmt.Sprintf("redis://127.0.0.1:%d/0", s.port) }

func (s *ownRedis) start(t testing.TB) {
	t.Helper()
	s.cmd = exec.Command("redis-server", "--port", fmt.Sprint(s.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir())
	s.cmd.Args = append(s.cmd.Args, s.args...)
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

// proxy stands between a client and Redis. It holds back or replaces what Redis answers when it is told to.
type proxy struct {
	to string
	l  net.Listener

	mu    sync.Mutex
	held  chan struct{} // nil: nothing is held back
	says  string        // in place of Redis' answers
	conns []net.Conn
	all   sync.WaitGroup
}

func newProxy(t testing.TB, address string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{to: strings.TrimSuffix(strings.TrimPrefix(address, "redis://"), "/0"), l: l}
	p.all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.all.Go(func() { p.join(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.heal()
		p.mu.Lock()
		for _, c := range p.conns {
			c.Close()
		}
		p.mu.Unlock()
		p.all.Wait()
	})
	return p
}

func (p *proxy) url() string { return "redis://" + p.l.Addr().String() + "/0" }

func (p *proxy) stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = make(chan struct{})
}

func (p *proxy) say(s string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.says = s
}

func (p *proxy) heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held != nil {
		close(p.held)
	}
	p.held, p.says = nil, ""
}

func (p *proxy) join(c net.Conn) {
	there, err := net.Dial("tcp", p.to)
	if err != nil {
		c.Close()
		return
	}
	p.mu.Lock()
	p.conns = append(p.conns, c, there)
	p.mu.Unlock()
	p.all.Go(func() {
		_, _ = io.Copy(there, c)
		there.Close()
	})
	defer c.Close()
	buf := make([]byte, 4096)
	for {
		n, err := there.Read(buf)
		if err != nil {
			return
		}
		p.mu.Lock()
		held, answer := p.held, buf[:n]
		if p.says != "" {
			answer = []byte(p.says)
		}
		p.mu.Unlock()
		if held != nil {
			<-held
		}
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}
