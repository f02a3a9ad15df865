package auth_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails when what was stopped has left something running.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
