package plan

import (
	"slices"

	"github.com/rosterd/rosterd/target"
)

// exclusive lets each entitlement of an exclusive list wait for the others of it to
// go: between the two the account has neither, and never both. One that stays, since
// it is not ours to take or nobody may say that it goes, is stronger: then nothing of
// the list is given. The changes from on are those of the entitlements.
func (m *matter) exclusive(from int, holds map[string]bool) {
	for _, x := range m.want.Exclusive {
		for i := from; i < len(m.s.Changes); i++ {
			c := &m.s.Changes[i]
			if c.Change.Verb != target.Grant || !x.Has(c.Change.Entitlement) {
				continue
			}
			stays := ""
			for _, other := range x.Members {
				if other == c.Change.Entitlement {
					continue
				}
				going := slices.IndexFunc(m.s.Changes, func(p Planned) bool {
					return p.Change.Verb == target.Revoke && p.Change.Entitlement == other
				})
				switch {
				case going >= 0:
					c.After = append(c.After, m.s.Changes[going].Key)
				case holds[other] && stays == "":
					stays = other
				}
			}
			if stays == "" {
				continue
			}
			m.note("entitlement %s is not given: the account holds %s, which stays, and of the exclusive list %s it holds one (%s)",
				c.Change.Entitlement, stays, x.Name, x.Where)
			m.s.Held = "exclusive"
			m.s.Changes = slices.Delete(m.s.Changes, i, i+1)
			i--
		}
	}
	m.s.Changes = behind(m.s.Changes)
}

// behind puts the changes of an account that wait for others of it behind those. Where
// the first has to wait itself, what follows it goes on following it, but for what it
// waits for.
func behind(changes []Planned) []Planned {
	if len(changes) == 0 {
		return changes
	}
	first := changes[0].Key
	before := awaited(changes)
	var free, wait []Planned
	for i, c := range changes {
		waits := slices.ContainsFunc(changes, func(o Planned) bool { return slices.Contains(c.After, o.Key) })
		follows := i > 0 && c.follows && !before[c.Key]
		if len(before) > 0 {
			if c.follows = false; follows {
				c.After = append(slices.Clone(c.After), first)
			}
			waits = waits || follows
		}
		if waits {
			wait = append(wait, c)
		} else {
			free = append(free, c)
		}
	}
	return append(free, wait...)
}

// awaited are the changes of an account for which its first waits, and those for which
// these wait.
func awaited(changes []Planned) map[target.Key]bool {
	out := map[target.Key]bool{}
	for next := []Planned{changes[0]}; len(next) > 0; next = next[1:] {
		for _, o := range changes {
			if slices.Contains(next[0].After, o.Key) && !out[o.Key] {
				out[o.Key] = true
				next = append(next, o)
			}
		}
	}
	return out
}

// outranked says why an entitlement is not given though a role gives it.
func (m *matter) outranked(name string) string {
	for _, o := range m.want.Outranked {
		if o.Entitlement == name {
			return o.Reason.Text + " (" + o.Reason.Where + ")"
		}
	}
	return ""
}
