package sync_test

import (
	"context"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	rostersync "github.com/rosterd/rosterd/sync"
)

// decree draws a decision by hand: something for somebody, from a moment to a moment.
func (m *model) decree() (ledger.Exception, bool) {
	x := ledger.Exception{Reason: "asked", By: "admin", At: m.now}
	roles := []string{"writer", "manager"}
	if m.with["conflict"] {
		roles = append(roles, "payer", "clearer")
	}
	kinds := []string{"grant", "deny", "deny there", "retain"}
	if m.with["conflict"] {
		kinds = append(kinds, "except")
	}
	kind := rapid.SampledFrom(kinds).Draw(m.t, "decree")
	switch kind {
	case "grant":
		x.Kind, x.Role = ledger.Grant, rapid.SampledFrom(roles).Draw(m.t, "role")
	case "deny":
		x.Kind, x.Role = ledger.Deny, rapid.SampledFrom(append(roles, "employee")).Draw(m.t, "role")
	case "deny there":
		x.Kind, x.Target = ledger.Deny, rapid.SampledFrom([]string{"chat", "wiki", ""}).Draw(m.t, "where")
	case "retain":
		x.Kind, x.Target = ledger.Retain, rapid.SampledFrom([]string{"chat", ""}).Draw(m.t, "where")
	case "except":
		x.Kind, x.Conflict = ledger.Except, "pay"
	}
	h := m.anybody()
	if left := func(h *human) bool { return !m.staff(h) }; x.Kind == ledger.Retain {
		h = m.pick(left)
	}
	if h != nil {
		x.Person = m.ordinal(h)
	}
	if !x.Person.Valid() {
		return ledger.Exception{}, false
	}
	spans := []time.Duration{time.Second, time.Minute, 3 * time.Hour, 30 * time.Hour, 4 * 24 * time.Hour}
	if x.Kind != ledger.Retain && rapid.Bool().Draw(m.t, "later") {
		x.From = identity.Bound{At: m.now.Add(rapid.SampledFrom(spans).Draw(m.t, "from")).Truncate(time.Second)}
	}
	if x.Kind == ledger.Grant || rapid.Bool().Draw(m.t, "ends") {
		begin := m.now
		if x.From.Set() {
			begin = x.From.At
		}
		x.Until = identity.Bound{At: begin.Add(rapid.SampledFrom(spans).Draw(m.t, "until")).Truncate(time.Second).Add(time.Second)}
	}
	m.say("%s for %s: role %q, target %q, conflict %q, from %s until %s", x.Kind, h.login, x.Role, x.Target, x.Conflict, x.From, x.Until)
	m.decrees = append(slices.DeleteFunc(m.decrees, x.Same), x)
	return x, true
}

func (m *model) except() {
	if x, is := m.decree(); is {
		r, err := m.engine.Except(context.Background(), &rostersync.Decree{Exception: x}, rostersync.Request{Verb: x.Kind.String()})
		m.check(r, err)
	}
}

// unexcept takes back a decision.
func (m *model) unexcept() {
	if len(m.decrees) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.decrees)-1).Draw(m.t, "decree")
	x := m.decrees[i]
	m.say("no %s of %s: role %q, target %q, conflict %q", x.Kind, x.Person, x.Role, x.Target, x.Conflict)
	m.decrees = slices.Delete(m.decrees, i, i+1)
	r, err := m.engine.Unexcept(context.Background(), &rostersync.Decree{Exception: x}, "admin", "asked", rostersync.Request{Verb: "un" + x.Kind.String()})
	if err != nil || r != nil { // one that was over is forgotten by and by
		m.check(r, err)
	}
}

// forgetDecrees leaves those that were on disk when it was killed.
func (m *model) forgetDecrees() {
	kept, err := m.engine.Store.Exceptions()
	if err != nil {
		m.t.Fatal(err)
	}
	m.decrees = slices.DeleteFunc(m.decrees, func(x ledger.Exception) bool {
		return x.Term(m.now) != ledger.Over && !slices.ContainsFunc(kept[x.Person], x.Same)
	})
}

// decreed says whether such a decision about somebody is in force. One of no role and
// no target is of every target.
func (m *model) decreed(h *human, kind ledger.ExceptionKind, role, name string) bool {
	if len(m.decrees) == 0 {
		return false
	}
	return m.decreedOf(m.ordinal(h), kind, role, name)
}

func (m *model) decreedOf(who identity.Ordinal, kind ledger.ExceptionKind, role, name string) bool {
	return slices.ContainsFunc(m.decrees, func(x ledger.Exception) bool {
		return x.Person == who && x.Kind == kind && x.Role == role && (x.Target == name || x.Target == "" && role == "") && x.Term(m.now) == ledger.InForce
	})
}

// denies says whether decisions by hand keep a right from somebody, whatever the
// directory says.
func (m *model) denies(h *human, name, right string) bool {
	all := base{"writers": true, "managers": true, "payers": true, "clearers": true}
	if slices.Contains(m.gives(h, all, fileWhole)[name], right) {
		return false
	}
	delete(all, "managers")
	return !slices.Contains(m.gives(h, all, fileWhole)[name], right)
}
