package followtest

import (
	"fmt"
	"testing"

	"github.com/rosterd/rosterd/identity"
	rostersync "github.com/rosterd/rosterd/sync"
)

// step is one thing that happens to the directory.
type step struct {
	name string
	do   func(s *story)
	// everything: a listing of everything may be needed to judge it. Deletes: likewise,
	// if nothing proves who was deleted. Restarts: if that loses the place.
	everything, deletes, restarts bool
	// then looks at more than that the snapshot is as the directory.
	then func(s *story)
}

// Run tells the whole story to one rosterd, and compares after each step.
func Run(t *testing.T, start Start, traits Traits) { run(t, start, traits, steps) }

// RunBig is of a crowd: a group of all of them, and two fifths of them changed at
// once. 5,000 are expected of a real server.
func RunBig(t *testing.T, start Start, traits Traits) { run(t, start, traits, bigSteps) }

func run(t *testing.T, start Start, traits Traits, steps func(*story) []step) {
	s := begin(t, start(t), traits)
	s.join("keeper") // of somebody, so that it is not empty
	s.cycle(asked("sync"))
	facts, err := s.engine.Store.SourceFacts("corp")
	s.must(err)
	if facts.Engine != traits.Engine || facts.Deletes != traits.Deletes {
		t.Fatalf("the engine is %q and tells deletions: %t; want %q, %t", facts.Engine, facts.Deletes, traits.Engine, traits.Deletes)
	}
	if s.same(); t.Failed() {
		return
	}
	for _, step := range steps(s) {
		ok := t.Run(step.name, func(t *testing.T) {
			outer := s.t
			s.t = t
			defer func() { s.t = outer }()
			s.tell(step)
		})
		if !ok {
			// What follows would only say it again.
			s.forget()
		}
	}
}

func (s *story) tell(step step) {
	s.t.Helper()
	step.do(s)
	s.settle()
	allowed := s.traits.Engine == "" || step.everything || step.deletes && !s.traits.Proves || step.restarts && s.traits.Restarts
	if s.everything() && !allowed {
		s.t.Errorf("everything was read: %s", s.went())
	}
	s.same()
	if step.then != nil {
		step.then(s)
	}
	// Once known it is known: the next cycle may look again, and finds it so.
	s.ways = nil
	for _, r := range s.cycle(scheduled()).Reads {
		if d := r.Drained; d.New+d.Changed+d.Missing+d.Marked > 0 {
			s.t.Errorf("nothing changed any more, and something did: %+v", d)
		}
	}
}

// forget lets rosterd read everything anew.
func (s *story) forget() {
	s.cycle(rostersync.Request{Verb: "sync", Full: true})
	s.cycle(rostersync.Request{Verb: "sync", Full: true})
}

// is says that somebody has left, and how that is known.
func is(login string, proved, otherwise identity.Standing) func(*story) {
	return func(s *story) {
		s.t.Helper()
		want := otherwise
		if s.traits.Proves {
			want = proved
		}
		if got := s.standing(login); got != want {
			s.t.Errorf("%s is %s, want %s", login, got, want)
		}
	}
}

// names makes those that the story speaks of.
func (s *story) person(login string) string {
	return s.world.PersonRDN(login) + "," + s.world.Base()
}

func (s *story) group(name string) string {
	return s.world.GroupRDN(name) + "," + s.world.Groups()
}

func (s *story) join(login string) string {
	s.t.Helper()
	dn := s.person(login)
	s.must(s.world.AddPerson(dn, login))
	return dn
}

func (s *story) addGroup(name string, members ...string) string {
	s.t.Helper()
	dn := s.group(name)
	s.must(s.world.AddGroup(dn, name, members...))
	return dn
}

func logins(prefix string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%s%d", prefix, i)
	}
	return out
}
