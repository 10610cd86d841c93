package plan

import (
	"slices"
	"strings"

	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
)

// denied says by which exception the account is closed; empty if by none.
func (m *matter) denied() string {
	if m.want == nil {
		return ""
	}
	return rulesOf(m.want.Denied)
}

// kept says by which exception the account is not deleted; empty if by none.
func (m *matter) kept() string {
	if m.want == nil {
		return ""
	}
	return rulesOf(m.want.Retained)
}

// unentitled says why somebody has no account, and whether a grant gave it.
func (m *matter) unentitled() string {
	why := "no role gives an account here"
	if ended := rulesOf(m.want.Ended); ended != "" {
		why += "; " + ended
	}
	return why
}

// rulesOf puts the reasons of exceptions in a line.
func rulesOf(list []mapping.Reason) string {
	var out []string
	for _, r := range list {
		text := r.Text + " (" + r.Rule
		if r.Where != "" {
			text += " at " + r.Where
		}
		out = append(out, text+")")
	}
	return strings.Join(out, "; ")
}

// endedFor are the grants that are over of the roles for which something was
// given.
func (m *matter) endedFor(roles []string) (out []string) {
	for _, x := range m.p.Desired.Exceptions {
		if x.Kind == ledger.Grant && x.Term == ledger.Over && slices.Contains(roles, x.Role) {
			out = append(out, x.Called()+" of "+x.Role+" ended: it was "+x.End())
		}
	}
	return out
}
