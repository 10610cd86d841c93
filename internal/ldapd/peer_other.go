//go:build !linux

package ldapd

import "net"

// peer is not told here, so SASL EXTERNAL is refused.
func peer(net.Conn) (uid, gid uint32, ok bool) { return 0, 0, false }
