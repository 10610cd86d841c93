package ad

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target"
)

// What a controller says of an entry about who asks.
const (
	mayCreate = "allowedChildClassesEffective"
	mayWrite  = "allowedAttributesEffective"
	mayAtAll  = "sDRightsEffective" // always there where the others are known
)

const seeRights = "docs/targets/active-directory.md has the commands that give the right"

// inspect says what the bind user may not do. Active Directory tells, unlike other
// directories; who shows nothing of it is not judged.
func (c Config) inspect(ctx context.Context, conn *ldapwire.Conn) ([]target.Note, error) {
	var notes []target.Note
	if !conn.Server().RootDSE.Has("supportedCapabilities", "1.2.840.113556.1.4.800") {
		notes = append(notes, target.Note{Text: "the server does not say that it is an Active Directory", Hint: `a directory of another kind has kind = "ldap"`})
	}
	base, err := conn.Base(ctx, c.Base, mayCreate, mayAtAll)
	if err != nil {
		return nil, err
	}
	if base.First(mayAtAll) != "" && !slices.ContainsFunc(base.Values(mayCreate), isUser) {
		notes = append(notes, target.Note{Broken: true, Text: fmt.Sprintf("%s may not make users in %s", c.BindDN, c.Base), Hint: seeRights})
	}
	if c.Groups.Base == "" {
		return notes, nil
	}
	groups, _, err := conn.Collect(ctx, ldapwire.Request{Base: c.Groups.Base, Scope: ldapwire.ScopeSubtree, Filter: c.Groups.Filter,
		Attributes: []string{mayWrite, mayAtAll, adminCount}, Controls: []ldapwire.RequestControl{ldapwire.DomainScope().Optional()}})
	if err != nil {
		return nil, err
	}
	var closed, guards []string
	for _, g := range groups {
		if guarded(g) {
			guards = append(guards, g.DN)
		}
		if g.First(mayAtAll) != "" && !slices.ContainsFunc(g.Values(mayWrite), func(a string) bool { return strings.EqualFold(a, "member") }) {
			closed = append(closed, g.DN)
		}
	}
	if len(guards) > 0 {
		notes = append(notes, target.Note{Text: fmt.Sprintf("the domain guards %d of %d groups, %s among them: whoever is put into one is protected from then on, and closed only with --protected", len(guards), len(groups), guards[0]),
			Hint: "name none of them under entitlements"})
	}
	if len(closed) > 0 {
		notes = append(notes, target.Note{Text: fmt.Sprintf("%s may not change the members of %d of %d groups, %s among them", c.BindDN, len(closed), len(groups), closed[0]),
			Hint: seeRights + "; those that no role names do not need it"})
	}
	return notes, nil
}
