package store_test

import (
	"testing"

	"go.uber.org/goleak"
)

// A store that is closed leaves no goroutine behind: every test closes its own.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
