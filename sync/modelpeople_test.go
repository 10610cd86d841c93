package sync_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/directory"
	source "github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
)

// human is what the model knows of one login.
type human struct {
	login string
	id    identity.ID
	key   string
	// boss is whom they report to; nil: nobody.
	boss *human
	// there is whether the source has an entry.
	there bool
	// unseen is when a complete read first did not show them.
	unseen time.Time
	// told: a follow told that they were deleted, and nothing showed them since.
	told   bool
	absent bool // proved absent
	// was is what they should have had by the last complete read, between the dates
	// that it showed; is are those of the source.
	was       base
	is, shown dates
}

// pick draws one of the people for whom fit holds; nil if there is none.
func (m *model) pick(fit func(*human) bool) *human {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(m.humans)) {
		if fit(m.humans[name]) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return m.humans[rapid.SampledFrom(names).Draw(m.t, "person")]
}

func (m *model) anybody() *human { return m.pick(func(*human) bool { return true }) }

func (m *model) record(h *human) source.Record {
	r, _ := m.source.Get(h.id)
	return r
}

func (m *model) staff(h *human) bool {
	return m.hired(h) && h.is.hold(m.now)
}

// hired is staff whatever the dates.
func (m *model) hired(h *human) bool {
	return h.there && m.record(h).Attributes["employeetype"][0] == "staff" && m.inside(h)
}

func (m *model) inside(h *human) bool {
	return identity.MustDN(m.record(h).DN).Within(identity.MustDN(people))
}

func (m *model) enter(name string) {
	h := m.humans[name]
	if h == nil {
		h = &human{login: name, key: "n-" + name}
		m.humans[name] = h
	}
	h.there, h.is, h.boss = true, dates{}, nil
	h.id = m.source.Put(source.Record{Kind: directory.Person, DN: "uid=" + name + "," + people, Attributes: map[string][]string{
		"uid": {name}, "cn": {name}, "mail": {name + "@corp.example"}, "employeeType": {"staff"}, "employeeNumber": {h.key}}})
}

func (m *model) join() {
	for i := range modelPeople {
		if m.humans[login(i)] == nil {
			m.say("join %s", login(i))
			m.enter(login(i))
			return
		}
	}
}

func (m *model) setAttribute(h *human, name string, values ...string) {
	m.source.Change(h.id, func(r *source.Record) { r.Attributes[strings.ToLower(name)] = values })
}

// spare says whether somebody else may go: tests of shares need people.
func (m *model) spare() bool {
	n := 0
	for _, h := range m.humans {
		if m.staff(h) {
			n++
		}
	}
	return n > 7
}

func (m *model) leave() {
	if h := m.pick(m.staff); h != nil && m.spare() {
		m.say("leave %s", h.login)
		m.setAttribute(h, "employeeType", rapid.SampledFrom([]string{"former", "guest"}).Draw(m.t, "as"))
	}
}

func (m *model) comeBack() {
	if h := m.pick(func(h *human) bool { return h.there && !m.staff(h) }); h != nil {
		m.say("come back %s", h.login)
		m.setAttribute(h, "employeeType", "staff")
		uid := m.record(h).Attributes["uid"][0]
		m.source.Change(h.id, func(r *source.Record) { r.DN = "uid=" + uid + "," + people })
		m.followed(h)
	}
}

func (m *model) remove() {
	if h := m.pick(func(h *human) bool { return h.there }); h != nil && m.spare() {
		m.say("delete %s", h.login)
		m.source.Remove(h.id)
		h.there = false
		m.followed(h)
	}
}

func (m *model) again() {
	if h := m.pick(func(h *human) bool { return !h.there }); h != nil {
		m.say("make again %s", h.login)
		m.enter(h.login)
	}
}

func (m *model) move() {
	h := m.pick(func(h *human) bool { return h.there })
	if h == nil {
		return
	}
	to := rapid.SampledFrom([]string{people, "ou=north," + people, "ou=left,dc=corp,dc=example"}).Draw(m.t, "to")
	if !m.spare() && to != people && m.staff(h) {
		return
	}
	m.say("move %s to %s", h.login, to)
	uid := m.record(h).Attributes["uid"][0]
	m.source.Change(h.id, func(r *source.Record) { r.DN = "uid=" + uid + "," + to })
	m.followed(h)
}

func (m *model) rename() {
	// Whoever is called as an account that is not ours could not be called so again.
	if h := m.pick(func(h *human) bool { return h.there && !m.strangers[h.login] }); h != nil {
		m.moves++
		name := fmt.Sprintf("%s-%d", h.login, m.moves)
		m.say("rename %s to %s", h.login, name)
		m.setAttribute(h, "uid", name)
	}
}

func (m *model) attribute() {
	if h := m.pick(func(h *human) bool { return h.there }); h != nil {
		value := rapid.SampledFrom([]string{"", "One", "Two"}).Draw(m.t, "sn")
		m.say("sn of %s is %q", h.login, value)
		if value == "" {
			m.setAttribute(h, "sn")
		} else {
			m.setAttribute(h, "sn", value)
		}
	}
}
