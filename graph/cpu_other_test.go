//go:build !linux

package graph_test

import (
	"testing"
	"time"
)

// processorTime is how long a function takes: other systems do not tell a thread's own time in the same way.
func processorTime(_ testing.TB, f func()) time.Duration {
	began := time.Now()
	f()
	return time.Since(began)
}
