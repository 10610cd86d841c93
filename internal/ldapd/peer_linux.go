package ldapd

import (
	"net"
	"syscall"
)

// peer tells who is at the other end of a UNIX socket.
func peer(c net.Conn) (uid, gid uint32, ok bool) {
	u, isUnix := c.(*net.UnixConn)
	if !isUnix {
		return 0, 0, false
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return 0, 0, false
	}
	var cred *syscall.Ucred
	if cerr := raw.Control(func(fd uintptr) {
		cred, err = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	}); cerr != nil || err != nil {
		return 0, 0, false
	}
	return cred.Uid, cred.Gid, true
}
