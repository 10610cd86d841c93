package followtest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/identity"
	rostersync "github.com/rosterd/rosterd/sync"
)

// Hider is a world that can take the right to see a container, and all below it,
// from who reads, and give it back.
type Hider interface {
	Hide(container string) error
	Show(container string) error
}

// RunHidden hides one container of ten, and changes people in it and elsewhere: by no
// way of reading is anybody in it thought to have left, and once it is shown again all
// is well by itself.
func RunHidden(t *testing.T, start Start, traits Traits) {
	s := begin(t, start(t), traits)
	w := s.world
	hider := w.(Hider)
	var everybody, logins []string
	for unit := range 10 {
		in := fmt.Sprintf("%s,%s", w.ContainerRDN(fmt.Sprintf("unit%d", unit)), w.Base())
		s.must(w.AddContainer(in, fmt.Sprintf("unit%d", unit)))
		for i := range 6 {
			login := fmt.Sprintf("writer%d%d", unit, i)
			logins, everybody = append(logins, login), append(everybody, w.PersonRDN(login)+","+in)
			s.must(w.AddPerson(everybody[len(everybody)-1], login))
		}
	}
	s.addGroup("writers", everybody...)
	s.cycle(asked("sync"))
	if s.same(); t.Failed() {
		return
	}
	before := s.groups()
	hidden := w.ContainerRDN("unit3") + "," + w.Base()
	s.must(hider.Hide(hidden))
	s.anew() // rights are those of a bind
	shown := false
	look := func(name string, ask rostersync.Request) {
		t.Helper()
		r, err := s.engine.Cycle(context.Background(), ask)
		s.must(err)
		for _, read := range r.Reads {
			t.Logf("%s: %s %s: %v", name, read.Way, read.Why, read.Err)
		}
		now := s.groups()
		for i, login := range logins {
			// Of whom nothing is known nothing is changed.
			got, covered := s.standing(login), i/6 == 3
			if got != identity.Active && (got != identity.Unknown || !covered || shown) {
				t.Errorf("%s: %s is %s", name, login, got)
			}
			if got == identity.Active && now[login] != before[login] {
				t.Errorf("%s: %s is in %q, and was in %q", name, login, now[login], before[login])
			}
		}
		if ask.Verb != "changes" {
			time.Sleep(vanishAfter) // for a second look
		}
	}
	look("hidden", scheduled())
	s.must(w.Set(everybody[18], w.Title(), "Editor"))
	s.must(w.Set(everybody[19], w.Many(), "one", "two"))
	s.must(w.Set(everybody[1], w.Title(), "Editor"))
	look("changed", scheduled())
	for i := range 3 {
		look(fmt.Sprintf("sweep %d", i), rostersync.Request{Verb: "sweep", Scheduled: true, Sweep: true})
	}
	for i := range 2 {
		look(fmt.Sprintf("everything %d", i), rostersync.Request{Verb: "sync", Scheduled: true, Full: true})
	}
	look("changes again", scheduled())
	if t.Failed() {
		return
	}
	s.must(hider.Show(hidden))
	s.anew()
	s.ways = nil
	s.cycle(scheduled())
	s.cycle(rostersync.Request{Verb: "sweep", Scheduled: true, Sweep: true})
	t.Logf("shown: %s", s.went())
	shown = true
	look("shown", scheduled())
	look("shown, nightly", rostersync.Request{Verb: "sync", Scheduled: true, Full: true})
	s.settle()
	s.same()
}

// anew starts rosterd again, so that it binds again.
func (s *story) anew() {
	s.t.Helper()
	s.kill()
	s.start()
}

// groups is in which groups everybody is, by login.
func (s *story) groups() map[string]string {
	s.t.Helper()
	out := map[string]string{}
	for _, text := range s.entries(s.engine.Store) {
		var login string
		_, rest, _ := strings.Cut(text, " login=")
		if _, err := fmt.Sscanf(rest, "%q", &login); err == nil && login != "" {
			_, out[login], _ = strings.Cut(text, " in ")
		}
	}
	return out
}
