package mapping

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/identity"
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

func shuffled[T any](t *rapid.T, list []T, label string) []T {
	if len(list) < 2 {
		return list
	}
	return rapid.Permutation(list).Draw(t, label)
}

// inForce says whether a grant is at lawNow, by its texts.
func inForce(g Grant) bool { return g.From != "2026-06-03" && g.Until != "2026-06-01" }

// inTime says whether a role's dates hold at lawNow, by their texts.
func inTime(r Role) bool {
	begun := r.From != "2026-06-03"
	return begun && r.Until != "2026-06-01"
}
