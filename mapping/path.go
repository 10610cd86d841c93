package mapping

import (
	"strings"

	"github.com/rosterd/rosterd/identity"
)

// path makes an attribute a DN that is put together of fixed text and values of the
// person: each is one value of the name, so that a comma in it leads nowhere else. A
// value that is one expression is the whole DN.
func (m *compiler) path(a *targetAttribute, at func(...string) []string) {
	if a.mode == Merge || a.mode == IfEmpty {
		m.fail(at("mode"), `leave mode out, or write "on-create"`, "an account is always in one place, which %s is", a.name)
	}
	t := a.template
	switch {
	case t == nil:
	case t.list != nil:
		m.fail(a.path, "first(…) takes one", "%s is one place, and this may be several", a.name)
	case len(t.parts) == 1 && assembled(t.key):
		m.fail(a.path, `write the fixed text outside, as in "ou=${person.NAME},ou=accounts,dc=apps,dc=example"`,
			"%s is put together inside of ${…}, where a comma in a value of the person would lead elsewhere", a.name)
	case len(t.parts) > 1:
		for i, part := range t.parts {
			if !t.fixed[i] {
				t.parts[i] = func(s *scope) (string, *fault) {
					v, why := part(s)
					return identity.EscapeValue(v), why
				}
			}
		}
	}
}

// assembled says whether an expression puts texts together.
func assembled(key string) bool {
	for _, by := range []string{"(+ ", "(join ", "(replace "} {
		if strings.Contains(key, by) {
			return true
		}
	}
	return false
}
