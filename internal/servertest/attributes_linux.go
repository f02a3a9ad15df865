package servertest

import (
	"os"
	"syscall"
)

// Attributes have a program that a test starts end with the test, however that ends, and take root's rights away; who is not root has none to lose.
func Attributes() *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if os.Geteuid() == 0 {
		a.Credential = &syscall.Credential{Uid: 65534, Gid: 65534}
	}
	return a
}
