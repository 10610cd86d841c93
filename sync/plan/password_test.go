package plan

import (
	"slices"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/target"
)

// withPasswords makes a rig whose target has passwords for new accounts.
func withPasswords(t tb, first bool) *rig {
	r := newRig(t)
	r.rules.Password = Password{Generate: true}
	if first {
		r.caps = r.mem.PasswordFirst().Describe()
	}
	return r
}

func (r *rig) opens(n int) bool {
	in, _ := r.mem.Login(r.links[identity.Ordinal(n)].Account, "Canary.4711")
	return in
}

// Nobody counts the password of an account that may be created; where the creation is
// held, so is all that comes with it, and one approval is for all.
func TestPasswordIsHeldWithItsAccount(t *testing.T) {
	for _, first := range []bool{false, true} {
		r := withPasswords(t, first)
		r.rules.Guard.First = apply
		r.rules.Guard.MaxEnable = &Limit{Count: 1}
		for n := 1; n <= 5; n++ {
			r.hire(n, "Writers")
		}
		if _, v := r.cycle(false); v.Held() {
			t.Fatalf("held: %v", holdIDs(v.Holds))
		}
		for n := 1; n <= 5; n++ {
			if !r.opens(n) {
				t.Errorf("first=%v: %d does not get in: %+v", first, n, r.links[identity.Ordinal(n)])
			}
		}
		r.rules.Guard.MaxCreate = &Limit{Count: 1}
		for n := 6; n <= 8; n++ {
			r.hire(n, "Writers")
		}
		p, v := r.cycle(false)
		keys := 3 * 3 // create, grant, password
		if first {
			keys += 3
		}
		if len(v.Holds) != 1 || len(v.Holds[0].Keys) != keys || len(r.mem.Accounts()) != 5 {
			t.Fatalf("first=%v: %v", first, holdIDs(v.Holds))
		}
		words := []string{"create writer6", "grant Writers of writer6", "set an initial password for writer6"}
		if first {
			words = append(words, "enable writer6")
		}
		wantWords(t, subjectOf(t, p, 6), words...)
		r.approve(v.Holds[0].ID)
		if _, v = r.cycle(false); v.Held() || !r.opens(6) || !r.opens(8) {
			t.Errorf("first=%v: %v", first, holdIDs(v.Holds))
		}
	}
}

// An account that was made closed is opened without a limit: its creation was judged.
// A password that cannot be handed over holds up nothing but the opening.
func TestUnopenedAccount(t *testing.T) {
	r := withPasswords(t, true)
	r.rules.Guard.First = apply
	r.fail = func(ch target.Change) bool { return ch.Verb == target.SetPassword }
	for n := 1; n <= 5; n++ {
		r.hire(n, "Writers")
	}
	r.cycle(false)
	for n := 1; n <= 5; n++ {
		if l := r.links[identity.Ordinal(n)]; l.Phase != ledger.Closed || l.Cause != ledger.Unopened || !l.Owed || r.seen(n).Enabled {
			t.Fatalf("the link is %+v", l)
		}
	}
	r.rules.Guard.MaxEnable = &Limit{Count: 1}
	r.attribute(1, "title", "Author")
	p, v := r.cycle(false)
	if s := stageOf(t, p, v, 1); s.Stage != Parked || v.Held() {
		t.Errorf("%+v, %v", s, holdIDs(v.Holds))
	}
	if got := r.seen(1).Attributes["title"]; !slices.Equal(got, []string{"Author"}) {
		t.Errorf("its title is %v", got)
	}
	if s := subjectOf(t, p, 2); s.Situation != Changed {
		t.Errorf("it is %v", s.Situation)
	}
	r.fail, r.now = nil, r.now.Add(day)
	if _, v = r.cycle(false); v.Held() {
		t.Errorf("held: %v", holdIDs(v.Holds))
	}
	for n := 1; n <= 5; n++ {
		if l := r.links[identity.Ordinal(n)]; !r.opens(n) || l.Owed || l.Handed.IsZero() || l.Phase != ledger.Open {
			t.Errorf("%d does not get in: %+v", n, l)
		}
	}
}

