package ldap

import (
	"maps"
	"testing"
)

// What is watched is the nearest entry above the bases in each database, or the
// root of each where the server tells of nothing less.
func TestTreesToWatch(t *testing.T) {
	for name, c := range map[string]struct {
		suffixes, people, groups []string
		roots                    bool
		want                     map[string]string
	}{
		"one base":                 {[]string{"dc=corp"}, []string{"ou=people,dc=corp"}, nil, false, map[string]string{"dc=corp": "ou=people,dc=corp"}},
		"the same twice":           {[]string{"dc=corp"}, []string{"ou=people,dc=corp"}, []string{"OU=People,DC=corp"}, false, map[string]string{"dc=corp": "ou=people,dc=corp"}},
		"siblings":                 {[]string{"dc=corp"}, []string{"ou=people,dc=corp"}, []string{"ou=groups,dc=corp"}, false, map[string]string{"dc=corp": "dc=corp"}},
		"cousins":                  {[]string{"dc=corp"}, []string{"ou=p,ou=a,ou=x,dc=corp"}, []string{"ou=g,ou=b,ou=x,dc=corp"}, false, map[string]string{"dc=corp": "ou=x,dc=corp"}},
		"one in another":           {[]string{"dc=corp"}, []string{"ou=x,dc=corp"}, []string{"ou=g,ou=x,dc=corp"}, false, map[string]string{"dc=corp": "ou=x,dc=corp"}},
		"two databases":            {[]string{"dc=corp", "dc=branch"}, []string{"ou=people,dc=corp", "ou=people,dc=branch"}, nil, false, map[string]string{"dc=corp": "ou=people,dc=corp", "dc=branch": "ou=people,dc=branch"}},
		"one inside another":       {[]string{"dc=corp", "dc=sub,dc=corp"}, []string{"ou=p,dc=sub,dc=corp", "ou=p,dc=corp"}, nil, false, map[string]string{"dc=corp": "ou=p,dc=corp", "dc=sub,dc=corp": "ou=p,dc=sub,dc=corp"}},
		"the root alone":           {[]string{"DC=corp", "CN=Configuration,DC=corp"}, []string{"ou=people,dc=corp"}, nil, true, map[string]string{"DC=corp": "DC=corp"}},
		"in none of them":          {[]string{"dc=corp"}, []string{"ou=people,dc=other"}, nil, false, map[string]string{}},
		"a suffix that is no name": {[]string{"junk", "dc=corp"}, []string{"ou=people,dc=corp"}, nil, false, map[string]string{"dc=corp": "ou=people,dc=corp"}},
	} {
		s := &Source{people: names(c.people), groups: names(c.groups)}
		got := map[string]string{}
		for suffix, dn := range s.trees(c.suffixes, c.roots) {
			got[suffix] = dn.String()
		}
		if !maps.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
