package mapping

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
)

// Test is [test.NAME]: somebody who is described, and what the policy must and
// must not give them. A policy that fails one of its tests is none.
type Test struct {
	Description string `toml:"description"`
	// Attributes of the person; those that are left out have no value.
	Attributes map[string]Texts `toml:"attributes"`
	// Groups that the person is a member of: DNs that the policy names.
	Groups []string `toml:"groups"`
	// On is the day, or the moment, for which dates are looked at.
	On Date `toml:"on"`
	// Source is whose person it is; the only one, if left out.
	Source string `toml:"source"`
	// Gets and Lacks are what they must have and must not have: "role:NAME",
	// "account:TARGET", "TARGET:ENTITLEMENT".
	Gets  []string `toml:"gets"`
	Lacks []string `toml:"lacks"`
	// Parked: a required attribute is blank, or the mapping fails somewhere.
	Parked bool `toml:"parked"`
}

// Texts is one text or a list of them.
type Texts []string

// UnmarshalTOML takes both forms.
func (t *Texts) UnmarshalTOML(data any) error {
	switch v := data.(type) {
	case string:
		*t = Texts{v}
		return nil
	case []any:
		out := make(Texts, 0, len(v))
		for _, x := range v {
			s, ok := x.(string)
			if !ok {
				return textsError("a list of something else")
			}
			out = append(out, s)
		}
		*t = out
		return nil
	}
	return textsError(tomlKind(data))
}

// textsError says what was found instead.
type textsError string

func (e textsError) Error() string { return "must be a text or a list of texts, not " + string(e) }

// Hint is what to write.
func (e textsError) Hint() string { return `write "text" or ["one", "other"]` }

// tests runs the tests of the file against the policy that it makes.
func (m *compiler) tests(p *Policy) {
	for _, name := range slices.Sorted(maps.Keys(m.config.Tests)) {
		t := m.config.Tests[name]
		path := func(key ...string) []string { return append([]string{"test", name}, key...) }
		s, ok := m.described(p, t, path)
		if !ok {
			continue
		}
		if len(t.Gets)+len(t.Lacks) == 0 && !t.Parked {
			m.fail(path(), `write gets = ["role:NAME"] or lacks = […]`, "the test says nothing of what the person must have")
			continue
		}
		d, dated := p.resolve(s)
		if dated && t.On == "" {
			m.fail(path(), `write on = "2026-12-31": the day for which the test is made`, "a date decides about this person, and the test has no day")
			continue
		}
		if why := parkedWhy(d); t.Parked != (why != "") {
			if t.Parked {
				m.fail(path("parked"), mend+p.slip(t), "nothing parks this person")
			} else {
				m.fail(path(), "add the attribute, or write parked = true", "this person is parked: %s", why)
			}
			continue
		}
		hint := mend + p.slip(t)
		for i, what := range t.Gets {
			m.claim(p, s, d, path("gets", strconv.Itoa(i)), what, true, hint)
		}
		for i, what := range t.Lacks {
			m.claim(p, s, d, path("lacks", strconv.Itoa(i)), what, false, hint)
		}
	}
}

// mend is what to do about a test that fails.
const mend = "mend the rule, or the test"

// slip is an attribute of the rules that the person of a test lacks, and that is written
// nearly as one that they have: what no rule gives anybody looks like a rule that is wrong.
func (p *Policy) slip(t Test) string {
	has := slices.Sorted(maps.Keys(t.Attributes))
	for _, name := range p.attributes {
		if len(name) < shortName || slices.ContainsFunc(has, func(h string) bool { return strings.EqualFold(h, name) }) {
			continue
		}
		if hint := didYouMean(name, has); hint != "" {
			return fmt.Sprintf("; the attribute %q is named in the file: %s", name, hint)
		}
	}
	return ""
}

// shortName is a length below which any two names are nearly the same.
const shortName = 5

