package state

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

// What a source may ask is the snapshot as it was, and only of this source.
func TestWhatChangesMayAsk(t *testing.T) {
	k := newKit(t)
	ids := k.persons(4)
	deep := "ou=deep," + people
	k.src.Put(memory.Record{Kind: directory.Container, ID: "c1", DN: people})
	k.src.Put(memory.Record{Kind: directory.Container, ID: "c2", DN: deep})
	k.src.Change(ids[1], func(r *memory.Record) { r.DN = "uid=writer2," + deep })
	// Somebody whom others lie below is a container as well.
	k.src.Put(memory.Record{Kind: directory.Person, ID: "both", DN: "ou=both," + deep, Attributes: map[string][]string{"uid": {"both"}}})
	k.group("outer", cn("inner"), dn("writer1"))
	inner := k.group("inner", dn("writer1"), "uid=writer2,"+deep)
	gone := k.group("gone", dn("writer1"))
	k.read()
	k.src.Remove(ids[3], gone)
	k.follow()
	c := must2(k.s.Changes("corp", k.src.Coverage()))
	ok(t, c.Put([]directory.Entry{{Kind: directory.Container, ID: "both", DN: identity.MustDN("ou=both," + deep)}}))
	k.seal(c)
	must2(k.s.Drain(t.Context()))

	who := func(login string) identity.Ordinal { return k.one(login).Ordinal }
	refer := func(login string, to ...string) ledger.Mark {
		m := ledger.Mark{Person: who(login)}
		for _, l := range to {
			m.Refers = append(m.Refers, identity.MustDN(dn(l)))
		}
		return m
	}
	ok(t, k.s.Refer([]ledger.Mark{refer("writer1", "writer3", "nobody"), refer("writer3", "writer1", "writer3"), refer("writer4", "writer1")}))

	c = must2(k.s.Changes("corp", k.src.Coverage()))
	text := func(list []directory.Known, err error) string {
		ok(t, err)
		var out []string
		for _, x := range list {
			out = append(out, fmt.Sprintf("%s %s", x.Kind, x.DN.RDN()[0].Value)+map[bool]string{true: " left"}[x.Left])
		}
		slices.Sort(out)
		return strings.Join(out, ", ")
	}
	// What is told is not asked for.
	ok(t, c.Gone([]directory.Gone{{ID: ids[0], By: "a tombstone"}}))
	for name, row := range map[string]struct{ got, want string }{
		"IDs":        {text(c.Lookup([]identity.ID{ids[0], "nobody", inner, "c2", "both", ids[3]})), "container both, container deep, group inner, person both, person writer1, person writer4 left"},
		"no IDs":     {text(c.Lookup(nil)), ""},
		"deep":       {text(c.Below(identity.MustDN(deep))), "container both, person both, person writer2"},
		"all":        {text(c.Below(identity.MustDN(people))), "container both, container deep, person both, person writer1, person writer2, person writer3"},
		"in another": {text(c.Below(identity.MustDN("OU=Deep, " + people))), "container both, person both, person writer2"},
		"somebody":   {text(c.Below(identity.MustDN(dn("writer1")))), ""},
		"holding":    {text(c.Holding([]identity.DN{identity.MustDN(dn("writer1")), identity.MustDN(cn("inner"))})), "group inner, group outer"},
		"of a group": {text(c.Holding([]identity.DN{identity.MustDN(cn("inner"))})), "group outer"},
		"referring":  {text(c.Referring([]identity.DN{identity.MustDN(dn("writer1")), identity.MustDN(dn("writer3"))})), "person writer1, person writer3"},
		"to nobody":  {text(c.Referring([]identity.DN{identity.MustDN("UID=Nobody, " + people)})), "person writer1"},
		"to none":    {text(c.Referring([]identity.DN{identity.MustDN(cn("inner"))})), ""},
		"of nobody":  {text(c.Holding([]identity.DN{identity.MustDN(dn("nobody"))})), ""},
	} {
		if row.got != row.want {
			t.Errorf("%s: %s, want %s", name, row.got, row.want)
		}
	}
	ok(t, c.Discard())
}

// A container that is renamed with hundreds below it looks at every name once.
func TestBelowLooksOnce(t *testing.T) {
	k := newKit(t)
	k.persons(200)
	k.read()
	c := must2(k.s.Changes("corp", k.src.Coverage()))
	must2(c.Below(identity.MustDN(people)))
	before := k.s.Work()
	for i := range 100 {
		if got := must2(c.Below(identity.MustDN(fmt.Sprintf("ou=o%d,%s", i, people)))); len(got) != 0 {
			t.Fatal(got)
		}
	}
	if w := k.s.Work().Less(before); w.Read != 0 {
		t.Errorf("%+v", w)
	}
	ok(t, c.Discard())
}
