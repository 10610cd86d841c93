package ldap

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/ldapd"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/internal/entries"
)

// TestLaw07CutOffInTheSecondOfTwo: an account gets another name and another place in one
// cycle, and rosterd is stopped before the groups follow the second. They have a name by
// then that the account had between the two, which is noted nowhere.
func TestLaw07CutOffInTheSecondOfTwo(t *testing.T) {
	for _, skip := range []int{0, 1, 2, 3} {
		c := newCutoff(t, entries.StyleMember)
		c.cycle()
		c.join("Readers", c.stands("ada", inAccounts))
		c.set("ada", "uid", "lovelace")
		c.set("ada", "ou", "sub")
		c.faults().Add(ldapd.Fault{Op: ldapd.OpModify, Do: ldapd.Drop, Skip: skip})
		if r := c.cycle(); len(r.Failed) == 0 {
			t.Fatal("nothing was cut off")
		}
		c.faults().Clear()
		for range 3 {
			if r := c.cycle(); len(r.Failed) != 0 || r.InDoubt != 0 {
				t.Errorf("%d in doubt, failed: %+v", r.InDoubt, r.Failed)
			}
		}
		in := "ou=sub," + inAccounts
		c.want("Writers", c.stands("bob", inAccounts), c.stands("eve", inAccounts), c.stands("kim", inAccounts), c.stands("lovelace", in))
		c.want("Readers", c.stands("lovelace", in))
	}
}

// TestLaw07KilledInTheSecondOfTwo: nothing is noted of the first either. Names that the
// account did not come to are somebody else's.
func TestLaw07KilledInTheSecondOfTwo(t *testing.T) {
	const sub = "ou=sub," + inAccounts
	rename := target.Change{Verb: target.Rename, Name: "lovelace", OldName: "ada"}
	move := target.Change{Verb: target.Update, Name: "lovelace", Set: []target.Value{{Name: "container", Values: []string{sub}}}, Before: []string{inAccounts}}
	const accounts = inAccounts
	opened := target.Change{Verb: target.Enable, Name: "ada"}
	closed := target.Change{Verb: target.Disable, Name: "lovelace"}
	for name, story := range map[string]struct {
		changes []target.Change
		was     string // before them; empty: nobody noted it
		now     string
		stand   string // what groups call it
		other   string // somebody else, maybe, whom they name
	}{
		"in the second":               {[]target.Change{rename, move}, "uid=ada," + accounts, "uid=lovelace," + sub, "uid=lovelace," + accounts, ""},
		"in the second, not noted":    {[]target.Change{rename, move}, "", "uid=lovelace," + sub, "uid=lovelace," + accounts, ""},
		"in the first":                {[]target.Change{rename, move}, "uid=ada," + accounts, "uid=lovelace," + sub, "uid=ada," + accounts, ""},
		"in the first, not noted":     {[]target.Change{rename, move}, "", "uid=lovelace," + sub, "uid=ada," + accounts, ""},
		"before the second":           {[]target.Change{rename, move}, "uid=ada," + accounts, "uid=lovelace," + accounts, "uid=ada," + accounts, "uid=lovelace," + sub},
		"once, not noted":             {[]target.Change{rename}, "", "uid=lovelace," + accounts, "uid=ada," + accounts, ""},
		"before any, and in a group":  {[]target.Change{rename, move}, "uid=ada," + accounts, "uid=ada," + accounts, "uid=ada," + accounts, "uid=ada," + accounts},
		"before any":                  {[]target.Change{rename, move}, "uid=ada," + accounts, "uid=ada," + accounts, "uid=ada," + accounts, "uid=lovelace," + accounts},
		"the other way round":         {[]target.Change{move, rename}, "uid=ada," + accounts, "uid=lovelace," + sub, "uid=ada," + sub, ""},
		"opened and named":            {[]target.Change{opened, rename}, "uid=ada," + inLeft, "uid=lovelace," + accounts, "uid=ada," + accounts, ""},
		"opened and named, not noted": {[]target.Change{opened, rename}, "", "uid=lovelace," + accounts, "uid=ada," + inLeft, ""},
		"named and closed":            {[]target.Change{rename, closed}, "uid=ada," + accounts, "uid=lovelace," + inLeft, "uid=lovelace," + accounts, ""},
		"named and closed, not noted": {[]target.Change{rename, closed}, "", "uid=lovelace," + inLeft, "uid=ada," + accounts, ""},
		"the first is settled":        {[]target.Change{move}, "", "uid=lovelace," + sub, "uid=lovelace," + accounts, ""},
		"moved by somebody since":     {[]target.Change{rename, move}, "uid=ada," + accounts, "uid=x," + accounts, "uid=ada," + accounts, "uid=lovelace," + accounts},
	} {
		t.Run(name, func(t *testing.T) {
			e := embed(t, entries.StyleMember, byMove, "Writers", "Readers")
			tg := e.target(t)
			ref := e.put(t, story.now, map[string][]string{"uid": {"lovelace", "ada", "x"}, "cn": {"x"}, "sn": {"x"}})
			e.setMembers(t, "Writers", story.stand)
			if story.other != "" {
				e.setMembers(t, "Readers", story.other)
			}
			cut := make([]target.Cut, len(story.changes))
			for i, ch := range story.changes {
				cut[i] = target.Cut{Change: ch, Account: target.Ref{ID: ref.ID, Name: cmp.Or(ch.OldName, ch.Name)}, Reference: story.was, Holds: []string{"Writers"}}
			}
			for i, err := range tg.Resume(t.Context(), cut) {
				if err != nil {
					t.Errorf("%d: %v", i, err)
				}
			}
			e.wantMembers(t, "Writers", story.now)
			if story.other != "" {
				e.wantMembers(t, "Readers", story.other)
			}
		})
	}
}

