package plan

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/target"
)

// Adoption is which accounts that exist are to be taken over.
type Adoption struct {
	// Match are attributes by which somebody said that an account may be taken over,
	// besides those of which the file says so.
	Match []string
	// Recover: an account that carries somebody's mark is theirs again, where the mark
	// is of this state or of one of States. So is that of somebody who has left.
	Recover bool
	States  []string
	// Stale are accounts of ours whose mark is not what it would be by now.
	Stale map[target.NativeID]bool
}

func (a *Adoption) relinks(state string) bool {
	return a != nil && a.Recover && slices.Contains(a.States, state)
}

func (a *Adoption) by(attribute string) bool {
	return a != nil && slices.Contains(a.Match, attribute)
}

// Adopted is what was found, and what of it would be done.
type Adopted struct {
	// Findings are sorted, the worst class first.
	Findings []Finding
	// Strays are accounts about which somebody has to decide.
	Strays []Stray
	// Ours is how many accounts belong to somebody already, Listed how many there are.
	Ours, Listed int
}

// Adopt looks for the owners of all accounts that were listed in the one target of the
// input, and plans to link those that are found beyond doubt. Nothing else is planned.
func Adopt(in Input) Adopted {
	people := slices.Clone(in.People)
	slices.SortFunc(people, func(a, b Person) int { return cmp.Compare(a.Ordinal, b.Ordinal) })
	sources := make(map[string]Source, len(in.Sources))
	for _, s := range in.Sources {
		sources[s.Name] = s
	}
	t := &in.Targets[0]
	d := newDesk(&in, t, people, sources)
	subjects := make([]Subject, len(people))
	for i := range people {
		subjects[i] = d.subject(&people[i])
	}
	d.settleClaims(subjects)
	out := Adopted{Listed: len(t.Accounts), Strays: d.strays(subjects)}
	listed := make(map[target.NativeID]*target.Account, len(t.Accounts))
	for i := range t.Accounts {
		listed[t.Accounts[i].ID] = &t.Accounts[i]
		if _, owned := d.owner(t.Accounts[i].ID); owned {
			out.Ours++
		}
	}
	for i := range subjects {
		p, s := &people[i], &subjects[i]
		if l := p.Seen[t.Name].Link; l != nil && l.Phase != ledger.Deleted {
			if f, is := d.ours(s, p, l, listed[l.Account]); is {
				out.Findings = append(out.Findings, f)
			}
			continue
		}
		f, is := d.finding(s, p)
		if in.Adoption.Recover && f.Link == nil && (!is || f.Class == Left || f.Class == Undecided) {
			if again, marked := d.again(s, p); marked {
				f, is = again, true
			}
		}
		if is {
			out.Findings = append(out.Findings, f)
		}
	}
	d.contested(out.Findings, subjects)
	out.Findings = withoutLinked(out.Findings)
	told := map[target.NativeID]bool{}
	for _, f := range out.Findings {
		told[f.Account.ID] = true
		for _, a := range f.Accounts {
			told[a.ID] = true
		}
	}
	out.Findings = append(out.Findings, d.rest(told)...)
	sortFindings(out.Findings)
	return out
}

// Links are the plan that links what was chosen. Of what else is held of these people
// it says nothing.
func Links(now time.Time, name string, chosen []Finding) Plan {
	out := Plan{Now: now}
	for _, f := range chosen {
		s := Subject{Target: name, Person: f.Person, Login: f.Login, Situation: Adoptable, Account: f.Account.Name, Changes: []Planned{*f.Link}, unread: true}
		if f.Class == Renewed {
			s.Situation = InSync
		}
		out.Subjects = append(out.Subjects, s)
	}
	return out
}

// ours is an account that is linked: its mark may be an old one.
func (d *desk) ours(s *Subject, p *Person, l *ledger.Link, a *target.Account) (Finding, bool) {
	f := Finding{Person: p.Ordinal, Login: s.Login, Name: p.Name}
	switch {
	case p.Seen[d.t.Name].InDoubt:
		f.Class, f.Why = Undecided, s.Why
	case a == nil:
		f.Class, f.Why = Vanished, "account "+l.Name+" is linked, and is not in the target any more"
	case d.in.Adoption.Stale[a.ID] && d.guarded(a) == "":
		ch := target.Change{Verb: target.Link, Target: d.t.Name, Person: p.Ordinal, Account: a.ID, Name: a.Name}
		f.Class, f.Account, f.Why = Renewed, *a, "is ours; its mark would not tell whose it is if the state were lost"
		f.Link = linkOf(Planned{Change: ch, Key: ch.Key(), Because: []string{"the mark is written anew"}})
	default:
		return f, false
	}
	return f, true
}

