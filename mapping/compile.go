package mapping

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/problem"
)

// Compile checks a configuration and makes it a policy. Every mistake is
// reported, with its key and, inside an expression, the byte; it returns nil if
// and only if there was one that is not a warning. The function where gives
// file:line of a key, for the reasons; it may be nil.
func Compile(c Config, where func(path ...string) string, report problem.Report) *Policy {
	m := &compiler{config: c, names: newNames(), where: where, out: report, index: map[string]int{}}
	m.names.tables, m.names.zone = m.tables(), cmp.Or(c.Zone, time.UTC)
	p := &Policy{sources: map[string]source{}, zone: m.names.zone}
	for i, name := range slices.Sorted(maps.Keys(c.Roles)) {
		m.index[name] = i
		m.roleNames = append(m.roleNames, name)
	}
	for _, name := range m.roleNames {
		p.roles = append(p.roles, m.role(name, c.Roles[name]))
	}
	m.includes(p.roles)
	m.excludes(p.roles)
	p.order = m.sort(p.roles)
	for _, name := range slices.Sorted(maps.Keys(c.Sources)) {
		p.sources[name] = m.source(name, c.Sources[name])
	}
	for _, name := range slices.Sorted(maps.Keys(c.Targets)) {
		p.targets = append(p.targets, m.target(name, c.Targets[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Conflicts)) {
		p.conflicts = append(p.conflicts, m.conflict(name, c.Conflicts[name], p.roles))
	}
	m.exceptionTables(p)
	m.bounded()
	m.idle(p)
	m.reach(p)
	if m.failed {
		return nil
	}
	p.roleNames, p.slots = m.roleNames, m.names.attributes
	p.attributes = slices.Sorted(slices.Values(p.slots))
	p.references = slices.Sorted(slices.Values(m.names.references))
	p.groups = slices.Sorted(slices.Values(m.names.groups))
	p.place(m.names)
	p.dated = m.names.dated
	p.hash = p.digest(c)
	p.config, p.where = c, where
	m.tests(p)
	if m.failed {
		return nil
	}
	return p
}

// compiler holds what the parts of a configuration share while they are read.
type compiler struct {
	config    Config
	names     *names
	where     func(path ...string) string
	out       problem.Report
	failed    bool
	roleNames []string
	index     map[string]int
	// exceptions are those of the file.
	exceptions []exception
}

func (m *compiler) tell(p problem.Problem) {
	m.failed = m.failed || !p.Warning
	if m.out != nil {
		m.out(p)
	}
}

func (m *compiler) fail(path []string, hint, format string, args ...any) {
	m.tell(problem.Problem{Path: path, Offset: -1, Message: fmt.Sprintf(format, args...), Hint: hint})
}

func (m *compiler) warn(path []string, hint, format string, args ...any) {
	m.tell(problem.Problem{Path: path, Offset: -1, Message: fmt.Sprintf(format, args...), Hint: hint, Warning: true})
}

// inside reports a mistake at a byte of a text value.
func (m *compiler) inside(path []string) func(at int, message, hint string) {
	return func(at int, message, hint string) {
		m.tell(problem.Problem{Path: path, Offset: at, Message: message, Hint: hint})
	}
}

// condition reads one, and warns of the parts of it that are never true.
func (m *compiler) condition(source, noGroups string, path []string) *condition {
	m.names.within = m.within(path...)
	c := compileCondition(m.names, source, noGroups, m.inside(path))
	m.names.within = nil
	if c == nil {
		return nil
	}
	for _, d := range c.dead {
		m.tell(problem.Problem{Path: path, Offset: d.at, Warning: true,
			Message: "this part can never be true: " + d.why, Hint: "take it out, or mend what stands beside it"})
	}
	return c
}

// reason is the part of a Reason that does not depend on the person.
func (m *compiler) reason(text string, path ...string) Reason {
	r := Reason{Rule: strings.Join(path, "."), Text: text}
	if m.where != nil {
		r.Where = m.where(path...)
	}
	return r
}

// roles are the places of the named roles, sorted by name, each once. An
// unknown one is reported.
func (m *compiler) roles(path, named []string) (out []int) {
	for _, name := range named {
		if i, ok := m.index[name]; ok {
			out = append(out, i)
			continue
		}
		hint := didYouMean(name, m.roleNames)
		if hint == "" {
			hint = fmt.Sprintf("add [role.%s]", name)
		}
		m.fail(path, hint, "there is no role %q", name)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// person is the slot of a person attribute that the configuration names.
func (m *compiler) person(path []string, name string) int {
	if !identity.ValidType(name) {
		m.fail(path, "", "%q is not the name of an attribute", name)
		return -1
	}
	return m.names.attribute(strings.ToLower(name))
}

// word is one of the words, or the first of them where none is written.
func (m *compiler) word(path []string, written string, words ...string) string {
	switch {
	case written == "":
		return words[0]
	case !slices.Contains(words, written):
		m.fail(path, oneOf(written, words), "%q is not a word that can stand here", written)
	}
	return written
}

// idle warns of roles that give nothing.
func (m *compiler) idle(p *Policy) {
	if len(p.targets) == 0 {
		return
	}
	useful := make([]bool, len(p.roles))
	for i := range p.roles {
		for _, r := range p.roles[i].requires {
			useful[r.role] = true
		}
		for _, parent := range p.roles[i].includedBy {
			useful[parent.role] = true
		}
		for _, other := range p.roles[i].excludedBy {
			useful[other.role] = true
		}
	}
	for _, t := range p.targets {
		for _, f := range t.accounts {
			useful[f.role] = true
		}
		for _, e := range t.entitlements {
			for _, r := range e.from {
				useful[r.role] = true
			}
		}
	}
	for i, ok := range useful {
		if !ok {
			m.warn([]string{"role", m.roleNames[i]}, "name it under account.for or entitlements of a target",
				"the role %q gives nothing", m.roleNames[i])
		}
	}
}

// place gives the policy its index of groups: a pin finds its group by it.
func (p *Policy) place(n *names) {
	p.groupIndex = n.groupIndex
	for _, written := range p.groups {
		p.groupOrder = append(p.groupOrder, n.groupIndex[written])
		p.unpinned = append(p.unpinned, &fault{faultUnread, "the group " + written + " was not read"})
	}
}
