package followtest

import (
	"strings"
	"testing"

	"github.com/rosterd/rosterd/identity"
	rostersync "github.com/rosterd/rosterd/sync"
)

// RunUnlinked is of people and a group that are named by groups and are out of scope,
// where the server takes whom it deletes out of groups without a change of those. Some
// are deleted there: where nothing proves that, the next sweep knows it, and reads
// everything once. Who is only hidden then is named by the groups yet, and nothing is
// read for that.
func RunUnlinked(t *testing.T, start Start, traits Traits) {
	s := begin(t, start(t), traits)
	w := s.world
	away := func(rdn string) string { return rdn + "," + w.Elsewhere() }
	for _, login := range logins("writer", 8) {
		s.join(login)
	}
	nested := s.addGroup("nested", s.person("writer5"))
	s.addGroup("writers", s.person("writer0"), s.person("writer1"), s.person("writer2"), s.person("writer3"), nested)
	s.addGroup("editors", s.person("writer1"), s.person("writer2"), s.person("writer4"))
	s.cycle(asked("sync"))
	for _, login := range []string{"writer1", "writer2", "writer6", "writer7"} {
		s.must(w.Move(s.person(login), away(w.PersonRDN(login))))
	}
	s.must(w.Move(nested, away(w.GroupRDN("nested"))))
	s.settle()
	if s.same(); t.Failed() {
		return
	}
	sweep := func(name string, everything bool) {
		t.Helper()
		s.ways = nil
		s.cycle(scheduled())
		s.cycle(rostersync.Request{Verb: "sweep", Scheduled: true, Sweep: true})
		if s.everything() != (everything && !traits.Proves) {
			t.Errorf("%s: it was read by %s", name, s.went())
		}
		s.same()
	}
	sweep("all are there", false)

	// Nobody names this one: there is nothing to learn.
	s.must(w.Delete(away(w.PersonRDN("writer6"))))
	sweep("nobody of theirs", false)

	s.must(w.Delete(away(w.PersonRDN("writer1"))))
	sweep("a person was deleted", true)
	sweep("and nothing since", false)
	s.must(w.Delete(away(w.GroupRDN("nested"))))
	sweep("a group was deleted", true)
	sweep("and nothing since then", false)
	for login, deleted := range map[string]bool{"writer1": true, "writer2": false, "writer6": true} {
		want := identity.OutOfScope
		if deleted && traits.Proves {
			want = identity.Gone
		}
		if got := s.standing(login); got != want {
			t.Errorf("%s is %s, want %s", login, got, want)
		}
	}

	// Two of one group, of whom one is deleted, and the other hidden.
	s.must(w.Members(s.group("editors"), []string{away(w.PersonRDN("writer7"))}, nil))
	sweep("another member", false)
	s.must(w.(Hider).Hide(w.Elsewhere()))
	s.anew() // rights are those of a bind
	for range 3 {
		sweep("hidden", false)
	}
	if known := s.groups()["writer4"]; !strings.Contains(s.membersOf("editors"), "writer2") || known == "" {
		t.Errorf("the editors are %s, and writer4 is in %s", s.membersOf("editors"), known)
	}
	s.must(w.Delete(away(w.PersonRDN("writer2"))))
	sweep("deleted out of sight", true)
	sweep("and nothing more", false)
	s.must(w.(Hider).Show(w.Elsewhere()))
	s.anew()
	sweep("shown", false)
}

// membersOf is the text of a group as it is known.
func (s *story) membersOf(name string) string {
	s.t.Helper()
	for _, text := range s.entries(s.engine.Store) {
		if _, members, is := strings.Cut(text, " members="); is && strings.HasPrefix(strings.ToLower(text), strings.ToLower(s.group(name))+" ") {
			return members
		}
	}
	return ""
}
