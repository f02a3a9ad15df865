//go:build !linux

package main

import "syscall"

// attributes drop root; where there is no death signal, a killed test run can leave a server behind in its temporary folder.
func attributes(uid, gid int, drop bool) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: true}
	if drop {
		a.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	return a
}
