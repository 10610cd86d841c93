package mapping

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

var (
	lawGroups = []string{"cn=g0", "cn=g1", "cn=g2", "cn=g3"}
	lawAttrs  = []string{"a", "b", "c", "begin", "over"}
	lawValues = []string{"x", "Y", "z z"}
	lawDates  = []string{"2026-06-01", "2026-06-03", "20260602", "20260602120000Z", "0", "soon", " ", "-1"}
	lawNow    = time.Date(2026, 6, 2, 12, 0, 0, 0, time.UTC)
)

// drawCondition draws an expression. In a rising place inGroup may stand.
func drawCondition(t *rapid.T, depth int, rising bool) string {
	attr := "person." + rapid.SampledFrom([]string{"a", "B", "c"}).Draw(t, "attribute")
	value := fmt.Sprintf("%q", rapid.SampledFrom(lawValues).Draw(t, "value"))
	most := 9
	if depth > 0 {
		most = 13
	}
	date := func() string {
		return rapid.SampledFrom([]string{"person.begin", "person.over", `"2026-06-02"`, `"20260602120000Z"`, "(person.over ?? '')"}).Draw(t, "date")
	}
	shift := rapid.SampledFrom([]string{"", `, "1d"`, `, "-1d"`, `, "12h"`}).Draw(t, "shift")
	switch k := rapid.IntRange(0, most).Draw(t, "form"); k {
	case 0:
		return attr + " == " + value
	case 1:
		return attr + " != " + value
	case 2:
		return attr + ` in ["x", ` + value + "]"
	case 3:
		return value + " in values(" + attr + ")"
	case 4:
		return "(lower(" + attr + ") ?? 'none') contains " + value
	case 5:
		return "exact(first(" + attr + ")) == " + value
	case 6, 7:
		if rising {
			return "inGroup(\"" + rapid.SampledFrom(lawGroups).Draw(t, "group") + "\")"
		}
		return attr + " startsWith " + value
	case 8:
		return rapid.SampledFrom([]string{"after", "before"}).Draw(t, "side") + "(" + date() + shift + ")"
	case 9:
		return "within(person.begin, " + date() + shift + ")"
	case 10:
		return "not (" + drawCondition(t, depth-1, false) + ")"
	case 11:
		return "((" + drawCondition(t, depth-1, false) + ") ? " + attr + " == \"x\" : " + attr + " != \"x\")"
	case 12:
		return "(" + drawCondition(t, depth-1, rising) + " or " + drawCondition(t, depth-1, rising) + ")"
	default:
		return "(" + drawCondition(t, depth-1, rising) + " and " + drawCondition(t, depth-1, rising) + ")"
	}
}

func drawSome(t *rapid.T, from []string, label string) []string {
	var out []string
	for _, x := range from {
		if rapid.Bool().Draw(t, label+" "+x) {
			out = append(out, x)
		}
	}
	return out
}

