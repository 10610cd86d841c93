package sync_test

import (
	"fmt"
	"maps"
	"slices"

	"pgregory.net/rapid"

	source "github.com/rosterd/rosterd/directory/memory"
)

func (m *model) aGroup() string {
	var names []string
	for _, g := range slices.Sorted(maps.Keys(m.groups)) {
		if m.groups[g] != "" {
			names = append(names, g)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return rapid.SampledFrom(names).Draw(m.t, "group")
}

func (m *model) groupDN(g string) string {
	r, _ := m.source.Get(m.groups[g])
	return r.DN
}

// toggle lets somebody in or out. A member is written by the DN that they have
// at the time, as a server with referential integrity does not.
func (m *model) toggle(g string, h *human) {
	dn := m.record(h).DN
	m.source.Change(m.groups[g], func(r *source.Record) {
		if i := slices.Index(r.Members, dn); i >= 0 {
			r.Members = slices.Delete(r.Members, i, i+1)
			m.say("%s out of %s", h.login, g)
			return
		}
		m.say("%s into %s", h.login, g)
		r.Members = append(r.Members, dn)
	})
}

func (m *model) enrol() {
	if g, h := m.aGroup(), m.pick(func(h *human) bool { return h.there }); g != "" && h != nil {
		m.toggle(g, h)
	}
}

func (m *model) emptyGroup() {
	if g := m.aGroup(); g != "" && rapid.IntRange(0, 3).Draw(m.t, "really") == 0 {
		m.say("empty %s", g)
		m.source.Change(m.groups[g], func(r *source.Record) { r.Members = nil })
	}
}

func (m *model) moveGroup() {
	if g := m.aGroup(); g != "" {
		m.moves++
		m.say("rename group %s", g)
		was := m.groupDN(g)
		dn := fmt.Sprintf("cn=%s-%d,%s", g, m.moves, groups)
		m.source.Change(m.groups[g], func(r *source.Record) { r.DN = dn })
		for _, id := range m.groups {
			if id != "" {
				m.source.Change(id, func(r *source.Record) {
					if i := slices.Index(r.Members, was); i >= 0 {
						r.Members[i] = dn
					}
				})
			}
		}
	}
}

func (m *model) deleteGroup() {
	if g := m.aGroup(); g != "" && rapid.IntRange(0, 5).Draw(m.t, "really") == 0 {
		m.say("delete group %s", g)
		m.source.Remove(m.groups[g])
		m.groups[g] = ""
	}
}

// nest puts leads into managers, or takes it out.
func (m *model) nest() {
	if m.groups["leads"] == "" || m.groups["managers"] == "" {
		return
	}
	dn := m.groupDN("leads")
	m.source.Change(m.groups["managers"], func(r *source.Record) {
		if i := slices.Index(r.Members, dn); i >= 0 {
			m.say("leads out of managers")
			r.Members = slices.Delete(r.Members, i, i+1)
			return
		}
		m.say("leads into managers")
		r.Members = append(r.Members, dn)
	})
}
