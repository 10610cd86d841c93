package mapping

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

// bytes is a Desired as it would be printed.
func asBytes(t *rapid.T, d Desired) string {
	b, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// rights is everything that the person has: sure ones, and those in doubt.
func rights(d Desired) (sure, doubt map[string]bool) {
	sure, doubt = map[string]bool{}, map[string]bool{}
	for _, h := range d.Roles {
		sure["role "+h.Role] = true
	}
	for _, x := range d.Doubts {
		doubt["role "+x.Role] = true
	}
	for _, a := range d.Accounts {
		if a.Entitled {
			sure[a.Target] = true
		} else if a.Doubt.Any() {
			doubt[a.Target] = true
		}
		for _, e := range a.Entitlements {
			if e.Doubt.Any() {
				doubt[a.Target+" "+e.Name] = true
			} else {
				sure[a.Target+" "+e.Name] = true
			}
		}
	}
	return sure, doubt
}

// Law 3: the same policy and person, in whatever order they are written, give
// the same bytes.
func TestLawPlanIsPure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, p := drawPolicy(t)
		s := drawSubject(t, p)
		want := asBytes(t, p.Resolve(s))
		o := Config{Roles: map[string]Role{}, Grants: c.Grants, Denies: c.Denies, Sources: c.Sources, Conflicts: c.Conflicts, Targets: map[string]Target{}}
		for _, name := range shuffled(t, slices.Collect(maps.Keys(c.Roles)), "roles") {
			r := c.Roles[name]
			r.Groups, r.Requires = shuffled(t, r.Groups, "groups"), shuffled(t, r.Requires, "requires")
			r.Includes, r.Excludes = shuffled(t, r.Includes, "includes"), shuffled(t, r.Excludes, "excludes")
			o.Roles[name] = r
		}
		for name, x := range c.Targets {
			x.Account.For = shuffled(t, x.Account.For, "for")
			more := map[string][]string{}
			for r, e := range x.Entitlements {
				more[r] = shuffled(t, e, "entitlements")
			}
			x.Entitlements = more
			o.Targets[name] = x
		}
		q, all := compileConfig(o)
		if q == nil {
			t.Fatalf("%+v", all)
		}
		if q.Hash() != p.Hash() {
			t.Fatal("the order changes the hash")
		}
		s.Memberships, s.Pins = shuffled(t, s.Memberships, "memberships"), shuffled(t, s.Pins, "pins")
		if got := asBytes(t, q.Resolve(s)); got != want {
			t.Fatalf("%s\n%s", got, want)
		}
	})
}

// More groups are never fewer rights, but for what `excludes` and `exclusive` say by
// name.
func TestLawMembershipNeverRemoves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, p := drawPolicy(t)
		s := drawSubject(t, p)
		if len(s.Pins) == 0 {
			t.Skip("no group")
		}
		for i := range s.Pins {
			s.Pins[i].Status = rapid.SampledFrom([]ledger.PinStatus{ledger.PinOK, ledger.PinMissing}).Draw(t, "status")
		}
		before, maybe := rights(p.Resolve(s))
		s.Memberships = append(slices.Clone(s.Memberships), member(s, rapid.IntRange(0, len(s.Pins)-1).Draw(t, "group")))
		after, still := rights(p.Resolve(s))
		free, _ := compileConfig(withoutExcludes(c))
		would, might := rights(free.Resolve(s))
		excluded := func(r string) bool { return would[r] || might[r] }
		for r := range before {
			if !after[r] && !excluded(r) {
				t.Fatalf("%s is lost by a membership", r)
			}
		}
		for r := range maybe {
			if !after[r] && !still[r] && !excluded(r) {
				t.Fatalf("%s, in doubt, is lost by a membership", r)
			}
		}
	})
}

