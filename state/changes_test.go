package state

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

// undecided follows, and wants that only a listing decides; then it reads, with what
// was proved.
func (k *kit) undecided(why string) {
	k.Helper()
	k.clock.forward(time.Second)
	_, err := k.tryFollow()
	var u *UndecidedError
	if !errors.As(err, &u) || !strings.Contains(u.Why, why) {
		k.Fatalf("follow: %v, want it undecided: %s", err, why)
	}
	if left, err := k.s.Undrained(); err != nil || left {
		k.Fatalf("something was sealed: %v", err)
	}
}

func TestChangesThatOnlyAListingDecides(t *testing.T) {
	with := func(k *kit, n int) []identity.ID {
		ids := make([]identity.ID, n)
		for i := range ids {
			ids[i] = k.person(fmt.Sprintf("writer%d", i+1), "employeeNumber", fmt.Sprint(i+1), "title", "x")
		}
		for i := range 6 {
			k.group(fmt.Sprintf("group%d", i), dn("writer1"))
		}
		return ids
	}
	for name, c := range map[string]struct {
		why    string
		change func(*kit, []identity.ID)
	}{
		"the key of somebody who is there": {"rehire key of somebody known", func(k *kit, _ []identity.ID) { k.person("late", "employeeNumber", "3") }},
		"the key of somebody who is gone": {"rehire key of somebody known", func(k *kit, ids []identity.ID) {
			k.src.Remove(ids[2])
			k.follow()
			k.person("late", "employeeNumber", "3")
		}},
		"the key of somebody deleted with them": {"rehire key of somebody known", func(k *kit, ids []identity.ID) {
			k.src.Remove(ids[2])
			k.person("writer3", "employeeNumber", "3")
		}},
		"a key that another has": {"rehire key of somebody known", func(k *kit, ids []identity.ID) {
			k.src.Change(ids[0], func(r *memory.Record) { r.Attributes["employeenumber"] = []string{"2"} })
		}},
		"two with one key": {"same rehire key", func(k *kit, _ []identity.ID) {
			k.person("late", "employeeNumber", "77")
			k.person("later", "employeeNumber", "77")
		}},
		"the name of somebody who is there": {"name of somebody", func(k *kit, _ []identity.ID) { k.person("writer1") }},
		"a known one with the name of another": {"name of somebody", func(k *kit, ids []identity.ID) {
			k.src.Change(ids[0], func(r *memory.Record) { r.DN = dn("writer2") })
		}},
		"two with one name": {"two entries have one name", func(k *kit, _ []identity.ID) { k.person("late"); k.person("late") }},
		"more replaced than usual": {"name of another", func(k *kit, ids []identity.ID) {
			k.src.Remove(ids[:6]...)
			for i := range 6 {
				k.person(fmt.Sprintf("writer%d", i+1), "employeeNumber", fmt.Sprint("new", i))
			}
		}},
		"an attribute that others lack too": {"title lost by", func(k *kit, ids []identity.ID) {
			k.src.SetFaults(memory.Lose("title"))
			k.src.Change(ids[10], func(r *memory.Record) { r.Attributes["mail"] = []string{"y"} })
		}},
		"members that others lack too": {"members of groups lost by", func(k *kit, _ []identity.ID) {
			k.src.SetFaults(memory.Lose("member"))
			k.src.Change(k.src.At(cn("group1")), func(r *memory.Record) { r.Attributes["cn"] = []string{"y"} })
		}},
		"a group that is a person now": {"is a person now and was a group", func(k *kit, _ []identity.ID) {
			k.src.Change(k.src.At(cn("group1")), func(r *memory.Record) { r.Kind = directory.Person })
		}},
		"nobody left": {"nobody would be left", func(k *kit, ids []identity.ID) { k.src.Remove(ids...) }},
		"one of two who share a key": {"held in doubt", func(k *kit, ids []identity.ID) {
			k.person("late", "employeeNumber", "3")
			k.read()
			k.src.Remove(ids[2])
		}},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t, "title")
			k.loose = name == "a group that is a person now"
			ids := with(k, 20)
			k.read()
			k.clean()
			c := c
			c.change(k, ids)
			k.undecided(c.why)
			k.clock.forward(time.Second)
			// A listing says what it ever said, and the cursor goes on from it.
			if _, err := k.tryRead(); err == nil {
				must2(k.s.Drain(t.Context()))
				if d := k.follow(); d.Source != "" {
					t.Errorf("after the listing: %+v", d)
				}
			}
		})
	}
}

