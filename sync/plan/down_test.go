package plan

import (
	"slices"
	"testing"
	"time"

	"github.com/rosterd/rosterd/target"
)

func TestDown(t *testing.T) {
	r := newRig(t)
	r.staff(3)
	r.leave(1, 1)
	r.down = "connection refused"
	p := Make(r.input(false))
	if s := subjectOf(t, p, 1); s.Park == nil || s.Park.Error != "connection refused" || s.Look != nil || s.Situation != Gone {
		t.Errorf("%+v", s)
	}
	if s := subjectOf(t, p, 2); s.Park != nil || s.Situation != InSync {
		t.Errorf("%+v", s)
	}
}

// What failed waits for its time; other changes of the account do not, and a
// resync waits for nothing.
func TestBackOff(t *testing.T) {
	r := newRig(t)
	r.staff(3)
	r.fail = func(c target.Change) bool { return c.Verb == target.Update }
	r.attribute(1, "title", "Author")
	r.cycle(false)
	r.fail = nil
	r.roles(1, "Readers")
	p, v := r.cycle(false)
	if st := stageOf(t, p, v, 1); st.Stage != Parked || st.Changes[0] != "waits for its next attempt" || st.Changes[1] != "" {
		t.Errorf("standing %+v", st)
	}
	if a := r.seen(1); a.Attributes["title"][0] != "Writer" || !slices.Equal(a.Entitlements, []string{"Readers"}) {
		t.Errorf("account %+v", a)
	}
	if _, v := r.plan(true); !v.Pending() {
		t.Error("a resync waits for a back-off")
	}
	r.now = r.now.Add(time.Hour)
	if r.cycle(false); r.seen(1).Attributes["title"][0] != "Author" {
		t.Error("the next attempt was not made")
	}
	// What depends on the failed change waits with it.
	r.hire(9, "Writers")
	r.fail = func(c target.Change) bool { return c.Verb == target.Create }
	_, v = r.plan(false)
	r.do(v.Cleared.Waves("wiki")[0][0])
	if _, v = r.plan(false); v.Pending() || !v.Parked() {
		t.Error("a grant goes before its account")
	}
}
