package control

import (
	"fmt"
	"net"
	"os"
	"os/user"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// Peer is who sits at the other end, as the kernel says (SO_PEERCRED, unix(7)).
type Peer struct {
	UID uint32
	// Name is the user's; "uid 1234" where there is none.
	Name string
	// Groups are the names of those the user is in.
	Groups []string
}

func peerOf(conn net.Conn) (Peer, error) {
	u, ok := conn.(*net.UnixConn)
	if !ok {
		return Peer{}, fmt.Errorf("ask who connected: %T is no unix socket", conn)
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return Peer{}, fmt.Errorf("ask who connected: %w", err)
	}
	var cred *unix.Ucred
	var cerr error
	if err := raw.Control(func(fd uintptr) { cred, cerr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); err != nil {
		return Peer{}, fmt.Errorf("ask who connected: %w", err)
	}
	if cerr != nil {
		return Peer{}, fmt.Errorf("ask who connected: %w", cerr)
	}
	return describe(cred.Uid), nil
}

func describe(uid uint32) Peer {
	p := Peer{UID: uid, Name: fmt.Sprintf("uid %d", uid)}
	u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10))
	if err != nil {
		return p
	}
	p.Name = u.Username
	ids, err := u.GroupIds()
	if err != nil {
		return p
	}
	for _, id := range ids {
		if g, err := user.LookupGroupId(id); err == nil {
			p.Groups = append(p.Groups, g.Name)
		}
	}
	return p
}

// Rights say who may do what.
type Rights struct {
	// Look and Decide are names of users, "@" and names of groups, or "*" for
	// everybody on this machine. Who may decide may look. Root and the user that
	// serves may do both.
	Look, Decide []string
}

// MayDecide says whether the peer may decide.
func (r Rights) MayDecide(p Peer) bool {
	return p.UID == 0 || p.UID == uint32(os.Geteuid()) || p.in(r.Decide)
}

// MayLook says whether the peer may look.
func (r Rights) MayLook(p Peer) bool { return r.MayDecide(p) || p.in(r.Look) }

func (p Peer) in(list []string) bool {
	return slices.ContainsFunc(list, func(who string) bool {
		return who == "*" || who == p.Name || len(who) > 1 && who[0] == '@' && slices.Contains(p.Groups, who[1:])
	})
}
