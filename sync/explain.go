package sync

import (
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/sync/plan"
)

// Explanation says where a person stands and why, from the state alone: nothing
// is read from the source or the targets.
type Explanation struct {
	Person  identity.Person
	Desired mapping.Desired
	// Subjects has one element for each target, sorted by target.
	Subjects []plan.Subject
	Links    map[string]ledger.Link
	Denial   *ledger.Denial
	Parked   []ledger.Parked
	// Holds are those that wait with a change of this person.
	Holds []ledger.Hold

	// Kept is why nothing is done in a target until somebody mends something, by target,
	// as the last cycle found.
	Kept map[string]string

	// Lacks says why the person does not hold a role.
	Lacks func(role string) []mapping.Reason
}

// Explain explains one person.
func (e *Engine) Explain(who identity.Ordinal) (*Explanation, error) {
	c := e.begin(Request{Verb: "explain", DryRun: true})
	c.marks = []ledger.Mark{{Person: who}}
	if err := c.desire(); err != nil {
		return nil, err
	}
	out := &Explanation{Links: map[string]ledger.Link{}, Kept: map[string]string{}}
	for _, t := range e.Targets {
		known, err := e.Store.Target(t.Name)
		if err != nil {
			return nil, err
		}
		for why, people := range known.Kept {
			if slices.Contains(people, who) {
				out.Kept[t.Name] = why
			}
		}
	}
	for _, p := range c.input.People {
		out.Person, out.Desired, out.Denial = p.Person, p.Desired, p.Denial
		in, err := c.memberships([]identity.Ordinal{who}, c.known.named)
		if err != nil {
			return nil, err
		}
		subject := c.subject(p.Person, in[who])
		out.Lacks = func(role string) []mapping.Reason { return c.Policy.Lacks(subject, role) }
		for name, s := range p.Seen {
			if s.Link != nil {
				out.Links[name] = *s.Link
			}
			if s.Parked != nil {
				out.Parked = append(out.Parked, *s.Parked)
			}
		}
	}
	out.Subjects = plan.Make(c.input).Subjects
	holds, err := e.Store.Holds()
	if err != nil {
		return nil, err
	}
	for _, h := range holds {
		for _, k := range h.Keys {
			if k.Person == who {
				out.Holds = append(out.Holds, h)
				break
			}
		}
	}
	return out, nil
}
