package storetest

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"syscall"
	"testing"
)

// FreePort gives a port of 127.0.0.1 that nothing listens on. It lies below those that systems give to clients' connections, of which one might take it before the
// server that it is for does.
func FreePort(t testing.TB) int {
	t.Helper()
	for {
		port := 10_000 + rand.N(20_000)
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err == nil {
			l.Close()
			return port
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			t.Fatal(err)
		}
	}
}
