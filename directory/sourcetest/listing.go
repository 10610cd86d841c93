package sourcetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

func listsEverybodyOnce(t *testing.T, w World) {
	one := addPerson(t, w, "writer1", People)
	two := addPerson(t, w, "writer2", People)
	addPerson(t, w, "stranger", Elsewhere)
	group := addGroup(t, w, "writers", one, two)
	source := open(t, w, Options{})
	if source.Name() != "corp" {
		t.Errorf("name: %q", source.Name())
	}
	stage, p := Read(t, source)

	ids := map[identity.ID]bool{}
	kinds := map[directory.Kind]int{}
	for _, e := range stage.Entries() {
		if e.ID == "" || ids[e.ID] {
			t.Errorf("the ID %q of %s is empty or came twice", e.ID, e.DN)
		}
		ids[e.ID] = true
		kinds[e.Kind]++
	}
	if kinds[directory.Person] != 2 || kinds[directory.Group] != 1 || len(ids) != 3 {
		t.Errorf("listed: %v", kinds)
	}
	if p.People() != 2 || p.Groups() != 1 {
		t.Errorf("the proof speaks of %d people and %d groups", p.People(), p.Groups())
	}
	if p.Source() != "corp" || p.Server() == "" || p.Bind() == "" || p.At().IsZero() {
		t.Errorf("the proof lacks something: source %q, server %q, bind %q, at %v", p.Source(), p.Server(), p.Bind(), p.At())
	}
	if !p.Coverage().Equal(source.Coverage()) {
		t.Errorf("the proof covers %v, the source %v", p.Coverage().Names(), source.Coverage().Names())
	}
	e := stage.Get(t, one)
	if e.Login != "writer1" || e.Mail != "writer1@lab.example" || e.Name != "Name of writer1" || e.RehireKey != "n-writer1" {
		t.Errorf("a person came as %+v", e)
	}
	if !e.Validity.IsZero() || len(e.Members) != 0 {
		t.Errorf("a person came disabled or with members: %+v", e)
	}
	if g := stage.Get(t, group); g.Name != "writers" || g.Kind != directory.Group {
		t.Errorf("a group came as %+v", g)
	}
}

func emptyIsComplete(t *testing.T, w World) {
	stage, p := Read(t, open(t, w, Options{}))
	if n := len(stage.Entries()); n != 0 || p.People() != 0 || p.Groups() != 0 {
		t.Errorf("%d entries of an empty directory; the proof: %d people, %d groups", n, p.People(), p.Groups())
	}
}

func theSameTwice(t *testing.T, w World) {
	one := addPerson(t, w, "writer1", People)
	addGroup(t, w, "writers", one)
	source := open(t, w, Options{Attributes: []string{"sn"}})
	first, p1 := Read(t, source)
	second, p2 := Read(t, source)
	if a, b := fmt.Sprintf("%+v", first.Entries()), fmt.Sprintf("%+v", second.Entries()); a != b {
		t.Errorf("first\n%s\nthen\n%s", a, b)
	}
	if p1.Server() != p2.Server() || p1.Bind() != p2.Bind() || p1.Scope() != p2.Scope() || !p1.Coverage().Equal(p2.Coverage()) {
		t.Error("two reads of the same source have different proofs")
	}
}

func notReadIsNotAbsent(t *testing.T, w World) {
	dn := addPerson(t, w, "writer1", People)
	must(t, w.Set(dn, "description", "is there, and nobody asked"))
	source := open(t, w, Options{Attributes: []string{"Title", "SN"}})
	for name, want := range map[string]bool{"title": true, "sn": true, "uid": true, "mail": true, "cn": true, "employeenumber": true, "description": false} {
		if got := source.Coverage().Has(name); got != want {
			t.Errorf("the source covers %s: %v", name, got)
		}
	}
	stage, _ := Read(t, source)
	e := stage.Get(t, dn)
	for name, want := range map[string]identity.Presence{"sn": identity.Present, "title": identity.Absent, "description": identity.NotRead} {
		if _, got := e.Attributes.Get(name); got != want {
			t.Errorf("%s: presence %d, want %d", name, got, want)
		}
	}
	if !e.Attributes.Coverage().Equal(source.Coverage()) {
		t.Error("the entry has another coverage than the source")
	}
}

func valuesAsTheyAre(t *testing.T, w World) {
	dn := addPerson(t, w, "writer1", People)
	values := []string{"Redactrice en chef", "Größe ß ﬁ", `a "quoted", \ odd; value`, "line\nbreak", "#tag"}
	must(t, w.Set(dn, "description", values...))
	stage, _ := Read(t, open(t, w, Options{Attributes: []string{"description"}}))
	got, _ := stage.Get(t, dn).Attributes.Get("description")
	got = slices.Sorted(slices.Values(got))
	slices.Sort(values)
	if !slices.Equal(got, values) {
		t.Errorf("wrote %q, read %q", values, got)
	}
}

