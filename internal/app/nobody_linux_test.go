package app_test

import (
	"os"
	"syscall"
	"testing"
)

// program is the test binary. By this name a user may start it who cannot pass through its folder.
func program(*testing.T) string { return "/proc/self/exe" }

// nobody takes root's rights away; who is not root has none to lose.
func nobody() *syscall.SysProcAttr {
	if os.Geteuid() != 0 {
		return nil
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
}
