package sync

import (
	"maps"
	"slices"

	"github.com/rosterd/rosterd/identity"
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

// noteKept remembers who is kept, so that status says it as long as it is so. They stay
// marked, so a cycle looks at all of them: whoever it has no word of is kept no longer. A
// lane looks at its own people alone.
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
				if c.lane && !looked[who] {
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

// keptIn are those who are kept.
func keptIn(kept map[string][]identity.Ordinal) (out []Kept) {
	for _, why := range slices.Sorted(maps.Keys(kept)) {
		out = append(out, Kept{why, kept[why]})
	}
	return out
}