func namesOfEveryKind(t *testing.T, w World) {
	var dns []string
	for _, login := range []string{"accentué", "comma, blank", `"quoted"`, " leading", "trailing ", "#hash", "plus+equals=", `back\slash`, "a;b<c>d"} {
		dns = append(dns, addPerson(t, w, login, People))
	}
	group := addGroup(t, w, "all, of them", dns...)
	stage, _ := Read(t, open(t, w, Options{}))
	members := map[string]bool{}
	for _, m := range stage.Get(t, group).Members {
		members[m.DN.Key()] = true
	}
	for _, dn := range dns {
		if e := stage.Get(t, dn); !members[e.DN.Key()] {
			t.Errorf("the member %s is not the person", dn)
		}
	}
}

func moveKeepsTheID(t *testing.T, w World) {
	one := addPerson(t, w, "writer1", People)
	group := addGroup(t, w, "writers", one)
	source := open(t, w, Options{})
	before, _ := Read(t, source)
	renamed, regrouped := "uid=editor1,"+People, "cn=editors,"+Groups
	must(t, w.Move(one, renamed))
	must(t, w.Move(group, regrouped))
	after, _ := Read(t, source)
	if a, b := before.Get(t, one).ID, after.Get(t, renamed).ID; a != b {
		t.Errorf("a renamed person had the ID %s and has %s", a, b)
	}
	if a, b := before.Get(t, group).ID, after.Get(t, regrouped).ID; a != b {
		t.Errorf("a renamed group had the ID %s and has %s", a, b)
	}
	if len(after.Entries()) != 2 {
		t.Errorf("%d entries after a rename", len(after.Entries()))
	}
}

func newEntryNewID(t *testing.T, w World) {
	one := addPerson(t, w, "writer1", People)
	source := open(t, w, Options{})
	before, _ := Read(t, source)
	must(t, w.Delete(one))
	addPerson(t, w, "writer1", People)
	after, _ := Read(t, source)
	if before.Get(t, one).ID == after.Get(t, one).ID {
		t.Error("a new entry at an old DN has the old ID")
	}
}

func groupsAsWritten(t *testing.T, w World) {
	one := addPerson(t, w, "writer1", People)
	dangling := "uid=left-long-ago," + People
	inner := addGroup(t, w, "inner", one, dangling)
	outer := addGroup(t, w, "outer", inner)
	// A cycle is the directory's business, and is read as it is.
	must(t, w.Set(inner, "member", one, dangling, outer))
	posix := "cn=posix," + Groups
	must(t, w.Add(posix, map[string][]string{"objectClass": {"posixGroup"}, "cn": {"posix"}, "gidNumber": {"500"}, "memberUid": {"writer1", "Nobody Known"}}))
	stage, p := Read(t, open(t, w, Options{}))
	if p.Groups() != 3 {
		t.Errorf("%d groups", p.Groups())
	}
	for group, want := range map[string][]string{inner: {one, dangling, outer}, outer: {inner}, posix: {"writer1", "Nobody Known"}} {
		var got, keys []string
		for _, m := range stage.Get(t, group).Members {
			if m.DN.IsZero() == (m.Login == "") {
				t.Errorf("%s: a member must be named by DN or by login: %+v", group, m)
			}
			got = append(got, m.DN.Key()+m.Login)
		}
		for _, m := range want {
			if group != posix {
				m = identity.MustDN(m).Key()
			}
			keys = append(keys, m)
		}
		slices.Sort(got)
		slices.Sort(keys)
		if !slices.Equal(got, keys) {
			t.Errorf("%s has %q, want %q", group, got, keys)
		}
	}
}

func chunks(t *testing.T, w World) {
	const people = 2100
	for i := range people {
		addPerson(t, w, fmt.Sprintf("writer%04d", i), People)
	}
	stage, p := Read(t, open(t, w, Options{}))
	seen := map[string]bool{}
	for _, c := range stage.Chunks {
		if len(c) == 0 || len(c) > 1000 {
			t.Errorf("a chunk of %d", len(c))
		}
		for _, e := range c {
			seen[e.Login] = true
			if e.Mail != e.Login+"@lab.example" || e.DN.RDN()[0].Value != e.Login || e.RehireKey != "n-"+e.Login {
				t.Fatalf("an entry changed after it was handed over: %+v", e)
			}
		}
	}
	if len(seen) != people || p.People() != people {
		t.Errorf("%d people seen, the proof says %d", len(seen), p.People())
	}
}