// drawPolicy draws a configuration without mistakes, and compiles it.
func drawPolicy(t *rapid.T) (Config, *Policy) {
	c := Config{
		Roles: map[string]Role{}, Conflicts: map[string]Conflict{}, Targets: map[string]Target{},
		Sources: map[string]SourcePerson{"corp": {
			Required: drawSome(t, []string{"c"}, "required"),
			Start:    rapid.SampledFrom([]string{"", "begin"}).Draw(t, "start"),
			End:      rapid.SampledFrom([]string{"", "over"}).Draw(t, "end"),
			Disabled: rapid.SampledFrom([]string{"", `person.b == "x"`, `person.a != "Y" and person.c == "x"`}).Draw(t, "disabled"),
		}},
	}
	var names []string
	for i := range rapid.IntRange(1, 6).Draw(t, "roles") {
		name := fmt.Sprintf("r%d", i)
		r := Role{
			From:  rapid.SampledFrom([]Date{"", "", "", "2026-06-02", "2026-06-03"}).Draw(t, name+" from"),
			Until: rapid.SampledFrom([]Date{"", "", "", "2026-06-03", "20260602130000Z"}).Draw(t, name+" until"),
		}
		if r.From == "2026-06-03" && r.Until != "" {
			r.Until = "2026-06-04"
		}
		for _, other := range names {
			switch rapid.IntRange(0, 6).Draw(t, name+" "+other) {
			case 0:
				r.Requires = append(r.Requires, other)
			case 1:
				o := c.Roles[other]
				o.Includes = append(o.Includes, name)
				c.Roles[other] = o
			case 2:
				o := c.Roles[other]
				o.Excludes = append(o.Excludes, name)
				c.Roles[other] = o
			}
		}
		included := slices.ContainsFunc(names, func(o string) bool { return slices.Contains(c.Roles[o].Includes, name) })
		switch by := rapid.IntRange(0, 4).Draw(t, name+" by"); {
		case by == 3 && included:
		case by == 4:
			r.Birthright = true
		case by == 0:
			r.Groups = append(drawSome(t, lawGroups[1:], name), lawGroups[0])
		case by == 1:
			r.When = drawCondition(t, 2, true)
		default:
			r.Groups = append(drawSome(t, lawGroups[:3], name), lawGroups[3])
			r.When = drawCondition(t, 2, true)
		}
		c.Roles[name] = r
		names = append(names, name)
	}
	for _, target := range []string{"t0", "t1"} {
		x := Target{NameAttribute: "name", Entitlements: map[string][]string{}, Attributes: Attributes{
			"name": {From: "${person.a}"}, "list": {From: "${values(person.b) ?? ''}"}, "empty": {From: "${person.c ?? ''}", Empty: "keep"},
		}}
		for _, r := range names {
			if e := drawSome(t, []string{"e0", "e1", "e2"}, target+r); len(e) > 0 {
				x.Entitlements[r] = e
			}
		}
		x.Account.For = drawSome(t, names, target+" for")
		if len(x.Account.For) == 0 {
			x.Account.For = names[:1]
		}
		var named []string
		for _, e := range []string{"e2", "e0", "e1"} {
			if slices.ContainsFunc(names, func(r string) bool { return slices.Contains(x.Entitlements[r], e) }) {
				named = append(named, e)
			}
		}
		if len(named) > 1 && rapid.Bool().Draw(t, target+" exclusive") {
			x.Exclusive = map[string][]string{"seat": shuffled(t, named, target+" seat")[:rapid.IntRange(2, len(named)).Draw(t, target+" seats")]}
		}
		c.Targets[target] = x
	}
	if len(names) > 1 {
		k := Conflict{Roles: names[:2], Except: map[string]ConflictExcept{}}
		for i := range rapid.IntRange(0, 2).Draw(t, "excepted") {
			k.Except[fmt.Sprintf("x%d", i)] = ConflictExcept{Person: rapid.SampledFrom([]string{"w7", "w8"}).Draw(t, "who"), Reason: "r",
				Until: rapid.SampledFrom([]Date{"never", "2026-06-01", "2026-06-03"}).Draw(t, "excepted until")}
		}
		c.Conflicts["k"] = k
	}
	c.Grants, c.Denies = map[string]Grant{}, map[string]Deny{}
	for i := range rapid.IntRange(0, 2).Draw(t, "grants") {
		g := Grant{Person: "w7", Role: rapid.SampledFrom(names).Draw(t, "granted"), Reason: "r",
			Until: rapid.SampledFrom([]Date{"never", "2026-06-01", "2026-06-02", "20260602130000Z"}).Draw(t, "until")}
		if g.Until == "never" {
			g.From = rapid.SampledFrom([]Date{"", "2026-06-02", "2026-06-03"}).Draw(t, "from")
		}
		c.Grants[fmt.Sprintf("g%d", i)] = g
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "denies") {
		d := Deny{Person: "w7", Reason: "r", Until: rapid.SampledFrom([]Date{"never", "2026-06-01", "2026-06-03"}).Draw(t, "until")}
		switch rapid.IntRange(0, 3).Draw(t, "of") {
		case 0:
			d.Target = "t0"
		case 1:
		default:
			d.Role = rapid.SampledFrom(names).Draw(t, "denied")
		}
		c.Denies[fmt.Sprintf("d%d", i)] = d
	}
	p, all := compileConfig(c)
	if p == nil {
		// A drawn condition may contradict itself: that is the compiler's right.
		for _, x := range all {
			if !x.Warning && !strings.Contains(x.Message, "can never be true") && !strings.Contains(x.Message, "circle") && !strings.Contains(x.Message, "nobody can ever hold") {
				t.Fatalf("%+v: %+v", c, x)
			}
		}
		t.Skip("the policy drawn can never be true")
	}
	return c, p
}

// drawSubject draws a person of whom everything was read.
func drawSubject(t *rapid.T, p *Policy) Subject {
	attrs := map[string][]string{}
	for _, a := range lawAttrs {
		n := rapid.SampledFrom([]int{0, 1, 1, 1, 2}).Draw(t, "values of "+a)
		attrs[a] = nil
		for range n {
			from := append(lawValues, "other", " ")
			if len(a) > 1 {
				from = lawDates
			}
			attrs[a] = append(attrs[a], rapid.SampledFrom(from).Draw(t, a))
		}
	}
	s := Subject{Person: person(attrs), Pins: pins(p), Now: lawNow}
	if rapid.IntRange(0, 3).Draw(t, "is meant") > 0 {
		s.Meant = slices.DeleteFunc(p.People(), func(who string) bool { return who != "w7" })
	}
	for i, pin := range s.Pins {
		if rapid.Bool().Draw(t, "in "+pin.Written) {
			s.Memberships = append(s.Memberships, member(s, i))
		}
	}
	return s
}

func member(s Subject, i int) identity.Membership {
	pin := s.Pins[i]
	return identity.Membership{Group: pin.Group, Path: []identity.GroupStep{{Group: pin.Group, Name: pin.Written, DN: pin.Written}}}
}

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

func shuffled[T any](t *rapid.T, list []T, label string) []T {
	if len(list) < 2 {
		return list
	}
	return rapid.Permutation(list).Draw(t, label)
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

// inForce says whether a grant is at lawNow, by its texts.
func inForce(g Grant) bool { return g.From != "2026-06-03" && g.Until != "2026-06-01" }

// inTime says whether a role's dates hold at lawNow, by their texts.
func inTime(r Role) bool {
	begun := r.From != "2026-06-03"
	return begun && r.Until != "2026-06-01"
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