// A leaver of an account that never had a password comes back to it: the password is
// set before it is opened, and not at all where the opening is held.
func TestPasswordOfWhoeverLeftBeforeIt(t *testing.T) {
	r := withPasswords(t, true)
	r.staff(10)
	r.fail = func(ch target.Change) bool { return ch.Verb == target.SetPassword }
	r.hire(11, "Writers")
	r.cycle(false)
	r.fail = nil
	r.parked = map[identity.Ordinal]ledger.Parked{}
	r.leave(11, 11)
	if r.cycle(false); r.links[11].Cause != "gone" || !r.links[11].Owed {
		t.Fatalf("the link is %+v", r.links[11])
	}
	r.standing(11, identity.Active)
	r.rules.Guard.MaxEnable = &Limit{Count: 1}
	r.spends = append(r.spends, ledger.Spend{Target: "wiki", Rule: "max_enable", Person: 2, At: r.now})
	p, v := r.cycle(false)
	if len(v.Holds) != 1 || v.Holds[0].Rule != "max_enable" || r.opens(11) || !r.links[11].Owed {
		t.Fatalf("%v, %v, %+v", said(subjectOf(t, p, 11)), holdIDs(v.Holds), r.links[11])
	}
	if s := stageOf(t, p, v, 11); !strings.HasPrefix(strings.Join(s.Changes, " "), v.Holds[0].ID) || slices.Contains(s.Changes, "") {
		t.Errorf("something of it may go: %q", s.Changes)
	}
	r.approve(v.Holds[0].ID)
	if r.cycle(false); !r.opens(11) || r.links[11].Owed {
		t.Errorf("the link is %+v", r.links[11])
	}
}

// Who comes back keeps the password, unless the file says another; an account that was
// taken over is never given one.
func TestPasswordOnReturnIsOfOurs(t *testing.T) {
	for _, renew := range []bool{false, true} {
		r := withPasswords(t, false)
		r.staff(10)
		r.rules.Password.OnReturn = renew
		l := r.links[2]
		l.Owner = ledger.Adopted
		r.links[2] = l
		r.leave(1, 2)
		r.cycle(false)
		r.standing(1, identity.Active)
		r.standing(2, identity.Active)
		p, _ := r.plan(false)
		has := func(n int) bool {
			return slices.Contains(said(subjectOf(t, p, n)), "set an initial password for writer"+string(rune('0'+n)))
		}
		if has(1) != renew || has(2) {
			t.Errorf("on_return = %v: %v and %v", renew, said(subjectOf(t, p, 1)), said(subjectOf(t, p, 2)))
		}
	}
}

// Somebody who is held has no password set, in whatever way they come to be held.
func TestNoPasswordForWhoeverIsClosedElsewhere(t *testing.T) {
	r := withPasswords(t, false)
	r.fail = func(ch target.Change) bool { return ch.Verb == target.SetPassword }
	r.staffed(2)
	r.fail = nil
	r.edit(1, func(a *target.Account) { a.Enabled = false })
	r.now = r.now.Add(day)
	r.cycle(false)
	if l := r.links[1]; l.Phase != ledger.ClosedElsewhere || !l.Owed {
		t.Errorf("the link is %+v", l)
	}
	if !r.opens(2) {
		t.Error("the other one does not get in")
	}
	r.release = 1
	if r.cycle(false); !r.opens(1) || r.links[1].Owed {
		t.Errorf("released: %+v", r.links[1])
	}
	// The file asks for none any more.
	r.links[2] = func(l ledger.Link) ledger.Link { l.Owed = true; return l }(r.links[2])
	r.rules.Password = Password{}
	if p, _ := r.cycle(true); len(said(subjectOf(t, p, 2))) > 0 {
		t.Errorf("%v", said(subjectOf(t, p, 2)))
	}
}

func (r *rig) staffed(n int) {
	r.rules.Guard.First = apply
	for i := 1; i <= n; i++ {
		r.hire(i)
	}
	r.cycle(false)
}
