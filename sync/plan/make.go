package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/target"
)

// Make draws the plan. It asks for a look (Subject.Look) wherever it would
// change an account that nobody looked at; once the looks are in the input, a
// second Make has the changes.
func Make(in Input) Plan {
	out := Plan{Now: in.Now}
	people := in.People
	// They nearly always come sorted, and a copy of everybody is large.
	if byOrdinal := func(a, b Person) int { return cmp.Compare(a.Ordinal, b.Ordinal) }; !slices.IsSortedFunc(people, byOrdinal) {
		people = slices.Clone(people)
		slices.SortFunc(people, byOrdinal)
	}
	sources := make(map[string]Source, len(in.Sources))
	for _, s := range in.Sources {
		sources[s.Name] = s
	}
	targets := slices.SortedFunc(slices.Values(in.Targets), func(a, b Target) int { return cmp.Compare(a.Name, b.Name) })
	for i := range targets {
		d := newDesk(&in, &targets[i], people, sources)
		subjects := make([]Subject, len(people))
		for j := range people {
			subjects[j] = d.subject(&people[j])
		}
		d.settleClaims(subjects)
		d.settleNames(subjects)
		out.Orphans = append(out.Orphans, d.orphans(subjects)...)
		if targets[i].Listed {
			if out.Strays == nil {
				out.Strays = map[string][]Stray{}
			}
			out.Strays[targets[i].Name] = d.strays(subjects)
		}
		slices.SortStableFunc(subjects, compareSubjects)
		if len(out.Subjects) == 0 {
			out.Subjects = subjects
		} else {
			out.Subjects = append(out.Subjects, subjects...)
		}
	}
	settleApart(people, out.Subjects, in.Assumed)
	out.Conflicts = conflicts(people)
	return out
}

// compareSubjects puts leavers first.
func compareSubjects(a, b Subject) int {
	rank := func(s Subject) int {
		if s.Situation.Leaver() || s.Situation == ProtectedLeaver {
			return 0
		}
		return 1
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Login, b.Login), cmp.Compare(a.Person, b.Person))
}

// desk is where one target is worked on.
type desk struct {
	in      *Input
	t       *Target
	sources map[string]Source
	// managed are the entitlements that were read.
	managed map[string]bool
	owners  map[target.NativeID]identity.Ordinal
	logins  map[identity.Ordinal]string
	guards  guards
	// held are the names that accounts have now, once somebody asked; chosen are
	// those that this plan gives.
	held, chosen map[string][]heldName
	// marks are those of accounts that are nobody's; marked are the accounts that say
	// of themselves whose they are.
	marks  map[target.NativeID]Mark
	marked map[identity.Ordinal][]target.Account
	// linked are the people who have an account.
	linked map[identity.Ordinal]bool
}

func newDesk(in *Input, t *Target, people []Person, sources map[string]Source) *desk {
	d := &desk{in: in, t: t, sources: sources, managed: make(map[string]bool, len(t.Entitlements)),
		owners: make(map[target.NativeID]identity.Ordinal, len(t.Owners)+len(people)),
		linked: make(map[identity.Ordinal]bool, len(people)), logins: make(map[identity.Ordinal]string, len(people)), guards: newGuards(t.Rules), chosen: map[string][]heldName{}}
	for _, e := range t.Entitlements {
		d.managed[e] = true
	}
	d.readMarked()
	for id, who := range t.Owners {
		d.owners[id] = who
	}
	for i := range people {
		p := &people[i]
		d.logins[p.Ordinal] = called(p)
		if l := p.Seen[t.Name].Link; l != nil && l.Phase != ledger.Deleted && l.Account != "" {
			d.owners[l.Account], d.linked[p.Ordinal] = p.Ordinal, true
		}
	}
	return d
}

// called is how people call the person.
func called(p *Person) string {
	return cmp.Or(p.Login, p.Name, p.DN.String(), p.Ordinal.String())
}

// owner says whose the account is.
func (d *desk) owner(id target.NativeID) (identity.Ordinal, bool) {
	who, ok := d.owners[id]
	return who, ok
}

func (d *desk) login(who identity.Ordinal) string { return cmp.Or(d.logins[who], who.String()) }

// wanted finds what the policy says of this target; nil: it says nothing.
func wanted(list []mapping.Account, name string) *mapping.Account {
	for i := range list {
		if list[i].Target == name {
			return &list[i]
		}
	}
	return nil
}

// explain puts reasons in words, sorted.
func explain(reasons []mapping.Reason) []string {
	var out []string
	for _, r := range reasons {
		text := cmp.Or(r.Text, r.Rule)
		if text == "" {
			continue
		}
		if r.Where != "" {
			text += " (" + r.Where + ")"
		}
		out = append(out, text)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// orphans are the listed accounts that belong to nobody and that nobody is
// about to have.
func (d *desk) orphans(subjects []Subject) []Orphan {
	if len(d.t.Accounts) == 0 {
		return nil
	}
	linking := map[target.NativeID]bool{}
	for _, s := range subjects {
		for _, c := range s.Changes {
			if c.Change.Verb == target.Link {
				linking[c.Change.Account] = true
			}
		}
	}
	var out []Orphan
	for _, a := range d.t.Accounts {
		if _, owned := d.owner(a.ID); owned || linking[a.ID] || d.guards.breakGlass(a.Name, a.Entitlements) != "" {
			continue
		}
		out = append(out, Orphan{Target: d.t.Name, ID: a.ID, Name: a.Name, Enabled: a.Enabled})
	}
	slices.SortFunc(out, func(a, b Orphan) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(string(a.ID), string(b.ID)))
	})
	return out
}
