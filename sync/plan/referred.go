package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/target"
)

// Referrers are those whose accounts in a target refer to the account of somebody
// there, by login, sorted; by that somebody.
type Referrers map[identity.Ordinal][]string

// Moved are the people whose account in the target is another one after the plan, or
// has another name by which others refer to it, sorted.
func (p Plan) Moved(t Target) []identity.Ordinal {
	var out []identity.Ordinal
	for i := range p.Subjects {
		if s := &p.Subjects[i]; s.Target == t.Name && slices.ContainsFunc(s.Changes, moves(t.Description)) {
			out = append(out, s.Person)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// WithReferrers is the plan in which the subjects say who refers to them: those are
// written after them, in a second pass. Attributes are those that refer to others.
func (p Plan) WithReferrers(t Target, attributes []string, by Referrers) Plan {
	p.Subjects = slices.Clone(p.Subjects)
	for i := range p.Subjects {
		s := &p.Subjects[i]
		who := by[s.Person]
		if s.Target != t.Name || len(who) == 0 || !slices.ContainsFunc(s.Changes, moves(t.Description)) {
			continue
		}
		names := strings.Join(who[:min(len(who), few)], ", ")
		if len(who) > few {
			names += fmt.Sprintf(" and %s more", thousands(len(who)-few))
		}
		s.Notes = append(slices.Clone(s.Notes), fmt.Sprintf("%s of %s refers to this account, and is looked at again after it: %s",
			strings.Join(attributes, ", "), plural(len(who), "other", "others"), names))
		slices.Sort(s.Notes)
	}
	return p
}

// moves says whether a change gives others another way to refer to its account, or
// none.
func moves(d target.Description) func(Planned) bool {
	return func(c Planned) bool {
		switch c.Change.Verb {
		case target.Create, target.Link, target.Delete:
			return true
		case target.Rename:
			return d.References
		case target.Disable, target.Enable:
			return d.References && d.Moves
		}
		return false
	}
}
