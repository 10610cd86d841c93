package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Bounds are how far a part of the policy reaches that somebody else keeps than who
// keeps the whole. What lies outside of them it can neither move nor learn.
type Bounds struct {
	// Of is whose part it is, for people: the name of the file.
	Of string
	// May says whether it may say something of a table: {"role", "wiki-writer"},
	// {"target", "wiki"}, {"table", "wiki-rooms"}, {"person", "costcenter"}.
	May func(path ...string) bool
}

// asked is a name in an expression of a bounded part.
type asked struct {
	bounds      *Bounds
	table, name string
	tell        func(message, hint string)
}

// ask notes that an expression names an attribute or a table. Who keeps the whole
// opens an attribute to everybody by naming it.
func (n *names) ask(table, name string, tell func(message, hint string)) {
	if n.within != nil {
		n.asked = append(n.asked, asked{n.within, table, name, tell})
	}
}

// within gives the bounds of a key; nil: it has none.
func (m *compiler) within(path ...string) *Bounds {
	if m.config.Within == nil {
		return nil
	}
	return m.config.Within(path...)
}

// bounded checks that no bounded part names what it may not.
func (m *compiler) bounded() {
	if m.config.Within == nil {
		return
	}
	for _, a := range m.names.asked {
		if a.table == "person" && m.names.open[a.name] || a.bounds.May(a.table, a.name) {
			continue
		}
		what := a.table + " " + a.name
		if a.table == "person" {
			what = "attribute " + a.name
		}
		a.tell(fmt.Sprintf("%s may not ask for the %s", a.bounds.Of, what), fmt.Sprintf("who keeps the main file allows it there, under may: %q", a.table+"."+a.name))
	}
	for _, name := range slices.Sorted(maps.Keys(m.config.Roles)) {
		r := m.config.Roles[name]
		m.moves("role", name, "includes", "role", r.Includes)
		m.moves("role", name, "excludes", "role", r.Excludes)
	}
	for _, name := range slices.Sorted(maps.Keys(m.config.Conflicts)) {
		m.moves("conflict", name, "roles", "role", m.config.Conflicts[name].Roles)
	}
	for _, name := range slices.Sorted(maps.Keys(m.config.Grants)) {
		m.moves("grant", name, "role", "role", []string{m.config.Grants[name].Role})
	}
	for _, name := range slices.Sorted(maps.Keys(m.config.Denies)) {
		d := m.config.Denies[name]
		switch {
		case d.Role != "":
			m.moves("deny", name, "role", "role", []string{d.Role})
		default:
			m.moves("deny", name, "target", "target", []string{d.Target})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.config.Retains)) {
		m.moves("retain", name, "target", "target", []string{m.config.Retains[name].Target})
	}
}

// moves checks what a table names of other tables.
func (m *compiler) moves(table, name, key, of string, named []string) {
	b := m.within(table, name)
	if b == nil {
		return
	}
	for _, n := range named {
		if n == "" {
			m.fail([]string{table, name}, fmt.Sprintf("write %s = \"NAME\", of what the file may say", key), "%s may not say this of every %s", b.Of, of)
		} else if !b.May(of, n) {
			m.fail([]string{table, name, key}, fmt.Sprintf("it may name what it may say itself; who keeps the main file allows more there, under may: %q", of+"."+n), "%s may not move the %s %q", b.Of, of, strings.TrimSpace(n))
		}
	}
}
