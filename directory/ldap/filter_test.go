package ldap

import (
	"testing"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

// Whatever stands in the file as a filter is taken apart, or said not to be: never
// anything else. What is found by a filter is found by it.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{"(uid=*)", "(&(a=b)(!(c=*d*e)))", "(|(a>=1)(b<=2)(c~=x))", `(cn=\28x\29)`, "(ou:dn:2.5.13.2:=x)", "(&)", "uid=x", "((a=b))", "(=)", "(a=\\2)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := parseFilter(s)
		if err != nil {
			return
		}
		p := someone("uid=a,dc=example", map[string]string{"uid": "a"})
		if ldapwire.CheckFilter(s) == nil && c.op != opNot {
			if got, why := asked(c, c, p); got != directory.Yes && implies(c, c) {
				t.Errorf("%q does not find whom it found: %d %s", s, got, why)
			}
		}
		if got, why := asked(c, clause{op: opPresent, attr: "objectclass"}, p); (got == directory.Maybe) != (why != "") {
			t.Errorf("%q: %d, and why: %q", s, got, why)
		}
	})
}
