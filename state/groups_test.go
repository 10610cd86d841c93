package state

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

func cn(name string) string { return "cn=" + name + "," + groups }

// pins returns the pins of the groups, which must be as wanted.
func (k *kit) pins(want ledger.PinStatus, names ...string) []ledger.Pin {
	k.Helper()
	var written []string
	for _, n := range names {
		written = append(written, cn(n))
	}
	pins, err := k.s.Pins("corp", written)
	if err != nil {
		k.Fatal(err)
	}
	for _, p := range pins {
		if p.Status != want {
			k.Fatalf("%+v, want %s", p, want)
		}
	}
	return pins
}

// in says by which path the person is in the group, outermost last.
func (k *kit) in(login string, group identity.Ordinal) []string {
	k.Helper()
	o := k.one(login).Ordinal
	m, err := k.s.Memberships([]identity.Ordinal{o}, []identity.Ordinal{group})
	if err != nil {
		k.Fatal(err)
	}
	all, err := k.s.Memberships(nil, []identity.Ordinal{group})
	if err != nil {
		k.Fatal(err)
	}
	if len(all[o]) != len(m[o]) {
		k.Fatalf("asked alone %v, among all %v", m[o], all[o])
	}
	if len(m[o]) == 0 {
		return nil
	}
	var path []string
	for _, s := range m[o][0].Path {
		path = append(path, s.Name)
	}
	return path
}

func (k *kit) members(id identity.ID, members ...string) {
	k.src.Change(id, func(r *memory.Record) { r.Members = members })
}

func TestNestedGroupsWithACycle(t *testing.T) {
	k := newKit(t)
	k.persons(6)
	k.group("top", cn("middle"), cn("bottom"))
	k.group("middle", cn("bottom"), cn("top"))
	bottom := k.group("bottom", dn("WRITER1"), "UID=writer2 , "+people, cn("bottom"))
	k.group("other", dn("writer3"), dn("nobody"), cn("nothing"))
	if d := k.read(); d.Dangling != 2 {
		t.Fatalf("%+v", d)
	}
	top := k.pins(ledger.PinOK, "top")[0].Group
	for login, want := range map[string][]string{"writer1": {"bottom", "top"}, "writer2": {"bottom", "top"}, "writer3": nil} {
		if got := k.in(login, top); !slices.Equal(got, want) {
			t.Errorf("%s is in top by %v, want %v", login, got, want)
		}
	}
	k.clean()
	k.members(bottom, dn("writer2"), dn("writer4"), cn("bottom"))
	k.read()
	k.wantDirty("writer1", "writer4")
	if r := k.dirty()["writer1"]; r[0] != "group bottom" {
		t.Fatal(r)
	}
	if k.in("writer1", top) != nil || k.in("writer4", top) == nil {
		t.Fatal("the edges were not moved")
	}
	// A whole subtree comes and goes.
	k.clean()
	k.src.Change(k.src.At(cn("top")), func(r *memory.Record) { r.Members = []string{cn("other")} })
	k.src.Change(k.src.At(cn("middle")), func(r *memory.Record) { r.Members = nil })
	k.read()
	k.wantDirty("writer2", "writer4", "writer3")
	if k.in("writer2", top) != nil || !slices.Equal(k.in("writer3", top), []string{"other", "top"}) {
		t.Fatal("wrong members after the change")
	}
}

func TestLaw08GroupThatIsRenamedTakesItsMembersAlong(t *testing.T) {
	k := newKit(t)
	k.persons(6)
	k.group("top", cn("team"))
	team := k.group("team", dn("writer1"), dn("writer2"))
	k.read()
	top := k.pins(ledger.PinOK, "top", "team")[0].Group
	k.clean()
	k.src.Change(team, func(r *memory.Record) { r.DN = cn("crew"); r.Attributes["cn"] = []string{"crew"} })
	k.read()
	// The group above still names the old DN, so its members are not in it now.
	k.wantDirty("writer1", "writer2")
	if k.in("writer1", top) != nil {
		t.Fatal("a dangling member gives membership")
	}
	p := k.pins(ledger.PinRenamed, "team")[0]
	if p.ID != team || p.DN != cn("crew") || p.Members != 2 {
		t.Fatalf("%+v", p)
	}
	k.clean()
	k.members(k.src.At(cn("top")), cn("crew"))
	k.read()
	k.wantDirty("writer1", "writer2")
	if !slices.Equal(k.in("writer1", top), []string{"crew", "top"}) {
		t.Fatal(k.in("writer1", top))
	}
}

