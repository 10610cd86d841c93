package sourcetest

import (
	"testing"

	"github.com/rosterd/rosterd/directory"
)

// sweeps: who lists IDs lists those of a read, and proves as much.
func sweeps(t *testing.T, w World) {
	one := addPerson(t, w, "writer1", People)
	addPerson(t, w, "writer2", People)
	addPerson(t, w, "stranger", Elsewhere)
	addGroup(t, w, "writers", one)
	source := open(t, w, Options{Attributes: []string{"sn"}})
	sweeper, can := source.(directory.Sweeper)
	if !can {
		return
	}
	read, whole := Read(t, source)
	var stage Stage
	p, err := sweeper.Sweep(t.Context(), &stage)
	if err != nil {
		t.Fatal(err)
	}
	if p.People() != 2 || p.Groups() != 1 || !p.Valid() || !p.Coverage().Equal(whole.Coverage()) || p.Scope() != whole.Scope() || p.Bind() != whole.Bind() {
		t.Errorf("the proofs differ: %+v and %+v", p, whole)
	}
	for _, e := range read.Entries() {
		if s := stage.Get(t, e.DN.String()); s.ID != e.ID || s.Kind != e.Kind {
			t.Errorf("%s: %s %s, and a read says %s %s", e.DN, s.Kind, s.ID, e.Kind, e.ID)
		}
	}
	if n := len(stage.Entries()); n != 3 {
		t.Errorf("%d entries", n)
	}
}

// sweepWithoutCanary: a sweep in which a canary is missing proves nothing.
func sweepWithoutCanary(t *testing.T, w World) {
	addPerson(t, w, "writer1", People)
	source := open(t, w, Options{Canaries: []string{"uid=canary," + People}})
	sweeper, can := source.(directory.Sweeper)
	if !can {
		return
	}
	if p, err := sweeper.Sweep(t.Context(), &Stage{}); err == nil || p.Valid() {
		t.Errorf("a sweep without the canary: %v", err)
	}
}