// TestLaw05AnHeirOfTwoChanges: somebody has a name by now that the account had before or
// between two changes: nothing is taken from them, and it is said once.
func TestLaw05AnHeirOfTwoChanges(t *testing.T) {
	for _, name := range []string{"ada", "lovelace"} {
		e := embed(t, entries.StyleMember, byMove, "Readers", "Writers")
		tg := e.target(t)
		like := map[string][]string{"uid": {"ada", "lovelace"}, "cn": {"x"}, "sn": {"x"}}
		ref := e.put(t, "uid=lovelace,"+inLeft, like)
		heir, free := "uid="+name+","+inAccounts, "uid="+map[string]string{"ada": "lovelace", "lovelace": "ada"}[name]+","+inAccounts
		e.put(t, heir, like)
		e.setMembers(t, "Readers", heir)
		e.setMembers(t, "Writers", free)
		cut := func(ch target.Change, name string) target.Cut {
			return target.Cut{Change: ch, Account: target.Ref{ID: ref.ID, Name: name}, Reference: "uid=ada," + inAccounts, Holds: []string{"Writers"}}
		}
		errs := tg.Resume(t.Context(), []target.Cut{cut(target.Change{Verb: target.Rename, Name: "lovelace", OldName: "ada"}, "ada"), cut(target.Change{Verb: target.Disable, Name: "lovelace"}, "lovelace")})
		if target.ClassOf(errs[0]) != target.Refused || errs[1] != nil {
			t.Errorf("%s: %v", name, errs)
		}
		e.wantMembers(t, "Readers", heir)
		e.wantMembers(t, "Writers", "uid=lovelace,"+inLeft)
	}
}

// TestLaw09NotRevokedUnderTwoOldNames: groups could not be written twice, each time
// another, and have two names of an account that it has no more.
func TestLaw09NotRevokedUnderTwoOldNames(t *testing.T) {
	for _, many := range []bool{false, true} {
		e := embed(t, entries.StyleMember, byMove, "Readers", "Writers")
		tg, ctx := e.target(t), t.Context()
		ref := mustCreate(t, tg, "ada")
		for _, g := range []string{"Writers", "Readers"} {
			if errs := tg.Grant(ctx, g, []target.Ref{ref}); errs != nil {
				t.Fatal(errs)
			}
		}
		for _, name := range []string{"byron", "lovelace"} {
			e.faults().Add(ldapd.Fault{Op: ldapd.OpModify, Code: ldapd.InsufficientAccessRights, Times: 1})
			if _, err := tg.Rename(ctx, ref, name); target.ClassOf(err) != target.InDoubt {
				t.Fatalf("class %v: %v", target.ClassOf(err), err)
			}
			e.faults().Clear()
		}
		queries := []target.Query{{ID: ref.ID}}
		if many {
			for range entries.FewLooks + 1 {
				queries = append(queries, target.Query{ID: mustCreate(t, tg, "p"+string(rune('a'+len(queries)%26))+string(rune('a'+len(queries)/26))).ID})
			}
		}
		holds := func(want ...string) {
			t.Helper()
			scope := target.Scope{Entitlements: []string{"Readers", "Writers"}}
			o, err := tg.Look(ctx, scope, queries)
			if err != nil {
				t.Fatal(err)
			}
			l, err := target.Collect(ctx, tg, scope)
			if err != nil {
				t.Fatal(err)
			}
			looked, listed := o[0].Accounts[0].Entitlements, l.Look(target.Query{ID: ref.ID}).Accounts[0].Entitlements
			if !slices.Equal(looked, want) || !slices.Equal(listed, want) {
				t.Errorf("a look shows %q, a listing %q, want %q", looked, listed, want)
			}
		}
		holds("Readers", "Writers")
		for _, g := range []string{"Writers", "Readers"} {
			if errs := tg.Revoke(ctx, g, []target.Ref{ref}); errs != nil {
				t.Fatal(errs)
			}
			e.wantMembers(t, g, "cn=nobody")
		}
		holds()
	}
}

