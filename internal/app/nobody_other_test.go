//go:build !linux

package app_test

import (
	"os"
	"syscall"
	"testing"
)

func program(t *testing.T) string {
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere, and only on Linux the test becomes another user")
	}
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func nobody() *syscall.SysProcAttr { return nil }
