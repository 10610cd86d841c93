package sync_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/directory"
	source "github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/mapping"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
	"github.com/rosterd/rosterd/target"
)

// silent is a source that nobody may ask.
type silent struct{ *source.Source }

func (silent) Read(context.Context, directory.Stage) (directory.Proof, error) { panic("was read") }
func (silent) Find(context.Context, []directory.Known) ([]directory.Finding, error) {
	panic("was searched")
}
func (silent) Check(context.Context) (directory.Report, error)                 { panic("was checked") }
func (silent) Sweep(context.Context, directory.Stage) (directory.Proof, error) { panic("was swept") }

func (s silent) Foresee(was directory.Source) directory.Foresight {
	return s.Source.Foresee(was.(silent).Source)
}

// mute is a target that only says what it is: whatever else it is asked is a call
// of nothing.
type mute struct {
	target.Target
	is target.Description
}

func (m mute) Describe() target.Description { return m.is }

// hushed is an engine whose source and targets cannot be asked.
func hushed(e *rostersync.Engine) *rostersync.Engine {
	out := &rostersync.Engine{Store: e.Store, Now: e.Now, Policy: e.Policy, PolicyText: e.PolicyText, File: e.File, Hash: e.Hash, Sources: slices.Clone(e.Sources)}
	for i := range out.Sources {
		if s, is := out.Sources[i].Source.(*source.Source); is {
			out.Sources[i].Source = silent{s}
		}
	}
	for _, t := range e.Targets {
		t.Target = mute{is: t.Target.Describe()}
		out.Targets = append(out.Targets, t)
	}
	return out
}

func (w *world) whatIf(next *rostersync.Engine) *rostersync.WhatIf {
	w.t.Helper()
	before := w.engine.Store.Work()
	force := hushed(w.engine.Current())
	other := hushed(next)
	for i := range other.Sources {
		if next.Sources[i].Source == w.engine.Current().Sources[i].Source {
			other.Sources[i].Source = force.Sources[i].Source
		}
	}
	out, err := force.WhatIf(w.t.Context(), other, rostersync.WhatIfRequest{})
	if err != nil {
		w.t.Fatalf("what-if: %v", err)
	}
	if after := w.engine.Store.Work(); after.Commits != before.Commits {
		w.t.Fatalf("what-if wrote into the state: %d commits", after.Commits-before.Commits)
	}
	return out
}

// changesOf are the changes of a plan by their keys.
func changesOf(p plan.Plan) map[target.Key]string {
	out := map[target.Key]string{}
	for _, s := range p.Subjects {
		for _, c := range s.Changes {
			out[c.Key] = s.Login + ": " + plan.Words(c.Change)
		}
	}
	return out
}

