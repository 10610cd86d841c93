package plan

import (
	"cmp"
	"maps"
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/target"
)

// Line is what an impact does to many people alike.
type Line struct {
	Target string `json:"target"`
	// What is the change without the person: "revoke Writers"; or why nothing can
	// be decided of them: "park: …".
	What string `json:"what"`
	// Roles are those that gave, or give, the right.
	Roles []string `json:"roles,omitempty"`
	// People are called by their logins, sorted. Two of one login are both there.
	People []string `json:"people"`
}

// Lines sums up a plan, by target and by what is done, worst first. Whoever is left
// undecided comes last.
func Lines(p Plan) []Line {
	type kind struct {
		target string
		verb   target.Verb
		what   string
	}
	people, roles := map[kind]map[identity.Ordinal]string{}, map[kind][]string{}
	put := func(k kind, s Subject) {
		if people[k] == nil {
			people[k] = map[identity.Ordinal]string{}
		}
		people[k][s.Person] = s.Login
	}
	for _, s := range p.Subjects {
		for _, c := range s.Changes {
			k := kind{s.Target, c.Change.Verb, c.Change.Verb.String()}
			switch c.Change.Verb {
			case target.Grant, target.Revoke:
				k.what += " " + c.Change.Entitlement
			case target.Update:
				k.what += " " + c.Change.Set[0].Name
			case target.SetPassword:
				k.what = "set an initial password"
			}
			put(k, s)
			roles[k] = append(roles[k], c.Roles...)
		}
		if why := s.undecided(); why != "" {
			put(kind{target: s.Target, what: why}, s)
		}
	}
	worst := map[target.Verb]int{target.Delete: 1, target.Disable: 2, target.Revoke: 3, target.Rename: 4, target.Update: 5, target.Grant: 6}
	rank := func(v target.Verb) int {
		if v == 0 {
			return 10
		}
		return cmp.Or(worst[v], 9)
	}
	kinds := slices.SortedFunc(maps.Keys(people), func(a, b kind) int {
		return cmp.Or(cmp.Compare(a.target, b.target), cmp.Compare(rank(a.verb), rank(b.verb)), cmp.Compare(a.what, b.what))
	})
	out := make([]Line, 0, len(kinds))
	for _, k := range kinds {
		slices.Sort(roles[k])
		out = append(out, Line{k.target, k.what, slices.Compact(roles[k]), slices.Sorted(maps.Values(people[k]))})
	}
	return out
}
