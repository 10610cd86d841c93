package state

import (
	"testing"
	"time"

	"github.com/rosterd/rosterd/identity"
)

// TestMembersThatAreNobodyAreCounted follows the count through all that moves it;
// the check of the file at its close counts anew.
func TestMembersThatAreNobodyAreCounted(t *testing.T) {
	k := newKit(t)
	k.persons(12) // so many that a few absences are no silence
	g := k.group("writers", dn("late"), dn("later"), dn("writer1"), cn("nothing"))
	k.group("others", dn("late"))
	k.group("big", dn("writer1"), dn("writer2"), dn("writer3"))
	k.group("more", dn("writer1"))
	want := func(n int, after string) {
		t.Helper()
		if f := must2(k.s.SourceFacts("corp")); f.Dangling != n {
			t.Errorf("%s: %d members are nobody, want %d", after, f.Dangling, n)
		}
		fits(t, k.s)
	}
	k.read()
	want(4, "first load")
	late := k.person("late")
	k.read()
	want(2, "somebody came")
	k.group("nothing")
	k.read()
	want(1, "a group came")
	k.src.Remove(late)
	k.read()
	want(1, "somebody was not seen: they are known all the same")
	k.members(g, dn("later"), dn("latest"))
	k.read()
	want(2, "members changed")

	// A group that is gone gives no membership, so nobody misses its members.
	was, _ := k.src.Get(g)
	k.src.Remove(g)
	k.read()
	want(2, "a group was not seen")
	k.clock.forward(time.Hour)
	k.read()
	if f := must2(k.s.Pins("corp", []string{cn("writers")})); f[0].Group.Valid() {
		t.Fatalf("%+v", f)
	}
	want(0, "the group is presumed gone")
	k.src.Put(was)
	k.read()
	want(2, "the group is back")

	// Who is forgotten leaves nothing behind.
	k.clock.forward(time.Hour)
	k.read()
	p := k.wantStanding("late", identity.PresumedGone, identity.NoDoubt)
	must2(k.s.Forget(t.Context(), []identity.Ordinal{p.Ordinal}, "admin", ""))
	want(2, "somebody was forgotten")
}
