package sync_test

import (
	"context"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/directory"
	source "github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/mapping"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/memory"
)

// referring gives accounts of the wiki the account of the manager.
func referring(t *testing.T, rule mapping.AttributeRule) *world {
	w := newWorld(t)
	w.source = source.New("corp", source.Config{Attributes: []string{"employeeType", "sn", "manager"}, Key: "employeeNumber", Bases: []string{people, groups}},
		w.engine.Now)
	w.source.Put(source.Record{Kind: directory.Group, DN: "cn=writers," + groups})
	w.source.Put(source.Record{Kind: directory.Group, DN: "cn=managers," + groups})
	w.engine.Sources[0].Source = w.source
	w.config.Targets["wiki"].Attributes["boss"] = rule
	w.engine.Policy = w.compile()
	w.engine.Targets[0].Rules.Leaver.Delete = map[string]string{"disabled": "1d", "out-of-scope": "1d", "gone": "1d"}
	return w
}

var boss = mapping.AttributeRule{From: "${account(person.manager)}"}

func (w *world) under(login string, managers ...string) identity.ID {
	id := w.join(login)
	w.reports(id, managers...)
	return id
}

func (w *world) reports(id identity.ID, managers ...string) {
	for i, m := range managers {
		managers[i] = "UID=" + strings.ToUpper(m) + ", " + people
	}
	w.set(id, "manager", managers...)
}

// settles runs a cycle that must do everything, the second pass too, and then some that
// do nothing.
func (w *world) settles() {
	w.t.Helper()
	for n := 0; ; n++ {
		r := w.sync()
		if r.Exit() != 0 {
			w.t.Fatalf("sync: exit %d\n%s", r.Exit(), text(r))
		}
		if changes(r) == 0 {
			break
		}
		if n > 0 {
			w.t.Fatalf("one cycle does not do it all\n%s", text(r))
		}
	}
	w.quiet()
}

// boss is who the account names as its manager, by the name of that account.
func (w *world) boss(login string) string {
	w.t.Helper()
	a := w.account(login)
	if a == nil {
		w.t.Fatalf("%s has no account", login)
	}
	out := ""
	for _, id := range a.Attributes["boss"] {
		name := "?" + id
		for _, b := range w.wiki.Accounts() {
			if string(b.ID) == id {
				name = b.Name
			}
		}
		out += name
	}
	return out
}

func (w *world) wantBoss(login, want string) {
	w.t.Helper()
	if got := w.boss(login); got != want {
		w.t.Errorf("the manager of %s is %q, want %q", login, got, want)
	}
}

func TestReferencesToAccounts(t *testing.T) {
	w := referring(t, boss)
	a, b := w.under("a", "b"), w.under("b", "a")
	c := w.under("c", "c")
	w.under("top")
	d := w.under("d", "late")
	w.settles()
	w.wantBoss("a", "b")
	w.wantBoss("b", "a")
	w.wantBoss("c", "c")
	w.wantBoss("top", "")
	w.wantBoss("d", "")

	// Somebody comes whom another named before.
	late := w.join("late")
	w.settles()
	w.wantBoss("d", "late")

	// Another manager.
	w.reports(c, "a")
	w.settles()
	w.wantBoss("c", "a")

	// One who is disabled still has an account, and one whose account is deleted has none.
	w.set(late, "employeeType", "former")
	w.settles()
	w.wantBoss("d", "late")
	w.move(late, "uid=late,ou=left,dc=corp,dc=example")
	w.sync()
	w.now = w.now.AddDate(0, 0, 3)
	w.sync()
	w.settles()
	if w.account("late") != nil {
		t.Fatal("late is not deleted")
	}
	w.wantBoss("d", "")

	// And is back, with another account.
	w.move(late, "uid=late,"+people)
	w.set(late, "employeeType", "staff")
	w.settles()
	w.wantBoss("d", "late")

	// Whose entry moves is meant by the old name too, where the server does not follow:
	// a person is not a DN. (Such a reference was cleared before: a mass update by a
	// directory without referential integrity took everybody's manager away.)
	w.move(b, "uid=bb,"+people)
	w.settles()
	w.wantBoss("a", "b")
	w.reports(a, "bb")
	w.settles()
	w.wantBoss("a", "b")

	// Until somebody else has that name.
	w.reports(a, "c")
	w.settles()
	w.wantBoss("a", "c")
	w.move(c, "uid=cc,"+people)
	w.settles()
	w.wantBoss("a", "c")
	w.move(late, "uid=c,"+people)
	w.settles()
	w.wantBoss("a", "late")

	// The account went without us, and is made anew with another ID.
	w.reports(d, "a")
	w.settles()
	w.wantBoss("d", "a")
}

