package mapping

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Of an exclusive list an account has one for sure at most, nothing is taken but for
// what comes before it, and nothing is given that the roles do not give. Who is in a
// conflict is so whatever the order, and an exception is of whom it names, in its time.
func TestLawExclusiveIsOne(t *testing.T) {
	outranked, excepted := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		c, p := drawPolicy(t)
		s := drawSubject(t, p)
		d := p.Resolve(s)
		free, _ := compileConfig(withoutExclusive(c))
		given := free.Resolve(s)
		would, might := rights(given)
		has, _ := rights(d)
		for i, a := range d.Accounts {
			list := c.Targets[a.Target].Exclusive["seat"]
			sure, first := 0, len(list)
			for _, e := range a.Entitlements {
				key := a.Target + " " + e.Name
				at := slices.Index(list, e.Name)
				switch {
				case has[key] && !would[key], !would[key] && !might[key]:
					t.Fatalf("%s is given by a list", key)
				case at >= 0 && has[key]:
					sure++
				}
				if at >= 0 {
					first = min(first, at)
				}
			}
			if sure > 1 {
				t.Fatalf("%d of %v in %+v", sure, list, a.Entitlements)
			}
			outranked += len(a.Outranked)
			for _, e := range given.Accounts[i].Entitlements {
				still := slices.ContainsFunc(a.Entitlements, func(o Entitlement) bool { return o.Name == e.Name })
				told := slices.ContainsFunc(a.Outranked, func(o Outranked) bool { return o.Entitlement == e.Name })
				if at := slices.Index(list, e.Name); still == told || told && at <= first {
					t.Fatalf("%s of %v: there %v, taken %v, the first is at %d", e.Name, list, still, told, first)
				}
			}
		}
		for _, x := range d.Conflicts {
			ok := false
			for _, e := range c.Conflicts[x.Conflict].Except {
				ok = ok || s.Meant != nil && e.Person == "w7" && e.Until != "2026-06-01"
			}
			if len(x.Excepted) > 0 != ok {
				t.Fatalf("excepted %+v, by the file %v", x.Excepted, ok)
			}
			if ok {
				excepted++
			}
		}
	})
	if outranked == 0 || excepted == 0 {
		t.Errorf("%d rights were outranked, %d conflicts excepted", outranked, excepted)
	}
}

// withoutExclusive is the policy in which an account may have all of a list.
func withoutExclusive(c Config) Config {
	c.Targets = maps.Clone(c.Targets)
	for name, x := range c.Targets {
		x.Exclusive = nil
		c.Targets[name] = x
	}
	return c
}
