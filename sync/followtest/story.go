package followtest

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/mapping"
	"github.com/rosterd/rosterd/state"
	rostersync "github.com/rosterd/rosterd/sync"
)

// vanishAfter is how long a second look waits: the least that there may be.
const vanishAfter = time.Second

// story is a world with one rosterd that follows it.
type story struct {
	t      *testing.T
	world  World
	traits Traits
	folder string
	engine *rostersync.Engine
	// ways are those of the last step, in order.
	ways []rostersync.Read
	// rekey is how many IDs may be replaced at once; 5 where nothing is said.
	rekey int
}

func begin(t *testing.T, w World, traits Traits) *story {
	t.Helper()
	s := &story{t: t, world: w, traits: traits, folder: t.TempDir()}
	s.start()
	t.Cleanup(s.kill)
	return s
}

// start starts rosterd on its state, with a new source.
func (s *story) start() {
	s.t.Helper()
	source, err := s.world.Open()
	s.must(err)
	store, err := state.Open(filepath.Join(s.folder, "state.db"), state.Options{Now: s.traits.Now})
	s.must(err)
	s.engine = s.cycles(store, rostersync.Source{Source: source, VanishAfter: vanishAfter, MinPeople: 0.5, MaxRekey: cmp.Or(s.rekey, 5)})
}

// kill ends rosterd between two commits.
func (s *story) kill() {
	if s.engine != nil {
		if err := s.engine.Store.Close(); err != nil {
			s.t.Errorf("close the state: %v", err)
		}
		s.engine = nil
	}
}

// cycles makes what runs cycles that only read.
func (s *story) cycles(store *state.Store, source rostersync.Source) *rostersync.Engine {
	s.t.Helper()
	policy := mapping.Compile(mapping.Config{Roles: map[string]mapping.Role{"everybody": {When: "true"}},
		Sources: map[string]mapping.SourcePerson{"corp": {Login: "uid", Mail: "mail", Name: "cn"}}},
		func(path ...string) string { return strings.Join(path, ".") }, func(p problem.Problem) {
			if !p.Warning {
				s.t.Errorf("compile: %v: %s", p.Path, p.Message)
			}
		})
	return &rostersync.Engine{Store: store, Now: s.traits.Now, Policy: policy, Sources: []rostersync.Source{source}}
}

func (s *story) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *story) cycle(ask rostersync.Request) *rostersync.Report {
	s.t.Helper()
	r, err := s.engine.Cycle(context.Background(), ask)
	s.must(err)
	for _, read := range r.Reads {
		if read.Err != nil {
			s.t.Fatalf("%s: %v", read.Way, read.Err)
		}
	}
	s.ways = append(s.ways, r.Reads...)
	return r
}

// settle runs the cycles after which everything is known: one that follows, two
// listings of IDs where the engine does not tell who was deleted, and second looks.
func (s *story) settle() {
	s.t.Helper()
	if !s.settled() {
		s.t.Error("after three more looks somebody is still to be looked at again")
	}
}

func (s *story) settled() bool {
	s.t.Helper()
	s.ways = nil
	s.cycle(rostersync.Request{Verb: "changes", Scheduled: true})
	if !s.traits.Deletes {
		s.cycle(rostersync.Request{Verb: "sweep", Scheduled: true, Sweep: true})
	}
	for range 3 {
		facts, err := s.engine.Store.SourceFacts("corp")
		s.must(err)
		if facts.SecondLookAt.IsZero() {
			return true
		}
		time.Sleep(facts.SecondLookAt.Sub(s.traits.Now()) + time.Millisecond)
		s.cycle(rostersync.Request{Verb: "changes", Scheduled: true})
	}
	return false
}

// went says how the last step was read, for people and for comparing.
func (s *story) went() string {
	var out []string
	for _, r := range s.ways {
		text := string(r.Way)
		if r.Way == rostersync.Changes && r.Engine != s.traits.Engine {
			text += " by " + r.Engine
		}
		if r.Way == rostersync.Everything && r.Why != "" {
			text += " (" + r.Why + ")"
			if r.Cause != nil {
				text += ": " + r.Cause.Error()
			}
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

// everything says whether the last step read everything.
func (s *story) everything() bool {
	return slices.ContainsFunc(s.ways, func(r rostersync.Read) bool { return r.Way == rostersync.Everything })
}

// standings are those of people who are not there, by login.
func (s *story) standing(login string) identity.Standing {
	s.t.Helper()
	found, err := s.engine.Store.FindPerson(login)
	s.must(err)
	if len(found) == 0 {
		s.t.Fatalf("nobody was ever known as %s", login)
	}
	return found[len(found)-1].Standing
}
