package sync_test

import (
	"context"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

func (m *model) restart() {
	m.say("restart")
	path := m.engine.Store.Path()
	if err := m.engine.Store.Close(); err != nil {
		m.t.Fatal(err)
	}
	m.open(path)
}

func (m *model) clock() {
	d := rapid.SampledFrom([]time.Duration{5 * time.Second, 70 * time.Second, 3 * time.Hour, 26 * time.Hour, 4 * 24 * time.Hour}).Draw(m.t, "clock")
	m.say("%s pass", d)
	m.now = m.now.Add(d)
}

func (m *model) cycle(ask rostersync.Request) *rostersync.Report {
	ask.Protected = m.insists
	r, err := m.engine.Cycle(context.Background(), ask)
	m.check(r, err)
	return r
}

func (m *model) sync() { m.say("sync"); m.cycle(rostersync.Request{Verb: "sync"}) }
func (m *model) full() {
	m.say("sync --full")
	m.cycle(rostersync.Request{Verb: "sync", Full: true})
}

func (m *model) plan() {
	full := rapid.Bool().Draw(m.t, "full")
	m.say("plan, full %v", full)
	before := m.writes()
	m.cycle(rostersync.Request{Verb: "plan", DryRun: true, Full: full})
	if n := m.writes() - before; n != 0 {
		m.t.Fatalf("a dry run wrote %d times", n)
	}
}

func (m *model) onePerson() {
	h := m.anybody()
	who := m.ordinal(h)
	if !who.Valid() {
		return
	}
	m.say("sync --person %s", h.login)
	m.named[who] = true
	m.cycle(rostersync.Request{Verb: "sync", People: []identity.Ordinal{who}, Named: true})
	delete(m.named, who)
}

func (m *model) oneTarget() {
	name := m.aTarget()
	m.say("sync --target %s", name)
	m.cycle(rostersync.Request{Verb: "sync", OnlyTarget: name})
}

func (m *model) holds() []ledger.Hold {
	holds, err := m.engine.Store.Holds()
	if err != nil {
		m.t.Fatal(err)
	}
	return slices.DeleteFunc(holds, func(h ledger.Hold) bool {
		_, err := m.engine.Hold(h.ID) // that of a file that was put back is not open
		return err != nil || h.Status == ledger.Approved
	})
}

func (m *model) approveAll() {
	for _, h := range m.holds() {
		m.approve(h, 0)
	}
}

func (m *model) approvePart() {
	if holds := m.holds(); len(holds) > 0 {
		m.approve(holds[rapid.IntRange(0, len(holds)-1).Draw(m.t, "hold")], 1)
	}
}

// approve lets a hold go, and wants nothing else to be done by that.
func (m *model) approve(h ledger.Hold, limit int) {
	now, err := m.engine.Hold(h.ID)
	if err != nil || now.Status == ledger.Approved {
		return // another approval ended it
	}
	if now.Rule == ledger.RulePolicy {
		limit = 0 // it is taken whole
	}
	m.say("approve %s (%s), limit %d: %d keys", now.ID, now.Rule, limit, len(now.Keys))
	keys := map[target.Key]bool{}
	for _, k := range now.Keys {
		keys[k.Key], m.approved[k.Key] = true, true
	}
	r, err := m.engine.Approve(context.Background(), rostersync.Approval{Hold: now.ID, Version: now.Version(), By: "admin", Limit: limit},
		rostersync.Request{Verb: "approve"})
	if r == nil {
		m.t.Fatalf("approve %s: %v", now.ID, err)
	}
	for _, o := range r.Carried {
		if !keys[o.Change.Key()] {
			m.t.Fatalf("law 4: the approval of %s did what was not in it: %s", now.ID, plan.Words(o.Change))
		}
	}
	m.check(r, err)
	m.now = m.now.Add(time.Second)
}

func (m *model) reject() {
	if holds := m.holds(); len(holds) > 0 {
		h := holds[rapid.IntRange(0, len(holds)-1).Draw(m.t, "hold")]
		m.say("reject %s", h.ID)
		if _, err := m.engine.Reject(h.ID, "admin"); err != nil {
			m.t.Fatal(err)
		}
	}
}

func (m *model) offboard() {
	h := m.anybody()
	who := m.ordinal(h)
	if !who.Valid() {
		return
	}
	m.insists = m.with["protected"] && rapid.Bool().Draw(m.t, "protected")
	defer func() { m.insists = false }()
	m.say("offboard %s, protected %v", h.login, m.insists)
	m.denied[who] = true
	r, err := m.engine.Offboard(context.Background(), ledger.Denial{Person: who, Reason: "asked", By: "admin", At: m.now}, rostersync.Request{Verb: "offboard", Protected: m.insists})
	m.check(r, err)
}

func (m *model) release() {
	h := m.anybody()
	who := m.ordinal(h)
	if !who.Valid() {
		return
	}
	m.insists = m.with["protected"] && rapid.Bool().Draw(m.t, "protected")
	defer func() { m.insists = false }()
	m.releaseOne(h, who)
}

func (m *model) releaseOne(h *human, who identity.Ordinal) {
	m.say("release %s, protected %v", h.login, m.insists)
	delete(m.denied, who)
	r, err := m.engine.Release(context.Background(), who, "admin", "asked", rostersync.Request{Verb: "release", Protected: m.insists})
	m.check(r, err)
}
