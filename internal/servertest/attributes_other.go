//go:build !linux

package servertest

import "syscall"

// Attributes change nothing here.
func Attributes() *syscall.SysProcAttr { return nil }
