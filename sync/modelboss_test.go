package sync_test

import (
	"fmt"
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/target"
)

// report gives somebody a manager, another one, or none.
func (m *model) report() {
	h := m.pick(func(h *human) bool { return h.there })
	boss := m.pick(func(b *human) bool { return b.there && m.inside(b) })
	if h == nil || boss == nil {
		return
	}
	if h.boss == boss {
		boss = nil
	}
	h.boss = boss
	m.refer(h)
}

// refer writes whom somebody reports to.
func (m *model) refer(h *human) {
	if h.boss == nil {
		m.say("%s reports to nobody", h.login)
		m.setAttribute(h, "manager")
		return
	}
	m.say("%s reports to %s", h.login, h.boss.login)
	m.setAttribute(h, "manager", m.record(h.boss).DN)
}

// followed is what a server with referential integrity does when an entry moved or is
// gone. One that is outside the people's base is nobody's manager.
func (m *model) followed(boss *human) {
	for _, h := range m.humans {
		if h.boss != boss {
			continue
		}
		if !boss.there || !m.inside(boss) {
			h.boss = nil
		}
		if h.there {
			m.refer(h)
		}
	}
}

// misreferred says where an account does not name the account of the manager.
func (m *model) misreferred(h *human, name string, a *target.Account) string {
	if !m.with["managers"] {
		return ""
	}
	var want []string
	if h.boss != nil {
		if id := m.accountOf(m.ordinal(h.boss), name); id != "" {
			want = []string{string(id)}
		}
	}
	if got := a.Attributes["boss"]; !slices.Equal(got, want) {
		return fmt.Sprintf("the manager of %s in %s is %q, not %q", h.login, name, got, want)
	}
	return ""
}

// accountOf is the account that somebody has, open or closed; "" if none.
func (m *model) accountOf(who identity.Ordinal, name string) target.NativeID {
	for _, a := range m.member[name].Accounts() {
		if owner, owned := m.owner[name][a.ID]; owned && owner == who {
			return a.ID
		}
	}
	return ""
}