// What is no more than it looks like is decided by itself.
func TestChangesThatNeedNoListing(t *testing.T) {
	k := newKit(t, "title")
	var ids []identity.ID
	for i := range 20 {
		ids = append(ids, k.person(fmt.Sprintf("writer%d", i+1), "title", "x"))
	}
	for i := range 6 {
		k.group(fmt.Sprintf("group%d", i), dn("writer1"))
	}
	k.read()
	// Others have what these lost: it was taken from them.
	for _, id := range ids[5:15] {
		k.src.Change(id, func(r *memory.Record) { delete(r.Attributes, "title") })
	}
	k.src.Edit(k.src.At(cn("group1")), nil, []string{dn("writer1")})
	k.src.Change(k.src.At(cn("group2")), func(r *memory.Record) { r.Members = nil })
	if d := k.follow(); d.Changed != 12 {
		t.Errorf("%+v", d)
	}
	k.src.Remove(ids[0])
	back := k.person("writer1") // the same name, another person
	k.src.Change(ids[1], func(r *memory.Record) { r.DN = dn("renamed") })
	k.src.Change(ids[2], func(r *memory.Record) { r.DN = dn("writer2") }) // a name that was left
	k.src.Change(ids[3], func(r *memory.Record) { r.DN = "uid=writer4," + alumni })
	if d := k.follow(); d.New != 1 || d.Changed != 2 || d.Missing != 2 {
		t.Errorf("%+v", d)
	}
	for id, want := range map[identity.ID]identity.Standing{ids[0]: identity.Gone, back: identity.Active, ids[1]: identity.Active,
		ids[3]: identity.OutOfScope} {
		if p := must2(k.s.FindPerson(string(id))); len(p) != 1 || p[0].Standing != want {
			t.Errorf("%s: %+v", id, p)
		}
	}
	// They come back, each in their way.
	k.src.Put(memory.Record{Kind: directory.Person, ID: ids[0], DN: dn("restored"), Attributes: map[string][]string{"uid": {"restored"}}})
	k.src.Change(ids[3], func(r *memory.Record) { r.DN = dn("writer4") })
	k.clean()
	k.follow()
	k.wantDirty("restored", "writer1", "writer4") // one of them had the login of another
	k.wantStanding("restored", identity.Active, identity.NoDoubt)
	if d := k.read(); d.Changed+d.New+d.Missing != 0 {
		t.Errorf("a listing differs: %+v", d)
	}
}

