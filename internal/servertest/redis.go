// Package servertest gives tests servers: the Redis that they share, one of a test's own, to be emptied, paused and killed, and a wire to it that can be disturbed.
package servertest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"carbongraph/store/storetest"
)

// sharedRedis names the Redis that tests share. What they put there has names of its own: see Unique.
const sharedRedis = "TEST_REDIS_URL"

// Connect gives a client that goes with the test. Its timeouts are go-redis' own, which are long: what is tested has to mind the time itself.
func Connect(t testing.TB, address string) *redis.Client {
	t.Helper()
	o, err := redis.ParseURL(address)
	if err != nil {
		t.Fatalf("%q is no address", address)
	}
	c := redis.NewClient(o)
	t.Cleanup(func() { c.Close() })
	return c
}

// Shared gives a client of the Redis that tests share.
func Shared(t testing.TB) *redis.Client {
	t.Helper()
	address := os.Getenv(sharedRedis)
	if address == "" {
		t.Skip(sharedRedis + " is not set: give the address of a Redis server, or run the tests by `make test`")
	}
	return Connect(t, address)
}

var names atomic.Int64

// Unique is a name that no other test has, nor another run.
func Unique() string {
	return fmt.Sprintf("test-%d-%d-%d", os.Getpid(), time.Now().UnixNano(), names.Add(1))
}

// Redis is a server of the test's own.
type Redis struct {
	port int
	args []string
	cmd  *exec.Cmd
}

// NewRedis starts one, with arguments beside the usual ones. It ends with the test.
func NewRedis(t testing.TB, args ...string) *Redis {
	t.Helper()
	s := &Redis{port: storetest.FreePort(t), args: args}
	s.Start(t)
	t.Cleanup(s.Kill)
	return s
}

// Address is where it answers, as host and port.
func (s *Redis) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// URL is where it answers, as REDIS_URL has it.
func (s *Redis) URL() string { return "redis://" + s.Address() + "/0" }

// Start starts it again after Kill, empty, and waits until it answers.
func (s *Redis) Start(t testing.TB) {
	t.Helper()
	name, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("redis-server is not on PATH: a Redis that may be killed cannot be started")
	}
	s.cmd = exec.Command(name, append([]string{"--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"}, s.args...)...)
	s.cmd.Dir, s.cmd.SysProcAttr = os.TempDir(), Attributes()
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if c, err := net.Dial("tcp", s.Address()); err == nil {
			c.Close()
			return
		}
	}
	t.Fatal("redis-server did not answer within 20 s")
}

// Kill ends it at once, if it runs.
func (s *Redis) Kill() {
	if s.cmd.ProcessState == nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	}
}