// Each edit that "Done when" names is told offline: the people, the target, the right.
func TestWhatIfNamesEverybody(t *testing.T) {
	w := staffed(t, 20)
	w.members("writers", "p0003", "p0004")
	w.join("outsider")
	w.move(w.source.At("uid=outsider,"+people), "uid=outsider,ou=guests,"+people)
	w.synced()
	all, most := append([]string{"outsider"}, logins("p", 20)...), logins("p", 20)
	for name, c := range map[string]struct {
		edit  func(*mapping.Config, *rostersync.Engine)
		what  string
		roles []string
		who   []string
		exit  int
		gap   string
	}{
		"a value is typed otherwise": {titled, "update title", nil, all, 3, ""},
		"a role loses a right":       {noPublishers, "revoke Publishers", []string{"manager"}, most, 4, ""},
		"a role is deleted": {func(c *mapping.Config, _ *rostersync.Engine) {
			delete(c.Roles, "manager")
			delete(c.Targets["wiki"].Entitlements, "manager")
		}, "revoke Publishers", []string{"manager"}, most, 4, ""},
		"a group is renamed to one that was read": {func(c *mapping.Config, _ *rostersync.Engine) {
			c.Roles["manager"] = mapping.Role{Groups: []string{"cn=writers," + groups}, Includes: []string{"writer"}}
		}, "revoke Publishers", []string{"manager"}, slices.Delete(slices.Clone(most), 3, 5), 4, ""},
		"a group is renamed to one that nobody read": {func(c *mapping.Config, _ *rostersync.Engine) {
			c.Roles["manager"] = mapping.Role{Groups: []string{"cn=chiefs," + groups}, Includes: []string{"writer"}}
		}, "revoke Publishers", []string{"manager"}, most, 4, "cn=chiefs"},
		"a base is narrower": {func(_ *mapping.Config, e *rostersync.Engine) {
			e.Sources[0].Source = w.reads("ou=guests,"+people, groups)
		}, "disable", nil, most, 4, ""},
		"a base is wider": {func(_ *mapping.Config, e *rostersync.Engine) {
			e.Sources[0].Source = w.reads("dc=corp,dc=example", groups)
		}, "", nil, nil, 6, "who is under dc=corp,dc=example was not read"},
		"an attribute that nobody read decides": {func(c *mapping.Config, _ *rostersync.Engine) {
			c.Roles["employee"] = mapping.Role{When: `person.employeeType == "staff" and person.badge != ""`}
		}, "", nil, nil, 6, "role employee: person.badge was not read"},
		"it is a value": {func(c *mapping.Config, _ *rostersync.Engine) {
			c.Targets["wiki"].Attributes["title"] = mapping.AttributeRule{From: "${person.badge ?? ''}"}
		}, "park: title: person.badge was not read", nil, all, 6, "wiki: title: person.badge was not read"},
		"it is required": {func(c *mapping.Config, _ *rostersync.Engine) {
			p := c.Sources["corp"]
			p.Required = []string{"badge"}
			c.Sources = map[string]mapping.SourcePerson{"corp": p}
		}, "park: the required attribute badge was not read", nil, all, 6, "the required attribute badge was not read"},
		"it tells a rehire": {func(c *mapping.Config, _ *rostersync.Engine) {
			p := c.Sources["corp"]
			p.Key = "badge"
			c.Sources = map[string]mapping.SourcePerson{"corp": p}
		}, "", nil, nil, 6, "the attribute badge was not read"},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			got := w.whatIf(w.edit(c.edit))
			w.engine.Next = nil
			if got.Exit() != c.exit {
				t.Errorf("exit %d, want %d: %+v", got.Exit(), c.exit, got)
			}
			found := c.what == "" && len(got.Impact) == 0
			for _, l := range got.Impact {
				found = found || l.Target == "wiki" && l.What == c.what && slices.Equal(l.People, c.who) && slices.Equal(l.Roles, c.roles)
			}
			if !found {
				t.Errorf("no %q of %d people (%v) among %+v", c.what, len(c.who), c.roles, got.Impact)
			}
			if (len(got.Unread) > 0) != (c.gap != "") {
				t.Fatalf("not known: %+v", got.Unread)
			}
			if c.gap == "" {
				return
			}
			u := got.Unread[0]
			if !strings.Contains(u.Text, c.gap) || !strings.Contains(u.Hint, "--live") {
				t.Errorf("not known: %+v", u)
			}
			if strings.HasPrefix(c.what, "park") && !slices.Equal(u.Have, all) || strings.HasPrefix(u.Text, "role") && !slices.Equal(u.Have, all) {
				t.Errorf("concerned: %+v", u)
			}
			if c.gap[:3] == "who" && !u.Others {
				t.Error("others are not told")
			}
		})
	}
}

// reads is the source of the world as it is read from other bases.
func (w *world) reads(bases ...string) directory.Source {
	s := source.New("corp", source.Config{Attributes: []string{"employeeType", "sn"}, Key: "employeeNumber", Bases: bases}, func() time.Time { return w.now })
	for _, r := range w.source.Records() {
		s.Put(r)
	}
	return s
}

