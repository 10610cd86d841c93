package servers

import (
	"fmt"
	"strings"

	"github.com/rosterd/rosterd/internal/ldif"
)

// Modify runs ldapmodify as the administrator with LDIF change records; a
// record without changetype is added. The error is a *ToolError with the
// result code.
func (s *Slapd) Modify(changes string) error { return s.as(s.AdminDN).modify(changes) }

// Configure runs ldapmodify as cn=config, on the running server's own
// configuration (cn=config).
func (s *Slapd) Configure(changes string) error { return s.as("cn=config").modify(changes) }

func (s *Slapd) as(dn string) client {
	return client{url: s.URL(), ca: s.CACert, dn: dn, passwordFile: s.password}
}

// SetAccess replaces the access rules of the running server, each a clause
// that begins with `to`, tried in this order.
func (s *Slapd) SetAccess(clauses ...string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "dn: %s\nchangetype: modify\nreplace: olcAccess\n", s.database())
	for i, c := range clauses {
		fmt.Fprintf(&b, "olcAccess: {%d}%s\n", i, c)
	}
	return s.Configure(b.String())
}

// Search runs ldapsearch as the administrator, without paging. The scope is
// base, one or sub.
func (s *Slapd) Search(base, scope, filter string, attrs ...string) ([]ldif.Entry, error) {
	return s.SearchAs(s.AdminDN, s.AdminPassword, base, scope, filter, attrs...)
}

// SearchAs runs ldapsearch as somebody else; an empty DN is anonymous. What
// was read before an error is returned with it.
func (s *Slapd) SearchAs(dn, password, base, scope, filter string, attrs ...string) ([]ldif.Entry, error) {
	return s.as(s.AdminDN).searchAs(dn, password, base, scope, filter, attrs...)
}
