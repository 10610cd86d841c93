package sync_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target"
)

// converge heals everything, and wants the targets to be as the policy wishes
// in the end, and rosterd to have nothing more to do.
func (m *model) converge() {
	m.heal()
	m.resumeAll()
	m.file, m.insists = 0, m.with["protected"]
	m.restart()
	var r *rostersync.Report
	for range 14 {
		if m.hand || m.with["seats"] {
			m.full() // nothing else tells what was done by hand, or that nobody has anything by a group that is away
		}
		m.approveAll()
		m.now = m.now.Add(2 * time.Minute)
		m.sync()
		m.approveAll()
		m.now = m.now.Add(7 * time.Hour)
		if m.closed {
			for _, h := range m.closedByHand() {
				m.releaseOne(h, m.ordinal(h))
				m.now = m.now.Add(time.Second)
			}
		}
		r = m.cycle(rostersync.Request{Verb: "sync", Full: m.hand})
		m.now = m.now.Add(25 * time.Hour)
		if r.Exit() == 0 && len(r.Carried) == 0 && m.differs() == "" {
			break
		}
	}
	if m.inForce() != 0 {
		m.t.Fatalf("the file that was put back is not in force\n%s", m.tell(r))
	}
	if d := m.differs(); d != "" {
		m.t.Fatalf("law 7: the targets are not what the policy wishes: %s\n%s", d, m.tell(r))
	}
	m.now = m.now.Add(10 * 24 * time.Hour) // every grace is over
	for range 3 {
		// A deletion takes a listing after its date.
		m.cycle(rostersync.Request{Verb: "sync", Full: m.hand || m.follows})
		m.approveAll()
		m.now = m.now.Add(time.Minute)
	}
	for _, full := range []bool{false, true} {
		before := m.writes()
		r := m.cycle(rostersync.Request{Verb: "sync", Full: full})
		if r.Exit() != 0 || m.writes() != before {
			m.t.Fatalf("law 11: a further cycle (full %v) exits %d and wrote %d times\n%s", full, r.Exit(), m.writes()-before, m.tell(r))
		}
		m.now = m.now.Add(time.Minute)
	}
	m.checkJournal()
}

func (m *model) tell(r *rostersync.Report) string {
	var b strings.Builder
	b.WriteString(text(r))
	holds, _ := m.engine.Store.Holds()
	for _, h := range holds {
		fmt.Fprintf(&b, "hold %s %s %s %s: %d keys, %d approved\n", h.ID, h.Target, h.Rule, h.Status, len(h.Keys), len(h.Approved))
	}
	return b.String()
}

// account is the one account of ours with the name.
func (m *model) account(name, login string) *target.Account {
	for _, a := range m.member[name].Accounts() {
		if a.Name == login && m.ours[name][a.ID] {
			return &a
		}
	}
	return nil
}

// differs says where the targets are not what the policy wishes.
func (m *model) differs() string {
	for _, login := range slices.Sorted(maps.Keys(m.humans)) {
		h := m.humans[login]
		w := m.wish(h)
		if m.denied[m.ordinal(h)] {
			w = nil
		}
		for _, name := range []string{"chat", "wiki"} {
			if !w.account(name) {
				continue
			}
			a := m.account(name, m.record(h).Attributes["uid"][0])
			if a == nil || !a.Enabled {
				return fmt.Sprintf("%s has no open account in %s", login, name)
			}
			for _, e := range w[name] {
				if !slices.Contains(a.Entitlements, e) {
					return fmt.Sprintf("%s does not have %s in %s", login, e, name)
				}
			}
			for _, e := range a.Entitlements {
				if !slices.Contains(w[name], e) && !m.extra[name+"/"+string(a.ID)+"/"+e] {
					return fmt.Sprintf("%s has %s in %s", login, e, name)
				}
			}
			if got, want := a.Attributes["title"], m.record(h).Attributes["sn"]; !slices.Equal(got, want) {
				return fmt.Sprintf("the title of %s in %s is %q, not %q", login, name, got, want)
			}
			if wrong := m.misreferred(h, name, a); wrong != "" {
				return wrong
			}
		}
	}
	// Nobody else has anything.
	for _, name := range []string{"chat", "wiki"} {
		for _, a := range m.member[name].Accounts() {
			who, owned, err := m.engine.Store.LinkOwner(name, a.ID)
			if err != nil {
				m.t.Fatal(err)
			}
			if !owned {
				if m.ours[name][a.ID] {
					return fmt.Sprintf("%s in %s is ours, and nobody's", a.Name, name)
				}
				continue
			}
			h := m.of(who)
			if h != nil && m.wish(h).account(name) && !m.denied[who] {
				continue
			}
			if a.Enabled {
				return fmt.Sprintf("%s has an open account in %s", a.Name, name)
			}
			for _, e := range a.Entitlements {
				if slices.Contains(m.policy.Entitlements(name), e) {
					return fmt.Sprintf("the closed account %s has %s in %s", a.Name, e, name)
				}
			}
		}
	}
	return m.unread()
}
