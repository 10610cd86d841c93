package ldap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

// provider reports on what following rests on, at a server that is no domain
// controller.
func (c *checking) provider(ctx context.Context, r *reading) {
	if c.source.cfg.Changes == changesFull || c.source.linked() {
		return
	}
	cursor := r.cursor.cursor
	c.seenSoFar(r)
	if cursor.Engine == engineSyncrepl && c.source.profile.name == serverOpenLDAP {
		c.searchedFor(ctx)
		c.logged(ctx)
	}
	if _, said := changeNumber(c.conn.Server().RootDSE, firstChange); cursor.Engine == engineSyncrepl && c.source.profile.name == server389 && !said {
		c.note(directory.Warning, "let the bind user read firstchangenumber of the root entry",
			"the server does not say from when on it has changes: after a day without a cycle everything is read")
	}
}

// seenSoFar reports whether a server that is behind can be told.
func (c *checking) seenSoFar(r *reading) {
	if len(r.knowledge) > 0 {
		return
	}
	hint := ""
	switch c.source.profile.name {
	case serverOpenLDAP:
		hint = "let the bind user read contextCSN of the suffix; syncprov keeps it"
	case server389:
		hint = "let the bind user read nsds50ruv of the replica (cn=mapping tree,cn=config), or lastchangenumber of the root entry"
	}
	c.note(directory.Warning, hint, "the server does not say what it has seen: one that is behind, or was restored, is not told from one that is not")
}

// logged makes sure that a log of changes is seen: slapd looks into it in the name of
// who asks, and has none for whoever may not.
func (c *checking) logged(ctx context.Context) {
	if !c.hasContext(accessLog) {
		return
	}
	if _, err := c.conn.Base(ctx, accessLog, "objectClass"); errors.Is(err, ldapwire.ErrNoSuchObject) || errors.Is(err, ldapwire.ErrNoEntry) {
		c.note(directory.Warning, "give it the rule in docs/directories/openldap.md", "nothing of %s is seen: if syncprov takes its log from there, it has none for %s, and who was deleted is known after two sweeps",
			accessLog, orAnybody(c.conn.Server().BindDN))
	}
}

const accessLog = "cn=accesslog"

func (c *checking) hasContext(name string) bool {
	return slices.ContainsFunc(c.conn.Server().NamingContexts(), func(n string) bool { return strings.EqualFold(n, name) })
}

// searchedFor makes sure that people are found by entryCSN: the server searches by
// it for whom to tell of.
func (c *checking) searchedFor(ctx context.Context) {
	if len(c.known) == 0 {
		return
	}
	s, found := c.source, 0
	for _, base := range s.people {
		records, _, err := c.conn.Collect(ctx, s.request(c.conn, false, ldapwire.Request{Base: base.String(), Scope: ldapwire.ScopeSubtree,
			Filter: "(&(entryCSN>=" + firstDay + csnStart + ")" + s.anyOf(idsOf(c.known)) + ")"}))
		if err != nil {
			c.broken(hintOf(err), "find people by entryCSN: %v", err)
			return
		}
		found += len(records)
	}
	if found < len(c.known) {
		c.note(directory.Warning, fmt.Sprintf("let %s search by entryCSN and entryUUID everywhere in the bases", orAnybody(c.conn.Server().BindDN)),
			"%d of %d people are not found by entryCSN: their changes are not told", len(c.known)-found, len(c.known))
	}
}

// tooMuch reports rights that nobody needs to read people: the logs of what was
// written hold passwords.
func (c *checking) tooMuch(ctx context.Context) {
	who := orAnybody(c.conn.Server().BindDN)
	if strings.EqualFold(strings.ReplaceAll(c.conn.Server().BindDN, " ", ""), "cn=directorymanager") {
		c.note(directory.Warning, "make an entry of its own for rosterd, with the rights in docs/directories/389ds.md", "it is read as the Directory Manager, who may do everything")
		return
	}
	for _, l := range []struct{ base, holds string }{{accessLog, "reqMod"}, {"cn=changelog", "changes"}} {
		if !c.hasContext(l.base) {
			continue
		}
		// That it is refused is as it should be.
		if found, err := c.conn.Any(ctx, ldapwire.Request{Base: l.base, Scope: ldapwire.ScopeSubtree, Filter: "(" + l.holds + "=*)"}); err == nil && found {
			c.note(directory.Warning, "take from it the right to read "+l.holds+" in "+l.base, "%s may read what others wrote (%s), new passwords too", who, l.base)
		}
	}
}

func idsOf(known []directory.Known) []identity.ID {
	out := make([]identity.ID, len(known))
	for i, k := range known {
		out[i] = k.ID
	}
	return out
}
