package plan

import (
	"maps"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
)

// Gap is one thing that what was read does not tell about another policy.
type Gap struct {
	// Text says what is not known, Hint how to know it.
	Text string `json:"text"`
	Hint string `json:"hint,omitempty"`
	// Have are the people who have something that rests on it, and May those who
	// may come to have something by it, by their logins, sorted.
	Have []string `json:"have,omitempty"`
	May  []string `json:"may,omitempty"`
	// Others: people who were not read may be concerned, too.
	Others bool `json:"others,omitempty"`
}

// Gaps gathers what is not known, chunk by chunk. The zero value has nothing.
type Gaps struct {
	by map[string]*gap
}

type gap struct {
	hint      string
	have, may map[identity.Ordinal]string
	others    bool
}

// Note notes what is not known, before or after people were found whom it concerns.
func (u *Gaps) Note(text, hint string, others bool) {
	x := u.at(text)
	if hint != "" {
		x.hint = hint
	}
	x.others = x.others || others
}

// Concerns notes that somebody is concerned by it; have: they have something now.
func (u *Gaps) Concerns(text string, p *Person, have bool) {
	x := u.at(text)
	to := x.may
	if have {
		to = x.have
	}
	to[p.Ordinal] = called(p)
}

func (u *Gaps) at(text string) *gap {
	if u.by == nil {
		u.by = map[string]*gap{}
	}
	if u.by[text] == nil {
		u.by[text] = &gap{have: map[identity.Ordinal]string{}, may: map[identity.Ordinal]string{}}
	}
	return u.by[text]
}

// Compare finds of whom the other policy cannot say what they should have, because
// something was not read, where the one in force can.
func (u *Gaps) Compare(force, next Input) {
	before := make(map[identity.Ordinal]*Person, len(force.People))
	for i := range force.People {
		before[force.People[i].Ordinal] = &force.People[i]
	}
	for i := range next.People {
		p := &next.People[i]
		if p.Desired.Standing.Left() {
			continue
		}
		was := before[p.Ordinal]
		if was == nil {
			was = &Person{}
		}
		for _, d := range p.Desired.Doubts {
			if unread(d.Doubt.Text) && !slices.ContainsFunc(was.Desired.Doubts, func(o mapping.Doubtful) bool { return o.Role == d.Role && o.Doubt == d.Doubt }) {
				u.Concerns("role "+d.Role+": "+d.Doubt.Text, p, slices.ContainsFunc(was.Desired.Roles, func(h mapping.Held) bool { return h.Role == d.Role }))
			}
		}
		for _, why := range p.Desired.Invalid {
			if unread(why) && !slices.Contains(was.Desired.Invalid, why) {
				u.Concerns(why, p, p.linked(""))
			}
		}
		for _, a := range p.Desired.Accounts {
			if !a.Entitled || !unread(a.Invalid) {
				continue
			}
			if old := wanted(was.Desired.Accounts, a.Target); old == nil || old.Invalid != a.Invalid {
				u.Concerns(a.Target+": "+a.Invalid, p, p.linked(a.Target))
			}
		}
	}
}

// unread says whether a text of the policy speaks of what was not read.
func unread(text string) bool { return strings.Contains(text, "was not read") }

// linked says whether the person has an open account of ours, in any target if none
// is named.
func (p *Person) linked(name string) bool {
	for at, s := range p.Seen {
		if (name == "" || name == at) && s.Link != nil && s.Link.Phase == ledger.Open {
			return true
		}
	}
	return false
}

// Linked says whether the person has an open account of ours anywhere.
func (p *Person) Linked() bool { return p.linked("") }

// Speaks says whether something noted names the text, in any case.
func (u *Gaps) Speaks(of string) bool {
	for text := range u.by {
		if strings.Contains(strings.ToLower(text), strings.ToLower(of)) {
			return true
		}
	}
	return false
}

// List is what was noted, sorted by text.
func (u *Gaps) List() []Gap {
	var out []Gap
	for _, text := range slices.Sorted(maps.Keys(u.by)) {
		x := u.by[text]
		out = append(out, Gap{Text: text, Hint: x.hint, Others: x.others,
			Have: slices.Sorted(maps.Values(x.have)), May: slices.Sorted(maps.Values(x.may))})
	}
	return out
}