// An attribute that somebody lost is believed only once others were asked; who has few
// others to ask, as in a listing, is believed.
func TestLaw02ChangesNeedWitnesses(t *testing.T) {
	for n, want := range map[int]int{4: 0, 5: 4, 12: 5, 80: 5} {
		k := newKit(t, "title", "room")
		for i := range n {
			a := []string{"title", "x"}
			if i%3 == 0 {
				a = append(a, "room", "1")
			}
			k.person(fmt.Sprintf("writer%d", i+1), a...)
		}
		k.read()
		e := must2(k.entryOf(k.one("writer1").Key.ID))
		e.Attributes = identity.NewAttributes(k.src.Coverage(), []identity.Attribute{{Name: "uid", Values: []string{"writer1"}}})
		begin := func() *Changes {
			c := must2(k.s.Changes("corp", k.src.Coverage()))
			ok(t, c.Put([]directory.Entry{e}))
			return c
		}
		rules := SealRules{Now: k.clock.at}
		c, p := begin(), k.proof()
		_, err := c.Seal(p, rules)
		if u := (*UndecidedError)(nil); errors.As(err, &u) != (want > 0) {
			t.Errorf("%d people, and nobody was asked: %v", n, err)
		}
		ok(t, c.Discard())
		must2(k.s.Drain(t.Context()))
		if want == 0 {
			continue
		}
		c = begin()
		// Of the room, which a third had, nobody is asked: mail, name and title.
		witnesses := must2(c.Witnesses())
		if len(witnesses) != want {
			t.Errorf("%d people, %d witnesses", n, len(witnesses))
		}
		for _, w := range witnesses {
			if w.DN.Equal(e.DN) {
				t.Error("a witness for themselves")
			}
		}
		if again := must2(c.Witnesses()); len(again) != 0 {
			t.Errorf("asked again: %v", again)
		}
		for _, w := range witnesses[1:] {
			ok(t, c.Put([]directory.Entry{must2(k.entryOf(w.ID))}))
		}
		if _, err := c.Seal(p, rules); err == nil || !strings.Contains(err.Error(), "nobody looked") {
			t.Errorf("one of the witnesses was not read: %v", err)
		}
		ok(t, c.Discard())
		c = begin()
		for _, w := range must2(c.Witnesses()) {
			ok(t, c.Put([]directory.Entry{must2(k.entryOf(w.ID))}))
		}
		must2(c.Seal(p, rules))
		must2(k.s.Drain(t.Context()))
	}
}

// Who is deleted and made again in one session is there; who is made and deleted is
// not.
func TestChangesTheLaterWordCounts(t *testing.T) {
	k := newKit(t)
	ids := k.persons(10)
	g := k.group("writers", dn("writer1"))
	k.read()
	k.clean()
	e := must2(k.entryOf(ids[0]))
	c := must2(k.s.Changes("corp", k.src.Coverage()))
	gone := []directory.Gone{{ID: ids[0], By: "a tombstone"}}
	ok(t, c.Gone(gone))
	changed := e
	changed.Mail = "other@example.com"
	ok(t, c.Put([]directory.Entry{changed}))
	ok(t, c.Gone(gone))
	ok(t, c.Put([]directory.Entry{e}))
	fresh := e
	fresh.ID, fresh.DN, fresh.RehireKey = "fresh", identity.MustDN(dn("fresh")), ""
	ok(t, c.Put([]directory.Entry{fresh}))
	ok(t, c.Gone([]directory.Gone{{ID: "fresh", By: "a tombstone"}}))
	ok(t, c.Left([]directory.Finding{{Kind: directory.Person, ID: ids[1], Found: true, DN: identity.MustDN("uid=writer2," + alumni)}}))
	ok(t, c.Gone([]directory.Gone{{ID: ids[1], By: "a tombstone"}}))
	ok(t, c.Edit([]directory.Edit{{Group: g, Gained: []directory.Member{{DN: identity.MustDN(dn("writer3"))}}}}))
	ok(t, c.Gone([]directory.Gone{{ID: g, By: "a tombstone"}}))
	k.seal(c)
	d := must2(k.s.Drain(t.Context()))
	if d.Changed != 0 || d.New != 0 || d.Missing != 2 {
		t.Errorf("%+v", d)
	}
	k.wantStanding("writer1", identity.Active, identity.NoDoubt)
	if p := k.wantStanding("writer2", identity.Gone, identity.NoDoubt); p.Why != "deleted: a tombstone" {
		t.Errorf("why: %q", p.Why)
	}
	k.wantDirty("writer1", "writer2")
	if found := must2(k.s.FindPerson("fresh")); len(found) != 0 {
		t.Errorf("%+v", found)
	}
}

// entryOf is an entry as the source shows it.
func (k *kit) entryOf(id identity.ID) (directory.Entry, error) {
	var r recorded
	_, err := k.src.Read(context.Background(), &r)
	for _, e := range r {
		if e.ID == id {
			return e, err
		}
	}
	return directory.Entry{}, errors.Join(err, errors.New("no such entry"))
}