// described makes the person of a test.
func (m *compiler) described(p *Policy, t Test, path func(...string) []string) (Subject, bool) {
	source := t.Source
	if source == "" && len(p.sources) == 1 {
		source = slices.Collect(maps.Keys(p.sources))[0]
	}
	if _, known := p.sources[source]; !known && len(p.sources) > 0 {
		switch {
		case source == "":
			m.fail(path(), "write source = \"NAME\"", "there are several sources, and the test names none")
		default:
			m.fail(path("source"), oneOf(source, slices.Sorted(maps.Keys(p.sources))), "there is no source %q", source)
		}
		return Subject{}, false
	}
	on := m.date(t.On, path("on"))
	ok := on.At.IsZero() == (t.On == "")
	var list []identity.Attribute
	for _, name := range slices.Sorted(maps.Keys(t.Attributes)) {
		lower := strings.ToLower(name)
		if !slices.Contains(p.attributes, lower) {
			hint := cmp.Or(didYouMean(lower, p.attributes), "take it out, or let a rule ask for it")
			m.fail(path("attributes", name), hint, "no rule names the attribute %q, so the test says nothing by it", name)
			ok = false
		}
		list = append(list, identity.Attribute{Name: lower, Values: t.Attributes[name]})
	}
	s := Subject{Now: on.At, Person: identity.Person{Ordinal: 1, Key: identity.Key{Source: source, ID: "test"}, Standing: identity.Active,
		Attributes: identity.NewAttributes(identity.NewCoverage(p.attributes...), list)}}
	s.Meant = m.meant(p, source, t)
	in := map[string]bool{}
	for i, written := range t.Groups {
		at := path("groups", strconv.Itoa(i))
		dn, err := identity.ParseDN(written)
		if err != nil || dn.IsZero() {
			m.fail(at, `write the whole name: "cn=writers,ou=groups,dc=corp,dc=example"`, "%s", notDN(err))
			ok = false
			continue
		}
		in[dn.Key()] = true
		if !slices.ContainsFunc(p.groups, func(g string) bool { return keyOf(g) == dn.Key() }) {
			m.fail(at, cmp.Or(didYouMean(written, p.groups), "take it out, or name it as a rule does"), "no rule names the group %q, so the test says nothing by it", written)
			ok = false
		}
	}
	for i, written := range p.groups {
		group := identity.Ordinal(i + 2)
		s.Pins = append(s.Pins, ledger.Pin{Source: source, Written: written, Group: group, DN: written, Status: ledger.PinOK, Members: 1})
		if in[keyOf(written)] {
			s.Memberships = append(s.Memberships, identity.Membership{Group: group, Path: []identity.GroupStep{{Group: group, Name: written, DN: written}}})
		}
	}
	return s, ok
}

func keyOf(written string) string {
	dn, err := identity.ParseDN(written)
	if err != nil {
		return ""
	}
	return dn.Key()
}

// parkedWhy is why something of the person is parked; "" if nothing is.
func parkedWhy(d Desired) string {
	if len(d.Invalid) > 0 {
		return d.Invalid[0]
	}
	for _, a := range d.Accounts {
		if a.Entitled && a.Invalid != "" {
			return a.Target + ": " + a.Invalid
		}
	}
	return ""
}

// claim checks one thing that the person must have, or must not.
func (m *compiler) claim(p *Policy, s Subject, d Desired, at []string, what string, gets bool, hint string) {
	kind, name, _ := strings.Cut(what, ":")
	var has, doubted bool
	var because []Reason
	var lacking string
	switch {
	case kind == "role":
		if _, known := m.index[name]; !known {
			m.fail(at, oneOf(name, m.roleNames), "there is no role %q", name)
			return
		}
		for _, h := range d.Roles {
			if h.Role == name {
				has, because = true, h.Because
			}
		}
		doubted = slices.ContainsFunc(d.Doubts, func(x Doubtful) bool { return x.Role == name })
		lacking = chainText(p.Lacks(s, name))
	case kind == "account" && p.target(name) != nil:
		a := accountOf(d, name)
		has, because, doubted = a.Entitled, a.Because, a.Doubt.Any()
		lacking = "no role that gives an account there is held"
	case p.target(kind) != nil && slices.Contains(p.Entitlements(kind), name):
		a := accountOf(d, kind)
		for _, e := range a.Entitlements {
			if e.Name == name {
				has, because, doubted = a.Entitled && !e.Doubt.Any(), e.Because, e.Doubt.Any()
			}
		}
		lacking = "no role that gives it is held"
		for _, o := range a.Outranked {
			if o.Entitlement == name {
				lacking = chainText([]Reason{o.Reason})
			}
		}
		if !a.Entitled {
			lacking = "there is no account for it: no role that gives one is held"
		}
	case kind == "account":
		m.fail(at, oneOf(name, p.Targets()), "there is no target %q", name)
		return
	case p.target(kind) != nil:
		m.fail(at, oneOf(name, p.Entitlements(kind)), "no role gives %q in %s", name, kind)
		return
	default:
		m.fail(at, `write "role:NAME", "account:TARGET" or "TARGET:ENTITLEMENT"`, "%q is nothing that a policy gives", what)
		return
	}
	if a := accountOf(d, name); kind == "account" && len(a.Denied) > 0 {
		has, doubted, lacking = false, false, chainText(a.Denied)
	}
	if a := accountOf(d, kind); len(a.Denied) > 0 {
		has, doubted, lacking = false, false, chainText(a.Denied)
	}
	if d.Standing.Left() { // whoever left has nothing
		has, doubted, lacking = false, false, "the person is "+d.Standing.String()+": "+d.Why
	}
	switch {
	case doubted:
		m.fail(at, hint, "%s is in doubt for this person", what)
	case gets && !has:
		m.fail(at, hint, "the test fails: %s is not given: %s", what, lacking)
	case !gets && has:
		m.fail(at, hint, "the test fails: %s is given: %s", what, chainText(because))
	}
}

func accountOf(d Desired, target string) Account {
	for _, a := range d.Accounts {
		if a.Target == target {
			return a
		}
	}
	return Account{}
}

// chainText is a chain of reasons in one line.
func chainText(because []Reason) string {
	var out []string
	for _, r := range because {
		text := r.Text
		if r.Where != "" {
			text += " (" + r.Where + ")"
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}
