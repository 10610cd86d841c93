package plan

import (
	"slices"
	"strings"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/target"
)

// settleClaims parts people who correlate with the same account: it is nobody's
// until a person decides.
func (d *desk) settleClaims(subjects []Subject) {
	claims := map[target.NativeID][]int{}
	for i := range subjects {
		for _, c := range subjects[i].Changes {
			if c.Change.Verb == target.Link {
				claims[c.Change.Account] = append(claims[c.Change.Account], i)
			}
		}
		if subjects[i].Situation == Ambiguous {
			for _, a := range subjects[i].found {
				claims[a.ID] = append(claims[a.ID], i)
			}
		}
	}
	for i := range subjects {
		s := &subjects[i]
		if len(s.Changes) == 0 || s.Changes[0].Change.Verb != target.Link {
			continue
		}
		rivals := claims[s.Changes[0].Change.Account]
		if len(rivals) < 2 {
			continue
		}
		var names []string
		for _, r := range rivals {
			names = append(names, subjects[r].Login)
		}
		slices.Sort(names)
		s.Situation, s.Held, s.Changes = Ambiguous, "ambiguous", nil
		s.Notes = append(s.Notes, "account "+s.Account+" matches "+strings.Join(names, " and "))
	}
}

// nameTake is a change that takes a name.
type nameTake struct {
	subject int
	verb    target.Verb
	name    string
}

// settleNames treats names as resources: the change that frees a name comes
// before the one that takes it, and of two people who want one name the second
// is parked.
func (d *desk) settleNames(subjects []Subject) {
	d.freeTaken(subjects)
	for d.settleNamesOnce(subjects) {
	}
}

// freeTaken lets those create their account whose name is another's only until
// this plan is carried out.
func (d *desk) freeTaken(subjects []Subject) {
	free := map[string][]string{}
	for i := range subjects {
		for _, c := range subjects[i].Changes {
			switch c.Change.Verb {
			case target.Rename:
				free[fold(c.Change.OldName)] = append(free[fold(c.Change.OldName)], c.Change.OldName)
			case target.Delete:
				free[fold(c.Change.Name)] = append(free[fold(c.Change.Name)], c.Change.Name)
			}
		}
	}
	for i := range subjects {
		s := &subjects[i]
		if len(s.freed) == 0 {
			continue
		}
		name := s.freed[0].Change.Name
		if slices.ContainsFunc(free[fold(name)], func(f string) bool { return d.t.Description.EqualName(f, name) }) {
			s.Situation, s.Held, s.Notes, s.Changes = New, "", nil, s.freed
		}
		s.freed = nil
	}
}

// settleNamesOnce parks what cannot have its name and says whether it parked
// something: that may keep a name from being freed.
func (d *desk) settleNamesOnce(subjects []Subject) bool {
	var takes []nameTake
	frees := map[string][]nameFree{}
	for i := range subjects {
		for _, c := range subjects[i].Changes {
			switch c.Change.Verb {
			case target.Create:
				takes = append(takes, nameTake{i, target.Create, c.Change.Name})
			case target.Rename:
				takes = append(takes, nameTake{i, target.Rename, c.Change.Name})
				frees[fold(c.Change.OldName)] = append(frees[fold(c.Change.OldName)], nameFree{i, c.Change.OldName, c.Key})
			case target.Delete:
				frees[fold(c.Change.Name)] = append(frees[fold(c.Change.Name)], nameFree{i, c.Change.Name, c.Key})
			}
		}
	}
	if len(takes) == 0 {
		return false
	}
	held := d.heldNames()
	winner := map[string][]nameTake{}
	changed := false
	after := map[int]int{} // the rename of a subject waits for that of another
	for _, t := range takes {
		if rival, lost := d.rival(winner[fold(t.name)], t); lost {
			d.parkName(&subjects[t.subject], t, "the name "+t.name+" is also wanted by "+subjects[rival.subject].Login)
			changed = true
			continue
		}
		winner[fold(t.name)] = append(winner[fold(t.name)], t)
		other, is := d.holder(held, t.name, subjects[t.subject].Person)
		if !is {
			continue
		}
		i := slices.IndexFunc(frees[fold(t.name)], func(f nameFree) bool {
			return d.t.Description.EqualName(f.name, t.name) && subjects[f.subject].Person != subjects[t.subject].Person
		})
		if i < 0 {
			d.parkName(&subjects[t.subject], t, "the name "+t.name+" is that of the account of "+other)
			changed = true
			continue
		}
		f := frees[fold(t.name)][i]
		c := take(&subjects[t.subject], t.verb)
		c.After = []target.Key{f.key}
		if t.verb == target.Rename {
			after[t.subject] = f.subject
		}
	}
	if changed {
		return true
	}
	return d.parkCircles(subjects, after)
}

