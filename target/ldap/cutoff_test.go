package ldap

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
	source "github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapd"
	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/state"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/internal/entries"
)

// cutoff is rosterd at work on a directory that does not keep members in step with the
// names of entries, and where it can be stopped between the two.
type cutoff struct {
	*embedded
	t      *testing.T
	now    time.Time
	source *source.Source
	engine *rostersync.Engine
	ids    map[string]identity.ID
}

func newCutoff(t *testing.T, style string) *cutoff {
	t.Helper()
	const people, groups = "ou=people,dc=corp,dc=example", "cn=writers,ou=groups,dc=corp,dc=example"
	c := &cutoff{embedded: embed(t, style, byMove, "Writers", "Readers"), t: t, now: time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC), ids: map[string]identity.ID{}}
	now := func() time.Time { return c.now }
	c.source = source.New("corp", source.Config{Attributes: []string{"employeeType", "ou"}, Key: "employeeNumber", Bases: []string{people, "ou=groups,dc=corp,dc=example"}}, now)
	writers := source.Record{Kind: directory.Group, DN: groups}
	for _, l := range []string{"ada", "bob", "eve", "kim"} {
		writers.Members = append(writers.Members, "uid="+l+","+people)
		c.ids[l] = c.source.Put(source.Record{Kind: directory.Person, DN: "uid=" + l + "," + people, Attributes: map[string][]string{
			"uid": {l}, "cn": {l}, "mail": {l + "@corp.example"}, "employeetype": {"staff"}, "employeenumber": {"n-" + l}, "ou": {"accounts"}}})
	}
	c.source.Put(writers)
	store, err := state.Open(filepath.Join(t.TempDir(), "state.db"), state.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	policy := mapping.Compile(mapping.Config{
		Roles:   map[string]mapping.Role{"employee": {When: `person.employeeType == "staff"`}, "writer": {Groups: []string{groups}}},
		Sources: map[string]mapping.SourcePerson{"corp": {Login: "uid", Mail: "mail", Name: "cn", Key: "employeeNumber", Disabled: `person.employeeType == "former"`}},
		Targets: map[string]mapping.Target{"dir": {
			Account: mapping.TargetAccount{For: []string{"employee"}, Match: []string{"uid"}},
			Attributes: mapping.Attributes{"uid": {From: "${person.uid}"}, "cn": {From: "${person.cn}"}, "sn": {From: "${person.cn}"},
				"container": {From: "${person.ou == 'sub' ? 'ou=sub,' : ''}" + inAccounts}},
			Entitlements: map[string][]string{"writer": {"Writers"}}, NameAttribute: "uid",
		}},
	}, func(path ...string) string { return strings.Join(path, ".") }, func(p problem.Problem) {
		if !p.Warning {
			t.Errorf("compile: %v: %s (%s)", p.Path, p.Message, p.Hint)
		}
	})
	rules := plan.DefaultRules()
	rules.Guard.First = "apply"
	c.engine = &rostersync.Engine{Store: store, Now: now, Policy: policy,
		Sources: []rostersync.Source{{Source: c.source, VanishAfter: time.Minute, MinPeople: 0.9, MaxRekey: 5}},
		Targets: []rostersync.Target{{Name: "dir", Rules: rules, Concurrency: 1}}}
	return c
}

// cycle runs a cycle of a new process.
func (c *cutoff) cycle() *rostersync.Report {
	c.t.Helper()
	c.engine.Targets[0].Target = c.target(c.t)
	r, err := c.engine.Cycle(c.t.Context(), rostersync.Request{Verb: "sync"})
	if err != nil {
		c.t.Fatal(err)
	}
	c.now = c.now.Add(time.Hour)
	return r
}

func (c *cutoff) set(login, name, value string) {
	c.t.Helper()
	if !c.source.Change(c.ids[login], func(r *source.Record) { r.Attributes[name] = []string{value} }) {
		c.t.Fatal("there is no", login)
	}
}

// stands is what groups call an account that is called so in that container.
func (c *cutoff) stands(name, in string) string {
	if c.style == entries.StyleMemberUID {
		return name
	}
	return "uid=" + name + "," + in
}

