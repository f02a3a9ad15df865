package cachex_test

import (
	"fmt"
	"net"
	"os/exec"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"carbongraph/store/storetest"
)

// mirrorRedis is a server that a test may pause and kill.
type mirrorRedis struct {
	port int
	cmd  *exec.Cmd
}

func newMirrorRedis(t testing.TB) *mirrorRedis {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("redis-server is not on PATH")
	}
	s := &mirrorRedis{port: storetest.FreePort(t)}
	s.start(t)
	t.Cleanup(s.kill)
	return s
}

// client gives a client of its own with the timeouts of go-redis, which are long.
func (s *mirrorRedis) client(t testing.TB) *redis.Client {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: s.address(), MaxRetries: -1})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func (s *mirrorRedis) address() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

func (s *mirrorRedis) start(t testing.TB) {
	t.Helper()
	s.cmd = exec.Command("redis-server", "--port", fmt.Sprint(s.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir())
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if c, err := net.Dial("tcp", s.address()); err == nil {
			c.Close()
			return
		}
	}
	t.Fatal("redis-server did not answer within 20 s")
}

func (s *mirrorRedis) kill() {
	if s.cmd.ProcessState == nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	}
}