// again is somebody of whom nothing else can be said, or who has left, and whose mark
// an account carries: it is theirs, whatever becomes of it then.
func (d *desk) again(s *Subject, p *Person) (Finding, bool) {
	f := Finding{Person: p.Ordinal, Login: s.Login, Name: p.Name, By: byMark, Class: Exact}
	own := d.marked[p.Ordinal]
	if !slices.ContainsFunc(own, func(a target.Account) bool { return d.marks[a.ID].Ours || d.in.Adoption.relinks(d.marks[a.ID].State) }) {
		return f, false
	}
	if len(own) > 1 {
		f.Class, f.Accounts, f.Why = Several, own, fmt.Sprintf("%d accounts carry their mark", len(own))
		return f, true
	}
	f.Account = own[0]
	if why := d.guarded(&f.Account); why != "" {
		f.Class, f.Why = Guarded, why
		return f, true
	}
	ch := target.Change{Verb: target.Link, Target: d.t.Name, Person: p.Ordinal, Account: f.Account.ID, Name: f.Account.Name}
	f.Link = linkOf(Planned{Change: ch, Key: ch.Key(), Because: []string{"found by " + byMark}, Shut: shut(d.t, &f.Account)})
	f.Why = cmp.Or(s.Why, p.Desired.Standing.String()) + "; it is only linked again, and what becomes of it is the next cycle's, within the limits"
	return f, true
}

// contested takes back what is claimed by somebody else too: by whom a match finds that
// the file trusts, while the mark alone says that it is another's; or by somebody who
// left, and whom the same or a better match finds. Mail is given again, and marks can be
// copied.
func (d *desk) contested(list []Finding, subjects []Subject) {
	rivals := map[target.NativeID][]*Subject{}
	for i := range subjects {
		s := &subjects[i]
		for _, a := range s.found {
			rivals[a.ID] = append(rivals[a.ID], s)
		}
	}
	by := make(map[identity.Ordinal]*Subject, len(subjects))
	for i := range subjects {
		by[subjects[i].Person] = &subjects[i]
	}
	for i := range list {
		f := &list[i]
		if f.Link == nil || f.Class == Renewed {
			continue
		}
		me := by[f.Person]
		for _, r := range rivals[f.Account.ID] {
			if r.Person == f.Person {
				continue
			}
			byMarkAlone := f.By == byMark && !me.confirmed
			better := !r.byMark && d.rank(f.Person, me.by) < d.rank(r.Person, r.by)
			if byMarkAlone && r.adopts || f.By != byMark && r.Held != "taken" && !better {
				f.Class, f.Link = Several, nil
				f.Why = fmt.Sprintf("account %s is found for %s too, by %s", f.Account.Name, r.Login, r.by.Attribute)
			}
		}
	}
}

// withoutLinked leaves out of what looks like a leaver's what is linked to somebody.
func withoutLinked(list []Finding) []Finding {
	linked := map[target.NativeID]bool{}
	for _, f := range list {
		if f.Link != nil {
			linked[f.Account.ID] = true
		}
	}
	taken := func(a target.Account) bool { return linked[a.ID] }
	return slices.DeleteFunc(list, func(f Finding) bool {
		return f.Class == Left && (taken(f.Account) || len(f.Accounts) > 0 && slices.ContainsFunc(f.Accounts, taken))
	})
}

// rank is how far back in the order of the person's matches an attribute stands.
func (d *desk) rank(who identity.Ordinal, by target.Match) int {
	for i := range d.in.People {
		if d.in.People[i].Ordinal != who {
			continue
		}
		if w := wanted(d.in.People[i].Desired.Accounts, d.t.Name); w != nil {
			for n, m := range w.Match {
				if m.Attribute == by.Attribute {
					return n
				}
			}
		}
	}
	return 1 << 20
}
