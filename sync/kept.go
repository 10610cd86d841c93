package sync

import (
	"maps"
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/sync/plan"
)

// Kept are people for whom nothing is done in a target, and about whom no hold tells:
// somebody has to mend something there, or in the directory.
type Kept struct {
	// Why is plan.Subject.Held, or LeaverKept.
	Why    string
	People []identity.Ordinal
}

// LeaverKept is why the account of somebody who left is not closed: it is protected.
const LeaverKept = "protected-leaver"

// keptFor is why nothing is done; empty where something is, or where a hold tells.
func keptFor(s *plan.Subject) string {
	switch {
	case s.Situation == plan.ProtectedLeaver && s.Held != "":
		return LeaverKept
	case s.Situation == plan.Rekeyed:
		return ""
	}
	return s.Held
}

// noteKept remembers who is kept, so that status says it as long as it is so. Of whom
// this cycle did not look at, as a lane and an approval do not at others, it says nothing.
func (c *cycle) noteKept() error {
	for _, t := range c.input.Targets {
		if t.Down != "" {
			continue
		}
		known, err := c.Store.Target(t.Name)
		if err != nil {
			return err
		}
		now, looked := map[string][]identity.Ordinal{}, map[identity.Ordinal]bool{}
		for i := range c.report.Plan.Subjects {
			s := &c.report.Plan.Subjects[i]
			if s.Target != t.Name {
				continue
			}
			looked[s.Person] = true
			if why := keptFor(s); why != "" {
				now[why] = append(now[why], s.Person)
			}
		}
		for why, list := range known.Kept {
			for _, who := range list {
				if !looked[who] {
					now[why] = append(now[why], who)
				}
			}
		}
		for _, list := range now {
			slices.Sort(list)
		}
		if maps.EqualFunc(now, known.Kept, slices.Equal) {
			continue
		}
		known.Name, known.Kept = t.Name, now
		if err := c.Store.SaveTarget(known); err != nil {
			return err
		}
	}
	return nil
}

// keptIn are those who are kept. They stay marked; whoever is not was forgotten since.
func keptIn(kept map[string][]identity.Ordinal, marks []ledger.Mark) (out []Kept) {
	marked := make(map[identity.Ordinal]bool, len(marks))
	for _, m := range marks {
		marked[m.Person] = true
	}
	for _, why := range slices.Sorted(maps.Keys(kept)) {
		list := slices.DeleteFunc(slices.Clone(kept[why]), func(who identity.Ordinal) bool { return !marked[who] })
		if len(list) > 0 {
			out = append(out, Kept{why, list})
		}
	}
	return out
}