// join puts somebody into a group by hand.
func (c *cutoff) join(group string, members ...string) {
	c.setMembers(c.t, group, append(c.members(c.t, group), members...)...)
}

// cut lets no group be written from now on.
func (c *cutoff) cut() { c.faults().Add(ldapd.Fault{Op: ldapd.OpModify, Do: ldapd.Drop}) }

// want says who is in the groups, whoever keeps one alive aside.
func (c *cutoff) want(group string, members ...string) {
	c.t.Helper()
	got := slices.DeleteFunc(sorted(c.members(c.t, group)), func(m string) bool { return m == "cn=nobody" })
	if !slices.Equal(got, sorted(members)) {
		c.t.Errorf("%s holds %q, want %q", group, got, members)
	}
}

var styles = []string{entries.StyleMember, entries.StyleUniqueMember, entries.StyleMemberUID}

// TestLaw07CutOffBetweenTheEntryAndItsGroups: an entry has another name or place, and
// rosterd is stopped before the groups do. The next cycle ends it: nobody is left in a
// group under a name that the next one may get, and what an account held in groups that
// the policy does not know it still holds.
func TestLaw07CutOffBetweenTheEntryAndItsGroups(t *testing.T) {
	for _, style := range styles {
		for name, story := range map[string]struct {
			change  func(*cutoff)
			now, in string
			leaves  bool
		}{
			"leaves":     {func(c *cutoff) { c.set("ada", "employeetype", "former") }, "ada", inLeft, true},
			"is renamed": {func(c *cutoff) { c.set("ada", "uid", "lovelace") }, "lovelace", inAccounts, false},
			"moves":      {func(c *cutoff) { c.set("ada", "ou", "sub") }, "ada", "ou=sub," + inAccounts, false},
			"moves back": {func(c *cutoff) { c.set("ada", "ou", "sub"); c.cycle(); c.set("ada", "ou", "accounts") }, "ada", inAccounts, false},
		} {
			if style == entries.StyleUniqueMember && name != "leaves" || style == entries.StyleMemberUID && name != "is renamed" {
				continue // as under member, or the groups call it what they did
			}
			t.Run(style+"/"+name, func(t *testing.T) {
				c := newCutoff(t, style)
				c.cycle()
				c.join("Readers", c.stands("ada", inAccounts))
				story.change(c)
				c.cut()
				if r := c.cycle(); len(r.Failed) == 0 {
					t.Fatal("nothing was cut off")
				}
				if _, moved := c.dir.Get("uid=" + story.now + "," + story.in); !moved {
					t.Fatalf("cut off too early: %+v", c.read(t))
				}
				c.faults().Clear()
				if r := c.cycle(); len(r.Failed) != 0 || r.InDoubt != 0 {
					t.Errorf("%d in doubt, failed: %+v", r.InDoubt, r.Failed)
				}
				c.cycle()
				others := []string{c.stands("bob", inAccounts), c.stands("eve", inAccounts), c.stands("kim", inAccounts)}
				if !story.leaves {
					others = append(others, c.stands(story.now, story.in))
				}
				c.want("Writers", others...)
				c.want("Readers", c.stands(story.now, story.in))
			})
		}
	}
}

