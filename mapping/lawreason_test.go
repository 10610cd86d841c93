package mapping

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/identity"
)

// Roles are what repeated application of the rules gives, in any order; and
// every chain of reasons, followed from its end, gives the role.
func TestLawReasonsReplay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, p := drawPolicy(t)
		s := drawSubject(t, p)
		d := p.Resolve(s)
		sure, doubted := rights(d)
		inside := func(written string) bool {
			return slices.ContainsFunc(s.Memberships, func(m identity.Membership) bool { return m.Path[0].DN == written })
		}
		alone := map[string]string{} // each condition by itself: held, doubt, or ""
		for name, r := range c.Roles {
			if r.When == "" {
				continue
			}
			q, _ := compileConfig(Config{Roles: map[string]Role{"r": {When: r.When}}})
			one := s
			one.Pins = pins(q)
			one.Memberships = nil
			for i, pin := range one.Pins {
				if inside(pin.Written) {
					one.Memberships = append(one.Memberships, member(one, i))
				}
			}
			alone[name] = roleText(q.Resolve(one))
		}
		held := map[string]bool{}
		order := shuffled(t, slices.Sorted(maps.Keys(c.Roles)), "order")
		for range len(order) + 1 {
			for _, name := range order {
				r := c.Roles[name]
				got := (len(r.Groups) > 0 || r.When != "" || r.Birthright) &&
					(len(r.Groups) == 0 || slices.ContainsFunc(r.Groups, inside)) && (r.When == "" || alone[name] == "r")
				if s.Meant != nil {
					for _, g := range c.Grants {
						got = got || g.Role == name && inForce(g)
					}
				}
				for other, o := range c.Roles {
					got = got || held[other] && slices.Contains(o.Includes, name)
				}
				for _, need := range r.Requires {
					got = got && held[need]
				}
				got = got && inTime(r)
				for _, x := range c.Denies {
					got = got && !(s.Meant != nil && x.Role == name && x.Until != "2026-06-01")
				}
				for other, o := range c.Roles {
					got = got && !(slices.Contains(o.Excludes, name) && (held[other] || doubted["role "+other]))
				}
				held[name] = got
			}
		}
		for name := range c.Roles {
			if held[name] != sure["role "+name] {
				t.Fatalf("%s: by the rules %v, resolved %v", name, held[name], sure["role "+name])
			}
		}
		replay := func(because []Reason, want string) {
			group, when, born, granted, dates, gives := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, [][2]string{}
			for _, r := range because {
				part := strings.Split(r.Rule, ".")
				if part[0] == "grant" {
					g := c.Grants[part[1]]
					if s.Meant == nil || !inForce(g) {
						t.Fatalf("%+v", r)
					}
					granted[g.Role] = true
				}
				if part[0] != "role" {
					continue
				}
				switch name, rule := part[1], c.Roles[part[1]]; part[2] {
				case "groups":
					if !slices.Contains(rule.Groups, r.Path[len(r.Path)-1].DN) || !inside(r.Path[0].DN) {
						t.Fatalf("%+v", r)
					}
					group[name] = true
				case "from", "until":
					if !inTime(rule) {
						t.Fatalf("%+v", r)
					}
					dates[r.Rule] = true
				case "birthright":
					born[name] = rule.Birthright
				case "when":
					if alone[name] != "r" || !strings.HasPrefix(r.Text, rule.When) {
						t.Fatalf("%+v", r)
					}
					when[name] = true
				case "includes":
					for _, child := range rule.Includes {
						if strings.HasSuffix(r.Text, " includes "+child) {
							gives = append(gives, [2]string{name, child})
						}
					}
				case "requires":
					for _, need := range rule.Requires {
						if strings.Contains(r.Text, "role "+need+", ") && !held[need] {
							t.Fatalf("%+v", r)
						}
					}
				}
			}
			shown := map[string]bool{}
			for range len(c.Roles) + 1 {
				for name, r := range c.Roles {
					if (group[name] || when[name] || born[name]) && (len(r.Groups) == 0 || group[name]) && (r.When == "" || when[name]) {
						shown[name] = true
					}
					shown[name] = shown[name] || granted[name]
				}
				for _, g := range gives {
					shown[g[1]] = shown[g[1]] || shown[g[0]]
				}
			}
			if r := c.Roles[want]; r.From != "" && !dates["role."+want+".from"] || r.Until != "" && !dates["role."+want+".until"] {
				t.Fatalf("%s does not say its dates: %+v", want, because)
			}
			if !shown[want] {
				t.Fatalf("%s does not follow from %+v", want, because)
			}
		}
		for _, h := range d.Roles {
			replay(h.Because, h.Role)
			for _, need := range c.Roles[h.Role].Requires {
				if !slices.ContainsFunc(h.Because, func(r Reason) bool {
					return r.Rule == "role."+h.Role+".requires" && strings.HasPrefix(r.Text, "role "+need+",")
				}) {
					t.Fatalf("%s does not say that it requires %s", h.Role, need)
				}
			}
		}
		for _, a := range d.Accounts {
			for _, e := range a.Entitlements {
				for _, name := range e.Roles {
					if !slices.Contains(c.Targets[a.Target].Entitlements[name], e.Name) || !held[name] {
						t.Fatalf("%s gives %s", name, e.Name)
					}
					replay(e.Because, name)
				}
			}
			for _, name := range c.Targets[a.Target].Account.For {
				if held[name] {
					if !a.Entitled {
						t.Fatalf("%s has no account in %s", name, a.Target)
					}
					replay(a.Because, name)
				}
			}
		}
	})
}
