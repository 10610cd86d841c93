package ldap

import (
	"context"
	"fmt"
	"strings"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

// seenBy389 asks a 389 Directory Server what it has seen. One that is replicated
// keeps in its update vector the last change of each supplier, which can be
// compared between servers; another numbers the changes in its change log, which
// says something of itself alone. Shown is after something was read: the root
// entry, which came with the connection, is old then.
func (s *Source) seenBy389(ctx context.Context, conn *ldapwire.Conn, shown bool) directory.Knowledge {
	out := directory.Knowledge{}
	for _, suffix := range conn.Server().NamingContexts() {
		if !s.reads(suffix) {
			continue
		}
		// Hidden is the same as not there: it is a help, not a right.
		found, _, err := conn.Collect(ctx, ldapwire.Request{Base: suffix, Scope: ldapwire.ScopeSubtree, Attributes: []string{"nsds50ruv"},
			Filter: "(&(objectClass=nsTombstone)(nsUniqueId=ffffffff-ffffffff-ffffffff-ffffffff))", IgnoreReferrals: s.cfg.IgnoreReferrals})
		if err != nil {
			continue
		}
		for _, entry := range found {
			for _, line := range entry.Values("nsds50ruv") {
				if replica, csn, ok := lastOfReplica(line); ok {
					out[strings.ToLower(suffix)+" replica "+replica] = csn
				}
			}
		}
	}
	if len(out) > 0 {
		return out
	}
	root := conn.Server().RootDSE
	if shown {
		var err error
		if root, err = conn.Base(ctx, "", lastChange); err != nil {
			return out
		}
	}
	if n, said := changeNumber(root, lastChange); said {
		out["changes of "+strings.ToLower(conn.Server().URL)] = fmt.Sprintf("%020d", n)
	}
	return out
}

// lastOfReplica reads a line of an update vector: "{replica 1 ldap://host:389}
// MINCSN MAXCSN", or without the two where nothing was changed yet. A CSN begins
// with its time, in hexadecimal.
func lastOfReplica(line string) (replica, csn string, ok bool) {
	head, tail, found := strings.Cut(line, "}")
	name, is := strings.CutPrefix(head, "{replica ")
	fields := strings.Fields(tail)
	if !found || !is || len(fields) != 2 {
		return "", "", false
	}
	replica, _, _ = strings.Cut(name, " ")
	return replica, strings.ToLower(fields[1]), replica != ""
}
