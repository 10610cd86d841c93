package sync_test

import (
	"context"
	"fmt"
	"slices"

	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// watched is a target of which somebody sees what every account is given, at the moment
// when it is.
type watched struct {
	*memory.Target
	m    *model
	name string
}

func (w *watched) Grant(ctx context.Context, entitlement string, accounts []target.Ref) []error {
	for _, a := range accounts {
		w.m.giving(w.name, a.ID, entitlement, false)
	}
	if errs := w.noGroup(entitlement, accounts); errs != nil || w.lies(target.Grant) {
		return errs
	}
	return w.Target.Grant(ctx, entitlement, accounts)
}

func (w *watched) Enable(ctx context.Context, account target.Ref) error {
	for _, right := range w.m.heldBy(w.name, account.ID).Entitlements {
		w.m.giving(w.name, account.ID, right, true)
	}
	if w.lies(target.Enable) {
		return nil
	}
	return w.Target.Enable(ctx, account)
}

func (m *model) heldBy(name string, id target.NativeID) target.Account {
	for _, a := range m.member[name].Accounts() {
		if a.ID == id {
			return a
		}
	}
	return target.Account{}
}

// wrong is told by whatever sees a law broken while a cycle runs.
func (m *model) wrong(format string, args ...any) {
	m.crash.Lock()
	defer m.crash.Unlock()
	if m.broken == "" {
		m.broken = fmt.Sprintf(format, args...)
	}
}

// giving holds what an account is about to have against what it must not have beside it.
func (m *model) giving(name string, id target.NativeID, right string, back bool) {
	if m.isDead() {
		return
	}
	a := m.heldBy(name, id)
	if pair := []string{"Full", "Light"}; name == "wiki" && slices.Contains(pair, right) {
		for _, other := range pair {
			if other != right && slices.Contains(a.Entitlements, other) {
				m.wrong("exclusive: %s is given %s and holds %s", a.Name, right, other)
			}
		}
	}
	if right == "Pay" || right == "Clear" {
		m.together(name, a, right, back)
	}
}

// together wants that nobody comes to hold the two rights of a conflict but by a
// decision. What comes back with an account that somebody had disabled was held when the
// other right was let go.
func (m *model) together(name string, a target.Account, right string, back bool) {
	there, other := "chat", "Clear"
	if name == there {
		there, other = "wiki", "Pay"
	}
	who, owned, err := m.engine.Store.LinkOwner(name, a.ID)
	if err != nil {
		m.wrong("whose is %s: %v", a.Name, err)
	}
	if !owned {
		return
	}
	for _, b := range m.member[there].Accounts() {
		if !b.Enabled || !slices.Contains(b.Entitlements, other) {
			continue
		}
		if owner, owned, err := m.engine.Store.LinkOwner(there, b.ID); err != nil || !owned || owner != who {
			continue
		}
		grant := target.Change{Target: name, Person: who, Verb: target.Grant, Entitlement: right}
		beside := target.Change{Target: there, Person: who, Verb: target.Grant, Entitlement: other}
		if !m.approved[grant.Key()] && !(back && m.approved[beside.Key()]) && !m.decreedOf(who, ledger.Except, "", "") {
			m.wrong("conflict: %s is given %s in %s while they hold %s in %s, and nobody let that be", a.Name, right, name, other, there)
		}
	}
}

// change moves somebody from one role of the conflict to the other, as one edit of the
// directory.
func (m *model) change() {
	h := m.pick(func(h *human) bool { b := m.baseOnce(h); return b["payers"] != b["clearers"] })
	if h == nil || m.groups["payers"] == "" || m.groups["clearers"] == "" {
		return
	}
	m.toggle("payers", h)
	m.toggle("clearers", h)
}
