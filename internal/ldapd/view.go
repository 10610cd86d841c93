package ldapd

import "github.com/rosterd/rosterd/identity"

// view is what one identity sees of the directory while its lock is held.
type view struct {
	dir       *Directory
	attrs     map[string]bool // attributes without the right to see them
	trees     []identity.DN   // subtrees likewise
	passwords bool            // userPassword is shown
	stuck     bool            // ranges do not move on
}

func (s *session) view() view {
	v := view{dir: s.srv.dir, passwords: !s.bound.IsZero() && s.srv.dir.domain == nil}
	v.attrs, v.trees = s.srv.faults.rights(s.bound)
	return v
}

// hides says whether the attribute, by its key, may not be seen.
func (v view) hides(attr string) bool {
	return v.attrs[attr] || !v.passwords && attr == "userpassword" || foreignTo(v.dir.kind, attr)
}

// flat says whether attributes have no subtypes.
func (v view) flat() bool { return v.dir.domain != nil }

// concealed says whether the entry may not be seen.
func (v view) concealed(dn identity.DN) bool {
	for _, t := range v.trees {
		if dn.Within(t) {
			return true
		}
	}
	return false
}