// nameFree is a change that frees a name.
type nameFree struct {
	subject int
	name    string
	key     target.Key
}

func (d *desk) rival(winners []nameTake, t nameTake) (nameTake, bool) {
	for _, w := range winners {
		if d.t.Description.EqualName(w.name, t.name) {
			return w, true
		}
	}
	return nameTake{}, false
}

// heldName is a name that an account has now.
type heldName struct {
	name string
	who  identity.Ordinal // 0: nobody of ours
}

func (d *desk) heldNames() map[string][]heldName {
	out := map[string][]heldName{}
	add := func(name string, who identity.Ordinal) {
		out[fold(name)] = append(out[fold(name)], heldName{name, who})
	}
	if len(d.t.Accounts) > 0 {
		for _, a := range d.t.Accounts {
			who := d.owners[a.ID]
			add(a.Name, who)
		}
		return out
	}
	for i := range d.in.People {
		p := &d.in.People[i]
		seen := p.Seen[d.t.Name]
		if seen.Link != nil && seen.Link.Phase != ledger.Deleted && !gone(seen) {
			add(observedName(seen), p.Ordinal)
		}
		if seen.Observed == nil {
			continue
		}
		for _, a := range seen.Observed.Accounts {
			if seen.Link == nil || a.ID != seen.Link.Account {
				add(a.Name, d.owners[a.ID]) // somebody's, or one that may be taken over
			}
		}
	}
	return out
}

// gone says whether the target was looked at and does not have the account.
func gone(s Seen) bool {
	return s.Observed != nil && s.Observed.Read.Valid() && len(s.Observed.Accounts) == 0
}

func observedName(s Seen) string {
	if s.Observed != nil {
		for _, a := range s.Observed.Accounts {
			if a.ID == s.Link.Account {
				return a.Name
			}
		}
	}
	return s.Link.Name
}

// holder says whose account has the name now, if it is another's.
func (d *desk) holder(held map[string][]heldName, name string, who identity.Ordinal) (string, bool) {
	for _, h := range held[fold(name)] {
		if h.who != who && d.t.Description.EqualName(h.name, name) {
			if !h.who.Valid() {
				return "nobody we know", true
			}
			return d.login(h.who), true
		}
	}
	return "", false
}

// parkCircles parks renames that wait for each other.
func (d *desk) parkCircles(subjects []Subject, after map[int]int) bool {
	parked := false
	for start := range subjects {
		at, circle := start, false
		for steps := 0; steps <= len(after); steps++ {
			next, waits := after[at]
			if !waits {
				break
			}
			if at = next; at == start {
				circle = true
				break
			}
		}
		if !circle {
			continue
		}
		c := take(&subjects[start], target.Rename)
		d.parkName(&subjects[start], nameTake{start, target.Rename, c.Change.Name},
			"accounts would swap their names; rename one of them by hand first")
		parked = true
	}
	return parked
}

// take finds the change of a subject that takes a name.
func take(s *Subject, verb target.Verb) *Planned {
	for i := range s.Changes {
		if s.Changes[i].Change.Verb == verb {
			return &s.Changes[i]
		}
	}
	return nil
}

// nameAgain is when a name is asked for again.
const nameAgain = 15 * time.Minute

// parkName gives up on a name: without it nothing can be created, but the
// account of a rename keeps its other changes.
func (d *desk) parkName(s *Subject, t nameTake, why string) {
	c := take(s, t.verb)
	subject := Words(c.Change)
	s.Park = parked(d.t.Name, s.Person, nil, d.in.Now, subject, target.Exists.String(), why,
		"give one of them another name in the directory, or change the rule", d.in.Now.Add(nameAgain))
	s.Park.Attempts = 1
	if t.verb == target.Create {
		s.Changes = nil
		return
	}
	s.Changes = slices.DeleteFunc(s.Changes, func(c Planned) bool { return c.Change.Verb == t.verb })
}

// fold finds names that a target might take for one; the target's own rule
// decides.
func fold(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }
