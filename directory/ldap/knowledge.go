package ldap

import (
	"context"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

// knowledge asks an OpenLDAP what it has seen: contextCSN has a change sequence
// number for each server that takes writes (draft-ietf-ldup-model; syncprov keeps
// it). A server that does not say has none.
func (s *Source) knowledge(ctx context.Context, conn *ldapwire.Conn) directory.Knowledge {
	out := directory.Knowledge{}
	for _, suffix := range conn.Server().NamingContexts() {
		if !s.reads(suffix) {
			continue
		}
		// Hidden is the same as not there: it is a help, not a right.
		entry, err := conn.Base(ctx, suffix, "contextCSN")
		if err != nil {
			continue
		}
		for _, csn := range entry.Values("contextCSN") {
			// time#count#server#modification
			parts := strings.Split(csn, "#")
			if len(parts) == 4 {
				out[strings.ToLower(suffix)+" server "+parts[2]] = csn
			}
		}
	}
	return out
}

// reads says whether a base lies in the tree.
func (s *Source) reads(suffix string) bool {
	root, err := identity.ParseDN(suffix)
	return err == nil && slices.ContainsFunc(slices.Concat(s.people, s.groups), func(base identity.DN) bool {
		return base.Equal(root) || base.Within(root)
	})
}
