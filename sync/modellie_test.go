package sync_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/ledger"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target"
)

// odd is how a target behaves that does not fail.
type odd struct {
	// lies: it says of those verbs that it was done, and does nothing.
	lies []target.Verb
	// veiled: nobody sees a group there, to read it or to write it.
	veiled bool
	// unlisted is the account that listings leave out.
	unlisted target.NativeID
}

func (m *model) lie() {
	verbs := []target.Verb{target.Disable, target.Revoke}
	takes := rapid.Bool().Draw(m.t, "lies about what it takes")
	if !takes {
		verbs = []target.Verb{target.Grant, target.Enable}
	}
	m.say("targets lie about %s", verbs)
	for _, name := range []string{"chat", "wiki"} {
		o := m.odd[name]
		o.lies = verbs
		m.odd[name] = o
	}
	if takes {
		m.leave()
		m.sync()
	}
}

func (w *watched) lies(verb target.Verb) bool { return slices.Contains(w.m.odd[w.name].lies, verb) }

func (m *model) veil() {
	name := m.aTarget()
	o := m.odd[name]
	o.veiled = !o.veiled
	m.say("%s: groups are hidden: %v", name, o.veiled)
	m.odd[name] = o
}

func (m *model) unlist() {
	name := m.aTarget()
	all := m.member[name].Accounts()
	a := all[rapid.IntRange(0, len(all)-1).Draw(m.t, "unlisted")]
	if !m.ours[name][a.ID] {
		return
	}
	m.say("%s: %s (%s) is not listed", name, a.Name, a.ID)
	o := m.odd[name]
	o.unlisted = a.ID
	m.odd[name] = o
}

func (w *watched) veil(s target.Scope, a target.Account) target.Account {
	if w.m.odd[w.name].veiled {
		a.Entitlements, a.Unseen = nil, s.Entitlements
	}
	return a
}

func (w *watched) Look(ctx context.Context, s target.Scope, q []target.Query) ([]target.Observation, error) {
	out, err := w.Target.Look(ctx, s, q)
	for i := range out {
		for k, a := range out[i].Accounts {
			out[i].Accounts[k] = w.veil(s, a)
		}
	}
	return out, err
}

func (w *watched) Disable(ctx context.Context, account target.Ref) error {
	if w.lies(target.Disable) {
		return nil
	}
	return w.Target.Disable(ctx, account)
}

func (w *watched) Revoke(ctx context.Context, entitlement string, accounts []target.Ref) []error {
	if errs := w.noGroup(entitlement, accounts); errs != nil || w.lies(target.Revoke) {
		return errs
	}
	return w.Target.Revoke(ctx, entitlement, accounts)
}

// noGroup are the errors of a target whose groups are hidden.
func (w *watched) noGroup(entitlement string, accounts []target.Ref) []error {
	if !w.m.odd[w.name].veiled {
		return nil
	}
	errs := make([]error, len(accounts))
	for i := range errs {
		errs[i] = &target.Error{Class: target.Missing, Err: errors.New("there is no group " + entitlement)}
	}
	return errs
}

// pause stops the writes to a target, or to both, or lets them go again.
func (m *model) pause() {
	name := rapid.SampledFrom([]string{"chat", "wiki", ""}).Draw(m.t, "paused")
	if was, err := m.engine.Store.Resume(name, "admin", ""); err != nil || was {
		m.say("resume %q, %v", name, err)
		return
	}
	p := ledger.Pause{Target: name, By: "admin", Reason: "maintenance", At: m.now}
	if rapid.Bool().Draw(m.t, "for a while") {
		p.Until = m.now.Add(time.Hour)
	}
	m.say("pause %q until %s", name, p.Until)
	if err := m.engine.Store.Pause(p); err != nil {
		m.t.Fatal(err)
	}
}

func (m *model) resumeAll() {
	for _, name := range []string{"chat", "wiki", ""} {
		if _, err := m.engine.Store.Resume(name, "admin", ""); err != nil {
			m.t.Fatal(err)
		}
	}
}

// unpaused: nothing is written to a target that is paused.
func (m *model) unpaused(name string) {
	all, err := m.engine.Store.Pauses(m.now)
	if err != nil {
		m.t.Fatal(err)
	}
	if slices.ContainsFunc(all, func(p ledger.Pause) bool { return p.Target == "" || p.Target == name }) {
		m.t.Fatalf("%s is paused, and was written to", name)
	}
}

// proved: of whom it is said that their account is closed, or their right gone, and read
// back, it is so.
func (m *model) proved(r *rostersync.Report) {
	if r.Stopped || r.Err != nil || r.Then != nil {
		return
	}
	for i, o := range r.Carried {
		ch := o.Change
		if slices.ContainsFunc(r.Unverified, func(p ledger.Parked) bool { return p.Target == ch.Target && p.Person == ch.Person }) {
			continue
		}
		undone := slices.ContainsFunc(r.Carried[i+1:], func(n ledger.Order) bool {
			return n.Change.Target == ch.Target && n.Change.Person == ch.Person && (n.Change.Verb == target.Enable || n.Change.Verb == target.Grant)
		})
		a := m.heldBy(ch.Target, ch.Account)
		if undone || a.ID == "" {
			continue
		}
		if ch.Verb == target.Disable && a.Enabled || ch.Verb == target.Revoke && slices.Contains(a.Entitlements, ch.Entitlement) {
			m.t.Fatalf("law 9: %s %s of %s in %s was read back, and is not so: %s", ch.Verb, ch.Entitlement, a.Name, ch.Target, fmt.Sprintf("%+v", a))
		}
	}
}
