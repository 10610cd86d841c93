package sync

import (
	"fmt"
	"maps"
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/state"
	"github.com/rosterd/rosterd/state/journal"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

// A state that was restored, or lost commits, knows less than was done with it.
// It must neither take from people what it does not know was given, nor give back
// what it does not know was taken. So everything is read and compared first, and
// what it plans for a target is one hold until that was agreed to; where nothing
// differs there is nothing to agree to.

// afterRestore makes the cycle a resync until the state was compared with the
// world.
func (c *cycle) afterRestore() error {
	if err := c.lookRestored(); err != nil || c.restored == nil || c.ask.People != nil {
		return err
	}
	waits, err := c.Store.Holds()
	if err != nil {
		return err
	}
	asked := slices.ContainsFunc(waits, func(h ledger.Hold) bool { return h.Rule == plan.RuleRestored.String() })
	c.ask.Full = c.ask.Full || !c.restored.Resynced || !asked
	return nil
}

func (c *cycle) lookRestored() error {
	r, is, err := c.Store.Restored()
	if c.restored = nil; is {
		c.restored = &r
	}
	return err
}

// restoredHere says why the state may be older than what was done in a target.
func (c *cycle) restoredHere(t state.TargetState) string {
	if c.restored == nil || t.Agreed {
		return ""
	}
	return c.restored.Why
}

// resynced notes that everything was read and compared.
func (c *cycle) resynced() error {
	if c.restored == nil || c.restored.Resynced || !c.compared() {
		return nil
	}
	return c.Store.Resynced()
}

// compared says whether this cycle has read every source and every target whole.
func (c *cycle) compared() bool {
	return c.ask.Full && c.ask.People == nil && !c.report.unread() && len(c.report.Down) == 0
}

// agreesWithTheWorld ends the restore for the targets in which nothing differs.
func (c *cycle) agreesWithTheWorld() error {
	if c.restored == nil || !c.compared() {
		return nil
	}
	differs := map[string]bool{}
	for i, s := range c.report.Plan.Subjects {
		v := c.report.Verdict.Subjects[i]
		settled := v.Stage == plan.Done || v.Stage == plan.Retained
		if !settled || v.Parked || v.Withheld || s.Look != nil || s.Held != "" || s.Situation == plan.Unknown || c.open[s.Person] {
			differs[s.Target] = true
		}
	}
	for _, h := range c.report.Holds {
		differs[h.Target] = true
	}
	for _, t := range c.input.Targets {
		if t.Restored == "" || differs[t.Name] {
			continue
		}
		if err := c.Store.Agree(t.Name, "", c.targetNames()); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) targetNames() []string {
	names := make([]string, len(e.Targets))
	for i, t := range e.Targets {
		names[i] = t.Name
	}
	return names
}

// strangers finds accounts that carry a mark of this state, and of which it knows
// nothing: whoever made them was this state at a later time. So also a folder is
// known as an old one that was restored with all that is in it.
func (c *cycle) strangers(t plan.Target, observed map[identity.Ordinal]target.Observation) error {
	serial := c.Store.Serial()
	elsewhere := map[target.NativeID]bool{} // ours, in another target of the same system
	for _, m := range t.Marked {
		elsewhere[m.Account.ID] = m.Mark.Target != ""
	}
	marked := map[identity.Ordinal]string{}
	look := func(accounts []target.Account) {
		for _, a := range accounts {
			m, is := parseMark(a.Mark)
			if !is || m.serial != serial || elsewhere[a.ID] {
				continue
			}
			if _, owned := t.Owners[a.ID]; !owned {
				marked[m.number] = a.Name
			}
		}
	}
	look(t.Accounts)
	for _, o := range observed {
		look(o.Accounts)
	}
	if err := c.leaveOutKnown(t.Name, serial, marked); err != nil || len(marked) == 0 {
		return err
	}
	who := slices.Min(slices.Collect(maps.Keys(marked)))
	if err := c.Store.Suspect(fmt.Sprintf("%s has %d accounts that were made by it and of which it knows nothing, as %s (for person %s)",
		t.Name, len(marked), marked[who], who)); err != nil {
		return err
	}
	if err := c.lookRestored(); err != nil {
		return err
	}
	for i := range c.input.Targets {
		c.input.Targets[i].Restored = c.restored.Why
	}
	return nil
}

// leaveOutKnown takes out those whose account this state made, or tried to: they or
// their link were forgotten, or the write came later than anybody waited for.
func (c *cycle) leaveOutKnown(name, serial string, marked map[identity.Ordinal]string) error {
	if len(marked) == 0 {
		return nil
	}
	links, err := c.Store.Links(slices.Collect(maps.Keys(marked))...)
	if err != nil {
		return err
	}
	for who := range marked {
		ours, given, forgotten, err := c.Store.Gave(serial, uint64(who))
		if err != nil {
			return err
		}
		if _, linked := links[who][name]; !ours || forgotten || given && linked {
			delete(marked, who)
		}
	}
	if len(marked) == 0 {
		return nil
	}
	return c.Store.Journal(state.JournalFilter{Target: name, Kind: "intent"}, func(r journal.Sealed) error {
		delete(marked, identity.Ordinal(r.Person))
		return nil
	})
}