// proof is one that the source makes for nothing: the changes come from elsewhere.
func (k *kit) proof() directory.Followed {
	k.Helper()
	since, known, err := k.s.Cursor("corp", k.src.Coverage())
	if err != nil {
		k.Fatal(err)
	}
	k.src.Put(memory.Record{Kind: directory.Container, ID: "moves the log", DN: alumni})
	p, err := k.src.Follow(context.Background(), since, known, func() (directory.Changes, error) { return nowhere{}, nil })
	if err != nil {
		k.Fatal(err)
	}
	return p
}

func (k *kit) seal(c *Changes) {
	k.Helper()
	k.rules.Now = k.clock.at
	if _, err := c.Seal(k.proof(), k.rules); err != nil {
		k.Fatal(err)
	}
}

type nowhere struct{}

func (nowhere) Put([]directory.Entry) error                        { return nil }
func (nowhere) Edit([]directory.Edit) error                        { return nil }
func (nowhere) Left([]directory.Finding) error                     { return nil }
func (nowhere) Gone([]directory.Gone) error                        { return nil }
func (nowhere) Lookup([]identity.ID) ([]directory.Known, error)    { return nil, nil }
func (nowhere) Holding([]identity.DN) ([]directory.Known, error)   { return nil, nil }
func (nowhere) Referring([]identity.DN) ([]directory.Known, error) { return nil, nil }
func (nowhere) Below(identity.DN) ([]directory.Known, error)       { return nil, nil }
func (nowhere) Named(identity.DN) ([]identity.DN, error)           { return nil, nil }

func TestEdit(t *testing.T) {
	k := newKit(t)
	k.persons(8)
	inner := k.group("inner", dn("writer5"), dn("writer6"))
	writers := k.group("writers", dn("writer1"), dn("writer2"), cn("inner"))
	k.read()
	pin := must2(k.s.Pins("corp", []string{cn("writers")}))[0]
	k.clean()
	in := func(want string) {
		t.Helper()
		var got []string
		ms := must2(k.s.Memberships(nil, []identity.Ordinal{pin.Group}))
		for _, l := range []string{"writer1", "writer2", "writer3", "writer4", "writer5", "writer6", "writer7"} {
			if len(ms[k.one(l).Ordinal]) > 0 {
				got = append(got, l[6:])
			}
		}
		if s := strings.Join(got, ""); s != want {
			t.Errorf("in the group are %s, want %s", s, want)
		}
	}
	in("1256")
	// Who was a member stays one, who was none stays none: nobody is marked for it.
	k.src.Edit(writers, []string{dn("writer1"), dn("writer3")}, []string{dn("writer2"), dn("writer4")})
	k.follow()
	in("1356")
	k.wantDirty("writer2", "writer3")
	k.clean()
	if p := must2(k.s.Pins("corp", []string{cn("writers")}))[0]; p.Members != 3 {
		t.Errorf("%d members", p.Members)
	}
	// A group below that goes takes those who are in it along; a chain of edits counts
	// as its end.
	k.src.Edit(writers, nil, []string{cn("inner")})
	k.src.Edit(inner, []string{dn("writer7")}, nil)
	k.src.Edit(inner, nil, []string{dn("writer5")})
	k.follow()
	in("13")
	k.wantDirty("writer5", "writer6", "writer7")
	k.clean()
	// Nothing of it is news: nothing is marked, nothing written but the cursor.
	k.src.Edit(writers, []string{dn("writer1")}, []string{dn("writer2")})
	if d := k.follow(); d.Changed != 0 || d.Marked != 0 {
		t.Errorf("%+v", d)
	}
	// A listing agrees, once and for all.
	for range 2 {
		if d := k.read(); d.Changed+d.New+d.Missing+d.Marked != 0 {
			t.Errorf("a listing differs: %+v", d)
		}
	}
	var v idValue
	ok(t, k.s.view(func(tx *txn) (err error) {
		v, err = decodeIDValue(tx.Bucket(bIDs).Get(idKey(1, directory.Group, writers)))
		return err
	}))
	if v.digest == edited {
		t.Error("every listing would compare the group anew")
	}
	// Whole, and then edited, in one session; a new one as well.
	c := must2(k.s.Changes("corp", k.src.Coverage()))
	e := must2(k.entryOf(writers))
	e.Members = []directory.Member{{DN: identity.MustDN(dn("writer4"))}}
	fresh := e
	fresh.ID, fresh.DN, fresh.Name = "fresh", identity.MustDN(cn("fresh")), "fresh"
	ok(t, c.Put([]directory.Entry{e, fresh}))
	for _, id := range []identity.ID{writers, "fresh"} {
		ok(t, c.Edit([]directory.Edit{{Group: id, Gained: []directory.Member{{DN: identity.MustDN(dn("writer2"))}}, Lost: e.Members}}))
	}
	k.seal(c)
	must2(k.s.Drain(t.Context()))
	in("2")
	if p := must2(k.s.Pins("corp", []string{cn("fresh")}))[0]; p.Status != ledger.PinOK || p.Members != 1 {
		t.Errorf("%+v", p)
	}
	k.wantDirty("writer1", "writer2", "writer3", "writer4")
}

