package followtest

import (
	"fmt"
	"strings"
	"time"

	"github.com/rosterd/rosterd/identity"
)

// end runs the cycles after which nothing is in doubt. Who vanished with everybody in
// their container, or with many others, waits for a decision: it is made, since those
// that the walk deleted are really gone.
func (w *walk) end() {
	w.t.Helper()
	if w.settled(); w.looked() && w.decided() {
		return
	}
	w.t.Errorf("somebody is in doubt at the end: %s\n%s", w.went(), w.doubts())
}

// looked waits until no second look is to come. Each may end with another one, for
// those whom the listings in between did not show.
func (w *walk) looked() bool {
	w.t.Helper()
	for range 5 {
		facts, err := w.engine.Store.SourceFacts("corp")
		w.must(err)
		if facts.SecondLookAt.IsZero() {
			return true
		}
		// Long enough for everybody who was not shown up to now.
		time.Sleep(vanishAfter + time.Millisecond)
		w.cycle(scheduled())
	}
	return false
}

// decided accepts what only somebody can decide.
func (w *walk) decided() bool {
	w.t.Helper()
	for range 3 {
		facts, err := w.engine.Store.SourceFacts("corp")
		w.must(err)
		if len(facts.Blackouts) == 0 && !facts.MinPeople && facts.Rekeyed == 0 {
			return true
		}
		w.t.Logf("in doubt until it is accepted: %s", w.doubts())
		w.must(w.engine.Store.AcceptBlackout("corp", "walk"))
		w.must(w.engine.Store.AcceptDark("corp", "walk"))
		w.must(w.engine.Store.AcceptDrop("corp", "walk"))
		w.cycle(scheduled())
		if !w.looked() {
			return false
		}
	}
	return false
}

// doubts says who is in doubt, and how the source was left.
func (s *story) doubts() string {
	s.t.Helper()
	facts, err := s.engine.Store.SourceFacts("corp")
	s.must(err)
	out := []string{fmt.Sprintf("a second look at %v, owed %q, blackouts %q, too few people %t, %d rekeyed",
		facts.SecondLookAt, facts.Owed, facts.Blackouts, facts.MinPeople, facts.Rekeyed)}
	s.must(s.engine.Store.EachPerson("corp", func(p identity.Person) error {
		if p.Standing == identity.Unknown {
			out = append(out, fmt.Sprintf("%s is unknown (%s): %s", p.DN, p.Doubt, p.Why))
		}
		return nil
	}))
	return strings.Join(out, "\n")
}