func TestMembersByLogin(t *testing.T) {
	k := newKit(t)
	k.person("Anna")
	k.persons(5)
	k.src.Put(memory.Record{Kind: directory.Group, DN: cn("unix"), Attributes: map[string][]string{"cn": {"unix"}}, Logins: []string{"anna", "writer1", "ghost"}})
	if d := k.read(); d.Dangling != 1 {
		t.Fatalf("%+v", d)
	}
	unix := k.pins(ledger.PinOK, "unix")[0].Group
	if k.in("Anna", unix) == nil || k.in("writer1", unix) == nil || k.in("writer2", unix) != nil {
		t.Fatal("members by login in any case")
	}
	k.clean()
	// Now somebody is called exactly so.
	k.src.Put(memory.Record{Kind: directory.Person, DN: "uid=anna2," + people, Attributes: map[string][]string{"uid": {"anna"}}})
	k.read()
	marks, err := k.s.Take(k.clock.at)
	ok(t, err)
	if len(marks) != 2 {
		t.Fatalf("%v: the one who is not meant any more is dirty too", marks)
	}
	found, err := k.s.FindPerson("ANNA")
	ok(t, err)
	m, err := k.s.Memberships([]identity.Ordinal{found[0].Ordinal, found[1].Ordinal}, []identity.Ordinal{unix})
	ok(t, err)
	if len(found) != 2 || len(m[found[0].Ordinal]) != 0 || len(m[found[1].Ordinal]) != 1 {
		t.Fatalf("%v %v", found, m)
	}
}

func TestLaw02PinnedGroupThatGoesIsDoubted(t *testing.T) {
	five := []string{dn("writer1"), dn("writer2"), dn("writer3"), dn("writer4"), dn("writer5")}
	k := newKit(t)
	k.persons(8)
	team := k.group("team", five...)
	k.group("small", five[:4]...)
	k.pins(ledger.PinUnseen, "team")
	k.read()
	group := k.pins(ledger.PinOK, "team", "small")[0].Group
	k.clean()

	// Emptied.
	k.members(team)
	k.members(k.src.At(cn("small")))
	k.read()
	if p := k.pins(ledger.PinEmptied, "team")[0]; p.Had != 5 || p.Members != 0 || p.Status.Sound() {
		t.Fatalf("%+v", p)
	}
	k.pins(ledger.PinOK, "small")
	k.wantDirty("writer1", "writer2", "writer3", "writer4", "writer5")
	k.clean()
	ok(t, k.s.AcceptPin("corp", "CN=Team,"+groups, "admin"))
	if p := k.pins(ledger.PinOK, "team")[0]; p.Had != 0 {
		t.Fatalf("%+v", p)
	}
	if len(k.dirty()) != 8 {
		t.Fatal(k.dirty())
	}
	k.members(team, five...)
	k.read()
	k.clean()

	// Missing: at once for the pin, after a second look for the edges.
	k.src.Remove(team)
	k.read()
	k.pins(ledger.PinMissing, "team")
	if k.in("writer1", group) == nil {
		t.Fatal("one listing took a membership")
	}
	k.wantDirty("writer1", "writer2", "writer3", "writer4", "writer5")
	k.clean()
	k.read() // too early to say more: no news
	k.wantDirty()
	k.clock.forward(time.Hour)
	k.read()
	k.pins(ledger.PinMissing, "team")
	if k.in("writer1", group) != nil {
		t.Fatal("a group that is gone gives membership")
	}
	k.wantDirty("writer1", "writer2", "writer3", "writer4", "writer5")

	// Replaced: the same DN under another ID, held until accepted.
	k.group("team", dn("writer8"))
	k.read()
	k.pins(ledger.PinReplaced, "team")
	ok(t, k.s.AcceptPin("corp", cn("team"), "admin"))
	p := k.pins(ledger.PinOK, "team")[0]
	if p.ID == team || p.Members != 1 || k.in("writer8", p.Group) == nil {
		t.Fatalf("%+v", p)
	}
	k.pins(ledger.PinUnseen, "never")
	ok(t, k.s.AcceptPin("corp", cn("never"), "admin"))
}

func TestAcceptingAMissingGroupEndsItAtOnce(t *testing.T) {
	k := newKit(t)
	k.persons(8)
	team := k.group("team", dn("writer1"))
	k.group("rest", dn("writer2"))
	k.read()
	group := k.pins(ledger.PinOK, "team")[0].Group
	k.src.Remove(team)
	k.read()
	k.pins(ledger.PinMissing, "team")
	ok(t, k.s.AcceptPin("corp", cn("team"), "admin"))
	k.pins(ledger.PinUnseen, "team")
	if k.in("writer1", group) != nil {
		t.Fatal("it still gives membership")
	}
	k.read()
	k.group("team", dn("writer3"))
	k.read()
	k.pins(ledger.PinOK, "team")
}

