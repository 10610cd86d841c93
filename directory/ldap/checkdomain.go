package ldap

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

const (
	adDocs      = "docs/directories/active-directory.md"
	tokenGroups = "tokenGroups"
	attrAccess  = "nTSecurityDescriptor"
)

// mighty are groups whose members may do everything, by the end of the identifier.
var mighty = map[string]string{"-512": "Domain Admins", "-519": "Enterprise Admins", "-518": "Schema Admins", "S-1-5-32-544": "Administrators"}

// domain reports what matters on a domain controller alone.
func (c *checking) domain(ctx context.Context, r *reading) {
	server := c.conn.Server()
	if !isAD(server) {
		return
	}
	if server.RootDSE.Has("supportedCapabilities", capReadOnly) {
		c.note(directory.Warning, "name a writable controller first in urls", "the controller is read-only: attributes that were left out of its copy look empty")
	}
	if at := r.cursor.cursor; (at.Engine == engineUSN || at.Engine == engineDirSync) && !at.Deletes {
		c.note(directory.Fine, "let the bind user list and read Deleted Objects ("+adDocs+")", "no deleted object is seen, so nothing proves that somebody was deleted")
	}
	if len(c.source.cfg.URLs) > 1 && len(r.shown) < 2 {
		c.note(directory.Warning, "let the bind user read "+attrUpToDate+" of the root of the domain ("+adDocs+")",
			"what the controller has got from others is not seen: another one is not read in its place while this one is down")
	}
	foreign := 0
	for _, m := range c.refs {
		parent := m.DN.Parent().RDN()
		if len(parent) == 1 && strings.EqualFold(parent[0].Value, "ForeignSecurityPrincipals") {
			foreign++
		}
	}
	if foreign > 0 {
		c.note(directory.Warning, "", "%s of another domain: they get nothing by these groups", counted(foreign, "member of a group is somebody", "members of groups are people"))
	}
	if err := c.might(ctx); err != nil {
		c.note(directory.Warning, "", "whether the bind user has too many rights cannot be told: %v", err)
	}
}

// might reports rights that the bind user should not have.
func (c *checking) might(ctx context.Context) error {
	sids, err := c.ourselves(ctx)
	if err != nil {
		return err
	}
	for _, end := range slices.Sorted(maps.Keys(mighty)) {
		for sid := range sids {
			if sid == end || strings.HasPrefix(end, "-") && strings.HasSuffix(sid, end) {
				c.note(directory.Warning, "use an account that may only read ("+adDocs+")", "%s is in %s and may change everything", orAnybody(c.conn.Server().BindDN), mighty[end])
			}
		}
	}
	root, err := domainRoot(c.conn.Server())
	if err != nil {
		return err
	}
	found, _, err := c.conn.Collect(ctx, ldapwire.Request{Base: root.String(), Scope: ldapwire.ScopeBase, Attributes: []string{attrAccess},
		Controls: []ldapwire.RequestControl{ldapwire.AccessList()}})
	if err != nil {
		return err
	}
	if len(found) != 1 || found[0].First(attrAccess) == "" {
		return fmt.Errorf("%s of %q is not shown", attrAccess, root)
	}
	all, err := granted([]byte(found[0].First(attrAccess)), rightGetChangesAll, sids)
	if err != nil {
		return fmt.Errorf("%s of %q: %w", attrAccess, root, err)
	}
	if all {
		c.note(directory.Warning, `take "Replicating Directory Changes All" from it: DirSync needs only the one without "All"`,
			"%s may fetch the passwords of everybody", orAnybody(c.conn.Server().BindDN))
	}
	return nil
}

// ourselves are the identifiers of the bind user and of the groups that it is in.
func (c *checking) ourselves(ctx context.Context) (map[string]bool, error) {
	dn, err := c.ownDN(ctx)
	if err != nil {
		return nil, err
	}
	rec, err := c.conn.Base(ctx, dn, objectSID, tokenGroups)
	if err != nil {
		return nil, err
	}
	out := map[string]bool{"S-1-1-0": true, "S-1-5-11": true} // everybody; who was let in
	for _, v := range slices.Concat(rec.Values(objectSID), rec.Values(tokenGroups)) {
		s, err := parseSID([]byte(v))
		if err != nil {
			return nil, fmt.Errorf("read %s of %q: %w", tokenGroups, dn, err)
		}
		out[s.text] = true
	}
	return out, nil
}

// ownDN is the name of the entry that was bound as.
func (c *checking) ownDN(ctx context.Context) (string, error) {
	server := c.conn.Server()
	name := server.BindDN
	if name == "" {
		name = strings.TrimPrefix(server.AuthzID, "u:")
	}
	if dn, ok := strings.CutPrefix(name, "dn:"); ok {
		name = dn
	}
	if _, err := identity.ParseDN(name); err == nil && name != "" {
		return name, nil
	}
	login := name
	if _, user, ok := strings.Cut(name, `\`); ok {
		login = user
	} else if user, _, ok := strings.Cut(name, "@"); ok {
		login = user
	}
	if login == "" {
		return "", fmt.Errorf("the server does not say who we are")
	}
	root, err := domainRoot(server)
	if err != nil {
		return "", err
	}
	filter := fmt.Sprintf("(|(userPrincipalName=%s)(sAMAccountName=%s))", ldapwire.EscapeFilterValue(name), ldapwire.EscapeFilterValue(login))
	found, _, err := c.conn.Collect(ctx, c.source.request(c.conn, true, ldapwire.Request{Base: root.String(), Scope: ldapwire.ScopeSubtree, Filter: filter}))
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", fmt.Errorf("%d entries are %q", len(found), name)
	}
	return found[0].DN, nil
}
