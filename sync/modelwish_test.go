package sync_test

import (
	"slices"

	"github.com/rosterd/rosterd/identity"
)

// wish is what the policy gives somebody: by target the entitlements; nil: no
// account.
type wish map[string][]string

// wish is what the policy gives this person now.
func (m *model) wish(h *human) wish {
	if !m.staff(h) {
		return nil
	}
	return m.wishOnce(h)
}

// wishOnce is what the policy gives them between their dates.
func (m *model) wishOnce(h *human) wish {
	if !m.hired(h) {
		return nil
	}
	dn := identity.MustDN(m.record(h).DN)
	in := func(g string) bool {
		if m.groups[g] == "" {
			return false
		}
		r, _ := m.source.Get(m.groups[g])
		return slices.ContainsFunc(r.Members, func(d string) bool { return identity.MustDN(d).Equal(dn) })
	}
	manager := in("managers")
	if !manager && m.groups["managers"] != "" && m.groups["leads"] != "" {
		r, _ := m.source.Get(m.groups["managers"])
		manager = slices.Contains(r.Members, m.groupDN("leads")) && in("leads")
	}
	w := wish{"wiki": {}, "chat": {}}
	if manager {
		w["wiki"], w["chat"] = []string{"Publishers", "Writers"}, []string{"Room"}
	} else if in("writers") {
		w["wiki"] = []string{"Writers"}
	}
	return w
}
