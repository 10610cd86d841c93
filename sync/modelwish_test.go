package sync_test

import (
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

// wish is what the policy gives somebody: by target the entitlements; a target that is
// not there: no account.
type wish map[string][]string

func (w wish) account(name string) bool {
	_, has := w[name]
	return has
}

// base are the groups of the policy that somebody is in; nil: they are no staff.
type base map[string]bool

// wish is what the policy that is put back at the end gives this person now.
func (m *model) wish(h *human) wish { return m.gives(h, m.base(h), fileWhole) }

// base is what the directory says of somebody now.
func (m *model) base(h *human) base {
	if !m.staff(h) {
		return nil
	}
	return m.baseOnce(h)
}

// baseOnce is what it says of them between their dates.
func (m *model) baseOnce(h *human) base {
	if !m.hired(h) {
		return nil
	}
	dn := identity.MustDN(m.record(h).DN)
	out := base{}
	for g, id := range m.groups {
		if id == "" {
			continue
		}
		r, _ := m.source.Get(id)
		out[g] = slices.ContainsFunc(r.Members, func(d string) bool { return identity.MustDN(d).Equal(dn) })
	}
	if m.groups["managers"] != "" && m.groups["leads"] != "" {
		r, _ := m.source.Get(m.groups["managers"])
		out["managers"] = out["managers"] || slices.Contains(r.Members, m.groupDN("leads")) && out["leads"]
	}
	return out
}

// gives is what a policy makes of that, with what was decided by hand.
func (m *model) gives(h *human, b base, file int) wish {
	if b == nil || file == fileNobody || m.decreed(h, ledger.Deny, "employee", "") {
		return nil
	}
	role := func(name string, by bool) bool {
		return (by || m.decreed(h, ledger.Grant, name, "")) && !m.decreed(h, ledger.Deny, name, "")
	}
	manager := role("manager", b["managers"])
	writer := role("writer", b["writers"] || manager)
	w := wish{"wiki": {}, "chat": {}}
	give := func(name string, has bool, rights ...string) {
		if has {
			w[name] = append(w[name], rights...)
		}
	}
	give("wiki", writer || manager, "Writers")
	give("wiki", manager && file != fileNoPublishers, "Publishers")
	give("chat", manager, "Room")
	if m.with["seats"] {
		give("wiki", manager, "Full")
		give("wiki", !manager, "Light")
	}
	if m.with["conflict"] {
		give("wiki", role("payer", b["payers"]), "Pay")
		give("chat", role("clearer", b["clearers"]), "Clear")
	}
	for _, name := range []string{"wiki", "chat"} {
		if m.decreed(h, ledger.Deny, "", name) {
			delete(w, name)
		}
	}
	return w
}
