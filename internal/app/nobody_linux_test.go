package app_test

import (
	"os"
	"syscall"
	"testing"
)

// program is the test binary. By this name a user may start it who cannot pass through its folder.
func program(*testing.T) string { return "/proc/self/exe" }

// fallen lets a program that a test starts end with the test, however that ends.
func fallen() *syscall.SysProcAttr {
	a := nobody()
	if a == nil {
		a = &syscall.SysProcAttr{}
	}
	a.Pdeathsig = syscall.SIGTERM
	return a
}

// nobody takes root's rights away; who is not root has none to lose.
func nobody() *syscall.SysProcAttr {
	if os.Geteuid() != 0 {
		return nil
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
}
