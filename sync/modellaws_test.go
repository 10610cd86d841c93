package sync_test

import (
	"slices"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// check holds what a cycle did against the laws.
func (m *model) check(r *rostersync.Report, err error) {
	if m.broken != "" {
		m.t.Fatal(m.broken)
	}
	if err != nil {
		m.t.Fatalf("law 10: the cycle ended with an error: %v", err)
	}
	read := len(r.Reads) > 0
	for _, x := range r.Reads {
		read = read && x.Err == nil
	}
	for _, name := range []string{"chat", "wiki"} {
		writes := m.member[name].Writes()
		for _, w := range writes[m.seen[name]:] {
			m.checkWrite(name, w, read)
		}
		m.seen[name] = len(writes)
		m.checkAccounts(name)
	}
	m.proved(r)
	clear(m.fresh)
	m.heard(r)
	if read {
		m.sawSource()
	}
	if m.checks++; m.checks%5 == 0 { // what is broken stays so, and each time reads it all
		m.verifyJournal()
	}
}

// heard remembers of whom a follow told that they were deleted: whoever was made again
// since, and not shown yet, is still that for rosterd.
func (m *model) heard(r *rostersync.Report) {
	if m.mute || !slices.ContainsFunc(r.Reads, func(x rostersync.Read) bool { return x.Err == nil && x.Way == rostersync.Changes }) {
		return
	}
	for _, h := range m.humans {
		h.told = h.told || !h.there
	}
}

// sawSource remembers what a complete read showed.
func (m *model) sawSource() {
	for _, h := range m.humans {
		switch {
		case h.there && !m.hidden(h):
			h.was, h.shown, h.unseen, h.told = m.baseOnce(h), h.is, time.Time{}, false
		case h.unseen.IsZero():
			h.unseen = m.now
		}
	}
}

func (m *model) hidden(h *human) bool {
	return m.faulty && identity.MustDN(m.record(h).DN).Within(identity.MustDN("ou=north,"+people))
}

func (m *model) checkWrite(name string, w memory.Write, read bool) {
	m.say("  %s: %s %s(%s) %s %s done %v, changed %v", name, w.Verb, w.Account.Name, w.Account.ID, w.Name, w.Entitlement, w.Done, w.Changed)
	if w.Account.Name == rootName || w.Account.Name == legacyName {
		m.t.Fatalf("law 5: %s: a write to %s: %+v", name, w.Account.Name, w)
	}
	m.untouched(name, w)
	m.unpaused(name)
	switch w.Verb {
	case target.Create:
		if w.Done {
			m.ours[name][w.Account.ID] = true
		}
		return
	case target.Link:
		if !m.foreign[name+"/"+string(w.Account.ID)] && !m.adopting {
			m.t.Fatalf("law 7: %s: %s, which we made, had to be taken over", name, w.Account.Name)
		}
		if w.Done {
			m.ours[name][w.Account.ID] = true
		}
		if !m.anyApproved() {
			m.t.Fatalf("law 5: %s: %s was taken over and nobody approved it", name, w.Account.Name)
		}
		return
	}
	if !m.ours[name][w.Account.ID] {
		m.t.Fatalf("law 5: %s: %s of %s, which is not ours", name, w.Verb, w.Account.Name)
	}
	if !w.Changed {
		return
	}
	who, owned, err := m.engine.Store.LinkOwner(name, w.Account.ID)
	if err != nil {
		m.t.Fatal(err)
	}
	if !owned && w.Verb != target.Delete {
		return // deleted since
	}
	h := m.of(who)
	if w.Verb == target.Delete {
		if name != "chat" {
			m.t.Fatalf("law 6: %s was deleted in %s, which nobody configured", w.Account.Name, name)
		}
		if who := m.owner[name][w.Account.ID]; m.decreedOf(who, ledger.Retain, "", name) || m.decreedOf(who, ledger.Deny, "", name) {
			m.t.Fatalf("law 6: %s was deleted in %s, and that is retained or denied by hand", w.Account.Name, name)
		}
		return
	}
	if h == nil {
		return
	}
	change := target.Change{Target: name, Person: who, Verb: w.Verb, Entitlement: w.Entitlement}
	// Where deletions are told, who is deleted is gone at once.
	told := m.follows && !m.mute && !h.there || h.told
	allowed := m.approved[change.Key()] || m.denied[who] || m.gone(h) || told
	is, was := m.gives(h, m.base(h), m.inForce()), m.gives(h, m.wasNow(h), m.inForce())
	switch w.Verb {
	case target.Disable:
		if !allowed && was.account(name) && (is.account(name) || !h.there) {
			m.t.Fatalf("law 2: %s: %s was disabled, and nothing proves that they are not entitled (read: %v)", name, h.login, read)
		}
		if !m.approved[change.Key()] && !m.denied[who] && !m.named[who] {
			m.spend(name)
		}
	case target.Enable:
		if !h.is.hold(m.now) && !h.shown.hold(m.now) {
			m.t.Fatalf("law 2: %s: %s was enabled outside their dates", name, h.login)
		}
		if m.decreed(h, ledger.Deny, "", name) {
			m.t.Fatalf("law 5: %s: %s was enabled, and that is denied by hand", name, h.login)
		}
	case target.Grant:
		if m.denies(h, name, w.Entitlement) {
			m.t.Fatalf("law 5: %s: %s was given %s, which is denied by hand", name, h.login, w.Entitlement)
		}
	case target.Revoke:
		m.spendRight(name, w.Entitlement, h, m.approved[change.Key()])
		if !allowed && slices.Contains(is[name], w.Entitlement) && slices.Contains(was[name], w.Entitlement) {
			m.t.Fatalf("law 2: %s: %s lost %s and is entitled to it (read: %v)", name, h.login, w.Entitlement, read)
		}
	}
}

func (m *model) anyApproved() bool { return len(m.approved) > 0 }

// gone says whether complete reads proved that the person is not there.
func (m *model) gone(h *human) bool {
	return !h.unseen.IsZero() && m.now.Sub(h.unseen) >= time.Minute
}

// spend is the guard's limit, counted from outside: no more than it in a day.
func (m *model) spend(name string) {
	m.removed[name] = append(m.removed[name], m.now)
	n, within := 0, 0
	for range m.ours[name] {
		n++
	}
	for _, at := range m.removed[name] {
		if at.After(m.now.Add(-24 * time.Hour)) {
			within++
		}
	}
	if limit := (plan.DefaultRules().Guard.MaxRemove).Of(n); float64(within) > limit {
		m.t.Fatalf("guard: %s: %d accounts of %d were disabled in a day and nobody approved it; the limit is %v", name, within, n, limit)
	}
}

// checkAccounts are the laws about what the targets show.
func (m *model) checkAccounts(name string) {
	marks := map[string]string{}
	for _, a := range m.member[name].Accounts() {
		switch {
		case a.Name == rootName && (!a.Enabled || !slices.Equal(a.Entitlements, []string{"Publishers"})):
			m.t.Fatalf("law 5: %s: break-glass account touched: %+v", name, a)
		case a.Name == legacyName && (!a.Enabled || !slices.Equal(a.Entitlements, []string{"Writers"}) || a.Mark != ""):
			m.t.Fatalf("law 5: %s: an account that is not ours was touched: %+v", name, a)
		}
		if who, owned, err := m.engine.Store.LinkOwner(name, a.ID); err != nil {
			m.t.Fatal(err)
		} else if owned {
			m.owner[name][a.ID] = who
		}
		if a.Mark == "" {
			continue
		}
		if other, twice := marks[a.Mark]; twice {
			m.t.Fatalf("law 7: %s: two accounts for one person: %s and %s", name, other, a.Name)
		}
		marks[a.Mark] = a.Name
	}
}