func TestEditOfAGroupThatIsNotThere(t *testing.T) {
	k := newKit(t)
	k.persons(8)
	away, gone := k.group("away", dn("writer1")), k.group("gone", dn("writer1"))
	k.read()
	k.src.Change(away, func(r *memory.Record) { r.DN = "cn=away," + alumni })
	k.src.Remove(gone)
	k.follow()
	k.clean()
	gained := []directory.Member{{DN: identity.MustDN(dn("writer2"))}}
	for id, undecided := range map[identity.ID]bool{"nobody knows": true, gone: true, away: false, k.src.At(dn("writer3")): true} {
		c := must2(k.s.Changes("corp", k.src.Coverage()))
		err := c.Edit([]directory.Edit{{Group: id, Gained: gained}})
		var u *UndecidedError
		if errors.As(err, &u) != undecided || err != nil && !undecided {
			t.Errorf("%s: %v", id, err)
		}
		if _, again := c.Seal(k.proof(), SealRules{Now: k.clock.at}); (again != nil) != undecided {
			t.Errorf("%s is forgotten: %v", id, again)
		}
		ok(t, c.Discard())
		must2(k.s.Drain(t.Context()))
	}
	k.wantDirty()
}

// A group of the policy that was deleted is missing: its roles are in doubt.
func TestGoneOfAPinnedGroup(t *testing.T) {
	k := newKit(t)
	k.persons(8)
	g := k.group("writers", dn("writer1"), dn("writer2"))
	k.read()
	pin := must2(k.s.Pins("corp", []string{cn("writers")}))[0]
	k.clean()
	k.src.Remove(g)
	k.follow()
	if p := must2(k.s.Pins("corp", []string{cn("writers")}))[0]; p.Status != ledger.PinMissing || p.Group != pin.Group {
		t.Errorf("%+v", p)
	}
	k.wantDirty("writer1", "writer2")
	k.clean()
	k.group("writers", dn("writer2"))
	k.follow()
	if p := must2(k.s.Pins("corp", []string{cn("writers")}))[0]; p.Status != ledger.PinReplaced {
		t.Errorf("the same name with another ID: %+v", p)
	}
}

// One member more or less costs a chunk of the group, however large that is, and is
// looked at for one person.
func TestEditCostsWhatChanged(t *testing.T) {
	work := func(size int) Work {
		k := newKit(t)
		k.persons(20)
		members := make([]string, size)
		for i := range members {
			members[i] = dn(fmt.Sprintf("nobody%d", i))
		}
		g := k.group("all", append(members, dn("writer1"), dn("writer2"))...)
		k.read()
		k.clean()
		before := k.s.Work()
		k.src.Edit(g, []string{dn("writer3")}, []string{dn("writer1")})
		k.follow()
		k.wantDirty("writer1", "writer3")
		return k.s.Work().Less(before)
	}
	small, large := work(2000), work(20000)
	if large.Commits != small.Commits || large.Read > small.Read+5 || large.Written > small.Written+3 ||
		large.WrittenBytes > 2*small.WrittenBytes || large.ReadBytes > 2*small.ReadBytes {
		t.Errorf("2,000 members: %+v, 20,000: %+v", small, large)
	}
}