// On an unchanged source what-if has the very changes that the plan has once the
// edit is taken, and its lines are those of the pending policy.
func TestWhatIfIsTheFollowingPlan(t *testing.T) {
	w := newWorld(t)
	for i := range 12 {
		id := w.join(fmt.Sprintf("p%04d", i))
		w.set(id, "sn", []string{"Ash", "Birch", "Cedar"}[i%3])
		if i%4 == 3 {
			w.move(id, fmt.Sprintf("uid=p%04d,ou=guests,%s", i, people))
		}
	}
	w.source.Put(source.Record{Kind: directory.Group, DN: "cn=chiefs," + groups, Members: []string{"uid=p0001," + people, "uid=p0002," + people}})
	w.members("writers", "p0001", "p0004", "p0005")
	w.members("managers", "p0002", "p0005")
	w.leave(w.source.At("uid=p0000," + people))
	g := &w.engine.Targets[0].Rules.Guard
	for _, l := range []**plan.Limit{&g.MaxCreate, &g.MaxRemove, &g.MaxRevoke, &g.MaxEnable, &g.MaxRename, &g.MaxUpdate} {
		*l = &plan.Limit{Count: 1000}
	}
	w.synced()
	narrow := w.reads("ou=guests,"+people, groups)
	group := rapid.SampledFrom([]string{"writers", "managers", "chiefs", "nobody"})
	right := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"Writers", "Publishers", "Readers"}), 1, 2, rapid.ID[string])
	told := 0
	rapid.Check(t, func(rt *rapid.T) {
		next := w.edit(func(c *mapping.Config, e *rostersync.Engine) {
			for range rapid.IntRange(1, 3).Draw(rt, "edits") {
				wiki := c.Targets["wiki"]
				switch rapid.IntRange(0, 8).Draw(rt, "edit") {
				case 0:
					wiki.Attributes["title"] = mapping.AttributeRule{From: rapid.SampledFrom([]string{"Writer", "${person.uid}", "${upper(person.sn)}", "${lower(person.sn)}"}).Draw(rt, "title")}
				case 1:
					wiki.Entitlements["writer"] = right.Draw(rt, "right")
				case 2:
					wiki.Entitlements["manager"] = right.Draw(rt, "right")
				case 3:
					c.Roles["writer"] = mapping.Role{Groups: []string{"cn=" + group.Draw(rt, "group") + "," + groups}}
				case 4:
					c.Roles["manager"] = mapping.Role{Groups: []string{"cn=" + group.Draw(rt, "group") + "," + groups}}
				case 5:
					c.Roles["employee"] = mapping.Role{When: rapid.SampledFrom([]string{`person.employeeType == "staff" and person.sn != "Ash"`, `person.sn == "Ash"`, `person.employeeType == "former"`}).Draw(rt, "when")}
				case 6:
					wiki.Account.For = rapid.SampledFrom([][]string{{"writer"}, {"manager"}, {"employee", "writer"}}).Draw(rt, "for")
				case 7:
					wiki.Attributes["name"] = mapping.AttributeRule{From: rapid.SampledFrom([]string{"${person.uid}-x", "${person.sn}", "${person.mail}"}).Draw(rt, "name")}
				case 8:
					e.Sources[0].Source = narrow
				}
				c.Targets["wiki"] = wiki
			}
		})
		defer func() { w.engine.Next = nil }()
		if next.Hash == w.engine.Policy.Hash()+fmt.Sprint(guardsOf(w.engine)) && next.Sources[0].Source == w.engine.Sources[0].Source {
			return
		}
		got := w.whatIf(next)
		r := w.cycle(rostersync.Request{Verb: "plan", DryRun: true})
		if r.Policy == nil || r.Policy.Fate != rostersync.Taken {
			rt.Fatalf("the edit is not taken: %+v", r.Policy)
		}
		want := changesOf(r.Plan)
		if have := changesOf(got.Plan); !maps.Equal(have, want) {
			rt.Fatalf("what-if: %v\nplan: %v", have, want)
		}
		if a, b := fmt.Sprint(got.Impact), fmt.Sprint(r.Policy.Impact); a != b {
			rt.Fatalf("lines of what-if: %s\nof the pending policy: %s", a, b)
		}
		if len(got.Outside) != r.Policy.Outside {
			rt.Fatalf("not read any more: %v, and %d", got.Outside, r.Policy.Outside)
		}
		told += len(want)
		if err := w.engine.Settled(); err != nil {
			rt.Fatal(err)
		}
	})
	if told < 100 {
		t.Fatalf("only %d changes were compared", told)
	}
}
