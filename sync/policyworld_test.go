package sync_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
)

// edit is a changed file that does not govern yet: the policy of the world with
// what the function changes in it.
func (w *world) edit(change func(*mapping.Config, *rostersync.Engine)) *rostersync.Engine {
	w.t.Helper()
	force := w.engine.Current()
	old := w.config
	next := &rostersync.Engine{Store: force.Store, Now: force.Now, Sources: slices.Clone(force.Sources), Targets: slices.Clone(force.Targets), File: "rosterd.toml"}
	w.config.Roles, w.config.Targets = maps.Clone(old.Roles), maps.Clone(old.Targets)
	for name, t := range w.config.Targets {
		t.Attributes, t.Entitlements = maps.Clone(t.Attributes), maps.Clone(t.Entitlements)
		w.config.Targets[name] = t
	}
	change(&w.config, next)
	next.Policy, next.PolicyText = w.compile(), fmt.Sprint(w.config)
	next.Hash = next.Policy.Hash() + fmt.Sprint(guardsOf(next))
	w.config = old
	force.Next = next
	return next
}

func guardsOf(e *rostersync.Engine) []string {
	var out []string
	for _, t := range e.Targets {
		g := t.Rules.Guard
		out = append(out, fmt.Sprint(t.Name, t.Rules.Protect, t.Rules.BreakGlass, g.MaxRemove.Count, g.MaxRevoke.Count))
	}
	return out
}

func rules(e *rostersync.Engine, change func(*plan.Rules)) { change(&e.Targets[0].Rules) }

// policyHold is the hold of the pending policy.
func (w *world) policyHold() ledger.Hold {
	w.t.Helper()
	p, err := w.engine.Pending()
	if err != nil || p == nil || p.Hold.ID == "" {
		w.t.Fatalf("no hold of a pending policy: %+v, %v", p, err)
	}
	return p.Hold
}

func (w *world) holdCount() int {
	w.t.Helper()
	holds, err := w.engine.Store.Holds()
	if err != nil {
		w.t.Fatal(err)
	}
	return len(holds)
}

func (w *world) inForce(e *rostersync.Engine) {
	w.t.Helper()
	if w.engine.Current() != e {
		w.t.Fatal("the policy that governs is not the one expected")
	}
}

func titled(c *mapping.Config, _ *rostersync.Engine) {
	c.Targets["wiki"].Attributes["title"] = mapping.AttributeRule{From: "Content Writer"}
}

// noPublishers takes the right that managers have.
func noPublishers(c *mapping.Config, _ *rostersync.Engine) {
	c.Targets["wiki"].Entitlements["manager"] = []string{"Writers"}
}

func staffed(t *testing.T, n int) *world {
	w := newWorld(t)
	w.joinMany("p", n)
	w.members("managers", logins("p", n)...)
	w.allow(float64(2 * n))
	w.synced()
	w.restrict()
	return w
}

func logins(prefix string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%s%04d", prefix, i)
	}
	return out
}
