package plan

import (
	"slices"
	"testing"

	"github.com/rosterd/rosterd/target"
)

func TestOrphans(t *testing.T) {
	r := newRig(t)
	r.staff(2)
	r.mem.Put(target.Account{Name: "zoe", Enabled: true})
	r.mem.Put(target.Account{Name: "anna"})
	r.mem.Put(target.Account{Name: "emergency-1"})
	r.mem.Put(target.Account{Name: "writer3"})
	r.rules.BreakGlass = []string{"account:emergency-*"}
	r.hire(3)
	r.match(3, "name", "writer3", "link")
	p, _ := r.plan(true)
	var names []string
	for _, o := range p.Orphans {
		names = append(names, o.Name)
	}
	if !slices.Equal(names, []string{"anna", "zoe"}) {
		t.Errorf("orphans %v", names)
	}
	if p, _ = r.plan(false); len(p.Orphans) > 0 {
		t.Errorf("orphans without a listing: %v", p.Orphans)
	}
}
