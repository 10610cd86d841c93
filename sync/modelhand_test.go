package sync_test

import (
	"fmt"
	"maps"
	"slices"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/target"
)

// byHand lets somebody work in a target.
func (m *model) byHand() {
	name := m.aTarget()
	var list []target.Account
	for _, a := range m.member[name].Accounts() {
		if m.ours[name][a.ID] {
			list = append(list, a)
		}
	}
	if len(list) == 0 {
		return
	}
	a := list[rapid.IntRange(0, len(list)-1).Draw(m.t, "account")]
	m.hand = true
	a.Entitlements = slices.Clone(a.Entitlements)
	if a.Attributes = maps.Clone(a.Attributes); a.Attributes == nil {
		a.Attributes = map[string][]string{}
	}
	switch what := rapid.SampledFrom([]string{"disable", "enable", "revoke", "give", "delete", "rename", "title"}).Draw(m.t, "by hand"); what {
	case "disable":
		m.say("%s: somebody disables %s", name, a.Name)
		a.Enabled, m.closed = false, true
		m.member[name].Put(a)
	case "enable":
		m.say("%s: somebody enables %s", name, a.Name)
		a.Enabled = true
		m.member[name].Put(a)
	case "revoke":
		m.say("%s: somebody takes all from %s", name, a.Name)
		a.Entitlements = nil
		m.member[name].Put(a)
	case "give":
		e := rapid.SampledFrom([]string{"Writers", "Publishers", "Room", "Other"}).Draw(m.t, "entitlement")
		m.say("%s: somebody gives %s %s", name, a.Name, e)
		if !slices.Contains(a.Entitlements, e) {
			a.Entitlements = append(a.Entitlements, e)
		}
		m.extra[name+"/"+string(a.ID)+"/"+e] = true
		m.member[name].Put(a)
	case "delete":
		m.say("%s: somebody deletes %s", name, a.Name)
		m.member[name].Drop(a.ID)
	case "rename":
		m.moves++
		m.say("%s: somebody renames %s", name, a.Name)
		a.Name = fmt.Sprintf("hand-%d", m.moves)
		m.member[name].Put(a)
	case "title":
		m.say("%s: somebody changes the title of %s", name, a.Name)
		a.Attributes["title"] = []string{"by hand"}
		m.member[name].Put(a)
	}
}

// closedByHand are people whose account is disabled and should not be.
func (m *model) closedByHand() []*human {
	var out []*human
	for _, login := range slices.Sorted(maps.Keys(m.humans)) {
		h := m.humans[login]
		for name := range m.wish(h) {
			a := m.account(name, m.record(h).Attributes["uid"][0])
			if a != nil && !a.Enabled && !m.denied[m.ordinal(h)] && !slices.Contains(out, h) {
				out = append(out, h)
			}
		}
	}
	return out
}