// Law 2: not read is not absent. What was not read takes nothing away and gives
// nothing; the same for a group that went missing or was not looked at.
func TestLawNotReadNeverRemoves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, p := drawPolicy(t)
		s := drawSubject(t, p)
		full := p.Resolve(s)
		less := s
		attrs := map[string][]string{}
		for _, a := range drawSome(t, lawAttrs, "read") {
			attrs[a], _ = s.Person.Attributes.Get(a)
		}
		less.Person = person(attrs)
		less.Pins, less.Memberships = nil, nil
		for i, pin := range s.Pins {
			inIt := slices.ContainsFunc(s.Memberships, func(m identity.Membership) bool { return m.Group == pin.Group })
			switch rapid.IntRange(0, 3).Draw(t, "fate of "+pin.Written) {
			case 0: // not looked at
				continue
			case 1:
				pin.Status = rapid.SampledFrom([]ledger.PinStatus{ledger.PinMissing, ledger.PinEmptied, ledger.PinReplaced}).Draw(t, "status")
			default:
				if inIt {
					less.Memberships = append(less.Memberships, member(s, i))
				}
			}
			less.Pins = append(less.Pins, pin)
		}
		part := p.Resolve(less)
		has, doubted := rights(full)
		keeps, doubts := rights(part)
		for r := range has {
			if !keeps[r] && !doubts[r] {
				t.Fatalf("%s is lost by what was not read", r)
			}
		}
		for r := range doubted {
			if !doubts[r] {
				t.Fatalf("%s, in doubt, is decided by what was not read", r)
			}
		}
		for r := range keeps {
			if !has[r] {
				t.Fatalf("%s is given by what was not read", r)
			}
		}
		// A start that is to come closes what an end that was not read may close too.
		closed := func(d Desired) bool { return d.Standing == identity.Disabled || d.Standing == identity.NotYet }
		if closed(part) && !closed(full) {
			t.Fatal("disabled by what was not read")
		}
		if closed(full) && !closed(part) && part.Invalid == nil {
			t.Fatal("enabled by what was not read")
		}
		if len(full.Invalid) > 0 && part.Standing == identity.Active && len(part.Invalid) == 0 {
			t.Fatal("valid by what was not read")
		}
		for i, a := range part.Accounts {
			if !a.Entitled || closed(part) || closed(full) || a.Invalid != "" {
				continue
			}
			if fmt.Sprint(a.Attributes) != fmt.Sprint(full.Accounts[i].Attributes) || a.Name != full.Accounts[i].Name {
				t.Fatalf("%+v became %+v", full.Accounts[i], a)
			}
		}
	})
}

// What a date changes by itself is foretold: until Next the same person has the
// same, byte for byte, and where there is none for ever.
func TestLawNextIsNotLate(t *testing.T) {
	flips := 0
	rapid.Check(t, func(t *rapid.T) {
		_, p := drawPolicy(t)
		s := drawSubject(t, p)
		d := p.Resolve(s)
		last := s.Now.AddDate(100, 0, 0)
		if !d.Next.IsZero() {
			if !d.Next.After(s.Now) {
				t.Fatalf("next at %s, which is past", d.Next)
			}
			last = d.Next.Add(-time.Nanosecond)
			flips++
		}
		want := asBytes(t, d)
		s.Now = s.Now.Add(time.Duration(rapid.Int64Range(0, int64(last.Sub(s.Now))).Draw(t, "later")))
		for _, now := range []time.Time{s.Now, last} {
			s.Now = now
			if got := asBytes(t, p.Resolve(s)); got != want {
				t.Fatalf("at %s, before %s:\n%s\n%s", now, d.Next, want, got)
			}
		}
	})
	if flips == 0 {
		t.Error("nobody had a date to come")
	}
}

// withoutExcludes is the policy in which holding more takes nothing away.
func withoutExcludes(c Config) Config {
	c.Roles = maps.Clone(c.Roles)
	for name, r := range c.Roles {
		r.Excludes = nil
		c.Roles[name] = r
	}
	return withoutExclusive(c)
}
