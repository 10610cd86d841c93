package ldap

import (
	"strings"

	"github.com/rosterd/rosterd/identity"
)

// canonical is the name by which servers answer for an attribute: "commonName"
// and "2.5.4.3" are asked for, "cn" comes.
func canonical(name string) string {
	dn, err := identity.ParseDN(name + "=x")
	if err != nil {
		return strings.ToLower(name)
	}
	short, _, _ := strings.Cut(dn.Key(), "=")
	return short
}

// wanted tells for the names of answers under which covered names the values
// are kept. A server may answer by the name that was asked for, too.
func wanted(coverage identity.Coverage) map[string][]string {
	want := map[string][]string{}
	for _, n := range coverage.Names() {
		c := canonical(n)
		want[c] = append(want[c], n)
	}
	for _, n := range coverage.Names() {
		if c := canonical(n); c != n {
			want[n] = want[c]
		}
	}
	return want
}