// TestLaw05TheHeirOfANameKeepsWhatIsThere: somebody made an account by hand under the
// name that was left in groups. Whether it belongs there nobody can tell: it is said, and
// nothing is taken from it or given by it. Whoever had the name gets what they lost.
func TestLaw05TheHeirOfANameKeepsWhatIsThere(t *testing.T) {
	for _, x := range []struct{ style, name, value, now, in string }{
		{entries.StyleMember, "uid", "lovelace", "lovelace", inAccounts},
		{entries.StyleMember, "ou", "sub", "ada", "ou=sub," + inAccounts},
		{entries.StyleMemberUID, "uid", "lovelace", "lovelace", inAccounts},
	} {
		t.Run(x.style+"/"+x.name, func(t *testing.T) {
			c := newCutoff(t, x.style)
			c.cycle()
			c.set("ada", x.name, x.value)
			c.cut()
			c.cycle()
			c.faults().Clear()
			c.put(t, "uid=ada,"+inAccounts, map[string][]string{"uid": {"ada"}, "cn": {"Another Ada"}, "sn": {"x"}})
			c.set("kim", "uid", "kimberly") // the same cycle does what it can for others
			r := c.cycle()
			if len(r.Failed) != 1 || !strings.Contains(r.Failed[0].Outcome.Err, "is another account by now") || !strings.Contains(r.Failed[0].Outcome.Err, "cn=Writers") || r.Exit() != rostersync.ExitParked {
				t.Errorf("exit %d, %+v", r.Exit(), r.Failed)
			}
			c.cycle()
			if r := c.cycle(); len(r.Failed) != 0 || r.InDoubt != 0 {
				t.Errorf("said again: %+v", r.Failed)
			}
			c.want("Writers", c.stands("ada", inAccounts), c.stands("bob", inAccounts), c.stands("eve", inAccounts), c.stands("kimberly", inAccounts), c.stands(x.now, x.in))
		})
	}
}

// TestLaw05CutOffNobodyInherits: groups name somebody who had the name before, and
// rosterd is stopped once the entry has it. A new account is taken out of them; of one
// that is older it is said, for it may have been put there since.
func TestLaw05CutOffNobodyInherits(t *testing.T) {
	for _, style := range []string{entries.StyleMember, entries.StyleMemberUID} {
		t.Run(style, func(t *testing.T) {
			c := newCutoff(t, style)
			c.join("Readers", c.stands("bob", inAccounts), c.stands("zoe", inAccounts))
			c.cut()
			c.cycle()
			if _, made := c.dir.Get("uid=bob," + inAccounts); !made {
				t.Fatal("cut off too early")
			}
			c.faults().Clear()
			c.cycle()
			c.want("Readers", c.stands("zoe", inAccounts))
			c.set("ada", "uid", "zoe")
			c.cut()
			c.cycle()
			c.faults().Clear()
			if r := c.cycle(); len(r.Failed) != 1 || !strings.Contains(r.Failed[0].Outcome.Err, "it is in cn=Readers,"+inGroups+", maybe of somebody") {
				t.Errorf("%+v", r.Failed)
			}
			c.cycle()
			c.want("Writers", c.stands("zoe", inAccounts), c.stands("bob", inAccounts), c.stands("eve", inAccounts), c.stands("kim", inAccounts))
		})
	}
}

// TestLaw07CutOffInTheMiddle: some groups have followed. A plan writes nothing, and so
// says nothing of that account; the next cycle ends it, though nobody knows any more where
// the entry was.
func TestLaw07CutOffInTheMiddle(t *testing.T) {
	for _, forgotten := range []bool{false, true} {
		c := newCutoff(t, entries.StyleMember)
		c.cycle()
		c.join("Readers", c.stands("ada", inAccounts))
		c.set("ada", "employeetype", "former")
		c.faults().Add(ldapd.Fault{Op: ldapd.OpModify, Do: ldapd.Drop, Skip: 1})
		c.cycle()
		if n := slices.Index(c.members(t, "Readers"), c.stands("ada", inLeft)) + slices.Index(c.members(t, "Writers"), c.stands("ada", inLeft)); n < -1 {
			t.Fatal("cut off too early")
		}
		c.faults().Clear()
		if forgotten {
			c.forgetReferences()
		}
		c.faults().ResetCounts()
		c.engine.Targets[0].Target = c.target(t)
		r, err := c.engine.Cycle(t.Context(), rostersync.Request{Verb: "plan", DryRun: true})
		if n := c.faults().Count(ldapd.AnyWrite); err != nil || n != 0 || r.InDoubt == 0 {
			t.Errorf("a plan: %v, %d writes, %d in doubt", err, n, r.InDoubt)
		}
		pause := ledger.Pause{Target: "dir", By: "admin", Reason: "maintenance", Until: c.now.Add(time.Minute)}
		if err := c.engine.Store.Pause(pause); err != nil {
			t.Fatal(err)
		}
		if r, n := c.cycle(), c.faults().Count(ldapd.AnyWrite); n != 0 || r.InDoubt == 0 {
			t.Errorf("paused: %d writes, %d in doubt", n, r.InDoubt)
		}
		if r := c.cycle(); len(r.Failed) != 0 || r.InDoubt != 0 {
			t.Errorf("%d in doubt, failed: %+v", r.InDoubt, r.Failed)
		}
		c.cycle()
		c.want("Writers", c.stands("bob", inAccounts), c.stands("eve", inAccounts), c.stands("kim", inAccounts))
		c.want("Readers", c.stands("ada", inLeft))
	}
}

