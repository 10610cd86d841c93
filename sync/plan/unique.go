package plan

import (
	"fmt"
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/target"
)

// Name is what is known of a name in a target.
type Name struct {
	// There: an account that the target shows has it. Owner is whose it is.
	There bool
	Owner identity.Ordinal
	// Given is who had it last, as far as we gave it.
	Given ledger.Given
}

// askNames is how many names of one person are asked for at once, at first.
const askNames = 4

// settleName gives the account its name, where the policy makes it unique. given
// is the name that it has from us, or had before it was deleted; live: it is
// there, and keeps the name if the rule gives it still. False: the name is not
// known yet, or there is none.
func (m *matter) settleName(given string, live bool) bool {
	u := m.want.Unique
	if u == nil || m.named {
		return true
	}
	own := *m.want
	m.want = &own
	keeps := given != "" && (!u.Follow || u.Gives(given, m.t.Description.EqualName))
	if keeps && live {
		own.Name, m.named = given, true
		return true
	}
	asking := 0
	for n := 0; n <= mapping.Names; n++ {
		name := given // the one of old comes first
		if n > 0 {
			name = u.Name(n)
		} else if !keeps {
			continue
		}
		switch taken, known := m.taken(name, u); {
		case !known:
			// Each time twice as many are asked for, so that it comes to an end soon.
			if asking == 0 {
				asking = max(askNames, n)
			}
			m.s.Names = append(m.s.Names, name)
			if asking--; asking == 0 {
				return false
			}
		case !taken && len(m.s.Names) == 0:
			own.Name, m.named = name, true
			m.chosen[identity.Fold(name)] = append(m.chosen[identity.Fold(name)], heldName{name, m.p.Ordinal})
			return true
		}
	}
	if len(m.s.Names) == 0 {
		m.park("name the account", target.Exists.String(), fmt.Sprintf("%d names are taken, %s to %s", mapping.Names, u.Name(1), u.Name(mapping.Names)),
			"change the rule, or give the person another name in the directory", m.in.Now.Add(nameAgain))
	}
	return false
}

// taken says whether the name cannot be given to the person, as far as it is
// known: somebody has it, in the target or by this plan, or had it too recently.
func (m *matter) taken(name string, u *mapping.Unique) (taken, known bool) {
	if m.guards.breakGlass(name, nil) != "" {
		return true, true
	}
	if m.held == nil {
		m.held = m.heldNames()
	}
	others := func(h heldName) bool { return h.who != m.p.Ordinal }
	if slices.ContainsFunc(m.held[fold(name)], others) || slices.ContainsFunc(m.chosen[identity.Fold(name)], others) {
		return true, true // two that differ in case alone are one name, whatever the target says
	}
	n, known := m.t.Names[name]
	if !known {
		return false, m.in.Assumed
	}
	return n.There && n.Owner != m.p.Ordinal || !n.Given.Free(m.p.Ordinal, m.in.Now, u.Reserve), true
}

// misnamed says whether the link shows that the account should have another name.
func (m *matter) misnamed(l ledger.Link) bool {
	rules := m.t.Description
	if m.want.Name == "" || !rules.CanRename {
		return false
	}
	if u := m.want.Unique; u != nil {
		given := l.GivenName()
		return !rules.EqualName(l.Name, given) || u.Follow && !u.Gives(given, rules.EqualName)
	}
	return !rules.EqualName(l.Name, m.want.Name)
}
