package directory

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/identity"
)

func TestLaw02Classify(t *testing.T) {
	start := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	see := func(after time.Duration, like string) Sighting { return Sighting{At: start.Add(after), Like: like} }
	first := see(0, "a")
	for name, row := range map[string]struct {
		a        Absence
		standing identity.Standing
		doubt    identity.Doubt
		first    Sighting
	}{
		"the first":             {Absence{Now: first, VanishAfter: time.Minute}, identity.Unknown, identity.SecondLook, first},
		"too early":             {Absence{First: first, Now: see(time.Minute-1, "a"), VanishAfter: time.Minute}, identity.Unknown, identity.SecondLook, first},
		"just in time":          {Absence{First: first, Now: see(time.Minute, "a"), VanishAfter: time.Minute}, identity.PresumedGone, identity.NoDoubt, first},
		"another kind":          {Absence{First: first, Now: see(time.Hour, "b"), VanishAfter: time.Minute}, identity.Unknown, identity.SecondLook, see(time.Hour, "b")},
		"the clock went back":   {Absence{First: first, Now: see(-time.Hour, "a"), VanishAfter: time.Minute}, identity.Unknown, identity.SecondLook, see(-time.Hour, "a")},
		"never within a second": {Absence{First: first, Now: see(time.Second-1, "a")}, identity.Unknown, identity.SecondLook, first},
		"silence":               {Absence{First: first, Now: see(time.Hour, "a"), Silent: true, Container: "ou=a"}, identity.Unknown, identity.Blackout, Sighting{}},
	} {
		v := Classify(row.a)
		if v.Standing != row.standing || v.Doubt != row.doubt || v.First != row.first || v.Why == "" {
			t.Errorf("%s: %+v", name, v)
		}
		if due := v.Doubt == identity.SecondLook; due != !v.Due.IsZero() || due && !v.Due.After(v.First.At) {
			t.Errorf("%s: due %s", name, v.Due)
		}
	}
}

func TestCensus(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.Custom(func(t *rapid.T) identity.DN {
			s := "dc=x"
			for _, c := range rapid.SliceOfN(rapid.SampledFrom([]string{"ou=a", "ou=b", "ou=aa"}), 0, 3).Draw(t, "containers") {
				s = c + "," + s
			}
			return identity.MustDN("uid=w," + s)
		})
		absent := rapid.SliceOfN(name, 1, 4).Draw(t, "absent")
		here := rapid.SliceOfN(name, 0, 12).Draw(t, "here")
		c := NewCensus(absent)
		for _, dn := range absent {
			c.Held(dn)
		}
		now := make([]identity.DN, len(here))
		for i, dn := range here {
			now[i] = dn
			if rapid.IntRange(0, 3).Draw(t, "moved") == 0 {
				now[i] = name.Draw(t, "to")
			}
			c.Shown(dn, now[i])
		}
		for _, dn := range absent {
			container, want := "", false
			for p := dn; !p.IsZero(); { // from the nearest up, counting afresh
				p = p.Parent()
				known, shown := 0, 0
				for _, a := range absent {
					if a.Within(p) {
						known++
					}
				}
				for i, h := range here {
					if h.Within(p) {
						known++
						if now[i].Within(p) {
							shown++
						}
					}
				}
				if known >= MinContainer {
					container, want = p.String(), shown == 0
					break
				}
			}
			if got, silent := c.Silent(dn); got != container || silent != want {
				t.Fatalf("%s: %q %v, want %q %v", dn, got, silent, container, want)
			}
		}
	})
}
