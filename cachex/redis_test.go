package cachex_test

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"carbongraph/internal/servertest"
)

// unique is a prefix of keys that no other test has, nor another run.
func unique() string { return "carbongraph:" + servertest.Unique() + ":" }

// withoutRetries gives a client that goes with the test and asks once, as the program's does.
func withoutRetries(t testing.TB, s *servertest.Redis) *redis.Client {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: s.Address(), MaxRetries: -1})
	t.Cleanup(func() { _ = c.Close() })
	return c
}