// What is not known takes no reference away: two managers, a manager that is no
// name of an entry.
func TestReferencesThatCannotBeMade(t *testing.T) {
	w := referring(t, boss)
	a := w.under("a", "top")
	w.under("top")
	w.under("other")
	w.settles()
	w.wantBoss("a", "top")
	w.reports(a, "top", "other")
	if r := w.sync(); changes(r) != 0 || !strings.Contains(text(r), "person.manager has more than one value") {
		t.Errorf("two managers:\n%s", text(r))
	}
	w.wantBoss("a", "top")
	w.set(a, "manager", "somebody")
	w.sync()
	w.wantBoss("a", "top")
	w.set(a, "manager")
	w.settles()
	w.wantBoss("a", "")
}

// Who waits for another's account is not parked, and nor is who waits for each other;
// who names nobody is.
func TestReferencesThatMustBeThere(t *testing.T) {
	w := referring(t, mapping.AttributeRule{From: boss.From, Empty: "park"})
	w.under("a", "b")
	w.under("b", "a")
	w.settles()
	w.wantBoss("a", "b")
	w.wantBoss("b", "a")
	w.under("c", "nobody")
	if r := w.sync(); !strings.Contains(text(r), "boss: the value is empty") || w.account("c") != nil {
		t.Errorf("names nobody:\n%s", text(r))
	}
}

// A manager whose account is held or cannot be made is named as soon as it is there.
func TestReferencesToWhomIsHeld(t *testing.T) {
	w := referring(t, boss)
	w.under("seed")
	w.settles()
	w.under("a", "top")
	top := w.join("top")
	w.set(top, "uid", "")
	w.sync()
	w.wantBoss("a", "")
	w.set(top, "uid", "top")
	w.settles()
	w.wantBoss("a", "top")
}

// The index is of the state: it is there after a restart, and after a policy that
// asks for nothing it is gone.
func TestReferencesSurviveARestart(t *testing.T) {
	w := referring(t, boss)
	w.under("d", "late")
	w.settles()
	w.engine.Store.Close()
	targets := w.engine.Targets
	w.open()
	w.engine.Targets = targets
	w.join("late")
	w.settles()
	w.wantBoss("d", "late")
}

// changes is how many changes the cycle planned.
func changes(r *rostersync.Report) int {
	n := 0
	for _, s := range r.Plan.Subjects {
		n += len(s.Changes)
	}
	return n
}

// named is a target in which accounts are named by where they stand.
type named struct{ *memory.Target }

func (n named) Describe() target.Description {
	d := n.Target.Describe()
	d.References = true
	return d
}

func (n named) List(ctx context.Context, scope target.Scope, yield func(target.Account) error) (target.Complete, error) {
	return n.Target.List(ctx, scope, func(a target.Account) error {
		a.Reference = "uid=" + a.Name
		return yield(a)
	})
}

func (n named) Look(ctx context.Context, scope target.Scope, q []target.Query) ([]target.Observation, error) {
	out, err := n.Target.Look(ctx, scope, q)
	for i := range out {
		for k := range out[i].Accounts {
			out[i].Accounts[k].Reference = "uid=" + out[i].Accounts[k].Name
		}
	}
	return out, err
}

// Where a reference is a name, it follows when the account is renamed.
func TestReferencesByName(t *testing.T) {
	w := referring(t, boss)
	wiki := w.config.Targets["wiki"]
	wiki.Attributes["number"] = mapping.AttributeRule{From: "${person.employeeNumber}"}
	wiki.Account.Match = []string{"number"}
	w.config.Targets["wiki"] = wiki
	w.engine.Policy = w.compile()
	w.engine.Targets[0].Target = named{w.wiki}
	w.under("a", "top")
	top := w.under("top")
	w.settles()
	w.wantBoss("a", "?uid=top")
	w.set(top, "uid", "summit")
	w.settles()
	w.wantBoss("a", "?uid=summit")
}
