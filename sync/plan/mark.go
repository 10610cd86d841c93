package plan

import (
	"fmt"
	"slices"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/target"
)

// Mark is what the ownership mark of an account says that is nobody's here.
type Mark struct {
	// Person is whose account it says that is; 0: nobody who is known.
	Person identity.Ordinal
	// State is the serial of the state that put it there. Ours: it is this one, or
	// one that this one was before it was restored.
	State string
	Ours  bool
	// Named: it says who the person is in the directory. A mark without that is of an
	// older version, and means something to the state alone that put it there.
	Named bool
	// Target is set where it is of another target of this configuration.
	Target string
}

// Marked is an account with such a mark.
type Marked struct {
	Account target.Account
	Mark    Mark
}

// byMark stands for the attribute where an account was found by its mark.
const byMark = "its mark"

func (d *desk) readMarked() {
	d.marks = make(map[target.NativeID]Mark, len(d.t.Marked))
	d.marked = make(map[identity.Ordinal][]target.Account, len(d.t.Marked))
	for _, m := range d.t.Marked {
		d.marks[m.Account.ID] = m.Mark
		if m.Mark.Person.Valid() {
			d.marked[m.Mark.Person] = append(d.marked[m.Mark.Person], m.Account)
		}
	}
}

// candidates are the accounts that may be the person's: those that carry their mark,
// and those that match. A match that is somebody else's already, or carries another's
// mark, does not count beside a mark of their own: names are given again.
func (m *matter) candidates() ([]target.Account, target.Match) {
	match, by := m.seen.Observed.Accounts, m.seen.Observed.By
	own := m.marked[m.p.Ordinal]
	if len(own) == 0 {
		return match, by
	}
	out, word := slices.Clone(own), byMark
	m.s.byMark = true
	for _, a := range match {
		if slices.ContainsFunc(own, func(o target.Account) bool { return o.ID == a.ID }) {
			m.s.confirmed = true
			continue
		}
		_, owned := m.owner(a.ID)
		if k, is := m.marks[a.ID]; owned || is && (k.Person.Valid() || k.Target != "") {
			continue
		}
		out, word = append(out, a), byMark+" and by "+by.Attribute
	}
	return out, target.Match{Attribute: word}
}

// markedOtherwise says why the mark of an account that matches forbids to take it
// over; empty: it does not.
func (m *matter) markedOtherwise(a *target.Account) string {
	k, is := m.marks[a.ID]
	switch {
	case !is || k.Person == m.p.Ordinal:
		return ""
	case k.Target != "":
		return "is managed as one of target " + k.Target
	case k.Person.Valid():
		return "carries the mark of " + m.login(k.Person)
	case k.Ours:
		return "" // of somebody who was forgotten
	case m.in.Adoption.relinks(k.State) && (!k.Named || m.in.Adoption.by(m.s.by.Attribute)):
		return ""
	case m.in.Adoption.relinks(k.State):
		return "carries the mark of somebody who is not in the directory"
	}
	return fmt.Sprintf("is managed by another rosterd (state %s); if that state is lost: rosterd adopt %s --recover", k.State, m.t.Name)
}

// existing says that an account was found.
func existing(a *target.Account, by target.Match, k Mark) string {
	if by.Attribute == byMark && !k.Ours {
		return fmt.Sprintf("account %s carries their mark, by another rosterd (state %s)", a.Name, k.State)
	}
	if by.Attribute == byMark {
		return fmt.Sprintf("account %s carries their mark", a.Name)
	}
	return fmt.Sprintf("account %s exists, found by %s = %s", a.Name, by.Attribute, by.Value)
}