func TestGroupOfThousandsKeepsItsEdges(t *testing.T) {
	k := newKit(t)
	var members []string
	for i := range 2000 {
		members = append(members, fmt.Sprintf("uid=x%04d,%s", i, people))
	}
	k.person("writer1")
	team := k.group("team", append(members, dn("writer1"))...)
	if d := k.read(); d.Dangling != 2000 {
		t.Fatalf("%+v", d)
	}
	g := k.pins(ledger.PinOK, "team")[0]
	if g.Members != 2001 || k.in("writer1", g.Group) == nil {
		t.Fatalf("%+v", g)
	}
	k.members(team, members[:700]...)
	k.reopen()
	if d := k.read(); d.Dangling != 700 || k.in("writer1", g.Group) != nil {
		t.Fatalf("%+v", d)
	}
	if d := k.read(); d.Changed != 0 {
		t.Fatalf("%+v", d)
	}
}

func TestLaw01OnlyAProofSeals(t *testing.T) {
	k := newKit(t)
	k.persons(3)
	stage := func() (*Stage, directory.Proof) {
		g := must2(k.s.Stage("corp", k.src.Coverage()))
		return g, must2(k.src.Read(t.Context(), g))
	}
	rules := SealRules{Now: k.clock.at}
	g, p := stage()
	if _, err := g.Seal(directory.Proof{}, rules); err == nil {
		t.Error("sealed without a proof")
	}
	ok(t, g.Add([]directory.Entry{{Kind: directory.Person, ID: "x", DN: identity.MustDN(dn("x")), Attributes: identity.NewAttributes(k.src.Coverage(), nil)}}))
	if _, err := g.Seal(p, rules); err == nil {
		t.Error("sealed with a proof of fewer people")
	}
	other := must2(k.s.Stage("other", k.src.Coverage()))
	if _, err := other.Seal(p, rules); err == nil {
		t.Error("sealed with the proof of another source")
	}
	// The stage that came first was discarded by that.
	if _, err := g.Seal(p, rules); err == nil {
		t.Error("sealed a stage that was discarded")
	}
	g = must2(k.s.Stage("corp", identity.NewCoverage("uid")))
	if _, err := k.src.Read(t.Context(), g); err == nil {
		t.Error("entries of another coverage were taken")
	}
	g, p = stage()
	ok(t, g.Discard())
	if _, err := g.Seal(p, rules); err == nil {
		t.Error("sealed after a discard")
	}
	g, p = stage()
	must2(g.Seal(p, rules))
	if _, err := g.Seal(p, rules); err == nil {
		t.Error("sealed twice")
	}
	if _, err := k.s.Stage("corp", k.src.Coverage()); !errors.Is(err, ErrUndrained) {
		t.Errorf("staged over a sealed listing: %v", err)
	}
	if _, err := k.s.Take(k.clock.at); !errors.Is(err, ErrUndrained) {
		t.Errorf("took marks beside a sealed listing: %v", err)
	}
	if _, err := k.s.Intend("c1", nil); !errors.Is(err, ErrUndrained) {
		t.Errorf("intended beside a sealed listing: %v", err)
	}
	must2(k.s.Drain(t.Context()))
	k.src.Remove(k.src.At(dn("writer1")))
	g, p = stage()
	if _, err := g.Seal(p, rules); err == nil {
		t.Error("sealed though nobody looked up who is missing")
	}
	if err := g.Found([]directory.Finding{{Kind: directory.Person, ID: "nobody"}}); err == nil {
		t.Error("took an answer to no question")
	}
}

func TestListingThatContradictsItselfIsRefused(t *testing.T) {
	k := newKit(t)
	entry := func(id identity.ID, dn string) directory.Entry {
		return directory.Entry{Kind: directory.Person, ID: id, DN: identity.MustDN(dn), Attributes: identity.NewAttributes(k.src.Coverage(), nil)}
	}
	for name, list := range map[string][]directory.Entry{
		"ID twice": {entry("1", dn("a")), entry("1", dn("b"))},
		"DN twice": {entry("1", dn("a")), entry("2", dn("A"))},
		"no ID":    {entry("", dn("a"))},
		"no DN":    {{Kind: directory.Person, ID: "1", Attributes: identity.NewAttributes(k.src.Coverage(), nil)}},
		"no kind":  {{ID: "1", DN: identity.MustDN(dn("a")), Attributes: identity.NewAttributes(k.src.Coverage(), nil)}},
	} {
		g := must2(k.s.Stage("corp", k.src.Coverage()))
		if err := g.Add(list); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	k.person("a")
	k.read()
	g := must2(k.s.Stage("corp", k.src.Coverage()))
	known := k.one("a").Key.ID
	if err := g.Add([]directory.Entry{entry(known, dn("a")), entry(known, dn("b"))}); err == nil {
		t.Error("a known ID twice: taken")
	}
	e := entry(known, dn("c"))
	e.Kind = directory.Group
	if err := must2(k.s.Stage("corp", k.src.Coverage())).Add([]directory.Entry{e}); err == nil {
		t.Error("a person became a group: taken")
	}
}
