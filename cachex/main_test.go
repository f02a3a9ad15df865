package cachex_test

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// gocache's metrics leave a goroutine behind for ever, which is one more reason not to use them.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/eko/gocache/lib/v4/metrics.(*Prometheus).recorder"))
}