// forgetReferences makes the state one that does not know where accounts are.
func (c *cutoff) forgetReferences() {
	c.t.Helper()
	doubts, err := c.engine.Store.InDoubt()
	if err != nil || len(doubts) == 0 {
		c.t.Fatal("nothing is in doubt: ", err)
	}
	who := doubts[0].Order().Change.Person
	links, err := c.engine.Store.Links(who)
	if err != nil {
		c.t.Fatal(err)
	}
	l := links[who]["dir"]
	l.Reference = ""
	if err := c.engine.Store.PutLinks([]ledger.Link{l}); err != nil {
		c.t.Fatal(err)
	}
}

// TestLaw09NotRevokedUnderTheOldName: while groups have an old name of an account, a look
// and a listing show what it holds by that, a revocation takes it, and so does a delete.
func TestLaw09NotRevokedUnderTheOldName(t *testing.T) {
	for _, style := range []string{entries.StyleMember, entries.StyleUniqueMember} {
		e := embed(t, style, byMove, "Writers", "Readers")
		tg, ctx := e.target(t), t.Context()
		ref := mustCreate(t, tg, "writer1")
		for _, g := range []string{"Writers", "Readers"} {
			if errs := tg.Grant(ctx, g, []target.Ref{ref}); errs != nil {
				t.Fatal(errs)
			}
		}
		e.faults().Add(ldapd.Fault{Op: ldapd.OpModify, Code: ldapd.Busy, Times: 1})
		if err := tg.Disable(ctx, ref); target.ClassOf(err) != target.InDoubt {
			t.Fatalf("class %v: %v", target.ClassOf(err), err)
		}
		holds := func(want ...string) {
			t.Helper()
			scope := target.Scope{Entitlements: []string{"Readers", "Writers"}}
			o, err := tg.Look(ctx, scope, []target.Query{{ID: ref.ID}})
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
		// It comes back to where it was, and what stands there is its own.
		if err := tg.Enable(ctx, ref); err != nil {
			t.Fatal(err)
		}
		holds("Readers", "Writers")
		e.faults().Add(ldapd.Fault{Op: ldapd.OpModify, Code: ldapd.Busy, Times: 1})
		if err := tg.Disable(ctx, ref); target.ClassOf(err) != target.InDoubt {
			t.Fatalf("class %v: %v", target.ClassOf(err), err)
		}
		if errs := tg.Revoke(ctx, "Writers", []target.Ref{ref}); errs != nil {
			t.Fatal(errs)
		}
		holds("Readers")
		e.wantMembers(t, "Writers", "cn=nobody")
		if err := tg.Delete(ctx, ref); err != nil {
			t.Fatal(err)
		}
		e.wantMembers(t, "Readers", "cn=nobody")
	}
}

// TestLaw07OneGroupCouldNotBeWritten: what comes after it in the same cycle is done and
// read back, and the rest is ended all the same.
func TestLaw07OneGroupCouldNotBeWritten(t *testing.T) {
	c := newCutoff(t, entries.StyleMember)
	c.cycle()
	c.join("Readers", c.stands("ada", inAccounts))
	c.set("ada", "employeetype", "former")
	c.faults().Add(ldapd.Fault{Op: ldapd.OpModify, Code: ldapd.Busy, Times: 1})
	c.cycle()
	others := []string{c.stands("bob", inAccounts), c.stands("eve", inAccounts), c.stands("kim", inAccounts)}
	c.want("Writers", others...) // revoked at once, by the name that is there
	c.want("Readers", c.stands("ada", inAccounts))
	c.cycle()
	c.want("Writers", others...)
	c.want("Readers", c.stands("ada", inLeft))
}
