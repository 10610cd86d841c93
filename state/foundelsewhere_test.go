package state

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
)

// scoped is a claim about other bases or filters than usual.
type scoped struct {
	claim
	scope string
}

func (s scoped) Scope() string { return s.scope }

// sight lists everybody but those, of whom it is found what the function says.
func (k *kit) sight(scope string, hide map[string]bool, found func(directory.Known) directory.Finding) Drained {
	k.Helper()
	k.clock.forward(time.Second)
	var entries recorded
	must2(k.src.Read(context.Background(), &entries))
	g := must2(k.s.Stage("corp", k.src.Coverage()))
	people, groups := 0, 0
	for _, e := range entries {
		switch {
		case hide[e.DN.RDN()[0].Value] || e.Kind == directory.Container:
			continue
		case e.Kind == directory.Group:
			groups++
		default:
			people++
		}
		ok(k, g.Add([]directory.Entry{e}))
	}
	for _, x := range must2(g.Missing()) {
		f := found(x)
		f.Kind, f.ID, f.Found = x.Kind, x.ID, !f.DN.IsZero()
		ok(k, g.Found([]directory.Finding{f}))
	}
	must2(g.seal(scoped{claim{k.src.Coverage(), people, groups, k.clock.at}, scope}, SealRules{Now: k.clock.at, VanishAfter: time.Minute}))
	return must2(k.s.Drain(context.Background()))
}

func these(names ...string) map[string]bool {
	out := map[string]bool{}
	for _, n := range names {
		out[n] = true
	}
	return out
}

// Whoever would be listed now was hidden when the listing was made, or moved meanwhile:
// they are in scope, however often that is so, and wherever others are listed.
func TestLaw02HiddenFromAListingAloneIsNotOutOfScope(t *testing.T) {
	for name, at := range map[string]string{"where they were": "uid=writer1," + people, "elsewhere": "uid=writer1,ou=new," + people} {
		k := newKit(t)
		k.persons(8)
		k.group("writers", dn("writer2"))
		k.sight("all", nil, nil)
		group := must2(k.s.Pins("corp", []string{cn("writers")}))[0].Group
		for range 3 {
			k.sight("all", these("writer1", "writers"), func(x directory.Known) directory.Finding {
				if x.Kind == directory.Person {
					x.DN = identity.MustDN(at)
				}
				return directory.Finding{DN: x.DN, Listed: true}
			})
			k.wantStanding("writer1", identity.Unknown, identity.SecondLook)
			if d := must2(k.s.SourceFacts("corp")); d.SecondLookAt.IsZero() {
				t.Errorf("%s: no second look is due", name)
			}
			if got := len(must2(k.s.Memberships(nil, []identity.Ordinal{group}))[k.one("writer2").Ordinal]); got == 0 {
				t.Errorf("%s: writer2 lost a group that is there", name)
			}
			k.clock.forward(time.Hour)
		}
		k.sight("all", nil, nil)
		k.wantStanding("writer1", identity.Active, identity.NoDoubt)
	}
}

// Whom the filter does not find any more where they were left it, if it finds others
// there. Where it finds nobody, what it asks for may be hidden: two looks, or a container
// that fell silent.
func TestLaw02AFilterThatIsBlind(t *testing.T) {
	stays := func(x directory.Known) directory.Finding { return directory.Finding{DN: x.DN} }
	start := func(n int) (*kit, []string) {
		k := newKit(t)
		k.persons(10)
		var names []string
		for i := range n {
			names = append(names, fmt.Sprintf("north%d", i))
			k.src.Change(k.person(names[i]), func(r *memory.Record) { r.DN = "uid=" + names[i] + ",ou=north," + people })
		}
		k.sight("all", nil, nil)
		return k, names
	}
	k, north := start(4)
	k.sight("all", these(north[0]), stays)
	k.wantStanding(north[0], identity.OutOfScope, identity.NoDoubt) // beside others who are in it
	k.sight("all", these(north...), stays)
	for _, n := range north[1:] {
		k.wantStanding(n, identity.Unknown, identity.SecondLook)
	}
	k.sight("all", these(north[0]), stays) // it was a right
	k.wantStanding(north[1], identity.Active, identity.NoDoubt)
	for range 2 {
		k.sight("all", these(north...), stays)
		k.clock.forward(time.Minute)
	}
	k.wantStanding(north[1], identity.OutOfScope, identity.NoDoubt)

	k, north = start(6)
	for range 3 {
		d := k.sight("all", these(north...), stays)
		if len(d.Blackout) != 1 {
			t.Errorf("dark are %v", d.Blackout)
		}
		k.wantStanding(north[0], identity.Unknown, identity.Blackout)
		k.clock.forward(time.Hour)
	}
	// The only one of a container, and those whom another filter leaves out, left it.
	k, north = start(1)
	k.sight("all", these(north...), stays)
	k.wantStanding(north[0], identity.OutOfScope, identity.NoDoubt)
	k, north = start(6)
	k.sight("fewer", these(north...), stays)
	k.wantStanding(north[0], identity.OutOfScope, identity.NoDoubt)
}

// A listing after which somebody was found is no first look at their absence, and one
// after which they were not is no first look at their leaving the scope.
func TestLaw02FoundOnceIsAFirstLookAgain(t *testing.T) {
	lost := func(directory.Known) directory.Finding { return directory.Finding{} }
	for name, way := range map[string]struct {
		hide  []string
		found func(directory.Known) directory.Finding
	}{
		"hidden from the listing": {[]string{"writer1"}, func(x directory.Known) directory.Finding { return directory.Finding{DN: x.DN, Listed: true} }},
		"moved meanwhile": {[]string{"writer1"}, func(directory.Known) directory.Finding {
			return directory.Finding{DN: identity.MustDN("uid=renamed," + people)}
		}},
		"the filter is blind": {[]string{"north0", "north1"}, func(x directory.Known) directory.Finding { return directory.Finding{DN: x.DN} }},
	} {
		k := newKit(t)
		k.persons(8)
		for i := range 2 {
			uid := fmt.Sprintf("north%d", i)
			k.src.Change(k.person(uid), func(r *memory.Record) { r.DN = "uid=" + uid + ",ou=north," + people })
		}
		for _, ways := range [][2]func(directory.Known) directory.Finding{{way.found, lost}, {lost, way.found}} {
			k.sight("all", nil, nil)
			k.sight("all", these(way.hide...), ways[0])
			k.clock.forward(time.Hour)
			k.sight("all", these(way.hide...), ways[1])
			if p := k.one(way.hide[0]); p.Standing != identity.Unknown || p.Doubt != identity.SecondLook {
				t.Errorf("%s: %s, %s", name, p.Standing, p.Why)
			}
		}
		k.sight("all", these(way.hide...), lost)
		k.clock.forward(time.Hour)
		k.sight("all", these(way.hide...), lost)
		k.wantStanding(way.hide[0], identity.PresumedGone, identity.NoDoubt)
	}
}