// TestLaw05NothingByANameOfOld: once all groups followed, an old name is nobody's, and what
// stands in a group by it later gives nothing to who had it.
func TestLaw05NothingByANameOfOld(t *testing.T) {
	for _, how := range []string{"renamed back and again", "ended", "tried again"} {
		e := embed(t, entries.StyleMember, byMove, "Readers", "Writers")
		tg, ctx := e.target(t), t.Context()
		ref := mustCreate(t, tg, "ada")
		if errs := tg.Grant(ctx, "Writers", []target.Ref{ref}); errs != nil {
			t.Fatal(errs)
		}
		rename := func(name string) error {
			_, err := tg.Rename(ctx, target.Ref{ID: ref.ID, Name: "ada"}, name)
			return err
		}
		e.faults().Add(ldapd.Fault{Op: ldapd.OpModify, Code: ldapd.InsufficientAccessRights, Times: 1})
		if err := rename("lovelace"); target.ClassOf(err) != target.InDoubt {
			t.Fatal(err)
		}
		e.faults().Clear()
		var err error
		switch how {
		case "ended":
			cut := target.Cut{Change: target.Change{Verb: target.Rename, Name: "lovelace", OldName: "ada"}, Account: target.Ref{ID: ref.ID, Name: "ada"}}
			err = tg.Resume(ctx, []target.Cut{cut})[0]
		case "tried again":
			err = rename("lovelace")
		default:
			err = errors.Join(rename("ada"), rename("lovelace"))
		}
		if err != nil {
			t.Fatal(err)
		}
		e.setMembers(t, "Readers", "uid=ada,"+inAccounts)
		o, err := tg.Look(ctx, target.Scope{Entitlements: []string{"Readers", "Writers"}}, []target.Query{{ID: ref.ID}})
		if err != nil || !slices.Equal(o[0].Accounts[0].Entitlements, []string{"Writers"}) {
			t.Errorf("%s: %+v, %v", how, o, err)
		}
	}
}

// unread is a target that shows nothing from its first write on.
type unread struct {
	*Target
	wrote bool
}

func (u *unread) Update(ctx context.Context, a target.Ref, set []target.Value) error {
	u.wrote = true
	return u.Target.Update(ctx, a, set)
}

func (u *unread) Look(ctx context.Context, s target.Scope, q []target.Query) ([]target.Observation, error) {
	if u.wrote {
		return nil, &target.Error{Class: target.Transient, Err: errors.New("down")}
	}
	return u.Target.Look(ctx, s, q)
}

// TestLaw07CutOffAfterWhatWasNotReadBack: an account moved, and nobody could read back
// where to; then it is renamed, and rosterd is stopped before its groups follow.
func TestLaw07CutOffAfterWhatWasNotReadBack(t *testing.T) {
	c := newCutoff(t, entries.StyleMember)
	c.cycle()
	c.set("ada", "ou", "sub")
	c.engine.Targets[0].Target = &unread{Target: c.target(t)}
	if r, err := c.engine.Cycle(t.Context(), rostersync.Request{Verb: "sync"}); err != nil || len(r.Unverified) != 1 {
		t.Fatalf("%v: %d not read back", err, len(r.Unverified))
	}
	c.now = c.now.Add(time.Hour)
	c.set("ada", "uid", "lovelace")
	c.cut()
	if r := c.cycle(); len(r.Failed) == 0 {
		t.Fatal("nothing was cut off")
	}
	c.faults().Clear()
	for range 2 {
		if r := c.cycle(); len(r.Failed) != 0 || r.InDoubt != 0 {
			t.Errorf("%d in doubt, failed: %+v", r.InDoubt, r.Failed)
		}
	}
	c.want("Writers", c.stands("bob", inAccounts), c.stands("eve", inAccounts), c.stands("kim", inAccounts), c.stands("lovelace", "ou=sub,"+inAccounts))
}
