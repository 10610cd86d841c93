package servers

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/rosterd/rosterd/internal/ldif"
)

// Modify runs ldapmodify as the administrator with LDIF change records; a
// record without changetype is added. The error is a *ToolError with the
// result code.
func (s *Slapd) Modify(changes string) error {
	_, err := output(nil, []byte(changes), "ldapmodify", "-x", "-a", "-H", s.URL(), "-D", s.AdminDN, "-y", s.password)
	return err
}

// Configure runs ldapmodify as cn=config, on the running server's own
// configuration (cn=config).
func (s *Slapd) Configure(changes string) error {
	_, err := output(nil, []byte(changes), "ldapmodify", "-x", "-a", "-H", s.URL(), "-D", "cn=config", "-y", s.password)
	return err
}

// SetAccess replaces the access rules of the running server, each a clause
// that begins with `to`, tried in this order.
func (s *Slapd) SetAccess(clauses ...string) error {
	var b strings.Builder
	b.WriteString("dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\nreplace: olcAccess\n")
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
	args := []string{"-LLL", "-o", "ldif-wrap=no", "-x", "-H", s.URL(), "-b", base, "-s", scope}
	var stdin []byte
	if dn != "" {
		stdin = []byte(password)
		args = append(args, "-D", dn, "-y", "/dev/stdin")
	}
	args = append(args, filter)
	out, err := output([]string{"LDAPTLS_CACERT=" + s.CACert}, stdin, "ldapsearch", append(args, attrs...)...)
	// Continuation references come as comments or as records without a DN.
	entries, perr := ldif.All(bytes.NewReader(out))
	if err == nil {
		err = perr
	}
	return entries, err
}
